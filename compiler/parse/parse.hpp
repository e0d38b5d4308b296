// Text to tree. Always gives a tree: where the text was wrong it holds Bad nodes, and the diagnostics say
// what was expected, for every mistake in the file (a hundred at most).
#pragma once

#include <memory>

#include "base/diagnostic.hpp"
#include "compiler/syntax/tree.hpp"

namespace flow {

// Brackets and blocks may nest this deep. Later passes recurse over the tree, so this bounds their stack as
// well.
inline constexpr int kMaxNesting = 100;
inline constexpr std::size_t kMaxSyntaxErrors = 100;

Tree parse(std::shared_ptr<const SourceFile> source, std::uint32_t file, Diagnostics& diagnostics);

}  // namespace flow
