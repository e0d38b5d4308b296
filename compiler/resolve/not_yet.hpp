// What the grammar reads and this version does not compile: one table, a row for each kind of node.
#pragma once

#include "base/diagnostic.hpp"
#include "compiler/syntax/tree.hpp"

namespace flow {

// In a file that declares connectors.
void report_not_yet_declared(const Tree& tree, Diagnostics& diagnostics);

}  // namespace flow
