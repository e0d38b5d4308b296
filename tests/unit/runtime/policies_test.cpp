// What a flow asks of the runtime: tenants, dry run, limits, a deadline, runs at once, priority. Nothing that
// happens to the process may get a call past them.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "fakes.hpp"
#include "parallel_module.hpp"
#include "runtime/call_counts.hpp"
#include "runtime/limiter.hpp"
#include "runtime/places.hpp"
#include "vm/bytecode/encode.hpp"

namespace flow::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::uint32_t kIsolateOperation = 2, kMailOperation = 3;
constexpr std::int64_t kHourUs = 60 * kMinuteUs;

Policies::Limit limit_of(std::uint32_t operation, std::uint32_t count, std::int64_t window_us,
                         Policies::Limit::Otherwise otherwise = Policies::Limit::Otherwise::Fail) {
  return {.operation = operation,
          .count = count,
          .window_us = window_us,
          .otherwise = otherwise,
          .ask_to = "lead@contoso.example"};
}

void add_alerts(Bench& bench, int count, const std::string& prefix = "a") {
  for (int i = 0; i < count; ++i) bench.world.add_alert(fmt::format("{}{}", prefix, i), bench.clock.now);
}

std::map<std::string, int> states(Bench& bench) {
  std::map<std::string, int> count;
  for (const RunRow& run : bench.runs())
    ++count[run.state == RunState::Failed ? run.fault : std::string(run_state_name(run.state))];
  return count;
}

// The most calls of it that any span of the window holds.
std::size_t most_within(std::vector<std::int64_t> times, std::int64_t window_us) {
  std::ranges::sort(times);
  std::size_t most = 0, first = 0;
  for (std::size_t last = 0; last < times.size(); ++last) {
    while (times[first] <= times[last] - window_us) ++first;
    most = std::max(most, last - first + 1);
  }
  return most;
}

// ---- in tenants

TEST(Tenants, AFlowForOthersIsNotDeployedAndSaysSo) {
  Bench bench;
  bench.engine.policies.tenants = {"fabrikam", "tailspin"};
  add_alerts(bench, 1);
  ASSERT_TRUE(bench.boot());
  bench.pass(10 * kMinuteUs);
  EXPECT_TRUE(bench.runs().empty());
  EXPECT_TRUE(bench.world.pages_asked.empty());
  ASSERT_EQ(bench.observer.count(HealthEvent::Kind::NotForTenant), 1u);
  EXPECT_EQ(bench.observer.events[0].message,
            "the flow is for fabrikam, tailspin only, and is not deployed here");
  EXPECT_EQ(bench.observer.events[0].subject, "isolate");
}

TEST(Tenants, AFlowForThisOneRuns) {
  Bench bench;
  bench.engine.policies.tenants = {"fabrikam", "contoso"};
  add_alerts(bench, 1);
  ASSERT_TRUE(bench.boot());
  bench.idle();
  EXPECT_EQ(bench.world.count("defender.isolate"), 1u);
}

TEST(Tenants, ANewVersionThatIsForOthersTakesTheOldOneAway) {
  Bench bench;
  ASSERT_TRUE(bench.boot());
  bench.idle();
  bench.engine.policies.tenants = {"fabrikam"};
  ASSERT_TRUE(bench.runtime->deploy("contoso", "isolate"));
  add_alerts(bench, 1);
  bench.pass(10 * kMinuteUs);
  EXPECT_TRUE(bench.runs().empty());
}

// ---- dry run

TEST(DryRun, ActsAndMailsAreRecordedAndReadsAreMade) {
  Bench bench;
  bench.engine.policies.is_dry_run = true;
  add_alerts(bench, 1);
  ASSERT_TRUE(bench.boot());
  bench.idle();
  EXPECT_EQ(bench.world.count("defender.get_machine"), 1u);
  EXPECT_EQ(bench.world.count("defender.isolate"), 0u);
  EXPECT_EQ(bench.world.count("mail.send"), 0u);
  ASSERT_EQ(bench.runs().size(), 1u);
  EXPECT_EQ(bench.runs()[0].state, RunState::Finished);
  std::string story;
  for (const RunStep& step : bench.history(bench.runs()[0].id).steps)
    if (step.kind == EntryKind::Intent || step.kind == EntryKind::Answered)
      story += fmt::format("{} {} {}\n", entry_name(step.kind), step.operation, answered_by_name(step.by));
  EXPECT_EQ(story,
            "Intent defender.get_machine \nAnswered defender.get_machine \n"
            "Intent defender.isolate \nAnswered defender.isolate dry run\n"
            "Intent mail.send \nAnswered mail.send dry run\n");
}

