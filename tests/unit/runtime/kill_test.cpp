// Real death: a child process is killed by SIGKILL right before and right after each commit of the first
// example, on the real machine and a real file. What it did to the world is in a second file, as the world
// would know it.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "fakes.hpp"
#include "isolate_module.hpp"
#include "parallel_module.hpp"
#include "vm/bytecode/encode.hpp"

namespace flow::test {
namespace {

std::vector<std::string> lines_of(const std::string& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

// One process: works off the alerts that are there. False when the store failed.
bool live(const Module& module, const std::string& store_path, const std::string& deeds_path,
          std::uint64_t crash_at) {
  FakeClock clock;
  FakeRandom random(static_cast<std::uint64_t>(getpid()));
  FakeWorld world(clock);
  for (int i = 0; i < 3; ++i) world.add_alert("da" + std::to_string(i), clock.now + kSecondUs);
  world.interfere = [&deeds_path](const std::string& name,
                                  const OperationCall& call) -> std::optional<Outcome> {
    if (name == "defender.isolate")
      std::ofstream(deeds_path, std::ios::app) << call.key << " " << call.arguments << "\n";
    return std::nullopt;
  };
  world.interfere_settle = [&deeds_path](const OperationCall& call) -> std::optional<Settlement> {
    for (const std::string& line : lines_of(deeds_path))
      if (line == call.key + " " + call.arguments) return Happened{kAnswer};
    return DidNotHappen{};
  };
  auto store = SqliteStore::open(store_path);
  if (!store) return false;
  const auto engine = vm_engine();
  RuntimeOptions options;
  options.crash_at_append = crash_at;
  options.settle_after_us = 0;  // what was done is in the file at once
  Runtime runtime(**store, clock, random, world, *engine, options);
  if (!runtime.deploy("contoso", encode(module)) || !runtime.recover() || !runtime.run_until_idle())
    return false;
  clock.now += kMinuteUs;
  return runtime.run_until_idle().has_value();
}

// Whether the child came to its end by itself.
bool child_survives(const Module& module, const std::string& store_path, const std::string& deeds_path,
                    std::uint64_t crash_at) {
  const pid_t child = fork();
  if (child == 0) _exit(live(module, store_path, deeds_path, crash_at) ? 0 : 1);
  int status = 0;
  waitpid(child, &status, 0);
  const bool is_killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  EXPECT_TRUE(is_killed || (WIFEXITED(status) && WEXITSTATUS(status) == 0)) << "status " << status;
  return !is_killed;
}

void expect_each_done_once(const std::string& store_path, const std::string& deeds_path,
                           std::size_t deeds_of_run) {
  auto store = SqliteStore::open(store_path);
  ASSERT_TRUE(store) << store.error().message;
  const auto runs = (*store)->list_runs({});
  ASSERT_TRUE(runs);
  EXPECT_EQ(runs->size(), 3u);
  for (const RunRow& run : *runs) EXPECT_EQ(run.state, RunState::Finished) << run.reason;
  const auto deeds = lines_of(deeds_path);
  EXPECT_EQ(deeds.size(), 3 * deeds_of_run);
  EXPECT_EQ(std::set<std::string>(deeds.begin(), deeds.end()).size(), 3 * deeds_of_run);
}

void expect_nothing_lost_or_repeated(const Module& module, std::size_t deeds_of_run) {
  std::uint64_t point = 1;
  for (bool has_survived = false; !has_survived; ++point) {
    ASSERT_LT(point, 100u);
    SCOPED_TRACE(testing::Message() << "killed at point " << point);
    const TemporaryFolder folder;
    has_survived = child_survives(module, folder.file("s.db"), folder.file("deeds"), point);
    // The next process is killed too, at the same point of its own life, and the one after that goes on.
    child_survives(module, folder.file("s.db"), folder.file("deeds"), point);
    ASSERT_TRUE(live(module, folder.file("s.db"), folder.file("deeds"), 0));
    expect_each_done_once(folder.file("s.db"), folder.file("deeds"), deeds_of_run);
    ASSERT_FALSE(testing::Test::HasFailure());
  }
  EXPECT_GE(point, 12u);
}

TEST(Kill, AtEveryAppendNothingIsLostOrRepeated) {
  expect_nothing_lost_or_repeated(isolate_by_hand(), 1);
}

// Several calls of each run are in doubt.
TEST(Kill, NorWithSeveralCallsAtOnce) {
  expect_nothing_lost_or_repeated(parallel_flow(), 4);
}

}  // namespace
}  // namespace flow::test
