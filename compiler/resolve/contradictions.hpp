// What no API could mean by a connector's declaration, although each clause can be read by itself.
#pragma once

#include "base/diagnostic.hpp"
#include "compiler/resolve/library.hpp"
#include "compiler/syntax/tree.hpp"

namespace flow {

// `library` holds what the declaration declares.
void report_contradictions(const Tree& tree, const Library& library, Diagnostics& diagnostics);

}  // namespace flow
