// The calendar for all moments a Time can hold: dates as numbers, without zone. Years go as far as 64 bits of
// microseconds do, which std::chrono's do not.
#pragma once

#include <cstdint>

namespace flow {

inline constexpr std::int64_t kSecondUs = 1'000'000;
inline constexpr std::int64_t kMinuteUs = 60 * kSecondUs;
inline constexpr std::int64_t kHourUs = 60 * kMinuteUs;
inline constexpr std::int64_t kDayUs = 24 * kHourUs;

// Of the Gregorian calendar, also before it was introduced.
struct Date {
  std::int64_t year = 1970;
  unsigned month = 1;  // from 1
  unsigned day = 1;    // from 1

  bool operator==(const Date&) const = default;
};

bool is_leap_year(std::int64_t year);
unsigned days_in_month(std::int64_t year, unsigned month);

// Days since 1970-01-01, which may be negative.
std::int64_t days_of(Date date);
Date date_of(std::int64_t days);
// 0 is Monday, 6 is Sunday.
unsigned weekday_of(std::int64_t days);

// What clocks show at `local_us`, microseconds since 1970 by these clocks.
struct LocalTime {
  Date date;
  std::int64_t time_of_day_us = 0;
};
LocalTime local_time(std::int64_t local_us);
// The opposite. `is_too_far` when 64 bits cannot hold it.
std::int64_t local_us(const LocalTime& local, bool& is_too_far);

// `months` later by the calendar: the same day, or the last of a month that is too short for it.
Date plus_months(Date date, std::int64_t months);

}  // namespace flow
