// What can happen in a scenario.
#pragma once

#include <string>
#include <vector>

#include "apps/sim/state.hpp"

namespace flow::sim {

// `alert`, `update`, `device`, …: the keys of which an event has one.
const std::vector<std::string>& event_kinds();
// Lets the event happen to the tenant, as if it were its time.
Status happen(State& state, const ScenarioEvent& event);

}  // namespace flow::sim
