// Times as Defender writes them: 100-nanosecond ticks, always seven fractional digits. Comparing at a coarser
// grain would make a cursor copied from an alert miss or repeat its neighbours.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flow::sim {

// `2026-11-20T08:14:22.1043315Z`. The seventh digit, below what a Clock knows, is made from the time itself.
std::string format_ticks(std::int64_t time_us);
// Ticks since 1970 of an ISO 8601 time; nothing when malformed.
std::optional<std::int64_t> parse_ticks(std::string_view text);

}  // namespace flow::sim