TEST(DryRun, NothingIsPerformedWhateverCommitFails) {
  for (std::uint64_t fail_at = 1; fail_at < 14; ++fail_at) {
    for (const bool is_written : {false, true}) {
      SCOPED_TRACE(testing::Message() << "commit " << fail_at << (is_written ? " written" : ""));
      Bench bench;
      bench.engine.policies.is_dry_run = true;
      add_alerts(bench, 3);
      FailingStore failing(*bench.store, fail_at, is_written);
      if (bench.boot({}, &failing)) static_cast<void>(bench.runtime->run_until_idle());
      ASSERT_TRUE(bench.boot());
      bench.pass(kMinuteUs);
      EXPECT_EQ(states(bench), (std::map<std::string, int>{{"finished", 3}}));
      EXPECT_EQ(bench.world.count("defender.isolate") + bench.world.count("mail.send"), 0u);
      EXPECT_EQ(bench.world.settles, 0u) << "what was recorded is not in doubt";
    }
  }
}

// ---- limit

TEST(Limits, BeyondTheLimitACallFails) {
  Bench bench;
  bench.engine.policies.limits = {limit_of(kIsolateOperation, 2, kHourUs)};
  add_alerts(bench, 5);
  ASSERT_TRUE(bench.boot());
  bench.idle();
  EXPECT_EQ(bench.world.count("defender.isolate"), 2u);
  EXPECT_EQ(states(bench), (std::map<std::string, int>{{"finished", 2}, {"LimitReached", 3}}));
  EXPECT_EQ(bench.runs()[0].reason, "defender.isolate is limited to 2 per 1h, and that many calls were made");
  bench.pass(kHourUs + kMinuteUs);
  add_alerts(bench, 5, "b");
  bench.pass(kMinuteUs);
  EXPECT_EQ(bench.world.count("defender.isolate"), 4u) << "the window has moved on";
}

TEST(Limits, SkippedCallsAreAnsweredAndMarked) {
  Bench bench;
  bench.engine.policies.limits = {limit_of(kMailOperation, 1, kHourUs, Policies::Limit::Otherwise::Skip)};
  add_alerts(bench, 3);
  ASSERT_TRUE(bench.boot());
  bench.idle();
  EXPECT_EQ(bench.world.count("mail.send"), 1u);
  EXPECT_EQ(bench.world.count("defender.isolate"), 3u) << "what is not limited is made";
  EXPECT_EQ(states(bench), (std::map<std::string, int>{{"finished", 3}}));
  int skipped = 0;
  for (const RunRow& run : bench.runs())
    for (const RunStep& step : bench.history(run.id).steps) skipped += step.by == AnsweredBy::Skip;
  EXPECT_EQ(skipped, 2);
}

// The second of two runs waits for the lead, who answers.
void ask_at_limit(Bench& bench, const std::string& answer, bool restarts) {
  bench.engine.policies.limits = {limit_of(kIsolateOperation, 1, kHourUs, Policies::Limit::Otherwise::Ask)};
  add_alerts(bench, 2);
  ASSERT_TRUE(bench.boot());
  bench.idle();
  EXPECT_EQ(bench.world.count("defender.isolate"), 1u);
  if (restarts) {
    ASSERT_TRUE(bench.boot());
  }
  bench.pass(3 * kHourUs);
  const auto asked = bench.store->list_questions({});
  ASSERT_EQ(asked->size(), 1u) << "once";
  EXPECT_EQ(asked->front().kind, QuestionRow::Kind::Admit);
  EXPECT_THAT(asked->front().people, ElementsAre("lead@contoso.example"));
  EXPECT_EQ(asked->front().subject, "One more defender.isolate by flow isolate?");
  EXPECT_EQ(bench.world.count("defender.isolate"), 1u) << "nobody has agreed";
  AnswerReply reply;
  bench.runtime->answer({asked->front().id, answer, "lead@contoso.example", "test"},
                        [&](const AnswerReply& told) { reply = told; });
  bench.idle();
  EXPECT_EQ(reply.how, AnswerReply::How::Recorded);
}

