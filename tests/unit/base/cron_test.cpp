// Schedules: what fields may hold, when they fire, and which part of a wrong one is told.
#include "base/cron.hpp"

#include <gtest/gtest.h>

namespace flow::test {
namespace {

CronSchedule parsed(std::string_view text) {
  const auto schedule = parse_cron(text);
  EXPECT_TRUE(schedule) << text << ": " << (schedule ? "" : schedule.error().message);
  return schedule.value_or(CronSchedule{});
}

// `wrong part: message`.
std::string told(std::string_view text) {
  const auto schedule = parse_cron(text);
  if (schedule) return "no mistake";
  return std::string(text.substr(schedule.error().begin, schedule.error().length)) + ": " +
         schedule.error().message;
}

TEST(Cron, FieldsAreNumbersNamesRangesStepsAndLists) {
  EXPECT_EQ(parsed("0 7 * * MON-FRI").minutes, 1u);
  EXPECT_EQ(parsed("0 7 * * MON-FRI").hours, 1u << 7);
  EXPECT_EQ(parsed("0 7 * * MON-FRI").weekdays, 0b0111110u);
  EXPECT_EQ(parsed("0 7 * * mon,Wed,5").weekdays, 0b0101010u);
  EXPECT_EQ(parsed("*/15 * * * *").minutes, 1u | 1ull << 15 | 1ull << 30 | 1ull << 45);
  EXPECT_EQ(parsed("5-10/5,59 * * * *").minutes, 1u << 5 | 1u << 10 | 1ull << 59);
  EXPECT_EQ(parsed("50/5 * * * *").minutes, 1ull << 50 | 1ull << 55);
  EXPECT_EQ(parsed("0 0 1 JAN,7 *").months, 1u << 1 | 1u << 7);
  EXPECT_EQ(parsed("  0\t0 1 1 *").days, 1u << 1);
}

TEST(Cron, SundayIsBothEndsOfTheWeek) {
  EXPECT_EQ(parsed("0 0 * * 7").weekdays, 1u);
  EXPECT_EQ(parsed("0 0 * * 0").weekdays, 1u);
  EXPECT_EQ(parsed("0 0 * * FRI-SUN").weekdays, 0b1100001u);
  EXPECT_EQ(parsed("0 0 * * *").weekdays, 0b1111111u);
}

TEST(Cron, EitherDaySufficesWhenBothAreRestricted) {
  const CronSchedule both = parsed("0 0 13 * FRI");
  EXPECT_TRUE(both.fires_on(3, 13, 2));
  EXPECT_TRUE(both.fires_on(3, 14, 5));
  EXPECT_FALSE(both.fires_on(3, 14, 2));
  const CronSchedule weekday = parsed("0 0 * MAR FRI");
  EXPECT_TRUE(weekday.fires_on(3, 1, 5));
  EXPECT_FALSE(weekday.fires_on(4, 1, 5));
  EXPECT_FALSE(weekday.fires_on(3, 1, 4));
}

TEST(Cron, TellsWhichPartIsWrong) {
  EXPECT_EQ(told("61 * * * *"), "61: `61` is no minute: a minute is 0 to 59");
  EXPECT_EQ(told("0 7 * * MON-FRY"),
            "FRY: `FRY` is no day of the week: a day of the week is 0 to 7, or SUN to SAT");
  EXPECT_EQ(told("0 9-7 * * *"), "9-7: the range `9-7` ends before it begins");
  EXPECT_EQ(told("*/0 * * * *"), "0: `0` is no step: a step is 1 to 59");
  EXPECT_EQ(told("0 0 30 FEB *"), "30: no month that `FEB` names has a day `30`, so it would never fire");
  EXPECT_EQ(told("0 0 31 2,4,6 *"), "31: no month that `2,4,6` names has a day `31`, so it would never fire");
  EXPECT_EQ(told("0 0 29 FEB *"), "no mistake");
  EXPECT_EQ(told("0 0 30 FEB MON"), "no mistake");
  EXPECT_EQ(told("1, * * * *"), ": a minute is missing here");
  EXPECT_EQ(told("99999999999999999999 * * * *"),
            "99999999999999999999: `99999999999999999999` is no minute: a minute is 0 to 59");
}

TEST(Cron, HasFiveFields) {
  const std::string fields = "(minute, hour, day of the month, month, day of the week)";
  EXPECT_EQ(told("0 7 * *"), "0 7 * *: a schedule has five fields " + fields + ", and this has 4");
  EXPECT_EQ(told("0 0 7 * * 2026"), "2026: a schedule has five fields " + fields + ", and this has 6");
  EXPECT_EQ(told(""), ": a schedule has five fields " + fields + ", and this has 0");
}

}  // namespace
}  // namespace flow::test
