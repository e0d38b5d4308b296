// Scheduled flows: each firing starts one run, whatever dies when, and what was missed is made up for as the
// flow says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "flows.hpp"
#include "live.hpp"

namespace flow::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

const Module& quarterly() {
  static const Module module = compiled("on every 15m do log \"{scheduledAt}\"");
  return module;
}

std::vector<std::string> keys(Live& live) {
  std::vector<std::string> texts;
  for (const RunRow& run : live.bench.runs()) texts.insert(texts.begin(), run.key);
  return texts;
}

std::int64_t at(std::string_view text) {
  return parse_time_us(text).value();
}

TEST(Schedules, FireInTimeAndTellIt) {
  Live live;
  live.bench.clock.now = at("2026-11-22T10:14:00Z");
  ASSERT_TRUE(live.boot(quarterly()));
  ASSERT_TRUE(live.pass(59 * kSecondUs));
  EXPECT_TRUE(live.bench.runs().empty());
  ASSERT_TRUE(live.pass(kSecondUs));
  EXPECT_EQ(live.only_run().trigger, "every");
  EXPECT_EQ(live.only_run().state, RunState::Finished);
  EXPECT_THAT(live.logs(), ElementsAre("2026-11-22T10:15:00Z"));
  ASSERT_TRUE(live.pass(30 * kMinuteUs));
  EXPECT_THAT(keys(live),
              ElementsAre("2026-11-22T10:15:00Z", "2026-11-22T10:30:00Z", "2026-11-22T10:45:00Z"));
}

TEST(Schedules, CronFiresByTheClocksOfItsZone) {
  Live live;
  live.bench.clock.now = at("2026-03-28T12:00:00Z");
  ASSERT_TRUE(live.boot(compiled(R"(on cron "30 2 * * *" in "Europe/Berlin" do log "x")")));
  ASSERT_TRUE(live.pass(2 * 24 * 60 * kMinuteUs));
  EXPECT_THAT(keys(live), ElementsAre("2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"));
}

TEST(Schedules, NoFiringIsLostOrDoubledWhateverCommitIsTheLast) {
  for (const bool is_written : {true, false}) {
    std::uint64_t n = 1;
    for (bool has_died = true; has_died; ++n) {
      SCOPED_TRACE(testing::Message() << "death at commit " << n << (is_written ? ", written" : ""));
      Live live;
      live.bench.clock.now = at("2026-11-22T10:14:00Z");
      FailingStore store(*live.bench.store, n, is_written);
      const bool has_booted = live.boot(quarterly(), &store);
      has_died = !has_booted || !live.pass(20 * kMinuteUs);
      const bool has_begun = live.bench.store->cursor("contoso", "schedule of test")->has_value();
      ASSERT_TRUE(live.boot(quarterly()));
      ASSERT_TRUE(live.pass(at("2026-11-22T10:59:00Z") - live.bench.clock.now));
      if (has_begun) {
        EXPECT_THAT(keys(live),
                    ElementsAre("2026-11-22T10:15:00Z", "2026-11-22T10:30:00Z", "2026-11-22T10:45:00Z"));
      }
      for (const RunRow& run : live.bench.runs()) EXPECT_EQ(run.state, RunState::Finished);
      ASSERT_FALSE(testing::Test::HasFailure());
    }
    EXPECT_GT(n, 5u);
  }
}

std::size_t runs_after_an_outage(const std::string& source) {
  Live live;
  live.bench.clock.now = at("2026-11-22T10:14:00Z");
  const Module module = compiled(source);
  EXPECT_TRUE(live.boot(module));
  EXPECT_TRUE(live.pass(kMinuteUs));
  EXPECT_EQ(live.bench.runs().size(), 1u);
  live.runtime.reset();
  live.bench.clock.now += 125 * kMinuteUs;  // 12:20, eight firings later
  EXPECT_TRUE(live.boot(module));
  EXPECT_TRUE(live.pass(kMinuteUs));
  return live.bench.runs().size() - 1;
}

