// A day of alerts in a moment, from a seed: faults, lost answers, restarts and late alerts at random, and at
// the end every High alert has exactly one run and exactly one isolation. A failure prints its seed.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "fakes.hpp"

namespace flow::test {
namespace {

std::optional<Outcome> misbehave(Bench& bench, const std::string& name, const OperationCall& call) {
  switch (bench.random.next() % 40) {
    case 0: return fault_of(FaultKind::Unavailable);
    case 1: return fault_of(FaultKind::Throttled, false, 5 * kSecondUs);
    case 2: return fault_of(FaultKind::Timeout, true);  // the request was lost
    case 3:                                             // the answer was lost
      if (name != "defender.list_alerts") ++bench.world.carried_out[name][call.key];
      return fault_of(FaultKind::Timeout, true);
    default: return std::nullopt;
  }
}

std::uint64_t simulate_day(std::uint64_t seed, int alerts) {
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  Bench bench(seed);
  bench.engine.quota = Quota{"defender", 100, 1500};
  std::uint64_t high = 0;
  const std::int64_t day_us = 24 * 60 * kMinuteUs;
  const std::int64_t begin_us = bench.clock.now;
  bench.world.interfere = [&bench](const std::string& name, const OperationCall& call) {
    return misbehave(bench, name, call);
  };
  bench.boot();
  bench.idle();
  for (int i = 0; i < alerts; ++i) {
    const bool is_high = bench.random.next() % 3 == 0;
    high += is_high;
    const std::int64_t at_us = begin_us + day_us / alerts * i;
    if (at_us > bench.clock.now) bench.pass(at_us - bench.clock.now);
    const auto late_us = static_cast<std::int64_t>(bench.random.next() % (2 * kMinuteUs));
    bench.world.add_alert("a" + std::to_string(i), std::max(begin_us, at_us - late_us),
                          is_high ? "High" : "Low");
    if (bench.random.next() % 50 == 0) bench.boot();  // killed and started again
    if (testing::Test::HasFatalFailure()) return 0;
  }
  bench.pass(60 * kMinuteUs);
  const auto runs = bench.runs();
  EXPECT_EQ(runs.size(), high);
  for (const RunRow& run : runs) EXPECT_EQ(run.state, RunState::Finished) << run.id << " " << run.reason;
  EXPECT_EQ(bench.world.count("defender.isolate"), high);
  EXPECT_EQ(bench.world.most_per_key("defender.isolate"), 1u);
  EXPECT_EQ(bench.world.most_per_key("mail.send"), 1u);
  return runs.size();
}

TEST(Simulation, ADayOfAlertsWithFaultsAndRestartsEndsExactlyRight) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    simulate_day(seed, 300);
    ASSERT_FALSE(testing::Test::HasFailure());
  }
}

TEST(Simulation, TheSameSeedGivesTheSameJournal) {
  const auto journal_of = [](std::uint64_t seed) {
    Bench bench(seed);
    for (int i = 0; i < 20; ++i)
      bench.world.add_alert("a" + std::to_string(i), bench.clock.now + i * kSecondUs);
    bench.world.interfere = [&bench](const std::string& name, const OperationCall& call) {
      return misbehave(bench, name, call);
    };
    bench.boot();
    bench.pass(30 * kMinuteUs);
    std::string text;
    for (const JournalRow& row : bench.observer.steps)
      text += fmt::format("{} {} {}\n", row.run, row.time_us, row.payload);
    return text;
  };
  EXPECT_FALSE(journal_of(7).empty());
  EXPECT_EQ(journal_of(7), journal_of(7));
  EXPECT_NE(journal_of(7), journal_of(8));
}

}  // namespace
}  // namespace flow::test
