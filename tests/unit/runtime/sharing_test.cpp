// Equal reads are made once, and no run is worse off for it.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "fakes.hpp"
#include "flows.hpp"
#include "live.hpp"
#include "runtime/run.hpp"
#include "runtime/shared_reads.hpp"

namespace flow::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr const char* kGet = "defender.get_machine";

std::uint64_t calls(Bench& bench, const std::string& operation) {
  const auto& counted = bench.runtime->counters().calls;
  const auto found = counted.find(operation);
  return found == counted.end() ? 0 : found->second;
}

// Alerts on one machine, all at once.
void burst(Bench& bench, int count, const std::string& machine = "m") {
  for (int i = 0; i < count; ++i)
    bench.world.add_alert(machine + std::to_string(i), bench.clock.now, "High", machine);
}

// Keeps the answers to reads of machines back until world.release().
void hold_reads(Bench& bench, const Outcome& outcome = Returned{kAnswer}) {
  bench.world.interfere = [&bench, outcome](const std::string& name,
                                            const OperationCall&) -> std::optional<Outcome> {
    bench.world.is_holding = name == kGet;
    return name == kGet ? std::optional(outcome) : std::nullopt;
  };
}

std::uint64_t finished(Bench& bench) {
  return static_cast<std::uint64_t>(std::ranges::count(bench.runs(), RunState::Finished, &RunRow::state));
}

TEST(Sharing, FiftyAlertsOnOneMachineCostOneGet) {
  Bench bench;
  bench.engine.quota = Quota{"defender", 60, 0};
  std::string page;  // all of them on one
  for (int i = 0; i < 50; ++i)
    page += fmt::format(R"({}{{"id":"a{}","alertCreationTime":"{}","severity":"High","machineId":"m"}})",
                        i == 0 ? "" : ",", i, format_time_us(bench.clock.now));
  bench.world.interfere = [&](const std::string& name, const OperationCall& call) -> std::optional<Outcome> {
    if (name != "defender.list_alerts") return std::nullopt;
    return Returned{call.arguments.find(R"("skip":0)") != std::string::npos ? "[" + page + "]" : "[]"};
  };
  bench.boot();
  bench.pass(5 * kMinuteUs);
  EXPECT_EQ(calls(bench, kGet), 1u);
  EXPECT_EQ(bench.runtime->counters().reads_shared, 49u);
  EXPECT_EQ(finished(bench), 50u);
  EXPECT_EQ(bench.world.count("defender.isolate"), 50u) << "acts are never shared";
}

TEST(Sharing, OneThatIsOutServesWhoComesLater) {
  Bench bench;
  hold_reads(bench);
  burst(bench, 1, "m");
  RuntimeOptions options;
  options.reuse_reads_us = 0;
  bench.boot(options);
  bench.idle();
  bench.world.add_alert("late", bench.clock.now, "High", "m");
  bench.world.add_alert("other", bench.clock.now, "High", "another");
  bench.world.is_holding = false;
  bench.pass(35 * kSecondUs);  // the next poll finds them
  EXPECT_EQ(calls(bench, kGet), 2u) << "one for each machine";
  EXPECT_EQ(bench.runtime->calls_in_flight(), 2u);
  bench.world.release();
  bench.world.interfere = nullptr;
  bench.world.is_holding = false;
  bench.idle();
  EXPECT_EQ(finished(bench), 3u);
  EXPECT_EQ(calls(bench, kGet), 2u);
}

TEST(Sharing, EachRunHasItsOwnEntriesAndReplaysByThem) {
  Bench bench;
  burst(bench, 3);
  bench.boot();
  bench.idle();
  std::uint32_t shared = 0;
  for (const RunRow& run : bench.runs()) {
    const RunHistory history = bench.history(run.id);
    ASSERT_EQ(history.steps.size(), 10u);
    EXPECT_EQ(history.steps[1].kind, EntryKind::Intent);
    EXPECT_EQ(history.steps[1].operation, kGet);
    EXPECT_EQ(history.steps[2].kind, EntryKind::Answered);
    EXPECT_EQ(history.steps[2].result, kAnswer);
    shared += history.steps[2].by == AnsweredBy::Shared;
    const auto journal = bench.store->journal(run.id, 0);
    ASSERT_TRUE(journal);
    RunRow unfinished = run;
    unfinished.state = RunState::Running;
    flow::Run again(unfinished, isolate_module(), bench.engine.machine(*isolate_module(), 0));
    const std::vector<JournalRow> all_but_the_end(journal->begin(), journal->end() - 2);
    EXPECT_TRUE(again.replay(all_but_the_end, bench.clock.now));
    EXPECT_THAT(again.under_way(), ElementsAre(2));
  }
  EXPECT_EQ(shared, 2u);
}

