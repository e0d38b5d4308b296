// What flows need of each connector, by the routes that the configuration chooses.
#include <set>

#include "apps/server/doctor.hpp"
#include "stdlib/executor/request.hpp"
#include "vm/bytecode/summary.hpp"

namespace flow {
namespace {

class Needs {
 public:
  Needs(const Module& module, const TenantAccess& access) : module_(module), access_(access) {}

  Result<FlowNeeds> of(const FlowCode& flow) {
    needs_ = {.flow = flow.name, .permissions = {}};
    seen_.clear();
    const Trigger& trigger = module_.triggers.at(flow.trigger);
    FLOW_TRY_STATUS(add(trigger.connector, trigger.operation));
    for (const Policies::Limit& limit : flow.policies.limits)
      if (limit.otherwise == Policies::Limit::Otherwise::Ask) FLOW_TRY_STATUS(add("mail", "mail"));
    for (const ManifestCall& call : flow.manifest.calls) {
      const Operation& operation = module_.operations.at(call.operation);
      FLOW_TRY_STATUS(add(operation));
      if (asks_people(operation)) FLOW_TRY_STATUS(add("mail", "mail"));
    }
    return needs_;
  }

 private:
  Status add(const std::string& connector, const std::string& name) {
    const auto index = module_.operation(connector, name);
    return index ? add(module_.operations[*index]) : Status();
  }

  // Itself, polling for its end, and looking it up after a crash.
  Status add(const Operation& operation) {
    if (!seen_.insert(&operation).second || operation.routes.empty()) return {};
    FLOW_TRY(const Route* const route, chosen_route(operation, access_));
    const Connector& connector = module_.connectors.at(route->connector);
    const bool is_called = route->protocol == Protocol::Http;
    if (is_called && connector.auth.kind == Auth::Kind::Entra) {
      auto& demands = needs_.permissions[connector.name];
      if (!route->permissions.empty()) demands.push_back(route->permissions);
    }
    if (route->crash && route->crash->kind == CrashRule::Kind::Lookup)
      FLOW_TRY_STATUS(add(operation.connector, route->crash->operation));
    if (operation.completes) FLOW_TRY_STATUS(add(operation.connector, operation.completes->operation));
    return {};
  }

  const Module& module_;
  const TenantAccess& access_;
  FlowNeeds needs_;
  std::set<const Operation*> seen_;
};

}  // namespace

Result<std::vector<FlowNeeds>> needs_of(const Module& module, const TenantAccess& access) {
  Needs needs(module, access);
  std::vector<FlowNeeds> all;
  for (const FlowCode& flow : module.flows) {
    FLOW_TRY(FlowNeeds of, needs.of(flow));
    all.push_back(std::move(of));
  }
  return all;
}

}  // namespace flow
