// Which version of which flow is live, since when and by whom. The store keeps each change as a row and
// forgets none: so one can go back, and a start goes on with what was live.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/store.hpp"

namespace flow {

struct DeployRequest {
  enum class What : std::uint8_t {
    Live,       // each flow of `module` is live from now on; what else was live from `file` is withdrawn
    Shadow,     // each flow of `module` runs beside the live one (shadow.hpp), until it or another is live
    Back,       // the version of `flow` that was live before is live again
    Withdraw,   // no event starts `flow` any more
    EndShadow,  // of `flow`
  };
  What what = What::Live;
  std::string tenant;
  std::string module;           // Live, Shadow: encoded
  std::string conditions = {};  // Live, Shadow: ModuleRow::conditions
  std::string settings = "{}";  // Live, Shadow: JSON object
  // Live, Shadow: which it was made from, by its name without folder and ending. Empty: none, so nothing else
  // was live from it.
  std::string file;
  std::string flow;  // Back, Withdraw, EndShadow
  std::string by;    // who says so
};

struct DeployReply {
  enum class How : std::uint8_t { Done, Refused, Stopping };
  How how = How::Stopping;
  std::string problem;                 // Refused: nothing was changed
  bool is_absent = false;              // Refused: because there is nothing to change
  std::vector<DeploymentRow> changes;  // Done; empty when it was so already
};
// Called once, on the loop's thread or on the asker's. Must be quick and must not call back into the runtime.
using DeployDone = std::function<void(DeployReply)>;

// What a start serves.
struct DeploySet {
  std::vector<std::string> tenants;  // what is stored for others is left alone
  std::vector<DeployRequest> files;  // Live
  bool is_all = false;               // what is live and not in `files` is withdrawn; else it stays live
  std::string by;
};

// One flow of one tenant, after all that was done.
struct FlowVersions {
  std::vector<DeploymentRow> live;  // the last is live now; those before can be gone back to
  std::vector<std::string>
      taken_back;  // modules that a person went back from or withdrew, and did not deploy since
  std::optional<DeploymentRow> shadow;
  bool is_withdrawn = false;

  const DeploymentRow* current() const { return live.empty() || is_withdrawn ? nullptr : &live.back(); }
  const DeploymentRow* before() const { return live.size() < 2 ? nullptr : &live[live.size() - 2]; }
};
// `rows` of this one flow, by number.
FlowVersions versions_of(const std::vector<DeploymentRow>& rows);
using FlowKey = std::pair<std::string, std::string>;  // tenant, flow
// The same of all flows that `rows` are about.
std::map<FlowKey, FlowVersions> versions_by_flow(const std::vector<DeploymentRow>& rows);
// What is live in a store, by tenant and flow.
Result<std::vector<DeploymentRow>> live_deployments(Store& store);

}  // namespace flow
