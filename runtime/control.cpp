#include "runtime/control.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "runtime/auditing.hpp"
#include "runtime/json_text.hpp"

namespace flow {
namespace {

std::string fate_text(ResumeRequest::Fate fate) {
  switch (fate) {
    case ResumeRequest::Fate::Unknown: return {};
    case ResumeRequest::Fate::Happened: return "the call in doubt has happened";
    case ResumeRequest::Fate::DidNotHappen: return "the call in doubt has not happened";
  }
  return {};
}

JournalRow journal_row(const RunHistory& history, std::uint32_t behind, const Entry& entry,
                       std::int64_t now_us) {
  const auto sequence = static_cast<std::uint32_t>(history.steps.size()) + behind;
  return {history.run.id, sequence, static_cast<int>(kind_of(entry)), now_us, encode_entry(entry)};
}

// The steps that count, in their order.
std::vector<const RunStep*> steps_that_count(const RunHistory& history) {
  std::vector<const RunStep*> steps;
  for (const RunStep& step : history.steps)
    if (!step.is_void) steps.push_back(&step);
  return steps;
}

// Calls that went out and of which nothing else is known, by number.
std::map<std::uint32_t, const RunStep*> in_doubt(const RunHistory& history) {
  std::map<std::uint32_t, const RunStep*> calls;
  for (const RunStep* step : steps_that_count(history)) {
    if (!step->call) continue;
    if (step->kind == EntryKind::Intent) {
      calls[*step->call] = step;
    } else {
      calls.erase(*step->call);
    }
  }
  return calls;
}

bool is_act(const Module& module, const std::string& operation) {
  const auto found = std::ranges::find(module.operations, operation, &Operation::full_name);
  return found == module.operations.end() || found->effect == Effect::Act;
}

Result<Batch> resume_failed(const RunHistory& history, const Module& module, const ResumeRequest& request,
                            std::int64_t now_us) {
  if (request.fate != ResumeRequest::Fate::Unknown)
    return error(fmt::format("run `{}` failed: none of its calls is in doubt", history.run.id));
  const std::vector<const RunStep*> steps = steps_that_count(history);
  const RunStep& end = *steps.back();
  // The last that ended so: what cleaned up behind it may have failed, too, but did not end the run.
  const auto is_cause = [&](const RunStep* step) {
    return step->kind == EntryKind::Answered && step->fault && end.fault &&
           step->fault->kind == end.fault->kind && step->fault->message == end.fault->message;
  };
  const auto cause = std::find_if(steps.rbegin(), steps.rend(), is_cause);
  if (cause == steps.rend())
    return error(
        fmt::format("run `{}` failed in its own code, not in a call: it would fail again (line {}: {})",
                    history.run.id, end.line, end.fault ? end.fault->message : ""));
  for (auto step = steps.rbegin(); step != cause; ++step)
    if ((*step)->kind == EntryKind::Intent && is_act(module, (*step)->operation))
      return error(
          fmt::format("run `{}` has called {} in line {} after it had failed; going back would not undo that",
                      history.run.id, (*step)->operation, (*step)->line));
  Batch batch;
  batch.journal.push_back(journal_row(history, 0,
                                      ResumedEntry{.from = (*cause)->sequence,
                                                   .call = (*cause)->call,
                                                   .in_doubt = (*cause)->fault->maybe_executed,
                                                   .at_us = now_us,
                                                   .by = request.by},
                                      now_us));
  return batch;
}

Result<Batch> resume_parked(const RunHistory& history, const ResumeRequest& request, std::int64_t now_us) {
  std::uint32_t from = static_cast<std::uint32_t>(history.steps.size()) - 1;
  while (from > 0 && history.steps[from - 1].kind == EntryKind::Recovered) --from;
  Batch batch;
  batch.journal.push_back(journal_row(
      history, 0, ResumedEntry{.from = from, .call = std::nullopt, .at_us = now_us, .by = request.by},
      now_us));
  if (request.fate == ResumeRequest::Fate::Unknown) return batch;
  const auto calls = in_doubt(history);
  if (calls.size() != 1)
    return error(
        fmt::format("run `{}` has {} calls whose fate is not known, not one", history.run.id, calls.size()));
  const std::uint32_t call = calls.begin()->first;
  if (request.fate == ResumeRequest::Fate::DidNotHappen) {
    batch.journal.push_back(journal_row(history, 1, RetryEntry{call, std::nullopt, now_us}, now_us));
    return batch;
  }
  if (!is_json(request.result)) return error("the call's result must be a JSON value");
  batch.journal.push_back(
      journal_row(history, 1, OutcomeEntry{call, Returned{request.result}, true}, now_us));
  return batch;
}

}  // namespace

Result<Batch> plan_resume(const RunHistory& history, const Module& module, const ResumeRequest& request,
                          std::int64_t now_us) {
  const RunRow& run = history.run;
  for (const RunStep& step : history.steps)
    if (step.is_damaged)
      return error(fmt::format("the journal of run `{}` is damaged: {}", run.id, step.text));
  if (history.steps.empty()) return error(fmt::format("the journal of run `{}` is empty", run.id));
  if (run.state == RunState::Running) return error(fmt::format("run `{}` is under way", run.id));
  if (run.state != RunState::Failed && run.state != RunState::Parked)
    return error(fmt::format("run `{}` did not fail: it is {}", run.id, run_state_name(run.state)));
  const bool is_failed = run.state == RunState::Failed;
  FLOW_TRY(Batch batch, is_failed ? resume_failed(history, module, request, now_us)
                                  : resume_parked(history, request, now_us));
  RunRow row = run;
  row.state = RunState::Running;
  row.ended_us = 0;
  row.reason.clear();
  row.fault.clear();
  row.line = 0;
  batch.changed_runs.push_back(std::move(row));
  batch.audit.push_back(audit_control(AuditKind::Resume, run, request.by, fate_text(request.fate), now_us));
  batch.thawed.push_back(run.id);  // it may stand for what does not count any more
  return batch;
}

Result<Batch> plan_cancel(const RunHistory& history, const std::string& by, const std::string& reason,
                          std::int64_t now_us) {
  const RunRow& run = history.run;
  if (run.state != RunState::Running && run.state != RunState::Parked)
    return error(fmt::format("run `{}` is over: {}", run.id, run_state_name(run.state)));
  Batch batch;
  batch.journal.push_back(journal_row(history, 0, CancelledEntry{by, reason}, now_us));
  RunRow row = run;
  row.state = RunState::Stopped;
  row.ended_us = now_us;
  row.reason = cancel_reason(by, reason);
  batch.audit.push_back(audit_control(AuditKind::Cancel, run, by, reason, now_us));
  batch.audit.push_back(audit_ended(row, now_us));
  batch.changed_runs.push_back(std::move(row));
  batch.thawed.push_back(run.id);
  return batch;
}

}  // namespace flow
