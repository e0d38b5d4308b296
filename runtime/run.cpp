#include "runtime/run.hpp"

#include <fmt/format.h>

#include <utility>

namespace flow {
namespace {

RunState state_after(Ended::How how) {
  switch (how) {
    case Ended::How::Skipped: return RunState::Skipped;
    case Ended::How::Finished: return RunState::Finished;
    case Ended::How::Stopped: return RunState::Stopped;
    case Ended::How::Failed: return RunState::Failed;
  }
  return RunState::Failed;
}

}  // namespace

Run::Run(RunRow row, std::shared_ptr<const Module> module, std::unique_ptr<RunMachine> machine)
    : row_(std::move(row)), module_(std::move(module)), machine_(std::move(machine)) {}

void Run::start(std::string_view event, std::string_view settings, Step first, std::int64_t now_us) {
  append(StartedEntry{std::string(event), std::string(settings)}, now_us);
  advance(std::move(first), now_us);
}

Status Run::replay(const std::vector<JournalRow>& journal, std::int64_t now_us) {
  next_sequence_ = journal.empty() ? 0 : journal.back().sequence + 1;
  FLOW_TRY_STATUS(read(journal));
  advance(machine_->start(started_.event, started_.settings), now_us);
  if (replay_problem_.empty() && !recorded_calls_.empty()) {
    const std::uint32_t last = recorded_calls_.rbegin()->first;
    if (!waiting_ || last > waiting_->number)
      replay_problem_ =
          fmt::format("the journal holds call {}, which the flow did not come to this time", last);
  }
  recorded_calls_.clear();
  recorded_logs_.clear();
  if (!replay_problem_.empty()) return error(replay_problem_);
  return {};
}

Status Run::read(const std::vector<JournalRow>& journal) {
  for (std::size_t i = 0; i < journal.size(); ++i) {
    const JournalRow& row = journal[i];
    if (row.sequence != i) return error(fmt::format("the journal is damaged: entry {} is missing", i));
    const auto kind = entry_numbered(row.kind);
    if (!kind)
      return error(
          fmt::format("the journal holds an entry of kind {}, which this version does not know", row.kind));
    if ((*kind == EntryKind::Started) != (i == 0))
      return error("the journal is damaged: it must begin with `Started`, once");
    FLOW_TRY(const Entry entry, decode_entry(*kind, row.payload));
    FLOW_TRY_STATUS(read(entry));
  }
  if (journal.empty()) return error("the journal is damaged: it is empty");
  return {};
}

Status Run::read(const Entry& entry) {
  if (const auto* started = std::get_if<StartedEntry>(&entry)) started_ = *started;
  if (const auto* log = std::get_if<LogEntry>(&entry)) recorded_logs_[log->number] = log->text;
  if (std::holds_alternative<EnteredEntry>(entry)) has_entered_ = true;
  if (std::holds_alternative<EndedEntry>(entry))
    return error("the journal is damaged: the run goes on after its end");
  if (const auto* intent = std::get_if<IntentEntry>(&entry)) {
    Recorded& call = recorded_calls_[intent->call];
    call.intent = *intent;
    call.in_doubt = true;
  } else if (const auto* retry = std::get_if<RetryEntry>(&entry)) {
    Recorded& call = recorded_calls_[retry->call];
    call.in_doubt = false;
    call.not_before_us = retry->not_before_us;
    if (retry->fault) ++call.failures;
  } else if (const auto* answer = std::get_if<OutcomeEntry>(&entry)) {
    Recorded& call = recorded_calls_[answer->call];
    if (!call.intent)
      return error(
          fmt::format("the journal is damaged: call {} was answered before it was made", answer->call));
    call.answer = *answer;
    call.in_doubt = false;
  }
  return {};
}

void Run::append(const Entry& entry, std::int64_t now_us) {
  unsaved_.push_back(
      JournalRow{row_.id, next_sequence_++, static_cast<int>(kind_of(entry)), now_us, encode_entry(entry)});
}

// Goes on until the machine waits for a call that has no answer yet, or is at its end. Bounded by the
// machine's fuel.
void Run::advance(Step step, std::int64_t now_us) {
  for (std::optional<Step> next = std::move(step); next;) {
    if (!has_entered_ && machine_->in_body()) {
      has_entered_ = true;
      append(EnteredEntry{}, now_us);
    }
    if (const auto* ended = std::get_if<Ended>(&*next)) return end(*ended, now_us);
    if (next_sequence_ > kMaxJournalEntries)
      return park(fmt::format("its journal grew beyond {} entries", kMaxJournalEntries), now_us);
    if (const auto* line = std::get_if<LogLine>(&*next)) {
      next = pass_log(LogLine(*line), now_us);
    } else {
      next = pass_call(Call(std::get<Call>(*next)));
    }
  }
}

std::optional<Step> Run::pass_log(const LogLine& line, std::int64_t now_us) {
  const auto recorded = recorded_logs_.find(line.number);
  if (recorded == recorded_logs_.end()) {
    append(LogEntry{line.number, line.text, line.line}, now_us);
  } else if (recorded->second != line.text) {
    replay_problem_ =
        fmt::format("the flow now logs `{}` where the journal has `{}`", line.text, recorded->second);
    return std::nullopt;
  }
  return machine_->resume(Returned{"null"});
}

std::optional<Step> Run::pass_call(const Call& call) {
  const auto found = recorded_calls_.find(call.number);
  if (found != recorded_calls_.end() && found->second.intent) {
    const Recorded& recorded = found->second;
    if (auto problem = mismatch(call, *recorded.intent)) {
      replay_problem_ = std::move(*problem);
      return std::nullopt;
    }
    if (recorded.answer) return machine_->resume(recorded.answer->outcome);
  }
  wait_for(call);
  return std::nullopt;
}

std::optional<std::string> Run::mismatch(const Call& call, const IntentEntry& intent) const {
  const std::string operation = module_->operations[call.operation].full_name();
  if (operation != intent.operation)
    return fmt::format("call {} is now `{}` where the journal has `{}`", call.number, operation,
                       intent.operation);
  if (call.arguments != intent.arguments)
    return fmt::format("call {} of `{}` now has other arguments than the journal", call.number, operation);
  return std::nullopt;
}

void Run::wait_for(const Call& call) {
  const auto found = recorded_calls_.find(call.number);
  const Recorded recorded = found == recorded_calls_.end() ? Recorded() : found->second;
  waiting_ = call;
  attempts_ = recorded.intent ? recorded.intent->attempt : 0;
  failures_ = recorded.failures;
  not_before_us_ = recorded.not_before_us;
  in_doubt_ = recorded.in_doubt;
}

std::string Run::call_key() const {
  return fmt::format("{}/{}", row_.id, waiting_->number);
}

void Run::note_attempt(std::int64_t now_us) {
  FLOW_CHECK(waiting_.has_value() && !in_doubt_,
             "a call goes out only when the last attempt's fate is known");
  in_doubt_ = true;
  append(IntentEntry{waiting_->number, ++attempts_, operation().full_name(), waiting_->arguments,
                     waiting_->line, waiting_->is_fetch},
         now_us);
}

void Run::note_retry(std::optional<Fault> fault, std::int64_t not_before_us, std::int64_t now_us) {
  FLOW_CHECK(waiting_.has_value(), "only a call that is waited for is made again");
  if (fault) ++failures_;
  in_doubt_ = false;
  not_before_us_ = not_before_us;
  append(RetryEntry{waiting_->number, std::move(fault), not_before_us}, now_us);
}

void Run::answer(const Outcome& outcome, bool is_settled, std::int64_t now_us) {
  FLOW_CHECK(waiting_.has_value(), "only a call that is waited for is answered");
  append(OutcomeEntry{waiting_->number, outcome, is_settled}, now_us);
  waiting_.reset();
  in_doubt_ = false;
  advance(machine_->resume(outcome), now_us);
}

void Run::park(std::string reason, std::int64_t now_us) {
  append(ParkedEntry{reason}, now_us);
  waiting_.reset();
  row_.state = RunState::Parked;
  row_.reason = std::move(reason);
}

void Run::end(const Ended& ended, std::int64_t now_us) {
  append(EndedEntry{ended}, now_us);
  ended_ = ended;
  row_.state = state_after(ended.how);
  row_.ended_us = now_us;
  row_.line = ended.line;
  if (ended.how == Ended::How::Stopped) row_.reason = ended.reason;
  if (ended.how == Ended::How::Failed) {
    row_.reason = ended.fault.message;
    row_.fault = fault_name(ended.fault.kind);
  }
}

std::vector<JournalRow> Run::take_unsaved() {
  return std::exchange(unsaved_, {});
}

}  // namespace flow