TEST(Limits, WhoAgreesLetsOneCallPass) {
  for (const bool restarts : {false, true}) {
    Bench bench;
    ask_at_limit(bench, "approve", restarts);
    EXPECT_EQ(bench.world.count("defender.isolate"), 2u);
    EXPECT_EQ(states(bench), (std::map<std::string, int>{{"finished", 2}}));
  }
}

TEST(Limits, WhoRefusesMakesItTheLimitsFault) {
  for (const bool restarts : {false, true}) {
    Bench bench;
    ask_at_limit(bench, "refuse", restarts);
    EXPECT_EQ(bench.world.count("defender.isolate"), 1u);
    EXPECT_EQ(states(bench), (std::map<std::string, int>{{"LimitReached", 1}, {"finished", 1}}));
  }
}

TEST(Limits, ACallThatCertainlyDidNotHappenIsGivenBack) {
  Bench bench;
  bench.engine.policies.limits = {limit_of(kIsolateOperation, 1, kHourUs)};
  int calls = 0;
  bench.world.interfere = [&](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    if (name != "defender.isolate" || ++calls > 2) return std::nullopt;
    return fault_of(calls == 1 ? FaultKind::Forbidden : FaultKind::BadRequest);
  };
  ASSERT_TRUE(bench.boot());
  for (int i = 0; i < 4; ++i) {
    add_alerts(bench, 1, fmt::format("a{}", i));
    bench.pass(kMinuteUs);
  }
  EXPECT_EQ(bench.world.count("defender.isolate"), 1u);
  EXPECT_EQ(states(bench), (std::map<std::string, int>{
                               {"Forbidden", 1}, {"BadRequest", 1}, {"finished", 1}, {"LimitReached", 1}}));
}

TEST(Limits, ARetriedCallCountsOnce) {
  Bench bench;
  bench.engine.policies.limits = {limit_of(kIsolateOperation, 2, kHourUs)};
  int failures = 3;
  bench.world.interfere = [&](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    if (name != "defender.isolate" || failures-- <= 0) return std::nullopt;
    return fault_of(FaultKind::Unavailable);
  };
  ASSERT_TRUE(bench.boot());
  add_alerts(bench, 2);
  bench.pass(10 * kMinuteUs);
  EXPECT_EQ(bench.world.count("defender.isolate"), 2u);
  EXPECT_EQ(states(bench), (std::map<std::string, int>{{"finished", 2}}));
}

// A call that waits for its quota has its place already, and counts by the time at which it goes out.
TEST(Limits, AreExactThoughCallsWaitForTheirQuota) {
  Bench bench;
  bench.engine.quota = Quota{"defender", 4, 0};
  bench.engine.policies.limits = {limit_of(kIsolateOperation, 3, 5 * kMinuteUs)};
  std::vector<std::int64_t> times;
  bench.world.interfere = [&](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    if (name == "defender.isolate") times.push_back(bench.clock.now);
    return std::nullopt;
  };
  ASSERT_TRUE(bench.boot());
  for (int i = 0; i < 30; ++i) {
    add_alerts(bench, 1, fmt::format("a{}", i));
    bench.pass(kMinuteUs);
  }
  bench.pass(kHourUs);
  EXPECT_LE(most_within(times, 5 * kMinuteUs), 3u);
  EXPECT_GE(times.size(), 12u);
}

// A process that dies at any commit neither forgets a call nor counts one twice.
TEST(Limits, HoldWhateverCommitFails) {
  for (std::uint64_t fail_at = 1; fail_at < 16; ++fail_at) {
    for (const bool is_written : {false, true}) {
      SCOPED_TRACE(testing::Message() << "commit " << fail_at << (is_written ? " written" : ""));
      Bench bench;
      bench.engine.policies.limits = {limit_of(kIsolateOperation, 2, kHourUs)};
      add_alerts(bench, 5);
      FailingStore failing(*bench.store, fail_at, is_written);
      if (bench.boot({}, &failing)) static_cast<void>(bench.runtime->run_until_idle());
      ASSERT_TRUE(bench.boot());
      bench.pass(kMinuteUs);
      EXPECT_EQ(bench.world.count("defender.isolate"), 2u);
      EXPECT_EQ(bench.world.most_per_key("defender.isolate"), 1u);
      EXPECT_EQ(states(bench), (std::map<std::string, int>{{"finished", 2}, {"LimitReached", 3}}));
      EXPECT_EQ(bench.store->counted_calls("contoso", "isolate", "defender.isolate", 0)->size(), 2u);
    }
  }
}

