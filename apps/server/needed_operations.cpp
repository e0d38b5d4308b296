#include "apps/server/needed_operations.hpp"

#include <algorithm>

#include "stdlib/executor/request.hpp"
#include "vm/bytecode/summary.hpp"

namespace flow {
namespace {

class Needed {
 public:
  Needed(const Module& module, const TenantAccess& access) : module_(module), access_(access) {}

  Status add(const std::string& connector, const std::string& name) {
    const auto index = module_.operation(connector, name);
    return index ? add(module_.operations[*index]) : Status();
  }

  Status add(const Operation& operation) {
    if (std::ranges::find(found, &operation) != found.end()) return {};
    found.push_back(&operation);
    if (operation.routes.empty()) return {};
    FLOW_TRY(const Route* const route, chosen_route(operation, access_));
    if (route->crash && route->crash->kind == CrashRule::Kind::Lookup)
      FLOW_TRY_STATUS(add(operation.connector, route->crash->operation));
    if (!operation.completes) return {};
    const auto poll = module_.operation(operation.connector, operation.completes->operation);
    if (!poll) return {};
    const Operation& one = module_.operations[*poll];
    FLOW_TRY_STATUS(add(one));
    return one.several ? add(one.connector, one.several->operation) : Status();
  }

  std::vector<const Operation*> found;

 private:
  const Module& module_;
  const TenantAccess& access_;
};

}  // namespace

Result<std::vector<const Operation*>> needed_operations(const Module& module, const FlowCode& flow,
                                                        const TenantAccess& access) {
  Needed needed(module, access);
  const Trigger& trigger = module.triggers.at(flow.trigger);
  FLOW_TRY_STATUS(needed.add(trigger.connector, trigger.operation));
  for (const Policies::Limit& limit : flow.policies.limits)
    if (limit.otherwise == Policies::Limit::Otherwise::Ask) FLOW_TRY_STATUS(needed.add("mail", "mail"));
  for (const ManifestCall& call : flow.manifest.calls) {
    const Operation& operation = module.operations.at(call.operation);
    FLOW_TRY_STATUS(needed.add(operation));
    if (asks_people(operation)) FLOW_TRY_STATUS(needed.add("mail", "mail"));
  }
  return std::move(needed.found);
}

}  // namespace flow
