// Time zones by their rules: both switches, both hemispheres, zones that are off by less than an hour.
#include "base/time_zone.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "base/calendar.hpp"
#include "base/text.hpp"
#include "base/time_pattern.hpp"

namespace flow {
namespace {

std::int64_t at(std::string_view text) {
  return parse_time_us(text).value();
}

std::string shown(std::string_view zone, std::string_view time) {
  return formatted_time("yyyy-MM-dd HH:mm:ss zzz", at(time), TimeZone::named(zone).value()).value();
}

// The moment at which clocks show this.
std::string moment(std::string_view zone, std::string_view local) {
  return format_time_us(TimeZone::named(zone).value().to_time_us(at(std::string(local) + "Z")));
}

TEST(TimeZones, EveryRuleCanBeRead) {
  const auto names = time_zone_names();
  EXPECT_GT(names.size(), 400u);
  for (const std::string& name : names) EXPECT_TRUE(TimeZone::named(name)) << name;
  for (const char* unknown : {"", "Europe/Bonn", "europe/berlin", "CEST"})
    EXPECT_FALSE(TimeZone::named(unknown));
}

TEST(TimeZones, ChangeAtBothSwitches) {
  EXPECT_EQ(shown("Europe/Berlin", "2026-03-29T00:59:59Z"), "2026-03-29 01:59:59 +01:00");
  EXPECT_EQ(shown("Europe/Berlin", "2026-03-29T01:00:00Z"), "2026-03-29 03:00:00 +02:00");
  EXPECT_EQ(shown("Europe/Berlin", "2026-10-25T00:59:59Z"), "2026-10-25 02:59:59 +02:00");
  EXPECT_EQ(shown("Europe/Berlin", "2026-10-25T01:00:00Z"), "2026-10-25 02:00:00 +01:00");
  EXPECT_EQ(shown("America/New_York", "2026-03-08T06:59:59Z"), "2026-03-08 01:59:59 -05:00");
  EXPECT_EQ(shown("America/New_York", "2026-03-08T07:00:00Z"), "2026-03-08 03:00:00 -04:00");
  EXPECT_EQ(shown("America/New_York", "2026-11-01T05:59:59Z"), "2026-11-01 01:59:59 -04:00");
  EXPECT_EQ(shown("America/New_York", "2026-11-01T06:00:00Z"), "2026-11-01 01:00:00 -05:00");
}

TEST(TimeZones, SouthOfTheEquatorSummerCoversTheNewYear) {
  EXPECT_EQ(shown("Australia/Sydney", "2026-01-01T00:00:00Z"), "2026-01-01 11:00:00 +11:00");
  EXPECT_EQ(shown("Australia/Sydney", "2026-04-04T15:59:59Z"), "2026-04-05 02:59:59 +11:00");
  EXPECT_EQ(shown("Australia/Sydney", "2026-04-04T16:00:00Z"), "2026-04-05 02:00:00 +10:00");
  EXPECT_EQ(shown("Australia/Sydney", "2026-10-03T15:59:59Z"), "2026-10-04 01:59:59 +10:00");
  EXPECT_EQ(shown("Australia/Sydney", "2026-10-03T16:00:00Z"), "2026-10-04 03:00:00 +11:00");
  EXPECT_EQ(shown("Australia/Sydney", "2025-12-31T13:00:00Z"), "2026-01-01 00:00:00 +11:00");
}

TEST(TimeZones, SomeAreOffByLessThanAnHour) {
  EXPECT_EQ(shown("Asia/Kolkata", "2026-06-01T00:00:00Z"), "2026-06-01 05:30:00 +05:30");
  EXPECT_EQ(shown("Asia/Kathmandu", "2026-06-01T00:00:00Z"), "2026-06-01 05:45:00 +05:45");
  EXPECT_EQ(shown("America/St_Johns", "2026-07-01T00:00:00Z"), "2026-06-30 21:30:00 -02:30");
  // Half an hour of daylight saving, and a change in the evening before the day its rule names.
  EXPECT_EQ(shown("Australia/Lord_Howe", "2026-01-01T00:00:00Z"), "2026-01-01 11:00:00 +11:00");
  EXPECT_EQ(shown("Australia/Lord_Howe", "2026-07-01T00:00:00Z"), "2026-07-01 10:30:00 +10:30");
  EXPECT_EQ(shown("America/Nuuk", "2026-03-29T00:59:59Z"), "2026-03-28 22:59:59 -02:00");
  EXPECT_EQ(shown("America/Nuuk", "2026-03-29T01:00:00Z"), "2026-03-29 00:00:00 -01:00");
  EXPECT_EQ(shown("Asia/Jerusalem", "2026-03-27T00:00:00Z"), "2026-03-27 03:00:00 +03:00");
  EXPECT_EQ(shown("Asia/Jerusalem", "2026-03-26T23:59:59Z"), "2026-03-27 01:59:59 +02:00");
}

TEST(TimeZones, HoursThatAreMissingOrComeTwice) {
  EXPECT_EQ(moment("Europe/Berlin", "2026-06-01T12:00:00"), "2026-06-01T10:00:00Z");
  EXPECT_EQ(moment("Europe/Berlin", "2026-01-01T12:00:00"), "2026-01-01T11:00:00Z");
  EXPECT_EQ(moment("Europe/Berlin", "2026-03-29T02:30:00"), "2026-03-29T01:30:00Z") << "shown as 03:30";
  EXPECT_EQ(moment("Europe/Berlin", "2026-10-25T02:30:00"), "2026-10-25T00:30:00Z") << "the first of two";
  EXPECT_EQ(moment("Europe/Berlin", "2026-10-25T03:00:00"), "2026-10-25T02:00:00Z");
  EXPECT_EQ(moment("Australia/Sydney", "2026-04-05T02:30:00"), "2026-04-04T15:30:00Z");
}

TEST(TimeZones, EveryMomentOfAYearComesBack) {
  for (const char* name : {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Nuuk",
                           "Europe/Dublin", "Asia/Kathmandu", "Pacific/Chatham", "Africa/Cairo"}) {
    const TimeZone zone = TimeZone::named(name).value();
    std::int64_t before = 0;
    for (std::int64_t time = at("2025-12-31T00:00:00Z"); time < at("2027-01-02T00:00:00Z");
         time += 15 * kMinuteUs) {
      const std::int64_t back = zone.to_time_us(zone.to_local_us(time));
      EXPECT_TRUE(back == time || time - back == kHourUs || time - back == kHourUs / 2)
          << name << ' ' << format_time_us(time);
      before = back;
    }
    EXPECT_NE(before, 0);
  }
}

TEST(TimeZones, RulesOfTheOtherFormsAreRead) {
  const TimeZone julian = TimeZone::with_rule("AAA0BBB,J60/0,J300/0").value();
  EXPECT_FALSE(julian.offset_at(at("2024-02-29T23:59:59Z")).is_daylight_saving);
  EXPECT_TRUE(julian.offset_at(at("2024-03-01T00:00:00Z")).is_daylight_saving);
  EXPECT_TRUE(julian.offset_at(at("2026-03-01T00:00:00Z")).is_daylight_saving);
  const TimeZone counted = TimeZone::with_rule("AAA0BBB,59/0,300/0").value();
  EXPECT_TRUE(counted.offset_at(at("2024-02-29T00:00:00Z")).is_daylight_saving);
  EXPECT_FALSE(counted.offset_at(at("2026-02-28T23:59:59Z")).is_daylight_saving);
  for (const char* bad :
       {"", "A0", "CET", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-25", "CET-1CEST,M13.5.0,M10.5.0",
        "CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,M3.5.0,M10.5.0/3x", "<+03-3", "CET-1CEST,J0,J1"})
    EXPECT_FALSE(TimeZone::with_rule(bad)) << bad;
}

TEST(TimeZones, TheEndsOfTimeAreNoEdge) {
  const TimeZone zone = TimeZone::named("America/New_York").value();
  constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t kFirst = std::numeric_limits<std::int64_t>::min();
  for (const std::int64_t time : {kFirst, kFirst + 1, kLast - 1, kLast}) {
    static_cast<void>(zone.to_local_us(time));
    static_cast<void>(zone.to_time_us(time));
    EXPECT_TRUE(formatted_time("yyyy-MM-dd HH:mm:ss.ffffff zzz dddd", time, zone));
  }
}

TEST(Calendar, CountsDaysOfAllYears) {
  EXPECT_EQ(days_of({1970, 1, 1}), 0);
  EXPECT_EQ(days_of({2000, 3, 1}), 11'017);
  EXPECT_EQ(days_of({1969, 12, 31}), -1);
  for (std::int64_t days = -150'000'000; days < 150'000'000; days += 9'973)
    EXPECT_EQ(days_of(date_of(days)), days);
  EXPECT_EQ(weekday_of(days_of({2026, 11, 22})), 6u);
  EXPECT_EQ(weekday_of(days_of({1969, 12, 29})), 0u);
  EXPECT_EQ(plus_months({2026, 1, 31}, 1), (Date{2026, 2, 28}));
  EXPECT_EQ(plus_months({2024, 1, 31}, 1), (Date{2024, 2, 29}));
  EXPECT_EQ(plus_months({2026, 1, 15}, -1), (Date{2025, 12, 15}));
  EXPECT_EQ(plus_months({2026, 12, 31}, 2), (Date{2027, 2, 28}));
}

TEST(TimePatterns, SayWhatTheyShow) {
  const TimeZone berlin = TimeZone::named("Europe/Berlin").value();
  const std::int64_t time = at("2026-07-05T06:04:09.120345Z");
  const auto as = [&](std::string_view pattern) {
    return formatted_time(pattern, time, berlin).value_or("?");
  };
  EXPECT_EQ(as("yyyy-MM-ddTHH:mm:ssZ"), "2026-07-05T08:04:09Z");
  EXPECT_EQ(as("d.M.yy h:m tt"), "5.7.26 8:4 AM");
  EXPECT_EQ(as("dddd, d MMMM yyyy; ddd MMM"), "Sunday, 5 July 2026; Sun Jul");
  EXPECT_EQ(as("ss.fff ffffff K z"), "09.120 120345 +02:00 +2");
  EXPECT_EQ(as("'at' HH \\h"), "at 08 h");
  EXPECT_EQ(as("Größe"), "?") << "letters need quotes";
  EXPECT_EQ(formatted_time("K", time, TimeZone()).value(), "Z");
  EXPECT_EQ(time_pattern_mistake("yyy"), "`yyy` has no meaning there");
  EXPECT_EQ(time_pattern_mistake("'x"), "a quote is not closed");
  EXPECT_EQ(time_pattern_mistake("HH\\"), "nothing follows the backslash");
  EXPECT_EQ(time_pattern_mistake("yyyy-MM-dd"), "");
}

TEST(TimePatterns, OfDurationsTakeAllInTheirLargestUnit) {
  const auto as = [](std::string_view pattern, std::int64_t us) {
    return formatted_duration(pattern, us).value_or("?");
  };
  EXPECT_EQ(as("hh:mm:ss", 25 * kHourUs + 61 * kSecondUs), "25:01:01");
  EXPECT_EQ(as("d 'days' h 'hours'", 49 * kHourUs), "2 days 1 hours");
  EXPECT_EQ(as("m", 90 * kSecondUs), "1");
  EXPECT_EQ(as("s.fff", -1'500'000), "-1.500");
  EXPECT_EQ(as("d", std::numeric_limits<std::int64_t>::min()), "-106751991");
  EXPECT_EQ(as("x", 0), "?");
}

}  // namespace
}  // namespace flow
