// Patterns of moments, as `yyyy-MM-dd HH:mm`. The letters are those of .NET and so of Logic Apps:
//   yyyy yy   year            MMMM MMM MM M   month, by name, short name, number
//   dd d      day             dddd ddd        weekday, by name and short name
//   HH H hh h hour, to 24, to 12   mm m minute   ss s second   f … ffffff fraction   tt AM or PM
//   zzz zz z  distance from UTC, +02:00   K the same, Z for UTC
// T and Z stand for themselves, as does every sign that is no letter; other letters stand between single
// quotes or behind a backslash. Names are English.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time_zone.hpp"

namespace flow {

// What is wrong with a pattern, in a few words; empty when nothing is.
std::string time_pattern_mistake(std::string_view pattern);
// The moment by the clocks of `zone`; nothing when the pattern is malformed.
std::optional<std::string> formatted_time(std::string_view pattern, std::int64_t time_us,
                                          const TimeZone& zone);

// A length of time, as `hh:mm:ss`: d days, h hours, m minutes, s seconds, f fractions; the largest unit that
// is named takes all of what is larger. Two letters fill up to two digits.
std::string duration_pattern_mistake(std::string_view pattern);
std::optional<std::string> formatted_duration(std::string_view pattern, std::int64_t duration_us);

}  // namespace flow
