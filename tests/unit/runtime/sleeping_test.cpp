// Runs that leave memory while they wait, with the real machine.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes.hpp"
#include "live.hpp"
#include "parallel_module.hpp"
#include "runtime/frozen.hpp"

namespace flow::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::int64_t kHourUs = 60 * kMinuteUs;

// Isolates, waits an hour, says so, waits another, isolates again.
Module twice_waiting() {
  Assembler a;
  const auto wait = add_system(a, "wait", {{.name = "duration", .type = kDurationType}}, kNothingType);
  a.emit(Op::EnterBody).emit(Op::Unwrap, 4, kMachineId).load_text(5, "first").call(6, kIsolate, 4);
  a.load_int(7, kHourUs, kDurationType).call(8, wait, 7).load_text(9, "an hour").emit(Op::Log, 9);
  a.load_int(7, kHourUs, kDurationType).call(8, wait, 7);
  a.emit(Op::Unwrap, 4, kMachineId).load_text(5, "second").call(6, kIsolate, 4).emit(Op::Finish);
  without_quotas(a);
  return std::move(a.module);
}

std::vector<std::string> payloads(Live& live) {
  std::vector<std::string> all;
  const auto rows = live.bench.store->journal(live.only_run().id, 0);
  for (const JournalRow& row : *rows) all.push_back(row.payload);
  return all;
}

TEST(Sleeping, ARunThatWaitsLeavesMemoryAndComesBack) {
  Live live;
  live.bench.world.add_alert("da1", live.bench.clock.now + kSecondUs);
  ASSERT_TRUE(live.boot(twice_waiting()));
  ASSERT_TRUE(live.pass(kMinuteUs));
  EXPECT_EQ(live.runtime->runs_in_memory(), 0u);
  const RunRow asleep = live.only_run();
  EXPECT_EQ(asleep.state, RunState::Running);
  EXPECT_EQ(asleep.wake_us, asleep.created_us + kHourUs);
  EXPECT_LT((*live.bench.store->frozen(asleep.id))->frozen.size(), 1024u);
  ASSERT_TRUE(live.pass(kHourUs));
  EXPECT_THAT(live.logs(), ElementsAre("an hour"));
  EXPECT_EQ(live.runtime->runs_in_memory(), 0u);
  ASSERT_TRUE(live.pass(kHourUs));
  EXPECT_EQ(live.only_run().state, RunState::Finished) << live.only_run().reason;
  EXPECT_EQ(live.only_run().ended_us, asleep.created_us + 2 * kHourUs);
  EXPECT_EQ(live.bench.world.count("defender.isolate"), 2u);
  EXPECT_EQ(*live.bench.store->frozen(asleep.id), std::nullopt) << "what is over keeps nothing frozen";
}

TEST(Sleeping, ChangesNothingInTheJournal) {
  std::vector<std::vector<std::string>> journals;
  for (const std::int64_t sleep_from_us : {std::int64_t{0}, kNever}) {
    Live live;
    live.bench.world.add_alert("da1", live.bench.clock.now + kSecondUs);
    RuntimeOptions options;
    options.sleep_from_us = sleep_from_us;
    ASSERT_TRUE(live.boot(twice_waiting(), nullptr, options));
    ASSERT_TRUE(live.pass(3 * kHourUs));
    journals.push_back(payloads(live));
  }
  EXPECT_EQ(journals[0], journals[1]);
  EXPECT_THAT(journals[0].back(), HasSubstr("finished"));
}

TEST(Sleeping, NothingIsLostOrRepeatedWhateverCommitIsTheLast) {
  const Module module = twice_waiting();
  RuntimeOptions options;
  options.poll_interval_us = 20 * kMinuteUs;
  for (const bool is_written : {true, false}) {
    std::uint64_t n = 1;
    for (bool has_died = true; has_died; ++n) {
      SCOPED_TRACE(testing::Message() << "death at commit " << n << (is_written ? ", written" : ""));
      Live live;
      live.bench.world.add_alert("da1", live.bench.clock.now);
      FailingStore store(*live.bench.store, n, is_written);
      has_died = !live.boot(module, &store, options) || !live.pass(3 * kHourUs);
      ASSERT_TRUE(live.boot(module, nullptr, options));
      ASSERT_TRUE(live.pass(3 * kHourUs));
      EXPECT_EQ(live.only_run().state, RunState::Finished) << live.only_run().reason;
      EXPECT_EQ(live.bench.world.count("defender.isolate"), 2u);
      EXPECT_EQ(live.bench.world.most_per_key("defender.isolate"), 1u);
      EXPECT_EQ(live.bench.observer.count(HealthEvent::Kind::FrozenUnusable), 0u);
      ASSERT_FALSE(testing::Test::HasFailure());
    }
    EXPECT_GT(n, 10u);
  }
}

