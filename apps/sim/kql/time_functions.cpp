#include <fmt/format.h>

#include <chrono>
#include <cmath>

#include "apps/sim/kql/functions.hpp"
#include "base/text.hpp"

namespace flow::kql {
namespace {

using std::chrono::year_month_day;

constexpr std::int64_t kHour = 3'600 * kTicksASecond;
constexpr std::int64_t kMinute = 60 * kTicksASecond;

std::int64_t floor_to(std::int64_t ticks, std::int64_t width) {
  const std::int64_t rest = ticks % width;
  return ticks - (rest < 0 ? rest + width : rest);
}

// A time taken apart.
struct Parts {
  int year = 0;
  unsigned month = 0, day = 0;
  std::int64_t of_day = 0;  // ticks
  std::int64_t days = 0;    // since 1970
};
Parts parts_of(std::int64_t ticks) {
  Parts parts;
  const std::int64_t midnight = floor_to(ticks, kTicksADay);
  parts.days = midnight / kTicksADay;
  const year_month_day date{std::chrono::sys_days(std::chrono::days(parts.days))};
  parts.year = static_cast<int>(date.year());
  parts.month = static_cast<unsigned>(date.month());
  parts.day = static_cast<unsigned>(date.day());
  parts.of_day = ticks - midnight;
  return parts;
}
std::int64_t day_ticks(int year, unsigned month, unsigned day) {
  const std::chrono::sys_days days{std::chrono::year(year) / static_cast<int>(month) / static_cast<int>(day)};
  return static_cast<std::int64_t>(days.time_since_epoch().count()) * kTicksADay;
}
// 0 is Sunday.
std::int64_t weekday(std::int64_t days) {
  return ((days + 4) % 7 + 7) % 7;
}

enum class Unit : std::uint8_t {
  Year,
  Quarter,
  Month,
  Week,
  Day,
  Hour,
  Minute,
  Second,
  Milli,
  Micro,
  Nano,
  None
};
Unit unit_named(std::string_view given) {
  static constexpr std::string_view kNames[] = {"year",        "quarter",     "month",     "week",
                                                "day",         "hour",        "minute",    "second",
                                                "millisecond", "microsecond", "nanosecond"};
  for (std::size_t i = 0; i < std::size(kNames); ++i)
    if (equals_ignoring_case(given, kNames[i])) return static_cast<Unit>(i);
  return Unit::None;
}
// 0 for those whose lengths differ.
std::int64_t length_of(Unit unit) {
  switch (unit) {
    case Unit::Week: return 7 * kTicksADay;
    case Unit::Day: return kTicksADay;
    case Unit::Hour: return kHour;
    case Unit::Minute: return kMinute;
    case Unit::Second: return kTicksASecond;
    case Unit::Milli: return 10'000;
    case Unit::Micro: return 10;
    default: return 0;
  }
}

// The first moment of the unit `ticks` lies in, `offset` units later.
Value start_of(Unit unit, std::int64_t ticks, std::int64_t offset) {
  if (offset > 200'000 || offset < -200'000) return {};
  const Parts parts = parts_of(ticks);
  if (unit == Unit::Day) return time_at((parts.days + offset) * kTicksADay);
  if (unit == Unit::Week) return time_at((parts.days - weekday(parts.days) + 7 * offset) * kTicksADay);
  const std::int64_t months =
      unit == Unit::Year ? (parts.year + offset) * 12 : parts.year * 12 + parts.month - 1 + offset;
  if (months < 12 || months >= 120'000) return {};
  return time_at(day_ticks(static_cast<int>(months / 12), static_cast<unsigned>(months % 12) + 1, 1));
}

template <Unit kUnit, bool kEnd>
Value boundary(Run&, Arguments a) {
  const DateTime* time = a[0].get<DateTime>();
  if (time == nullptr) return {};
  const std::int64_t offset = a.size() > 1 ? a[1].integer().value_or(0) : 0;
  if (!kEnd) return start_of(kUnit, time->ticks, offset);
  if (offset > 200'000) return {};
  const Value next = start_of(kUnit, time->ticks, offset + 1);
  return next.is_null() ? Value() : time_at(next.get<DateTime>()->ticks - 1);
}

// How many boundaries of the unit lie between.
Value datetime_diff(Run&, Arguments a) {
  const DateTime *later = a[1].get<DateTime>(), *earlier = a[2].get<DateTime>();
  const Unit unit = unit_named(a[0].text());
  if (later == nullptr || earlier == nullptr) return {};
  const Parts x = parts_of(later->ticks), y = parts_of(earlier->ticks);
  const std::int64_t months = (x.year - y.year) * 12 + static_cast<int>(x.month) - static_cast<int>(y.month);
  switch (unit) {
    case Unit::Year: return std::int64_t{x.year - y.year};
    case Unit::Quarter:
      return std::int64_t{(x.year - y.year) * 4 + static_cast<int>((x.month - 1) / 3) -
                          static_cast<int>((y.month - 1) / 3)};
    case Unit::Month: return months;
    case Unit::Week: return (x.days - weekday(x.days) - y.days + weekday(y.days)) / 7;
    case Unit::Nano: {
      std::int64_t nanos = 0;
      return __builtin_mul_overflow(later->ticks - earlier->ticks, 100, &nanos) ? Value() : Value(nanos);
    }
    case Unit::None: return {};
    default: {
      const std::int64_t length = length_of(unit);
      return floor_to(later->ticks, length) / length - floor_to(earlier->ticks, length) / length;
    }
  }
}

Value datetime_add(Run&, Arguments a) {
  const Unit unit = unit_named(a[0].text());
  const auto amount = a[1].integer();
  const DateTime* time = a[2].get<DateTime>();
  if (time == nullptr || !amount) return {};
  std::int64_t ticks = 0;
  if (const std::int64_t length = length_of(unit); length != 0) {
    if (__builtin_mul_overflow(length, *amount, &ticks) || __builtin_add_overflow(ticks, time->ticks, &ticks))
      return {};
    return time_at(ticks);
  }
  if (unit == Unit::Nano) return time_at(time->ticks + *amount / 100);
  if (unit == Unit::None || *amount > 120'000 || *amount < -120'000) return {};
  const Parts parts = parts_of(time->ticks);
  const std::int64_t each = unit == Unit::Year ? 12 : unit == Unit::Quarter ? 3 : 1;
  const std::int64_t months = parts.year * 12 + parts.month - 1 + each * *amount;
  if (months < 12 || months >= 120'000) return {};
  const std::chrono::year year(static_cast<int>(months / 12));
  const std::chrono::month month(static_cast<unsigned>(months % 12) + 1);
  const auto last = static_cast<unsigned>((year / month / std::chrono::last).day());
  return time_at(day_ticks(static_cast<int>(year), static_cast<unsigned>(month), std::min(parts.day, last)) +
                 parts.of_day);
}

std::optional<std::int64_t> part_of(std::string_view name, std::int64_t ticks) {
  const Parts parts = parts_of(ticks);
  switch (unit_named(name)) {
    case Unit::Year: return parts.year;
    case Unit::Quarter: return (parts.month - 1) / 3 + 1;
    case Unit::Month: return parts.month;
    case Unit::Week:
      return (parts.days - day_ticks(parts.year, 1, 1) / kTicksADay +
              weekday(day_ticks(parts.year, 1, 1) / kTicksADay)) /
                 7 +
             1;
    case Unit::Day: return parts.day;
    case Unit::Hour: return parts.of_day / kHour;
    case Unit::Minute: return parts.of_day / kMinute % 60;
    case Unit::Second: return parts.of_day / kTicksASecond % 60;
    case Unit::Milli: return parts.of_day / 10'000 % 1'000;
    case Unit::Micro: return parts.of_day / 10 % 1'000'000;
    case Unit::Nano: return parts.of_day % kTicksASecond * 100;
    case Unit::None: break;
  }
  if (equals_ignoring_case(name, "dayofyear"))
    return parts.days - day_ticks(parts.year, 1, 1) / kTicksADay + 1;
  return std::nullopt;
}

Value datetime_part(Run&, Arguments a) {
  const DateTime* time = a[1].get<DateTime>();
  const auto part = time != nullptr ? part_of(a[0].text(), time->ticks) : std::nullopt;
  return part ? Value(*part) : Value();
}

template <char kPart>
Value part(Run&, Arguments a) {
  const DateTime* time = a[0].get<DateTime>();
  if (time == nullptr) return {};
  switch (kPart) {
    case 'y': return *part_of("year", time->ticks);
    case 'm': return *part_of("month", time->ticks);
    case 'd': return *part_of("day", time->ticks);
    case 'h': return *part_of("hour", time->ticks);
    case 'w': return *part_of("week", time->ticks);
    case 'D': return *part_of("dayofyear", time->ticks);
    default: return TimeSpan{weekday(parts_of(time->ticks).days) * kTicksADay};
  }
}

// yyyy MM dd HH mm ss fff and the like; other characters stand for themselves.
Value format_datetime(Run&, Arguments a) {
  const DateTime* time = a[0].get<DateTime>();
  if (time == nullptr) return Value::text("");
  const Parts parts = parts_of(time->ticks);
  const std::int64_t hour = parts.of_day / kHour;
  const std::string_view pattern = a[1].text();
  std::string result;
  for (std::size_t i = 0; i < pattern.size();) {
    const char c = pattern[i];
    std::size_t count = 1;
    while (i + count < pattern.size() && pattern[i + count] == c) ++count;
    const int width = count > 1 ? 2 : 1;
    switch (c) {
      case 'y':
        result += count > 2 ? fmt::format("{:04}", parts.year) : fmt::format("{:02}", parts.year % 100);
        break;
      case 'M': result += fmt::format("{:0{}}", parts.month, width); break;
      case 'd': result += fmt::format("{:0{}}", parts.day, width); break;
      case 'H': result += fmt::format("{:0{}}", hour, width); break;
      case 'h': result += fmt::format("{:0{}}", hour % 12 == 0 ? 12 : hour % 12, width); break;
      case 'm': result += fmt::format("{:0{}}", parts.of_day / kMinute % 60, width); break;
      case 's': result += fmt::format("{:0{}}", parts.of_day / kTicksASecond % 60, width); break;
      case 'f':
      case 'F':
        result +=
            fmt::format("{:07}", parts.of_day % kTicksASecond).substr(0, std::min<std::size_t>(count, 7));
        break;
      case 't': result += hour < 12 ? "AM" : "PM"; break;
      default: result.append(count, c);
    }
    i += count;
  }
  return Value::text(std::move(result));
}

Value format_timespan(Run&, Arguments a) {
  const TimeSpan* span = a[0].get<TimeSpan>();
  if (span == nullptr) return Value::text("");
  const std::uint64_t ticks =
      span->ticks < 0 ? 0 - static_cast<std::uint64_t>(span->ticks) : static_cast<std::uint64_t>(span->ticks);
  const std::uint64_t seconds = ticks / kTicksASecond;
  const std::string_view pattern = a[1].text();
  std::string result = span->ticks < 0 ? "-" : "";
  for (std::size_t i = 0; i < pattern.size();) {
    const char c = pattern[i];
    std::size_t count = 1;
    while (i + count < pattern.size() && pattern[i + count] == c) ++count;
    const std::size_t width = std::min<std::size_t>(count, 8);
    switch (c) {
      case 'd': result += fmt::format("{:0{}}", seconds / 86'400, width); break;
      case 'h':
      case 'H': result += fmt::format("{:0{}}", seconds / 3'600 % 24, width); break;
      case 'm': result += fmt::format("{:0{}}", seconds / 60 % 60, width); break;
      case 's': result += fmt::format("{:0{}}", seconds % 60, width); break;
      case 'f':
      case 'F':
        result += fmt::format("{:07}", ticks % kTicksASecond).substr(0, std::min<std::size_t>(count, 7));
        break;
      default: result.append(count, c);
    }
    i += count;
  }
  return Value::text(std::move(result));
}

Value make_datetime(Run&, Arguments a) {
  std::int64_t numbers[5] = {};
  for (std::size_t i = 0; i < std::min<std::size_t>(a.size(), 5); ++i)
    numbers[i] = a[i].integer().value_or(-1);
  const double seconds = a.size() > 5 ? a[5].number().value_or(-1) : 0;
  const auto [year, month, day, hour, minute] =
      std::tie(numbers[0], numbers[1], numbers[2], numbers[3], numbers[4]);
  if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 || hour < 0 || hour > 23 || minute < 0 ||
      minute > 59 || !(seconds >= 0 && seconds < 60))
    return {};
  const year_month_day date{std::chrono::year(static_cast<int>(year)),
                            std::chrono::month(static_cast<unsigned>(month)),
                            std::chrono::day(static_cast<unsigned>(std::min<std::int64_t>(day, 99)))};
  if (!date.ok()) return {};
  return time_at(day_ticks(static_cast<int>(year), static_cast<unsigned>(month), static_cast<unsigned>(day)) +
                 hour * kHour + minute * kMinute + static_cast<std::int64_t>(seconds * 1e7));
}

template <std::int64_t kTicks>
Value unix_time(Run&, Arguments a) {
  const auto number = a[0].number();
  if (!number || !(std::abs(*number) < 1e18 / kTicks)) return {};
  return time_at(static_cast<std::int64_t>(*number * static_cast<double>(kTicks)));
}

constexpr Function kTimeFunctions[] = {
    {"now", "?t", 'd',
     [](Run& run, Arguments a) {
       return a.empty() ? Value(run.now()) : arithmetic('+', Value(run.now()), a[0]);
     }},
    {"ago", "t", 'd', [](Run& run, Arguments a) { return arithmetic('-', Value(run.now()), a[0]); }},
    {"datetime_diff", "sdd", 'l', datetime_diff},
    {"datetime_add", "sld", 'd', datetime_add},
    {"datetime_part", "sd", 'l', datetime_part},
    {"format_datetime", "ds", 's', format_datetime},
    {"format_timespan", "ts", 's', format_timespan},
    {"make_datetime", "lll?llr", 'd', make_datetime},
    {"startofday", "d?l", 'd', boundary<Unit::Day, false>},
    {"startofweek", "d?l", 'd', boundary<Unit::Week, false>},
    {"startofmonth", "d?l", 'd', boundary<Unit::Month, false>},
    {"startofyear", "d?l", 'd', boundary<Unit::Year, false>},
    {"endofday", "d?l", 'd', boundary<Unit::Day, true>},
    {"endofweek", "d?l", 'd', boundary<Unit::Week, true>},
    {"endofmonth", "d?l", 'd', boundary<Unit::Month, true>},
    {"endofyear", "d?l", 'd', boundary<Unit::Year, true>},
    {"getyear", "d", 'l', part<'y'>},
    {"getmonth", "d", 'l', part<'m'>},
    {"monthofyear", "d", 'l', part<'m'>},
    {"dayofmonth", "d", 'l', part<'d'>},
    {"dayofweek", "d", 't', part<'W'>},
    {"dayofyear", "d", 'l', part<'D'>},
    {"hourofday", "d", 'l', part<'h'>},
    {"week_of_year", "d", 'l', part<'w'>},
    {"unixtime_seconds_todatetime", "r", 'd', unix_time<kTicksASecond>},
    {"unixtime_milliseconds_todatetime", "r", 'd', unix_time<10'000>},
    {"unixtime_microseconds_todatetime", "r", 'd', unix_time<10>},
};

}  // namespace

Value time_at(std::int64_t ticks) {
  return ticks >= kLeastTicks && ticks < kMostTicks ? Value(DateTime{ticks}) : Value();
}

std::span<const Function> time_functions() {
  return kTimeFunctions;
}

}  // namespace flow::kql
