// What people do to runs of a service that is running: the runs are in memory, asleep, in line, or parked.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "flows.hpp"
#include "live.hpp"
#include "runtime/control.hpp"
#include "runtime/rerun.hpp"

namespace flow::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using How = ControlReply::How;
using What = ControlRequest::What;

constexpr const char* kFlows = R"(
  flow rests on manual (n: Int) do { wait 2h log "late" }
  flow dozes on manual (n: Int) do { wait 3s log "late" }
  flow asks on manual (n: Int) do {
    let ok = approve(by: "ann@contoso.com", subject: "Go?") within 3h else false
    log "{ok}"
  }
  flow one_by_one on manual (n: Int) at most 1 at once do { wait 2h log "{n}" }
  flow reads on manual (machine: MachineId) do { log "first" log "{defender.get_machine(machine).name}" }
  flow fails on manual (n: Int) do { log "{1 / (n - n)}" }
)";
constexpr const char* kMachine = "2222222222222222222222222222222222222222";

struct Controlling : Live {
  explicit Controlling(const std::string& flows = kFlows, RuntimeOptions options = {}) {
    EXPECT_TRUE(boot(compiled(flows), nullptr, options));
  }
  std::string start(const std::string& flow, const std::string& arguments = R"({"n":1})") {
    std::string id;
    runtime->start({.tenant = "contoso", .name = flow, .event = arguments}, [&](const StartAnswer& answer) {
      EXPECT_EQ(answer.problem, "");
      id = answer.run;
    });
    EXPECT_TRUE(runtime->run_until_idle());
    return id;
  }
  How control(const ControlRequest& request) {
    ControlReply reply;
    runtime->control(request, [&](const ControlReply& told) { reply = told; });
    EXPECT_TRUE(runtime->run_until_idle());
    problem = reply.problem;
    return reply.how;
  }
  How cancel(const std::string& run) {
    return control(
        {.what = What::Cancel, .run = run, .resume = {.by = "ana@contoso.com"}, .reason = "a mistake"});
  }
  How resume(const std::string& run) { return control({.what = What::Resume, .run = run}); }
  RunRow row(const std::string& run) { return **bench.store->run(run); }
  std::vector<std::string> story(const std::string& run) {
    std::vector<std::string> kinds;
    for (const RunStep& step : bench.history(run).steps) kinds.emplace_back(entry_name(step.kind));
    return kinds;
  }

  std::string problem;
};

TEST(CancelAtService, EndsARunInMemoryAsleepOrInLine) {
  for (const char* flow : {"rests", "dozes", "one_by_one"}) {
    SCOPED_TRACE(flow);
    Controlling live;
    const std::string id = live.start(flow);
    ASSERT_EQ(live.row(id).state, RunState::Running);
    EXPECT_EQ(live.runtime->runs_in_memory(), flow == std::string("rests") ? 0u : 1u);
    ASSERT_EQ(live.cancel(id), How::Done) << live.problem;
    EXPECT_EQ(live.row(id).state, RunState::Stopped);
    EXPECT_EQ(live.row(id).reason, "cancelled by ana@contoso.com: a mistake");
    EXPECT_EQ(live.runtime->runs_in_memory(), 0u);
    EXPECT_EQ(live.cancel(id), How::Refused);
    EXPECT_THAT(live.problem, HasSubstr("is over: stopped"));
    ASSERT_TRUE(live.pass(3 * 3600 * kSecondUs));
    EXPECT_EQ(live.story(id).back(), "Cancelled");
    EXPECT_EQ(live.bench.observer.ended.size(), 1u);
  }
}

TEST(CancelAtService, GivesTheTurnToTheNextInLine) {
  Controlling live;
  const std::string first = live.start("one_by_one"), second = live.start("one_by_one", R"({"n":2})"),
                    third = live.start("one_by_one", R"({"n":3})");
  EXPECT_THAT(live.row(second).reason, HasSubstr("waits for its turn"));
  ASSERT_EQ(live.cancel(second), How::Done) << "one that waits itself";
  ASSERT_EQ(live.cancel(first), How::Done);
  EXPECT_EQ(live.row(third).reason, "");
  EXPECT_THAT(live.story(third), ElementsAre("Started", "Entered", "Intent"));
}

