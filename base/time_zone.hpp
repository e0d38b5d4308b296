// Time zones, by the rule that each follows today (base/time_zones.def): what clocks there show at a moment,
// and the moment at which they show it. The table is part of the program, so that a run gives the same result
// on every machine. Changes of law before today's rule are not known; where a zone has none now, as
// Casablanca for Ramadan, it has none here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flow {

class TimeZone {
 public:
  // `Europe/Berlin`, in this spelling. Nothing when there is none of this name.
  static std::optional<TimeZone> named(std::string_view name);
  // A rule as POSIX writes it in TZ, `CET-1CEST,M3.5.0,M10.5.0/3`. Nothing when it is malformed.
  static std::optional<TimeZone> with_rule(std::string_view rule);

  struct Offset {
    std::int64_t seconds = 0;  // to be added to UTC
    bool is_daylight_saving = false;
  };
  Offset offset_at(std::int64_t time_us) const;
  // What clocks show, in microseconds since 1970 by these clocks. Stops at the ends of 64 bits.
  std::int64_t to_local_us(std::int64_t time_us) const;
  // The moment at which clocks show this: the earlier of two; where the hour is left out, as many minutes
  // behind the change as were wanted.
  std::int64_t to_time_us(std::int64_t local_us) const;
  // `CEST`, `+0530`.
  std::string abbreviation(bool is_daylight_saving) const;

 private:
  struct Change {  // a day of each year, and the seconds from its midnight, by the clocks before the change
    enum class Kind : std::uint8_t { MonthWeekday, DayWithoutLeap, DayWithLeap };
    Kind kind = Kind::MonthWeekday;
    unsigned month = 1;    // MonthWeekday
    unsigned week = 1;     // 1 to 5, 5 is the last
    unsigned weekday = 0;  // 0 is Sunday
    unsigned day = 0;      // of the year
    std::int64_t seconds = 7200;
  };
  class Reader;

  static std::int64_t local_seconds(const Change& change, std::int64_t year);

  std::string standard_name_ = "UTC", daylight_name_;
  std::int64_t standard_ = 0, daylight_ = 0;  // seconds to be added to UTC
  bool has_daylight_ = false;
  Change begin_, end_;
};

// All names, in the order of the alphabet.
std::vector<std::string> time_zone_names();
// The one that was likely meant: by its place alone, `berlin`, or with a mistake in its spelling.
std::optional<std::string> nearest_time_zone(std::string_view typed);

}  // namespace flow
