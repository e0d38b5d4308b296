// What the end of a run leads to, and runs that other runs call.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "flows.hpp"
#include "live.hpp"
#include "runtime/control.hpp"
#include "runtime/json_text.hpp"

namespace flow::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

std::vector<RunRow> runs_of(Live& live, const std::string& flow) {
  std::vector<RunRow> rows = live.bench.runs();
  std::erase_if(rows, [&](const RunRow& row) { return row.flow != flow; });
  std::ranges::reverse(rows);
  return rows;
}

std::vector<std::string> logs_of(Live& live, const std::string& run) {
  std::vector<std::string> texts;
  for (const RunStep& step : live.bench.history(run).steps)
    if (step.kind == EntryKind::Log) texts.push_back(step.text);
  return texts;
}

bool start(Live& live, const std::string& flow, const std::string& arguments = "{}") {
  live.runtime->start({.tenant = "contoso", .name = flow, .event = arguments, .key = "k"},
                      [](const StartAnswer& answer) { EXPECT_EQ(answer.problem, ""); });
  return live.pass(kMinuteUs);
}

// ---- on run.failed

constexpr const char* kFailing = R"(
  flow breaks on manual () do { fail "no luck" }
  flow works on manual () do { log "well" }
  flow tells on run.failed do { log "{run.flow} {run.trigger} {error.kind} {error.message} {error.line}" }
  flow tells_of_works on run.failed of works do { log "never" }
  flow tells_of_breaks on run.failed of breaks when error.message == "no luck" do { fail "I too" }
)";

TEST(AfterFailure, FlowsThatListenStart) {
  Live live;
  ASSERT_TRUE(live.boot(compiled(kFailing)));
  ASSERT_TRUE(start(live, "works"));
  EXPECT_THAT(live.bench.runs(), SizeIs(1));
  ASSERT_TRUE(start(live, "breaks"));
  ASSERT_THAT(runs_of(live, "tells"), SizeIs(1)) << "not of the failure of tells_of_breaks";
  const RunRow told = runs_of(live, "tells")[0];
  EXPECT_EQ(told.trigger, "run.failed");
  EXPECT_EQ(told.key, runs_of(live, "breaks")[0].id);
  EXPECT_THAT(logs_of(live, told.id), ElementsAre("breaks manual Failed no luck 2"));
  EXPECT_TRUE(runs_of(live, "tells_of_works").empty());
  ASSERT_THAT(runs_of(live, "tells_of_breaks"), SizeIs(1));
  EXPECT_EQ(runs_of(live, "tells_of_breaks")[0].state, RunState::Failed);
}

TEST(AfterFailure, ItIsOfTheSameCommit) {
  const Module module = compiled(kFailing);
  for (const bool is_written : {true, false}) {
    std::uint64_t n = 1;
    for (bool has_died = true; has_died; ++n) {
      SCOPED_TRACE(testing::Message() << "death at commit " << n << (is_written ? ", written" : ""));
      Live live;
      FailingStore store(*live.bench.store, n, is_written);
      has_died = !live.boot(module, &store) || !start(live, "breaks");
      for (const RunRow& row : runs_of(live, "breaks"))
        EXPECT_EQ(row.state == RunState::Failed, runs_of(live, "tells").size() == 1);
      ASSERT_TRUE(live.boot(module));
      ASSERT_TRUE(start(live, "breaks"));
      EXPECT_THAT(runs_of(live, "breaks"), SizeIs(1));
      ASSERT_THAT(runs_of(live, "tells"), SizeIs(1));
      EXPECT_EQ(runs_of(live, "tells")[0].state, RunState::Finished);
      ASSERT_FALSE(testing::Test::HasFailure());
    }
    EXPECT_GE(n, 4u);
  }
}

// ---- Flows that flows call

