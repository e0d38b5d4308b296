// Runs that wait for others, for people who let them act, and for what is in doubt: they leave memory, come
// back, and are not taken for what ends a process.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

#include "flows.hpp"
#include "live.hpp"
#include "runtime/audit_check.hpp"
#include "runtime/control.hpp"
#include "runtime/json_text.hpp"
#include "runtime/question.hpp"
#include "runtime/shadow.hpp"

namespace flow::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr std::int64_t kHourUs = 60 * kMinuteUs;

const char* const kCalls = R"(
  flow calls on manual () do { let text = call rests()  log "{text} for me" }
  flow rests on call () -> String do { wait 40m  return "rested" }
)";

std::vector<RunRow> runs_of(Live& live, const std::string& flow) {
  std::vector<RunRow> rows = live.bench.runs();
  std::erase_if(rows, [&](const RunRow& row) { return row.flow != flow; });
  return rows;
}

std::vector<std::string> logs_of(Live& live, const std::string& run) {
  std::vector<std::string> texts;
  for (const RunStep& step : live.bench.history(run).steps)
    if (step.kind == EntryKind::Log) texts.push_back(step.text);
  return texts;
}

void start(Live& live, const std::string& flow, const std::string& key = "k") {
  live.runtime->start({.tenant = "contoso", .name = flow, .event = "{}", .key = key},
                      [](const StartAnswer& answer) { EXPECT_EQ(answer.problem, ""); });
}

TEST(WaitingCallers, LeaveMemoryAndAreWokenByTheEndOfTheOther) {
  Live live;
  ASSERT_TRUE(live.boot(compiled(kCalls)));
  start(live, "calls");
  ASSERT_TRUE(live.pass(kMinuteUs));
  EXPECT_EQ(live.runtime->runs_in_memory(), 0u);
  EXPECT_EQ(runs_of(live, "calls").at(0).wake_us, kNever);
  ASSERT_TRUE(live.pass(kHourUs));
  const RunRow caller = runs_of(live, "calls").at(0);
  EXPECT_EQ(caller.state, RunState::Finished) << caller.reason;
  EXPECT_THAT(logs_of(live, caller.id), ElementsAre("rested for me"));
  EXPECT_LT(caller.ended_us - caller.created_us, 41 * kMinuteUs);
}

TEST(WaitingCallers, AreAnsweredWhateverCommitIsTheLast) {
  const Module module = compiled(kCalls);
  for (const bool is_written : {true, false}) {
    std::uint64_t n = 1;
    for (bool has_died = true; has_died; ++n) {
      SCOPED_TRACE(testing::Message() << "death at commit " << n << (is_written ? ", written" : ""));
      Live live;
      FailingStore store(*live.bench.store, n, is_written);
      has_died = !live.boot(module, &store);
      if (!has_died) {
        start(live, "calls");
        has_died = !live.pass(kHourUs);
      }
      ASSERT_TRUE(live.boot(module));
      start(live, "calls");
      ASSERT_TRUE(live.pass(kHourUs));
      ASSERT_THAT(runs_of(live, "calls"), SizeIs(1));
      EXPECT_THAT(runs_of(live, "rests"), SizeIs(1));
      const RunRow caller = runs_of(live, "calls").at(0);
      EXPECT_EQ(caller.state, RunState::Finished) << caller.reason;
      EXPECT_THAT(logs_of(live, caller.id), ElementsAre("rested for me"));
      ASSERT_FALSE(testing::Test::HasFailure());
    }
  }
}

