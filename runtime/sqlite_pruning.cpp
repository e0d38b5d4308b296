#include "runtime/sqlite_pruning.hpp"

#include <algorithm>
#include <set>

#include "runtime/caller.hpp"

namespace flow::sqlite {

Status Pruning::prepare() {
  FLOW_TRY(look_, connection_.prepare("SELECT id, state, ended_us, module, trigger_name, key FROM runs"
                                      " WHERE id > ? ORDER BY id LIMIT ?"));
  FLOW_TRY(find_run_, connection_.prepare("SELECT id FROM runs WHERE id = ?"));
  FLOW_TRY(get_modules_, connection_.prepare("SELECT hash FROM modules"
                                             " WHERE hash NOT IN (SELECT module FROM deployments)"));
  FLOW_TRY(remove_module_, connection_.prepare("DELETE FROM modules WHERE hash = ?"));
  FLOW_TRY(remove_journal_, connection_.prepare("DELETE FROM journal WHERE run = ?"));
  FLOW_TRY(remove_frozen_, connection_.prepare("DELETE FROM frozen WHERE run = ?"));
  // A question's ID is the run's, a `-` and the call's number: `.` is the character behind `-`.
  FLOW_TRY(remove_tellings_,
           connection_.prepare("DELETE FROM tellings WHERE question >= ?1 || '-' AND question < ?1 || '.'"));
  FLOW_TRY(remove_questions_,
           connection_.prepare("DELETE FROM questions WHERE id >= ?1 || '-' AND id < ?1 || '.'"));
  FLOW_TRY(remove_messages_, connection_.prepare("DELETE FROM messages WHERE run = ?"));
  FLOW_TRY(remove_run_, connection_.prepare("DELETE FROM runs WHERE id = ?"));
  // Those that a flow takes or counts no longer stay behind otherwise.
  FLOW_TRY(forget_once_,
           connection_.prepare("DELETE FROM once WHERE (tenant, flow, key) IN (SELECT tenant, flow, key"
                               " FROM once WHERE until_us < ? ORDER BY until_us LIMIT 256)"));
  FLOW_TRY(forget_counted_,
           connection_.prepare("DELETE FROM counted WHERE (tenant, flow, operation, run, call) IN (SELECT"
                               " tenant, flow, operation, run, call FROM counted WHERE until_us < ?"
                               " ORDER BY until_us LIMIT 256)"));
  return {};
}

// A run that another has called answers it, as long as that one is there and may come to the call again.
Result<bool> Pruning::may_be_asked_for(const std::string& trigger, const std::string& key) {
  RunRow row;
  row.trigger = trigger;
  row.key = key;
  const auto caller = caller_of(row);
  if (!caller) return false;
  FLOW_TRY(const auto found, connection_.one_text(find_run_.bind(1, caller->run)));
  return found.has_value();
}

Result<Pruning::Plan> Pruning::plan(const PruneOrder& order) {
  struct Looked {
    std::string id, module, trigger, key;
    bool is_old = false;
  };
  std::vector<Looked> looked;
  {
    const Use use(look_.bind(1, order.after).bind(2, std::int64_t{order.runs}));
    int code = look_.step();
    for (; code == SQLITE_ROW; code = look_.step()) {
      const std::int64_t ended_us = look_.number(2);
      const bool is_over = look_.number(1) != static_cast<std::int64_t>(RunState::Running) && ended_us > 0;
      looked.push_back({.id = look_.text(0),
                        .module = look_.text(3),
                        .trigger = look_.text(4),
                        .key = look_.text(5),
                        .is_old = is_over && ended_us < order.ended_before_us});
    }
    if (code != SQLITE_DONE) return tl::unexpected(connection_.problem("look for old runs"));
  }
  Plan plan;
  std::set<std::string> modules;
  for (const Looked& run : looked) {
    bool stays = !run.is_old;
    if (!stays) {
      FLOW_TRY(stays, may_be_asked_for(run.trigger, run.key));
    }
    if (!stays) {
      plan.runs.push_back(run.id);
    } else {
      modules.insert(run.module);
    }
  }
  plan.pruned.modules = {modules.begin(), modules.end()};
  if (looked.size() == order.runs) plan.pruned.last = looked.back().id;
  return plan;
}

Status Pruning::remove_run(const std::string& run, std::uint32_t& rows) {
  FLOW_TRY_STATUS(connection_.finish(remove_journal_.bind(1, run), "remove an old journal"));
  rows += connection_.changes();
  for (Statement* statement :
       {&remove_frozen_, &remove_tellings_, &remove_questions_, &remove_messages_, &remove_run_})
    FLOW_TRY_STATUS(connection_.finish(statement->bind(1, run), "remove an old run"));
  return {};
}

Status Pruning::carry_out(Plan& plan, const PruneOrder& order) {
  std::uint32_t rows = 0;
  for (const std::string& run : plan.runs) {
    FLOW_TRY_STATUS(remove_run(run, rows));
    ++plan.pruned.runs;
    if (rows < order.rows) continue;
    if (plan.pruned.runs < plan.runs.size()) plan.pruned.last = run;
    break;
  }
  FLOW_TRY_STATUS(
      connection_.finish(forget_once_.bind(1, order.ended_before_us), "forget keys that are over"));
  return connection_.finish(forget_counted_.bind(1, order.ended_before_us), "forget calls that are over");
}

Result<std::vector<std::string>> Pruning::modules_but(const std::vector<std::string>& needed) {
  const Use use(get_modules_);
  std::vector<std::string> others;
  int code = get_modules_.step();
  for (; code == SQLITE_ROW; code = get_modules_.step()) {
    std::string hash = get_modules_.text(0);
    if (std::ranges::find(needed, hash) == needed.end()) others.push_back(std::move(hash));
  }
  if (code != SQLITE_DONE) return tl::unexpected(connection_.problem("list modules"));
  return others;
}

Status Pruning::remove_modules(const std::vector<std::string>& hashes) {
  for (const std::string& hash : hashes)
    FLOW_TRY_STATUS(connection_.finish(remove_module_.bind(1, hash), "remove a module"));
  return {};
}

}  // namespace flow::sqlite
