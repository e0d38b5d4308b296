#include "runtime/deployment.hpp"

#include <algorithm>

namespace flow {

FlowVersions versions_of(const std::vector<DeploymentRow>& rows) {
  using Kind = DeploymentRow::Kind;
  FlowVersions versions;
  for (const DeploymentRow& row : rows) {
    switch (row.kind) {
      case Kind::Live:
        // Other settings are no other version: going back means the code before.
        if (!versions.live.empty() && versions.live.back().module == row.module) versions.live.pop_back();
        versions.live.push_back(row);
        std::erase(versions.taken_back, row.module);
        versions.is_withdrawn = false;
        if (versions.shadow && versions.shadow->module == row.module) versions.shadow.reset();
        break;
      case Kind::Back:
        if (versions.live.size() > 1) {
          versions.taken_back.push_back(versions.live.back().module);
          versions.live.pop_back();
        }
        versions.is_withdrawn = false;
        break;
      case Kind::Withdrawn:
        versions.taken_back.push_back(row.module);
        versions.is_withdrawn = true;
        break;
      case Kind::Removed: versions.is_withdrawn = true; break;
      case Kind::Shadow: versions.shadow = row; break;
      case Kind::ShadowEnded: versions.shadow.reset(); break;
    }
  }
  return versions;
}

std::map<FlowKey, FlowVersions> versions_by_flow(const std::vector<DeploymentRow>& rows) {
  std::map<FlowKey, std::vector<DeploymentRow>> by_flow;
  for (const DeploymentRow& row : rows) by_flow[{row.tenant, row.flow}].push_back(row);
  std::map<FlowKey, FlowVersions> versions;
  for (const auto& [key, own] : by_flow) versions.emplace(key, versions_of(own));
  return versions;
}

Result<std::vector<DeploymentRow>> live_deployments(Store& store) {
  FLOW_TRY(const std::vector<DeploymentRow> rows, store.deployments("", ""));
  std::vector<DeploymentRow> live;
  for (const auto& [key, versions] : versions_by_flow(rows))
    if (versions.current() != nullptr) live.push_back(*versions.current());
  return live;
}

}  // namespace flow
