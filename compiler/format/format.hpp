// The one layout of a text of Flow: 4 blanks a level, lines of at most kLineWidth where that can be. What a
// file says is never changed: words, texts and comments stay as they are and in their order. Only blanks,
// line ends, the comma behind a list's last item, and semicolons that a line end replaces come and go.
#pragma once

#include <string>

#include "base/result.hpp"
#include "compiler/syntax/tree.hpp"

namespace flow {

inline constexpr std::size_t kLineWidth = 120;

// `tree` was parsed without errors. The Error says that the laid-out text would mean something else, which is
// a mistake of the formatter; the text is then to stay as it was.
Result<std::string> format(const Tree& tree);

// Kinds and words of a tree without its places: equal for texts that differ in layout only. Comments are at
// its end.
std::string outline(const Tree& tree);

}  // namespace flow
