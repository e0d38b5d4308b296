// What the checker accepts and no instructions are written for yet.
#pragma once

#include "base/diagnostic.hpp"
#include "compiler/check/checked.hpp"

namespace flow {

// Reports each kind of it once, as NotYetSupported, at its first place. Gives whether there was none.
bool report_unsupported(const Tree& tree, const CheckedFile& checked, Diagnostics& diagnostics);

}  // namespace flow
