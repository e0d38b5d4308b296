// Moments and lengths of time: what clocks show of them, and the calendar.
#include <fmt/format.h>

#include <algorithm>

#include "base/calendar.hpp"
#include "base/text.hpp"
#include "base/time_pattern.hpp"
#include "base/time_zone.hpp"
#include "vm/interp/natives/functions.hpp"

namespace flow::natives {
namespace {

std::optional<TimeZone> zone_named(NativeContext& context, std::string_view name) {
  auto zone = TimeZone::named(name);
  if (!zone) invalid(context, fmt::format("there is no time zone `{}`", printable(name.substr(0, 60))));
  return zone;
}

// What clocks show; an empty one, with the fault set, when the zone is unknown.
LocalTime shown(NativeContext& context, std::int64_t time, std::string_view zone_name) {
  const auto zone = zone_named(context, zone_name);
  return zone ? local_time(zone->to_local_us(time)) : LocalTime();
}

// The moment of another reading of the clocks.
template <class Change>
std::int64_t moved(NativeContext& context, std::int64_t time, std::string_view zone_name, Change change) {
  const auto zone = zone_named(context, zone_name);
  if (!zone) return 0;
  LocalTime local = local_time(zone->to_local_us(time));
  change(local);
  bool is_too_far = false;
  const std::int64_t moved_us = local_us(local, is_too_far);
  if (is_too_far) return overflow(context), 0;
  // Where clocks show one reading twice, the second is not to become the first.
  if (zone->to_local_us(time) == moved_us) return time;
  return zone->to_time_us(moved_us);
}

std::int64_t clock_number(const LocalTime& local, std::int64_t unit_us, std::int64_t wrap) {
  return local.time_of_day_us / unit_us % wrap;
}

std::int64_t duration(NativeContext& context, std::int64_t count, std::int64_t unit_us) {
  std::int64_t made = 0;
  if (__builtin_mul_overflow(count, unit_us, &made)) overflow(context);
  return made;
}

// `P[nW][nD][T[nH][nM][nS]]`, as ISO 8601 writes durations; a fraction only of seconds.
std::optional<std::int64_t> iso_duration(std::string_view text) {
  if (!text.starts_with('P') || text.size() < 3) return std::nullopt;
  std::string plain;
  bool is_time = false;
  for (const char c : text.substr(1)) {
    const bool is_digit = c >= '0' && c <= '9';
    if (c == 'T' && !is_time) {
      is_time = true;
    } else if (is_digit) {
      plain += c;
    } else if (is_time ? c == 'H' || c == 'M' || c == 'S' : c == 'D' || c == 'W') {
      plain += static_cast<char>(c - 'A' + 'a');
    } else {
      return std::nullopt;
    }
  }
  return text.back() == 'T' ? std::nullopt : parse_duration_us(plain);
}

}  // namespace

std::optional<std::int64_t> textToTime(NativeContext&, std::string_view text) {
  return parse_written_time_us(text);
}

std::optional<std::int64_t> textToDuration(NativeContext&, std::string_view text) {
  constexpr std::size_t kLongest = 64;
  if (text.size() > kLongest) return std::nullopt;
  const bool is_negative = text.starts_with('-');
  if (is_negative) text.remove_prefix(1);
  auto found = text.starts_with('P') ? iso_duration(text) : parse_duration_us(text);
  if (found && is_negative) found = -*found;
  return found;
}

Text formatTime(NativeContext& context, std::int64_t time, std::string_view pattern,
                std::string_view zone_name) {
  const auto zone = zone_named(context, zone_name);
  if (!zone) return std::nullopt;
  if (const std::string wrong = time_pattern_mistake(pattern); !wrong.empty())
    return invalid(context, "the pattern of a time is malformed: " + wrong);
  return keep(context, *formatted_time(pattern, time, *zone));
}

Text formatDuration(NativeContext& context, std::int64_t duration, std::string_view pattern) {
  if (const std::string wrong = duration_pattern_mistake(pattern); !wrong.empty())
    return invalid(context, "the pattern of a duration is malformed: " + wrong);
  return keep(context, *formatted_duration(pattern, duration));
}

std::int64_t startOf(NativeContext& context, std::int64_t time, std::string_view unit,
                     std::string_view zone_name) {
  bool is_known = true;
  const std::int64_t start = moved(context, time, zone_name, [&](LocalTime& local) {
    std::int64_t& of_day = local.time_of_day_us;
    if (unit == "minute" || unit == "hour") {
      of_day -= of_day % (unit == "hour" ? kHourUs : kMinuteUs);
      return;
    }
    of_day = 0;
    if (unit == "week")
      local.date = date_of(days_of(local.date) - weekday_of(days_of(local.date)));
    else if (unit == "month" || unit == "year")
      local.date = {.year = local.date.year, .month = unit == "year" ? 1 : local.date.month, .day = 1};
    else
      is_known = unit == "day";
  });
  if (!is_known)
    invalid(context, fmt::format("there is no unit of time `{}`", printable(unit.substr(0, 60))));
  return start;
}

std::int64_t addDays(NativeContext& context, std::int64_t time, std::int64_t count,
                     std::string_view zone_name) {
  constexpr std::int64_t kMost = 300'000'000;
  return moved(context, time, zone_name, [&](LocalTime& local) {
    local.date = date_of(days_of(local.date) + std::clamp(count, -kMost, kMost));
  });
}
std::int64_t addMonths(NativeContext& context, std::int64_t time, std::int64_t count,
                       std::string_view zone_name) {
  return moved(context, time, zone_name,
               [&](LocalTime& local) { local.date = plus_months(local.date, count); });
}
std::int64_t addYears(NativeContext& context, std::int64_t time, std::int64_t count,
                      std::string_view zone_name) {
  constexpr std::int64_t kMost = 1'000'000;
  return addMonths(context, time, 12 * std::clamp(count, -kMost, kMost), zone_name);
}

std::int64_t year(NativeContext& context, std::int64_t time, std::string_view zone) {
  return shown(context, time, zone).date.year;
}
std::int64_t month(NativeContext& context, std::int64_t time, std::string_view zone) {
  return shown(context, time, zone).date.month;
}
std::int64_t day(NativeContext& context, std::int64_t time, std::string_view zone) {
  return shown(context, time, zone).date.day;
}
std::int64_t hour(NativeContext& context, std::int64_t time, std::string_view zone) {
  return clock_number(shown(context, time, zone), kHourUs, 24);
}
std::int64_t minute(NativeContext& context, std::int64_t time, std::string_view zone) {
  return clock_number(shown(context, time, zone), kMinuteUs, 60);
}
std::int64_t second(NativeContext& context, std::int64_t time, std::string_view zone) {
  return clock_number(shown(context, time, zone), kSecondUs, 60);
}
std::int64_t weekdayNumber(NativeContext& context, std::int64_t time, std::string_view zone) {
  return weekday_of(days_of(shown(context, time, zone).date));
}
std::int64_t dayOfYear(NativeContext& context, std::int64_t time, std::string_view zone) {
  const Date date = shown(context, time, zone).date;
  return days_of(date) - days_of({.year = date.year, .month = 1, .day = 1}) + 1;
}

std::int64_t toUnix(NativeContext&, std::int64_t time) {
  return time / kSecondUs - (time % kSecondUs < 0 ? 1 : 0);
}
std::int64_t fromUnix(NativeContext& context, std::int64_t count) {
  return duration(context, count, kSecondUs);
}

std::int64_t toMilliseconds(NativeContext&, std::int64_t duration) {
  return duration / 1000;
}
std::int64_t toSeconds(NativeContext&, std::int64_t duration) {
  return duration / kSecondUs;
}
std::int64_t toMinutes(NativeContext&, std::int64_t duration) {
  return duration / kMinuteUs;
}
std::int64_t toHours(NativeContext&, std::int64_t duration) {
  return duration / kHourUs;
}
std::int64_t toDays(NativeContext&, std::int64_t duration) {
  return duration / kDayUs;
}
std::int64_t seconds(NativeContext& context, std::int64_t count) {
  return duration(context, count, kSecondUs);
}
std::int64_t minutes(NativeContext& context, std::int64_t count) {
  return duration(context, count, kMinuteUs);
}
std::int64_t hours(NativeContext& context, std::int64_t count) {
  return duration(context, count, kHourUs);
}
std::int64_t days(NativeContext& context, std::int64_t count) {
  return duration(context, count, kDayUs);
}

}  // namespace flow::natives