// The operations as the runtime answers them, under names that are no words of the language.
constexpr const char* kCalls = R"(
  connector pretend {
    read callFlow(flow: String, arguments: Json) -> Json? { RUNTIME }
    read startFlow(flow: String, arguments: Json) -> String { RUNTIME }
  })";

Module calling(const std::string& source) {
  Module module = compiled(source, kCalls);
  for (Operation& operation : module.operations)
    if (operation.connector == "pretend") {
      operation.connector = "flow";
      operation.name = operation.name == "callFlow" ? "call" : "start";
    }
  return module;
}

constexpr const char* kFlows = R"(
  flow begins on manual (name: String, n: Int) do { let got = pretend.callFlow(name, { n: n }) log "got {got}" }
  flow starts on manual (name: String, n: Int) do { let id = pretend.startFlow(name, { n: n }) log "{id}" }
  flow waits on call (n: Int) -> Int do { wait 10s return n + 1 }
  flow adds on call (n: Int) -> Int do { return n + 1 }
  flow breaks on call (n: Int) do { log "{1 / n}" }
  flow declines on call (n: Int) when n > 100 do { log "x" }
  flow stops on call (n: Int) do { stop "enough {n}" }
  flow again on call (n: Int) do { let got = pretend.callFlow("again", { n: n + 1 }) log "got {got}" }
)";

std::string asking(const std::string& name, int n) {
  return fmt::format(R"({{"name":"{}","n":{}}})", name, n);
}

// What the run of `begins` came to, when it called this flow.
std::string came_of(const std::string& name, int n = 1) {
  Live live;
  EXPECT_TRUE(live.boot(calling(kFlows)));
  EXPECT_TRUE(start(live, "begins", asking(name, n)));
  const RunRow run = runs_of(live, "begins").at(0);
  if (run.state == RunState::Failed) return run.fault + ": " + run.reason;
  EXPECT_EQ(run.state, RunState::Finished) << run.reason;
  return logs_of(live, run.id).at(0);
}

TEST(CalledFlows, GiveWhatTheFlowGives) {
  EXPECT_EQ(came_of("adds", 41), "got 42");
  EXPECT_EQ(came_of("waits", 41), "got 42");
}

TEST(CalledFlows, AFlowWithoutAResultGivesNone) {
  EXPECT_EQ(came_of("declines"), came_of("stops"));
}

TEST(CalledFlows, AFailureIsRaisedInTheCaller) {
  EXPECT_THAT(came_of("breaks", 0), HasSubstr("DivisionByZero: flow `breaks` failed: "));
  EXPECT_EQ(came_of("nobody"), "NotFound: no flow on call is named `nobody`");
  EXPECT_EQ(came_of("begins"), "NotFound: no flow on call is named `begins`");
}

