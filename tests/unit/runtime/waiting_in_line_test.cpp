// Runs that wait for their turn sleep: they are in the store, not in memory, and a start does not take them
// up.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "fakes.hpp"
#include "runtime/places.hpp"

namespace flow::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::int64_t kHourUs = 60 * kMinuteUs;
constexpr std::size_t kResident = 66;  // those that stay, the one that has its turn, and one that begins

// One run at a time; those that may isolate note their keys, while nobody holds them up.
struct Line {
  Bench bench;
  bool is_stopped = true;
  std::vector<std::string> keys;

  explicit Line(int runs) {
    bench.engine.policies.at_most = 1;
    for (int i = 0; i < runs; ++i)
      bench.world.add_alert(fmt::format("a{}", i), bench.clock.now - (runs - i) * (kHourUs / runs));
    bench.world.interfere = [this](const std::string& name,
                                   const OperationCall& call) -> std::optional<Outcome> {
      if (name != "defender.isolate") return std::nullopt;
      if (is_stopped) return fault_of(FaultKind::Throttled, false, kHourUs);
      keys.push_back(call.key);
      return std::nullopt;
    };
  }
  bool boot(Store* store = nullptr) {
    RuntimeOptions options;
    options.look_back_us = 2 * kHourUs;
    return bench.boot(options, store);
  }
  std::size_t asleep() { return bench.store->runs_in_line("", 1'000'000)->size(); }
  std::uint64_t finished() {
    RunFilter filter;
    filter.state = RunState::Finished;
    filter.limit = kMaxListedRuns;
    return bench.store->list_runs(filter)->size();
  }
};

TEST(WaitingInLine, ManyAreNotInMemoryAndAStartTakesUpNone) {
  constexpr int kRuns = 2'000;
  Line line(kRuns);
  ASSERT_TRUE(line.boot());
  for (int i = 0; i < 1'000 && line.bench.runtime->counters().runs_started < kRuns; ++i) {
    line.bench.pass(kMinuteUs);
    ASSERT_LE(line.bench.runtime->runs_in_memory(), kResident);
  }
  EXPECT_EQ(line.bench.runtime->counters().runs_started, static_cast<std::uint64_t>(kRuns));
  EXPECT_GE(line.asleep(), static_cast<std::size_t>(kRuns) - kResident);
  ASSERT_TRUE(line.boot());
  line.bench.idle();
  EXPECT_LE(line.bench.runtime->runs_in_memory(), kResident);
  EXPECT_LE(line.bench.runtime->counters().runs_recovered, kResident);
  line.is_stopped = false;
  line.bench.pass(2 * kHourUs);
  EXPECT_GT(line.keys.size(), 100u);
  EXPECT_TRUE(std::ranges::is_sorted(line.keys)) << "first come, first served";
}

TEST(WaitingInLine, ManyDeathsChangeNeitherOrderNorNumber) {
  for (std::uint64_t fail_at = 2; fail_at < 40; fail_at += 3) {
    for (const bool is_written : {false, true}) {
      SCOPED_TRACE(testing::Message() << "every " << fail_at << (is_written ? ", written" : ""));
      constexpr int kRuns = 150;
      Line line(kRuns);
      line.is_stopped = false;
      for (int i = 0; i < 20; ++i) {
        FailingStore failing(*line.bench.store, fail_at + 2 * static_cast<std::uint64_t>(i), is_written);
        line.bench.clock.now += kSecondUs;  // IDs of one instant are in no order
        if (line.boot(&failing)) static_cast<void>(line.bench.runtime->run_until_idle());
      }
      ASSERT_TRUE(line.boot());
      line.bench.pass(2 * kHourUs);
      EXPECT_EQ(line.finished(), static_cast<std::uint64_t>(kRuns));
      EXPECT_EQ(line.bench.world.most_per_key("defender.isolate"), 1u);
      EXPECT_TRUE(std::ranges::is_sorted(line.keys));
      EXPECT_EQ(line.asleep(), 0u);
      ASSERT_FALSE(testing::Test::HasFailure());
    }
  }
}

TEST(WaitingInLine, TheDeadlineWakesThoseThatSleep) {
  Line line(200);
  line.bench.engine.policies.within_us = 30 * kMinuteUs;
  ASSERT_TRUE(line.boot());
  line.bench.pass(kMinuteUs);
  EXPECT_GE(line.asleep(), 130u);
  ASSERT_TRUE(line.boot());  // of the deadlines, too, only the store knows
  line.bench.pass(20 * kMinuteUs);
  EXPECT_EQ(line.finished(), 0u);
  line.bench.pass(15 * kMinuteUs);
  EXPECT_EQ(line.asleep(), 0u);
  for (const RunRow& run : line.bench.runs()) EXPECT_EQ(run.fault, "Timeout");
}

TEST(WaitingInLine, OneThatIsCancelledIsPassedOver) {
  Line line(100);
  ASSERT_TRUE(line.boot());
  line.bench.pass(kMinuteUs);
  const auto asleep = line.bench.store->runs_in_line("", 10);
  ASSERT_THAT(*asleep, SizeIs(10));
  line.bench.runtime->control({.what = ControlRequest::What::Cancel, .run = asleep->front().id},
                              [](const ControlReply&) {});
  line.bench.idle();
  line.is_stopped = false;
  line.bench.pass(2 * kHourUs);
  EXPECT_EQ(line.finished(), 99u);
  EXPECT_EQ(line.asleep(), 0u);
}

TEST(WaitingInLine, TheReasonSaysHowManyGoOn) {
  EXPECT_EQ(at_most_in(turn_reason(17)), 17u);
  for (const char* other : {"", "waits for its turn: ", "waits for its turn: at most 0 at once",
                            "waits for its turn: at most x at once", "at most 3 at once"})
    EXPECT_FALSE(at_most_in(other)) << other;
}

}  // namespace
}  // namespace flow::test
