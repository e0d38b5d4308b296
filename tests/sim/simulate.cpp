// simulate: worlds from seeds, one after the other, until one is not as it must be.
//
//   simulate [--from SEED] [--seeds N] [--for SECONDS]   so many, or as many as fit
//   simulate --seed SEED [--until STEP] [--tell]          one again; with what happens
//
// Prints what was covered; ends with 1, and the seed, at the first world in which something does not hold.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string>

#include "simulation.hpp"

namespace {

using namespace flow::test;

bool holds(const SimulationOptions& options, const SimulationResult& result) {
  if (result.problems.empty()) return true;
  fmt::print("seed {}, step {}:\n", options.seed, result.step);
  for (std::size_t i = 0; i < result.problems.size() && i < 20; ++i) fmt::print("  {}\n", result.problems[i]);
  fmt::print("again: simulate --seed {} --until {} --tell\n", options.seed, result.step);
  return false;
}

}  // namespace

int main(int count, char** words) {
  std::uint64_t from = 1, seeds = 0, seconds = 0;
  SimulationOptions one;
  bool is_one = false;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    if (word == "--tell") {
      one.is_told = true;
      continue;
    }
    if (i + 1 == count) return fmt::print("{} takes a number\n", word), 2;
    const std::uint64_t number = std::strtoull(words[++i], nullptr, 10);
    if (word == "--from")
      from = number;
    else if (word == "--seeds")
      seeds = number;
    else if (word == "--for")
      seconds = number;
    else if (word == "--until")
      one.until = number;
    else if (word == "--seed")
      one.seed = number, is_one = true;
    else
      return fmt::print("simulate does not know {}\n", word), 2;
  }
  if (is_one) {
    const SimulationResult result = simulate(one);
    fmt::print("{}\njournal {}\n", summary(result.counts), result.journal);
    return holds(one, result) ? 0 : 1;
  }
  if (seeds == 0 && seconds == 0) seeds = 20;
  SimulationCounts all;
  const auto begin = std::chrono::steady_clock::now();
  const auto is_time_over = [&] {
    return seconds > 0 && std::chrono::steady_clock::now() - begin > std::chrono::seconds(seconds);
  };
  for (std::uint64_t i = 0; (seeds == 0 || i < seeds) && !is_time_over(); ++i) {
    const SimulationOptions options{.seed = from + i};
    const SimulationResult result = simulate(options);
    all += result.counts;
    if (!holds(options, result)) return fmt::print("{}\n", summary(all)), 1;
  }
  fmt::print("{}\n", summary(all));
  return 0;
}
