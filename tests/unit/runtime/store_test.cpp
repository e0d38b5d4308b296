// What every Store must do, then what is SQLite's own: locks, foreign files, limits.
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "fakes.hpp"
#include "runtime/digest.hpp"
#include "runtime/run_id.hpp"
#include "runtime/sqlite.hpp"
#include "runtime/sqlite_care.hpp"

namespace flow::test {
namespace {

RunRow run_row(const std::string& id, const std::string& key = "k") {
  RunRow row;
  row.id = id;
  row.tenant = "contoso";
  row.flow = "isolate";
  row.module = "hash";
  row.trigger = "defender.alert.new";
  row.key = key + id;
  row.created_us = kStartUs;
  return row;
}

std::unique_ptr<SqliteStore> memory() {
  return std::move(*SqliteStore::open(":memory:"));
}

std::string message_of(const Result<std::unique_ptr<SqliteStore>>& opened) {
  return opened ? "it opened" : opened.error().message;
}

TEST(Store, GivesBackWhatWasCommitted) {
  auto store = memory();
  Batch batch;
  batch.modules.push_back({"hash", std::string("\0bytes\xff", 7)});
  batch.runs.push_back(run_row("A"));
  batch.journal.push_back({"A", 0, 1, 5, R"({"event":{}})"});
  batch.journal.push_back({"A", 1, 6, 6, "{}"});
  batch.cursors.push_back({"contoso", "t", 10, 3});
  batch.seen.push_back({"contoso", "t", "key", 10});
  batch.meta.push_back({"closed", "1"});
  ASSERT_TRUE(store->commit(batch));
  EXPECT_EQ(**store->module("hash"), std::string("\0bytes\xff", 7));
  EXPECT_EQ((*store->run("A"))->key, "kA");
  EXPECT_EQ(*store->run("B"), std::nullopt) << "an unknown run is no error";
  EXPECT_EQ(store->journal("A", 0)->size(), 2u);
  EXPECT_EQ(store->journal("A", 0)->at(1).time_us, 6);
  EXPECT_EQ((*store->cursor("contoso", "t"))->watermark_us, 10);
  EXPECT_EQ(store->cursor("fabrikam", "t")->has_value(), false);
  EXPECT_TRUE(*store->is_seen("contoso", "t", "key"));
  EXPECT_FALSE(*store->is_seen("fabrikam", "t", "key")) << "tenants do not see each other's events";
  EXPECT_EQ(**store->meta("closed"), "1");
  EXPECT_EQ(*store->run_of("contoso", "isolate", "defender.alert.new", "kA"), "A");
  EXPECT_EQ(*store->run_of("contoso", "isolate", "defender.alert.new", "kB"), std::nullopt);
}

TEST(Store, ABatchThatFailsLeavesNothingBehind) {
  auto store = memory();
  Batch first;
  first.runs.push_back(run_row("A"));
  first.journal.push_back({"A", 0, 1, 5, "{}"});
  ASSERT_TRUE(store->commit(first));
  for (int fault = 0; fault < 3; ++fault) {
    Batch second;
    second.meta.push_back({"mark", "1"});
    second.runs.push_back(run_row("B"));
    if (fault == 0) second.runs.push_back(run_row("A"));             // the ID exists
    if (fault == 1) second.journal.push_back({"A", 0, 1, 5, "{}"});  // the entry exists
    if (fault == 2)
      second.runs.push_back(run_row("C")), second.runs.back().key = "kA";  // the event had its run
    const Status status = store->commit(second);
    ASSERT_FALSE(status);
    EXPECT_NE(status.error().message.find(":memory:"), std::string::npos) << status.error().message;
    EXPECT_EQ(*store->run("B"), std::nullopt);
    EXPECT_EQ(*store->meta("mark"), std::nullopt);
  }
  EXPECT_TRUE(store->commit(Batch{})) << "and it goes on working";
}

TEST(Store, ListsRunsNewestFirstByFilterAndPage) {
  auto store = memory();
  Batch batch;
  for (const char* id : {"A", "B", "C", "D"}) batch.runs.push_back(run_row(id));
  batch.runs[1].flow = "other";
  batch.runs[2].state = RunState::Parked;
  batch.runs[3].created_us += 5;
  ASSERT_TRUE(store->commit(batch));
  const auto ids = [&store](const RunFilter& filter) {
    std::string text;
    const auto rows = store->list_runs(filter);
    for (const RunRow& row : *rows) text += row.id;
    return text;
  };
  RunFilter filter;
  EXPECT_EQ(ids(filter), "DCBA");
  filter.limit = 2;
  EXPECT_EQ(ids(filter), "DC");
  filter.before_id = "C";
  EXPECT_EQ(ids(filter), "BA");
  filter = {};
  filter.state = RunState::Parked;
  EXPECT_EQ(ids(filter), "C");
  filter = {};
  filter.flow = "other";
  EXPECT_EQ(ids(filter), "B");
  filter = {};
  filter.since_us = kStartUs + 1;
  EXPECT_EQ(ids(filter), "D");
  EXPECT_EQ(store->unfinished_runs("A", 10)->size(), 2u) << "B and D: A is not after A, C is parked";
}

TEST(Store, FindsRunsByMachineAndByEvent) {
  auto store = memory();
  Batch batch;
  for (const char* id : {"A", "B", "C", "D", "E"}) batch.runs.push_back(run_row(id));
  batch.runs[0].machine = batch.runs[2].machine = "m-1";
  batch.runs[0].key = batch.runs[1].key = "da1";
  batch.runs[1].flow = "other";
  batch.runs[2].key = "da1\n2026-11-20T08:14:22Z";  // a change of it
  batch.runs[2].trigger = "defender.alert.updated";
  batch.runs[3].key = "da12";
  batch.runs[3].created_us = kStartUs + 9;
  batch.runs[4].key = "da1";
  batch.runs[4].tenant = "fabrikam";
  ASSERT_TRUE(store->commit(batch));
  const auto ids = [&store](const RunFilter& filter) {
    std::string text;
    const auto rows = store->list_runs(filter);
    EXPECT_TRUE(rows) << rows.error().message;
    for (const RunRow& row : *rows) text += row.id;
    return text;
  };
  EXPECT_EQ(ids({.machine = "m-1"}), "CA");
  EXPECT_EQ((*store->run("A"))->machine, "m-1");
  EXPECT_EQ(ids({.machine = "m-2"}), "");
  EXPECT_EQ(ids({.event = "da1"}), "ECBA");
  EXPECT_EQ(ids({.tenant = "contoso", .event = "da1"}), "CBA");
  EXPECT_EQ(ids({.flow = "other", .event = "da1"}), "B");
  EXPECT_EQ(ids({.machine = "m-1", .event = "da1", .before_id = "C"}), "A");
  EXPECT_EQ(ids({.event = "da"}), "");
  EXPECT_EQ(ids({.until_us = kStartUs + 9}), "ECBA");
  EXPECT_EQ(ids({.since_us = kStartUs + 1, .until_us = kStartUs + 10}), "D");
}

// A list must neither sort all runs to show the newest, nor walk through those that went well to find the
// others.
TEST(Store, ListsWithoutSorting) {
  const TemporaryFolder folder;
  { const auto made = SqliteStore::open(folder.file("s.db")); }
  auto raw = sqlite::Connection::open(folder.file("s.db"), SQLITE_OPEN_READWRITE);
  const auto plan_of = [&](const std::string& where) {
    auto plan = raw->prepare(
        ("EXPLAIN QUERY PLAN SELECT * FROM runs WHERE " + where + " ORDER BY id DESC LIMIT 9").c_str());
    EXPECT_TRUE(plan);
    std::string text;
    while (plan->step() == SQLITE_ROW) text += plan->text(3) + ";";
    return text;
  };
  EXPECT_NE(plan_of("state = 5").find("runs_failed"), std::string::npos) << plan_of("state = 5");
  EXPECT_NE(plan_of("flow = ? AND state = 1 AND id < ?").find("runs_parked"), std::string::npos);
  for (const char* where : {"+tenant = ? AND flow = ?", "machine = ? AND id < ?", "flow = ? AND state = 5",
                            "created_us >= ? AND id >= ?", "state = 3"})
    EXPECT_EQ(plan_of(where).find("TEMP B-TREE"), std::string::npos) << where << ": " << plan_of(where);
}

TEST(Store, TellsSleepersFromWhatIsAwake) {
  auto store = memory();
  Batch batch;
  for (const char* id : {"A", "B", "C", "D"}) batch.runs.push_back(run_row(id));
  ASSERT_TRUE(store->commit(batch));
  EXPECT_EQ(*store->next_wake_us(), std::nullopt);
  Batch sleep;
  sleep.asleep.push_back({.run = "A", .wake_us = 30, .sequence = 4, .frozen = std::string("\0bytes", 6)});
  sleep.asleep.push_back({.run = "B", .wake_us = 20, .sequence = 2, .frozen = "b"});
  sleep.asleep.push_back({.run = "C", .wake_us = kNever, .sequence = 2, .frozen = "c"});
  ASSERT_TRUE(store->commit(sleep));
  EXPECT_EQ(*store->next_wake_us(), 20);
  EXPECT_EQ(store->unfinished_runs("", 10)->size(), 1u) << "D";
  EXPECT_EQ(store->sleepers(29, 10)->size(), 1u);
  ASSERT_EQ(store->sleepers(30, 10)->size(), 2u);
  EXPECT_EQ(store->sleepers(30, 10)->at(0).id, "B") << "the first to be woken";
  EXPECT_EQ(store->sleepers(30, 1)->size(), 1u);
  EXPECT_EQ((*store->run("A"))->wake_us, 30);
  EXPECT_EQ((*store->frozen("A"))->frozen, std::string("\0bytes", 6));
  EXPECT_EQ((*store->frozen("A"))->sequence, 4u);
  EXPECT_EQ(*store->frozen("D"), std::nullopt);
  Batch wake;
  wake.awake.push_back("B");
  RunRow over = run_row("A");
  over.state = RunState::Finished;
  wake.changed_runs.push_back(over);
  wake.thawed.push_back("A");
  ASSERT_TRUE(store->commit(wake));
  EXPECT_EQ(*store->next_wake_us(), std::nullopt) << "no time wakes C";
  EXPECT_EQ(store->unfinished_runs("", 10)->size(), 2u) << "B and D";
  EXPECT_EQ((*store->frozen("B"))->frozen, "b") << "of use if the process ends now";
  EXPECT_EQ(*store->frozen("A"), std::nullopt);
}

TEST(Store, KeepsQuestionsUntilTheyAreClosedOnce) {
  auto store = memory();
  Batch batch;
  for (const char* run : {"A", "B"}) {
    batch.runs.push_back(run_row(run));
    QuestionRow row;
    row.run = run;
    row.call = 3;
    row.id = question_id(run, 3);
    row.tenant = "contoso";
    row.flow = "isolate";
    row.kind = QuestionRow::Kind::Ask;
    row.people = {"ann@contoso.com", "b\"o'b@contoso.com"};
    row.subject = "What now?";
    row.details = "\"because\"";
    row.options = {"Isolate", "Ig\"nore"};
    row.asked_us = 5;
    row.expires_us = kNever;
    batch.questions.push_back(row);
  }
  batch.tellings.push_back({"A-3", 0, TellingRow::State::Wanted, 5, ""});
  batch.tellings.push_back({"A-3", 1, TellingRow::State::Out, 5, ""});
  batch.tellings.push_back({"B-3", 0, TellingRow::State::Told, 5, ""});
  batch.tellings.push_back({"B-3", 1, TellingRow::State::Wanted, 5, ""});
  ASSERT_TRUE(store->commit(batch));
  const auto open = store->question("A-3");
  ASSERT_TRUE(open && *open);
  EXPECT_EQ((*open)->people, batch.questions[0].people);
  EXPECT_EQ((*open)->options, batch.questions[0].options);
  EXPECT_EQ((*open)->kind, QuestionRow::Kind::Ask);
  EXPECT_EQ((*open)->expires_us, kNever);
  EXPECT_EQ(*store->question("A-4"), std::nullopt);
  EXPECT_EQ(store->untold("", -1, 10)->size(), 3u);
  EXPECT_EQ(store->untold("", -1, 1)->at(0).person, 0u);
  EXPECT_EQ(store->untold("A-3", 0, 1)->at(0).person, 1u);
  EXPECT_EQ(store->untold("A-3", 1, 10)->at(0).question, "B-3");
  Batch answer;
  answer.closed.push_back(batch.questions[0]);
  answer.closed[0].state = QuestionRow::State::Answered;
  answer.closed[0].closed_us = 9;
  answer.closed[0].answer = "Isolate";
  answer.closed[0].by = "ann@contoso.com";
  answer.closed[0].via = "link";
  answer.tellings.push_back({"A-3", 0, TellingRow::State::Failed, 6, "no such mailbox"});
  ASSERT_TRUE(store->commit(answer));
  answer.closed[0].answer = "Ig\"nore";
  answer.tellings.clear();
  ASSERT_TRUE(store->commit(answer));
  EXPECT_EQ((*store->question("A-3"))->answer, "Isolate") << "what is closed stays as it is";
  EXPECT_EQ((*store->question("A-3"))->by, "ann@contoso.com");
  EXPECT_EQ((*store->question("A-3"))->via, "link");
  EXPECT_EQ((*store->question("A-3"))->closed_us, 9);
  EXPECT_EQ(store->tellings("A-3")->at(0).problem, "no such mailbox");
  QuestionFilter filter;
  EXPECT_EQ(store->list_questions(filter)->size(), 2u);
  EXPECT_EQ(store->list_questions(filter)->at(0).id, "B-3") << "the newest first";
  filter.state = QuestionRow::State::Open;
  EXPECT_EQ(store->list_questions(filter)->size(), 1u);
  filter.run = "A";
  EXPECT_EQ(store->list_questions(filter)->size(), 0u);
  EXPECT_FALSE(store->commit(batch)) << "the ID exists";
}

TEST(Store, KeepsMessagesInOrderUntilTheyAreTaken) {
  auto store = memory();
  Batch batch;
  batch.messages.push_back({"A", 1, "callback", "1", "k", "test", 5, {}});
  batch.messages.push_back({"A", 2, "other", "2", "", "test", 6, {}});
  batch.messages.push_back({"A", 3, "callback", "3", "", "test", 7, {}});
  ASSERT_TRUE(store->commit(batch));
  EXPECT_EQ((*store->next_message("A", "callback", 0))->payload, "1");
  EXPECT_EQ((*store->next_message("A", "callback", 1))->payload, "3");
  EXPECT_EQ(*store->next_message("B", "callback", 0), std::nullopt);
  EXPECT_EQ(store->message_counts("A")->last, 3u);
  EXPECT_EQ(store->message_counts("A")->kept, 3u);
  EXPECT_EQ(store->message_counts("B")->last, 0u);
  EXPECT_TRUE(*store->has_message("A", "k"));
  EXPECT_FALSE(*store->has_message("A", "")) << "no key is no key";
  Batch taken;
  taken.taken.push_back({"A", 1, 4});
  ASSERT_TRUE(store->commit(taken));
  EXPECT_EQ((*store->next_message("A", "callback", 0))->payload, "3");
  EXPECT_EQ(store->message_counts("A")->kept, 2u);
  EXPECT_TRUE(*store->has_message("A", "k")) << "also when it was taken";
  Batch again;
  again.messages.push_back({"A", 4, "callback", "1", "k", "test", 5, {}});
  EXPECT_FALSE(store->commit(again));
}

TEST(Store, WakesWhatIsAsleepAndNothingElse) {
  auto store = memory();
  Batch batch;
  for (const char* id : {"A", "B"}) batch.runs.push_back(run_row(id));
  batch.asleep.push_back({.run = "A", .wake_us = kNever, .sequence = 1, .frozen = "a"});
  ASSERT_TRUE(store->commit(batch));
  Batch due;
  due.due = {{"A", 20}, {"B", 20}, {"C", 20}};
  ASSERT_TRUE(store->commit(due));
  EXPECT_EQ(*store->next_wake_us(), 20);
  EXPECT_EQ((*store->run("B"))->wake_us, 0) << "it is awake";
}

TEST(Store, ForgetsOldKeysAndKeepsNoMoreThanAsked) {
  auto store = memory();
  Batch batch;
  for (int i = 0; i < 10; ++i) batch.seen.push_back({"contoso", "t", std::to_string(i), i});
  ASSERT_TRUE(store->commit(batch));
  Batch forget;
  forget.forget.push_back({"contoso", "t", 3, 4});
  ASSERT_TRUE(store->commit(forget));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(*store->is_seen("contoso", "t", std::to_string(i)), i >= 6) << i;
}

TEST(Store, CountsACallOnceAndByTheTimeItWentOutLast) {
  auto store = memory();
  const auto calls_after = [&store](const char* tenant, std::int64_t after_us) {
    std::string text;
    const auto rows = store->counted_calls(tenant, "isolate", "defender.isolate", after_us);
    for (const CountedCallRow& row : *rows)
      text += row.run + "/" + std::to_string(row.call) + "@" + std::to_string(row.time_us) + " ";
    return text;
  };
  const auto counted = [](const std::string& tenant, const std::string& run, std::int64_t time_us) {
    return CountedCallRow{tenant, "isolate", "defender.isolate", run, 1, time_us, time_us + 100};
  };
  Batch batch;
  batch.counted = {counted("contoso", "A", 5), counted("contoso", "B", 6), counted("fabrikam", "C", 7)};
  ASSERT_TRUE(store->commit(batch));
  EXPECT_EQ(calls_after("contoso", 0), "A/1@5 B/1@6 ");
  EXPECT_EQ(calls_after("contoso", 5), "B/1@6 ") << "later ones only";
  EXPECT_EQ(calls_after("fabrikam", 0), "C/1@7 ");
  Batch again;
  again.counted = {counted("contoso", "A", 9)};
  again.uncounted = {counted("contoso", "B", 0), counted("contoso", "unknown", 0)};
  ASSERT_TRUE(store->commit(again));
  EXPECT_EQ(calls_after("contoso", 0), "A/1@9 ");
  Batch later;
  later.counted = {counted("contoso", "D", 200)};
  ASSERT_TRUE(store->commit(later));
  EXPECT_EQ(calls_after("contoso", 0), "D/1@200 ") << "what no limit needs any more is gone";
}

TEST(Store, CountsWhatWasUsedOfTheQuotas) {
  auto store = memory();
  Batch batch;
  batch.sent = {{"b", 100, 3}, {"a", 101, 1}};
  batch.rests = {{"a", 50}, {"b", 70}};
  ASSERT_TRUE(store->commit(batch));
  batch.sent = {{"b", 100, 2}, {"b", 102, 1}};
  batch.rests = {{"a", 90}, {"b", 60}};
  ASSERT_TRUE(store->commit(batch));
  const auto told = [&](std::int64_t from) {
    std::string text;
    const auto rows = store->sent_calls(from);
    for (const SentRow& row : *rows)
      text += row.bucket + std::to_string(row.second) + ":" + std::to_string(row.calls) + " ";
    return text;
  };
  EXPECT_EQ(told(0), "a101:1 b100:5 b102:1 ");
  EXPECT_EQ(told(101), "a101:1 b102:1 ");
  ASSERT_EQ(store->rests(70)->size(), 1u) << "the longer one stays";
  EXPECT_EQ(store->rests(70)->front().until_us, 90);
  Batch later;
  later.sent = {{"b", 4000, 1}};
  ASSERT_TRUE(store->commit(later));
  EXPECT_EQ(told(0), "a101:1 b4000:1 ") << "what no quota counts any more is gone";
}

TEST(SqliteStore, KeepsEverythingWhenOpenedAgain) {
  const TemporaryFolder folder;
  Batch batch;
  batch.runs.push_back(run_row("A"));
  ASSERT_TRUE((*SqliteStore::open(folder.file("s.db")))->commit(batch));
  auto again = SqliteStore::open(folder.file("s.db"));
  ASSERT_TRUE(again) << message_of(again);
  EXPECT_TRUE((*again)->run("A")->has_value());
  auto reader = SqliteStore::open_read_only(folder.file("s.db"));
  ASSERT_TRUE(reader) << "people may look while the service runs: " << message_of(reader);
  EXPECT_TRUE((*reader)->run("A")->has_value());
  EXPECT_FALSE((*reader)->commit(batch));
}

TEST(SqliteStore, ASecondWriterIsRefusedAlsoFromAnotherProcess) {
  const TemporaryFolder folder;
  const auto first = SqliteStore::open(folder.file("s.db"));
  ASSERT_TRUE(first);
  EXPECT_NE(message_of(SqliteStore::open(folder.file("s.db")))
                .find("in use by process " + std::to_string(getpid())),
            std::string::npos);
  const pid_t child = fork();
  if (child == 0) _exit(SqliteStore::open(folder.file("s.db")) ? 1 : 0);
  int status = 1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST(SqliteStore, HasOneWriterByWhateverName) {
  const TemporaryFolder folder;
  auto first = SqliteStore::open(folder.file("s.db"));
  ASSERT_TRUE(first);
  std::filesystem::create_symlink(folder.file("s.db"), folder.file("link.db"));
  EXPECT_NE(message_of(SqliteStore::open(folder.file("link.db"))).find("in use by process"),
            std::string::npos);
  std::filesystem::create_hard_link(folder.file("s.db"), folder.file("hard.db"));
  EXPECT_NE(message_of(SqliteStore::open(folder.file("hard.db"))).find("has 2 names"), std::string::npos);
}

TEST(SqliteStore, IsForItsOwnerAlone) {
  const TemporaryFolder folder;
  const mode_t before = umask(0);
  const auto store = SqliteStore::open(folder.file("s.db"));
  EXPECT_TRUE(backup_store(folder.file("s.db"), folder.file("copy.db")));
  umask(before);
  ASSERT_TRUE(store);
  for (const char* const name : {"s.db", "s.db-wal", "s.db-shm", "copy.db"}) {
    const auto rights = std::filesystem::status(folder.file(name)).permissions();
    EXPECT_EQ(static_cast<unsigned>(rights), 0600u) << name;
  }
}

TEST(SqliteStore, TheLockOfADeadProcessIsGone) {
  const TemporaryFolder folder;
  const pid_t child = fork();
  if (child == 0) {
    const auto opened = SqliteStore::open(folder.file("s.db"));
    raise(SIGKILL);
    _exit(opened ? 0 : 1);
  }
  waitpid(child, nullptr, 0);
  const auto opened = SqliteStore::open(folder.file("s.db"));
  EXPECT_TRUE(opened) << message_of(opened);
}

TEST(SqliteStore, SaysWhatIsWrongWithTheFile) {
  const TemporaryFolder folder;
  EXPECT_NE(message_of(SqliteStore::open(folder.file("missing/s.db"))).find("could not be opened"),
            std::string::npos);
  EXPECT_NE(message_of(SqliteStore::open_read_only(folder.file("none.db"))).find("there is no such file"),
            std::string::npos);
  std::ofstream(folder.file("text.db")) << std::string(5000, 'x');
  EXPECT_NE(message_of(SqliteStore::open(folder.file("text.db"))).find("no store of ours"), std::string::npos)
      << message_of(SqliteStore::open(folder.file("text.db")));
  const auto execute = [&folder](const char* name, const char* sql) {
    sqlite3* raw = nullptr;
    sqlite3_open(folder.file(name).c_str(), &raw);
    ASSERT_EQ(sqlite3_exec(raw, sql, nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(raw);
  };
  execute("other.db", "CREATE TABLE t (a)");
  EXPECT_NE(message_of(SqliteStore::open(folder.file("other.db"))).find("another program's"),
            std::string::npos);
  { const auto made = SqliteStore::open(folder.file("newer.db")); }
  execute("newer.db", "PRAGMA user_version = 99");
  EXPECT_NE(message_of(SqliteStore::open(folder.file("newer.db"))).find("it has version 99"),
            std::string::npos);
}

TEST(SqliteStore, AFullStoreFailsTheCommitAndKeepsWhatItHas) {
  const TemporaryFolder folder;
  const auto store = SqliteStore::open(folder.file("s.db"), {.max_bytes = 200'000});
  ASSERT_TRUE(store) << message_of(store);
  Batch small;
  small.runs.push_back(run_row("A"));
  ASSERT_TRUE((*store)->commit(small));
  Batch large;
  large.modules.push_back({"hash", std::string(1'000'000, 'x')});
  const Status status = (*store)->commit(large);
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().message.find("the disk is full"), std::string::npos) << status.error().message;
  EXPECT_TRUE((*store)->run("A")->has_value());
  small.runs[0] = run_row("B");
  EXPECT_TRUE((*store)->commit(small)) << "a smaller one still fits";
}

TEST(SqliteStore, AReadOnlyFileIsRefusedClearly) {
  if (geteuid() == 0) {
    // Root writes everywhere but here.
    const auto opened = SqliteStore::open("/proc/self/s.db");
    ASSERT_FALSE(opened);
    EXPECT_NE(message_of(opened).find("could not be opened"), std::string::npos);
    return;
  }
  const TemporaryFolder folder;
  { const auto made = SqliteStore::open(folder.file("s.db")); }
  std::filesystem::permissions(folder.file("s.db"), std::filesystem::perms::owner_read);
  const auto opened = SqliteStore::open(folder.file("s.db"));
  ASSERT_FALSE(opened);
  EXPECT_NE(message_of(opened).find("read-only"), std::string::npos) << message_of(opened);
}

TEST(SqliteStore, ADeletedFileFailsTheCommit) {
  const TemporaryFolder folder;
  const auto store = SqliteStore::open(folder.file("s.db"));
  ASSERT_TRUE(store);
  Batch batch;
  batch.meta.push_back({"closed", "0"});
  ASSERT_TRUE((*store)->commit(batch));
  std::filesystem::remove(folder.file("s.db"));
  const Status lost = (*store)->commit(batch);
  ASSERT_FALSE(lost);
  EXPECT_NE(lost.error().message.find("deleted or replaced"), std::string::npos) << lost.error().message;
}

TEST(Digest, IsSha256) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(RunIds, FromAMomentOnAreNotBelowItsFirst) {
  FakeClock clock;
  FakeRandom random;
  RunIds ids(clock, random);
  const std::string first = ids.next();
  EXPECT_LE(first_run_id(clock.now), first);
  EXPECT_GT(first_run_id(clock.now + 1000), first);
  EXPECT_EQ(first_run_id(-5), std::string(26, '0'));
}

TEST(RunIds, SortByTimeAndRiseWhenTheClockDoesNot) {
  FakeClock clock;
  FakeRandom random;
  RunIds ids(clock, random);
  std::string last = ids.next();
  EXPECT_EQ(last.size(), 26u);
  for (int i = 0; i < 10'000; ++i) {
    if (i % 1000 == 0) clock.now += i % 2000 == 0 ? kSecondUs : -kSecondUs;
    const std::string next = ids.next();
    ASSERT_LT(last, next);
    last = next;
  }
}

}  // namespace
}  // namespace flow::test
