#include "runtime/sqlite_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "runtime/file_lock.hpp"
#include "runtime/sqlite.hpp"
#include "runtime/sqlite_questions.hpp"
#include "runtime/sqlite_quotas.hpp"
#include "runtime/sqlite_schema.hpp"

namespace flow {
namespace {

using sqlite::Connection;
using sqlite::Statement;
using sqlite::Use;

#define FLOW_RUN_COLUMNS \
  "id, tenant, flow, module, trigger_name, key, state, created_us, ended_us, reason, fault, line, wake_us"

// FULL: a commit is on the disk when it returns. The checkpoint size trades a longer log for fewer stalls.
// The time-out stands first: whoever reads the file while it is opened locks it for a moment.
constexpr const char* kWriterSettings =
    "PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA "
    "wal_autocheckpoint = 4000;"
    "PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 268435456;";
constexpr const char* kReaderSettings = "PRAGMA busy_timeout = 2000; PRAGMA query_only = ON;";

RunRow run_row(const Statement& row) {
  RunRow run;
  run.id = row.text(0);
  run.tenant = row.text(1);
  run.flow = row.text(2);
  run.module = row.text(3);
  run.trigger = row.text(4);
  run.key = row.text(5);
  const std::int64_t state = row.number(6);
  // A state this program does not know is at least shown, and never taken up.
  run.state = state >= 0 && state <= static_cast<std::int64_t>(kLastRunState) ? static_cast<RunState>(state)
                                                                              : RunState::Parked;
  run.created_us = row.number(7);
  run.ended_us = row.number(8);
  run.reason = row.text(9);
  run.fault = row.text(10);
  run.line = static_cast<std::uint32_t>(row.number(11));
  run.wake_us = row.number(12);
  return run;
}

}  // namespace

// The connection with every statement it ever runs, prepared once.
struct SqliteStore::Tables {
  Tables(FileLock held, Connection opened) : lock(std::move(held)), connection(std::move(opened)) {}

  Status prepare_reads();
  Status prepare_writes();
  Status write(const Batch& batch);
  Status finish(Statement& statement, std::string_view doing);
  Status write_runs(const Batch& batch);
  Status write_sleep(const Batch& batch);
  Status write_triggers(const Batch& batch);
  Status write_forgetting(const Batch& batch);
  Status write_counts(const Batch& batch);
  Result<std::vector<RunRow>> runs(Statement& statement);
  Result<std::optional<std::string>> one_text(Statement& statement);

  FileLock lock;  // declared first: released last
  Connection connection;
  sqlite::QuestionTables questions{connection};
  sqlite::QuotaTables quotas{connection};