TEST(Sharing, AnAnswerServesForAShortTimeOnly) {
  Bench bench;
  RuntimeOptions options;
  options.poll_interval_us = kSecondUs;
  // Nobody acts: the flow ends at once after its read.
  bench.engine.policies.is_dry_run = true;
  for (int i = 0; i < 12; ++i)
    bench.world.add_alert("a" + std::to_string(i), bench.clock.now + i * kSecondUs, "High", "m");
  bench.boot(options);
  bench.pass(20 * kSecondUs);
  EXPECT_EQ(finished(bench), 12u);
  EXPECT_EQ(calls(bench, kGet), 3u) << "at 0, 5 and 10 s";
}

TEST(Sharing, AnActMakesOldWhatWasReadBefore) {
  Bench bench;
  RuntimeOptions options;
  options.poll_interval_us = kSecondUs;
  bench.world.add_alert("first", bench.clock.now, "High", "m");
  bench.boot(options);
  bench.idle();  // reads, then isolates
  ASSERT_EQ(finished(bench), 1u);
  bench.world.add_alert("second", bench.clock.now, "High", "m");
  bench.pass(2 * kSecondUs);
  EXPECT_EQ(finished(bench), 2u);
  EXPECT_EQ(calls(bench, kGet), 2u);
}

TEST(Sharing, WhatIsOutWhenTheTenantActsServesNobodyWhoComesLater) {
  Bench bench;
  RuntimeOptions options;
  options.poll_interval_us = kSecondUs;
  bench.world.add_alert("first", bench.clock.now, "High", "m");
  hold_reads(bench);
  bench.boot(options);
  bench.idle();
  bench.world.interfere = nullptr;
  bench.world.is_holding = false;
  bench.world.add_alert("acting", bench.clock.now, "High", "another");
  bench.pass(2 * kSecondUs);
  ASSERT_EQ(bench.world.count("defender.isolate"), 1u);
  bench.world.add_alert("second", bench.clock.now, "High", "m");
  bench.pass(2 * kSecondUs);
  EXPECT_EQ(finished(bench), 2u) << "the second asked by itself";
  EXPECT_EQ(calls(bench, kGet), 3u);
  bench.world.release();
  bench.idle();
  EXPECT_EQ(finished(bench), 3u);
}

TEST(Sharing, TheFaultThatPassesIsEachOnesOwn) {
  Bench bench;
  int left = 2;
  bench.world.interfere = [&](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    if (name != kGet || left-- <= 0) return std::nullopt;
    return fault_of(FaultKind::Unavailable);
  };
  bench.engine.policies.is_dry_run = true;  // an act would make old what was read
  burst(bench, 10);
  bench.boot();
  bench.pass(2 * kMinuteUs);
  EXPECT_EQ(finished(bench), 10u);
  EXPECT_LE(calls(bench, kGet), 6u) << "who comes back first asks, most of the others share its answer";
  for (const RunRow& run : bench.runs()) {
    const RunHistory history = bench.history(run.id);
    EXPECT_EQ(history.steps[2].kind, EntryKind::Retry) << "each has its own tries";
  }
}

