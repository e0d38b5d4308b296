// Syntax failures as diagnostics: what is marked, and what people coming from other languages meant.
#pragma once

#include <vector>

#include "base/diagnostic.hpp"
#include "compiler/parse/builder.hpp"

namespace flow {

// Reports each failure once, and each name with letters beyond ASCII.
void report_failures(const std::vector<SyntaxFailure>& failures, const Tree& tree, Diagnostics& diagnostics);

}  // namespace flow
