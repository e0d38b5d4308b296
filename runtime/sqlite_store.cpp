#include "runtime/sqlite_store.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <utility>

#include "runtime/file_lock.hpp"
#include "runtime/sqlite.hpp"
#include "runtime/sqlite_audit.hpp"
#include "runtime/sqlite_checkpointer.hpp"
#include "runtime/sqlite_deployments.hpp"
#include "runtime/sqlite_pruning.hpp"
#include "runtime/sqlite_questions.hpp"
#include "runtime/sqlite_quotas.hpp"
#include "runtime/sqlite_runs.hpp"
#include "runtime/sqlite_schema.hpp"
#include "runtime/sqlite_states.hpp"
#include "runtime/sqlite_triggers.hpp"

namespace flow {
namespace {

using sqlite::Connection;
using sqlite::Statement;

// FULL: a commit is on the disk when it returns. The time-out stands first: whoever reads the file while it
// is opened locks it for a moment.
constexpr const char* kWriterSettings =
    "PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
    "PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 268435456; PRAGMA cache_size = -8000;";
// Pages in the log. Beyond kLongLog it is taken into the file: by the commit itself, for which all that go
// with it wait (with four times as many pages fewer would, but for 20 ms), or in the background. When that
// does not keep up, commits help from kLongestLog on. Fewer than kShortLog are not worth an idle turn.
constexpr int kShortLog = 64, kLongLog = 1000, kLongestLog = 8000;
constexpr const char* kCheckpointerSettings = "PRAGMA busy_timeout = 2000; PRAGMA synchronous = FULL;";
constexpr const char* kReaderSettings = "PRAGMA busy_timeout = 2000; PRAGMA query_only = ON;";

}  // namespace

// The connection with every statement it ever runs, prepared once.
struct SqliteStore::Tables {
  Tables(FileLock held, Connection opened) : lock(std::move(held)), connection(std::move(opened)) {}

  Status prepare();
  Status write(const Batch& batch);
  void watch_log();

  FileLock lock;  // declared first: released last
  Connection connection;
  sqlite::RunTables runs{connection};
  sqlite::TriggerTables triggers{connection};
  sqlite::StateTable states{connection};
  sqlite::QuestionTables questions{connection};
  sqlite::DeploymentTable deployments{connection};
  sqlite::QuotaTables quotas{connection};
  sqlite::AuditTable audit{connection};
  sqlite::Pruning pruning{connection};

  Statement begin, commit, rollback;

  int pages_in_log = 0;
  Connection::LogHook log_hook;
  std::optional<sqlite::Checkpointer> checkpointer;
};

// A reader may keep pages in the log: then each commit would try in vain, so it waits for as many more.
void SqliteStore::Tables::watch_log() {
  log_hook = [this, again = kLongLog](int pages) mutable {
    pages_in_log = pages;
    if (pages < kLongLog) again = kLongLog;
    if (pages < again) return;
    again = pages + kLongLog;
    if (checkpointer && pages < kLongestLog)
      checkpointer->want();
    else if (connection.checkpoint())
      again = kLongLog;
  };
  connection.watch_log(log_hook);
}

Status SqliteStore::Tables::prepare() {
  FLOW_TRY(begin, connection.prepare("BEGIN IMMEDIATE"));
  FLOW_TRY(commit, connection.prepare("COMMIT"));
  FLOW_TRY(rollback, connection.prepare("ROLLBACK"));
  FLOW_TRY_STATUS(runs.prepare());
  FLOW_TRY_STATUS(triggers.prepare());
  FLOW_TRY_STATUS(states.prepare());
  FLOW_TRY_STATUS(deployments.prepare());
  FLOW_TRY_STATUS(quotas.prepare());
  FLOW_TRY_STATUS(questions.prepare());
  FLOW_TRY_STATUS(audit.prepare());
  return pruning.prepare();
}

Status SqliteStore::Tables::write(const Batch& batch) {
  FLOW_TRY_STATUS(runs.write(batch));
  FLOW_TRY_STATUS(triggers.write(batch));
  FLOW_TRY_STATUS(states.write(batch));
  FLOW_TRY_STATUS(quotas.write(batch));
  FLOW_TRY_STATUS(deployments.write(batch));
  FLOW_TRY_STATUS(questions.write(batch));
  return audit.write(batch.audit);
}

SqliteStore::SqliteStore(std::unique_ptr<Tables> tables) : tables_(std::move(tables)) {}
SqliteStore::~SqliteStore() = default;

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::string& path, SqliteOptions options) {
  FileLock lock;
  if (path != ":memory:" && options.vfs.empty()) {
    FLOW_TRY(const std::string place, only_name_of(path));
    FLOW_TRY(lock, FileLock::acquire(place + ".lock"));
  }
  FLOW_TRY(
      Connection connection,
      Connection::open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, options.vfs));
  if (connection.is_read_only())
    return error(fmt::format("store {}: the file or its folder is read-only", path));
  FLOW_TRY_STATUS(connection.run(kWriterSettings));
  FLOW_TRY_STATUS(connection.rewrite_log());
  if (options.max_bytes > 0) {
    FLOW_TRY(const std::int64_t page_bytes, connection.number("PRAGMA page_size"));
    const std::string limit = fmt::format("PRAGMA max_page_count = {}", options.max_bytes / page_bytes);
    FLOW_TRY_STATUS(connection.run(limit.c_str()));
  }
  FLOW_TRY_STATUS(sqlite::prepare_schema(connection, path, true));
  auto tables = std::make_unique<Tables>(std::move(lock), std::move(connection));
  FLOW_TRY_STATUS(tables->prepare());
  if (options.checkpoints_in_background && path != ":memory:") {
    FLOW_TRY(Connection other,
             Connection::open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, options.vfs));
    FLOW_TRY_STATUS(other.run(kCheckpointerSettings));
    other.keep_log();
    tables->checkpointer.emplace(std::move(other));
  }
  tables->watch_log();
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(tables)));
}

