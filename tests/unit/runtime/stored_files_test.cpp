// Files that older versions of the store wrote, kept as SQL under tests/replay: each is brought up to today's
// tables, and everything in it is found as it was. tests/replay/README.md says how a version is added.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "fakes.hpp"
#include "live.hpp"
#include "recorded_flows.hpp"
#include "runtime/audit_check.hpp"
#include "runtime/digest.hpp"
#include "runtime/sqlite.hpp"
#include "stored_run.hpp"

namespace flow::test {
namespace {

namespace fs = std::filesystem;

const fs::path kReplay = fs::path(FLOW_SOURCE_DIR) / "tests/replay";

std::string read_bytes(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::vector<std::string> texts(sqlite::Connection& connection, const std::string& query) {
  auto statement = connection.prepare(query.c_str());
  FLOW_CHECK(statement, "the tables of a store can be read");
  std::vector<std::string> found;
  while (statement->step() == SQLITE_ROW) found.push_back(statement->text(0));
  return found;
}

// The SQL that makes this file.
std::string sql_of(const std::string& path) {
  auto opened = sqlite::Connection::open(path, SQLITE_OPEN_READONLY);
  FLOW_CHECK(opened, "a store that was written can be read");
  std::string sql;
  for (const char* pragma : {"application_id", "user_version"})
    sql += fmt::format("PRAGMA {} = {};\n", pragma, texts(*opened, fmt::format("PRAGMA {}", pragma)).at(0));
  for (const std::string& made : texts(*opened, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL"))
    sql += made + ";\n";
  for (const std::string& table : texts(*opened, "SELECT name FROM sqlite_schema WHERE type = 'table'")) {
    const std::string columns =
        texts(*opened, fmt::format("SELECT group_concat('quote(' || name || ')', ' || '', '' || ') "
                                   "FROM pragma_table_info('{}')",
                                   table))
            .at(0);
    for (const std::string& row : texts(*opened, fmt::format("SELECT {} FROM {} ORDER BY 1", columns, table)))
      sql += fmt::format("INSERT INTO {} VALUES ({});\n", table, row);
  }
  return sql;
}

// A store with something in each table: a run that is asleep, and one of those kept as journals.
void write_this_version() {
  const TemporaryFolder temporary;
  const fs::path journals = kReplay / ("journal-" + std::to_string(kJournalVersion));
  {
    const auto store = SqliteStore::open(temporary.file("store.db"));
    ASSERT_TRUE(store);
    Live live;
    live.bench.random = FakeRandom(2);  // or its ID would be that of the other
    live.bench.world.add_alert("asleep", live.bench.clock.now + kSecondUs);
    ASSERT_TRUE(live.boot(flow_that_waits(), store->get()) && live.pass(kMinuteUs + kSecondUs));
    live.runtime.reset();
    put(**store, stored_run_from(read_bytes(journals / "failure-waiting.journal")),
        read_bytes(journals / "failure.flowc"));
    Batch batch;
    batch.cursors = {{"contoso", "defender.alert.new", 17, 4}};
    batch.seen = {{"contoso", "defender.alert.new", "da1", 16}};
    batch.once = {{"contoso", "isolate", "m-da1", 5, 3600}};
    QuestionRow question;
    question.id = "01-3";
    question.run = "01";
    question.call = 3;
    question.people = {"ann@contoso.com"};
    question.options = {"approve", "refuse"};
    batch.questions = {question};
    batch.tellings = {{"01-3", 0, TellingRow::State::Failed, 5, "no such mailbox"}};
    batch.messages = {{"01", 1, "callback", "{}", "k", "test", 5, {}}};
    batch.sent = {{"contoso\ndefender\ndefault", 5, 3}};
    batch.rests = {{"contoso\ndefender\ndefault", 7}};
    batch.modules = {{sha256_hex("kept"), "kept", "conditions"}};
    batch.states = {{"contoso", "defender.alert.updated", "da1", 16, R"({"id":"da1"})"}};
    ASSERT_TRUE((*store)->commit(batch));
  }
  const fs::path folder = kReplay / ("store-" + std::to_string(kStoreVersion));
  fs::create_directories(folder);
  std::ofstream(folder / "store.sql", std::ios::binary) << sql_of(temporary.file("store.db"));
}

// `version` is that of the store that wrote it.
void expect_what_was_written(SqliteStore& store, int version) {
  const auto unfinished = store.unfinished_runs("", 10);
  ASSERT_TRUE(unfinished) << unfinished.error().message;
  ASSERT_EQ(unfinished->size(), 1u);
  const StoredRun run = take(store, unfinished->front().id);
  EXPECT_EQ(run.row.state, RunState::Running);
  EXPECT_EQ(run.row.flow, "isolate");
  EXPECT_EQ(run.row.trigger, "defender.alert.new");
  const auto module = store.module(run.row.module);
  ASSERT_TRUE(module && *module);
  EXPECT_EQ(sha256_hex(**module), run.row.module);
  EXPECT_EQ(run.journal.size(), 5u);
  EXPECT_EQ(told(run, **module).find("damaged"), std::string::npos);
  EXPECT_TRUE(store.run_of("contoso", "isolate", "defender.alert.new", "da1").value().has_value());
  EXPECT_TRUE(store.is_seen("contoso", "defender.alert.new", "da1").value());
  EXPECT_FALSE(store.is_seen("contoso", "defender.alert.new", "da2").value());
  const auto cursor = store.cursor("contoso", "defender.alert.new");
  ASSERT_TRUE(cursor && *cursor);
  EXPECT_EQ((*cursor)->watermark_us, 17);
  EXPECT_EQ((*cursor)->floor_us, 4);
  EXPECT_EQ(store.meta("closed").value(), "0");
  EXPECT_EQ(store.once_until("contoso", "isolate", "m-da1").value(), version >= 2 ? 3600 : 0);
  ASSERT_EQ(store.sleepers(kNever - 1, 10)->size(), version >= 3 ? 1u : 0u);
  EXPECT_EQ(store.list_questions({})->size(), version >= 5 ? 1u : 0u);
  EXPECT_EQ(store.tellings("01-3")->size(), version >= 5 ? 1u : 0u);
  EXPECT_EQ(store.has_message("01", "k").value(), version >= 5);
  EXPECT_EQ(store.sent_calls(0)->size(), version >= 6 ? 1u : 0u);
  EXPECT_EQ(store.rests(0)->size(), version >= 6 ? 1u : 0u);
  EXPECT_EQ(store.audit(0, 1)->size(), version >= 6 ? 1u : 0u);
  EXPECT_EQ(store.last_state("contoso", "defender.alert.updated", "da1")->has_value(), version >= 7);
  EXPECT_EQ(store.conditions_of(sha256_hex("kept"))->value_or(""), version >= 8 ? "conditions" : "");
  const auto trail = check_audit(store);
  ASSERT_TRUE(trail) << trail.error().message;
  EXPECT_FALSE(trail->problem) << trail->problem->text;
}

// Today's runtime takes up what it finds, the sleeper from its frozen state.
void expect_all_to_end(SqliteStore& store, int version) {
  Live live;
  live.bench.clock.now += kMinuteUs + kSecondUs;
  ASSERT_TRUE(live.boot(flow_that_waits(), &store) && live.pass(65 * kMinuteUs));
  const auto runs = store.list_runs({});
  ASSERT_TRUE(runs);
  EXPECT_EQ(runs->size(), version >= 3 ? 2u : 1u);
  for (const RunRow& run : *runs) EXPECT_EQ(run.state, RunState::Finished) << run.key << ": " << run.reason;
  EXPECT_EQ(live.bench.observer.count(HealthEvent::Kind::FrozenUnusable), 0u);
  EXPECT_EQ(live.bench.world.count("defender.isolate"), 1u);
}

TEST(Replay, StoresOfAllVersionsAreBroughtUpToDate) {
  if (std::getenv("FLOW_UPDATE") != nullptr) write_this_version();
  for (int version = 1; version <= kStoreVersion; ++version) {
    SCOPED_TRACE(testing::Message() << "store version " << version);
    const fs::path path = kReplay / ("store-" + std::to_string(version)) / "store.sql";
    ASSERT_TRUE(fs::exists(path)) << path;
    const TemporaryFolder temporary;
    const std::string file = temporary.file("store.db");
    {
      auto raw = sqlite::Connection::open(file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
      ASSERT_TRUE(raw) << raw.error().message;
      const Status made = raw->run(read_bytes(path).c_str());
      ASSERT_TRUE(made) << made.error().message;
      EXPECT_EQ(raw->number("PRAGMA user_version").value(), version);
    }
    {
      const auto store = SqliteStore::open(file);
      ASSERT_TRUE(store) << store.error().message;
      expect_what_was_written(**store, version);
    }
    {  // Now it is one of today's, which those who only look can open too.
      const auto store = SqliteStore::open_read_only(file);
      ASSERT_TRUE(store) << store.error().message;
      expect_what_was_written(**store, version);
    }
    const auto store = SqliteStore::open(file);
    ASSERT_TRUE(store) << store.error().message;
    expect_all_to_end(**store, version);
  }
}

}  // namespace
}  // namespace flow::test
