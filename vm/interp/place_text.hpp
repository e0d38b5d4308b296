// Stack traces in flow terms.
#pragma once

#include <span>
#include <string>

#include "vm/interp/machine.hpp"

namespace flow {

// From the innermost place to the last one, which is the flow: `line 12 of score(), called from line 30`.
// Repetitions of a recursion are counted, and what is in the middle of a long trace is left out. Empty when
// there are no places.
std::string place_text(std::span<const Place> places);

// How a run failed: `in line 12 of score(), called from line 30: Overflow: the result …`.
std::string failure_text(const Ended& failed);

}  // namespace flow