Result<std::unique_ptr<SqliteStore>> SqliteStore::open_read_only(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored))
    return error(fmt::format("store {}: there is no such file; is the folder there?", path));
  FLOW_TRY(Connection connection, Connection::open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX));
  FLOW_TRY_STATUS(connection.run(kReaderSettings));
  connection.keep_log();
  FLOW_TRY_STATUS(sqlite::prepare_schema(connection, path, false));
  auto tables = std::make_unique<Tables>(FileLock(), std::move(connection));
  FLOW_TRY_STATUS(tables->prepare());
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(tables)));
}

Result<SqliteStore::Figures> SqliteStore::figures() {
  Connection& connection = tables_->connection;
  Figures figures;
  FLOW_TRY(figures.asleep, connection.number("SELECT count(*) FROM runs WHERE state = 0 AND wake_us > 0"));
  FLOW_TRY(figures.parked, connection.number("SELECT count(*) FROM runs WHERE state = 1"));
  FLOW_TRY(figures.open_questions, connection.number("SELECT count(*) FROM questions WHERE state = 0"));
  FLOW_TRY(const std::int64_t pages, connection.number("PRAGMA page_count"));
  FLOW_TRY(const std::int64_t page_bytes, connection.number("PRAGMA page_size"));
  figures.bytes = pages * page_bytes;
  return figures;
}

Status SqliteStore::in_transaction(const std::function<Status()>& write) {
  // SQLite goes on writing to a file that has been deleted; the next process would find nothing of it.
  if (tables_->connection.has_moved())
    return error(fmt::format("store {}: the file was deleted or replaced while it was in use",
                             tables_->connection.path()));
  FLOW_TRY_STATUS(tables_->connection.finish(tables_->begin, "begin a transaction"));
  Status written = write();
  if (written) written = tables_->connection.finish(tables_->commit, "commit");
  if (written) {
    tables_->audit.keep();
    return {};
  }
  tables_->audit.drop();
  // SQLite may have rolled back by itself (full disk, I/O error); then this finds nothing to do, which is as
  // good.
  static_cast<void>(tables_->connection.finish(tables_->rollback, "roll back"));
  if (tables_->checkpointer) tables_->checkpointer->stop();
  // Nobody knows now how much of the log is on the disk: what it holds must not get into the tables before
  // the next process has written it anew.
  tables_->connection.keep_log();
  return written;
}

Status SqliteStore::commit(const Batch& batch) {
  return in_transaction([&] { return tables_->write(batch); });
}

Status SqliteStore::tidy() {
  if (tables_->pages_in_log < kShortLog) return {};
  tables_->pages_in_log = 0;  // once is enough until the next commit
  if (tables_->checkpointer)
    tables_->checkpointer->want();
  else
    tables_->connection.checkpoint();
  return {};
}

Result<Pruned> SqliteStore::prune_runs(const PruneOrder& order) {
  FLOW_TRY(sqlite::Pruning::Plan plan, tables_->pruning.plan(order));
  if (!plan.runs.empty())
    FLOW_TRY_STATUS(in_transaction([&] { return tables_->pruning.carry_out(plan, order); }));
  return std::move(plan.pruned);
}

