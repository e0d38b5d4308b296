// Seeds, one after the other. A failure prints the seed and the step, with which `simulate` shows it again.
#include "simulation.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

namespace flow::test {
namespace {

#ifdef FLOW_SANITIZED
constexpr std::uint64_t kSeeds = 20;
#else
constexpr std::uint64_t kSeeds = 400;
#endif

TEST(Simulation, WhateverHappensNothingIsLostOrDoneTwice) {
  const char* const wanted = std::getenv("FLOW_SEEDS");
  const std::uint64_t seeds = wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : kSeeds;
  SimulationCounts all;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const SimulationResult result = simulate({.seed = seed});
    all += result.counts;
    for (const std::string& problem : result.problems)
      ADD_FAILURE() << problem << "\nagain: simulate --seed " << seed << " --until " << result.step
                    << " --tell";
    ASSERT_FALSE(HasFailure());
  }
  fmt::print("{}\n", summary(all));
  // A world in which nothing goes wrong shows nothing.
  EXPECT_GT(all.power_losses, seeds);
  EXPECT_GT(all.disk.torn, 0u);
  EXPECT_GT(all.disk.sync_errors, 0u);
  EXPECT_GT(all.tenant.lookups, seeds);
}

TEST(Simulation, TheSameSeedGivesTheSameJournal) {
  const auto journal_of = [](std::uint64_t seed) { return simulate({.seed = seed}).journal; };
  std::set<std::string> journals;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    const std::string journal = journal_of(seed);
    EXPECT_EQ(journal, journal_of(seed)) << "seed " << seed;
    journals.insert(journal);
  }
  EXPECT_EQ(journals.size(), 8u);
}

TEST(Simulation, StopsAtAStep) {
  const SimulationResult result = simulate({.seed = 3, .until = 200});
  EXPECT_EQ(result.step, 200u);
  EXPECT_TRUE(result.problems.empty());
}

}  // namespace
}  // namespace flow::test
