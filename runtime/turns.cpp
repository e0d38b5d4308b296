// Whose turn it is: runs of a flow that says `at most N at once` are created and stored with their first step
// like all others, but what they want is not asked for until they have a place. A run that ends gives its
// place to the next. And whose time is over: `within`.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "runtime/loop.hpp"

namespace flow {
namespace {

// So many that wait for their turn stay in memory, as one that is next soon goes on at once then. The rest
// sleep.
constexpr std::size_t kWaitingInMemory = 64;
constexpr std::uint32_t kLinedUpAtOnce = 1'000;  // rows that a start reads at once

Places::Line line_of(const RunRow& row) {
  return {row.tenant, row.flow};
}

}  // namespace

// ---- `at most N at once`

// A run that is new in memory. Its row says whether it waits.
void Runtime::Loop::enter_line(Run& run) {
  const std::string id = run.row().id;
  const Places::Line line = line_of(run.row());
  places_.want(line, id, run.policies().at_most);
  grant_turns(line);
  const bool waits = places_.is_waiting(line, id);
  std::erase(turns_, id);  // it has its turn right here
  std::string reason = waits ? turn_reason(run.policies().at_most) : "";
  if (reason == run.row().reason) return;
  run.set_reason(std::move(reason));
  batch_.changed_runs.push_back(run.row());
}

// Until all stored runs are taken up, those that came later have to wait for them.
void Runtime::Loop::grant_turns(const Places::Line& line) {
  if (!has_taken_up_all_ && taken_up_to_.empty()) return;
  for (std::string& run : places_.grant(line, has_taken_up_all_ ? std::string() : taken_up_to_))
    turns_.push_back(std::move(run));
}

// Those that sleep are woken in one commit.
Status Runtime::Loop::give_turns(bool& has_worked) {
  const std::vector<std::string> turns = std::exchange(turns_, {});
  std::vector<RunRow> asleep;
  for (const std::string& id : turns) {
    if (run(id) != nullptr || has_ended_in_this_turn(id)) continue;
    FLOW_TRY(const std::optional<RunRow> row, store_.run(id));
    if (row && row->state == RunState::Running && row->wake_us != 0) asleep.push_back(*row);
  }
  FLOW_TRY_STATUS(wake(asleep));
  for (const std::string& id : turns) {
    has_worked = true;
    FLOW_TRY(Run * run, in_memory(id));
    if (run == nullptr) continue;
    if (waits_for_turn(run->row().reason)) note_moving(*run);
    take_up_replayed(*run);
  }
  return {};
}

void Runtime::Loop::note_moving(Run& run) {
  run.set_reason("");
  std::erase_if(batch_.in_line, [&](const DueRow& row) { return row.run == run.row().id; });
  batch_.changed_runs.push_back(run.row());
}

void Runtime::Loop::leave_line(const RunRow& row) {
  places_.leave(line_of(row), row.id);
  grant_turns(line_of(row));
}

// Runs that wait need no memory: they sleep until their turn, or until their time is over.
void Runtime::Loop::let_wait(const Run& run) {
  const std::int64_t within_us = run.policies().within_us;
  std::int64_t wake_us = kNever;
  if (within_us > 0 && __builtin_add_overflow(run.row().created_us, within_us, &wake_us)) wake_us = kNever;
  const bool is_near = wake_us != kNever && wake_us - clock_.now_us() < options_.sleep_from_us;
  if (is_near || places_.waiting() <= kWaitingInMemory) return;
  batch_.in_line.push_back({.run = run.row().id, .wake_us = wake_us});
}

// Once it is durable that they sleep.
void Runtime::Loop::forget_waiting() {
  for (const DueRow& row : committed_.in_line) {
    const Run* const found = run(row.run);
    if (found == nullptr || !waits_for_turn(found->row().reason)) continue;
    next_sleeper_us_ = std::min(next_sleeper_us_, row.wake_us);
    deadlines_.forget(row.run);
    runs_.erase(row.run);
  }
}

// Of the processes before: who sleeps in a line. They are not taken up before their turn.
Status Runtime::Loop::line_up_sleepers() {
  for (std::string after;;) {
    FLOW_TRY(const std::vector<RunRow> rows, store_.runs_in_line(after, kLinedUpAtOnce));
    for (const RunRow& row : rows) places_.want(line_of(row), row.id, at_most_in(row.reason).value_or(1));
    if (rows.size() < kLinedUpAtOnce) return {};
    after = rows.back().id;
  }
}

bool Runtime::Loop::has_ended_in_this_turn(const std::string& id) const {
  return std::ranges::any_of(
      batch_.changed_runs, [&](const RunRow& row) { return row.id == id && row.state != RunState::Running; });
}

// The run, from the store if need be; nullptr when it is over.
Result<Run*> Runtime::Loop::in_memory(const std::string& id) {
  if (Run* const found = run(id)) return found;
  if (has_ended_in_this_turn(id)) return nullptr;
  FLOW_TRY(const std::optional<RunRow> row, store_.run(id));
  if (!row || row->state != RunState::Running) return nullptr;
  if (row->wake_us != 0) {
    FLOW_TRY_STATUS(wake({*row}));
  } else {
    FLOW_TRY_STATUS(take_up(*row, false));
  }
  return run(id);
}

// ---- `within`

void Runtime::Loop::set_deadline(const Run& run) {
  const std::int64_t within_us = run.policies().within_us;
  std::int64_t at_us = 0;
  if (within_us > 0 && !__builtin_add_overflow(run.row().created_us, within_us, &at_us))
    deadlines_.set(run.row().id, at_us);
}

bool Runtime::Loop::is_overdue(const Run& run, std::int64_t now_us) {
  return run.policies().within_us > 0 && now_us - run.row().created_us >= run.policies().within_us;
}

// Behind its deadline a run may only clean up, and not for ever either.
bool Runtime::Loop::is_too_late(const Run& run, std::uint32_t number, std::int64_t now_us) {
  if (!is_overdue(run, now_us)) return false;
  const auto [found, is_new] = overdue_.try_emplace(run.row().id, now_us + options_.cleanup_us);
  if (is_new) deadlines_.set(run.row().id, found->second);
  return !run.waiting(number)->call.is_cleanup || now_us >= found->second;
}

void Runtime::Loop::answer_too_late(Run& run, std::uint32_t number) {
  const bool may_have_happened = run.waiting(number)->in_doubt;
  answer_instead(run, number, AnsweredBy::Deadline,
                 Fault{.kind = FaultKind::Timeout,
                       .message = fmt::format("the run is over its deadline, `within {}`",
                                              format_duration_us(run.policies().within_us)),
                       .maybe_executed = may_have_happened});
}

// What its calls are told at the deadline, and once more when the time for cleaning up is over. A run that
// still waits for its turn is told as well, and cleans up without it.
Status Runtime::Loop::end_overdue(std::int64_t now_us, bool& has_worked) {
  for (const std::string& id : deadlines_.take_due(now_us)) {
    has_worked = true;
    FLOW_TRY(Run * run, in_memory(id));
    if (run == nullptr) continue;
    if (waits_for_turn(run->row().reason)) {
      leave_line(run->row());
      note_moving(*run);
    }
    for (const std::uint32_t number : run->under_way())
      if (run->waiting(number) != nullptr && is_too_late(*run, number, now_us)) answer_too_late(*run, number);
    settle_run(*run);
  }
  return {};
}

}  // namespace flow
