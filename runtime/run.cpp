#include "runtime/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "runtime/auditing.hpp"
#include "runtime/served.hpp"
#include "runtime/shadow.hpp"

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

// Of the run's flow; a module without it asks for nothing.
const Policies& policies_of(const Module& module, std::string_view flow) {
  static const Policies kNone;
  const auto found = std::ranges::find(module.flows, flow, &FlowCode::name);
  return found == module.flows.end() ? kNone : found->policies;
}

}  // namespace

Run::Run(RunRow row, std::shared_ptr<const Module> module, std::unique_ptr<RunMachine> machine)
    : row_(std::move(row)),
      module_(std::move(module)),
      policies_(policies_of(*module_, name_in_module(row_.flow))),
      machine_(std::move(machine)) {}

void Run::start(std::string_view event, std::string_view settings, Step first, std::int64_t now_us) {
  settings_ = settings;
  append(EntryKind::Started, encode_started(event, settings_), now_us);
  advance(std::move(first), now_us);
}

Status Run::replay(const std::vector<JournalRow>& journal, std::int64_t now_us) {
  FLOW_TRY_STATUS(read(journal, 0));
  if (journal.empty()) return error("the journal is damaged: it is empty");
  settings_ = started_.settings;
  advance(machine_->start(started_.event, settings_), now_us);
  return go_on_as_recorded(now_us);
}

Status Run::thaw(const FrozenRun& frozen, std::uint32_t sequence, const std::vector<JournalRow>& journal,
                 std::int64_t now_us) {
  settings_ = frozen.settings;
  calls_ = frozen.calls;
  has_entered_ = frozen.has_entered;
  const std::vector<Call> calls = machine_->under_way();
  if (!std::ranges::equal(calls, frozen.waiting, {}, &Call::number, &FrozenCall::number))
    return error("the frozen machine waits for other calls than the run");
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const FrozenCall& known = frozen.waiting[i];
    Recorded& recorded = recorded_calls_[known.number];
    recorded.intent.call = known.number;
    recorded.intent.attempt = known.attempts;
    recorded.intent.operation = module_->operations[calls[i].operation].full_name();
    recorded.intent.arguments = calls[i].arguments;
    recorded.intent.due_us = known.due_us;
    recorded.failures = known.failures;
    recorded.in_doubt = !known.is_held;
  }
  next_sequence_ = sequence;
  FLOW_TRY_STATUS(read(journal, sequence));
  for (const Call& call : calls) wait_for(call);
  advance(std::nullopt, now_us);
  return go_on_as_recorded(now_us);
}

Status Run::go_on_as_recorded(std::int64_t now_us) {
  give_recorded_answers(now_us);
  if (replay_problem_.empty() && !recorded_calls_.empty()) {
    const std::uint32_t last = recorded_calls_.rbegin()->first;
    if (last >= calls_)
      replay_problem_ =
          fmt::format("the journal holds call {}, which the flow did not come to this time", last);
  }
  recorded_calls_.clear();
  recorded_answers_.clear();
  recorded_logs_.clear();
  if (!replay_problem_.empty()) return error(replay_problem_);
  return {};
}

void Run::give_recorded_answers(std::int64_t now_us) {
  for (const OutcomeEntry& answer : recorded_answers_) {
    if (!replay_problem_.empty() || is_over()) return;
    if (waiting_.erase(answer.call) == 0) {
      replay_problem_ = fmt::format(
          "the journal holds an answer to call {}, which the flow did not come to this time", answer.call);
      return;
    }
    advance(machine_->answer_call(answer.call, answer.outcome), now_us);
  }
}

Status Run::read(const std::vector<JournalRow>& journal, std::uint32_t sequence) {
  // Also when it is damaged: what is appended stands behind all that is there.
  if (!journal.empty()) next_sequence_ = journal.back().sequence + 1;
  const std::uint32_t first = sequence;
  std::vector<std::optional<Entry>> entries;  // nothing for what does not count any more; as in `journal`
  for (const JournalRow& row : journal) {
    if (row.sequence != sequence)
      return error(fmt::format("the journal is damaged: entry {} is missing", sequence));
    const auto kind = entry_numbered(row.kind);
    if (!kind)
      return error(
          fmt::format("the journal holds an entry of kind {}, which this version does not know", row.kind));
    if ((*kind == EntryKind::Started) != (sequence == 0))
      return error("the journal is damaged: it must begin with `Started`, once");
    FLOW_TRY(Entry entry, decode_entry(*kind, row.payload));
    if (const auto* resumed = std::get_if<ResumedEntry>(&entry)) {
      if (resumed->from <= first || resumed->from > sequence)
        return error(fmt::format("the journal is damaged: it goes on at entry {} from entry {}", sequence,
                                 resumed->from));
      std::fill(entries.begin() + (resumed->from - first), entries.end(), std::nullopt);
    }
    entries.push_back(std::move(entry));
    ++sequence;
  }
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (entries[i]) FLOW_TRY_STATUS(read(*entries[i], journal[i].time_us));
  return {};
}

