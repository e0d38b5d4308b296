// What differs between two texts, line by line, as `diff -u` prints it.
#pragma once

#include <string>
#include <string_view>

namespace flow {

// Empty when they are the same. `name` stands in both head lines. Takes time in proportion to the text and to
// what differs; of texts that have little in common all is removed and added.
std::string unified_diff(std::string_view before, std::string_view after, std::string_view name);

}  // namespace flow
