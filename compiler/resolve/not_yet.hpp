// What the grammar reads and this version does not compile: one table, a row for each kind of node.
#pragma once

#include "base/diagnostic.hpp"
#include "compiler/syntax/tree.hpp"

namespace flow {

// In a file of flows. Later passes meet such nodes still, and take them for mistakes that were reported.
bool is_not_yet(NodeKind kind);
void report_not_yet(const Tree& tree, Diagnostics& diagnostics);
// The same for a file that declares connectors.
void report_not_yet_declared(const Tree& tree, Diagnostics& diagnostics);

}  // namespace flow