TEST(Limits, AStoreThatCannotBeReadLetsNothingPass) {
  Bench bench;
  class Unreadable final : public FailingStore {
   public:
    using FailingStore::FailingStore;
    Result<std::vector<CountedCallRow>> counted_calls(std::string_view, std::string_view, std::string_view,
                                                      std::int64_t) override {
      return error("the disk is gone");
    }
  };
  Unreadable store(*bench.store, 1'000'000, true);
  bench.engine.policies.limits = {limit_of(kIsolateOperation, 2, kHourUs)};
  add_alerts(bench, 1);
  ASSERT_TRUE(bench.boot({}, &store));
  bench.idle();
  EXPECT_EQ(bench.world.count("defender.isolate"), 0u);
  EXPECT_EQ(bench.runs().at(0).reason, "the disk is gone");
}

TEST(CallCounts, ALongerWindowReadsWhatCameBefore) {
  Bench bench;
  const CallCounts::Subject subject{"contoso", "isolate", "defender.isolate"};
  const auto nobody = [](const CallCounts::CallId&) { return false; };
  const auto short_limit = limit_of(0, 1, kMinuteUs), long_limit = limit_of(0, 1, kHourUs);
  CallCounts counts;
  ASSERT_TRUE(*counts.hold(*bench.store, subject, {"A", 0}, short_limit, kStartUs, nobody));
  Batch batch;
  batch.counted.push_back(counts.note_sent(subject, {"A", 0}, short_limit, kStartUs));
  ASSERT_TRUE(bench.store->commit(batch));
  const std::int64_t later_us = kStartUs + 2 * kMinuteUs;
  EXPECT_TRUE(*counts.hold(*bench.store, subject, {"B", 0}, short_limit, later_us, nobody));
  EXPECT_FALSE(*counts.hold(*bench.store, subject, {"C", 0}, long_limit, later_us, nobody));
}

// ---- within

TEST(Deadline, CallsUnderWayEndWithTimeout) {
  Bench bench;
  bench.engine.policies.within_us = 10 * kSecondUs;
  bench.world.interfere = [&](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    if (name == "defender.isolate") bench.world.is_holding = true;
    return std::nullopt;
  };
  add_alerts(bench, 1);
  ASSERT_TRUE(bench.boot());
  bench.idle();
  bench.pass(9 * kSecondUs);
  EXPECT_EQ(states(bench), (std::map<std::string, int>{{"running", 1}}));
  bench.pass(kSecondUs);
  EXPECT_EQ(states(bench), (std::map<std::string, int>{{"Timeout", 1}}));
  const RunRow run = bench.runs().at(0);
  EXPECT_EQ(run.reason, "the run is over its deadline, `within 10s`");
  EXPECT_EQ(run.ended_us, run.created_us + 10 * kSecondUs);
  bench.world.release();
  bench.idle();
  const RunHistory history = bench.history(run.id);
  const RunStep& answer = history.steps[history.steps.size() - 2];
  EXPECT_EQ(answer.by, AnsweredBy::Deadline);
  EXPECT_TRUE(answer.fault->maybe_executed) << "it went out";
  EXPECT_EQ(bench.world.count("mail.send"), 0u);
}

TEST(Deadline, WhatCleansUpIsStillMadeForAWhile) {
  Bench bench;
  bench.engine.policies.within_us = 10 * kSecondUs;
  bench.engine.cleans_up = true;
  bench.world.interfere = [&](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    bench.world.is_holding = name == "defender.isolate";
    return std::nullopt;
  };
  add_alerts(bench, 1);
  ASSERT_TRUE(bench.boot());
  bench.pass(10 * kSecondUs);
  EXPECT_EQ(bench.world.count("mail.send"), 1u);
  EXPECT_EQ(states(bench), (std::map<std::string, int>{{"Timeout", 1}}));
}

