#include "runtime/sqlite.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

namespace flow::sqlite {

Statement& Statement::bind(int at, std::string_view text) {
  const int code =
      sqlite3_bind_text64(raw_.get(), at, text.data() ? text.data() : "", text.size(), nullptr, SQLITE_UTF8);
  FLOW_CHECK(code == SQLITE_OK, "the statement has this parameter and is reset");
  return *this;
}

Statement& Statement::bind(int at, std::int64_t number) {
  FLOW_CHECK(sqlite3_bind_int64(raw_.get(), at, number) == SQLITE_OK, "the statement has this parameter");
  return *this;
}

Statement& Statement::bind_blob(int at, std::string_view bytes) {
  const int code = sqlite3_bind_blob64(raw_.get(), at, bytes.data(), bytes.size(), nullptr);
  FLOW_CHECK(code == SQLITE_OK, "the statement has this parameter and is reset");
  return *this;
}

void Statement::reset() {
  sqlite3_reset(raw_.get());
  sqlite3_clear_bindings(raw_.get());
}

std::string Statement::text(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(raw_.get(), column));
  const int length = sqlite3_column_bytes(raw_.get(), column);
  return bytes == nullptr ? std::string() : std::string(bytes, static_cast<std::size_t>(length));
}

namespace {

// A file that is not there yet, for its owner alone: a store holds alerts, and the key of the links that
// answer questions. SQLite gives the files beside it the same rights. What is wrong with the place SQLite
// says better.
void make_private(const std::string& path) {
  const int made = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (made >= 0) ::close(made);
}

}  // namespace

Result<Connection> Connection::open(const std::string& path, int flags, const std::string& vfs) {
  if ((flags & SQLITE_OPEN_CREATE) != 0 && vfs.empty() && path != ":memory:") make_private(path);
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags, vfs.empty() ? nullptr : vfs.c_str());
  Connection connection(path, raw);  // SQLite gives a handle even when it fails, for its message
  if (code != SQLITE_OK) return tl::unexpected(connection.problem("open it"));
  sqlite3_extended_result_codes(raw, 1);
  return connection;
}

Status Connection::run(const char* sql) {
  if (sqlite3_exec(raw_.get(), sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return tl::unexpected(problem("set it up"));
}

Result<Statement> Connection::prepare(const char* sql) {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v3(raw_.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &raw, nullptr) != SQLITE_OK)
    return tl::unexpected(problem("prepare a statement"));
  return Statement(raw);
}

Result<std::int64_t> Connection::number(const char* sql) {
  FLOW_TRY(Statement statement, prepare(sql));
  if (statement.step() != SQLITE_ROW) return tl::unexpected(problem("look into it"));
  return statement.number(0);
}

Status Connection::rewrite_log() {
  constexpr sqlite3_int64 kPieceBytes = 1 << 16;  // SQLite's files take less than 128 KiB at once
  sqlite3_file* log = nullptr;
  sqlite3_int64 size = 0;
  if (sqlite3_file_control(raw_.get(), "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) != SQLITE_OK ||
      log == nullptr || log->pMethods == nullptr)
    return {};
  const auto fails = [](int code) { return code != SQLITE_OK; };
  const auto problem = [&] {
    return error(fmt::format("store {}: its log could not be written anew", path_));
  };
  if (fails(log->pMethods->xFileSize(log, &size))) return problem();
  std::string bytes;
  for (sqlite3_int64 at = 0; at < size; at += static_cast<sqlite3_int64>(bytes.size())) {
    bytes.resize(static_cast<std::size_t>(std::min(size - at, kPieceBytes)));
    const int length = static_cast<int>(bytes.size());
    if (fails(log->pMethods->xRead(log, bytes.data(), length, at)) ||
        fails(log->pMethods->xWrite(log, bytes.data(), length, at)))
      return problem();
  }
  if (size > 0 && fails(log->pMethods->xSync(log, SQLITE_SYNC_NORMAL))) return problem();
  return {};
}

void Connection::keep_log() {
  sqlite3_db_config(raw_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

void Connection::watch_log(LogHook& hook) {
  const auto call = [](void* of, sqlite3*, const char*, int pages) {
    (*static_cast<LogHook*>(of))(pages);
    return SQLITE_OK;
  };
  sqlite3_wal_hook(raw_.get(), call, &hook);
}

bool Connection::checkpoint() {
  int in_log = 0, taken = 0;
  const int code = sqlite3_wal_checkpoint_v2(raw_.get(), "main", SQLITE_CHECKPOINT_PASSIVE, &in_log, &taken);
  return code == SQLITE_OK && in_log == taken;
}

Status Connection::finish(Statement& statement, std::string_view doing) {
  const bool is_done = statement.step() == SQLITE_DONE;
  Status status = is_done ? Status() : Status(tl::unexpected(problem(doing)));
  statement.reset();
  return status;
}

Result<std::optional<std::string>> Connection::one_text(Statement& statement) {
  const Use use(statement);
  const int code = statement.step();
  if (code == SQLITE_ROW) return std::optional<std::string>(statement.text(0));
  if (code == SQLITE_DONE) return std::optional<std::string>();
  return tl::unexpected(problem("read it"));
}

// In one step, which reads one moment of a file that others write to; in several it would begin anew with
// each commit of theirs.
Status Connection::copy_into(Connection& target) {
  constexpr int kTries = 100;
  constexpr int kRestMs = 50;
  sqlite3_backup* const copy = sqlite3_backup_init(target.raw_.get(), "main", raw_.get(), "main");
  if (copy == nullptr) return tl::unexpected(target.problem("copy into it"));
  int code = sqlite3_backup_step(copy, -1);
  for (int i = 0; i < kTries && (code == SQLITE_BUSY || code == SQLITE_LOCKED); ++i) {
    sqlite3_sleep(kRestMs);
    code = sqlite3_backup_step(copy, -1);
  }
  sqlite3_backup_finish(copy);  // which leaves its problem in the target
  if (code == SQLITE_DONE) return {};
  const bool is_of_source = (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB;
  return tl::unexpected((is_of_source ? *this : target).problem_of(code, "copy it"));
}

std::uint32_t Connection::changes() const {
  return static_cast<std::uint32_t>(sqlite3_changes(raw_.get()));
}

bool Connection::is_read_only() const {
  return sqlite3_db_readonly(raw_.get(), "main") == 1;
}

bool Connection::has_moved() {
  int moved = 0;
  return sqlite3_file_control(raw_.get(), "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved != 0;
}

Error Connection::problem(std::string_view doing) const {
  const int code = raw_ ? sqlite3_extended_errcode(raw_.get()) : SQLITE_NOMEM;
  return problem_of(code, doing, raw_ ? sqlite3_errmsg(raw_.get()) : "out of memory");
}

Error Connection::problem_of(int extended, std::string_view doing, const char* message) const {
  const int code = extended & 0xff;
  std::string_view hint;
  if (code == SQLITE_FULL) hint = ": the disk is full, or the store's size limit is reached";
  if (code == SQLITE_READONLY) hint = ": the file or its folder is read-only";
  if (code == SQLITE_CANTOPEN) hint = ": is the folder there, and may this user write in it?";
  if (code == SQLITE_CORRUPT) hint = ": the file is damaged; restore it from a backup";
  if (code == SQLITE_NOTADB) hint = ": this is no store of ours, or it is damaged";
  if (code == SQLITE_IOERR) hint = ": reading or writing the disk failed";
  return Error{fmt::format("store {}: could not {} ({}){}", path_, doing,
                           message != nullptr ? message : sqlite3_errstr(extended), hint)};
}

}  // namespace flow::sqlite
