// What a disk and people do to the file of a store: each gives a clear error, and nothing that was committed
// is lost or damaged.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "fakes.hpp"
#include "faulty_disk.hpp"
#include "runtime/digest.hpp"
#include "runtime/sqlite.hpp"
#include "runtime/sqlite_care.hpp"

namespace flow::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string run_id(int number) {
  return fmt::format("01J{:023}", number);
}

// A run that has ended, whole in every respect.
Batch ended_run(int number, std::size_t bytes = 100) {
  Batch batch;
  batch.modules.push_back({sha256_hex("module"), "module"});
  RunRow row;
  row.id = run_id(number);
  row.tenant = "contoso";
  row.flow = "isolate";
  row.module = batch.modules[0].hash;
  row.trigger = "defender.alert.new";
  row.key = row.id;
  row.state = RunState::Finished;
  row.created_us = kStartUs;
  row.ended_us = kStartUs + 1;
  const std::string event = fmt::format(R"({{"filler":"{}"}})", std::string(bytes, 'x'));
  const auto add = [&](std::uint32_t sequence, const Entry& entry) {
    batch.journal.push_back(
        {row.id, sequence, static_cast<int>(kind_of(entry)), kStartUs, encode_entry(entry)});
  };
  add(0, StartedEntry{event});
  add(1, EndedEntry{Ended{Ended::How::Finished, "", {}, 3}});
  batch.audit.push_back({.kind = AuditKind::Ended, .time_us = kStartUs, .run = row.id});
  batch.runs.push_back(std::move(row));
  return batch;
}

void change_by_hand(const std::string& path, const std::string& sql) {
  auto raw = sqlite::Connection::open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  ASSERT_TRUE(raw) << raw.error().message;
  const Status done = raw->run(sql.c_str());
  ASSERT_TRUE(done) << done.error().message;
}

void expect_sound(const std::string& path, std::uint64_t runs) {
  const auto report = check_store(path);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->findings, std::vector<std::string>());
  EXPECT_EQ(report->runs, runs);
}

class StoreFaults : public ::testing::Test {
 protected:
  void fill(int runs, std::size_t bytes = 100) {
    const auto store = SqliteStore::open(path);
    ASSERT_TRUE(store) << store.error().message;
    for (int i = 0; i < runs; ++i) {
      Batch run = ended_run(i, bytes), end;  // entries of one commit share a row of the journal
      end.journal.push_back(run.journal.back());
      run.journal.pop_back();
      ASSERT_TRUE((*store)->commit(run));
      ASSERT_TRUE((*store)->commit(end));
    }
  }
  // Writes garbage over the page that holds this text.
  void damage_page_with(const std::string& text) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    const std::size_t at = bytes.find(text);
    ASSERT_NE(at, std::string::npos);
    file.clear();
    file.seekp(static_cast<std::streamoff>(at / 4096 * 4096));
    file << std::string(4096, '\x5a');
  }

  TemporaryFolder folder;
  std::string path = folder.file("s.db");
};