TEST(Schedules, WhatWasMissedIsMadeUpForAsTheFlowSays) {
  EXPECT_EQ(runs_after_an_outage("on every 15m do log \"x\""), 1u);
  EXPECT_EQ(runs_after_an_outage("on every 15m catch up last do log \"x\""), 1u);
  EXPECT_EQ(runs_after_an_outage("on every 15m catch up none do log \"x\""), 0u);
  EXPECT_EQ(runs_after_an_outage("on every 15m catch up all do log \"x\""), 8u);
}

TEST(Schedules, MakingUpIsBoundedAndSaysSo) {
  Live live;
  const Module module = compiled("on every 1s catch up all do log \"x\"");
  ASSERT_TRUE(live.boot(module));
  ASSERT_TRUE(live.runtime->run_until_idle());
  live.runtime.reset();
  live.bench.clock.now += 60 * kMinuteUs;
  ASSERT_TRUE(live.boot(module));
  ASSERT_TRUE(live.runtime->run_until_idle());
  EXPECT_THAT(live.bench.runs(), SizeIs(100));
  EXPECT_EQ(live.bench.observer.count(HealthEvent::Kind::FiringsMissed), 1u);
}

TEST(Schedules, AnotherScheduleBeginsWhenItIsDeployed) {
  Live live;
  live.bench.clock.now = at("2026-11-22T10:14:00Z");
  ASSERT_TRUE(live.boot(compiled("on every 24h do log \"x\"")));
  ASSERT_TRUE(live.pass(3 * kMinuteUs));
  live.bench.clock.now += 60 * kMinuteUs;
  ASSERT_TRUE(live.boot(compiled("on every 15m do log \"x\"")));
  ASSERT_TRUE(live.pass(kMinuteUs));
  EXPECT_TRUE(live.bench.runs().empty()) << "it was not there at 11:15";
  ASSERT_TRUE(live.pass(15 * kMinuteUs));
  EXPECT_THAT(keys(live), ElementsAre("2026-11-22T11:30:00Z"));
}

TEST(Schedules, AClockThatIsSetBackDoublesNothingAndSilencesNothing) {
  Live live;
  live.bench.clock.now = at("2026-11-22T10:14:00Z");
  ASSERT_TRUE(live.boot(quarterly()));
  ASSERT_TRUE(live.pass(2 * kMinuteUs));
  live.bench.clock.now -= 5 * kMinuteUs;
  ASSERT_TRUE(live.pass(5 * kMinuteUs));
  EXPECT_THAT(keys(live), ElementsAre("2026-11-22T10:15:00Z"));
  live.bench.clock.now -= 24 * 60 * kMinuteUs;
  ASSERT_TRUE(live.boot(quarterly()));
  ASSERT_TRUE(live.pass(16 * kMinuteUs));
  EXPECT_THAT(live.bench.runs(), SizeIs(2));
}

TEST(Schedules, AFalseConditionLeavesNoRunAndTheScheduleGoesOn) {
  Live live;
  live.bench.clock.now = at("2026-11-22T10:14:00Z");
  ASSERT_TRUE(live.boot(compiled("on every 15m when scheduledAt.format(\"mm\") == \"30\" do log \"x\"")));
  ASSERT_TRUE(live.pass(60 * kMinuteUs));
  EXPECT_THAT(keys(live), ElementsAre("2026-11-22T10:30:00Z"));
  EXPECT_EQ(live.runtime->counters().skipped_at_once, 3u);
}

TEST(Schedules, OneThatCannotBeReadIsRefused) {
  Live live;
  Module module = compiled(R"(on cron "30 2 * * *" do log "x")");
  module.triggers[0].cron = "30 26 * * *";
  Runtime runtime(*live.bench.store, live.bench.clock, live.bench.random, live.bench.world, *live.engine);
  const auto deployed = runtime.deploy("contoso", encode(module));
  ASSERT_FALSE(deployed);
  EXPECT_THAT(deployed.error().message, HasSubstr("`26` is no hour"));
}

}  // namespace
}  // namespace flow::test
