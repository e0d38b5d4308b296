// Whether a store is sound: first the file, by SQLite, then what we know of its rows.
#include <fmt/format.h>

#include <filesystem>

#include "runtime/audit_check.hpp"
#include "runtime/digest.hpp"
#include "runtime/journal.hpp"
#include "runtime/sqlite.hpp"
#include "runtime/sqlite_care.hpp"
#include "runtime/sqlite_schema.hpp"
#include "runtime/sqlite_store.hpp"

namespace flow {
namespace {

using sqlite::Connection;
using sqlite::Statement;

// What a query of one column finds is wrong, each told with these words.
struct Rule {
  const char* sql;
  const char* text;  // {} is what was found
};
constexpr Rule kRules[] = {
    {"SELECT id FROM runs WHERE NOT EXISTS (SELECT 1 FROM journal WHERE run = id AND sequence = 0)",
     "run {} has no journal, or one without its beginning"},
    {"SELECT run FROM journal GROUP BY run HAVING count(*) <> max(sequence) + 1",
     "the journal of run {} has holes"},
    {"SELECT DISTINCT run FROM journal WHERE run NOT IN (SELECT id FROM runs)",
     "there is a journal of run {}, and no such run"},
    {"SELECT id FROM runs WHERE module NOT IN (SELECT hash FROM modules)",
     "the module of run {} is not there: it cannot go on, or be traced"},
    {"SELECT run FROM frozen WHERE run NOT IN (SELECT id FROM runs)",
     "there is a frozen state of run {}, and no such run"},
    {"SELECT id FROM questions WHERE run NOT IN (SELECT id FROM runs)",
     "there is a question {}, and its run is not there"},
    {"SELECT question FROM tellings WHERE question NOT IN (SELECT id FROM questions)",
     "there is a mail about question {}, and no such question"},
    {"SELECT run FROM messages WHERE run NOT IN (SELECT id FROM runs)",
     "there is a message to run {}, and no such run"},
};

class Check {
 public:
  Check(Connection& connection, StoreReport& report) : connection_(connection), report_(report) {}

  void file() {
    each("PRAGMA quick_check(50)", [&](const Statement& row) {
      if (row.text(0) != "ok") note("the file: " + row.text(0));
    });
  }

  void rows() {
    for (const auto& [table, count] : {std::pair("runs", &report_.runs),
                                       {"journal", &report_.entries},
                                       {"modules", &report_.modules},
                                       {"audit", &report_.audit_rows}})
      each(fmt::format("SELECT count(*) FROM {}", table),
           [to = count](const Statement& row) { *to = static_cast<std::uint64_t>(row.number(0)); });
    for (const Rule& rule : kRules)
      each(rule.sql, [&](const Statement& row) { note(fmt::format(fmt::runtime(rule.text), row.text(0))); });
    modules();
    entries();
    ends();
  }

  void note(std::string finding) {
    if (report_.findings.size() < kMostFindings) report_.findings.push_back(std::move(finding));
  }

 private:
  // A query that fails is a finding, not the end of the check: the other tables may be sound.
  template <class Take>
  void each(const std::string& sql, const Take& take) {
    Result<Statement> statement = connection_.prepare(sql.c_str());
    if (!statement) return note(statement.error().message);
    int code = statement->step();
    for (; code == SQLITE_ROW && report_.findings.size() < kMostFindings; code = statement->step())
      take(*statement);
    if (code != SQLITE_DONE && code != SQLITE_ROW) note(connection_.problem("read it").message);
  }

  void modules() {
    each("SELECT hash, bytes FROM modules", [&](const Statement& row) {
      if (sha256_hex(row.text(1)) != row.text(0))
        note(fmt::format("module {} is not what its name says", row.text(0)));
    });
  }

  void entries() {
    each("SELECT run, sequence, kind, payload FROM journal", [&](const Statement& row) {
      const auto kind = entry_numbered(row.number(2));
      const auto entry = kind ? decode_entry(*kind, row.text(3)) : error("its kind is not known");
      if (!entry)
        note(fmt::format("entry {} of run {}: {}", row.number(1), row.text(0), entry.error().message));
      else if ((*kind == EntryKind::Started) != (row.number(1) == 0))
        note(fmt::format("entry {} of run {}: a journal begins with `Started`, once", row.number(1),
                         row.text(0)));
    });
  }

  // How the journal ends is what the run's row says.
  void ends() {
    each(
        "SELECT id, state, ended_us, kind, payload FROM runs JOIN journal ON run = id AND sequence ="
        " (SELECT max(sequence) FROM journal WHERE run = id)",
        [&](const Statement& row) {
          const std::int64_t state = row.number(1);
          if (state < 0 || state > static_cast<std::int64_t>(kLastRunState))
            return note(fmt::format("run {} has the state {}, which is not known", row.text(0), state));
          const RunState wanted = state_after(row.number(3), row.text(4));
          const bool is_over = wanted != RunState::Running && wanted != RunState::Parked;
          if (static_cast<RunState>(state) != wanted)
            note(fmt::format("run {} is {}, and by its journal it is {}", row.text(0),
                             run_state_name(static_cast<RunState>(state)), run_state_name(wanted)));
          else if (is_over != (row.number(2) != 0))
            note(fmt::format("run {} is {}, and its end {} a time", row.text(0), run_state_name(wanted),
                             is_over ? "lacks" : "has"));
        });
  }

  static RunState state_after(std::int64_t kind, const std::string& payload) {
    if (kind == static_cast<std::int64_t>(EntryKind::Parked)) return RunState::Parked;
    if (kind == static_cast<std::int64_t>(EntryKind::Cancelled)) return RunState::Stopped;
    if (kind != static_cast<std::int64_t>(EntryKind::Ended)) return RunState::Running;
    const auto entry = decode_entry(EntryKind::Ended, payload);
    if (!entry) return RunState::Failed;
    switch (std::get<EndedEntry>(*entry).ended.how) {
      case Ended::How::Skipped: return RunState::Skipped;
      case Ended::How::Finished: return RunState::Finished;
      case Ended::How::Stopped: return RunState::Stopped;
      case Ended::How::Failed: break;
    }
    return RunState::Failed;
  }

  Connection& connection_;
  StoreReport& report_;
};

}  // namespace

Result<StoreReport> check_store(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored))
    return error(fmt::format("store {}: there is no such file; is the folder there?", path));
  FLOW_TRY(Connection connection, Connection::open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX));
  FLOW_TRY_STATUS(connection.run("PRAGMA busy_timeout = 5000; PRAGMA query_only = ON;"));
  StoreReport report;
  FLOW_TRY(const std::int64_t version, sqlite::schema_version(connection));
  if (version == 0) return error(fmt::format("store {}: it is empty, and no store", path));
  report.version = static_cast<int>(version);
  Check check(connection, report);
  // One moment of it, so that a service which writes meanwhile makes nothing look torn.
  FLOW_TRY_STATUS(connection.run("BEGIN"));
  check.file();
  if (report.version == kStoreVersion) check.rows();
  static_cast<void>(connection.run("COMMIT"));  // of a damaged file it may fail, and there is nothing to keep
  if (report.version != kStoreVersion) return report;
  const auto store = SqliteStore::open_read_only(path);
  if (!store) return check.note(store.error().message), report;
  const auto trail = check_audit(**store);
  if (!trail) check.note(trail.error().message);
  if (trail && trail->problem) check.note("the audit trail: " + trail->problem->text);
  return report;
}

}  // namespace flow