TEST_F(StoreFaults, AFailedWriteFailsTheCommitAndTheNextGoesOn) {
  const std::pair<FaultyDisk::Fault, const char*> faults[] = {
      {FaultyDisk::Fault::Full, "the disk is full"},
      {FaultyDisk::Fault::Write, "reading or writing the disk failed"},
      {FaultyDisk::Fault::Sync, "reading or writing the disk failed"}};
  FaultyDisk disk;
  int number = 0;
  const auto store = SqliteStore::open(path);
  ASSERT_TRUE(store) << store.error().message;
  ASSERT_TRUE((*store)->commit(ended_run(number++)));
  for (const auto& [fault, words] : faults) {
    disk.fail(fault);
    const Status failed = (*store)->commit(ended_run(number, 100'000));
    ASSERT_FALSE(failed);
    EXPECT_THAT(failed.error().message, HasSubstr(words));
    EXPECT_THAT(failed.error().message, HasSubstr(path));
    EXPECT_EQ(*(*store)->run(run_id(number)), std::nullopt) << "nothing of it was written";
    disk.fail(FaultyDisk::Fault::None);
    const Status again = (*store)->commit(ended_run(number++));
    EXPECT_TRUE(again) << again.error().message;
  }
  expect_sound(path, 4);
}

TEST_F(StoreFaults, AReadThatFailsIsNoEmptyAnswer) {
  fill(20, 20'000);
  FaultyDisk disk;
  const auto store = SqliteStore::open_read_only(path);
  ASSERT_TRUE(store) << store.error().message;
  disk.fail(FaultyDisk::Fault::Read);
  const auto journal = (*store)->journal(run_id(7), 0);
  ASSERT_FALSE(journal);
  EXPECT_THAT(journal.error().message, HasSubstr("reading or writing the disk failed"));
}

TEST_F(StoreFaults, AReadOnlyFileIsRefusedToAWriter) {
  fill(1);
  FaultyDisk disk;
  disk.make_read_only(true);
  const auto opened = SqliteStore::open(path);
  std::string said = opened ? "" : opened.error().message;
  if (opened) said = (*opened)->commit(ended_run(1)).error().message;
  EXPECT_THAT(said, HasSubstr("read-only"));
  disk.make_read_only(false);
  expect_sound(path, 1);
}

TEST_F(StoreFaults, ADamagedPageIsSaidAndHarmsOnlyItself) {
  fill(200, 1'000);
  damage_page_with(run_id(150));  // a page of some table
  const auto report = check_store(path);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_FALSE(report->findings.empty());
  const auto store = SqliteStore::open(path);
  if (!store) {
    EXPECT_THAT(store.error().message, HasSubstr("damaged"));
    return;
  }
  int failed = 0, read = 0;
  for (int i = 0; i < 200; ++i) {
    const auto journal = (*store)->journal(run_id(i), 0);
    ++(journal && journal->size() == 2 ? read : failed);
    if (journal) continue;
    EXPECT_THAT(journal.error().message, HasSubstr("damaged; restore it from a backup"));
  }
  EXPECT_GT(read, 0);
  const Status copied = backup_store(path, folder.file("copy.db"));
  ASSERT_FALSE(copied) << "a copy of something damaged would take the place of a good one";
  EXPECT_THAT(copied.error().message, HasSubstr("damaged"));
  EXPECT_FALSE(fs::exists(folder.file("copy.db")));
  EXPECT_FALSE(fs::exists(folder.file("copy.db.part")));
}

TEST_F(StoreFaults, ATruncatedFileIsSaid) {
  fill(200, 1'000);
  fs::resize_file(path, fs::file_size(path) / 2 / 4096 * 4096);
  const auto report = check_store(path);
  EXPECT_TRUE(!report || !report->findings.empty());
  const auto store = SqliteStore::open(path);
  bool is_said = !store;
  if (store)
    for (int i = 0; i < 200 && !is_said; ++i) is_said = !(*store)->journal(run_id(i), 0);
  EXPECT_TRUE(is_said);
  fs::resize_file(path, 100);  // not even a page
  const auto stump = SqliteStore::open(path);
  ASSERT_FALSE(stump);
  EXPECT_THAT(stump.error().message, HasSubstr("damaged"));
}

// What a process that died had committed is in the file beside it, and is found.
TEST_F(StoreFaults, AWriteAheadLogLeftBehindIsTakenUp) {
  const pid_t child = fork();
  if (child == 0) {
    const auto store = SqliteStore::open(path);
    bool done = store.has_value();
    for (int i = 0; i < 50 && done; ++i) done = (*store)->commit(ended_run(i)).has_value();
    raise(SIGKILL);
    _exit(1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  ASSERT_TRUE(fs::exists(path + "-wal"));
  {
    const auto store = SqliteStore::open(path);
    ASSERT_TRUE(store) << store.error().message;
    EXPECT_EQ((*store)->list_runs({})->size(), 50u);
  }
  expect_sound(path, 50);
}

// The end of such a log may be torn: all that was committed before counts.
TEST_F(StoreFaults, ATornWriteAheadLogEndsAtItsLastWholeCommit) {
  const pid_t child = fork();
  if (child == 0) {
    const auto store = SqliteStore::open(path);
    for (int i = 0; i < 50 && store; ++i) static_cast<void>((*store)->commit(ended_run(i)));
    raise(SIGKILL);
    _exit(1);
  }
  waitpid(child, nullptr, 0);
  fs::resize_file(path + "-wal", fs::file_size(path + "-wal") - 1000);
  std::size_t runs = 0;
  {
    const auto store = SqliteStore::open(path);
    ASSERT_TRUE(store) << store.error().message;
    runs = (*store)->list_runs({})->size();
  }
  EXPECT_EQ(runs, 49u);
  expect_sound(path, runs);
}

TEST_F(StoreFaults, AFileThatWasReplacedFailsTheCommitAndIsLeftAlone) {
  fill(3);
  const auto store = SqliteStore::open(path);
  ASSERT_TRUE(store);
  std::ofstream(folder.file("other.db")) << "somebody's";
  fs::rename(folder.file("other.db"), path);
  const Status lost = (*store)->commit(ended_run(9));
  ASSERT_FALSE(lost);
  EXPECT_THAT(lost.error().message, HasSubstr("deleted or replaced"));
  EXPECT_FALSE((*store)->prune_runs({.ended_before_us = kNever, .after = ""})) << "this writes, too";
  std::ifstream other(path);
  std::string text;
  other >> text;
  EXPECT_EQ(text, "somebody's");
}

TEST_F(StoreFaults, AServiceThatCannotWriteEndsAndTheNextGoesOn) {
  FaultyDisk disk;
  const auto store = SqliteStore::open(path);
  ASSERT_TRUE(store);
  Bench bench;
  for (const char* id : {"da1", "da2"}) bench.world.add_alert(id, bench.clock.now);
  ASSERT_TRUE(bench.boot({}, store->get()));
  bench.world.is_holding = true;
  bench.idle();
  disk.fail(FaultyDisk::Fault::Full);
  bench.world.release();
  const Status ended = bench.runtime->run_until_idle();
  ASSERT_FALSE(ended);
  EXPECT_THAT(ended.error().message, HasSubstr("the disk is full"));
  EXPECT_EQ(bench.world.count("defender.isolate"), 0u) << "nothing goes out that is not written down";
  bench.world.is_holding = false;
  disk.fail(FaultyDisk::Fault::None);
  ASSERT_TRUE(bench.boot({}, store->get()));
  bench.pass(kMinuteUs);
  EXPECT_EQ(bench.world.count("defender.isolate"), 2u);
  EXPECT_EQ(bench.world.most_per_key("defender.isolate"), 1u);
}

// ---- backup, check, migrate

TEST_F(StoreFaults, ABackupIsOfOneMomentWhileAServiceWrites) {
  fill(100, 5'000);
  const auto store = SqliteStore::open(path);
  ASSERT_TRUE(store);
  Status copied;
  std::atomic<bool> is_done = false;
  std::thread copier([&] {
    copied = backup_store(path, folder.file("copy.db"));
    is_done = true;
  });
  int commits = 0;
  while (!is_done) EXPECT_TRUE((*store)->commit(ended_run(1'000 + commits++)));
  copier.join();
  EXPECT_TRUE(copied) << copied.error().message;
  const auto report = check_store(folder.file("copy.db"));
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->findings, std::vector<std::string>());
  EXPECT_GE(report->runs, 100u);
  EXPECT_LE(report->runs, 100u + static_cast<std::uint64_t>(commits));
  EXPECT_FALSE(fs::exists(folder.file("copy.db-wal"))) << "it is one file";
  const Status again = backup_store(path, folder.file("copy.db"));
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().message, HasSubstr("there already"));
}

TEST_F(StoreFaults, ACheckSaysWhichRowsAreWrong) {
  fill(9);
  const auto after = [&](const std::string& sql) {
    fs::copy_file(path, folder.file("c.db"), fs::copy_options::overwrite_existing);
    change_by_hand(folder.file("c.db"), sql);
    const auto report = check_store(folder.file("c.db"));
    EXPECT_TRUE(report);
    return report && !report->findings.empty() ? report->findings.front() : "sound";
  };
  const auto run = [](int number) { return run_id(number); };
  EXPECT_EQ(after("SELECT 1"), "sound");
  EXPECT_THAT(after(fmt::format("DELETE FROM journal WHERE run = '{}' AND sequence = 0", run(3))),
              HasSubstr(fmt::format("run {} has no journal, or one without its beginning", run(3))));
  EXPECT_THAT(after(fmt::format("UPDATE journal SET sequence = 5 WHERE run = '{}' AND sequence = 1", run(3))),
              HasSubstr("has holes"));
  EXPECT_THAT(after(fmt::format("DELETE FROM runs WHERE id = '{}'", run(4))), HasSubstr("no such run"));
  EXPECT_THAT(after(fmt::format("UPDATE runs SET state = 5 WHERE id = '{}'", run(4))),
              HasSubstr("is failed, and by its journal it is finished"));
  EXPECT_THAT(after("UPDATE modules SET bytes = 'other'"), HasSubstr("is not what its name says"));
  EXPECT_THAT(after("DELETE FROM modules"), HasSubstr("is not there: it cannot go on"));
  EXPECT_THAT(after("UPDATE journal SET payload = '{' WHERE sequence = 1"), HasSubstr("entry 1 of run"));
  EXPECT_THAT(after("DELETE FROM audit WHERE number = 5"), HasSubstr("the audit trail: row 5 is missing"));
}

TEST_F(StoreFaults, AMigrationKeepsWhatWasThere) {
  const fs::path old = fs::path(FLOW_SOURCE_DIR) / "tests/replay/store-4/store.sql";
  std::ifstream file(old);
  change_by_hand(path, std::string((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>()));
  const auto done = migrate_store(path);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(done->from, 4);
  EXPECT_EQ(done->to, kStoreVersion);
  EXPECT_EQ(done->backup, path + ".version-4");
  const auto before = check_store(done->backup);
  ASSERT_TRUE(before) << before.error().message;
  EXPECT_EQ(before->version, 4);
  EXPECT_TRUE(SqliteStore::open_read_only(path));
  const auto again = migrate_store(path);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->from, kStoreVersion);
  EXPECT_EQ(again->backup, "");
  change_by_hand(path, "PRAGMA user_version = 99");
  const auto newer = migrate_store(path);
  ASSERT_FALSE(newer);
  EXPECT_THAT(newer.error().message, HasSubstr("it has version 99"));
}

TEST_F(StoreFaults, AMigrationNeedsTheStoreForItself) {
  const auto store = SqliteStore::open(path);
  ASSERT_TRUE(store);
  const auto refused = migrate_store(path);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("in use by process"));
}

}  // namespace
}  // namespace flow::test