Result<std::uint32_t> SqliteStore::prune_modules(const std::vector<std::string>& needed) {
  FLOW_TRY(const std::vector<std::string> others, tables_->pruning.modules_but(needed));
  if (!others.empty())
    FLOW_TRY_STATUS(in_transaction([&] { return tables_->pruning.remove_modules(others); }));
  return static_cast<std::uint32_t>(others.size());
}

Result<std::uint32_t> SqliteStore::prune_audit(std::int64_t before_us, std::uint32_t limit,
                                               std::int64_t now_us) {
  FLOW_TRY(const std::uint32_t old, tables_->audit.old_rows(before_us, limit));
  if (old > 0) FLOW_TRY_STATUS(in_transaction([&] { return tables_->audit.prune(old, now_us); }));
  return old;
}

Result<std::optional<std::string>> SqliteStore::module(std::string_view hash) {
  return tables_->runs.module(hash);
}

Result<std::optional<std::string>> SqliteStore::conditions_of(std::string_view hash) {
  return tables_->runs.conditions_of(hash);
}

Result<std::optional<RunRow>> SqliteStore::run(std::string_view id) {
  return tables_->runs.run(id);
}

Result<std::optional<std::string>> SqliteStore::run_of(std::string_view tenant, std::string_view flow,
                                                       std::string_view trigger, std::string_view key) {
  return tables_->runs.run_of(tenant, flow, trigger, key);
}

Result<std::vector<JournalRow>> SqliteStore::journal(std::string_view run, std::uint32_t from) {
  return tables_->runs.journal(run, from);
}

Result<std::uint32_t> SqliteStore::journal_length(std::string_view run) {
  return tables_->runs.journal_length(run);
}

Result<std::vector<RunRow>> SqliteStore::unfinished_runs(std::string_view after, std::uint32_t limit) {
  return tables_->runs.unfinished(after, limit);
}
Result<std::vector<RunRow>> SqliteStore::runs_in_line(std::string_view after, std::uint32_t limit) {
  return tables_->runs.in_line(after, limit);
}

Result<std::vector<RunRow>> SqliteStore::sleepers(std::int64_t until_us, std::uint32_t limit) {
  return tables_->runs.sleepers(until_us, limit);
}

Result<std::optional<std::int64_t>> SqliteStore::next_wake_us() {
  return tables_->runs.next_wake_us();
}

Result<std::optional<SleepRow>> SqliteStore::frozen(std::string_view run) {
  return tables_->runs.frozen(run);
}

Result<std::vector<RunRow>> SqliteStore::open_leases(std::string_view tenant, std::string_view flow) {
  return tables_->runs.open_leases(tenant, flow);
}

Result<std::vector<RunRow>> SqliteStore::list_runs(const RunFilter& filter) {
  return tables_->runs.list(filter);
}

Result<std::optional<CursorRow>> SqliteStore::cursor(std::string_view tenant, std::string_view trigger) {
  return tables_->triggers.cursor(tenant, trigger);
}

Result<bool> SqliteStore::is_seen(std::string_view tenant, std::string_view trigger, std::string_view key) {
  return tables_->triggers.is_seen(tenant, trigger, key);
}

Result<std::optional<StateRow>> SqliteStore::last_state(std::string_view tenant, std::string_view trigger,
                                                        std::string_view id) {
  return tables_->states.last(tenant, trigger, id);
}

Result<std::int64_t> SqliteStore::once_until(std::string_view tenant, std::string_view flow,
                                             std::string_view key) {
  return tables_->triggers.once_until(tenant, flow, key);
}

Result<std::vector<CountedCallRow>> SqliteStore::counted_calls(std::string_view tenant, std::string_view flow,
                                                               std::string_view operation,
                                                               std::int64_t after_us) {
  return tables_->triggers.counted_calls(tenant, flow, operation, after_us);
}

Result<std::vector<DeploymentRow>> SqliteStore::deployments(std::string_view tenant, std::string_view flow) {
  return tables_->deployments.list(tenant, flow);
}

Result<std::optional<std::string>> SqliteStore::meta(std::string_view key) {
  return tables_->triggers.meta(key);
}

Result<std::vector<SentRow>> SqliteStore::sent_calls(std::int64_t from_second) {
  return tables_->quotas.sent_calls(from_second);
}

Result<std::vector<RestRow>> SqliteStore::rests(std::int64_t after_us) {
  return tables_->quotas.rests(after_us);
}

Result<std::vector<AuditLine>> SqliteStore::audit(std::uint64_t after, std::uint32_t limit) {
  return tables_->audit.lines(after, limit);
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