TEST(CancelAtService, WithdrawsWhatItAsks) {
  Controlling live;
  const std::string id = live.start("asks");
  ASSERT_TRUE(live.pass(kMinuteUs));
  ASSERT_EQ(live.cancel(id), How::Done) << live.problem;
  const auto asked =
      live.bench.store->list_questions({.tenant = {}, .run = id, .state = {}, .before_id = {}});
  ASSERT_TRUE(asked && asked->size() == 1);
  EXPECT_EQ(asked->front().state, QuestionRow::State::Withdrawn);
  AnswerReply reply;
  live.runtime->answer({asked->front().id, "approve", "ann@contoso.com", "test"},
                       [&](const AnswerReply& told) { reply = told; });
  ASSERT_TRUE(live.pass(kMinuteUs));
  EXPECT_EQ(reply.how, AnswerReply::How::Withdrawn);
}

TEST(CancelAtService, WhatIsUnderWayFindsNobody) {
  Controlling live;
  live.bench.world.is_holding = true;
  const std::string id = live.start("reads", fmt::format(R"({{"machine":"{}"}})", kMachine));
  ASSERT_EQ(live.runtime->calls_in_flight(), 1u);
  ASSERT_EQ(live.cancel(id), How::Done);
  live.bench.world.release();
  ASSERT_TRUE(live.pass(kMinuteUs));
  EXPECT_EQ(live.runtime->calls_in_flight(), 0u);
  EXPECT_EQ(live.story(id).back(), "Cancelled");
}

TEST(ResumeAtService, AFailedRunGoesOnAtOnce) {
  Controlling live;
  live.bench.world.interfere = [](const std::string&, const OperationCall&) {
    return std::optional<Outcome>(fault_of(FaultKind::Forbidden));
  };
  const std::string id = live.start("reads", fmt::format(R"({{"machine":"{}"}})", kMachine));
  ASSERT_EQ(live.row(id).state, RunState::Failed);
  EXPECT_EQ(live.resume(id), How::Done) << live.problem;
  EXPECT_EQ(live.row(id).state, RunState::Failed) << "and may fail again";
  live.bench.world.interfere = nullptr;
  EXPECT_EQ(live.resume(id), How::Done) << live.problem;
  EXPECT_EQ(live.row(id).state, RunState::Finished);
  EXPECT_EQ(std::ranges::count(live.story(id), "Resumed"), 2);
  EXPECT_EQ(live.resume(id), How::Refused);
  EXPECT_THAT(live.problem, HasSubstr("did not fail: it is finished"));
}

TEST(ResumeAtService, IsRefusedByTheRulesOfTheCommandLine) {
  Controlling live;
  const std::string broken = live.start("fails"), rests = live.start("rests");
  EXPECT_EQ(live.resume(broken), How::Refused);
  EXPECT_THAT(live.problem, HasSubstr("failed in its own code, not in a call"));
  EXPECT_EQ(live.resume(rests), How::Refused);
  EXPECT_THAT(live.problem, HasSubstr("is under way"));
  EXPECT_EQ(live.resume("01NOSUCHRUN"), How::NotFound);
  EXPECT_EQ(live.control({.what = What::Cancel, .run = rests, .resume = {}, .reason = std::string(501, 'x')}),
            How::Refused);
  EXPECT_THAT(live.problem, HasSubstr("longer than 500 bytes"));
}

// The first time, one branch rests before its next try when the other fails the run. What was set up for that
// must not meet the run that went on since.
TEST(ResumeAtService, NothingOfTheRunBeforeItMeetsIt) {
  Controlling live(R"(
    flow both on manual (machine: MachineId) do {
      parallel {
        log "{defender.get_machine(machine).name}"
        isolate(machine)
      }
    })");
  std::uint64_t reads = 0, acts = 0;
  live.bench.world.interfere = [&](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    if (name == "defender.get_machine" && ++reads == 1)
      return Outcome(fault_of(FaultKind::Unavailable, false, 30 * kSecondUs));
    if (name == "defender.isolate" && ++acts == 1) return Outcome(fault_of(FaultKind::Forbidden));
    return std::nullopt;
  };
  const std::string id = live.start("both", fmt::format(R"({{"machine":"{}"}})", kMachine));
  ASSERT_EQ(live.row(id).fault, "Forbidden") << live.row(id).reason;
  ASSERT_EQ(live.resume(id), How::Done) << live.problem;
  ASSERT_TRUE(live.pass(2 * kMinuteUs));
  EXPECT_EQ(live.row(id).state, RunState::Finished) << live.row(id).reason;
  EXPECT_EQ(reads, 2u) << "asked for once more, though both had set a time for it";
  EXPECT_EQ(acts, 2u);
}

