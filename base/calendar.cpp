#include "base/calendar.hpp"

#include <algorithm>
#include <chrono>

namespace flow {
namespace {

// The calendar repeats every 400 years, so that dates of any year can be found in those that std::chrono
// knows.
constexpr std::int64_t kCycleYears = 400;
constexpr std::int64_t kCycleDays = 146'097;

std::int64_t floor_divided(std::int64_t value, std::int64_t by) {
  return value / by - (value % by < 0 ? 1 : 0);
}

}  // namespace

bool is_leap_year(std::int64_t year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

unsigned days_in_month(std::int64_t year, unsigned month) {
  constexpr unsigned kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return kDays[month - 1] + (month == 2 && is_leap_year(year) ? 1 : 0);
}

std::int64_t days_of(Date date) {
  using namespace std::chrono;
  const std::int64_t cycle = floor_divided(date.year - 1970, kCycleYears);
  const auto near = static_cast<int>(date.year - cycle * kCycleYears);
  const sys_days days{year{near} / month{date.month} / day{date.day}};
  return days.time_since_epoch().count() + cycle * kCycleDays;
}

Date date_of(std::int64_t days) {
  using namespace std::chrono;
  const std::int64_t cycle = floor_divided(days, kCycleDays);
  const year_month_day near{sys_days{std::chrono::days{static_cast<int>(days - cycle * kCycleDays)}}};
  return {.year = static_cast<int>(near.year()) + cycle * kCycleYears,
          .month = static_cast<unsigned>(near.month()),
          .day = static_cast<unsigned>(near.day())};
}

unsigned weekday_of(std::int64_t days) {
  constexpr std::int64_t kThursday = 3;  // 1970-01-01
  return static_cast<unsigned>(((days + kThursday) % 7 + 7) % 7);
}

LocalTime local_time(std::int64_t local_us) {
  // By the remainder: the start of the first day of all is before what 64 bits hold.
  const std::int64_t rest = local_us % kDayUs;
  return {.date = date_of(floor_divided(local_us, kDayUs)),
          .time_of_day_us = rest < 0 ? rest + kDayUs : rest};
}

std::int64_t local_us(const LocalTime& local, bool& is_too_far) {
  std::int64_t sum = 0;
  constexpr std::int64_t kFarthestYear = 300'000;
  is_too_far = local.date.year > kFarthestYear || local.date.year < -kFarthestYear;
  if (is_too_far) return sum;
  std::int64_t days = days_of(local.date), time_of_day = local.time_of_day_us;
  if (days < 0) {  // from the end of the day, for the first day of all
    ++days;
    time_of_day -= kDayUs;
  }
  is_too_far = __builtin_mul_overflow(days, kDayUs, &sum) || __builtin_add_overflow(sum, time_of_day, &sum);
  return sum;
}

Date plus_months(Date date, std::int64_t months) {
  constexpr std::int64_t kMost = 12 * 1'000'000;
  const std::int64_t count =
      date.year * 12 + static_cast<std::int64_t>(date.month) - 1 + std::clamp(months, -kMost, kMost);
  date.year = floor_divided(count, 12);
  date.month = static_cast<unsigned>(count - date.year * 12) + 1;
  date.day = std::min(date.day, days_in_month(date.year, date.month));
  return date;
}

}  // namespace flow
