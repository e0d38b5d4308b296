// Clauses whose order is free, each of which may be said once.
#pragma once

#include "base/diagnostic.hpp"
#include "compiler/syntax/tree.hpp"

namespace flow {

// Policies of flows, clauses of loops, modifiers of calls.
void report_repeated_clauses(const Tree& tree, Diagnostics& diagnostics);

}  // namespace flow