TEST(CalledFlows, ArgumentsAreChecked) {
  Live live;
  ASSERT_TRUE(live.boot(calling(R"(
    flow begins on manual () do { let got = pretend.callFlow("adds", { n: "one" }) log "{got}" }
    flow adds on call (n: Int) -> Int do { return n + 1 })")));
  ASSERT_TRUE(start(live, "begins"));
  EXPECT_THAT(live.only_run().reason,
              HasSubstr("flow `adds` cannot be called: the argument `n`: expected Int, found text"));
}

TEST(CalledFlows, EndSomewhere) {
  EXPECT_THAT(came_of("again"), HasSubstr("LimitReached: "));
}

TEST(CalledFlows, AStartedFlowIsNotWaitedFor) {
  Live live;
  ASSERT_TRUE(live.boot(calling(kFlows)));
  live.runtime->start({.tenant = "contoso", .name = "starts", .event = asking("waits", 1)},
                      [](const auto&) {});
  ASSERT_TRUE(live.runtime->run_until_idle());
  const RunRow started = runs_of(live, "waits").at(0);
  EXPECT_EQ(runs_of(live, "starts").at(0).state, RunState::Finished);
  EXPECT_THAT(logs_of(live, runs_of(live, "starts")[0].id), ElementsAre(started.id));
  EXPECT_EQ(started.state, RunState::Running);
  EXPECT_EQ(started.key, runs_of(live, "starts")[0].id + "/0") << "its caller";
  ASSERT_TRUE(live.pass(kMinuteUs));
  EXPECT_EQ(runs_of(live, "waits").at(0).state, RunState::Finished);
}

TEST(CalledFlows, EachStartsOneRunWhateverCommitIsTheLast) {
  const Module module = calling(kFlows);
  for (const char* name : {"adds", "waits"})
    for (const bool is_written : {true, false}) {
      std::uint64_t n = 1;
      for (bool has_died = true; has_died; ++n) {
        SCOPED_TRACE(testing::Message()
                     << name << ": death at commit " << n << (is_written ? ", written" : ""));
        Live live;
        FailingStore store(*live.bench.store, n, is_written);
        has_died = !live.boot(module, &store) || !start(live, "begins", asking(name, 41));
        for (const RunRow& parent : runs_of(live, "begins")) {
          const auto children = runs_of(live, name);
          const std::vector<RunStep> steps = live.bench.history(parent.id).steps;
          const auto has = [&](EntryKind kind) {
            return std::ranges::count(steps, kind, &RunStep::kind) > 0;
          };
          EXPECT_EQ(has(EntryKind::Intent), !children.empty()) << "of one commit";
          // Of one commit, unless the caller was asleep: then it is marked to be woken, and finds the answer.
          const bool is_over = !children.empty() && children[0].state == RunState::Finished;
          const bool was_asleep = live.bench.store->frozen(parent.id)->has_value();
          EXPECT_TRUE(has(EntryKind::Answered) == is_over || (is_over && was_asleep));
        }
        ASSERT_TRUE(live.boot(module));
        ASSERT_TRUE(start(live, "begins", asking(name, 41)));
        ASSERT_THAT(runs_of(live, "begins"), SizeIs(1));
        EXPECT_EQ(runs_of(live, "begins")[0].state, RunState::Finished);
        EXPECT_THAT(logs_of(live, runs_of(live, "begins")[0].id), ElementsAre("got 42"));
        EXPECT_THAT(runs_of(live, name), SizeIs(1));
        ASSERT_FALSE(testing::Test::HasFailure());
      }
      EXPECT_GE(n, 4u);
    }
}

TEST(CalledFlows, ACallerThatFillsMemoryDoesNotKeepItsFlowOut) {
  Live live;
  const Module module = calling(kFlows);
  RuntimeOptions options;
  options.runs_in_memory = 1;
  ASSERT_TRUE(live.boot(module, nullptr, options));
  live.runtime->start({.tenant = "contoso", .name = "begins", .event = asking("waits", 41)},
                      [](const auto&) {});
  ASSERT_TRUE(live.runtime->run_until_idle());
  ASSERT_TRUE(live.boot(module, nullptr, options));
  ASSERT_TRUE(live.pass(kMinuteUs));
  EXPECT_EQ(runs_of(live, "begins").at(0).state, RunState::Finished);
}

// The caller may be taken up when the run that it called is over.
TEST(CalledFlows, AnAnswerThatWasLostIsReadFromTheRunThatGaveIt) {
  Live live;
  const Module module = calling(kFlows);
  ASSERT_TRUE(live.boot(module));
  live.runtime->start({.tenant = "contoso", .name = "begins", .event = asking("waits", 41)},
                      [](const auto&) {});
  ASSERT_TRUE(live.runtime->run_until_idle());
  const RunRow child = runs_of(live, "waits").at(0);
  live.runtime.reset();
  Batch batch;  // as if another process had ended it
  RunRow over = child;
  over.state = RunState::Finished;
  over.ended_us = live.bench.clock.now;
  batch.changed_runs.push_back(over);
  const auto journal = live.bench.store->journal(child.id, 0);
  Ended ended;
  ended.result = "99";
  batch.journal.push_back({child.id, static_cast<std::uint32_t>(journal->size()),
                           static_cast<int>(EntryKind::Ended), live.bench.clock.now,
                           encode_entry(EndedEntry{ended})});
  ASSERT_TRUE(live.bench.store->commit(batch));
  ASSERT_TRUE(live.boot(module));
  ASSERT_TRUE(live.pass(kMinuteUs));
  EXPECT_THAT(logs_of(live, runs_of(live, "begins").at(0).id), ElementsAre("got 99"));
}

// A person ended the run that it called, while no service ran.
TEST(CalledFlows, ACancelledOneIsAFaultToItsCaller) {
  Live live;
  const Module module = calling(kFlows);
  ASSERT_TRUE(live.boot(module));
  live.runtime->start({.tenant = "contoso", .name = "begins", .event = asking("waits", 41)},
                      [](const auto&) {});
  ASSERT_TRUE(live.runtime->run_until_idle());
  const std::string child = runs_of(live, "waits").at(0).id;
  live.runtime.reset();
  const auto batch =
      plan_cancel(live.bench.history(child), {}, "ana@contoso.com", "a mistake", live.bench.clock.now);
  ASSERT_TRUE(batch && live.bench.store->commit(*batch));
  ASSERT_TRUE(live.boot(module));
  ASSERT_TRUE(live.pass(kMinuteUs));
  const RunRow caller = runs_of(live, "begins").at(0);
  EXPECT_NE(caller.state, RunState::Parked) << caller.reason;
  EXPECT_EQ(caller.fault, "Cancelled");
}

TEST(CalledFlows, GoToTheFlowsTheCallerCameWith) {
  Live live;
  const auto version = [](const char* result) {
    return calling(fmt::format(R"(
      flow begins on manual () do {{ wait 1m let got = pretend.callFlow("gives", {{ n: 1 }}) log "got {{got}}" }}
      flow gives on call (n: Int) -> Int do {{ return n + {} }})",
                               result));
  };
  ASSERT_TRUE(live.boot(version("1")));
  ASSERT_TRUE(start(live, "begins"));
  ASSERT_TRUE(live.boot(version("100")));
  ASSERT_TRUE(live.pass(kMinuteUs));
  EXPECT_THAT(logs_of(live, runs_of(live, "begins").at(0).id), ElementsAre("got 2"));
}

TEST(CalledFlows, FlowsOfAnotherFileAreCalledAsDeployed) {
  Live live;
  ASSERT_TRUE(live.boot(calling(
      R"(flow begins on manual () do { let got = pretend.callFlow("gives", { n: 1 }) log "got {got}" })")));
  ASSERT_TRUE(live.runtime->deploy(
      "contoso", encode(compiled("flow gives on call (n: Int) -> Int do { return n + 7 }"))));
  ASSERT_TRUE(start(live, "begins"));
  EXPECT_THAT(logs_of(live, runs_of(live, "begins").at(0).id), ElementsAre("got 8"));
}

// A flow that tells of failures calls one that fails: without the rule this would go on for ever.
TEST(AfterFailure, WhatRunsOfItCallStartsNothingEither) {
  Live live;
  ASSERT_TRUE(live.boot(calling(R"(
    flow breaks on manual () do { fail "no luck" }
    flow tells on run.failed do { let got = pretend.callFlow("mails", { n: 1 }) log "{got}" }
    flow mails on call (n: Int) do { wait 1s fail "no mail {n}" })")));
  ASSERT_TRUE(start(live, "breaks"));
  ASSERT_TRUE(live.pass(10 * kMinuteUs));
  EXPECT_THAT(runs_of(live, "tells"), SizeIs(1));
  EXPECT_THAT(runs_of(live, "mails"), SizeIs(1));
  EXPECT_EQ(runs_of(live, "tells")[0].state, RunState::Failed);
}

}  // namespace
}  // namespace flow::test
