// What is kept, for how long, and what goes: in virtual time.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "asking_flows.hpp"
#include "fakes.hpp"
#include "runtime/audit_check.hpp"
#include "runtime/caller.hpp"
#include "runtime/sqlite.hpp"

namespace flow::test {
namespace {

RuntimeOptions keeping(std::int64_t keep_us, std::int64_t keep_audit_us = 0) {
  RuntimeOptions options;
  options.keep_us = keep_us;
  options.keep_audit_us = keep_audit_us;
  return options;
}

RunRow ended_row(const std::string& id, std::int64_t ended_us) {
  RunRow row;
  row.id = id;
  row.tenant = "contoso";
  row.flow = "isolate";
  row.module = "hash";
  row.trigger = "defender.alert.new";
  row.key = id;
  row.state = RunState::Finished;
  row.created_us = ended_us - 1;
  row.ended_us = ended_us;
  return row;
}

TEST(Pruning, RunsThatEndedLongAgoGoWithAllThatIsTheirs) {
  Live live;
  live.bench.world.add_alert("da1", live.bench.clock.now + kSecondUs);
  ASSERT_TRUE(live.boot(asking_flow(0), nullptr, keeping(kHourUs)) && live.pass(kMinuteUs));
  Store& store = *live.bench.store;
  const std::string run = live.only_run().id, module = live.only_run().module;
  const auto questions = store.list_questions({});
  ASSERT_TRUE(questions && questions->size() == 1u);
  const std::string question = questions->front().id;
  ASSERT_TRUE(live.pass(3 * kHourUs));
  EXPECT_TRUE(store.run(run)->has_value()) << "one that waits is never too old";
  live.runtime->answer({question, "refuse", "ann@contoso.com", "test"}, [](const AnswerReply&) {});
  ASSERT_TRUE(live.pass(kHourUs - 5 * kMinuteUs));
  ASSERT_TRUE(store.run(run)->has_value());
  EXPECT_GT((*store.run(run))->ended_us, 0);
  ASSERT_TRUE(live.pass(10 * kMinuteUs));
  EXPECT_EQ(*store.run(run), std::nullopt);
  EXPECT_EQ(store.journal(run, 0)->size(), 0u);
  EXPECT_EQ(*store.question(question), std::nullopt);
  EXPECT_EQ(store.tellings(question)->size(), 0u);
  EXPECT_EQ(*store.frozen(run), std::nullopt);
  EXPECT_TRUE(store.module(module)->has_value()) << "it is deployed";
}

TEST(Pruning, KeepsForEverUnlessItIsSaid) {
  Bench bench;
  bench.world.add_alert("da1", bench.clock.now);
  ASSERT_TRUE(bench.boot());
  bench.pass(kMinuteUs);
  bench.clock.now += 10'000 * kHourUs;
  bench.idle();
  EXPECT_EQ(bench.runs().size(), 1u);
}

TEST(Pruning, ParkedRunsStayWithTheirModules) {
  Bench bench;
  RunRow parked = ended_row("01A", 1);
  parked.state = RunState::Parked;
  parked.ended_us = 0;
  parked.module = "of a parked run";
  Batch batch;
  batch.modules = {{"of a parked run", "x"}, {"of nothing", "x"}, {"hash", "x"}};
  batch.runs = {parked, ended_row("01B", 2)};
  ASSERT_TRUE(bench.store->commit(batch));
  ASSERT_TRUE(bench.boot(keeping(kHourUs)));
  bench.pass(5 * kMinuteUs);
  EXPECT_TRUE(bench.store->run("01A")->has_value());
  EXPECT_EQ(*bench.store->run("01B"), std::nullopt);
  EXPECT_TRUE(bench.store->module("of a parked run")->has_value());
  EXPECT_EQ(*bench.store->module("of nothing"), std::nullopt);
  EXPECT_EQ(*bench.store->module("hash"), std::nullopt) << "its last run is gone";
}

// A caller that is resumed may come to its call again, and must find what it has called.
TEST(Pruning, ARunThatWasCalledStaysAsLongAsItsCaller) {
  auto store = std::move(*SqliteStore::open(":memory:"));
  RunRow caller = ended_row("01A", 100), called = ended_row("01B", 2);
  called.trigger = std::string(kCalledTrigger);
  called.key = "01A/3";
  Batch batch;
  batch.runs = {caller, called};
  ASSERT_TRUE(store->commit(batch));
  EXPECT_EQ(store->prune_runs({.ended_before_us = 50, .after = ""})->runs, 0u);
  EXPECT_EQ(store->prune_runs({.ended_before_us = 101, .after = ""})->runs, 1u) << "the caller";
  EXPECT_EQ(store->prune_runs({.ended_before_us = 101, .after = ""})->runs, 1u) << "in the next round";
}

TEST(Pruning, ACommitTakesAFewRowsOnly) {
  auto store = std::move(*SqliteStore::open(":memory:"));
  Batch batch;
  for (int i = 0; i < 20; ++i) {
    batch.runs.push_back(ended_row(fmt::format("01{:02}", i), 5));
  }
  ASSERT_TRUE(store->commit(batch));
  for (std::uint32_t entry = 0; entry < 10; ++entry) {  // entries of one commit share a row
    Batch entries;
    for (const RunRow& run : batch.runs) entries.journal.push_back({run.id, entry, 5, 1, "{}"});
    ASSERT_TRUE(store->commit(entries));
  }
  const auto first = store->prune_runs({.ended_before_us = 9, .after = "", .runs = 8, .rows = 30});
  ASSERT_TRUE(first);
  EXPECT_EQ(first->runs, 3u);
  EXPECT_EQ(first->last, "0102") << "to go on from";
  const auto second = store->prune_runs({.ended_before_us = 9, .after = first->last, .runs = 8});
  EXPECT_EQ(second->runs, 8u);
  EXPECT_EQ(second->last, "0110");
  std::string after = second->last;
  for (int i = 0; i < 10 && !after.empty(); ++i)
    after = store->prune_runs({.ended_before_us = 9, .after = after, .runs = 8})->last;
  EXPECT_EQ(store->list_runs({})->size(), 0u);
}

TEST(Pruning, WorkGoesFirstButNotForEver) {
  Bench bench;
  Batch batch;
  for (int i = 0; i < 10; ++i) batch.runs.push_back(ended_row(fmt::format("01{:02}", i), 5));
  ASSERT_TRUE(bench.store->commit(batch));
  RuntimeOptions options = keeping(kHourUs);
  options.poll_interval_us = kSecondUs;  // each turn has something to do
  ASSERT_TRUE(bench.boot(options));
  const auto work_for = [&](std::int64_t duration_us) {
    for (const std::int64_t end = bench.clock.now + duration_us; bench.clock.now < end;
         bench.clock.now += kSecondUs)
      ASSERT_TRUE(bench.runtime->step());
  };
  work_for(9 * kMinuteUs);
  EXPECT_EQ(bench.runs().size(), 10u);
  work_for(5 * kMinuteUs);
  EXPECT_EQ(bench.runs().size(), 0u);
}

TEST(Pruning, WhatIsLeftOfTheAuditTrailCanBeVerified) {
  Bench bench;
  ASSERT_TRUE(bench.boot(keeping(0, kHourUs)));
  for (int i = 0; i < 30; ++i) {
    bench.world.add_alert(fmt::format("da{}", i), bench.clock.now);
    bench.pass(10 * kMinuteUs);
  }
  const auto verdict = check_audit(*bench.store);
  ASSERT_TRUE(verdict) << verdict.error().message;
  EXPECT_FALSE(verdict->problem) << verdict->problem->text;
  EXPECT_GT(verdict->first, 1u);
  EXPECT_LT(verdict->rows, 150u) << "of the last hour, of some 200 in all";
  EXPECT_EQ(bench.runs().size(), 30u) << "runs are kept by a time of their own";
}

TEST(Pruning, APrunedTrailShowsWhatIsTakenFromItsBeginning) {
  const TemporaryFolder folder;
  const std::string path = folder.file("s.db");
  {
    const auto store = SqliteStore::open(path);
    ASSERT_TRUE(store);
    for (int i = 1; i <= 10; ++i) {
      Batch batch;
      batch.audit.push_back({.kind = AuditKind::Deployed, .time_us = kStartUs + i * kSecondUs, .flow = "f"});
      ASSERT_TRUE((*store)->commit(batch));
    }
    EXPECT_EQ(*(*store)->prune_audit(kStartUs + 4 * kSecondUs, 100, kStartUs + 20 * kSecondUs), 3u);
    EXPECT_EQ(*(*store)->prune_audit(kStartUs + 4 * kSecondUs, 100, kStartUs + 20 * kSecondUs), 0u);
    const auto verdict = check_audit(**store);
    EXPECT_FALSE(verdict->problem) << verdict->problem->text;
    EXPECT_EQ(verdict->first, 4u);
    EXPECT_EQ(verdict->rows, 8u) << "seven, and the one that tells of it";
    // All but the row about it, and on from there.
    EXPECT_EQ(*(*store)->prune_audit(kStartUs + 15 * kSecondUs, 100, kStartUs + 21 * kSecondUs), 7u);
    EXPECT_FALSE(check_audit(**store)->problem);
  }
  {
    auto raw = sqlite::Connection::open(path, SQLITE_OPEN_READWRITE);
    ASSERT_TRUE(raw->run("DELETE FROM audit WHERE number = 11"));
  }
  const auto store = SqliteStore::open_read_only(path);
  const auto verdict = check_audit(**store);
  ASSERT_TRUE(verdict->problem);
  EXPECT_EQ(verdict->problem->how, AuditProblem::How::Missing);
}

}  // namespace
}  // namespace flow::test
