// Entries of a run that share a row: what goes in comes out, and what is damaged is told.
#include "runtime/packed_entries.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "fakes.hpp"

namespace flow::test {
namespace {

std::vector<JournalRow> entries(const std::string& run, std::uint32_t first, std::size_t count) {
  std::vector<JournalRow> rows;
  for (std::size_t i = 0; i < count; ++i)
    rows.push_back({run, first + static_cast<std::uint32_t>(i), 2, kStartUs + static_cast<std::int64_t>(i),
                    "{\"n\":" + std::to_string(i) + "}"});
  return rows;
}

std::vector<std::string> told(const std::vector<JournalRow>& rows) {
  std::vector<std::string> texts;
  for (const JournalRow& row : rows)
    texts.push_back(row.run + " " + std::to_string(row.sequence) + " " + std::to_string(row.kind) + " " +
                    std::to_string(row.time_us - kStartUs) + " " + row.payload);
  return texts;
}

TEST(PackedEntries, WhatGoesInComesOut) {
  std::vector<JournalRow> rows = entries("R", 7, 4);
  rows[1].payload = "two\nlines 1 2 3\n";
  rows[2].payload = std::string("\0 and \xff", 7);
  rows[3].payload = "";
  rows[3].time_us = kStartUs - 5;  // the clock was set back
  std::vector<JournalRow> out;
  ASSERT_TRUE(unpack(pack(rows), "R", 10, kStartUs, out));
  EXPECT_EQ(told(out), told(rows));
}

TEST(PackedEntries, WhatIsLongIsCompressed) {
  std::vector<JournalRow> rows = entries("R", 0, 200), out;
  const Packed packed = pack(rows);
  EXPECT_EQ(packed.kind, kCompressed);
  EXPECT_LT(packed.bytes.size(), 2000u);
  ASSERT_TRUE(unpack(packed, "R", 199, kStartUs, out));
  EXPECT_EQ(told(out), told(rows));
  out.clear();
  rows = entries("R", 0, 1);
  rows[0].payload = std::string(3'000'000, 'x');
  ASSERT_TRUE(unpack(pack(rows), "R", 0, kStartUs, out)) << "one that is long by itself";
  EXPECT_EQ(told(out), told(rows));
  out.clear();
  std::uint32_t chance = 1;
  for (char& c : rows[0].payload) c = static_cast<char>((chance = chance * 1664525 + 1013904223) >> 24);
  EXPECT_EQ(pack(rows).kind, kPacked) << "it would not be shorter";
  ASSERT_TRUE(unpack(pack(rows), "R", 0, kStartUs, out));
  EXPECT_EQ(told(out), told(rows));
}

TEST(PackedEntries, ShareARowWhenTheyAreOfOneRunAndFollowEachOther) {
  std::vector<JournalRow> rows = entries("R", 0, 3);
  rows.push_back({"S", 3, 2, kStartUs, "{}"});
  rows.push_back({"S", 5, 2, kStartUs, "{}"});
  EXPECT_EQ(packable(rows, 0), 3u);
  EXPECT_EQ(packable(rows, 2), 1u) << "the next is another run's";
  EXPECT_EQ(packable(rows, 3), 1u) << "one is missing in between";
  std::vector<JournalRow> long_ones = entries("R", 0, 3);
  long_ones[1].payload = std::string(60'000, 'x');
  long_ones[2].payload = std::string(60'000, 'x');
  EXPECT_EQ(packable(long_ones, 0), 2u);
  long_ones[0].payload = std::string(1'000'000, 'x');
  EXPECT_EQ(packable(long_ones, 0), 1u) << "at least one, however long";
}

TEST(PackedEntries, ADamagedTextIsRefusedWhole) {
  const std::string whole = pack(entries("R", 0, 2)).bytes;
  std::vector<JournalRow> out;
  const auto is_taken = [&](std::string text, std::uint32_t last) {
    return bool(unpack({kPacked, std::move(text)}, "R", last, kStartUs, out));
  };
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const bool is_one_entry = length == whole.size() / 2;  // where one ends the text can be cut off
    EXPECT_EQ(is_taken(whole.substr(0, length), 1), is_one_entry) << length;
  }
  for (const char* text : {"2 0 9999999999999999999\n{}\n", "2 0 -1\n{}\n", "2 0 3\n{}\n", "2 0\n{}\n",
                           "0 0 2\n{}\n", "-2 0 2\n{}\n", "2 9223372036854775807 2\n{}\n", "x", "\n"})
    EXPECT_FALSE(is_taken(text, 1)) << text;
  EXPECT_FALSE(is_taken(whole, 0)) << "two entries where only one can be";
  EXPECT_EQ(out.size(), 1u) << "of what is refused, nothing is taken";
}

TEST(PackedEntries, WhatWasCompressedIsRefusedWhenItIsDamaged) {
  const std::string whole = pack(entries("R", 0, 100)).bytes;
  std::vector<JournalRow> out;
  const auto is_taken = [&](std::string bytes) {
    return bool(unpack({kCompressed, std::move(bytes)}, "R", 99, kStartUs, out));
  };
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_FALSE(is_taken(whole.substr(0, length))) << length;
  for (const char* bytes :
       {"", "5", "\n", "-1\nabc", "0\n", "99999999999\nabc", "268435456\nabc", "100000\nabc"})
    EXPECT_FALSE(is_taken(bytes)) << bytes;
  EXPECT_TRUE(out.empty());
  std::uint32_t chance = 7;  // whatever becomes of a byte, it is read or refused
  for (std::string bytes = whole; chance % 1000 != 0; bytes = whole) {
    chance = chance * 1664525 + 1013904223;
    bytes[chance % bytes.size()] = static_cast<char>(chance >> 16);
    static_cast<void>(is_taken(bytes));
  }
}

std::int64_t number_in(const std::string& path, const char* sql) {
  sqlite3* file = nullptr;
  sqlite3_stmt* statement = nullptr;
  EXPECT_EQ(sqlite3_open(path.c_str(), &file), SQLITE_OK);
  EXPECT_EQ(sqlite3_prepare_v2(file, sql, -1, &statement, nullptr), SQLITE_OK);
  EXPECT_EQ(sqlite3_step(statement), SQLITE_ROW) << sql;
  const std::int64_t number = sqlite3_column_int64(statement, 0);
  sqlite3_finalize(statement);
  sqlite3_close(file);
  return number;
}

TEST(PackedEntries, ARowOfTheStoreHoldsWhatOneCommitAdds) {
  const TemporaryFolder folder;
  const std::string path = folder.file("packed.db");
  auto store = std::move(*SqliteStore::open(path));
  Batch first, second;
  RunRow run;
  run.id = "R";
  first.runs.push_back(run);
  first.journal = entries("R", 0, 5);
  second.journal = entries("R", 5, 1);
  ASSERT_TRUE(store->commit(first));
  ASSERT_TRUE(store->commit(second));
  EXPECT_EQ(number_in(path, "SELECT count(*) FROM journal"), 2);
  EXPECT_EQ(*store->journal_length("R"), 6u);
  EXPECT_EQ(store->journal("R", 0)->size(), 6u);
  const std::vector<JournalRow> rest = *store->journal("R", 3);
  ASSERT_EQ(rest.size(), 3u);
  EXPECT_EQ(rest.front().sequence, 3u);
  EXPECT_EQ(rest.front().payload, "{\"n\":3}");
  for (const std::uint32_t sequence : {0u, 3u, 4u, 5u}) {
    Batch again;
    again.journal = entries("R", sequence, 1);
    EXPECT_FALSE(store->commit(again)) << "entry " << sequence << " is there already, alone or within a row";
  }
  EXPECT_EQ(store->journal("R", 0)->size(), 6u);
}

TEST(PackedEntries, ADamagedRowHarmsItsRunAndNoOther) {
  const TemporaryFolder folder;
  const std::string path = folder.file("packed.db");
  Batch batch;
  batch.journal = entries("R", 0, 3);
  ASSERT_TRUE(std::move(*SqliteStore::open(path))->commit(batch));
  number_in(path, "UPDATE journal SET payload = 'damaged' RETURNING 1");
  const auto store = std::move(*SqliteStore::open(path));
  const auto rows = store->journal("R", 0);
  ASSERT_TRUE(rows) << "the store can be read";
  ASSERT_EQ(rows->size(), 1u);
  EXPECT_EQ(rows->front().kind, kPacked) << "which no entry has: the run is parked";
  EXPECT_EQ(*store->journal_length("R"), 3u);
}

}  // namespace
}  // namespace flow::test