TEST(Sharing, WhoCameLaterIsNotHarmedByAFaultThatPasses) {
  Bench bench;
  RuntimeOptions options;
  options.poll_interval_us = kSecondUs;
  options.retry.tries = 1;
  hold_reads(bench, fault_of(FaultKind::Timeout));
  bench.world.add_alert("first", bench.clock.now, "High", "m");
  bench.boot(options);
  bench.idle();
  bench.world.is_holding = false;
  bench.world.add_alert("late", bench.clock.now, "High", "m");
  bench.pass(2 * kSecondUs);
  ASSERT_EQ(calls(bench, kGet), 1u);
  bench.world.interfere = nullptr;
  bench.world.is_holding = false;
  bench.world.release();
  bench.idle();
  EXPECT_EQ(calls(bench, kGet), 2u);
  EXPECT_EQ(finished(bench), 1u) << "the first fails by its own policy, the later one goes on";
}

TEST(Sharing, AFaultAboutTheQuestionAnswersAll) {
  Bench bench;
  bench.world.interfere = [](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    if (name != kGet) return std::nullopt;
    return fault_of(FaultKind::NotFound);
  };
  burst(bench, 10);
  bench.boot();
  bench.pass(kMinuteUs);
  EXPECT_EQ(calls(bench, kGet), 1u);
  for (const RunRow& run : bench.runs()) EXPECT_EQ(run.fault, "NotFound");
}

// `within` ends the run that made the call; the others, of a flow without it, get the answer.
TEST(Sharing, TheEndOfWhoAskedDoesNotHarmTheOthers) {
  Bench bench;
  hold_reads(bench);
  bench.engine.policies.within_us = 10 * kSecondUs;
  bench.world.add_alert("a", bench.clock.now, "High", "m");
  bench.flows = {"hasty"};
  bench.boot();
  bench.engine.policies.within_us = 0;
  ASSERT_TRUE(bench.runtime->deploy("contoso", "patient"));
  bench.pass(15 * kSecondUs);
  ASSERT_EQ(calls(bench, kGet), 1u);
  bench.world.interfere = nullptr;
  bench.world.is_holding = false;
  bench.world.release();
  bench.idle();
  std::map<std::string, RunState> ends;
  for (const RunRow& run : bench.runs()) ends[run.flow] = run.state;
  EXPECT_EQ(ends["hasty"], RunState::Failed);
  EXPECT_EQ(ends["patient"], RunState::Finished);
  EXPECT_EQ(calls(bench, kGet), 1u);
}

// The same before it went out: whoever is next in line makes the call.
TEST(Sharing, TheNextInLineAsksWhenTheFirstIsEnded) {
  Bench bench;
  bench.engine.quota = Quota{"defender", 1, 0};  // the poll takes it
  bench.engine.policies.within_us = 10 * kSecondUs;
  bench.world.add_alert("a", bench.clock.now, "High", "m");
  bench.flows = {"hasty"};
  RuntimeOptions options;
  options.poll_interval_us = 60 * kMinuteUs;
  bench.boot(options);
  bench.engine.policies.within_us = 0;
  ASSERT_TRUE(bench.runtime->deploy("contoso", "patient"));
  bench.pass(10 * kMinuteUs);
  std::map<std::string, RunState> ends;
  for (const RunRow& run : bench.runs()) ends[run.flow] = run.state;
  EXPECT_EQ(ends["hasty"], RunState::Failed);
  EXPECT_EQ(ends["patient"], RunState::Finished);
  EXPECT_EQ(calls(bench, kGet), 1u);
}

TEST(Sharing, TenantsShareNothing) {
  Bench bench;
  bench.boot();
  ASSERT_TRUE(bench.runtime->deploy("fabrikam", "isolate"));
  bench.world.add_alert("a", bench.clock.now, "High", "m");
  bench.pass(kMinuteUs);
  EXPECT_EQ(finished(bench), 2u);
  EXPECT_EQ(calls(bench, kGet), 2u);
}

TEST(Sharing, HoldsWhateverCommitIsTheLast) {
  for (const bool is_written : {true, false}) {
    std::uint64_t n = 1;
    for (bool has_died = true; has_died; ++n) {
      SCOPED_TRACE(testing::Message() << "death at commit " << n << (is_written ? ", written" : ""));
      Bench bench;
      burst(bench, 5);
      FailingStore store(*bench.store, n, is_written);
      has_died = !bench.boot({}, &store) || !bench.runtime->run_until_idle();
      ASSERT_TRUE(bench.boot());
      bench.pass(kMinuteUs);
      EXPECT_EQ(finished(bench), 5u);
      EXPECT_EQ(bench.world.most_per_key("defender.isolate"), 1u);
      ASSERT_FALSE(testing::Test::HasFailure());
    }
    EXPECT_GT(n, 5u);
  }
}

