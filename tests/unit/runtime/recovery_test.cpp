// Death at every commit: whatever the moment, a new process finishes the work, and no act is done twice.
#include <gtest/gtest.h>

#include "fakes.hpp"

namespace flow::test {
namespace {

// A process on a store that fails: whether it came to that within a minute.
bool dies(Bench& bench, Store& store) {
  if (!bench.boot({}, &store) || !bench.runtime->run_until_idle()) return true;
  bench.clock.now += kMinuteUs;
  return !bench.runtime->run_until_idle();
}

// Runs two alerts until the store fails at commit `n`, then goes on with a new process. False when commit n
// was never reached: the whole story fits in fewer.
bool die_and_go_on(std::uint64_t n, bool is_written, std::uint64_t again) {
  SCOPED_TRACE(testing::Message() << "death " << (is_written ? "after" : "before") << " commit " << n
                                  << ", again at " << again);
  Bench bench;
  bench.world.add_alert("a1", bench.clock.now + kSecondUs);
  bench.world.add_alert("a2", bench.clock.now + kSecondUs);
  FailingStore first(*bench.store, n, is_written);
  const bool has_died = dies(bench, first);
  if (again != 0) {  // and once more while it recovers
    FailingStore second(*bench.store, again, is_written);
    dies(bench, second);
  }
  bench.boot();
  bench.pass(10 * kMinuteUs);
  const auto runs = bench.runs();
  EXPECT_EQ(runs.size(), 2u) << "none lost, none twice";
  for (const RunRow& run : runs) EXPECT_EQ(run.state, RunState::Finished) << run.reason;
  EXPECT_EQ(bench.world.count("defender.isolate"), 2u);
  EXPECT_EQ(bench.world.most_per_key("defender.isolate"), 1u);
  EXPECT_EQ(bench.world.count("mail.send"), 2u);
  return has_died;
}

TEST(Recovery, DeathBeforeOrAfterAnyCommitLosesAndDoublesNothing) {
  for (const bool is_written : {false, true}) {
    std::uint64_t n = 1;
    while (die_and_go_on(n, is_written, 0)) {
      ASSERT_FALSE(testing::Test::HasFailure());
      ++n;
    }
    EXPECT_GE(n, 7u) << "the story has module, cursor, opening, start, three answers and an end";
  }
}

TEST(Recovery, DeathDuringRecoveryTooLosesNothing) {
  for (const bool is_written : {false, true})
    for (std::uint64_t n = 4; n < 8; ++n)
      for (std::uint64_t again = 1; again < 8; ++again) {
        die_and_go_on(n, is_written, again);
        ASSERT_FALSE(testing::Test::HasFailure());
      }
}

// Brings the run to the point where the isolation is out, then lets the process die.
void die_during_isolation(Bench& bench, bool is_carried_out) {
  bench.world.add_alert("a1", bench.clock.now);
  bench.boot();
  bench.world.interfere = [&bench, is_carried_out](const std::string& name, const OperationCall& call) {
    if (name == "defender.isolate") {
      if (is_carried_out) ++bench.world.carried_out[name][call.key];
      bench.world.is_holding = true;
      return std::optional<Outcome>(Returned{"{}"});
    }
    return std::optional<Outcome>();
  };
  bench.idle();
  ASSERT_EQ(bench.runtime->calls_in_flight(), 1u);
  bench.world.interfere = nullptr;
  bench.world.is_holding = false;
}

TEST(Recovery, AnActInDoubtThatHappenedIsNotRepeated) {
  Bench bench;
  die_during_isolation(bench, true);
  bench.boot();
  bench.idle();
  EXPECT_EQ(bench.world.settles, 1u);
  EXPECT_EQ(bench.world.count("defender.isolate"), 1u);
  EXPECT_EQ(bench.runs().at(0).state, RunState::Finished);
}

TEST(Recovery, AnActInDoubtThatDidNotHappenIsMadeWithTheSameKey) {
  Bench bench;
  die_during_isolation(bench, false);
  bench.boot();
  bench.idle();
  EXPECT_EQ(bench.world.settles, 1u);
  EXPECT_EQ(bench.world.count("defender.isolate"), 1u);
  EXPECT_EQ(bench.world.carried_out["defender.isolate"].begin()->first, bench.runs().at(0).id + "/1");
  EXPECT_EQ(bench.runs().at(0).state, RunState::Finished);
}

TEST(Recovery, AnActOfWhichNobodyKnowsParksTheRun) {
  Bench bench;
  die_during_isolation(bench, true);
  bench.world.interfere_settle = [](const OperationCall&) {
    return std::optional<Settlement>(NobodyKnows{fault_of(FaultKind::InDoubt)});
  };
  bench.boot();
  bench.idle();
  const RunRow run = bench.runs().at(0);
  EXPECT_EQ(run.state, RunState::Parked);
  EXPECT_NE(run.reason.find("defender.isolate may or may not have happened"), std::string::npos)
      << run.reason;
  EXPECT_EQ(bench.world.count("defender.isolate"), 1u);
  bench.boot();
  bench.idle();
  EXPECT_EQ(bench.world.settles, 1u) << "a parked run is left alone";
}

TEST(Recovery, AskingAboutAnActIsRepeatedWhenTheAskingFails) {
  Bench bench;
  die_during_isolation(bench, true);
  int failures = 2;
  bench.world.interfere_settle = [&failures](const OperationCall&) -> std::optional<Settlement> {
    if (failures-- > 0) return NobodyKnows{fault_of(FaultKind::Unavailable)};
    return std::nullopt;
  };
  bench.boot();
  bench.pass(kMinuteUs);
  EXPECT_EQ(bench.world.settles, 3u);
  EXPECT_EQ(bench.runs().at(0).state, RunState::Finished);
}

TEST(Recovery, ARunThatEndsWhileOthersAreTakenUpIsNotTakenUpItself) {
  Bench bench;
  RuntimeOptions options;
  options.poll.pages_per_poll = 100;
  bench.world.add_alert("new", bench.clock.now + 10 * kMinuteUs);  // first on its page when its time has come
  for (int i = 0; i < 138; ++i) bench.world.add_alert("old" + std::to_string(i), bench.clock.now);
  bench.boot(options);
  bench.world.interfere = [&bench](const std::string& name, const OperationCall&) {
    bench.world.is_holding = name == "defender.isolate";
    return std::optional<Outcome>();
  };
  bench.idle();  // all old ones wait for their isolation, and the process dies
  ASSERT_EQ(bench.runs().size(), 138u);
  bench.world.interfere = [&bench](const std::string& name, const OperationCall&) {
    bench.world.is_holding = false;
    return name == "defender.get_machine" ? std::optional<Outcome>(fault_of(FaultKind::NotFound))
                                          : std::nullopt;
  };
  bench.clock.now += 10 * kMinuteUs;
  bench.boot(options);
  bench.pass(kMinuteUs);  // the new run fails at once, in the turn in which the last old ones are taken up
  ASSERT_EQ(bench.runs().size(), 139u);
  EXPECT_EQ(bench.runs().at(0).state, RunState::Failed);
  EXPECT_EQ(bench.world.count("defender.isolate"), 138u);
  EXPECT_EQ(bench.world.most_per_key("defender.isolate"), 1u);
}

TEST(Recovery, OtherArgumentsThanRecordedParkTheRun) {
  Bench bench;
  die_during_isolation(bench, true);
  bench.engine.argument_suffix = "-changed";
  bench.boot();
  bench.idle();
  const RunRow run = bench.runs().at(0);
  EXPECT_EQ(run.state, RunState::Parked);
  EXPECT_NE(run.reason.find("other arguments than the journal"), std::string::npos) << run.reason;
}

TEST(Recovery, DamagedOrIncompleteJournalsParkTheRunAndNothingElse) {
  const JournalRow started{"R", 0, static_cast<int>(EntryKind::Started), 0,
                           R"({"event":{"severity":"High"}})"};
  JournalRow gap = started, broken = started, unknown = started;
  gap.sequence = 1;
  broken.payload = R"({"event":{"sever)";
  unknown.kind = 99;
  for (const auto& journal :
       std::vector<std::vector<JournalRow>>{{}, {gap}, {broken}, {unknown}, {started, started}}) {
    Bench bench;
    bench.flows = {};
    Batch batch;
    batch.modules.push_back({"hash", "isolate"});
    RunRow row;
    row.id = "R";
    row.flow = "isolate";
    row.module = "hash";
    batch.runs.push_back(row);
    std::uint32_t sequence = journal.size() > 1 ? 0 : ~0u;
    for (JournalRow entry : journal) {
      if (sequence != ~0u) entry.sequence = sequence++;
      batch.journal.push_back(entry);
    }
    ASSERT_TRUE(bench.store->commit(batch));
    bench.boot();
    bench.idle();
    const RunRow run = bench.runs().at(0);
    EXPECT_EQ(run.state, RunState::Parked);
    EXPECT_NE(run.reason.find("journal"), std::string::npos) << run.reason;
    EXPECT_FALSE(bench.history("R").steps.empty());
  }
}

TEST(Recovery, AModuleThatDoesNotLoadParksTheRun) {
  Bench bench;
  bench.flows = {};
  Batch batch;
  batch.modules.push_back({"hash", "!isolate"});
  for (const char* module : {"hash", "missing"}) {
    RunRow row;
    row.id = row.key = module;
    row.flow = "isolate";
    row.module = module;
    batch.runs.push_back(row);
  }
  ASSERT_TRUE(bench.store->commit(batch));
  bench.boot();
  bench.idle();
  for (const RunRow& run : bench.runs()) EXPECT_EQ(run.state, RunState::Parked);
  EXPECT_EQ(bench.observer.count(HealthEvent::Kind::RunParked), 2u);
}

TEST(Recovery, ARunThatKeepsEndingTheProcessIsParked) {
  Bench bench;
  die_during_isolation(bench, true);
  bench.world.is_holding = true;
  // The question is never answered, so nobody makes progress, and no process closes in good order.
  bench.world.interfere_settle = [](const OperationCall&) {
    return std::optional<Settlement>(NobodyKnows{fault_of(FaultKind::Unavailable)});
  };
  for (int i = 0; i < 3; ++i) {
    bench.boot();
    bench.idle();
    EXPECT_EQ(bench.runs().at(0).state, RunState::Running) << i;
  }
  bench.boot();
  bench.idle();
  EXPECT_EQ(bench.runs().at(0).state, RunState::Parked);
  EXPECT_NE(bench.runs().at(0).reason.find("ended 3 times"), std::string::npos) << bench.runs().at(0).reason;
}

TEST(Recovery, ARestartInGoodOrderIsNoRecovery) {
  Bench bench;
  die_during_isolation(bench, true);
  bench.world.interfere_settle = [](const OperationCall&) {
    return std::optional<Settlement>(NobodyKnows{fault_of(FaultKind::Unavailable)});
  };
  for (int i = 0; i < 6; ++i) {
    bench.boot();
    bench.idle();
    ASSERT_TRUE(bench.runtime->drain(bench.clock.now));
  }
  EXPECT_EQ(bench.runs().at(0).state, RunState::Running);
}

TEST(Recovery, RunsOfReplacedFlowsGoOnWithTheirOwnModule) {
  Bench bench;
  die_during_isolation(bench, false);
  bench.flows = {"another"};
  bench.boot();
  bench.idle();
  bool has_found = false;
  for (const RunRow& run : bench.runs())
    has_found |= run.flow == "isolate" && run.state == RunState::Finished;
  EXPECT_TRUE(has_found);
}

TEST(Recovery, MoreUnfinishedRunsThanMemoryHoldsAreTakenUpInTurn) {
  Bench bench;
  bench.flows = {};
  Batch batch;
  batch.modules.push_back({"hash", "isolate"});
  for (int i = 0; i < 300; ++i) {
    RunRow row;
    row.id = row.key = "R" + std::to_string(1000 + i);
    row.flow = "isolate";
    row.module = "hash";
    batch.runs.push_back(row);
    batch.journal.push_back({row.id, 0, static_cast<int>(EntryKind::Started), 0,
                             R"({"event":{"severity":"High","machineId":"m"}})"});
  }
  ASSERT_TRUE(bench.store->commit(batch));
  RuntimeOptions options;
  options.runs_in_memory = 70;
  bench.boot(options);
  bench.idle();
  EXPECT_EQ(bench.world.count("defender.isolate"), 300u);
  EXPECT_EQ(bench.runtime->runs_in_memory(), 0u);
}

}  // namespace
}  // namespace flow::test
