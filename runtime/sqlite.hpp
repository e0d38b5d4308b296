// The little of SQLite's C interface that the store needs, with owners and Results. Only sqlite*.cpp include
// it.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace flow::sqlite {

// A prepared statement, used again and again: bind from 1 on, step, reset.
class Statement {
 public:
  Statement() = default;
  explicit Statement(sqlite3_stmt* raw) : raw_(raw, &sqlite3_finalize) {}

  Statement& bind(int at, std::string_view text);  // `text` must live until reset()
  Statement& bind(int at, std::int64_t number);
  Statement& bind_blob(int at, std::string_view bytes);
  // SQLITE_ROW, SQLITE_DONE or an error code.
  int step() { return sqlite3_step(raw_.get()); }
  void reset();

  std::string text(int column) const;
  std::int64_t number(int column) const { return sqlite3_column_int64(raw_.get(), column); }

 private:
  std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> raw_{nullptr, &sqlite3_finalize};
};

// Resets at the end of a scope, so that no statement keeps a read transaction open.
class Use {
 public:
  explicit Use(Statement& statement) : statement_(statement) {}
  ~Use() { statement_.reset(); }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;

 private:
  Statement& statement_;
};

class Connection {
 public:
  // `flags` are SQLITE_OPEN_…. Foreign files, missing folders and lacking rights are told apart in the Error.
  // `vfs` is the name of a registered one; empty: SQLite's own.
  static Result<Connection> open(const std::string& path, int flags, const std::string& vfs = {});

  Status run(const char* sql);  // one or several statements without results
  Result<Statement> prepare(const char* sql);
  Result<std::int64_t> number(const char* sql);  // the first column of the first row
  // Writes the write-ahead log, as it can be read, to the disk once more. After a sync that failed the system
  // may show what was never written, and takes no second sync for a reason to write it.
  Status rewrite_log();
  void keep_log();  // closing leaves the log as it is
  // Is called with the number of pages in the log after each commit, in place of what SQLite does by itself.
  // It must stay where it is as long as the connection.
  using LogHook = std::function<void(int pages)>;
  void watch_log(LogHook& hook);
  // From the log to the file, as far as readers let it. Whether all was taken; one that fails changes
  // nothing.
  bool checkpoint();
  // Runs a statement that gives no rows, and resets it. `doing` is for the Error: `create a run`.
  Status finish(Statement& statement, std::string_view doing);
  Result<std::optional<std::string>> one_text(Statement& statement);  // of the first row, if any
  Status copy_into(Connection& target);                               // all of it, as it is at this moment
  std::uint32_t changes() const;  // rows that the last statement wrote or removed
  bool is_read_only() const;
  bool has_moved();  // the file is no longer where it was opened
  const std::string& path() const { return path_; }
  Error problem(std::string_view doing) const;  // what the last failed call complained of, for a person

 private:
  Error problem_of(int code, std::string_view doing, const char* message = nullptr) const;
  Connection(std::string path, sqlite3* raw) : path_(std::move(path)), raw_(raw, &sqlite3_close_v2) {}

  std::string path_;
  std::unique_ptr<sqlite3, int (*)(sqlite3*)> raw_;
};

}  // namespace flow::sqlite
