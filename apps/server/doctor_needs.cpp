// What flows need of each connector, by the routes that the configuration chooses.
#include "apps/server/doctor.hpp"
#include "apps/server/needed_operations.hpp"
#include "stdlib/executor/request.hpp"

namespace flow {

Result<std::vector<FlowNeeds>> needs_of(const Module& module, const TenantAccess& access) {
  std::vector<FlowNeeds> all;
  for (const FlowCode& flow : module.flows) {
    FlowNeeds needs{.flow = flow.name, .permissions = {}};
    FLOW_TRY(const std::vector<const Operation*> operations, needed_operations(module, flow, access));
    for (const Operation* operation : operations) {
      if (operation->routes.empty()) continue;
      FLOW_TRY(const Route* const route, chosen_route(*operation, access));
      const Connector& connector = module.connectors.at(route->connector);
      if (route->protocol != Protocol::Http || connector.auth.kind != Auth::Kind::Entra) continue;
      auto& demands = needs.permissions[connector.name];
      if (!route->permissions.empty()) demands.push_back(route->permissions);
    }
    all.push_back(std::move(needs));
  }
  return all;
}

}  // namespace flow
