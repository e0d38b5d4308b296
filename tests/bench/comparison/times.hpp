// All interpreters on all workloads, taking turns, so that a machine whose speed drifts is the same for all.
#pragma once

#include "tests/bench/comparison/interpreters.hpp"

namespace flow::bench {

// Prints a table of median times with their ratios to Flow's, and a last line `vm: X times Lua 5.4 (geometric
// mean)`. False when there is no such figure, or when results differ; what is printed says why. One more
// round than `rounds` is run: the first only warms up.
bool compare_times(const Found& found, int rounds);

}  // namespace flow::bench
