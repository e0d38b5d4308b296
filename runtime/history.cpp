#include "runtime/history.hpp"

#include <fmt/format.h>

#include <map>

namespace flow {
namespace {

// Names the operation of answers and retries, which the journal writes only in intents.
using OperationNames = std::map<std::uint32_t, IntentEntry>;

void fill(RunStep& step, const IntentEntry& intent, OperationNames& intents) {
  step.call = intent.call;
  step.attempt = intent.attempt;
  step.operation = intent.operation;
  step.arguments = intent.arguments;
  step.line = intent.line;
  intents[intent.call] = intent;
}

void fill_call(RunStep& step, std::uint32_t call, const OperationNames& intents) {
  step.call = call;
  if (const auto found = intents.find(call); found != intents.end()) {
    step.operation = found->second.operation;
    step.line = found->second.line;
  }
}

void fill(RunStep& step, const OutcomeEntry& answer) {
  step.is_settled = answer.is_settled;
  step.by = answer.by;
  if (const auto* returned = std::get_if<Returned>(&answer.outcome)) step.result = returned->json;
  if (const auto* fault = std::get_if<Fault>(&answer.outcome)) step.fault = *fault;
}

void fill(RunStep& step, const Ended& ended) {
  step.how = how_name(ended.how);
  step.text = ended.reason;
  step.result = ended.result;
  step.line = ended.line;
  if (ended.how == Ended::How::Failed) step.fault = ended.fault;
  step.trace = ended.trace;
}

void fill(RunStep& step, const Entry& entry, OperationNames& intents) {
  if (const auto* started = std::get_if<StartedEntry>(&entry)) {
    step.result = started->event;
    step.settings = started->settings;
    step.person = started->by;
  }
  if (const auto* intent = std::get_if<IntentEntry>(&entry)) fill(step, *intent, intents);
  if (const auto* retry = std::get_if<RetryEntry>(&entry)) {
    fill_call(step, retry->call, intents);
    step.fault = retry->fault;
    step.not_before_us = retry->not_before_us;
  }
  if (const auto* answer = std::get_if<OutcomeEntry>(&entry)) {
    fill_call(step, answer->call, intents);
    fill(step, *answer);
  }
  if (const auto* begun = std::get_if<BegunEntry>(&entry)) {
    fill_call(step, begun->call, intents);
    step.result = begun->result;
  }
  if (const auto* log = std::get_if<LogEntry>(&entry)) {
    step.text = log->text;
    step.line = log->line;
  }
  if (const auto* resumed = std::get_if<ResumedEntry>(&entry)) step.person = resumed->by;
  if (const auto* cancelled = std::get_if<CancelledEntry>(&entry)) {
    step.person = cancelled->by;
    step.text = cancelled->reason;
  }
  if (const auto* parked = std::get_if<ParkedEntry>(&entry)) step.text = parked->reason;
  if (const auto* ended = std::get_if<EndedEntry>(&entry)) fill(step, ended->ended);
}

RunStep step_of(const JournalRow& row, OperationNames& intents) {
  RunStep step;
  step.sequence = row.sequence;
  step.time_us = row.time_us;
  const auto kind = entry_numbered(row.kind);
  step.is_damaged = true;
  if (!kind) {
    step.text = fmt::format("an entry of kind {}, which this version does not know", row.kind);
    return step;
  }
  step.kind = *kind;
  const auto entry = decode_entry(*kind, row.payload);
  if (!entry) {
    step.text = entry.error().message;
    return step;
  }
  step.is_damaged = false;
  fill(step, *entry, intents);
  return step;
}

}  // namespace

Result<std::optional<RunHistory>> show_run(Store& store, std::string_view id) {
  FLOW_TRY(std::optional<RunRow> row, store.run(id));
  if (!row) return std::optional<RunHistory>();
  FLOW_TRY(const std::vector<JournalRow> journal, store.journal(id, 0));
  RunHistory history{std::move(*row), {}};
  OperationNames intents;
  for (const JournalRow& entry : journal) {
    history.steps.push_back(step_of(entry, intents));
    if (history.steps.back().kind != EntryKind::Resumed || history.steps.back().is_damaged) continue;
    const auto resumed = decode_entry(EntryKind::Resumed, entry.payload);
    for (std::size_t i = std::get<ResumedEntry>(*resumed).from; i + 1 < history.steps.size(); ++i)
      history.steps[i].is_void = true;
  }
  return std::optional<RunHistory>(std::move(history));
}

}  // namespace flow