  Statement begin, commit, rollback;
  Statement add_module, add_run, change_run, add_entry, add_seen, put_cursor, forget_old, forget_rest,
      put_meta, put_once, forget_once, set_wake, put_frozen, forget_frozen, put_counted, remove_counted,
      forget_counted;
  Statement get_module, get_run, find_run, get_journal, get_length, get_unfinished, get_sleepers,
      get_next_wake, get_frozen, get_list, get_cursor, get_seen, get_meta, get_once, get_counted;
};

Status SqliteStore::Tables::prepare_reads() {
  FLOW_TRY(get_module, connection.prepare("SELECT bytes FROM modules WHERE hash = ?"));
  FLOW_TRY(get_run, connection.prepare("SELECT " FLOW_RUN_COLUMNS " FROM runs WHERE id = ?"));
  FLOW_TRY(find_run,
           connection.prepare(
               "SELECT id FROM runs WHERE tenant = ? AND flow = ? AND trigger_name = ? AND key = ?"));
  FLOW_TRY(get_journal,
           connection.prepare(
               "SELECT sequence, kind, time_us, payload FROM journal WHERE run = ? AND sequence >= ?"
               " ORDER BY sequence"));
  FLOW_TRY(get_length, connection.prepare("SELECT max(sequence) + 1 FROM journal WHERE run = ?"));
  FLOW_TRY(get_unfinished, connection.prepare("SELECT " FLOW_RUN_COLUMNS
                                              " FROM runs WHERE state = 0 AND wake_us = 0 AND id > ?"
                                              " ORDER BY id LIMIT ?"));
  FLOW_TRY(get_sleepers, connection.prepare("SELECT " FLOW_RUN_COLUMNS
                                            " FROM runs WHERE state = 0 AND wake_us > 0 AND wake_us <= ?"
                                            " ORDER BY wake_us LIMIT ?"));
  FLOW_TRY(get_next_wake,
           connection.prepare(
               "SELECT wake_us FROM runs WHERE state = 0 AND wake_us > 0 ORDER BY wake_us LIMIT 1"));
  FLOW_TRY(get_frozen, connection.prepare("SELECT runs.wake_us, sequence, bytes FROM frozen"
                                          " JOIN runs ON runs.id = frozen.run WHERE run = ?"));
  FLOW_TRY(
      get_list,
      connection.prepare(
          "SELECT " FLOW_RUN_COLUMNS
          " FROM runs WHERE (?1 = '' OR tenant = ?1) AND (?2 = '' OR flow = ?2) AND (?3 < 0 OR state = ?3)"
          " AND created_us >= ?4 AND (?5 = '' OR id < ?5) ORDER BY id DESC LIMIT ?6"));
  FLOW_TRY(
      get_cursor,
      connection.prepare("SELECT watermark_us, floor_us FROM cursors WHERE tenant = ? AND trigger_name = ?"));
  FLOW_TRY(get_seen,
           connection.prepare("SELECT 1 FROM seen WHERE tenant = ? AND trigger_name = ? AND key = ?"));
  FLOW_TRY(get_once,
           connection.prepare("SELECT until_us FROM once WHERE tenant = ? AND flow = ? AND key = ?"));
  FLOW_TRY(get_counted,
           connection.prepare("SELECT run, call, time_us, until_us FROM counted"
                              " WHERE tenant = ? AND flow = ? AND operation = ? AND time_us > ?"));
  FLOW_TRY(get_meta, connection.prepare("SELECT value FROM meta WHERE key = ?"));
  FLOW_TRY_STATUS(quotas.prepare());
  return questions.prepare();
}

Status SqliteStore::Tables::prepare_writes() {
  FLOW_TRY(begin, connection.prepare("BEGIN IMMEDIATE"));
  FLOW_TRY(commit, connection.prepare("COMMIT"));
  FLOW_TRY(rollback, connection.prepare("ROLLBACK"));
  FLOW_TRY(add_module, connection.prepare("INSERT OR IGNORE INTO modules (hash, bytes) VALUES (?, ?)"));
  FLOW_TRY(add_run, connection.prepare("INSERT INTO runs (" FLOW_RUN_COLUMNS
                                       ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  FLOW_TRY(change_run,
           connection.prepare("UPDATE runs SET state = ?, ended_us = ?, reason = ?, fault = ?, line = ?,"
                              " wake_us = 0 WHERE id = ?"));
  FLOW_TRY(set_wake, connection.prepare("UPDATE runs SET wake_us = ? WHERE id = ?"));
  FLOW_TRY(put_frozen,
           connection.prepare("INSERT OR REPLACE INTO frozen (run, sequence, bytes) VALUES (?, ?, ?)"));
  FLOW_TRY(forget_frozen, connection.prepare("DELETE FROM frozen WHERE run = ?"));
  FLOW_TRY(add_entry,
           connection.prepare(
               "INSERT INTO journal (run, sequence, kind, time_us, payload) VALUES (?, ?, ?, ?, ?)"));
  FLOW_TRY(add_seen,
           connection.prepare(
               "INSERT OR IGNORE INTO seen (tenant, trigger_name, key, time_us) VALUES (?, ?, ?, ?)"));
  FLOW_TRY(put_cursor,
           connection.prepare("INSERT OR REPLACE INTO cursors (tenant, trigger_name, watermark_us, floor_us)"
                              " VALUES (?, ?, ?, ?)"));
  FLOW_TRY(forget_old,
           connection.prepare("DELETE FROM seen WHERE tenant = ? AND trigger_name = ? AND time_us < ?"));
  FLOW_TRY(forget_rest,
           connection.prepare("DELETE FROM seen WHERE tenant = ?1 AND trigger_name = ?2 AND time_us <"
                              " (SELECT time_us FROM seen WHERE tenant = ?1 AND trigger_name = ?2"
                              "  ORDER BY time_us DESC LIMIT 1 OFFSET ?3 - 1)"));
  FLOW_TRY(put_once, connection.prepare(
                         "INSERT OR REPLACE INTO once (tenant, flow, key, until_us) VALUES (?, ?, ?, ?)"));
  // A few at a time: more go than come.
  FLOW_TRY(forget_once,
           connection.prepare("DELETE FROM once WHERE (tenant, flow, key) IN (SELECT tenant, flow,"
                              " key FROM once WHERE until_us < ? ORDER BY until_us LIMIT 4)"));
  FLOW_TRY(put_counted,
           connection.prepare("INSERT OR REPLACE INTO counted (tenant, flow, operation, run, call, time_us,"
                              " until_us) VALUES (?, ?, ?, ?, ?, ?, ?)"));
  FLOW_TRY(remove_counted,
           connection.prepare("DELETE FROM counted WHERE tenant = ? AND flow = ? AND operation = ?"
                              " AND run = ? AND call = ?"));
  FLOW_TRY(forget_counted,
           connection.prepare("DELETE FROM counted WHERE (tenant, flow, operation, run, call) IN (SELECT"
                              " tenant, flow, operation, run, call FROM counted WHERE until_us < ?"
                              " ORDER BY until_us LIMIT 4)"));
  FLOW_TRY(put_meta, connection.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)"));
  return {};
}

Status SqliteStore::Tables::finish(Statement& statement, std::string_view doing) {
  const int code = statement.step();
  const bool is_done = code == SQLITE_DONE;
  Status status = is_done ? Status() : Status(tl::unexpected(connection.problem(doing)));
  statement.reset();
  return status;
}

Status SqliteStore::Tables::write_runs(const Batch& batch) {
  for (const ModuleRow& row : batch.modules) {
    add_module.bind(1, row.hash).bind_blob(2, row.bytes);
    FLOW_TRY_STATUS(finish(add_module, "store a module"));
  }
  for (const RunRow& row : batch.runs) {
    add_run.bind(1, row.id).bind(2, row.tenant).bind(3, row.flow).bind(4, row.module).bind(5, row.trigger);
    add_run.bind(6, row.key).bind(7, static_cast<std::int64_t>(row.state)).bind(8, row.created_us);
    add_run.bind(9, row.ended_us).bind(10, row.reason).bind(11, row.fault).bind(12, std::int64_t{row.line});
    add_run.bind(13, row.wake_us);
    FLOW_TRY_STATUS(finish(add_run, "create a run"));
  }
  for (const RunRow& row : batch.changed_runs) {
    change_run.bind(1, static_cast<std::int64_t>(row.state)).bind(2, row.ended_us).bind(3, row.reason);
    change_run.bind(4, row.fault).bind(5, std::int64_t{row.line}).bind(6, row.id);
    FLOW_TRY_STATUS(finish(change_run, "change a run"));
  }
  for (const JournalRow& row : batch.journal) {
    add_entry.bind(1, row.run).bind(2, std::int64_t{row.sequence}).bind(3, std::int64_t{row.kind});
    add_entry.bind(4, row.time_us).bind(5, row.payload);
    FLOW_TRY_STATUS(finish(add_entry, "append to a journal"));
  }
  return {};
}

Status SqliteStore::Tables::write_sleep(const Batch& batch) {
  for (const std::string& run : batch.awake) {
    set_wake.bind(1, std::int64_t{0}).bind(2, run);
    FLOW_TRY_STATUS(finish(set_wake, "wake a run"));
  }
  for (const SleepRow& row : batch.asleep) {
    set_wake.bind(1, row.wake_us).bind(2, row.run);
    FLOW_TRY_STATUS(finish(set_wake, "put a run to sleep"));
    put_frozen.bind(1, row.run).bind(2, std::int64_t{row.sequence}).bind_blob(3, row.frozen);
    FLOW_TRY_STATUS(finish(put_frozen, "freeze a run"));
  }
  for (const std::string& run : batch.thawed) {
    forget_frozen.bind(1, run);
    FLOW_TRY_STATUS(finish(forget_frozen, "forget what was frozen"));
  }
  return {};
}

Status SqliteStore::Tables::write_triggers(const Batch& batch) {
  for (const SeenRow& row : batch.seen) {
    add_seen.bind(1, row.tenant).bind(2, row.trigger).bind(3, row.key).bind(4, row.time_us);
    FLOW_TRY_STATUS(finish(add_seen, "remember an event"));
  }
  for (const CursorRow& row : batch.cursors) {
    put_cursor.bind(1, row.tenant).bind(2, row.trigger).bind(3, row.watermark_us).bind(4, row.floor_us);
    FLOW_TRY_STATUS(finish(put_cursor, "move a cursor"));
  }
  return {};
}

Status SqliteStore::Tables::write_forgetting(const Batch& batch) {
  for (const ForgetRow& row : batch.forget) {
    forget_old.bind(1, row.tenant).bind(2, row.trigger).bind(3, row.before_us);
    FLOW_TRY_STATUS(finish(forget_old, "forget old events"));
    if (row.keep_at_most == 0) continue;
    forget_rest.bind(1, row.tenant).bind(2, row.trigger).bind(3, std::int64_t{row.keep_at_most});
    FLOW_TRY_STATUS(finish(forget_rest, "forget old events"));
  }
  for (const OnceRow& row : batch.once) {
    forget_once.bind(1, row.taken_us);
    FLOW_TRY_STATUS(finish(forget_once, "forget old keys"));
    put_once.bind(1, row.tenant).bind(2, row.flow).bind(3, row.key).bind(4, row.until_us);
    FLOW_TRY_STATUS(finish(put_once, "take a key"));
  }
  for (const MetaRow& row : batch.meta) {
    put_meta.bind(1, row.key).bind(2, row.value);
    FLOW_TRY_STATUS(finish(put_meta, "note a setting"));
  }
  return {};
}

Status SqliteStore::Tables::write_counts(const Batch& batch) {
  for (const CountedCallRow& row : batch.counted) {
    forget_counted.bind(1, row.time_us);
    FLOW_TRY_STATUS(finish(forget_counted, "forget old calls"));
    put_counted.bind(1, row.tenant).bind(2, row.flow).bind(3, row.operation).bind(4, row.run);
    put_counted.bind(5, std::int64_t{row.call}).bind(6, row.time_us).bind(7, row.until_us);
    FLOW_TRY_STATUS(finish(put_counted, "count a call"));
  }
  for (const CountedCallRow& row : batch.uncounted) {
    remove_counted.bind(1, row.tenant).bind(2, row.flow).bind(3, row.operation).bind(4, row.run);
    remove_counted.bind(5, std::int64_t{row.call});
    FLOW_TRY_STATUS(finish(remove_counted, "give back a call"));
  }
  return {};
}

Status SqliteStore::Tables::write(const Batch& batch) {
  FLOW_TRY_STATUS(write_runs(batch));
  FLOW_TRY_STATUS(write_sleep(batch));
  FLOW_TRY_STATUS(write_triggers(batch));
  FLOW_TRY_STATUS(write_counts(batch));
  FLOW_TRY_STATUS(quotas.write(batch));
  FLOW_TRY_STATUS(questions.write(batch));
  return write_forgetting(batch);
}

Result<std::vector<RunRow>> SqliteStore::Tables::runs(Statement& statement) {
  const Use use(statement);
  std::vector<RunRow> rows;
  int code = statement.step();
  for (; code == SQLITE_ROW; code = statement.step()) rows.push_back(run_row(statement));
  if (code != SQLITE_DONE) return tl::unexpected(connection.problem("read runs"));
  return rows;
}

Result<std::optional<std::string>> SqliteStore::Tables::one_text(Statement& statement) {
  const Use use(statement);
  const int code = statement.step();
  if (code == SQLITE_ROW) return std::optional<std::string>(statement.text(0));
  if (code == SQLITE_DONE) return std::optional<std::string>();
  return tl::unexpected(connection.problem("read it"));
}

SqliteStore::SqliteStore(std::unique_ptr<Tables> tables) : tables_(std::move(tables)) {}
SqliteStore::~SqliteStore() = default;

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::string& path, SqliteOptions options) {
  FileLock lock;
  if (path != ":memory:") {
    FLOW_TRY(lock, FileLock::acquire(path + ".lock"));
  }
  FLOW_TRY(Connection connection,
           Connection::open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX));
  FLOW_TRY_STATUS(connection.run(kWriterSettings));
  if (options.max_bytes > 0) {
    FLOW_TRY(const std::int64_t page_bytes, connection.number("PRAGMA page_size"));
    const std::string limit = fmt::format("PRAGMA max_page_count = {}", options.max_bytes / page_bytes);
    FLOW_TRY_STATUS(connection.run(limit.c_str()));
  }
  FLOW_TRY_STATUS(sqlite::prepare_schema(connection, path, true));
  auto tables = std::make_unique<Tables>(std::move(lock), std::move(connection));
  FLOW_TRY_STATUS(tables->prepare_reads());
  FLOW_TRY_STATUS(tables->prepare_writes());
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(tables)));
}