// Resumed twice, and cancelled while it waits to be taken up.
TEST(ControlAtService, RequestsOfOneTurnSeeEachOther) {
  Controlling live;
  live.bench.world.interfere = [](const std::string&, const OperationCall&) {
    return std::optional<Outcome>(fault_of(FaultKind::Forbidden));
  };
  const std::string id = live.start("reads", fmt::format(R"({{"machine":"{}"}})", kMachine));
  live.bench.world.interfere = nullptr;
  std::vector<How> told;
  const auto done = [&](const ControlReply& reply) { told.push_back(reply.how); };
  live.runtime->control({.what = What::Resume, .run = id}, done);
  live.runtime->control({.what = What::Resume, .run = id}, done);
  live.runtime->control({.what = What::Cancel, .run = id}, done);
  ASSERT_TRUE(live.pass(kMinuteUs));
  EXPECT_THAT(told, ElementsAre(How::Done, How::Refused, How::Done));
  EXPECT_EQ(live.row(id).state, RunState::Stopped);
  EXPECT_THAT(live.story(id).back(), "Cancelled");
}

TEST(ControlAtService, IsDurableWhateverCommitFails) {
  for (const bool is_written : {false, true}) {
    std::uint64_t n = 1;
    for (bool has_died = true; has_died && n < 50; ++n) {
      SCOPED_TRACE(testing::Message() << "death at commit " << n << (is_written ? ", written" : ""));
      Live live;
      const Module module = compiled(kFlows);
      FailingStore store(*live.bench.store, n, is_written);
      std::string id;
      bool is_done = false;
      has_died = !live.boot(module, &store);
      if (!has_died) {
        live.runtime->start({.tenant = "contoso", .name = "rests", .event = R"({"n":1})", .key = "k"},
                            [&](const StartAnswer& answer) { id = answer.run; });
        has_died = !live.pass(kMinuteUs);
        live.runtime->control({.what = What::Cancel, .run = id, .resume = {}, .reason = {}},
                              [&](const ControlReply& reply) { is_done = reply.how == How::Done; });
        has_died = has_died || !live.pass(kMinuteUs);
      }
      if (is_done) {
        EXPECT_EQ(live.only_run().state, RunState::Stopped);
      }
      ASSERT_TRUE(live.boot(module));
      ASSERT_TRUE(live.pass(3 * 3600 * kSecondUs));
      for (const RunRow& row : live.bench.runs()) EXPECT_NE(row.state, RunState::Running);
      if (is_done) {
        EXPECT_EQ(live.only_run().state, RunState::Stopped);
      }
    }
    EXPECT_GE(n, 3u);
  }
}

// ---- A new run for the same event

struct Retrying : Controlling {
  How retry(const std::string& run) {
    ControlReply told;
    runtime->control({.what = What::Retry, .run = run, .resume = {.by = "ana@contoso.com"}, .reason = {}},
                     [&](const ControlReply& reply) { told = reply; });
    EXPECT_TRUE(runtime->run_until_idle());
    problem = told.problem;
    again = told.run;
    return told.how;
  }
  bool deploy(const std::string& flows) {
    return runtime->deploy("contoso", encode(compiled(flows))).has_value() && runtime->run_until_idle();
  }
  std::string again;
};

