// What the end of a run leads to, and runs that other runs call. Both happen in the commit of what led to
// them: the intent of a call and the run it starts, the end of a run and the answer to its caller, a failure
// and the runs that wait for it.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "runtime/caller.hpp"
#include "runtime/json_text.hpp"
#include "runtime/loop.hpp"
#include "runtime/served.hpp"
#include "runtime/shadow.hpp"
#include "vm/interp/arguments.hpp"

namespace flow {
namespace {

constexpr std::size_t kDeepestCalls = 16;
constexpr std::string_view kAfterFailure = "run.failed";  // the name of the trigger

// What the caller gets. A run that used up what it may use is no reason to end its caller, which could not
// catch it.
Outcome outcome_of(const RunRow& row, const Ended& ended) {
  if (ended.how == Ended::How::Finished && !ended.result.empty()) return Returned{ended.result};
  if (ended.how != Ended::How::Failed) return Returned{"null"};
  Fault fault{.kind = ended.fault.kind,
              .message = fmt::format("flow `{}` failed: {}", row.flow, ended.fault.message)};
  const bool is_used_up = fault.kind == FaultKind::OutOfFuel || fault.kind == FaultKind::OutOfMemory ||
                          fault.kind == FaultKind::OutOfStack;
  if (is_used_up) fault.kind = FaultKind::Failed;
  return fault;
}

Outcome outcome_of(const RunRow& row, const CancelledEntry& cancelled) {
  return Fault{
      .kind = FaultKind::Cancelled,
      .message = fmt::format("flow `{}` was {}", row.flow, cancel_reason(cancelled.by, cancelled.reason))};
}

std::int64_t later(std::int64_t time_us, std::int64_t by_us) {
  std::int64_t sum = 0;
  return __builtin_add_overflow(time_us, by_us, &sum) ? kNever : sum;
}

std::string failure_event(const RunRow& row, const Ended& ended) {
  const Fault& fault = ended.fault;
  return fmt::format(
      R"({{"run":{{"id":{},"flow":{},"tenant":{},"trigger":{},"startedAt":{}}},"error":{{"kind":{},"message":{},"operation":{},"line":{}}}}})",
      json_quoted(row.id), json_quoted(row.flow), json_quoted(row.tenant), json_quoted(row.trigger),
      json_quoted(format_time_us(row.created_us)), json_quoted(fault_name(fault.kind)),
      json_quoted(fault.message), fault.operation.empty() ? "null" : json_quoted(fault.operation),
      fault.line != 0 ? fault.line : ended.line);
}

}  // namespace

// Of a run that is over, or parked.
void Runtime::Loop::follow_end(const Run& run) {
  const RunRow& row = run.row();
  tell_waiting(row);
  if (row.state == RunState::Parked) return;
  if (row.state == RunState::Failed)
    follow_up([this, row, ended = run.ended()] { return start_after_failure(row, ended); });
  answer_caller(row, outcome_of(row, run.ended()));
}

void Runtime::Loop::follow_cancel(const RunRow& row, const CancelledEntry& cancelled) {
  tell_waiting(row);
  answer_caller(row, outcome_of(row, cancelled));
}

void Runtime::Loop::tell_waiting(const RunRow& row) {
  answer_request({.how = StartAnswer::How::Started, .run = row.id, .problem = {}, .body = {}});
  if (row.trigger == kCalledTrigger) awaited_.erase(row.key);
}

void Runtime::Loop::answer_caller(const RunRow& row, const Outcome& outcome) {
  const auto caller = caller_of(row);
  if (!caller) return;
  follow_up([this, caller = *caller, outcome] {
    if (Run* const waiting = waiting_run(caller.run, caller.call))
      finish_call(*waiting, caller.call, outcome, false);
    else if (run(caller.run) == nullptr)
      wake_soon(caller.run);  // it looks by itself
    return Status();
  });
}

Result<std::optional<RunRow>> Runtime::Loop::row_of(const std::string& id) {
  if (const Run* const found = run(id)) return std::optional<RunRow>(found->row());
  return store_.run(id);
}

// The run that called it, or whose lease it ends, the one that called that, and so on. Bounded: no call is
// made deeper.
Result<std::vector<RunRow>> Runtime::Loop::callers(RunRow row) {
  std::vector<RunRow> above;
  const auto starter_of = [](const RunRow& of) {
    const auto caller = caller_of(of);
    return caller ? caller : holder_of(of);
  };
  for (auto caller = starter_of(row); caller && above.size() <= kDeepestCalls; caller = starter_of(row)) {
    FLOW_TRY(std::optional<RunRow> found, row_of(caller->run));
    if (!found) break;
    row = *found;
    above.push_back(std::move(*found));
  }
  return above;
}

// What began because of a failure, or was called by such a run, starts nothing when it fails: no circle can
// arise. Nor does a shadow, whose failures `flow deployments compare` shows.
Status Runtime::Loop::start_after_failure(const RunRow& failed, const Ended& ended) {
  if (failed.trigger == kAfterFailure || is_shadow(failed.flow)) return {};
  FLOW_TRY(const std::vector<RunRow> above, callers(failed));
  if (std::ranges::find(above, kAfterFailure, &RunRow::trigger) != above.end()) return {};
  const std::string event = failure_event(failed, ended);
  for (auto& [key, deployed] : deployed_) {
    Subscriber& subscriber = deployed.subscriber;
    const Trigger& trigger = subscriber.trigger();
    if (trigger.kind != Trigger::Kind::RunFailed || subscriber.tenant != failed.tenant) continue;
    if (!trigger.of_flow.empty() && trigger.of_flow != failed.flow) continue;
    if (auto begun = begin_run(subscriber, {.trigger = trigger.name, .key = failed.id, .event = event});
        !begun)
      return tl::unexpected(begun.error());
  }
  return {};
}

// The call's intent is written; the run follows in its commit.
void Runtime::Loop::call_flow(const Run& run, std::uint32_t number) {
  follow_up([this, id = run.row().id, number] { return start_child(id, number); });
}

Status Runtime::Loop::start_child(const std::string& id, std::uint32_t number) {
  Run* const parent = waiting_run(id, number);
  if (parent == nullptr) return {};  // its branch was ended meanwhile
  const std::string arguments = parent->waiting(number)->call.arguments;
  const std::string flow = json_string(json_member(arguments, "flow").value_or("")).value_or("");
  const std::string event = json_member(arguments, "arguments").value_or("{}");
  const bool is_awaited = parent->operation(number).name == "call";
  const Beginning beginning{.trigger = std::string(kCalledTrigger),
                            .key = parent->call_key(number),
                            .event = event,
                            .keeps_skipped = true};
  FLOW_TRY(const auto begun, begin_child(*parent, beginning, flow));
  if (const auto* fault = std::get_if<Fault>(&begun))
    return finish_call(*parent, number, *fault, false), Status();
  const Begun& child = std::get<Begun>(begun);
  if (!is_awaited) return finish_call(*parent, number, Returned{json_quoted(child.run)}, false), Status();
  const bool is_over = child.how == Begun::How::Started && run(child.run) == nullptr;
  if (!is_over) awaited_.insert(beginning.key);
  // One that begins now answers when it ends. After a restart, or a sleep, it may have ended before.
  if (child.how == Begun::How::Known) FLOW_TRY_STATUS(answer_from_child(*parent, number, child.run));
  if (const Run* const waiting = waiting_run(id, number)) wait_for_child(*waiting, number);
  return {};
}

// As long as it says. A caller that has waited for a while may sleep until the end of the other wakes it.
void Runtime::Loop::wait_for_child(const Run& parent, std::uint32_t number) {
  Run* const caller = waiting_run(parent.row().id, number);
  if (caller == nullptr) return;
  const std::int64_t now_us = clock_.now_us(), due_us = caller->waiting(number)->due_us;
  if (due_us != 0 && due_us <= now_us)
    return finish_call(*caller, number, outcome_when_due(*caller, number), false);
  if (due_us != 0 && !caller->waiting(number)->has_timer) set_timer(*caller, number);
  at(later(now_us, options_.sleep_from_us), *caller, number, [this, number](Run& waiting) {
    if (waiting.waiting(number)->due_us == 0) waiting.note_due(number, kNever);
    drowsy_.insert(waiting.row().id);
  });
}

// By the module that the caller runs on, when it has the flow: the two were written for each other.
Result<std::variant<Begun, Fault>> Runtime::Loop::begin_child(const Run& parent, const Beginning& beginning,
                                                              const std::string& flow) {
  const auto is_callee = [&](const Subscriber& subscriber) {
    return subscriber.flow == flow && subscriber.trigger().kind == Trigger::Kind::Call &&
           is_for_tenant(subscriber.code().policies, subscriber.tenant);
  };
  const std::string& tenant = parent.row().tenant;
  Subscriber own{tenant, flow, parent.row().module, parent.module(), 0, parent.settings(), nullptr};
  Subscriber* callee = nullptr;
  for (; own.index < own.module->flows.size() && callee == nullptr; ++own.index)
    if (own.code().name == flow && is_callee(own)) callee = &own;
  if (callee != nullptr) {
    --own.index;
  } else if (const auto found = deployed_.find(source_key(tenant, flow)); found != deployed_.end()) {
    if (is_callee(found->second.subscriber)) callee = &found->second.subscriber;
  }
  using Either = std::variant<Begun, Fault>;
  if (callee == nullptr)
    return Either(
        Fault{.kind = FaultKind::NotFound, .message = fmt::format("no flow on call is named `{}`", flow)});
  if (const Status fits = check_arguments(*callee->module, callee->code(), beginning.event); !fits)
    return Either(
        Fault{.kind = FaultKind::BadRequest,
              .message = fmt::format("flow `{}` cannot be called: {}", flow, fits.error().message)});
  FLOW_TRY(const std::vector<RunRow> above, callers(parent.row()));
  if (above.size() >= kDeepestCalls)
    return Either(Fault{.kind = FaultKind::LimitReached,
                        .message = fmt::format("flows call each other more than {} deep", kDeepestCalls)});
  FLOW_TRY(Begun begun, begin_run(*callee, beginning));
  return Either(std::move(begun));
}

// Nothing happens to one that is not over: it answers when it is.
Status Runtime::Loop::answer_from_child(Run& parent, std::uint32_t number, const std::string& child) {
  if (run(child) != nullptr) return {};
  const auto ended = std::ranges::find(batch_.changed_runs, child, &RunRow::id);  // in this turn
  std::optional<RunRow> row;
  if (ended != batch_.changed_runs.end()) {
    row = *ended;
  } else {
    FLOW_TRY(row, store_.run(child));
  }
  if (!row || row->ended_us == 0) return {};
  FLOW_TRY(const std::vector<JournalRow> journal, journal_of(child));
  if (journal.empty()) return {};
  const auto kind = entry_numbered(journal.back().kind);
  const Result<Entry> entry =
      kind ? decode_entry(*kind, journal.back().payload) : error("its end is of no known kind");
  const auto* const over = entry ? std::get_if<EndedEntry>(&*entry) : nullptr;
  const auto* const cancelled = entry ? std::get_if<CancelledEntry>(&*entry) : nullptr;
  if (over == nullptr && cancelled == nullptr) {
    park(parent, fmt::format("run {}, which it called, is over, and its journal does not say how", child));
    return {};
  }
  awaited_.erase(row->key);
  finish_call(parent, number, over != nullptr ? outcome_of(*row, over->ended) : outcome_of(*row, *cancelled),
              false);
  return {};
}

}  // namespace flow
