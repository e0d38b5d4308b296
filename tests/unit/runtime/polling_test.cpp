// From alerts to runs: each exactly once, whatever order, page or moment it appears in.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "fakes.hpp"
#include "runtime/json_text.hpp"

namespace flow::test {
namespace {

TEST(Polling, RunsEachAlertOnceThoughPollsOverlap) {
  Bench bench;
  bench.boot();
  bench.world.add_alert("a1", bench.clock.now + kSecondUs);
  bench.pass(10 * kMinuteUs);
  EXPECT_GE(bench.world.pages_asked.size(), 20u);
  EXPECT_EQ(bench.runs().size(), 1u);
  EXPECT_EQ(bench.runtime->counters().events_fresh, 1u);
  EXPECT_GT(bench.runtime->counters().events_seen, 5u) << "the overlap brought it again";
}

TEST(Polling, AlertsThatBecomeVisibleLateWithinTheOverlapAreTaken) {
  Bench bench;
  bench.boot();
  bench.world.add_alert("late1", bench.clock.now + kSecondUs);
  bench.pass(10 * kMinuteUs);
  bench.world.add_alert("new", bench.clock.now);
  bench.world.add_alert("late", bench.clock.now - 4 * kMinuteUs);
  bench.pass(2 * kMinuteUs);
  bench.world.add_alert("later", bench.clock.now - 6 * kMinuteUs);
  bench.pass(2 * kMinuteUs);
  EXPECT_EQ(bench.runs().size(), 4u);
}

TEST(Polling, BeginsAtTheFirstStartAndNotBefore) {
  Bench bench;
  bench.world.add_alert("old", bench.clock.now - kMinuteUs);
  bench.boot();
  bench.pass(kMinuteUs);
  bench.boot();
  bench.pass(10 * kMinuteUs);
  EXPECT_TRUE(bench.runs().empty());
  Bench looking_back;
  looking_back.world.add_alert("old", looking_back.clock.now - kMinuteUs);
  RuntimeOptions options;
  options.look_back_us = 2 * kMinuteUs;
  looking_back.boot(options);
  looking_back.pass(kMinuteUs);
  EXPECT_EQ(looking_back.runs().size(), 1u);
}

TEST(Polling, ReadsAllPagesAndMovesTheCursorOnlyThen) {
  Bench bench;
  bench.boot();
  bench.idle();
  for (int i = 0; i < 35; ++i) bench.world.add_alert("a" + std::to_string(i), bench.clock.now + i);
  bench.world.pages_asked.clear();
  int pages = 0;
  bench.world.interfere = [&pages](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    if (name == "defender.list_alerts" && ++pages == 3) return fault_of(FaultKind::Unavailable, true);
    return std::nullopt;
  };
  const std::int64_t before = (*bench.store->cursor("contoso", "defender.alert.new"))->watermark_us;
  bench.clock.now += 30 * kSecondUs;
  bench.idle();
  EXPECT_EQ(bench.runs().size(), 20u) << "what was read is worked on at once";
  EXPECT_EQ((*bench.store->cursor("contoso", "defender.alert.new"))->watermark_us, before);
  bench.pass(kMinuteUs);
  EXPECT_EQ(bench.runs().size(), 35u);
  EXPECT_GT((*bench.store->cursor("contoso", "defender.alert.new"))->watermark_us, before);
  EXPECT_EQ(bench.observer.count(HealthEvent::Kind::PollFailed), 1u);
  EXPECT_EQ(bench.observer.count(HealthEvent::Kind::PollRecovered), 1u);
}

TEST(Polling, AWindowWithTooManyAlertsIsNarrowedUntilItFits) {
  Bench bench;
  RuntimeOptions options;
  options.poll.pages_per_poll = 3;  // 30 alerts
  bench.boot(options);
  bench.idle();
  for (int i = 0; i < 200; ++i)  // newest first: the order says nothing
    bench.world.add_alert("a" + std::to_string(i), bench.clock.now + 3600 * kSecondUs - i * 15 * kSecondUs);
  bench.runtime.reset();  // an outage of an hour
  bench.clock.now += 3700 * kSecondUs;
  bench.boot(options);
  bench.pass(kMinuteUs);
  EXPECT_EQ(bench.runs().size(), 200u);
}

TEST(Polling, OneBadEventDoesNotHoldUpTheOthers) {
  Bench bench;
  bench.boot();
  const std::string good = R"({"id":"g","alertCreationTime":")" + format_time_us(bench.clock.now) +
                           R"(","severity":"High","machineId":"m"})";
  bench.world.page_override =
      R"([7, null, "text", {"severity":"High"}, {"id":{}, "severity" "High"}, )" + good +
      R"(, {"id":"huge","x":123456789012345678901234567890}, [{"id":"in a list"}], {"id":")" +
      std::string(600, 'k') + "\"}]";
  bench.idle();
  EXPECT_EQ(bench.runs().size(), 1u);
  EXPECT_EQ(bench.runs().at(0).key, "g");
  EXPECT_EQ(bench.runtime->counters().events_unusable, 8u);
  EXPECT_EQ(bench.observer.count(HealthEvent::Kind::EventUnusable), 8u);
}

TEST(Polling, InvalidUtf8InOneEventIsRepaired) {
  Bench bench;
  bench.boot();
  bench.world.page_override = "[{\"id\":\"a\xff\",\"severity\":\"High\",\"machineId\":\"m\"}]";
  bench.idle();
  EXPECT_EQ(bench.runs().at(0).key, "a?");
}

