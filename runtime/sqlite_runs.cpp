#include "runtime/sqlite_runs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <variant>

#include "runtime/run_id.hpp"

#include "runtime/packed_entries.hpp"

namespace flow::sqlite {
namespace {

#define FLOW_RUN_COLUMNS                                                                                    \
  "id, tenant, flow, module, trigger_name, key, state, created_us, ended_us, reason, fault, line, wake_us," \
  " machine"

constexpr std::size_t kMostOfOneEvent = 1'000;

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
  run.machine = row.text(13);
  return run;
}

}  // namespace

Status RunTables::prepare() {
  FLOW_TRY(get_module_, connection_.prepare("SELECT bytes FROM modules WHERE hash = ?"));
  FLOW_TRY(get_conditions_, connection_.prepare("SELECT conditions FROM modules"
                                                " WHERE hash = ? AND conditions IS NOT NULL"));
  FLOW_TRY(get_run_, connection_.prepare("SELECT " FLOW_RUN_COLUMNS " FROM runs WHERE id = ?"));
  FLOW_TRY(find_run_,
           connection_.prepare(
               "SELECT id FROM runs WHERE tenant = ? AND flow = ? AND trigger_name = ? AND key = ?"));
  FLOW_TRY(get_journal_,
           connection_.prepare(
               "SELECT sequence, kind, time_us, payload FROM journal WHERE run = ? AND sequence >= ?"
               " ORDER BY sequence"));
  FLOW_TRY(get_length_, connection_.prepare("SELECT max(sequence) + 1 FROM journal WHERE run = ?"));
  FLOW_TRY(get_unfinished_, connection_.prepare("SELECT " FLOW_RUN_COLUMNS
                                                " FROM runs WHERE state = 0 AND wake_us = 0 AND id > ?"
                                                " ORDER BY id LIMIT ?"));
  FLOW_TRY(get_in_line_,
           connection_.prepare("SELECT " FLOW_RUN_COLUMNS " FROM runs INDEXED BY runs_in_line"
                               " WHERE state = 0 AND wake_us > 0 AND reason >= 'waits for its turn: '"
                               " AND reason < 'waits for its turn;' AND id > ? ORDER BY id LIMIT ?"));
  FLOW_TRY(get_sleepers_, connection_.prepare("SELECT " FLOW_RUN_COLUMNS
                                              " FROM runs WHERE state = 0 AND wake_us > 0 AND wake_us <= ?"
                                              " ORDER BY wake_us LIMIT ?"));
  FLOW_TRY(get_leases_, connection_.prepare("SELECT " FLOW_RUN_COLUMNS
                                            " FROM runs WHERE state = 0 AND trigger_name = 'lease'"
                                            " AND tenant = ? AND flow = ? ORDER BY id"));
  FLOW_TRY(get_next_wake_,
           connection_.prepare(
               "SELECT wake_us FROM runs WHERE state = 0 AND wake_us > 0 ORDER BY wake_us LIMIT 1"));
  FLOW_TRY(get_frozen_, connection_.prepare("SELECT runs.wake_us, sequence, bytes FROM frozen"
                                            " JOIN runs ON runs.id = frozen.run WHERE run = ?"));
  FLOW_TRY(next_group_, connection_.prepare("SELECT tenant, flow, trigger_name FROM runs"
                                            " WHERE (tenant, flow, trigger_name) > (?, ?, ?)"
                                            " ORDER BY tenant, flow, trigger_name LIMIT 1"));
  FLOW_TRY(find_event_,
           connection_.prepare("SELECT id FROM runs WHERE tenant = ?1 AND flow = ?2 AND trigger_name = ?3"
                               " AND (key = ?4 OR (key >= ?5 AND key < ?6))"));
  FLOW_TRY(add_module_, connection_.prepare("INSERT OR IGNORE INTO modules (hash, bytes) VALUES (?, ?)"));
  FLOW_TRY(add_conditions_, connection_.prepare("UPDATE modules SET conditions = ?2"
                                                " WHERE hash = ?1 AND conditions IS NOT ?2"));
  FLOW_TRY(add_run_, connection_.prepare("INSERT INTO runs (" FLOW_RUN_COLUMNS
                                         ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  FLOW_TRY(change_run_,
           connection_.prepare("UPDATE runs SET state = ?, ended_us = ?, reason = ?, fault = ?, line = ?,"
                               " wake_us = 0 WHERE id = ?"));
  FLOW_TRY(set_wake_, connection_.prepare("UPDATE runs SET wake_us = ? WHERE id = ?"));
  FLOW_TRY(put_frozen_,
           connection_.prepare("INSERT OR REPLACE INTO frozen (run, sequence, bytes) VALUES (?, ?, ?)"));
  FLOW_TRY(forget_frozen_, connection_.prepare("DELETE FROM frozen WHERE run = ?"));
  FLOW_TRY(add_entry_,
           connection_.prepare(
               // A row has the sequence of its last entry. That what it holds is new, no constraint says.
               "INSERT INTO journal (run, sequence, kind, time_us, payload) VALUES (?1, iif(EXISTS"
               " (SELECT 1 FROM journal WHERE run = ?1 AND sequence >= ?2), NULL, ?3), ?4, ?5, ?6)"));
  return {};
}

Status RunTables::write_runs(const Batch& batch) {
  for (const ModuleRow& row : batch.modules) {
    add_module_.bind(1, row.hash).bind_blob(2, row.bytes);
    FLOW_TRY_STATUS(connection_.finish(add_module_, "store a module"));
    if (row.conditions.empty()) continue;
    add_conditions_.bind(1, row.hash).bind_blob(2, row.conditions);
    FLOW_TRY_STATUS(connection_.finish(add_conditions_, "store the conditions of a module"));
  }
  for (const RunRow& row : batch.runs) {
    add_run_.bind(1, row.id).bind(2, row.tenant).bind(3, row.flow).bind(4, row.module).bind(5, row.trigger);
    add_run_.bind(6, row.key).bind(7, static_cast<std::int64_t>(row.state)).bind(8, row.created_us);
    add_run_.bind(9, row.ended_us).bind(10, row.reason).bind(11, row.fault).bind(12, std::int64_t{row.line});
    add_run_.bind(13, row.wake_us).bind(14, row.machine);
    FLOW_TRY_STATUS(connection_.finish(add_run_, "create a run"));
  }
  for (const RunRow& row : batch.changed_runs) {
    change_run_.bind(1, static_cast<std::int64_t>(row.state)).bind(2, row.ended_us).bind(3, row.reason);
    change_run_.bind(4, row.fault).bind(5, std::int64_t{row.line}).bind(6, row.id);
    FLOW_TRY_STATUS(connection_.finish(change_run_, "change a run"));
  }
  const std::span<const JournalRow> entries = batch.journal;
  for (std::size_t first = 0; first < entries.size();) {
    const std::size_t count = packable(entries, first);
    FLOW_TRY_STATUS(append(entries.subspan(first, count)));
    first += count;
  }
  return {};
}

Status RunTables::append(std::span<const JournalRow> entries) {
  const JournalRow& first = entries.front();
  const Packed packed = pack(entries);
  add_entry_.bind(1, first.run).bind(2, std::int64_t{first.sequence});
  add_entry_.bind(3, std::int64_t{entries.back().sequence}).bind(4, std::int64_t{packed.kind});
  add_entry_.bind(5, first.time_us);
  if (packed.kind == kCompressed) {
    add_entry_.bind_blob(6, packed.bytes);
  } else {
    add_entry_.bind(6, packed.bytes);
  }
  return connection_.finish(add_entry_, "append to a journal");
}

Status RunTables::write_sleep(const Batch& batch) {
  for (const std::string& run : batch.awake) {
    set_wake_.bind(1, std::int64_t{0}).bind(2, run);
    FLOW_TRY_STATUS(connection_.finish(set_wake_, "wake a run"));
  }
  for (const SleepRow& row : batch.asleep) {
    set_wake_.bind(1, row.wake_us).bind(2, row.run);
    FLOW_TRY_STATUS(connection_.finish(set_wake_, "put a run to sleep"));
    put_frozen_.bind(1, row.run).bind(2, std::int64_t{row.sequence}).bind_blob(3, row.frozen);
    FLOW_TRY_STATUS(connection_.finish(put_frozen_, "freeze a run"));
  }
  for (const DueRow& row : batch.in_line) {
    set_wake_.bind(1, row.wake_us).bind(2, row.run);
    FLOW_TRY_STATUS(connection_.finish(set_wake_, "let a run wait for its turn"));
  }
  for (const std::string& run : batch.thawed) {
    forget_frozen_.bind(1, run);
    FLOW_TRY_STATUS(connection_.finish(forget_frozen_, "forget what was frozen"));
  }
  return {};
}

Status RunTables::write(const Batch& batch) {
  FLOW_TRY_STATUS(write_runs(batch));
  return write_sleep(batch);
}

Result<std::vector<RunRow>> RunTables::runs(Statement& statement) {
  const Use use(statement);
  std::vector<RunRow> rows;
  int code = statement.step();
  for (; code == SQLITE_ROW; code = statement.step()) rows.push_back(run_row(statement));
  if (code != SQLITE_DONE) return tl::unexpected(connection_.problem("read runs"));
  return rows;
}

Result<std::optional<std::string>> RunTables::module(std::string_view hash) {
  return connection_.one_text(get_module_.bind(1, hash));
}

Result<std::optional<std::string>> RunTables::conditions_of(std::string_view hash) {
  return connection_.one_text(get_conditions_.bind(1, hash));
}

Result<std::optional<RunRow>> RunTables::run(std::string_view id) {
  FLOW_TRY(std::vector<RunRow> rows, runs(get_run_.bind(1, id)));
  if (rows.empty()) return std::optional<RunRow>();
  return std::optional<RunRow>(std::move(rows.front()));
}

Result<std::optional<std::string>> RunTables::run_of(std::string_view tenant, std::string_view flow,
                                                     std::string_view trigger, std::string_view key) {
  find_run_.bind(1, tenant).bind(2, flow).bind(3, trigger).bind(4, key);
  return connection_.one_text(find_run_);
}

Result<std::vector<JournalRow>> RunTables::journal(std::string_view run, std::uint32_t from) {
  Statement& statement = get_journal_.bind(1, run).bind(2, std::int64_t{from});
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
    // What cannot be read stays as it is: its kind tells whoever reads the journal that it is damaged.
    const bool is_packed = row.kind == kPacked || row.kind == kCompressed;
    if (is_packed && unpack({row.kind, row.payload}, run, row.sequence, row.time_us, rows)) continue;
    rows.push_back(std::move(row));
  }
  std::erase_if(rows, [&](const JournalRow& row) { return row.sequence < from; });
  if (code != SQLITE_DONE) return tl::unexpected(connection_.problem("read a journal"));
  return rows;
}

Result<std::uint32_t> RunTables::journal_length(std::string_view run) {
  Statement& statement = get_length_.bind(1, run);
  const Use use(statement);
  if (statement.step() != SQLITE_ROW) return tl::unexpected(connection_.problem("read a journal"));
  return static_cast<std::uint32_t>(statement.number(0));
}

Result<std::vector<RunRow>> RunTables::unfinished(std::string_view after, std::uint32_t limit) {
  return runs(get_unfinished_.bind(1, after).bind(2, std::int64_t{limit}));
}

Result<std::vector<RunRow>> RunTables::in_line(std::string_view after, std::uint32_t limit) {
  return runs(get_in_line_.bind(1, after).bind(2, std::int64_t{limit}));
}

Result<std::vector<RunRow>> RunTables::sleepers(std::int64_t until_us, std::uint32_t limit) {
  return runs(get_sleepers_.bind(1, until_us).bind(2, std::int64_t{limit}));
}

Result<std::optional<std::int64_t>> RunTables::next_wake_us() {
  Statement& statement = get_next_wake_;
  const Use use(statement);
  const int code = statement.step();
  if (code == SQLITE_DONE) return std::optional<std::int64_t>();
  if (code != SQLITE_ROW) return tl::unexpected(connection_.problem("read when to wake"));
  const std::int64_t wake_us = statement.number(0);
  return wake_us == kNever ? std::optional<std::int64_t>() : wake_us;
}

Result<std::optional<SleepRow>> RunTables::frozen(std::string_view run) {
  Statement& statement = get_frozen_.bind(1, run);
  const Use use(statement);
  const int code = statement.step();
  if (code == SQLITE_DONE) return std::optional<SleepRow>();
  if (code != SQLITE_ROW) return tl::unexpected(connection_.problem("read a frozen run"));
  return std::optional<SleepRow>(SleepRow{std::string(run), statement.number(0),
                                          static_cast<std::uint32_t>(statement.number(1)),
                                          statement.text(2)});
}

Result<std::vector<RunRow>> RunTables::open_leases(std::string_view tenant, std::string_view flow) {
  return runs(get_leases_.bind(1, tenant).bind(2, flow));
}

// Only what is asked for stands in the query, so that the index of a state is found. The `+` keeps the index
// by which runs are unique out of it: it would bring all runs of a flow, to be sorted.
Result<std::vector<RunRow>> RunTables::list(const RunFilter& filter) {
  std::string where;
  std::vector<std::variant<std::string_view, std::int64_t>> values;
  const auto add = [&](std::string_view condition, std::variant<std::string_view, std::int64_t> value) {
    where.append(where.empty() ? " WHERE " : " AND ").append(condition);
    values.push_back(value);
  };
  const std::string since_id = filter.since_us > 0 ? first_run_id(filter.since_us) : "";
  if (!filter.tenant.empty()) add("+tenant = ?", filter.tenant);
  if (!filter.flow.empty()) add("flow = ?", filter.flow);
  if (!filter.machine.empty()) add("machine = ?", filter.machine);
  // Written out, as the indices of states say them.
  if (filter.state)
    where += fmt::format("{} state = {}", where.empty() ? " WHERE" : " AND", static_cast<int>(*filter.state));
  if (filter.since_us > 0) add("created_us >= ?", filter.since_us), add("id >= ?", since_id);
  if (filter.until_us > 0) add("created_us < ?", filter.until_us);
  if (!filter.before_id.empty()) add("id < ?", filter.before_id);
  std::vector<std::string> ids;
  if (!filter.event.empty()) {
    FLOW_TRY(ids, runs_of_event(filter));
    if (ids.empty()) return std::vector<RunRow>();
    where += where.empty() ? " WHERE " : " AND ";
    where += fmt::format("id IN ({})", fmt::join(std::vector<char>(ids.size(), '?'), ", "));
    values.insert(values.end(), ids.begin(), ids.end());
  }
  values.emplace_back(std::int64_t{std::min(filter.limit, kMaxListedRuns)});
  const std::string sql = "SELECT " FLOW_RUN_COLUMNS " FROM runs" + where + " ORDER BY id DESC LIMIT ?";
  FLOW_TRY(Statement list, connection_.prepare(sql.c_str()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const int at = static_cast<int>(i) + 1;
    if (const auto* text = std::get_if<std::string_view>(&values[i]))
      list.bind(at, *text);
    else
      list.bind(at, std::get<std::int64_t>(values[i]));
  }
  return runs(list);
}

// Runs are unique by tenant, flow, trigger and key, in this order, and there are few of the first three: so
// the index of these is enough. The key of a change is that of its event, a line's end and its time.
Result<std::vector<std::string>> RunTables::runs_of_event(const RunFilter& filter) {
  std::vector<std::string> ids;
  const std::string first_change = filter.event + "\n", behind_changes = filter.event + "\v";
  std::array<std::string, 3> group;
  for (;;) {
    {
      const Use use(next_group_.bind(1, group[0]).bind(2, group[1]).bind(3, group[2]));
      const int code = next_group_.step();
      if (code == SQLITE_DONE) break;
      if (code != SQLITE_ROW) return tl::unexpected(connection_.problem("look for an event"));
      group = {next_group_.text(0), next_group_.text(1), next_group_.text(2)};
    }
    const Use use(find_event_.bind(1, group[0]).bind(2, group[1]).bind(3, group[2]).bind(4, filter.event));
    find_event_.bind(5, first_change).bind(6, behind_changes);
    int code = find_event_.step();
    for (; code == SQLITE_ROW && ids.size() < kMostOfOneEvent; code = find_event_.step())
      ids.push_back(find_event_.text(0));
    if (code != SQLITE_DONE && code != SQLITE_ROW)
      return tl::unexpected(connection_.problem("look for an event"));
  }
  return ids;
}

}  // namespace flow::sqlite