TEST(Deadline, CleaningUpDoesNotGoOnForEver) {
  Bench bench;
  bench.engine.policies.within_us = 10 * kSecondUs;
  bench.engine.cleans_up = true;
  bench.world.interfere = [&](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    bench.world.is_holding = name == "defender.isolate";
    if (name == "mail.send") return fault_of(FaultKind::Unavailable);
    return std::nullopt;
  };
  RuntimeOptions options;
  options.retry.tries = 1'000'000;
  add_alerts(bench, 1);
  ASSERT_TRUE(bench.boot(options));
  bench.pass(options.cleanup_us + 9 * kSecondUs);
  EXPECT_EQ(states(bench), (std::map<std::string, int>{{"running", 1}}));
  bench.pass(kSecondUs);
  EXPECT_EQ(states(bench), (std::map<std::string, int>{{"Timeout", 1}}));
}

TEST(Deadline, IsTheSameMomentAfterARestart) {
  Bench bench;
  bench.engine.policies.within_us = 10 * kMinuteUs;
  bench.world.interfere = [&](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    if (name == "defender.isolate") return fault_of(FaultKind::Throttled, false, kHourUs);
    return std::nullopt;
  };
  add_alerts(bench, 1);
  ASSERT_TRUE(bench.boot());
  bench.pass(4 * kMinuteUs);
  ASSERT_TRUE(bench.boot());
  bench.pass(5 * kMinuteUs);
  EXPECT_EQ(states(bench), (std::map<std::string, int>{{"running", 1}}));
  bench.pass(kMinuteUs);
  EXPECT_EQ(states(bench), (std::map<std::string, int>{{"Timeout", 1}}));
  EXPECT_EQ(bench.runs()[0].ended_us, bench.runs()[0].created_us + 10 * kMinuteUs);
}

TEST(Deadline, ThatPassedWhileNobodyRanIsTold) {
  Bench bench;
  bench.engine.policies.within_us = kMinuteUs;
  bench.engine.cleans_up = true;
  bench.world.interfere = [&](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    bench.world.is_holding = name == "defender.isolate";
    return std::nullopt;
  };
  add_alerts(bench, 1);
  ASSERT_TRUE(bench.boot());
  bench.idle();
  bench.clock.now += kHourUs;
  bench.world.is_holding = false;
  ASSERT_TRUE(bench.boot());
  bench.pass(kSecondUs);
  EXPECT_EQ(states(bench), (std::map<std::string, int>{{"Timeout", 1}}));
  EXPECT_EQ(bench.world.count("mail.send"), 1u) << "it still cleans up";
}

// With the real machine: a call in the body, one in a function and one in a branch of what cleans up.
Module overdue_flow() {
  Assembler a;
  const auto helper = isolating_branch(a, "in a function");
  const auto branch = isolating_branch(a, "in a branch");
  a.emit(Op::EnterBody).emit(Op::Unwrap, 4, kMachineId);
  const std::uint32_t begin = a.here();
  a.load_text(5, "body").call(6, kIsolate, 4).emit(Op::Finish);
  const std::uint32_t handler = a.here();
  a.emit(Op::Move, 10, 4).imm(Op::Invoke, 10, helper).emit(Op::Parallel, 20, 4, 1, branch);
  a.flow().handlers.push_back({.begin = begin, .end = handler, .target = handler, .register_ = 30});
  a.flow().cleanups.push_back({.begin = handler, .end = a.here()});
  a.load_text(5, "too late").call(11, kIsolate, 4).emit(Op::Raise);
  a.flow().policies.within_us = 10 * kSecondUs;
  without_quotas(a);
  return std::move(a.module);
}

TEST(Deadline, FunctionsAndBranchesOfWhatCleansUpAreMadeAndNothingElse) {
  Bench bench;
  std::string made;
  bench.world.interfere = [&](const std::string& name, const OperationCall& call) -> std::optional<Outcome> {
    if (name == "defender.isolate") {
      made += call.arguments.substr(call.arguments.find("comment")) + "\n";
      bench.world.is_holding = call.arguments.find("body") != std::string::npos;
    }
    return std::nullopt;
  };
  add_alerts(bench, 1);
  const auto engine = vm_engine();
  Runtime runtime(*bench.store, bench.clock, bench.random, bench.world, *engine, {}, &bench.observer);
  const auto deployed = runtime.deploy("contoso", encode(overdue_flow()));
  ASSERT_TRUE(deployed) << deployed.error().message;
  ASSERT_TRUE(runtime.recover());
  ASSERT_TRUE(runtime.run_until_idle());
  bench.clock.now += 10 * kSecondUs;
  bench.world.is_holding = false;
  ASSERT_TRUE(runtime.run_until_idle());
  EXPECT_EQ(made, "comment\":\"body\"}\ncomment\":\"in a function\"}\ncomment\":\"in a branch\"}\n");
  EXPECT_EQ(states(bench), (std::map<std::string, int>{{"Timeout", 1}}));
}