TEST(Polling, AnswersThatAreNoListAreFailuresAndPollingGoesOn) {
  Bench bench;
  bench.boot();
  for (const char* page : {"", "{}", "null", "[", "[1,", "{\"value\":[]}"}) {
    bench.world.page_override = page;
    bench.pass(6 * kMinuteUs);
  }
  const auto failed = bench.runtime->counters().polls_failed;
  EXPECT_GE(failed, 6u);
  bench.world.page_override.clear();
  bench.world.add_alert("a", bench.clock.now);
  bench.pass(6 * kMinuteUs);
  EXPECT_EQ(bench.runs().size(), 1u);
}

TEST(Polling, AnAlertThatLacksWhatTheFlowReadsMakesAFailedRun) {
  Bench bench;
  bench.boot();
  bench.world.page_override = R"([{"id":"a"}])";
  bench.idle();
  const RunRow run = bench.runs().at(0);
  EXPECT_EQ(run.state, RunState::Failed);
  EXPECT_EQ(run.fault, "InvalidEvent");
  EXPECT_EQ(bench.history(run.id).steps.size(), 2u);
}

TEST(Polling, SkippedAlertsLeaveNoRunAndAreNotLookedAtAgain) {
  Bench bench;
  bench.boot();
  for (int i = 0; i < 5; ++i) bench.world.add_alert("low" + std::to_string(i), bench.clock.now, "Low");
  bench.pass(5 * kMinuteUs);
  EXPECT_TRUE(bench.runs().empty());
  EXPECT_EQ(bench.runtime->counters().skipped_at_once, 5u);
  EXPECT_EQ(bench.engine.machines, 1u) << "one that decides again and again";
}

TEST(Polling, OnePollFeedsAllFlowsOfATenant) {
  Bench bench;
  bench.flows = {"isolate", "another", "third"};
  bench.engine.filter = "severity eq 'High'";
  bench.engine.expand = {"evidence"};
  bench.boot();
  bench.world.add_alert("a", bench.clock.now);
  bench.idle();
  EXPECT_EQ(bench.world.pages_asked.size(), 1u);
  EXPECT_EQ(bench.runs().size(), 3u);
  EXPECT_EQ(json_string(*json_member(bench.world.pages_asked[0], "filter")),
            fmt::format("alertCreationTime ge {} and severity eq 'High'", format_time_us(kStartUs)));
  EXPECT_EQ(json_member(bench.world.pages_asked[0], "expand"), "\"evidence\"");
  EXPECT_EQ(json_member(bench.world.pages_asked[0], "top"), "10");
}

TEST(Polling, AFilterThatNotAllFlowsShareIsLeftOut) {
  Bench bench;
  bench.flows = {};
  bench.boot();
  bench.engine.filter = "severity eq 'High'";
  ASSERT_TRUE(bench.runtime->deploy("contoso", "one"));
  bench.engine.filter = "";
  ASSERT_TRUE(bench.runtime->deploy("contoso", "two"));
  ASSERT_TRUE(bench.runtime->deploy("fabrikam", "two"));
  bench.idle();
  ASSERT_EQ(bench.world.pages_asked.size(), 2u) << "one poll a tenant";
  EXPECT_EQ(bench.world.pages_asked[0].find("severity"), std::string::npos);
  EXPECT_EQ(bench.world.pages_asked[0].find("expand"), std::string::npos);
}

TEST(Polling, ATimeInTheFutureDoesNotMoveTheCursorThere) {
  Bench bench;
  bench.boot();
  bench.world.page_override = R"([{"id":"a","alertCreationTime":"2099-01-01T00:00:00Z","severity":"Low"}])";
  bench.idle();
  EXPECT_EQ((*bench.store->cursor("contoso", "defender.alert.new"))->watermark_us, bench.clock.now);
}

TEST(Polling, FailuresBackOffButNeverForGood) {
  Bench bench;
  bench.boot();
  bench.world.interfere = [](const std::string&, const OperationCall&) {
    return std::optional<Outcome>(fault_of(FaultKind::Forbidden));
  };
  bench.pass(24 * 60 * kMinuteUs);
  EXPECT_GT(bench.runtime->counters().polls_failed, 24u * 12u);
  EXPECT_LT(bench.runtime->counters().polls_failed, 24u * 12u * 3u);
}

TEST(Polling, TheLongTailOfARestartIsNotRunTwice) {
  Bench bench;
  bench.boot();
  bench.world.add_alert("a1", bench.clock.now);
  bench.pass(kMinuteUs);
  bench.boot();
  bench.pass(kMinuteUs);
  EXPECT_EQ(bench.runs().size(), 1u);
  EXPECT_EQ(bench.world.count("defender.isolate"), 1u);
}

TEST(Polling, GoesOnWhenTheClockIsSetBack) {
  Bench bench;
  bench.boot();
  bench.pass(kMinuteUs);
  bench.clock.now -= 24 * 60 * kMinuteUs;
  const std::size_t before = bench.world.pages_asked.size();
  bench.pass(kMinuteUs);
  EXPECT_GE(bench.world.pages_asked.size(), before + 2);
}

TEST(Polling, ARestBeforeARetryIsNoLongerForAClockThatIsSetBack) {
  Bench bench;
  bench.world.add_alert("a1", bench.clock.now);
  bool has_failed = false;
  bench.world.interfere = [&](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    if (name != "defender.isolate" || std::exchange(has_failed, true)) return std::nullopt;
    return fault_of(FaultKind::Throttled, false, 30 * kSecondUs);
  };
  bench.boot();
  bench.idle();
  ASSERT_TRUE(has_failed);
  bench.clock.now -= 24 * 60 * kMinuteUs;
  bench.pass(kMinuteUs);
  EXPECT_EQ(bench.runs().at(0).state, RunState::Finished);
}

}  // namespace
}  // namespace flow::test
