// What a new version of a module may do that the old one could not, and the other way round: `flow diff`.
#pragma once

#include <string>
#include <vector>

#include "vm/bytecode/summary.hpp"

namespace flow {

// In the order in which they are shown.
enum class Danger : std::uint8_t {
  High,     // it can change more, tell more people, or a guardrail is gone or weaker
  Medium,   // it needs more rights, reads more, starts otherwise, or acts with other arguments
  Unknown,  // its code differs in ways that are none of these
  None,     // it can do less
};
std::string_view danger_name(Danger danger);

struct Change {
  Danger danger = Danger::None;
  std::string flow;
  std::string what;  // calls, arguments, leases, recipients, flows, hosts, guardrails, permissions, reads,
                     // trigger, filter, settings, quota, flow, code
  std::string text;  // "may now call defender.isolate (act, at most 1 per run)"
};

// Flows are told apart by their names. The most dangerous changes first, then by flow.
std::vector<Change> compare(const std::vector<FlowSummary>& before, const std::vector<FlowSummary>& after);

// Also says so when there are none.
std::string print_changes(const std::vector<Change>& changes);
std::string changes_json(const std::vector<Change>& changes);

}  // namespace flow