// ---- at most N at once

TEST(AtOnce, OthersWaitInTheOrderOfTheirCreation) {
  Bench bench;
  bench.engine.policies.at_most = 2;
  bench.world.is_holding = true;
  ASSERT_TRUE(bench.boot());
  bench.idle();
  bench.world.release();
  bench.world.is_holding = false;
  add_alerts(bench, 5);
  bench.world.interfere = [&](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    bench.world.is_holding = name == "defender.isolate";
    return std::nullopt;
  };
  bench.pass(kMinuteUs);
  std::vector<RunRow> runs = bench.runs();
  std::ranges::sort(runs, {}, &RunRow::id);
  ASSERT_EQ(runs.size(), 5u);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(runs[i].state, RunState::Running);
    EXPECT_EQ(runs[i].reason, i < 2 ? "" : "waits for its turn: at most 2 at once");
  }
  EXPECT_EQ(bench.world.count("defender.get_machine"), 2u) << "those that wait ask for nothing";
  bench.world.interfere = nullptr;
  bench.world.is_holding = false;
  bench.world.release();
  bench.pass(kMinuteUs);
  std::vector<std::string> ended;
  for (const RunRow& run : bench.observer.ended) ended.push_back(run.id);
  EXPECT_TRUE(std::ranges::is_sorted(ended));
  EXPECT_EQ(states(bench), (std::map<std::string, int>{{"finished", 5}}));
  for (const RunRow& run : bench.runs()) EXPECT_EQ(run.reason, "");
}

TEST(AtOnce, TheOrderIsTheSameWhateverCommitFails) {
  for (std::uint64_t fail_at = 1; fail_at < 24; ++fail_at) {
    for (const bool is_written : {false, true}) {
      SCOPED_TRACE(testing::Message() << "commit " << fail_at << (is_written ? " written" : ""));
      Bench bench;
      bench.engine.policies.at_most = 1;
      add_alerts(bench, 4);
      std::vector<std::string> keys;
      bench.world.interfere = [&](const std::string& name, const OperationCall& call) {
        if (name == "defender.isolate") keys.push_back(call.key);
        return std::optional<Outcome>();
      };
      FailingStore failing(*bench.store, fail_at, is_written);
      if (bench.boot({}, &failing)) static_cast<void>(bench.runtime->run_until_idle());
      ASSERT_TRUE(bench.boot());
      bench.pass(kMinuteUs);
      EXPECT_TRUE(std::ranges::is_sorted(keys));
      EXPECT_EQ(keys.size(), 4u);
      EXPECT_EQ(states(bench), (std::map<std::string, int>{{"finished", 4}}));
    }
  }
}

// Nor does a run that waits through many crashes count as one that ends the process, be it for its turn or
// for the time of a call.
TEST(AtOnce, ARunThatWaitsIsNotStuck) {
  Bench bench;
  bench.engine.policies.at_most = 1;
  bench.world.interfere = [&](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    if (name == "defender.isolate") return fault_of(FaultKind::Throttled, false, kHourUs);
    return std::nullopt;
  };
  add_alerts(bench, 2);
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(bench.boot());
    bench.idle();
  }
  EXPECT_EQ(states(bench), (std::map<std::string, int>{{"running", 2}}));
}

TEST(AtOnce, AParkedRunGivesItsPlaceToTheNext) {
  Bench bench;
  bench.engine.policies.at_most = 1;
  bench.world.interfere = [&](const std::string& name, const OperationCall& call) -> std::optional<Outcome> {
    if (name == "defender.isolate" && call.arguments.find("m-a0") != std::string::npos)
      return fault_of(FaultKind::Timeout, true);
    return std::nullopt;
  };
  bench.world.interfere_settle = [](const OperationCall&) -> std::optional<Settlement> {
    return NobodyKnows{fault_of(FaultKind::Forbidden)};
  };
  add_alerts(bench, 3);
  ASSERT_TRUE(bench.boot());
  bench.idle();
  EXPECT_EQ(states(bench), (std::map<std::string, int>{{"parked", 1}, {"finished", 2}}));
}

