// A version of a flow that is tried beside the one that is live: its shadow. It gets the same events, reads
// what it needs, and performs nothing. To the runtime it is a flow of its own, named NAME~shadow, which no
// flow in a file can be named: so keys, limits, schedules and runs of the two are never mixed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "runtime/store.hpp"

namespace flow {

bool is_shadow(std::string_view flow);
std::string shadow_of(std::string_view flow);  // `isolate~shadow`
// Under which a flow stands in its module: `isolate` of `isolate~shadow`, else the name itself.
std::string_view name_in_module(std::string_view flow);

// An event on which the two did not do the same.
struct ShadowDifference {
  std::string trigger, key;
  std::string live_run, shadow_run;  // IDs; empty: it had none
  std::string live, shadow;          // what each did, for a person: `finished: defender.isolate {…}`
};
struct ShadowReport {
  DeploymentRow shadow;
  std::uint64_t same = 0;                     // events on which the two did the same, with a run of both
  std::uint64_t running = 0;                  // that one of the two is not through with
  std::vector<ShadowDifference> differences;  // the newest first
  bool is_cut = false;                        // there are more runs than were looked at
};
// Of the runs since the shadow was deployed: how they ended, and which acts and notifications they wanted, in
// order, with the same arguments. Events that started a run of neither are not known. The error: the flow has
// no shadow.
Result<ShadowReport> compare_shadow(Store& store, const std::string& tenant, const std::string& flow);

}  // namespace flow
