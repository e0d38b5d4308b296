// How many instructions of the processor a workload takes: a figure that does not drift as times do.
#pragma once

#include "tests/bench/comparison/interpreters.hpp"

namespace flow::bench {

// Runs small sizes under valgrind's callgrind and prints instructions per unit of work, less what the empty
// workload takes. False when valgrind is missing or Flow has no count; what is printed says why.
bool count_instructions(const Found& found);

}  // namespace flow::bench
