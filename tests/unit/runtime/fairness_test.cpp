// Quotas hold over restarts, and nobody starves: flows in one line, tenants in memory, triggers in front of
// it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "fakes.hpp"
#include "runtime/limiter.hpp"

namespace flow::test {
namespace {

using ::testing::ElementsAre;

// The most calls of `times` within a span.
std::size_t most_within(const std::vector<std::int64_t>& times, std::int64_t span_us) {
  std::size_t most = 0;
  for (std::size_t i = 0, first = 0; i < times.size(); ++i) {
    while (times[i] - times[first] >= span_us) ++first;
    most = std::max(most, i - first + 1);
  }
  return most;
}

// When calls of the API went out; mail is of another quota.
void record_calls(Bench& bench, std::vector<std::int64_t>& times) {
  bench.world.interfere = [&](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    if (name.starts_with("defender.")) times.push_back(bench.clock.now);
    return std::nullopt;
  };
}

TEST(Quotas, HoldAcrossRestarts) {
  Bench bench;
  std::vector<std::int64_t> times;
  record_calls(bench, times);
  bench.engine.quota = Quota{"defender", 10, 60};
  for (int i = 0; i < 200; ++i) bench.world.add_alert("a" + std::to_string(i), bench.clock.now);
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(bench.boot());
    bench.pass((i % 7 + 1) * 10 * kSecondUs + i * 1234);
    if (i % 2 == 0) {
      ASSERT_TRUE(bench.runtime->drain(bench.clock.now));
    }
  }
  bench.pass(30 * kMinuteUs);
  EXPECT_LE(most_within(times, kMinuteUs), 10u);
  EXPECT_LE(most_within(times, 60 * kMinuteUs), 60u);
  EXPECT_GE(times.size(), 55u) << "and nearly all of it is used";
}

TEST(Quotas, HoldWhateverCommitIsTheLast) {
  for (const bool is_written : {true, false}) {
    std::uint64_t n = 1;
    for (bool has_died = true; has_died && n < 60; ++n) {
      SCOPED_TRACE(testing::Message() << "death at commit " << n << (is_written ? ", written" : ""));
      Bench bench;
      std::vector<std::int64_t> times;
      record_calls(bench, times);
      bench.engine.quota = Quota{"defender", 4, 0};
      for (int i = 0; i < 3; ++i) bench.world.add_alert("a" + std::to_string(i), bench.clock.now);
      FailingStore store(*bench.store, n, is_written);
      has_died = !bench.boot({}, &store) || !bench.runtime->run_until_idle();
      ASSERT_TRUE(bench.boot());
      bench.pass(10 * kMinuteUs);
      EXPECT_LE(most_within(times, kMinuteUs), 4u);
      EXPECT_EQ(bench.world.count("defender.isolate"), 3u);
      ASSERT_FALSE(testing::Test::HasFailure());
    }
    EXPECT_GT(n, 3u);
  }
}

TEST(Quotas, ARestThatTheServerWantedHoldsAcrossARestart) {
  Bench bench;
  std::vector<std::int64_t> times;
  bench.world.interfere = [&](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    if (!name.starts_with("defender.")) return std::nullopt;
    times.push_back(bench.clock.now);
    if (times.size() > 1) return std::nullopt;
    return fault_of(FaultKind::Throttled, false, 20 * kMinuteUs);
  };
  const std::int64_t begun_us = bench.clock.now;
  bench.boot();
  bench.idle();
  bench.boot();
  bench.pass(60 * kMinuteUs);
  ASSERT_GT(times.size(), 1u);
  EXPECT_EQ(times[0], begun_us);
  EXPECT_GE(times[1], begun_us + 20 * kMinuteUs);
}

TEST(Quotas, AClockThatWasSetBackOverARestartClosesNoLineForLong) {
  Bench bench;
  bench.engine.quota = Quota{"defender", 2, 0};
  bench.boot();
  bench.pass(90 * kSecondUs);
  bench.runtime.reset();
  bench.clock.now -= 600 * kMinuteUs;
  bench.boot();
  const std::size_t before = bench.world.call_times.size();
  bench.pass(2 * kMinuteUs);
  EXPECT_GT(bench.world.call_times.size(), before);
}

TEST(Limiter, FlowsTakeTurnsWithinAPriority) {
  Limiter limiter;
  const auto enqueue = [&](const std::string& flow, std::uint64_t ticket,
                           Policies::Priority priority = Policies::Priority::Normal) {
    limiter.enqueue({.bucket = "b", .flow = flow, .priority = priority}, ticket);
  };
  for (std::uint64_t i = 0; i < 6; ++i) enqueue("greedy", i);
  enqueue("modest", 6);
  enqueue("modest", 7);
  enqueue("third", 8);
  EXPECT_THAT(released(limiter, 0, 9), ElementsAre(0, 6, 8, 1, 7, 2, 3, 4, 5));
  enqueue("greedy", 10);
  enqueue("greedy", 11);
  enqueue("urgent", 12, Policies::Priority::High);
  EXPECT_THAT(released(limiter, 0, 9), ElementsAre(12, 10, 11));
}

TEST(Limiter, WhatNobodyWantsAnyMoreCountsNowhere) {
  Limiter limiter;
  const Quota quota{"g", 2, 0};
  for (std::uint64_t i = 0; i < 6; ++i) limiter.enqueue({.bucket = "b", .quota = quota}, i);
  std::vector<std::uint64_t> gone;
  limiter.release(0, 9, [&](std::uint64_t ticket) {
    if (ticket < 3) return false;
    gone.push_back(ticket);
    return true;
  });
  EXPECT_THAT(gone, ElementsAre(3, 4)) << "the quota was not used up by the first three";
  EXPECT_EQ(limiter.take_sent(), (std::map<std::string, std::uint32_t>{{"b", 2}}));
  EXPECT_TRUE(limiter.take_sent().empty());
}

TEST(Limiter, EachRequestOfACallTakesItsPartOfTheQuota) {
  Limiter limiter;
  const Quota quota{"g", 3, 0};
  for (std::uint64_t i = 0; i < 3; ++i) limiter.enqueue({.bucket = "b", .quota = quota}, i);
  const auto all = [](std::uint64_t) { return true; };
  EXPECT_EQ(limiter.release(0, 1, all), 1u);
  limiter.note_more("b", 1);
  limiter.note_more("b", 2);
  limiter.note_more("unknown", 2);
  EXPECT_EQ(limiter.release(3, 9, all), 0u);
  EXPECT_EQ(limiter.next_us(3), kMinuteUs) << "the first request leaves the minute";
  EXPECT_EQ(limiter.take_sent(), (std::map<std::string, std::uint32_t>{{"b", 3}})) << "kept over a restart";
  EXPECT_EQ(limiter.release(kMinuteUs, 9, all), 1u);
}

// One flow wants a hundred calls of a quota of ten a minute; another comes later and wants three.
TEST(Fairness, AFlowWithABacklogDoesNotStarveAnother) {
  Bench bench;
  bench.engine.quota = Quota{"defender", 10, 0};
  bench.flows = {"greedy"};
  for (int i = 50; i > 0; --i)
    bench.world.add_alert("a" + std::to_string(i), bench.clock.now - i * kMinuteUs);
  RuntimeOptions options;
  options.look_back_us = 60 * kMinuteUs;
  bench.boot(options);
  bench.pass(4 * kMinuteUs);
  ASSERT_TRUE(bench.runtime->deploy("contoso", "modest"));
  const std::int64_t since_us = bench.clock.now;
  bench.world.add_alert("late", bench.clock.now);
  bench.pass(20 * kMinuteUs);
  std::map<std::string, std::int64_t> last;
  for (const RunRow& run : bench.runs()) {
    ASSERT_EQ(run.state, RunState::Finished);
    if (run.key == "late" || run.flow == "greedy") last[run.flow] = std::max(last[run.flow], run.ended_us);
  }
  EXPECT_LT(last["modest"] - since_us, 4 * kMinuteUs);
  EXPECT_GT(last["greedy"] - since_us, 6 * kMinuteUs);
}

// Thousands of runs wait: nothing is polled meanwhile, and nothing is lost.
TEST(Fairness, PollsRestWhileMemoryIsFull) {
  Bench bench;
  RuntimeOptions options;
  options.runs_in_memory = 20;
  for (int i = 0; i < 100; ++i) bench.world.add_alert("a" + std::to_string(i), bench.clock.now);
  bench.world.interfere = [&](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    bench.world.is_holding = name == "defender.get_machine";
    return std::nullopt;
  };
  options.call_deadline_us = 600 * kMinuteUs;
  bench.boot(options);
  bench.pass(30 * kMinuteUs);
  EXPECT_LE(bench.runtime->runs_in_memory(), 20u);
  EXPECT_LE(bench.world.pages_asked.size(), 3u) << "the page that is full of waiting events is the last";
  bench.world.interfere = nullptr;
  bench.world.is_holding = false;
  bench.world.release();
  bench.pass(10 * kMinuteUs);
  EXPECT_EQ(bench.world.count("defender.isolate"), 100u);
}

// A tenant whose API hangs fills no more of the memory than leaves others their share.
TEST(Fairness, ATenantWhoseRunsHangLeavesRoomForOthers) {
  Bench bench;
  RuntimeOptions options;
  options.runs_in_memory = 40;
  options.call_deadline_us = 600 * kMinuteUs;
  options.calls_in_flight = 1000;
  const std::int64_t begun_us = bench.clock.now;
  for (int i = 0; i < 100; ++i) bench.world.add_alert("a" + std::to_string(i), bench.clock.now);
  bench.world.interfere = [&](const std::string& name, const OperationCall& call) -> std::optional<Outcome> {
    bench.world.is_holding = call.tenant == "contoso" && name == "defender.get_machine";
    if (call.tenant == "fabrikam" && name == "defender.list_alerts" &&
        bench.clock.now < begun_us + 5 * kMinuteUs)
      return Returned{"[]"};
    return std::nullopt;
  };
  bench.boot(options);
  ASSERT_TRUE(bench.runtime->deploy("fabrikam", "isolate"));
  bench.pass(4 * kMinuteUs);
  EXPECT_EQ(bench.runtime->runs_in_memory(), 30u) << "a share of ten is kept for the other";
  bench.pass(10 * kMinuteUs);
  const auto runs = bench.runs();
  EXPECT_EQ(std::ranges::count_if(runs,
                                  [](const RunRow& run) {
                                    return run.tenant == "fabrikam" && run.state == RunState::Finished;
                                  }),
            100);
}

}  // namespace
}  // namespace flow::test