// The real machine and the real declarations: two flows, compiled each by itself, ask the same.
TEST(Sharing, FlowsShareThatWereCompiledEachByItself) {
  Live live;
  const Module one = compiled(R"(flow one on alert.new when machine.risk == High do log "one")");
  const Module two =
      compiled(R"(flow two on alert.new when machine.name == "x" or machine.risk == Low do log "two")");
  for (int i = 0; i < 25; ++i)
    live.bench.world.add_alert("a" + std::to_string(i), live.bench.clock.now, "High", "m");
  ASSERT_TRUE(live.boot(one));
  ASSERT_TRUE(live.runtime->deploy("contoso", encode(two)));
  ASSERT_TRUE(live.pass(20 * kSecondUs));
  EXPECT_EQ(live.bench.runs().size(), 50u);
  EXPECT_EQ(live.bench.world.count(kGet), 1u);
}

TEST(Sharing, ARunThatAsksTwiceIsAnsweredAnew) {
  Live live;
  const Module module = compiled(R"(
flow asks_twice on alert.new do {
  let a = get_machine(machineId)
  let b = get_machine(machineId)
  log "{a.id} {b.id}"
})");
  live.bench.world.add_alert("a", live.bench.clock.now, "High", "m");
  ASSERT_TRUE(live.boot(module));
  ASSERT_TRUE(live.pass(20 * kSecondUs));
  EXPECT_EQ(live.bench.world.count(kGet), 2u);
}

TEST(SharedReads, KeepNoMoreThanTheirSize) {
  SharedReads reads(5 * kSecondUs);
  const std::string large(SharedReads::kLongestAnswer, 'x');
  const auto key = [](std::uint64_t i) { return SharedReads::Key{"contoso", std::to_string(i)}; };
  for (std::uint64_t i = 0; i < 20; ++i) {
    reads.note_out(key(i), i);
    reads.note_back(key(i), i, &large, {}, 0);
  }
  EXPECT_FALSE(reads.answer(key(0), "run", 1)) << "the oldest went";
  EXPECT_TRUE(reads.answer(key(19), "run", 1));
  const std::string too_large = large + "x";
  reads.note_out(key(20), 20);
  reads.note_back(key(20), 20, &too_large, {}, 0);
  EXPECT_FALSE(reads.answer(key(20), "run", 1));
  reads.forget("fabrikam");
  EXPECT_TRUE(reads.answer(key(18), "run", 1));
  reads.forget("contoso");
  EXPECT_FALSE(reads.answer(key(17), "run", 1));
}

TEST(SharedReads, AClockThatIsSetBackEndsTheReuse) {
  SharedReads reads(5 * kSecondUs);
  const SharedReads::Key key{"contoso", "q"};
  const std::string answer = "1";
  reads.note_out(key, 1);
  reads.note_back(key, 1, &answer, {}, kStartUs);
  EXPECT_FALSE(reads.answer(key, "run", kStartUs - kSecondUs));
  EXPECT_TRUE(reads.answer(key, "run", kStartUs + kSecondUs));
  EXPECT_FALSE(reads.answer(key, "run", kStartUs + 2 * kSecondUs)) << "it had it";
  EXPECT_FALSE(reads.answer(key, "another", kStartUs + 5 * kSecondUs));
}

TEST(SharedReads, ThoseInLineAreTakenAlongInTheirOrder) {
  SharedReads reads(0);
  const SharedReads::Key key{"contoso", "q"};
  for (std::uint64_t ticket = 1; ticket <= 4; ++ticket) reads.note_waiting(key, ticket);
  reads.forget_waiting(key, 2);
  EXPECT_THAT(reads.note_out(key, 3), ElementsAre(1, 4));
  EXPECT_EQ(reads.out(key), 3u);
  EXPECT_THAT(reads.note_out(key, 3), IsEmpty());
}

}  // namespace
}  // namespace flow::test
