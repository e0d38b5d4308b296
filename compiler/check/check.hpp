// Names and types of one source. Gives tables for later passes; they are complete only when no error was
// reported.
#pragma once

#include "base/diagnostic.hpp"
#include "compiler/check/checked.hpp"

namespace flow {

CheckedFile check(const Tree& tree, const Library& library, Diagnostics& diagnostics);

}  // namespace flow
