// From what the checker knows of a file's tests to what the runner takes.
#pragma once

#include <vector>

#include "compiler/compile.hpp"
#include "testing/test.hpp"

namespace flow {

// The tests of a file in its order. `first_value` is the place of the first test value among the flows of the
// program.
std::vector<testing::Test> test_cases(const Compilation& compilation, std::uint32_t first_value);
// Where a node stands, with its line; of what spans several lines the first is marked.
testing::Place place_of(const Tree& tree, NodeId node);

}  // namespace flow
