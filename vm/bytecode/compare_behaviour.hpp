// The part of `flow diff` that looks at what the code says: conditions, arguments, leases, settings.
#pragma once

#include <vector>

#include "vm/bytecode/compare.hpp"

namespace flow {

// Of a flow that is in both versions.
void compare_behaviour(const FlowSummary& before, const FlowSummary& after, std::vector<Change>& out);

}  // namespace flow