Result<std::unique_ptr<SqliteStore>> SqliteStore::open_read_only(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored))
    return error(fmt::format("store {}: there is no such file; is the folder there?", path));
  FLOW_TRY(Connection connection, Connection::open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX));
  FLOW_TRY_STATUS(connection.run(kReaderSettings));
  FLOW_TRY_STATUS(sqlite::prepare_schema(connection, path, false));
  auto tables = std::make_unique<Tables>(FileLock(), std::move(connection));
  FLOW_TRY_STATUS(tables->prepare_reads());
  FLOW_TRY_STATUS(tables->prepare_writes());
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(tables)));
}

Result<SqliteStore::Figures> SqliteStore::figures() {
  Connection& connection = tables_->connection;
  Figures figures;
  FLOW_TRY(figures.asleep, connection.number("SELECT count(*) FROM runs WHERE state = 0 AND wake_us > 0"));
  FLOW_TRY(figures.open_questions, connection.number("SELECT count(*) FROM questions WHERE state = 0"));
  FLOW_TRY(const std::int64_t pages, connection.number("PRAGMA page_count"));
  FLOW_TRY(const std::int64_t page_bytes, connection.number("PRAGMA page_size"));
  figures.bytes = pages * page_bytes;
  return figures;
}

Status SqliteStore::commit(const Batch& batch) {
  // SQLite goes on writing to a file that has been deleted; the next process would find nothing of it.
  if (tables_->connection.has_moved())
    return error(fmt::format("store {}: the file was deleted or replaced while it was in use",
                             tables_->connection.path()));
  FLOW_TRY_STATUS(tables_->finish(tables_->begin, "begin a transaction"));
  Status written = tables_->write(batch);
  if (written) written = tables_->finish(tables_->commit, "commit");
  if (written) return {};
  // SQLite may have rolled back by itself (full disk, I/O error); then this finds nothing to do, which is as
  // good.
  static_cast<void>(tables_->finish(tables_->rollback, "roll back"));
  return written;
}

