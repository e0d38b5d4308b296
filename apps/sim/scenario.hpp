// A story that the tenant tells: its devices and users, and what happens to them at which time. docs/sim.md
// has the keys. A scenario is rehearsed on a copy of the tenant before it begins, so one with a mistake
// changes nothing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apps/sim/state.hpp"

namespace flow::sim {

struct ScenarioProblem {
  std::vector<std::string> path;  // as place_of() takes it; `events`, `[2]`, `alert`
  std::string message;

  std::string text() const;  // `events[2].alert: …`
};

// Nothing when it has begun. It takes the place of the one before.
std::optional<ScenarioProblem> try_scenario(State& state, const Json& scenario);
Status begin_scenario(State& state, const Json& scenario);
// The same from a file's text; the Error begins with line and column.
Status begin_scenario_text(State& state, std::string_view text);
void advance_scenario(State& state);
Json scenario_json(const State& state);

// How the next machine actions go: `device`, `action`, `status`, `seconds`, `times`, `output`, `errors`,
// `exit_code`, `content`.
Status add_outcome(State& state, const Json& given);

}  // namespace flow::sim
