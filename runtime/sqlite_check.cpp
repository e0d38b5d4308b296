// Whether a store is sound: first the file, by SQLite, then what we know of its rows.
#include <fmt/format.h>

#include <filesystem>

#include "runtime/audit_check.hpp"
#include "runtime/digest.hpp"
#include "runtime/journal.hpp"
#include "runtime/packed_entries.hpp"
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
    {"SELECT id FROM runs WHERE NOT EXISTS (SELECT 1 FROM journal WHERE run = id)",
     "run {} has no journal, or one without its beginning"},
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
    for (const auto& [table, count] :
         {std::pair("runs", &report_.runs), {"modules", &report_.modules}, {"audit", &report_.audit_rows}})
      each(fmt::format("SELECT count(*) FROM {}", table),
           [to = count](const Statement& row) { *to = static_cast<std::uint64_t>(row.number(0)); });
    for (const Rule& rule : kRules)
      each(rule.sql, [&](const Statement& row) { note(fmt::format(fmt::runtime(rule.text), row.text(0))); });
    modules();
    journals();
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

  // A row of the journal may hold several entries (packed_entries.hpp).
  void journals() {
    std::vector<JournalRow> journal;  // of one run
    each("SELECT run, sequence, kind, time_us, payload FROM journal ORDER BY run, sequence",
         [&](const Statement& row) {
           if (!journal.empty() && journal.front().run != row.text(0)) {
             whole(journal);
             journal.clear();
           }
           const Packed packed{static_cast<int>(row.number(2)), row.text(4)};
           const auto sequence = static_cast<std::uint32_t>(row.number(1));
           const bool is_packed = packed.kind == kPacked || packed.kind == kCompressed;
           if (is_packed && unpack(packed, row.text(0), sequence, row.number(3), journal)) return;
           journal.push_back({row.text(0), sequence, packed.kind, row.number(3), packed.bytes});
         });
    if (!journal.empty()) whole(journal);
  }

  void whole(const std::vector<JournalRow>& journal) {
    const std::string& run = journal.front().run;
    report_.entries += journal.size();
    if (journal.front().sequence != 0)
      note(fmt::format("run {} has no journal, or one without its beginning", run));
    else if (journal.back().sequence + 1 != journal.size())
      note(fmt::format("the journal of run {} has holes", run));
    for (const JournalRow& row : journal) {
      const auto kind = entry_numbered(row.kind);
      const auto entry = kind ? decode_entry(*kind, row.payload) : error("its kind is not known");
      if (!entry)
        note(fmt::format("entry {} of run {}: {}", row.sequence, run, entry.error().message));
      else if ((*kind == EntryKind::Started) != (row.sequence == 0))
        note(fmt::format("entry {} of run {}: a journal begins with `Started`, once", row.sequence, run));
    }
    end(journal.back());
  }

  // How the journal ends is what the run's row says.
  void end(const JournalRow& last) {
    each(fmt::format("SELECT state, ended_us FROM runs WHERE id = '{}'", last.run),
         [&](const Statement& row) {
           const std::int64_t state = row.number(0);
           if (state < 0 || state > static_cast<std::int64_t>(kLastRunState))
             return note(fmt::format("run {} has the state {}, which is not known", last.run, state));
           const RunState wanted = state_after(last.kind, last.payload);
           const bool is_over = wanted != RunState::Running && wanted != RunState::Parked;
           if (static_cast<RunState>(state) != wanted)
             note(fmt::format("run {} is {}, and by its journal it is {}", last.run,
                              run_state_name(static_cast<RunState>(state)), run_state_name(wanted)));
           else if (is_over != (row.number(1) != 0))
             note(fmt::format("run {} is {}, and its end {} a time", last.run, run_state_name(wanted),
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