Result<std::optional<std::string>> SqliteStore::module(std::string_view hash) {
  return tables_->one_text(tables_->get_module.bind(1, hash));
}

Result<std::optional<RunRow>> SqliteStore::run(std::string_view id) {
  FLOW_TRY(std::vector<RunRow> rows, tables_->runs(tables_->get_run.bind(1, id)));
  if (rows.empty()) return std::optional<RunRow>();
  return std::optional<RunRow>(std::move(rows.front()));
}

Result<std::optional<std::string>> SqliteStore::run_of(std::string_view tenant, std::string_view flow,
                                                       std::string_view trigger, std::string_view key) {
  tables_->find_run.bind(1, tenant).bind(2, flow).bind(3, trigger).bind(4, key);
  return tables_->one_text(tables_->find_run);
}

Result<std::vector<JournalRow>> SqliteStore::journal(std::string_view run, std::uint32_t from) {
  Statement& statement = tables_->get_journal.bind(1, run).bind(2, std::int64_t{from});
  const Use use(statement);
  std::vector<JournalRow> rows;
  int code = statement.step();
  for (; code == SQLITE_ROW; code = statement.step()) {
    JournalRow row;
    row.run = run;
    row.sequence = static_cast<std::uint32_t>(statement.number(0));
    row.kind = static_cast<int>(statement.number(1));
    row.time_us = statement.number(2);
    row.payload = statement.text(3);
    rows.push_back(std::move(row));
  }
  if (code != SQLITE_DONE) return tl::unexpected(tables_->connection.problem("read a journal"));
  return rows;
}