Status Run::read(const Entry& entry, std::int64_t time_us) {
  if (const auto* started = std::get_if<StartedEntry>(&entry)) started_ = *started;
  if (const auto* log = std::get_if<LogEntry>(&entry)) recorded_logs_[log->number] = log->text;
  if (std::holds_alternative<EnteredEntry>(entry)) has_entered_ = true;
  if (std::holds_alternative<EndedEntry>(entry) || std::holds_alternative<CancelledEntry>(entry))
    return error("the journal is damaged: the run goes on after its end");
  if (const auto* resumed = std::get_if<ResumedEntry>(&entry)) return read(*resumed);
  if (const auto* intent = std::get_if<IntentEntry>(&entry)) {
    Recorded& call = recorded_calls_[intent->call];
    call.intent = *intent;
    call.sent_us = time_us;
    call.in_doubt = true;
    return {};
  }
  const auto* retry = std::get_if<RetryEntry>(&entry);
  const auto* begun = std::get_if<BegunEntry>(&entry);
  const auto* answer = std::get_if<OutcomeEntry>(&entry);
  if (retry == nullptr && begun == nullptr && answer == nullptr) return {};
  const std::uint32_t number = retry != nullptr ? retry->call : begun != nullptr ? begun->call : answer->call;
  const auto found = recorded_calls_.find(number);
  if (found == recorded_calls_.end())
    return error(fmt::format("the journal is damaged: call {} was answered before it was made", number));
  Recorded& call = found->second;
  call.in_doubt = false;
  if (answer != nullptr) {
    recorded_answers_.push_back(*answer);
  } else if (begun != nullptr) {
    call.begun = Begun{begun->result, begun->since_us, begun->until_us};
  } else {
    call.not_before_us = retry->not_before_us;
    if (retry->fault) ++call.failures;
  }
  return {};
}

// The call that failed is made again as if for the first time.
Status Run::read(const ResumedEntry& resumed) {
  if (!resumed.call) return {};
  const auto found = recorded_calls_.find(*resumed.call);
  if (found == recorded_calls_.end())
    return error(
        fmt::format("the journal is damaged: it goes on with call {}, which was not made", *resumed.call));
  Recorded& call = found->second;
  call.failures = 0;
  call.in_doubt = resumed.in_doubt && !call.begun;
  call.not_before_us = 0;
  if (call.begun && call.begun->until_us != kNever)
    call.begun->until_us += resumed.at_us - call.begun->since_us;
  if (call.begun) call.begun->since_us = resumed.at_us;
  return {};
}

void Run::append(const Entry& entry, std::int64_t now_us) {
  append(kind_of(entry), encode_entry(entry), now_us);
}

void Run::append(EntryKind kind, std::string payload, std::int64_t now_us) {
  unsaved_.push_back(
      JournalRow{row_.id, next_sequence_++, static_cast<int>(kind), now_us, std::move(payload)});
}

void Run::append_of(std::uint32_t number, const Entry& entry, std::int64_t now_us) {
  append(entry, now_us);
  const Call& call = told_of(number).call;
  auto row = audit_call(row_, module_->operations[call.operation], call, entry, now_us);
  if (!row) return;
  // A policy's answer has an intent for the journal's sake; nothing goes out.
  const bool has_just_begun = !audited_.empty() && audited_.back().row.kind == AuditKind::Intent &&
                              audited_.back().row.call == number;
  if (row->kind == AuditKind::Policy && has_just_begun) audited_.pop_back();
  audited_.push_back({*std::move(row), call.operation});
}

