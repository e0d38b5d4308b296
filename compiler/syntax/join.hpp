// Several files as one tree: a flow and the modules it uses are checked, planned and emitted together, and no
// pass but the one that resolves names needs to know where a node comes from.
#pragma once

#include <vector>

#include "base/diagnostic.hpp"
#include "compiler/syntax/tree.hpp"

namespace flow {

// The trees one behind the other: texts, nodes and comments keep their order, so a node's text is still a
// slice of the source. The root is that of the first tree, `parts[i].root` that of each. At most 4 GiB of
// text.
Tree join(std::vector<Tree> trees);

// Brings what was said about a joined tree back to its files: file `tree.file` with a place in the joined
// text becomes the part's number and the place in it. What is about other files stays.
void to_parts(const Tree& tree, Diagnostics& diagnostics);

}  // namespace flow