TEST(WaitingCallers, ADeadlineEndsTheirWaiting) {
  Live live;
  ASSERT_TRUE(live.boot(compiled(R"(
    flow calls on manual () do {
      try { let text = call rests() within 10m  log text } catch e: Timeout { log "too late" }
    }
    flow rests on call () -> String do { wait 40m  return "rested" }
  )")));
  start(live, "calls");
  ASSERT_TRUE(live.pass(kMinuteUs));
  EXPECT_EQ(live.runtime->runs_in_memory(), 0u);
  ASSERT_TRUE(live.pass(20 * kMinuteUs));
  EXPECT_THAT(logs_of(live, runs_of(live, "calls").at(0).id), ElementsAre("too late"));
  ASSERT_TRUE(live.pass(kHourUs));
  EXPECT_EQ(runs_of(live, "rests").at(0).state, RunState::Finished);
}

const char* const kHeld = R"(
  flow cuts on alert.new limit isolate to 1 per 1d else ask "lead@contoso.com" do { isolate(machineId) })";

TEST(HeldCalls, LeaveMemoryUntilSomebodyAnswers) {
  for (const bool agrees : {true, false}) {
    Live live;
    ASSERT_TRUE(live.boot(compiled(kHeld)));
    for (const char* id : {"a1", "a2"}) live.bench.world.add_alert(id, live.bench.clock.now + kSecondUs);
    ASSERT_TRUE(live.pass(5 * kMinuteUs));
    EXPECT_EQ(live.bench.world.count("defender.isolate"), 1u);
    EXPECT_EQ(live.runtime->runs_in_memory(), 0u);
    ASSERT_TRUE(live.pass(3 * kHourUs));
    const auto asked = live.bench.store->list_questions({});
    ASSERT_THAT(*asked, SizeIs(1));
    live.runtime->answer({.question = asked->front().id,
                          .answer = agrees ? kApprove : kRefuse,
                          .by = "lead@contoso.com",
                          .via = "link"},
                         [](const AnswerReply& reply) { EXPECT_EQ(reply.how, AnswerReply::How::Recorded); });
    ASSERT_TRUE(live.pass(kMinuteUs));
    EXPECT_EQ(live.bench.world.count("defender.isolate"), agrees ? 2u : 1u);
    for (const RunRow& row : live.bench.runs()) EXPECT_NE(row.state, RunState::Running);
    EXPECT_EQ(live.bench.observer.count(HealthEvent::Kind::FrozenUnusable), 0u);
  }
}

TEST(HeldCalls, AreStillHeldAfterADeath) {
  Live live;
  ASSERT_TRUE(live.boot(compiled(kHeld)));
  for (const char* id : {"a1", "a2"}) live.bench.world.add_alert(id, live.bench.clock.now + kSecondUs);
  ASSERT_TRUE(live.pass(5 * kMinuteUs));
  ASSERT_TRUE(live.boot(compiled(kHeld)) && live.pass(kMinuteUs));
  EXPECT_EQ(live.bench.world.count("defender.isolate"), 1u);
  const auto asked = live.bench.store->list_questions({});
  ASSERT_THAT(*asked, SizeIs(1));
  live.runtime->answer(
      {.question = asked->front().id, .answer = kApprove, .by = "lead@contoso.com", .via = "link"},
      [](const AnswerReply& reply) { EXPECT_EQ(reply.how, AnswerReply::How::Recorded); });
  ASSERT_TRUE(live.pass(kMinuteUs));
  EXPECT_EQ(live.bench.world.count("defender.isolate"), 2u);
}

// The act is not asked about so soon, so no run has done anything when the process ends again and again.
TEST(Doubt, IsNoReasonToParkARunWhenTheProcessDiesAgainAndAgain) {
  Bench bench;
  bench.settle_after_us = 30 * kSecondUs;
  bench.world.add_alert("a1", bench.clock.now);
  bench.world.interfere = [&](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    bench.world.is_holding = name == "defender.isolate";
    return std::nullopt;
  };
  ASSERT_TRUE(bench.boot());
  bench.idle();
  for (int deaths = 0; deaths < 6; ++deaths) {
    bench.clock.now += kSecondUs;
    ASSERT_TRUE(bench.boot());
    bench.idle();
    ASSERT_EQ(bench.runs().at(0).state, RunState::Running);
  }
  bench.world.interfere = nullptr;
  bench.world.is_holding = false;
  bench.pass(2 * kMinuteUs);
  EXPECT_EQ(bench.world.settles, 1u);
  EXPECT_EQ(bench.world.most_per_key("defender.isolate"), 1u);
  EXPECT_EQ(bench.runs().at(0).state, RunState::Finished) << bench.runs().at(0).reason;
}

TEST(Messages, AreInTheAuditTrail) {
  Live live;
  ASSERT_TRUE(
      live.boot(compiled(R"(flow waits on manual () do { let more = receive("callback")  log "{more}" })")));
  start(live, "waits");
  ASSERT_TRUE(live.pass(kMinuteUs));
  const std::string run = live.only_run().id;
  live.runtime->send({.run = run, .name = "callback", .payload = "1", .key = "m1", .from = "portal"},
                     [](const MessageReply& reply) { EXPECT_EQ(reply.how, MessageReply::How::Kept); });
  ASSERT_TRUE(live.pass(kMinuteUs));
  const auto lines = live.bench.store->audit(0, 100);
  ASSERT_TRUE(lines);
  std::vector<std::string> messages;
  for (const AuditLine& line : *lines)
    if (line.line.find("\"kind\":\"message\"") != std::string::npos) messages.push_back(line.line);
  ASSERT_THAT(messages, SizeIs(1));
  for (const char* part : {"\"target\":\"callback\"", "\"key\":\"m1\"", "\"by\":\"portal\""})
    EXPECT_THAT(messages[0], HasSubstr(part));
  EXPECT_FALSE(check_audit(*live.bench.store)->problem);
}

TEST(RunsOfLeases, AreNotRepeated) {
  Live live;
  ASSERT_TRUE(live.boot(compiled("on alert.new do isolate(machineId) lease 1h")));
  live.bench.world.add_alert("a1", live.bench.clock.now + kSecondUs);
  ASSERT_TRUE(live.pass(2 * kHourUs));
  const auto leases = runs_of(live, "lease.defender.isolate");
  ASSERT_THAT(leases, SizeIs(1));
  ControlReply reply;
  live.runtime->control(
      {.what = ControlRequest::What::Retry, .run = leases[0].id, .resume = {.by = "ann"}, .reason = {}},
      [&](const ControlReply& told) { reply = told; });
  ASSERT_TRUE(live.runtime->run_until_idle());
  EXPECT_EQ(reply.how, ControlReply::How::Refused);
  EXPECT_THAT(reply.problem, HasSubstr("ends a lease"));
}

DeployRequest of(const std::string& tenant, const std::string& source) {
  return {.what = DeployRequest::What::Live,
          .tenant = tenant,
          .module = encode(compiled(source)),
          .file = "a",
          .flow = {},
          .by = "ann"};
}

DeployReply change(Live& live, std::vector<DeployRequest> requests) {
  DeployReply reply;
  live.runtime->change_deployment(std::move(requests), [&](DeployReply told) { reply = std::move(told); });
  EXPECT_TRUE(live.runtime->run_until_idle());
  return reply;
}

TEST(DeployingForSeveral, IsDoneForAllOrForNone) {
  Live live;
  ASSERT_TRUE(live.boot(compiled("flow other on manual () do log \"x\"")));
  const std::string good = "flow hooked on webhook \"h\" (payload: Json) do log \"x\"";
  // Another flow of the second tenant waits there.
  EXPECT_EQ(change(live, {of("fabrikam", "flow first on webhook \"h\" (payload: Json) do log \"x\"")}).how,
            DeployReply::How::Done);
  std::vector<DeployRequest> both{of("contoso", good), of("fabrikam", good)};
  both[1].file = "b";
  const DeployReply refused = change(live, both);
  EXPECT_EQ(refused.how, DeployReply::How::Refused);
  EXPECT_THAT(refused.problem, HasSubstr("tenant `fabrikam`"));
  EXPECT_THAT(*live.bench.store->deployments("", "hooked"), SizeIs(0));
  const DeployReply done = change(live, {of("contoso", good), of("adatum", good)});
  EXPECT_EQ(done.how, DeployReply::How::Done);
  EXPECT_THAT(done.changes, SizeIs(2));
}

TEST(DeployingForSeveral, LeavesOutWhoNeverHadTheFlow) {
  Live live;
  ASSERT_TRUE(live.boot(compiled("flow gone on manual () do log \"x\"")));
  const auto withdraw = [](const std::string& tenant) {
    return DeployRequest{.what = DeployRequest::What::Withdraw,
                         .tenant = tenant,
                         .module = {},
                         .file = {},
                         .flow = "gone",
                         .by = "ann"};
  };
  EXPECT_EQ(change(live, {withdraw("contoso"), withdraw("fabrikam")}).how, DeployReply::How::Done);
  EXPECT_EQ(change(live, {withdraw("contoso"), withdraw("fabrikam")}).how, DeployReply::How::Refused);
}

TEST(DryRuns, NobodyAgreesToAnything) {
  Live live;
  ASSERT_TRUE(live.boot(compiled(R"(flow asks on manual () dry run do {
      let agreed = approve(by: ["ann@contoso.com"], subject: "Really?") within 1h else true
      let choice = ask(to: "ann@contoso.com", question: "Which?", options: ["left", "right"]) within 1h else "none"
      log "{agreed} {choice}"
    })")));
  start(live, "asks");
  ASSERT_TRUE(live.pass(kMinuteUs));
  EXPECT_THAT(live.logs(), ElementsAre("false left"));
  EXPECT_THAT(*live.bench.store->list_questions({}), SizeIs(0));
}

TEST(StoreLog, IsTakenIntoTheFileWhenThereIsNothingElseToDo) {
  for (const bool in_background : {false, true}) {
    const TemporaryFolder folder;
    const std::string path = folder.file("s.db");
    const auto store =
        SqliteStore::open(path, {.max_bytes = 0, .vfs = {}, .checkpoints_in_background = in_background});
    ASSERT_TRUE(store) << store.error().message;
    const auto before = std::filesystem::file_size(path);
    for (int i = 0; i < 300; ++i) {
      Batch batch;
      batch.states.push_back({"contoso", "t", std::to_string(i), i, std::string(400, 'x')});
      ASSERT_TRUE((*store)->commit(batch));
    }
    ASSERT_TRUE((*store)->tidy());
    for (int i = 0; i < 200 && std::filesystem::file_size(path) == before; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_GT(std::filesystem::file_size(path), before);
    EXPECT_TRUE((*store)->last_state("contoso", "t", "299")->has_value());
  }
}

}  // namespace
}  // namespace flow::test
