// Acts that may still be on their way: the connection is broken, or the process that made them has died, and
// the other side goes on. Whoever asks too soon whether it happened hears no, makes it again, and has done it
// twice.
#include <gtest/gtest.h>

#include "asking_flows.hpp"
#include "fakes.hpp"
#include "live.hpp"

namespace flow::test {
namespace {

constexpr std::int64_t kSettleAfter = 30 * kSecondUs;

// Breaks the connection of the first call of that operation, which is carried out `late_us` later.
struct SlowServer {
  SlowServer(Bench& bench, std::string operation, std::int64_t late_us) : bench_(bench), done_at_us(kNever) {
    bench.settle_after_us = kSettleAfter;
    bench.world.interfere = [this, operation = std::move(operation), late_us](
                                const std::string& name,
                                const OperationCall& call) -> std::optional<Outcome> {
      if (name != operation || calls++ > 0) return std::nullopt;
      done_at_us = bench_.clock.now + late_us;
      key = call.key;
      return fault_of(FaultKind::Unavailable, true);
    };
    bench.world.interfere_settle = [this](const OperationCall& call) -> std::optional<Settlement> {
      if (call.key != key) return std::nullopt;
      if (bench_.clock.now >= done_at_us) return Happened{kAnswer};
      return std::nullopt;
    };
  }

  Bench& bench_;
  std::int64_t done_at_us;
  std::string key;
  int calls = 0;
};

TEST(Doubt, ACallWhoseConnectionBrokeIsAskedAboutWhenItsTimeIsOver) {
  Bench bench;
  SlowServer server(bench, "defender.isolate", 20 * kSecondUs);
  bench.world.add_alert("a1", bench.clock.now);
  ASSERT_TRUE(bench.boot());
  bench.pass(kSettleAfter - kSecondUs);
  EXPECT_EQ(bench.world.settles, 0u);
  bench.pass(kMinuteUs);
  EXPECT_EQ(bench.world.settles, 1u);
  EXPECT_EQ(server.calls, 1) << "it happened late, and was not made again";
  EXPECT_EQ(bench.runs().at(0).state, RunState::Finished);
}

// The time is that of the journal's intent, also for the next process.
TEST(Doubt, ACallOfAProcessThatDiedIsAskedAboutWhenItsTimeIsOver) {
  Bench bench;
  bench.settle_after_us = kSettleAfter;
  bench.world.add_alert("a1", bench.clock.now);
  bench.world.interfere = [&](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    bench.world.is_holding = name == "defender.isolate";
    return std::nullopt;
  };
  ASSERT_TRUE(bench.boot());
  bench.pass(10 * kSecondUs);
  ASSERT_EQ(bench.world.count("defender.isolate"), 1u);
  bench.world.is_holding = false;
  ASSERT_TRUE(bench.boot());
  bench.pass(15 * kSecondUs);
  EXPECT_EQ(bench.world.settles, 0u) << "25 s after it went out";
  bench.pass(10 * kSecondUs);
  EXPECT_EQ(bench.world.settles, 1u);
  EXPECT_EQ(bench.world.count("defender.isolate"), 1u);
  EXPECT_EQ(bench.runs().at(0).state, RunState::Finished);
}

TEST(Doubt, AClockThatWasSetBackMakesItNoLonger) {
  Bench bench;
  bench.settle_after_us = kSettleAfter;
  bench.world.add_alert("a1", bench.clock.now);
  bench.world.interfere = [&](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    bench.world.is_holding = name == "defender.isolate";
    return std::nullopt;
  };
  ASSERT_TRUE(bench.boot());
  bench.pass(kSecondUs);
  bench.world.is_holding = false;
  bench.clock.now -= 60 * kMinuteUs;
  ASSERT_TRUE(bench.boot());
  bench.pass(kSettleAfter + kSecondUs);
  EXPECT_EQ(bench.world.settles, 1u);
  EXPECT_EQ(bench.runs().at(0).state, RunState::Finished);
}

TEST(Doubt, AMailToWhoeverIsAskedIsNotSentTwiceEither) {
  Live live;
  SlowServer server(live.bench, "mail.mail", 20 * kSecondUs);
  live.bench.world.add_alert("da1", live.bench.clock.now);
  ASSERT_TRUE(live.boot(asking_flow(0)));
  ASSERT_TRUE(live.pass(10 * kSecondUs));
  const int mails = server.calls;
  EXPECT_EQ(live.bench.world.settles, 0u);
  ASSERT_TRUE(live.boot(asking_flow(0)));  // the next process keeps to it, too
  ASSERT_TRUE(live.pass(15 * kSecondUs));
  EXPECT_EQ(live.bench.world.settles, 0u);
  ASSERT_TRUE(live.pass(kMinuteUs));
  EXPECT_EQ(live.bench.world.settles, 1u);
  EXPECT_EQ(server.calls, mails) << "it was sent late, and not once more";
}

}  // namespace
}  // namespace flow::test
