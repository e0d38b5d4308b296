// Moments as people write them on the command line and in the API's queries.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace flow {

// `2h` is so long before `now_us`; `2026-11-22` is that day's beginning in UTC; else RFC 3339, as
// `2026-11-22T06:04:00Z`. Microseconds since 1970; nothing when it is none of these.
std::optional<std::int64_t> parse_moment(std::string_view text, std::int64_t now_us);

}  // namespace flow
