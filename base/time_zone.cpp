#include "base/time_zone.hpp"

#include <algorithm>
#include <iterator>
#include <limits>

#include "base/calendar.hpp"
#include "base/text.hpp"

namespace flow {
namespace {

struct Row {
  std::string_view name, rule;
};
constexpr Row kRows[] = {
#define FLOW_TIME_ZONE(name, rule) {name, rule},
#include "base/time_zones.def"
#undef FLOW_TIME_ZONE
};

constexpr std::int64_t kDay = 86'400;

std::int64_t saturated_sum(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b < 0 ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max();
}

std::int64_t seconds_of(std::int64_t us) {
  return us / kSecondUs - (us % kSecondUs < 0 ? 1 : 0);
}

}  // namespace

// Reads `std offset [dst [offset] [,begin[/time],end[/time]]]`.
class TimeZone::Reader {
 public:
  explicit Reader(std::string_view rest) : rest_(rest) {}

  std::optional<TimeZone> zone() {
    TimeZone zone;
    if (!name(zone.standard_name_) || !offset(zone.standard_)) return std::nullopt;
    if (rest_.empty()) return zone;
    zone.has_daylight_ = true;
    zone.daylight_ = zone.standard_ + 3600;
    if (!name(zone.daylight_name_)) return std::nullopt;
    if (!rest_.empty() && rest_[0] != ',' && !offset(zone.daylight_)) return std::nullopt;
    const bool is_right =
        taken(',') && change(zone.begin_) && taken(',') && change(zone.end_) && rest_.empty();
    return is_right ? std::optional(zone) : std::nullopt;
  }

 private:
  bool taken(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool name(std::string& into) {
    const bool is_quoted = taken('<');
    std::size_t size = 0;
    const auto is_part = [&](char c) {
      const bool is_letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
      return is_letter || (is_quoted && ((c >= '0' && c <= '9') || c == '+' || c == '-'));
    };
    while (size < rest_.size() && is_part(rest_[size])) ++size;
    into = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return size >= 3 && (!is_quoted || taken('>'));
  }

  bool number(std::int64_t most, std::int64_t& into) {
    std::size_t size = 0;
    into = 0;
    for (; size < rest_.size() && size < 4 && rest_[size] >= '0' && rest_[size] <= '9'; ++size)
      into = into * 10 + (rest_[size] - '0');
    rest_.remove_prefix(size);
    return size > 0 && into <= most;
  }

  // `[-]hh[:mm[:ss]]`
  bool clock(std::int64_t most_hours, std::int64_t& seconds) {
    const bool is_negative = taken('-');
    if (!is_negative) taken('+');
    std::int64_t hours = 0, minutes = 0, rest = 0;
    if (!number(most_hours, hours) ||
        (taken(':') && (!number(59, minutes) || (taken(':') && !number(59, rest)))))
      return false;
    seconds = (hours * 3600 + minutes * 60 + rest) * (is_negative ? -1 : 1);
    return true;
  }

  // POSIX says how far a zone lies behind UTC.
  bool offset(std::int64_t& into) {
    if (!clock(24, into)) return false;
    into = -into;
    return true;
  }

  bool change(Change& into) {
    std::int64_t month = 1, week = 1, weekday = 0, day = 0;
    if (taken('M')) {
      if (!number(12, month) || !taken('.') || !number(5, week) || !taken('.') || !number(6, weekday))
        return false;
      if (month == 0 || week == 0) return false;
    } else {
      into.kind = taken('J') ? Change::Kind::DayWithoutLeap : Change::Kind::DayWithLeap;
      if (!number(365, day) || (into.kind == Change::Kind::DayWithoutLeap && day == 0)) return false;
    }
    into.month = static_cast<unsigned>(month);
    into.week = static_cast<unsigned>(week);
    into.weekday = static_cast<unsigned>(weekday);
    into.day = static_cast<unsigned>(day);
    return !taken('/') || clock(167, into.seconds);
  }

  std::string_view rest_;
};

std::optional<TimeZone> TimeZone::with_rule(std::string_view rule) {
  return Reader(rule).zone();
}

std::optional<TimeZone> TimeZone::named(std::string_view name) {
  const Row* const row = std::ranges::lower_bound(kRows, name, {}, &Row::name);
  if (row == std::end(kRows) || row->name != name) return std::nullopt;
  return with_rule(row->rule);
}

// When the clocks change in this year, in seconds since 1970 by the clocks before the change.
std::int64_t TimeZone::local_seconds(const Change& change, std::int64_t year) {
  std::int64_t day = 0;
  if (change.kind == Change::Kind::MonthWeekday) {
    const std::int64_t first = days_of({.year = year, .month = change.month, .day = 1});
    const unsigned first_weekday = (weekday_of(first) + 1) % 7;  // 0 is Sunday
    unsigned in_month = (change.weekday + 7 - first_weekday) % 7 + 7 * (change.week - 1);
    if (in_month >= days_in_month(year, change.month)) in_month -= 7;
    day = first + in_month;
  } else {
    day = days_of({.year = year, .month = 1, .day = 1}) + change.day;
    // Counted from 1 and as if no year had the 29th of February, or from 0 with it.
    if (change.kind == Change::Kind::DayWithoutLeap && !(is_leap_year(year) && change.day >= 60)) --day;
  }
  return day * kDay + change.seconds;
}

TimeZone::Offset TimeZone::offset_at(std::int64_t time_us) const {
  if (!has_daylight_) return {standard_, false};
  const std::int64_t at = seconds_of(time_us);
  // The year by standard time; what begins or ends on its edges lies in it by these clocks too.
  const std::int64_t year = local_time(saturated_sum(time_us, standard_ * kSecondUs)).date.year;
  const std::int64_t begin = local_seconds(begin_, year) - standard_;
  const std::int64_t end = local_seconds(end_, year) - daylight_;
  const bool is_daylight = begin < end ? at >= begin && at < end : at >= begin || at < end;
  return is_daylight ? Offset{daylight_, true} : Offset{standard_, false};
}

std::int64_t TimeZone::to_local_us(std::int64_t time_us) const {
  return saturated_sum(time_us, offset_at(time_us).seconds * kSecondUs);
}

std::int64_t TimeZone::to_time_us(std::int64_t local_us) const {
  // Before a change clocks are one offset from UTC, behind it another; a reading is right when the offset it
  // supposes holds at the moment it gives.
  const std::int64_t larger = std::max(standard_, has_daylight_ ? daylight_ : standard_);
  const std::int64_t smaller = std::min(standard_, has_daylight_ ? daylight_ : standard_);
  const std::int64_t earlier = saturated_sum(local_us, -larger * kSecondUs);
  if (offset_at(earlier).seconds == larger) return earlier;
  const std::int64_t later = saturated_sum(local_us, -smaller * kSecondUs);
  // Where the hour is left out neither is right, and the offset before the change moves it behind.
  return later;
}

std::string TimeZone::abbreviation(bool is_daylight_saving) const {
  return is_daylight_saving ? daylight_name_ : standard_name_;
}

std::vector<std::string> time_zone_names() {
  std::vector<std::string> names;
  for (const Row& row : kRows) names.emplace_back(row.name);
  return names;
}

std::optional<std::string> nearest_time_zone(std::string_view typed) {
  std::string place(typed);
  std::ranges::replace(place, ' ', '_');
  for (const Row& row : kRows)
    if (equals_ignoring_case(row.name, place) ||
        equals_ignoring_case(row.name.substr(row.name.rfind('/') + 1), place))
      return std::string(row.name);
  return nearest_name(typed, time_zone_names());
}

}  // namespace flow
