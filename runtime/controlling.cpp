// What people do to runs while this process has their store: the rules of control.hpp, carried out in the
// loop's turn, and what follows from them in memory.
#include <algorithm>

#include "runtime/caller.hpp"
#include "runtime/control.hpp"
#include "runtime/loop.hpp"

namespace flow {
namespace {

template <class Row>
void append(std::vector<Row>& rows, const std::vector<Row>& more) {
  rows.insert(rows.end(), more.begin(), more.end());
}

}  // namespace

void Runtime::Loop::control(ControlRequest request, ControlDone done) {
  inbox_->ask([this, request = std::move(request), done = std::move(done)](bool is_open) -> Status {
    if (is_open) return take_control(request, done);
    done({});
    return {};
  });
}

// The plan is made from the store, so what this turn has written of the run must be there.
Status Runtime::Loop::take_control(const ControlRequest& request, const ControlDone& done) {
  const bool is_written =
      std::ranges::find(batch_.journal, request.run, &JournalRow::run) != batch_.journal.end() ||
      std::ranges::find(batch_.changed_runs, request.run, &RunRow::id) != batch_.changed_runs.end();
  // Of several that repeat one run, each has its own number.
  const bool is_repeated = request.what == ControlRequest::What::Retry && !batch_.runs.empty();
  if (is_written || is_repeated) FLOW_TRY_STATUS(commit());
  FLOW_TRY(ControlPlan plan, plan_control(store_, request, ids_, clock_.now_us()));
  if (plan.reply.how == ControlReply::How::Done) carry_out(plan.batch, request);
  when_durable([done, reply = std::move(plan.reply)] { done(reply); });
  return {};
}

void Runtime::Loop::carry_out(const Batch& planned, const ControlRequest& request) {
  const bool is_new = !planned.runs.empty();
  const RunRow row = is_new ? planned.runs.front() : planned.changed_runs.front();
  if (is_new) {
    ++counters_.runs_started;
    metrics_.add(Metric::RunsStarted, {row.tenant, row.flow});
    after_commit([this, row] { observer_->run_started(row); });
  }
  for (const JournalRow& entry : planned.journal)
    after_commit([this, row, entry] { observer_->run_step(row, entry); });
  if (row.state == RunState::Running)
    resumed_.push_back(row.id);
  else
    end_cancelled(row, planned.closed, request);
  append(batch_.runs, planned.runs);
  append(batch_.journal, planned.journal);
  append(batch_.changed_runs, planned.changed_runs);
  append(batch_.thawed, planned.thawed);
  append(batch_.closed, planned.closed);
  append(batch_.audit, planned.audit);
}

// Wherever it was: in memory, asleep, waiting for its turn, parked, or not taken up yet. What it has under
// way may take effect; nobody takes the answers. A run that it has called goes on.
void Runtime::Loop::end_cancelled(const RunRow& row, const std::vector<QuestionRow>& withdrawn,
                                  const ControlRequest& request) {
  for (const QuestionRow& question : withdrawn) stop_telling(question.id);
  note_over(row);
  follow_cancel(row, CancelledEntry{request.resume.by, request.reason});
  runs_.erase(row.id);
}

// Those that may go on, once that is durable and there is room.
Status Runtime::Loop::take_up_resumed(bool& has_worked) {
  while (!resumed_.empty() && has_room()) {
    has_worked = true;
    const std::string id = resumed_.front();
    resumed_.pop_front();
    FLOW_TRY(const Run* run, in_memory(id));
    if (run == nullptr) continue;
    const RunRow& row = run->row();
    const auto caller = caller_of(row);
    if (caller && waiting_run(caller->run, caller->call) != nullptr) awaited_.insert(row.key);
  }
  return {};
}

}  // namespace flow
