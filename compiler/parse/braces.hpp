// Where a `}` is probably missing, as the indentation tells.
#pragma once

#include <cstdint>
#include <optional>

#include "compiler/syntax/tree.hpp"

namespace flow {

// The `{` within [from, to) of the tree's text whose `}` stands further to the left than its own line, and so
// probably closes another; nothing when all stand where they should.
std::optional<std::uint32_t> unclosed_brace(const Tree& tree, std::uint32_t from, std::uint32_t to);

}  // namespace flow
