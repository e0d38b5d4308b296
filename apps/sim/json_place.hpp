// Where something stands in a JSON text, for messages about files that people write.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flow::sim {

struct TextPlace {
  std::size_t line = 1, column = 1;  // of characters as editors count them, from 1
};

// The value that `path` (names of members, and `[2]` for the third element) leads to, or the innermost on the
// way that exists.
TextPlace place_of(std::string_view text, const std::vector<std::string>& path);
// Where the text stops being JSON; nothing when it is JSON to its end.
std::optional<TextPlace> first_mistake(std::string_view text);

}  // namespace flow::sim
