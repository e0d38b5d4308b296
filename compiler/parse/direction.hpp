// Characters that change the direction of writing, so that a reader sees other code than the compiler.
#pragma once

#include "base/diagnostic.hpp"
#include "compiler/syntax/tree.hpp"

namespace flow {

// Reports each, wherever it stands; in texts an escape says the same for all to see.
void report_direction_changes(const Tree& tree, Diagnostics& diagnostics);

}  // namespace flow
