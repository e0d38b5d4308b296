// The disk that fails, and the store on it: whatever is told to be durable is found again, whole.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "faulty_disk.hpp"
#include "invariants.hpp"
#include "runtime/sqlite_store.hpp"

namespace flow::test {
namespace {

constexpr const char* kPath = "flow.db";

Result<std::unique_ptr<SqliteStore>> open(const FaultyDisk& disk) {
  return SqliteStore::open(kPath, {.max_bytes = 0, .vfs = disk.vfs()});
}

// The first `count` notes, each in a commit of its own; how many were committed.
int write_notes(SqliteStore& store, int from, int count) {
  for (int i = from; i < from + count; ++i) {
    Batch batch;
    batch.meta.push_back({fmt::format("note {}", i), std::string(700, 'n')});
    if (!store.commit(batch)) return i - from;
  }
  return count;
}

void expect_notes(SqliteStore& store, int count) {
  for (int i = 0; i < count; ++i) {
    const auto note = store.meta(fmt::format("note {}", i));
    EXPECT_TRUE(note && *note) << "note " << i << " of " << count;
  }
}

void expect_sound(const FaultyDisk& disk) {
  Problems problems;
  const auto copy = disk.copy();
  check_disk(copy->vfs(), kPath, {}, problems);
  for (const std::string& problem : problems) ADD_FAILURE() << problem;
}

TEST(Disk, LosesWhatWasNotSynced) {
  int lost = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    FaultyDisk disk(seed);
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open_v2(kPath, &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, disk.vfs().c_str()),
              SQLITE_OK);
    sqlite3_exec(raw, "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; CREATE TABLE t (a);", nullptr,
                 nullptr, nullptr);
    for (int i = 0; i < 10; ++i)
      sqlite3_exec(raw, "INSERT INTO t VALUES (randomblob(3000))", nullptr, nullptr, nullptr);
    disk.crash();
    sqlite3_close_v2(raw);
    disk.restart(true);
    ASSERT_EQ(sqlite3_open_v2(kPath, &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, disk.vfs().c_str()),
              SQLITE_OK);
    sqlite3_stmt* count = nullptr;
    const bool is_table = sqlite3_prepare_v2(raw, "SELECT count(*) FROM t", -1, &count, nullptr) == SQLITE_OK;
    lost += !is_table || sqlite3_step(count) != SQLITE_ROW || sqlite3_column_int(count, 0) < 10;
    sqlite3_finalize(count);
    sqlite3_close_v2(raw);
  }
  EXPECT_GT(lost, 5) << "a disk that loses nothing tests nothing";
}

TEST(Disk, AStoreIsWholeWhateverWriteIsTheLast) {
  std::uint64_t change = 1;
  for (bool has_died = true; has_died; ++change) {
    ASSERT_LT(change, 3'000u);
    for (const bool has_lost_power : {false, true}) {
      SCOPED_TRACE(fmt::format("change {}{}", change, has_lost_power ? ", power lost" : ""));
      FaultyDisk disk(change);
      disk.crash_in(change);
      int committed = 0;
      {
        const auto store = open(disk);
        if (store) committed = write_notes(**store, 0, 20);
      }
      has_died = disk.is_down();
      disk.crash();
      disk.restart(has_lost_power);
      expect_sound(disk);
      const auto store = open(disk);
      ASSERT_TRUE(store) << store.error().message;
      expect_notes(**store, committed);
      EXPECT_EQ(write_notes(**store, committed, 5), 5);
      ASSERT_FALSE(HasFailure());
    }
  }
  EXPECT_GT(change, 60u);
}

// Linux tells of a failed sync once, and holds the pages for written afterwards: what the next process reads
// may not be on the disk, and a sync that works does not put it there.
TEST(Disk, WhatAFailedSyncLeftIsWrittenAnewByTheNextProcess) {
  int failures = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    FaultyDisk disk(seed);
    int committed = 0;
    {
      const auto store = open(disk);
      ASSERT_TRUE(store);
      committed = write_notes(**store, 0, static_cast<int>(seed % 7));
      disk.set_faults({.sync_error = 3});
      committed += write_notes(**store, committed, 20);
      disk.set_faults({});
    }  // it closes in good order, as a service does whose store has failed
    failures += disk.counts().sync_errors > 0;
    {
      const auto store = open(disk);
      ASSERT_TRUE(store) << store.error().message;
      expect_notes(**store, committed);
      committed = 0;
      while (true) {
        const auto note = (*store)->meta(fmt::format("note {}", committed));
        if (!note || !*note) break;
        ++committed;
      }
      committed += write_notes(**store, committed, 3);
      disk.crash();
    }
    disk.restart(true);
    expect_sound(disk);
    const auto store = open(disk);
    ASSERT_TRUE(store) << store.error().message;
    expect_notes(**store, committed);
    ASSERT_FALSE(HasFailure());
  }
  EXPECT_GT(failures, 150);
}

TEST(Disk, AFullDiskIsAClearErrorAndTheStoreGoesOnWhenThereIsSpace) {
  FaultyDisk disk(1);
  int committed = 0;
  {
    const auto store = open(disk);
    ASSERT_TRUE(store);
    disk.set_faults({.space_bytes = disk.used_bytes() + 20'000});
    committed = write_notes(**store, 0, 100);
    EXPECT_LT(committed, 100);
    Batch batch;
    batch.meta.push_back({"one more", std::string(700, 'n')});
    const Status full = (*store)->commit(batch);
    ASSERT_FALSE(full);
    EXPECT_NE(full.error().message.find("the disk is full"), std::string::npos) << full.error().message;
  }
  disk.set_faults({});
  const auto store = open(disk);
  ASSERT_TRUE(store) << store.error().message;
  expect_notes(**store, committed);
  EXPECT_EQ(write_notes(**store, committed, 100), 100);
}

}  // namespace
}  // namespace flow::test
