// Retries, quotas, lost answers, silence, draining.
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "fakes.hpp"
#include "runtime/limiter.hpp"
#include "runtime/retry.hpp"

namespace flow::test {
namespace {

// Answers the first `times` calls of `operation` with `fault`.
void fail_first(FakeWorld& world, const std::string& operation, int times, Fault fault,
                bool is_carried_out = false) {
  auto left = std::make_shared<int>(times);
  world.interfere = [&world, operation, left, fault, is_carried_out](
                        const std::string& name, const OperationCall& call) -> std::optional<Outcome> {
    if (name != operation || (*left)-- <= 0) return std::nullopt;
    if (is_carried_out) ++world.carried_out[name][call.key];
    return fault;
  };
}

TEST(Calls, AHistoryTellsEachStep) {
  Bench bench;
  bench.world.add_alert("a", bench.clock.now);
  bench.boot();
  bench.idle();
  const RunHistory history = bench.history(bench.runs().at(0).id);
  std::string kinds;
  for (const RunStep& step : history.steps) kinds += std::string(entry_name(step.kind)) + " ";
  EXPECT_EQ(kinds, "Started Intent Answered Entered Log Intent Answered Intent Answered Ended ");
  EXPECT_EQ(history.steps[5].operation, "defender.isolate");
  EXPECT_EQ(history.steps[5].arguments, R"({"machine":"m-a"})");
  EXPECT_EQ(history.steps[5].line, 5u);
  EXPECT_EQ(history.steps[6].result, kAnswer);
  EXPECT_EQ(history.steps[4].text, "isolating m-a");
  EXPECT_EQ(bench.observer.steps.size(), 10u);
  EXPECT_EQ(bench.observer.started.size(), 1u);
  EXPECT_EQ(bench.observer.ended.at(0).state, RunState::Finished);
}

TEST(Calls, FaultsThatPassAreRetriedAndGoUnnoticed) {
  for (const FaultKind kind : {FaultKind::Unavailable, FaultKind::Timeout, FaultKind::Throttled}) {
    Bench bench;
    bench.world.add_alert("a", bench.clock.now);
    fail_first(bench.world, "defender.isolate", 4, fault_of(kind));
    bench.boot();
    bench.pass(60 * kMinuteUs);
    EXPECT_EQ(bench.runs().at(0).state, RunState::Finished) << bench.runs().at(0).reason;
    EXPECT_EQ(bench.runtime->counters().retries, 4u);
    EXPECT_EQ(bench.world.count("defender.isolate"), 1u);
  }
}

TEST(Calls, FiveTriesAreTheLimit) {
  Bench bench;
  bench.world.add_alert("a", bench.clock.now);
  fail_first(bench.world, "defender.isolate", 100, fault_of(FaultKind::Unavailable));
  bench.boot();
  bench.pass(60 * kMinuteUs);
  EXPECT_EQ(bench.runs().at(0).state, RunState::Failed);
  EXPECT_EQ(bench.runtime->counters().calls.at("defender.isolate"), 5u);
}

TEST(Calls, RefusalsAreNotRetried) {
  Bench bench;
  bench.world.add_alert("a", bench.clock.now);
  fail_first(bench.world, "defender.isolate", 1, fault_of(FaultKind::Forbidden));
  bench.boot();
  bench.pass(kMinuteUs);
  EXPECT_EQ(bench.runs().at(0).state, RunState::Failed);
  EXPECT_EQ(bench.runs().at(0).fault, "Forbidden");
}

TEST(Calls, TriesAreCountedAcrossRestartsAndRestsAreKept) {
  Bench bench;
  bench.world.add_alert("a", bench.clock.now);
  fail_first(bench.world, "defender.isolate", 100, fault_of(FaultKind::Unavailable, false, 20 * kMinuteUs));
  for (int i = 0; i < 10; ++i) {
    bench.boot();
    bench.idle();
    ASSERT_TRUE(bench.runtime->drain(bench.clock.now));
  }
  EXPECT_EQ(bench.runs().at(0).state, RunState::Running) << "the rest before the second try is not over";
  for (int i = 0; i < 6; ++i) {
    bench.boot();
    bench.pass(21 * kMinuteUs);
  }
  EXPECT_EQ(bench.runs().at(0).state, RunState::Failed);
  EXPECT_EQ(bench.world.settles, 0u) << "a call that is resting is not in doubt";
  const RunHistory history = bench.history(bench.runs().at(0).id);
  const auto intents = std::count_if(history.steps.begin(), history.steps.end(), [](const RunStep& step) {
    return step.kind == EntryKind::Intent && step.operation == "defender.isolate";
  });
  EXPECT_EQ(intents, 5);
}

TEST(Calls, ALostAnswerOfAnActIsSettledBeforeAnyRetry) {
  for (const bool is_carried_out : {false, true}) {
    Bench bench;
    bench.world.add_alert("a", bench.clock.now);
    fail_first(bench.world, "defender.isolate", 1, fault_of(FaultKind::Timeout, true), is_carried_out);
    bench.boot();
    bench.pass(kMinuteUs);
    EXPECT_EQ(bench.world.settles, 1u);
    EXPECT_EQ(bench.world.count("defender.isolate"), 1u) << is_carried_out;
    EXPECT_EQ(bench.runs().at(0).state, RunState::Finished);
  }
}

TEST(Calls, ALostAnswerOfAReadIsJustReadAgain) {
  Bench bench;
  bench.world.add_alert("a", bench.clock.now);
  fail_first(bench.world, "defender.get_machine", 2, fault_of(FaultKind::Timeout, true));
  bench.boot();
  bench.pass(kMinuteUs);
  EXPECT_EQ(bench.world.settles, 0u);
  EXPECT_EQ(bench.runs().at(0).state, RunState::Finished);
}

TEST(Calls, AnAnswerThatIsNoJsonIsAFaultAndTheJournalStaysReadable) {
  Bench bench;
  bench.world.add_alert("a", bench.clock.now);
  bench.world.interfere = [](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    if (name == "defender.get_machine") return Returned{"<html>"};
    return std::nullopt;
  };
  bench.boot();
  bench.pass(kMinuteUs);
  EXPECT_EQ(bench.runs().at(0).fault, "InvalidResponse");
}

TEST(Calls, SilenceIsGivenUpOnAfterTheDeadline) {
  Bench bench;
  bench.world.add_alert("a", bench.clock.now);
  bench.boot();
  bench.world.interfere = [&bench](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    bench.world.is_holding = name == "defender.get_machine";
    return std::nullopt;
  };
  bench.pass(10 * kMinuteUs);
  EXPECT_EQ(bench.runs().at(0).state, RunState::Failed);
  EXPECT_EQ(bench.runs().at(0).fault, "Timeout");
  bench.world.release();  // five late answers to questions nobody asks any more
  bench.idle();
  EXPECT_EQ(bench.world.count("defender.isolate"), 0u);
}

TEST(Calls, ThrottlingRestsTheGroupForEveryRun) {
  Bench bench;
  for (int i = 0; i < 5; ++i) bench.world.add_alert("a" + std::to_string(i), bench.clock.now);
  bench.engine.quota = Quota{"defender", 0, 0};
  RuntimeOptions options;
  options.calls_in_flight = 1;
  fail_first(bench.world, "defender.get_machine", 1, fault_of(FaultKind::Throttled, false, 40 * kSecondUs));
  bench.boot(options);
  bench.idle();
  EXPECT_EQ(bench.runtime->counters().calls.at("defender.get_machine"), 1u) << "the others were held back";
  EXPECT_EQ(bench.observer.count(HealthEvent::Kind::Throttled), 1u);
  bench.pass(2 * kMinuteUs);
  EXPECT_EQ(bench.world.count("defender.isolate"), 5u);
}

TEST(Calls, NoSpanOfAMinuteHoldsMoreCallsThanTheQuota) {
  Bench bench;
  for (int i = 0; i < 60; ++i) bench.world.add_alert("a" + std::to_string(i), bench.clock.now);
  bench.engine.quota = Quota{"defender", 20, 300};
  bench.boot();
  bench.pass(60 * kMinuteUs);
  EXPECT_EQ(bench.world.count("defender.isolate"), 60u);
  auto& times = bench.world.call_times;
  std::size_t mails = bench.world.count("mail.send");
  EXPECT_EQ(mails, 60u);
  std::size_t most = 0;
  for (std::size_t i = 0, first = 0; i < times.size(); ++i) {
    while (times[i] - times[first] >= kMinuteUs) ++first;
    most = std::max(most, i - first + 1);
  }
  EXPECT_LE(most, 20u + 20u) << "20 of the API, and mails, which are not of the group";
}

TEST(Calls, DrainingTakesAnswersAndStartsNothing) {
  Bench bench;
  bench.world.add_alert("a", bench.clock.now);
  bench.boot();
  bench.world.interfere = [&bench](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    bench.world.is_holding = name == "defender.isolate";
    return std::nullopt;
  };
  bench.idle();
  ASSERT_EQ(bench.runtime->calls_in_flight(), 1u);
  bench.world.interfere = nullptr;
  bench.world.is_holding = false;
  bench.world.release();
  ASSERT_TRUE(bench.runtime->drain(bench.clock.now + kSecondUs));
  EXPECT_EQ(bench.world.count("mail.send"), 0u);
  bench.boot();
  bench.idle();
  EXPECT_EQ(bench.world.settles, 0u) << "nothing was left in doubt";
  EXPECT_EQ(bench.world.count("mail.send"), 1u);
}

TEST(Calls, AFailedCommitSendsNothing) {
  Bench bench;
  bench.world.add_alert("a", bench.clock.now);
  FailingStore store(*bench.store, 4, false);
  bench.boot({}, &store);
  EXPECT_FALSE(bench.runtime->run_until_idle());
  EXPECT_EQ(bench.world.count("defender.get_machine"), 0u);
  EXPECT_EQ(bench.observer.count(HealthEvent::Kind::StoreFailed), 1u);
  EXPECT_TRUE(bench.observer.started.empty()) << "what is not durable is not told";
}

TEST(Calls, RunsInRealTimeUntilStopped) {
  class SystemClock final : public Clock {
    std::int64_t now_us() const override {
      return std::chrono::duration_cast<std::chrono::microseconds>(
                 std::chrono::system_clock::now().time_since_epoch())
          .count();
    }
  } clock;
  Bench bench;
  bench.clock.now = static_cast<const Clock&>(clock).now_us();
  bench.world.add_alert("a", bench.clock.now + 50'000);
  bench.clock.now += kMinuteUs;  // of the pretend API, so that it shows the alert
  RuntimeOptions options;
  options.poll_interval_us = 20'000;
  Runtime runtime(*bench.store, clock, bench.random, bench.world, bench.engine, options);
  ASSERT_TRUE(runtime.deploy("contoso", "isolate"));
  ASSERT_TRUE(runtime.recover());
  std::thread stopper([&runtime] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    runtime.stop();
  });
  EXPECT_TRUE(runtime.run());
  stopper.join();
  EXPECT_EQ(bench.world.count("defender.isolate"), 1u);
  EXPECT_GT(runtime.counters().polls, 3u);
}

TEST(Limiter, IsFirstComeFirstServedAndFairBetweenBuckets) {
  Limiter limiter;
  for (std::uint64_t i = 0; i < 4; ++i) limiter.enqueue({.bucket = "a"}, i);
  for (std::uint64_t i = 10; i < 12; ++i) limiter.enqueue({.bucket = "b"}, i);
  EXPECT_EQ(released(limiter, 0, 5), (std::vector<std::uint64_t>{0, 10, 1, 11, 2}));
  EXPECT_EQ(released(limiter, 0, 5), (std::vector<std::uint64_t>{3}));
  EXPECT_EQ(limiter.next_us(0), kNever);
}

TEST(Limiter, KeepsMinuteAndHourExactly) {
  Limiter limiter;
  const Quota quota{"g", 2, 3};
  for (std::uint64_t i = 0; i < 5; ++i) limiter.enqueue({.bucket = "a", .quota = quota}, i);
  EXPECT_EQ(released(limiter, 0, 9).size(), 2u);
  EXPECT_EQ(limiter.next_us(0), kMinuteUs);
  EXPECT_EQ(released(limiter, kMinuteUs, 9).size(), 1u);
  EXPECT_EQ(limiter.next_us(kMinuteUs), 60 * kMinuteUs);
  EXPECT_EQ(released(limiter, 60 * kMinuteUs, 9).size(), 2u);
}

TEST(Limiter, AClockSetBackClosesNoLineForLong) {
  Limiter limiter;
  const Quota quota{"g", 1, 0};
  limiter.enqueue({.bucket = "a", .quota = quota}, 1);
  EXPECT_EQ(released(limiter, 1000 * kMinuteUs, 9).size(), 1u);
  limiter.enqueue({.bucket = "a", .quota = quota}, 2);
  EXPECT_TRUE(released(limiter, 0, 9).empty());
  EXPECT_EQ(released(limiter, kMinuteUs, 9).size(), 1u);
}

TEST(Limiter, NoMoreThanSoManyOfABucketAreOut) {
  Limiter limiter({}, 2);
  for (std::uint64_t i = 0; i < 4; ++i) limiter.enqueue({.bucket = "a"}, i);
  EXPECT_EQ(released(limiter, 0, 9).size(), 2u);
  EXPECT_EQ(released(limiter, 0, 9).size(), 0u);
  limiter.done("a", 0, Breaker::Sign::Answered, 0);
  EXPECT_EQ(released(limiter, 0, 9).size(), 1u);
}

TEST(Retry, DelaysDoubleWithJitterAndHonourTheServer) {
  FakeRandom random;
  const RetryPolicy policy;
  for (std::uint32_t failures = 1; failures < 40; ++failures) {
    const std::int64_t full =
        std::min<std::int64_t>(kSecondUs << std::min(failures - 1, 30u), 60 * kSecondUs);
    const std::int64_t delay = retry_delay_us(fault_of(FaultKind::Unavailable), failures, policy, random);
    EXPECT_LE(delay, full);
    EXPECT_GE(delay, full / 2);
  }
  EXPECT_EQ(retry_delay_us(fault_of(FaultKind::Throttled, false, 90 * kSecondUs), 1, policy, random),
            90 * kSecondUs);
  EXPECT_EQ(retry_delay_us(fault_of(FaultKind::Throttled), 1, policy, random), 60 * kSecondUs);
  EXPECT_EQ(retry_delay_us(fault_of(FaultKind::Unavailable, false, 999'999 * kSecondUs), 1, policy, random),
            policy.longest_wish_us);
}

}  // namespace
}  // namespace flow::test