TEST(AtOnce, TheDeadlineReachesRunsThatWait) {
  Bench bench;
  bench.engine.policies.at_most = 1;
  bench.engine.policies.within_us = 40 * kSecondUs;
  bench.world.interfere = [&](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    if (name == "defender.isolate") bench.world.is_holding = true;
    return std::nullopt;
  };
  add_alerts(bench, 3);
  ASSERT_TRUE(bench.boot());
  bench.pass(kHourUs);
  EXPECT_EQ(states(bench), (std::map<std::string, int>{{"Timeout", 3}}));
}

TEST(AtOnce, ManyThatWaitNeedNoMemoryAndKeepTheirOrder) {
  Bench bench;
  bench.engine.policies.at_most = 1;
  constexpr int kRuns = 1'500;
  for (int i = 0; i < kRuns; ++i)
    bench.world.add_alert(fmt::format("a{}", i), bench.clock.now - (kRuns - i) * 2 * kSecondUs);
  RuntimeOptions options;
  options.look_back_us = kHourUs;
  ASSERT_TRUE(bench.boot(options));
  bool is_stopped = true;
  std::vector<std::string> keys;
  bench.world.interfere = [&](const std::string& name, const OperationCall& call) -> std::optional<Outcome> {
    if (name != "defender.isolate") return std::nullopt;
    if (is_stopped) return fault_of(FaultKind::Throttled, false, kHourUs);
    keys.push_back(call.key);
    return std::nullopt;
  };
  bench.pass(30 * kMinuteUs);
  EXPECT_EQ(bench.runs().size(), static_cast<std::size_t>(kRuns));
  EXPECT_LE(bench.runtime->runs_in_memory(), 66u);
  is_stopped = false;
  bench.pass(2 * kHourUs);
  EXPECT_EQ(keys.size(), static_cast<std::size_t>(kRuns));
  EXPECT_TRUE(std::ranges::is_sorted(keys));
  EXPECT_EQ(states(bench), (std::map<std::string, int>{{"finished", kRuns}}));
}

TEST(Places, StoredRunsComeBeforeLaterOnes) {
  Places places;
  const Places::Line line{"contoso", "isolate"};
  places.want(line, "9", 1);
  EXPECT_TRUE(places.grant(line, "5").empty()) << "the runs up to 5 are known, and later ones wait for them";
  places.want(line, "7", 1);
  EXPECT_THAT(places.grant(line, "7"), ElementsAre("7"));
  EXPECT_TRUE(places.grant(line).empty());
  places.leave(line, "7");
  EXPECT_THAT(places.grant(line), ElementsAre("9"));
  places.leave(line, "9");
  EXPECT_EQ(places.waiting(), 0u);
}

// ---- priority

std::vector<std::uint64_t> served(Limiter& limiter, std::size_t count) {
  std::vector<std::uint64_t> order;
  for (std::size_t i = 0; i < count; ++i) {
    for (const std::uint64_t ticket : released(limiter, kStartUs, 1)) {
      order.push_back(ticket);
      limiter.done("b", ticket, Breaker::Sign::Answered, kStartUs);
    }
  }
  return order;
}

TEST(Priority, HigherGoesFirstAndFirstComeFirstServedWithin) {
  Limiter limiter;
  limiter.enqueue({.bucket = "b", .priority = Policies::Priority::Low}, 1);
  limiter.enqueue({.bucket = "b", .priority = Policies::Priority::Normal}, 2);
  limiter.enqueue({.bucket = "b", .priority = Policies::Priority::High}, 3);
  limiter.enqueue({.bucket = "b", .priority = Policies::Priority::High}, 4);
  EXPECT_THAT(served(limiter, 4), ElementsAre(3, 4, 2, 1));
}

