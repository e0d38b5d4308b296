// Parts of JSON texts, found by walking over them: no copy, no parser, no memory. The texts are well-formed,
// as those of Json values are; others give nonsense and do no harm. A walk takes about a nanosecond a byte
// of what stands before the part, and of the whole object for a member.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace flow {

// The value of the member of the object `json` with that name; of several the last, as everywhere. Nothing
// when there is none, or `json` is no object.
std::optional<std::string_view> scan_member(std::string_view json, std::string_view name);

// The item with that index. Nothing outside the list, or when `json` is no list.
std::optional<std::string_view> scan_item(std::string_view json, std::int64_t index);

}  // namespace flow