// Goes on until every branch waits for a call that has no answer yet, or the run is at its end. Log lines are
// answered as they come, so that the run's story depends on the order of the calls' answers alone. Bounded by
// the machine's fuel.
void Run::advance(std::optional<Step> step, std::int64_t now_us) {
  while (replay_problem_.empty()) {
    for (const std::uint32_t number : machine_->take_cancelled()) drop(number);
    if (!step) step = machine_->next();
    if (!step) return;
    if (!has_entered_ && machine_->in_body()) {
      has_entered_ = true;
      append(EnteredEntry{}, now_us);
    }
    if (const auto* ended = std::get_if<Ended>(&*step)) return end(*ended, now_us);
    if (next_sequence_ > kMaxJournalEntries)
      return park(fmt::format("its journal grew beyond {} entries", kMaxJournalEntries), now_us);
    if (const auto* line = std::get_if<LogLine>(&*step)) {
      step = pass_log(LogLine(*line), now_us);
    } else {
      wait_for(std::get<Call>(*step));
      step.reset();
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
  return machine_->answer_log(line.number);
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
  calls_ = std::max(calls_, call.number + 1);
  Waiting waiting{.call = call};
  if (const auto found = recorded_calls_.find(call.number); found != recorded_calls_.end()) {
    const Recorded& recorded = found->second;
    if (auto problem = mismatch(call, recorded.intent)) {
      replay_problem_ = std::move(*problem);
      return;
    }
    waiting.attempts = recorded.intent.attempt;
    waiting.sent_us = recorded.sent_us;
    waiting.due_us = recorded.intent.due_us;
    waiting.failures = recorded.failures;
    waiting.not_before_us = recorded.not_before_us;
    waiting.begun = recorded.begun;
    waiting.in_doubt = recorded.in_doubt;
  }
  waiting_.insert_or_assign(call.number, std::move(waiting));
  wanted_.push_back(call.number);
}

// Nobody wants the call's answer any more.
void Run::drop(std::uint32_t number) {
  const auto found = waiting_.find(number);
  if (found == waiting_.end()) return;
  if (found->second.is_held || is_answered_by_somebody(operation(number))) unwanted_.push_back(number);
  waiting_.erase(found);
}

const Run::Waiting* Run::waiting(std::uint32_t number) const {
  const auto found = waiting_.find(number);
  return found == waiting_.end() ? nullptr : &found->second;
}

std::vector<std::uint32_t> Run::take_wanted() {
  std::vector<std::uint32_t> wanted = std::exchange(wanted_, {});
  std::erase_if(wanted, [&](std::uint32_t number) { return !waiting_.contains(number); });
  return wanted;
}

std::optional<std::int64_t> Run::may_sleep_until() const {
  std::optional<std::int64_t> until_us;
  for (const auto& [number, waiting] : waiting_) {
    if ((!waiting.in_doubt && !waiting.is_held) || waiting.due_us == 0) return std::nullopt;
    until_us = std::min(until_us.value_or(kNever), waiting.due_us);
  }
  return until_us;
}

std::vector<std::uint32_t> Run::without_timer() const {
  std::vector<std::uint32_t> numbers;
  for (const auto& [number, waiting] : waiting_)
    if (waiting.in_doubt && waiting.due_us != 0 && !waiting.has_timer) numbers.push_back(number);
  return numbers;
}

std::optional<Run::Frozen> Run::freeze() const {
  FLOW_CHECK(unsaved_.empty(), "what a frozen run stands for is in the journal");
  auto machine = machine_->freeze();
  if (!machine) return std::nullopt;
  FrozenRun state{.calls = calls_,
                  .has_entered = has_entered_,
                  .settings = settings_,
                  .waiting = {},
                  .machine = std::move(*machine)};
  for (const auto& [number, waiting] : waiting_)
    state.waiting.push_back({number, waiting.attempts, waiting.failures, waiting.due_us, waiting.is_held});
  return Frozen{encode_frozen(state), next_sequence_};
}

Run::Waiting& Run::told_of(std::uint32_t number) {
  const auto found = waiting_.find(number);
  FLOW_CHECK(found != waiting_.end(), "only a call that is waited for can be told of");
  return found->second;
}

const Operation& Run::operation(std::uint32_t number) const {
  return module_->operations[waiting_.at(number).call.operation];
}

std::string Run::call_key(std::uint32_t number) const {
  return fmt::format("{}/{}", row_.id, number);
}

void Run::note_attempt(std::uint32_t number, std::int64_t now_us, std::int64_t due_us) {
  Waiting& waiting = told_of(number);
  FLOW_CHECK(!waiting.in_doubt, "a call goes out only when the last attempt's fate is known");
  waiting.in_doubt = true;
  waiting.sent_us = now_us;
  waiting.due_us = due_us;
  append_of(number,
            IntentEntry{number, ++waiting.attempts, operation(number).full_name(), waiting.call.arguments,
                        waiting.call.line, waiting.call.is_fetch, due_us},
            now_us);
}

void Run::note_due(std::uint32_t number, std::int64_t due_us) {
  Waiting& waiting = told_of(number);
  waiting.due_us = due_us;
  waiting.has_timer = false;
}

void Run::note_retry(std::uint32_t number, std::optional<Fault> fault, std::int64_t not_before_us,
                     std::int64_t now_us) {
  Waiting& waiting = told_of(number);
  if (fault) ++waiting.failures;
  waiting.in_doubt = false;
  waiting.not_before_us = not_before_us;
  append_of(number, RetryEntry{number, std::move(fault), not_before_us}, now_us);
}

void Run::note_begun(std::uint32_t number, std::string result, std::int64_t until_us, std::int64_t now_us) {
  Waiting& waiting = told_of(number);
  waiting.in_doubt = false;
  append_of(number, BegunEntry{number, result, now_us, until_us}, now_us);
  waiting.begun = Begun{std::move(result), now_us, until_us};
}

std::vector<std::uint32_t> Run::under_way() const {
  std::vector<std::uint32_t> numbers;
  for (const auto& [number, waiting] : waiting_) numbers.push_back(number);
  return numbers;
}

void Run::answer(std::uint32_t number, const Outcome& outcome, bool is_settled, std::int64_t now_us,
                 AnsweredBy by) {
  append_of(number, OutcomeEntry{number, outcome, is_settled, by}, now_us);
  drop(number);
  advance(machine_->answer_call(number, outcome), now_us);
}

void Run::park(std::string reason, std::int64_t now_us) {
  append(ParkedEntry{reason}, now_us);
  waiting_.clear();
  row_.state = RunState::Parked;
  row_.reason = std::move(reason);
}

void Run::end(const Ended& ended, std::int64_t now_us) {
  append(EndedEntry{ended}, now_us);
  for (const std::uint32_t number : under_way()) drop(number);
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
