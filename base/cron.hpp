// The times at which a schedule fires, as cron writes them: `0 7 * * MON-FRI`. Five fields: minute, hour, day
// of the month, month, day of the week; each is `*`, a number or name, a range `a-b`, any of these with a
// step
// `/n`, or several joined by commas. Days of the week are 0 to 7, both ends being Sunday, or SUN to SAT. When
// both days are restricted, either suffices, as cron has always had it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace flow {

struct CronSchedule {  // bit n: at n
  std::uint64_t minutes = 0;
  std::uint32_t hours = 0;
  std::uint32_t days = 0;      // 1 to 31
  std::uint32_t months = 0;    // 1 to 12
  std::uint32_t weekdays = 0;  // 0 to 6, 0 is Sunday
  bool is_any_day = false;     // the field begins with `*`
  bool is_any_weekday = false;

  // Whether it fires on that day of that month, which is day `weekday` of its week (0 is Sunday).
  bool fires_on(unsigned month, unsigned day, unsigned weekday) const;
};

struct CronMistake {
  std::size_t begin = 0;  // of what is wrong, in the text
  std::size_t length = 0;
  std::string message;  // starts lower case, no full stop
};

// A schedule that can never fire, as on 30 February, is a mistake as well.
tl::expected<CronSchedule, CronMistake> parse_cron(std::string_view text);

}  // namespace flow