TEST(Priority, TheOneThatWaitsLongestIsPassedOverThreeTimesAtMost) {
  Limiter limiter;
  limiter.enqueue({.bucket = "b", .priority = Policies::Priority::Low}, 1);
  limiter.enqueue({.bucket = "b", .priority = Policies::Priority::Low}, 2);
  for (std::uint64_t ticket = 3; ticket < 13; ++ticket)
    limiter.enqueue({.bucket = "b", .priority = Policies::Priority::High}, ticket);
  EXPECT_THAT(served(limiter, 10), ElementsAre(3, 4, 5, 1, 6, 7, 8, 2, 9, 10));
}

TEST(Priority, OfTheFlowDecidesWhoGetsTheQuota) {
  Bench bench;
  bench.engine.quota = Quota{"defender", 3, 0};
  bench.engine.policies.priority = Policies::Priority::Low;
  bench.flows = {"low"};
  ASSERT_TRUE(bench.boot());
  bench.engine.policies.priority = Policies::Priority::High;
  ASSERT_TRUE(bench.runtime->deploy("contoso", "urgent"));
  add_alerts(bench, 4);
  bench.pass(30 * kMinuteUs);
  std::map<std::string, std::vector<std::int64_t>> ended;
  for (const RunRow& run : bench.runs()) ended[run.flow].push_back(run.ended_us);
  ASSERT_EQ(ended["low"].size(), 4u);
  EXPECT_LT(std::ranges::max(ended["urgent"]), std::ranges::max(ended["low"]));
  EXPECT_LT(std::ranges::min(ended["urgent"]), std::ranges::min(ended["low"]));
}

// ---- All of it, with faults and restarts

TEST(Guardrails, AreNeverExceededWhateverHappens) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Bench bench(seed);
    bench.engine.quota = Quota{"defender", 20, 0};
    bench.engine.cleans_up = true;
    Policies& policies = bench.engine.policies;
    policies.limits = {limit_of(kIsolateOperation, 5, 20 * kMinuteUs),
                       limit_of(kMailOperation, 4, 10 * kMinuteUs, Policies::Limit::Otherwise::Skip)};
    policies.within_us = 15 * kMinuteUs;
    policies.at_most = 3;
    std::map<std::string, std::vector<std::int64_t>> times;
    bench.world.interfere = [&](const std::string& name,
                                const OperationCall& call) -> std::optional<Outcome> {
      const std::uint64_t chance = bench.random.next() % 30;
      if (chance == 0) return fault_of(FaultKind::Unavailable);
      if (chance == 1) return fault_of(FaultKind::Throttled, false, 40 * kSecondUs);
      if (chance == 2) return fault_of(FaultKind::Timeout, true);
      if (chance == 3) return fault_of(FaultKind::Forbidden);
      if (name != "defender.list_alerts") times[name].push_back(bench.clock.now);
      if (chance > 5 || name == "defender.list_alerts") return std::nullopt;
      ++bench.world.carried_out[name][call.key];
      return fault_of(FaultKind::Timeout, true);
    };
    ASSERT_TRUE(bench.boot());
    constexpr int kAlerts = 150;
    for (int i = 0; i < kAlerts; ++i) {
      bench.world.add_alert(fmt::format("a{}", i), bench.clock.now);
      bench.pass(static_cast<std::int64_t>(bench.random.next() % (2 * kMinuteUs)));
      std::size_t going_on = 0;
      for (const RunRow& run : bench.runs())
        going_on += run.state == RunState::Running && run.reason.empty() &&
                    bench.clock.now - run.created_us < policies.within_us;
      ASSERT_LE(going_on, 3u);
      if (bench.random.next() % 20 == 0) {
        ASSERT_TRUE(bench.boot());
      }
    }
    bench.pass(2 * kHourUs);
    EXPECT_EQ(bench.runs().size(), static_cast<std::size_t>(kAlerts));
    for (const RunRow& run : bench.runs()) EXPECT_NE(run.state, RunState::Running) << run.id;
    EXPECT_LE(most_within(times["defender.isolate"], 20 * kMinuteUs), 5u);
    EXPECT_LE(most_within(times["mail.send"], 10 * kMinuteUs), 4u);
    EXPECT_GE(times["defender.isolate"].size(), 20u);
    EXPECT_LE(bench.world.most_per_key("defender.isolate"), 1u);
    ASSERT_FALSE(testing::Test::HasFailure());
  }
}

}  // namespace
}  // namespace flow::test