Result<std::uint32_t> SqliteStore::journal_length(std::string_view run) {
  Statement& statement = tables_->get_length.bind(1, run);
  const Use use(statement);
  if (statement.step() != SQLITE_ROW) return tl::unexpected(tables_->connection.problem("read a journal"));
  return static_cast<std::uint32_t>(statement.number(0));
}

Result<std::vector<RunRow>> SqliteStore::unfinished_runs(std::string_view after, std::uint32_t limit) {
  return tables_->runs(tables_->get_unfinished.bind(1, after).bind(2, std::int64_t{limit}));
}

Result<std::vector<RunRow>> SqliteStore::sleepers(std::int64_t until_us, std::uint32_t limit) {
  return tables_->runs(tables_->get_sleepers.bind(1, until_us).bind(2, std::int64_t{limit}));
}

Result<std::optional<std::int64_t>> SqliteStore::next_wake_us() {
  Statement& statement = tables_->get_next_wake;
  const Use use(statement);
  const int code = statement.step();
  if (code == SQLITE_DONE) return std::optional<std::int64_t>();
  if (code != SQLITE_ROW) return tl::unexpected(tables_->connection.problem("read when to wake"));
  const std::int64_t wake_us = statement.number(0);
  return wake_us == kNever ? std::optional<std::int64_t>() : wake_us;
}

