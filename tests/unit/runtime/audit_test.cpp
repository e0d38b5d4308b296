// The audit trail: what is told, that it is told in the commit of what it tells, and that every tampering
// shows.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "asking_flows.hpp"
#include "fakes.hpp"
#include "runtime/audit_check.hpp"
#include "runtime/control.hpp"
#include "runtime/digest.hpp"
#include "runtime/json_text.hpp"
#include "runtime/question.hpp"
#include "runtime/sqlite.hpp"

namespace flow::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<AuditLine> lines_of(Store& store) {
  auto lines = store.audit(0, 10'000);
  EXPECT_TRUE(lines);
  return lines ? std::move(*lines) : std::vector<AuditLine>();
}

std::string member(const AuditLine& line, std::string_view name) {
  return json_string(json_member(line.line, name).value_or("")).value_or("");
}

// `intent defender.isolate m-da1`: kind, operation, target, result and fault, as far as there are any.
std::vector<std::string> told(Store& store) {
  std::vector<std::string> all;
  for (const AuditLine& line : lines_of(store)) {
    std::string text = member(line, "kind");
    for (const char* name : {"operation", "target", "result", "fault"})
      if (const std::string value = member(line, name); !value.empty()) text += " " + value;
    all.push_back(text);
  }
  return all;
}

void expect_whole(Store& store) {
  const auto verdict = check_audit(store);
  ASSERT_TRUE(verdict) << verdict.error().message;
  EXPECT_FALSE(verdict->problem) << verdict->problem->text;
}

TEST(Audit, TellsWhoDidWhatToWhichMachineAndWhy) {
  Bench bench;
  bench.world.add_alert("da1", bench.clock.now);
  ASSERT_TRUE(bench.boot());
  bench.idle();
  EXPECT_THAT(told(*bench.store),
              ElementsAre("deployed live", "started", "intent defender.isolate m-da1",
                          "outcome defender.isolate m-da1 done", "intent mail.send soc@contoso.example",
                          "outcome mail.send soc@contoso.example done", "ended finished"));
  const RunRow run = bench.runs().at(0);
  const auto lines = lines_of(*bench.store);
  EXPECT_EQ(
      lines[2].line,
      fmt::format(R"({{"number":3,"time":"{}","kind":"intent","tenant":"contoso","flow":"isolate",)"
                  R"("run":"{}","call":1,"attempt":1,"operation":"defender.isolate","target":"m-da1",)"
                  R"("permission":"Machine.Isolate","trigger":"defender.alert.new","key":"da1","line":5}})",
                  format_time_us(bench.clock.now), run.id));
  EXPECT_EQ(member(lines[3], "reference"), "2e0d9b74-a381-49aa-8c15-f7b01c526d3e") << "of the machine action";
  EXPECT_EQ(member(lines[1], "module"), run.module);
  expect_whole(*bench.store);
}

TEST(Audit, TellsOfFaultsAndRetries) {
  Bench bench;
  bench.world.add_alert("da1", bench.clock.now);
  int calls = 0;
  bench.world.interfere = [&](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    if (name != "defender.isolate") return std::nullopt;
    return Outcome(fault_of(++calls == 1 ? FaultKind::Throttled : FaultKind::Forbidden));
  };
  ASSERT_TRUE(bench.boot());
  bench.pass(kMinuteUs);
  EXPECT_THAT(
      told(*bench.store),
      ElementsAre("deployed live", "started", "intent defender.isolate m-da1",
                  "outcome defender.isolate m-da1 not done Throttled", "intent defender.isolate m-da1",
                  "outcome defender.isolate m-da1 failed Forbidden", "ended failed Forbidden"));
}

TEST(Audit, TellsWhatAPolicyDecided) {
  Bench dry;
  dry.engine.policies.is_dry_run = true;
  dry.world.add_alert("da1", dry.clock.now);
  ASSERT_TRUE(dry.boot());
  dry.idle();
  EXPECT_THAT(told(*dry.store),
              ElementsAre("deployed live", "started", "policy defender.isolate m-da1 dry run",
                          "policy mail.send soc@contoso.example dry run", "ended finished"))
      << "an intent would say that something went out";
  Bench limited;
  limited.engine.policies.limits = {{.operation = 2,
                                     .count = 1,
                                     .window_us = 60 * kMinuteUs,
                                     .otherwise = Policies::Limit::Otherwise::Fail}};
  for (const char* id : {"da1", "da2"}) limited.world.add_alert(id, limited.clock.now);
  ASSERT_TRUE(limited.boot());
  limited.idle();
  EXPECT_THAT(told(*limited.store), ::testing::Contains("policy defender.isolate m-da2 limit LimitReached"));
}

TEST(Audit, TellsWhoAnsweredAndWhoWasTold) {
  Live live;
  live.bench.world.add_alert("da1", live.bench.clock.now + kSecondUs);
  ASSERT_TRUE(live.boot(asking_flow(0)) && live.pass(kMinuteUs));
  const std::string run = live.only_run().id;
  const auto questions = live.bench.store->list_questions({});
  ASSERT_TRUE(questions && questions->size() == 1u);
  live.runtime->answer({questions->front().id, "approve", "ann@contoso.com", "link"},
                       [](const AnswerReply&) {});
  ASSERT_TRUE(live.pass(kMinuteUs));
  const auto all = told(*live.bench.store);
  EXPECT_THAT(all, ::testing::Contains("intent mail.mail ann@contoso.com"));
  EXPECT_THAT(all, ::testing::Contains("outcome mail.mail bob@contoso.com done"));
  EXPECT_THAT(all, ::testing::Contains("answer approve"));
  for (const AuditLine& line : lines_of(*live.bench.store)) {
    if (member(line, "kind") == "answer") {
      EXPECT_THAT(line.line,
                  HasSubstr(R"("detail":"Isolate the server?","by":"ann@contoso.com","via":"link")"));
    }
  }
  expect_whole(*live.bench.store);
}

TEST(Audit, TellsWhoAnsweredWhileNoServiceRan) {
  Live live;
  live.bench.world.add_alert("da1", live.bench.clock.now + kSecondUs);
  ASSERT_TRUE(live.boot(asking_flow(0)) && live.pass(kMinuteUs));
  const auto questions = live.bench.store->list_questions({});
  ASSERT_TRUE(answer_in_store(*live.bench.store,
                              {questions->front().id, "refuse", "bob@contoso.com", "command line"},
                              live.bench.clock.now));
  EXPECT_EQ(told(*live.bench.store).back(), "answer refuse");
}

TEST(Audit, TellsWhoResumedAndCancelled) {
  Bench bench;
  bench.world.add_alert("da1", bench.clock.now);
  bench.world.interfere = [](const std::string& name, const OperationCall&) -> std::optional<Outcome> {
    if (name != "defender.isolate") return std::nullopt;
    return Outcome(fault_of(FaultKind::Timeout, true));
  };
  bench.world.interfere_settle = [](const OperationCall&) {
    return Settlement(NobodyKnows{fault_of(FaultKind::Forbidden)});
  };
  ASSERT_TRUE(bench.boot());
  bench.pass(kMinuteUs);
  EXPECT_EQ(told(*bench.store).back(), "ended parked");
  const RunHistory history = bench.history(bench.runs().at(0).id);
  const auto resumed =
      plan_resume(history, *isolate_module(),
                  {.fate = ResumeRequest::Fate::DidNotHappen, .by = "ana@contoso.com"}, bench.clock.now);
  ASSERT_TRUE(resumed && bench.store->commit(*resumed));
  EXPECT_THAT(lines_of(*bench.store).back().line,
              HasSubstr(R"("detail":"the call in doubt has not happened","by":"ana@contoso.com")"));
  const auto cancelled =
      plan_cancel(bench.history(history.run.id), {}, "ana@contoso.com", "enough", bench.clock.now);
  ASSERT_TRUE(cancelled && bench.store->commit(*cancelled));
  const auto lines = lines_of(*bench.store);
  EXPECT_THAT(lines[lines.size() - 2].line, HasSubstr(R"("detail":"enough","by":"ana@contoso.com")"));
  EXPECT_EQ(told(*bench.store).back(), "ended stopped");
  expect_whole(*bench.store);
}

TEST(Audit, TellsWhatIsDoneToRunsOfAServiceThatRuns) {
  Live live;
  live.bench.world.add_alert("da1", live.bench.clock.now + kSecondUs);
  ASSERT_TRUE(live.boot(asking_flow(0)) && live.pass(kMinuteUs));
  ControlRequest request{.what = ControlRequest::What::Cancel, .run = live.only_run().id, .reason = "enough"};
  request.resume.by = "ana@contoso.com";
  live.runtime->control(request, [](const ControlReply&) {});
  ASSERT_TRUE(live.pass(kMinuteUs));
  EXPECT_THAT(told(*live.bench.store), ::testing::Contains("cancel"));
  EXPECT_EQ(told(*live.bench.store).back(), "ended stopped");
  request.what = ControlRequest::What::Retry;
  live.runtime->control(request, [](const ControlReply&) {});
  ASSERT_TRUE(live.pass(kMinuteUs));
  const auto all = told(*live.bench.store);
  const auto retry = std::ranges::find(all, "retry");
  ASSERT_NE(retry, all.end());
  EXPECT_EQ(*(retry + 1), "started");
  expect_whole(*live.bench.store);
}

TEST(Audit, HoldsNoArgumentButTheTarget) {
  Live live;
  live.bench.world.add_alert("da1", live.bench.clock.now + kSecondUs);
  ASSERT_TRUE(live.boot(asking_flow(0)) && live.pass(kMinuteUs));
  for (const AuditLine& line : lines_of(*live.bench.store))
    EXPECT_THAT(line.line, Not(HasSubstr("It mines.")));
}

// What the trail tells has happened, and what has happened it tells, whatever commit was the last.
TEST(Audit, IsOfOneCommitWithWhatItTells) {
  for (std::uint64_t fail_at = 1; fail_at < 12; ++fail_at) {
    for (const bool is_written : {false, true}) {
      SCOPED_TRACE(testing::Message() << "commit " << fail_at << (is_written ? " written" : ""));
      Bench bench;
      for (const char* id : {"da1", "da2", "da3"}) bench.world.add_alert(id, bench.clock.now);
      FailingStore failing(*bench.store, fail_at, is_written);
      if (bench.boot({}, &failing)) static_cast<void>(bench.runtime->run_until_idle());
      ASSERT_TRUE(bench.boot());
      bench.pass(kMinuteUs);
      expect_whole(*bench.store);
      std::map<std::string, int> kinds;
      for (const std::string& text : told(*bench.store)) ++kinds[text];
      EXPECT_EQ(kinds["started"], 3);
      EXPECT_EQ(kinds["ended finished"], 3);
      for (const char* id : {"da1", "da2", "da3"})
        EXPECT_EQ(kinds[fmt::format("outcome defender.isolate m-{} done", id)], 1);
    }
  }
}

TEST(Audit, ALineIsJsonWhateverItTells) {
  for (const std::int64_t time_us :
       {kStartUs, kStartUs + 1, kStartUs + 120'000, kStartUs + 999'999, std::int64_t{0}, std::int64_t{-5}}) {
    const AuditRow row{
        .kind = AuditKind::Answer, .time_us = time_us, .tenant = "a\"b\\c\n\x01\xff", .flow = "ü"};
    const std::string line = audit_line(7, row);
    EXPECT_TRUE(is_json(line)) << line;
    EXPECT_EQ(member({7, line, ""}, "time"), format_time_us(time_us));
    EXPECT_EQ(member({7, line, ""}, "tenant"), "a\"b\\c\n\x01\xef\xbf\xbd");
  }
  const std::string line = audit_line(1, {.kind = AuditKind::Ended, .detail = std::string(2'000, 'x')});
  EXPECT_LT(line.size(), 700u) << "the journal has it whole";
}

TEST(Audit, AFailedCommitLeavesTheChainAsItWas) {
  const auto opened = SqliteStore::open(":memory:");
  ASSERT_TRUE(opened);
  Store& store = **opened;
  Batch good;
  good.audit.push_back({.kind = AuditKind::Deployed, .time_us = kStartUs, .flow = "a"});
  ASSERT_TRUE(store.commit(good));
  Batch bad = good;
  bad.runs.resize(2);  // with one ID
  ASSERT_FALSE(store.commit(bad));
  ASSERT_TRUE(store.commit(good));
  EXPECT_EQ(lines_of(store).size(), 2u);
  expect_whole(store);
}

// ---- tampering

class Tampered : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto store = SqliteStore::open(folder.file("s.db"));
    ASSERT_TRUE(store);
    for (int i = 1; i <= 6; ++i) {
      Batch batch;
      batch.audit.push_back(
          {.kind = AuditKind::Deployed, .time_us = kStartUs + i, .flow = fmt::format("f{}", i)});
      ASSERT_TRUE((*store)->commit(batch));
    }
    head = check_audit(**store)->head;
  }
  // What check_audit() says after somebody has done this to the file.
  AuditVerdict after(const char* sql, const std::string& known_head = {}) {
    auto raw = sqlite::Connection::open(folder.file("s.db"), SQLITE_OPEN_READWRITE);
    EXPECT_TRUE(raw && raw->run(sql));
    const auto store = SqliteStore::open_read_only(folder.file("s.db"));
    EXPECT_TRUE(store) << store.error().message;
    const auto verdict = check_audit(**store, known_head);
    EXPECT_TRUE(verdict);
    return *verdict;
  }
  static std::string said(const AuditVerdict& verdict) {
    return verdict.problem ? fmt::format("{}: {}", verdict.problem->number, verdict.problem->text) : "whole";
  }

  TemporaryFolder folder;
  std::string head;
};

TEST_F(Tampered, NothingHappened) {
  const AuditVerdict verdict = after("SELECT 1", head);
  EXPECT_EQ(said(verdict), "whole");
  EXPECT_EQ(verdict.rows, 6u);
  EXPECT_EQ(verdict.head, head);
}

TEST_F(Tampered, ALineWasChanged) {
  EXPECT_EQ(said(after("UPDATE audit SET line = replace(line, 'f3', 'f9') WHERE number = 3")),
            "3: row 3, or its hash, is not what was written");
}

TEST_F(Tampered, AHashWasChanged) {
  EXPECT_EQ(said(after("UPDATE audit SET hash = zeroblob(32) WHERE number = 6")),
            "6: row 6, or its hash, is not what was written");
}

TEST_F(Tampered, ARowWasTakenOut) {
  EXPECT_EQ(said(after("DELETE FROM audit WHERE number = 4")), "4: row 4 is missing");
}

TEST_F(Tampered, RowsWereTakenOutAndTheNumbersClosedUp) {
  EXPECT_EQ(said(after(
                "DELETE FROM audit WHERE number = 4; UPDATE audit SET number = number - 1 WHERE number > 4")),
            "4: row 4 is missing; row 5 stands in its place");
}

TEST_F(Tampered, TwoRowsChangedPlaces) {
  EXPECT_EQ(said(after(
                "UPDATE audit SET number = 99 WHERE number = 3; UPDATE audit SET number = 3 WHERE number = 4;"
                "UPDATE audit SET number = 4 WHERE number = 99")),
            "3: row 4 stands in the place of row 3");
}

TEST_F(Tampered, TheBeginningIsGone) {
  EXPECT_EQ(said(after("DELETE FROM audit WHERE number < 3")),
            "3: row 3 is the first that is there, and no row says that those before it were pruned");
}

TEST_F(Tampered, TheEndIsGone) {
  EXPECT_EQ(said(after("DELETE FROM audit WHERE number > 4")), "whole") << "the chain alone cannot tell";
  EXPECT_EQ(
      said(after("SELECT 1", head)),
      fmt::format("4: no row has the hash {}: rows behind 4 are gone, or the trail was written anew", head));
}

TEST_F(Tampered, AHeadOfBeforeIsStillInAChainThatGrew) {
  {
    const auto store = SqliteStore::open(folder.file("s.db"));
    Batch batch;
    batch.audit.push_back({.kind = AuditKind::Deployed, .time_us = kStartUs, .flow = "more"});
    ASSERT_TRUE((*store)->commit(batch));
  }
  EXPECT_EQ(said(after("SELECT 1", head)), "whole");
}

}  // namespace
}  // namespace flow::test