TEST(Retry, RunsTheSameEventOnTodaysVersion) {
  Retrying live;
  const std::string failed = live.start("fails", R"({"n":7})");
  ASSERT_TRUE(live.deploy("flow fails on manual (n: Int) do { log \"{n} now\" }"));
  ASSERT_EQ(live.retry(failed), How::Done) << live.problem;
  EXPECT_NE(live.again, failed);
  const RunRow row = live.row(live.again);
  EXPECT_EQ(row.state, RunState::Finished);
  EXPECT_NE(row.module, live.row(failed).module);
  EXPECT_THAT(live.bench.history(live.again).steps.at(0).person, "ana@contoso.com");
  EXPECT_THAT(live.bench.history(live.again).steps.at(2).text, "7 now");
  ASSERT_TRUE(rerun_of(row));
  EXPECT_EQ(rerun_of(row)->run, failed);
  EXPECT_FALSE(rerun_of(live.row(failed)));
  const std::string first = live.again;
  ASSERT_EQ(live.retry(failed), How::Done) << "once more";
  EXPECT_THAT(reruns(*live.bench.store, live.row(failed)).value(), ElementsAre(first, live.again));
  EXPECT_EQ(live.row(failed).state, RunState::Failed) << "it stays as it is";
}

TEST(Retry, OfOneTurnHaveEachTheirOwnRun) {
  Retrying live;
  const std::string failed = live.start("fails");
  std::vector<std::string> made;
  for (int i = 0; i < 3; ++i)
    live.runtime->control({.what = What::Retry, .run = failed},
                          [&](const ControlReply& reply) { made.push_back(reply.run); });
  ASSERT_TRUE(live.runtime->run_until_idle());
  EXPECT_THAT(reruns(*live.bench.store, live.row(failed)).value(), ::testing::ElementsAreArray(made));
}

TEST(Retry, IsRefusedWhereThereIsNothingToRepeatItOn) {
  Retrying live;
  const std::string failed = live.start("fails"), rests = live.start("rests");
  EXPECT_EQ(live.retry(rests), How::Refused);
  EXPECT_THAT(live.problem, HasSubstr("is under way; cancel it first"));
  EXPECT_EQ(live.retry("01NOSUCHRUN"), How::NotFound);
  ASSERT_TRUE(live.deploy("flow fails on webhook \"x\" (payload: Json) do { log \"{payload}\" }"));
  EXPECT_EQ(live.retry(failed), How::Refused);
  EXPECT_THAT(live.problem, HasSubstr("starts on webhook now, and its event was of manual"));
  ASSERT_TRUE(live.deploy("flow fails on manual (n: Int) in tenants [\"fabrikam\"] do { log \"{n}\" }"));
  EXPECT_EQ(live.retry(failed), How::Refused);
  EXPECT_THAT(live.problem, HasSubstr("is not for tenant `contoso` any more"));
  live.runtime->change_deployment(
      {.what = DeployRequest::What::Withdraw,
       .tenant = "contoso",
       .module = {},
       .file = {},
       .flow = "fails",
       .by = "ann"},
      [](const DeployReply& reply) { EXPECT_EQ(reply.how, DeployReply::How::Done); });
  ASSERT_TRUE(live.runtime->run_until_idle());
  EXPECT_EQ(live.retry(failed), How::Refused);
  EXPECT_THAT(live.problem, HasSubstr("tenant `contoso` has no flow `fails` any more"));
}

TEST(Retry, WithoutAServiceTheRunGoesOnWhenOneStarts) {
  Retrying live;
  const std::string failed = live.start("fails", R"({"n":7})");
  const char* const corrected = "flow fails on manual (n: Int) do { log \"{n} now\" }";
  ASSERT_TRUE(live.deploy(corrected));
  live.runtime.reset();
  RunIds ids(live.bench.clock, live.bench.random);
  const auto reply =
      control_in_store(*live.bench.store, {.what = What::Retry, .run = failed}, ids, live.bench.clock.now);
  ASSERT_TRUE(reply);
  ASSERT_EQ(reply->how, How::Done) << reply->problem;
  EXPECT_EQ(live.row(reply->run).state, RunState::Running);
  ASSERT_TRUE(live.boot(compiled(corrected)));
  ASSERT_TRUE(live.pass(kMinuteUs));
  EXPECT_EQ(live.row(reply->run).state, RunState::Finished) << live.row(reply->run).reason;
}

TEST(ControlAtService, NobodyIsToldAfterItHasStopped) {
  Controlling live;
  ASSERT_TRUE(live.runtime->drain(live.bench.clock.now));
  How how = How::Done;
  live.runtime->control({.what = What::Cancel, .run = "x"},
                        [&](const ControlReply& told) { how = told.how; });
  EXPECT_EQ(how, How::Stopping);
}

}  // namespace
}  // namespace flow::test