TEST(Sleeping, WhatIsFrozenAndCannotBeReadIsMadeUpForByTheJournal) {
  for (const char* damage : {"", "no JSON\n", "{\"version\":9}\n", "{\"version\":1,\"calls\":2}\n",
                             "{\"version\":1,\"calls\":2,\"entered\":true,\"waiting\":[7]}\n",
                             "{\"version\":1,\"calls\":2,\"entered\":true,\"waiting\":[]}\nFLOWS"}) {
    SCOPED_TRACE(damage);
    Live live;
    live.bench.world.add_alert("da1", live.bench.clock.now + kSecondUs);
    ASSERT_TRUE(live.boot(twice_waiting()));
    ASSERT_TRUE(live.pass(kMinuteUs));
    SleepRow row = **live.bench.store->frozen(live.only_run().id);
    row.frozen = damage;
    Batch batch;
    batch.asleep.push_back(row);
    ASSERT_TRUE(live.bench.store->commit(batch));
    ASSERT_TRUE(live.pass(3 * kHourUs));
    EXPECT_EQ(live.only_run().state, RunState::Finished) << live.only_run().reason;
    EXPECT_EQ(live.bench.world.count("defender.isolate"), 2u);
    EXPECT_EQ(live.bench.observer.count(HealthEvent::Kind::FrozenUnusable), 1u);
  }
}

TEST(Sleeping, ARunWithABranchAtWorkStaysAwake) {
  Assembler a;
  const auto wait = add_system(a, "wait", {{.name = "duration", .type = kDurationType}}, kNothingType);
  const auto waiting = a.begin_function("waiting", {kMachineIdType}, kNullType);
  a.load_int(1, kHourUs, kDurationType);
  a.module.functions.back().call_sites = {{.operation = wait, .first_argument = 1}};
  a.emit(Op::Call, 2).emit(Op::LoadNull, 0).emit(Op::Return, 0);
  a.end_function();
  isolating_branch(a, "isolated");
  a.emit(Op::EnterBody).emit(Op::Unwrap, 4, kMachineId).emit(Op::Unwrap, 5, kMachineId);
  a.emit(Op::Parallel, 10, 4, 2, waiting).emit(Op::Finish);
  without_quotas(a);
  Live live;
  live.bench.world.add_alert("da1", live.bench.clock.now + kSecondUs);
  std::uint32_t asked = 0;
  live.bench.world.interfere = [&](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    if (name != "defender.isolate" || ++asked > 3) return std::nullopt;
    return Outcome(fault_of(FaultKind::Unavailable, false, 20 * kMinuteUs));
  };
  ASSERT_TRUE(live.boot(a.module));
  ASSERT_TRUE(live.pass(10 * kMinuteUs));
  EXPECT_EQ(live.runtime->runs_in_memory(), 1u);
  ASSERT_TRUE(live.pass(50 * kMinuteUs));
  EXPECT_EQ(live.only_run().state, RunState::Running);
  EXPECT_EQ(live.runtime->runs_in_memory(), 1u) << "it tries again";
  ASSERT_TRUE(live.pass(kHourUs));
  EXPECT_EQ(live.only_run().state, RunState::Finished) << live.only_run().reason;
}

TEST(Sleeping, MoreThanMemoryHoldsAreWokenInTurn) {
  Live live;
  constexpr int kRuns = 150;
  for (int i = 0; i < kRuns; ++i)
    live.bench.world.add_alert(fmt::format("da{}", i), live.bench.clock.now + kSecondUs);
  RuntimeOptions options;
  options.runs_in_memory = 10;
  ASSERT_TRUE(live.boot(twice_waiting(), nullptr, options));
  ASSERT_TRUE(live.pass(kMinuteUs));
  EXPECT_EQ(live.runtime->runs_in_memory(), 0u);
  EXPECT_EQ(live.bench.world.count("defender.isolate"), std::uint64_t{kRuns});
  ASSERT_TRUE(live.pass(3 * kHourUs));
  EXPECT_EQ(live.bench.world.count("defender.isolate"), std::uint64_t{2 * kRuns});
  for (const RunRow& run : live.bench.runs()) EXPECT_EQ(run.state, RunState::Finished) << run.reason;
}

TEST(Sleeping, TheFrozenFormIsReadBack) {
  const FrozenRun run{.calls = 7,
                      .has_entered = true,
                      .waiting = {{.number = 3, .attempts = 1, .failures = 2, .due_us = 5},
                                  {.number = 6, .attempts = 1, .failures = 0, .due_us = kNever}},
                      .machine = std::string("FLOWS\n\0x", 8)};
  const auto read = decode_frozen(encode_frozen(run));
  ASSERT_TRUE(read);
  EXPECT_EQ(encode_frozen(*read), encode_frozen(run));
  EXPECT_EQ(read->machine, run.machine);
  EXPECT_EQ(read->waiting[1].due_us, kNever);
}

}  // namespace
}  // namespace flow::test