Result<std::optional<SleepRow>> SqliteStore::frozen(std::string_view run) {
  Statement& statement = tables_->get_frozen.bind(1, run);
  const Use use(statement);
  const int code = statement.step();
  if (code == SQLITE_DONE) return std::optional<SleepRow>();
  if (code != SQLITE_ROW) return tl::unexpected(tables_->connection.problem("read a frozen run"));
  return std::optional<SleepRow>(SleepRow{std::string(run), statement.number(0),
                                          static_cast<std::uint32_t>(statement.number(1)),
                                          statement.text(2)});
}

Result<std::vector<RunRow>> SqliteStore::list_runs(const RunFilter& filter) {
  Statement& list = tables_->get_list;
  list.bind(1, filter.tenant).bind(2, filter.flow);
  list.bind(3, filter.state ? static_cast<std::int64_t>(*filter.state) : -1).bind(4, filter.since_us);
  list.bind(5, filter.before_id).bind(6, std::int64_t{std::min(filter.limit, kMaxListedRuns)});
  return tables_->runs(list);
}

Result<std::optional<CursorRow>> SqliteStore::cursor(std::string_view tenant, std::string_view trigger) {
  Statement& statement = tables_->get_cursor.bind(1, tenant).bind(2, trigger);
  const Use use(statement);
  const int code = statement.step();
  if (code == SQLITE_DONE) return std::optional<CursorRow>();
  if (code != SQLITE_ROW) return tl::unexpected(tables_->connection.problem("read a cursor"));
  return std::optional<CursorRow>(
      CursorRow{std::string(tenant), std::string(trigger), statement.number(0), statement.number(1)});
}

