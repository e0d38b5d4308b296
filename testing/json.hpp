// The little that the runner needs of JSON: members of an object whose text is well-formed, as the machine
// writes it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flow::testing {

// In the order of the text, names without quotes; values are parts of `json`.
std::vector<std::pair<std::string, std::string_view>> members(std::string_view json);
std::vector<std::string_view> elements(std::string_view json);
// The text that a JSON string stands for; nothing when it is none.
std::optional<std::string> text_of(std::string_view json);
// A duration as the machine writes it, in microseconds.
std::optional<std::int64_t> duration_of(std::string_view json);

}  // namespace flow::testing
