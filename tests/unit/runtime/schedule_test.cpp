// When schedules fire: across both changes of the clocks, for zones that change by less than an hour, over
// leap years, and what of missed firings is made up for.
#include "runtime/schedule.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "base/calendar.hpp"
#include "base/text.hpp"
#include "base/time_zone.hpp"

namespace flow {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::int64_t at(std::string_view text) {
  return parse_time_us(text).value();
}

Trigger cron(std::string schedule, std::string zone = {}) {
  return {.kind = Trigger::Kind::Cron, .name = "cron", .cron = std::move(schedule), .zone = std::move(zone)};
}
Trigger every(std::int64_t interval_us) {
  return {.kind = Trigger::Kind::Every, .name = "every", .interval_us = interval_us};
}

std::string next(const Trigger& trigger, std::string_view after) {
  const auto found = next_firing(trigger, at(after));
  return found ? format_time_us(*found) : "never";
}

// All firings behind `after` up to `until`.
std::vector<std::string> firings(const Trigger& trigger, std::string_view after, std::string_view until) {
  std::vector<std::string> texts;
  for (const std::int64_t time_us : due_firings(trigger, at(after), at(until), 1000).times_us)
    texts.push_back(format_time_us(time_us));
  return texts;
}

TEST(Every, FiresAtMultiplesWhoeverAsks) {
  EXPECT_EQ(next(every(15 * kMinuteUs), "2026-11-22T10:14:59.999999Z"), "2026-11-22T10:15:00Z");
  EXPECT_EQ(next(every(15 * kMinuteUs), "2026-11-22T10:15:00Z"), "2026-11-22T10:30:00Z");
  EXPECT_EQ(next(every(kDayUs), "2026-11-22T10:15:00Z"), "2026-11-23T00:00:00Z");
  EXPECT_EQ(next(every(kSecondUs), "1969-12-31T23:59:58.5Z"), "1969-12-31T23:59:59Z");
  EXPECT_EQ(next_firing(every(kDayUs), std::numeric_limits<std::int64_t>::max()), std::nullopt);
  EXPECT_EQ(next_firing(every(0), 0), std::nullopt);
}

TEST(Cron, FiresWhenClocksOfItsZoneShowIt) {
  EXPECT_EQ(next(cron("0 7 * * MON-FRI", "Europe/Berlin"), "2026-11-20T06:00:00Z"), "2026-11-23T06:00:00Z");
  EXPECT_EQ(next(cron("0 7 * * MON-FRI", "Europe/Berlin"), "2026-07-01T00:00:00Z"), "2026-07-01T05:00:00Z");
  EXPECT_EQ(next(cron("*/20 9-10 * * *"), "2026-11-22T09:40:00Z"), "2026-11-22T10:00:00Z");
  EXPECT_EQ(next(cron("*/20 9-10 * * *"), "2026-11-22T10:40:00Z"), "2026-11-23T09:00:00Z");
  EXPECT_EQ(next(cron("0 0 1 1 *", "Asia/Kathmandu"), "2026-11-22T00:00:00Z"), "2026-12-31T18:15:00Z");
  EXPECT_EQ(next(cron("30 23 * * *", "Pacific/Kiritimati"), "2026-11-22T09:29:59Z"), "2026-11-22T09:30:00Z");
  EXPECT_EQ(next(cron("30 0 * * *", "Pacific/Pago_Pago"), "2026-11-22T11:30:00Z"), "2026-11-23T11:30:00Z");
}

TEST(Cron, FindsDaysThatAreYearsAway) {
  EXPECT_EQ(next(cron("0 0 29 2 *"), "2096-03-01T00:00:00Z"), "2104-02-29T00:00:00Z");
  EXPECT_EQ(next(cron("0 0 29 2 */7"), "2088-03-01T00:00:00Z"), "2128-02-29T00:00:00Z") << "a Sunday only";
  EXPECT_EQ(next(cron("0 0 13 * FRI"), "2026-11-22T00:00:00Z"), "2026-11-27T00:00:00Z") << "either suffices";
}

TEST(Cron, WhatClocksLeaveOutFiresOnceRightBehind) {
  EXPECT_THAT(firings(cron("30 2 * * *", "Europe/Berlin"), "2026-03-27T12:00:00Z", "2026-03-30T12:00:00Z"),
              ElementsAre("2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"));
  EXPECT_THAT(firings(cron("*/15 2 * * *", "Europe/Berlin"), "2026-03-29T00:00:00Z", "2026-03-29T12:00:00Z"),
              ElementsAre("2026-03-29T01:00:00Z"));
  EXPECT_THAT(firings(cron("0,30 * * * *", "Europe/Berlin"), "2026-03-29T00:00:00Z", "2026-03-29T02:00:00Z"),
              ElementsAre("2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z",
                          "2026-03-29T02:00:00Z"));
  // By half an hour, and at midnight.
  EXPECT_EQ(next(cron("15 2 * * *", "Australia/Lord_Howe"), "2026-10-03T12:00:00Z"), "2026-10-03T15:30:00Z");
  EXPECT_EQ(next(cron("0 0 * * *", "Africa/Cairo"), "2026-04-23T12:00:00Z"), "2026-04-23T22:00:00Z");
}

TEST(Cron, WhatClocksShowTwiceFiresAtTheFirst) {
  EXPECT_THAT(firings(cron("30 2 * * *", "Europe/Berlin"), "2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z"),
              ElementsAre("2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"));
  EXPECT_THAT(firings(cron("0,30 * * * *", "Europe/Berlin"), "2026-10-24T23:30:00Z", "2026-10-25T02:30:00Z"),
              ElementsAre("2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T02:00:00Z",
                          "2026-10-25T02:30:00Z"));
  // From within the hour that comes again.
  EXPECT_EQ(next(cron("45 2 * * *", "Europe/Berlin"), "2026-10-25T01:10:00Z"), "2026-10-26T01:45:00Z");
  EXPECT_EQ(next(cron("30 23 * * *", "America/Havana"), "2026-10-31T12:00:00Z"), "2026-11-01T03:30:00Z");
}

TEST(Cron, EveryDayOfAYearHasOneFiringInEveryZone) {
  for (const std::string& zone : time_zone_names()) {
    const auto days = firings(cron("30 2 * * *", zone), "2025-12-31T00:00:00Z", "2026-12-31T00:00:00Z");
    EXPECT_GE(days.size(), 364u) << zone;
    EXPECT_LE(days.size(), 366u) << zone;
  }
}

TEST(Cron, ATimeBeyondTheCalendarNeverComes) {
  EXPECT_EQ(next_firing(cron("* * * * *"), std::numeric_limits<std::int64_t>::max()), std::nullopt);
  EXPECT_EQ(next_firing(cron("* * * * *"), std::numeric_limits<std::int64_t>::min()), std::nullopt);
}

TEST(Schedule, OneThatCannotBeReadIsToldOf) {
  EXPECT_TRUE(check_schedule(cron("0 7 * * *", "Europe/Berlin")));
  EXPECT_THAT(check_schedule(cron("0 25 * * *")).error().message, HasSubstr("`25` is no hour"));
  EXPECT_THAT(check_schedule(cron("0 7 * * *", "Europe/Bonn")).error().message, HasSubstr("is no time zone"));
  EXPECT_EQ(next_firing(cron("nonsense"), 0), std::nullopt);
  EXPECT_TRUE(due_firings(cron("nonsense"), 0, kDayUs, 10).times_us.empty());
}

TEST(Missed, AreMadeUpForAsTheFlowSays) {
  Trigger trigger = every(kHourUs);
  const std::int64_t after = at("2026-11-20T07:00:00Z"), now = at("2026-11-20T12:20:00Z");
  trigger.catch_up = Trigger::CatchUp::All;
  EXPECT_EQ(firings_to_make(trigger, after, now).times_us.size(), 5u);
  trigger.catch_up = Trigger::CatchUp::Last;
  EXPECT_THAT(firings_to_make(trigger, after, now).times_us, ElementsAre(at("2026-11-20T12:00:00Z")));
  trigger.catch_up = Trigger::CatchUp::None;
  EXPECT_THAT(firings_to_make(trigger, after, now).times_us, ElementsAre());
  EXPECT_THAT(firings_to_make(trigger, after, at("2026-11-20T12:01:00Z")).times_us,
              ElementsAre(at("2026-11-20T12:00:00Z")))
      << "this one is not late";
}

TEST(Missed, AreBounded) {
  Trigger trigger = every(kSecondUs);
  trigger.catch_up = Trigger::CatchUp::All;
  const std::int64_t now = at("2026-11-20T12:00:00Z");
  DueFirings due = firings_to_make(trigger, now - 400 * kDayUs, now);
  EXPECT_EQ(due.times_us.size(), kMostCaughtUp);
  EXPECT_TRUE(due.is_cut);
  EXPECT_EQ(due.times_us.back(), now);
  EXPECT_EQ(due.times_us.front(), now - 99 * kSecondUs);
  due = firings_to_make(trigger, now - 100 * kSecondUs, now);
  EXPECT_EQ(due.times_us.size(), 100u);
  EXPECT_FALSE(due.is_cut);
  Trigger yearly = cron("0 0 1 1 *");
  yearly.catch_up = Trigger::CatchUp::All;
  due = firings_to_make(yearly, at("1900-01-01T00:00:00Z"), at("2020-06-01T00:00:00Z"));
  EXPECT_EQ(due.times_us.size(), 100u);
  EXPECT_TRUE(due.is_cut);
  EXPECT_EQ(due.times_us.front(), at("1921-01-01T00:00:00Z"));
}

}  // namespace
}  // namespace flow
