#include "runtime/control.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/text.hpp"
#include "runtime/auditing.hpp"
#include "runtime/json_text.hpp"
#include "runtime/rerun.hpp"
#include "vm/bytecode/encode.hpp"

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

std::optional<std::string> text_problem(const ControlRequest& request) {
  for (const auto& [name, text] :
       {std::pair("by", &request.resume.by), std::pair("reason", &request.reason)}) {
    if (text->size() > kMaxControlText)
      return fmt::format("`{}` is longer than {} bytes", name, kMaxControlText);
    if (invalid_utf8_at(*text)) return fmt::format("`{}` is no valid UTF-8", name);
  }
  return std::nullopt;
}

Result<Batch> plan_resume_from(Store& store, const RunHistory& history, const ResumeRequest& request,
                               std::int64_t now_us) {
  FLOW_TRY(const std::optional<std::string> bytes, store.module(history.run.module));
  if (!bytes) return error(fmt::format("the store has not the module of run `{}`", history.run.id));
  FLOW_TRY(const Module module, decode(*bytes));
  return plan_resume(history, module, request, now_us);
}

Result<std::vector<QuestionRow>> open_questions(Store& store, const std::string& run) {
  std::vector<QuestionRow> all;
  QuestionFilter filter{
      .tenant = {}, .run = run, .state = QuestionRow::State::Open, .before_id = {}, .limit = kMaxListedRuns};
  for (;;) {
    FLOW_TRY(const std::vector<QuestionRow> page, store.list_questions(filter));
    all.insert(all.end(), page.begin(), page.end());
    if (page.size() < filter.limit) return all;
    filter.before_id = page.back().id;
  }
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

Result<Batch> plan_cancel(const RunHistory& history, const std::vector<QuestionRow>& asked,
                          const std::string& by, const std::string& reason, std::int64_t now_us) {
  const RunRow& run = history.run;
  if (run.state != RunState::Running && run.state != RunState::Parked)
    return error(fmt::format("run `{}` is over: {}", run.id, run_state_name(run.state)));
  Batch batch;
  batch.journal.push_back(journal_row(history, 0, CancelledEntry{by, reason}, now_us));
  RunRow row = run;
  row.state = RunState::Stopped;
  row.ended_us = now_us;
  row.reason = cancel_reason(by, reason);
  row.wake_us = 0;
  batch.audit.push_back(audit_control(AuditKind::Cancel, run, by, reason, now_us));
  batch.audit.push_back(audit_ended(row, now_us));
  batch.changed_runs.push_back(std::move(row));
  batch.thawed.push_back(run.id);
  for (QuestionRow question : asked) {
    if (question.state != QuestionRow::State::Open) continue;
    question.state = QuestionRow::State::Withdrawn;
    question.closed_us = now_us;
    batch.closed.push_back(std::move(question));
  }
  return batch;
}

Result<ControlPlan> plan_control(Store& store, const ControlRequest& request, RunIds& ids,
                                 std::int64_t now_us) {
  using How = ControlReply::How;
  using What = ControlRequest::What;
  const auto refused = [](How how, std::string problem) {
    return ControlPlan{.reply = {.how = how, .problem = std::move(problem), .run = {}}, .batch = {}};
  };
  if (auto problem = text_problem(request)) return refused(How::Refused, std::move(*problem));
  FLOW_TRY(const std::optional<RunHistory> history, show_run(store, request.run));
  if (!history) return refused(How::NotFound, fmt::format("there is no run `{}`", request.run));
  Result<Batch> batch = Batch();
  switch (request.what) {
    case What::Resume: batch = plan_resume_from(store, *history, request.resume, now_us); break;
    case What::Retry: batch = plan_rerun(store, *history, request.resume.by, ids, now_us); break;
    case What::Cancel: {
      FLOW_TRY(const std::vector<QuestionRow> asked, open_questions(store, request.run));
      batch = plan_cancel(*history, asked, request.resume.by, request.reason, now_us);
      break;
    }
  }
  if (!batch) return refused(How::Refused, batch.error().message);
  ControlReply reply{.how = How::Done, .problem = {}, .run = request.run};
  if (!batch->runs.empty()) reply.run = batch->runs.front().id;
  return ControlPlan{.reply = std::move(reply), .batch = std::move(*batch)};
}

Result<ControlReply> control_in_store(Store& store, const ControlRequest& request, RunIds& ids,
                                      std::int64_t now_us) {
  FLOW_TRY(ControlPlan plan, plan_control(store, request, ids, now_us));
  if (plan.reply.how == ControlReply::How::Done) FLOW_TRY_STATUS(store.commit(plan.batch));
  return std::move(plan.reply);
}

}  // namespace flow