Result<bool> SqliteStore::is_seen(std::string_view tenant, std::string_view trigger, std::string_view key) {
  FLOW_TRY(const auto found,
           tables_->one_text(tables_->get_seen.bind(1, tenant).bind(2, trigger).bind(3, key)));
  return found.has_value();
}

Result<std::int64_t> SqliteStore::once_until(std::string_view tenant, std::string_view flow,
                                             std::string_view key) {
  Statement& statement = tables_->get_once.bind(1, tenant).bind(2, flow).bind(3, key);
  const Use use(statement);
  const int code = statement.step();
  if (code == SQLITE_DONE) return 0;
  if (code != SQLITE_ROW) return tl::unexpected(tables_->connection.problem("read a key"));
  return statement.number(0);
}

Result<std::vector<CountedCallRow>> SqliteStore::counted_calls(std::string_view tenant, std::string_view flow,
                                                               std::string_view operation,
                                                               std::int64_t after_us) {
  Statement& statement = tables_->get_counted.bind(1, tenant).bind(2, flow).bind(3, operation);
  statement.bind(4, after_us);
  const Use use(statement);
  std::vector<CountedCallRow> rows;
  int code = statement.step();
  for (; code == SQLITE_ROW; code = statement.step())
    rows.push_back({.tenant = std::string(tenant),
                    .flow = std::string(flow),
                    .operation = std::string(operation),
                    .run = statement.text(0),
                    .call = static_cast<std::uint32_t>(statement.number(1)),
                    .time_us = statement.number(2),
                    .until_us = statement.number(3)});
  if (code != SQLITE_DONE) return tl::unexpected(tables_->connection.problem("read counted calls"));
  return rows;
}

Result<std::optional<std::string>> SqliteStore::meta(std::string_view key) {
  return tables_->one_text(tables_->get_meta.bind(1, key));
}

Result<std::vector<SentRow>> SqliteStore::sent_calls(std::int64_t from_second) {
  return tables_->quotas.sent_calls(from_second);
}

Result<std::vector<RestRow>> SqliteStore::rests(std::int64_t after_us) {
  return tables_->quotas.rests(after_us);
}

Result<std::optional<QuestionRow>> SqliteStore::question(std::string_view id) {
  return tables_->questions.question(id);
}

Result<std::vector<QuestionRow>> SqliteStore::list_questions(const QuestionFilter& filter) {
  return tables_->questions.list(filter);
}

Result<std::vector<TellingRow>> SqliteStore::untold(std::string_view after, std::int64_t after_person,
                                                    std::uint32_t limit) {
  return tables_->questions.untold(after, after_person, limit);
}

Result<std::vector<TellingRow>> SqliteStore::tellings(std::string_view question) {
  return tables_->questions.tellings(question);
}

Result<std::optional<MessageRow>> SqliteStore::next_message(std::string_view run, std::string_view name,
                                                            std::uint32_t after) {
  return tables_->questions.next_message(run, name, after);
}

Result<bool> SqliteStore::has_message(std::string_view run, std::string_view key) {
  return tables_->questions.has_message(run, key);
}

Result<Store::MessageCounts> SqliteStore::message_counts(std::string_view run) {
  return tables_->questions.message_counts(run);
}

}  // namespace flow
