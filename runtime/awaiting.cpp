// Calls that are awaited (`await isolate(id) within 30m`): their answer is how that ended which they began.
// The call is made as any other; what it gave is journaled as `Begun`, so that no restart makes it again;
// then the operation that tells the progress is called until its answer is final.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "runtime/json_text.hpp"
#include "runtime/loop.hpp"

namespace flow {
namespace {

// Of questions in a row that were answered by a fault which does not pass by itself.
constexpr std::uint32_t kMostRefusals = 3;

bool is_over(const Completion& completion, std::string_view progress) {
  const auto field = json_member(progress, completion.field);
  const auto value = field ? json_string(*field) : std::nullopt;
  return value && std::ranges::find(completion.final_values, *value) != completion.final_values.end();
}

Fault not_over(const Operation& operation, std::int64_t within_us) {
  Fault fault;
  fault.kind = FaultKind::Timeout;
  fault.message = fmt::format("{} was accepted, and had not ended within {}", operation.full_name(),
                              format_duration_us(within_us));
  fault.maybe_executed = true;
  return fault;
}

}  // namespace

bool Runtime::Loop::is_still_to_end(const Run& run, std::uint32_t number, const Outcome& outcome) {
  const Run::Waiting& waiting = *run.waiting(number);
  return waiting.call.options && waiting.call.options->is_awaited && !waiting.begun &&
         run.operation(number).completes && std::holds_alternative<Returned>(outcome);
}

void Runtime::Loop::begin_following(Run& run, std::uint32_t number, std::string result) {
  const std::int64_t now_us = clock_.now_us();
  const std::int64_t within_us = run.waiting(number)->call.options->await_within_us;
  std::int64_t until_us = kNever;
  if (within_us > 0 && __builtin_add_overflow(now_us, within_us, &until_us)) until_us = kNever;
  run.note_begun(number, std::move(result), until_us, now_us);
  collect(run);
  follow(run, number);
}

// Also after a restart: the moment at which it must have ended is in the journal.
void Runtime::Loop::follow(const Run& run, std::uint32_t number) {
  const std::int64_t until_us = run.waiting(number)->begun->until_us;
  if (until_us != kNever)
    at(until_us, run, number, [this, number](Run& waiting) {
      const std::int64_t within_us = waiting.waiting(number)->call.options->await_within_us;
      finish_call(waiting, number, not_over(waiting.operation(number), within_us), false);
    });
  ask_progress_later(run, number, 0);
}

// The longer it has taken, the longer it may take: we learn of its end late by a quarter of that at most.
void Runtime::Loop::ask_progress_later(const Run& run, std::uint32_t number, std::uint32_t refusals) {
  const std::int64_t now_us = clock_.now_us();
  const std::int64_t taken_us = now_us - run.waiting(number)->begun->since_us;
  const std::int64_t rest_us =
      std::clamp(taken_us / 4, options_.shortest_progress_us, options_.longest_progress_us);
  at(now_us + rest_us, run, number, [this, number, refusals](const Run& waiting) {
    Pending pending = pending_for(waiting, number);
    pending.purpose = Pending::Purpose::Progress;
    pending.call.deadline_us = options_.call_deadline_us;
    pending.tries = refusals;
    const Operation& operation = waiting.operation(number);
    pending.counts_as = pending.module->operation(operation.connector, operation.completes->operation);
    ask(std::move(pending));
  });
}

void Runtime::Loop::take_progress(Run& run, const Pending& pending, const Outcome& outcome) {
  const std::uint32_t number = pending.number;
  if (const auto* fault = std::get_if<Fault>(&outcome)) {
    const std::uint32_t refusals = pending.tries + (may_retry(fault->kind) ? 0 : 1);
    if (refusals >= kMostRefusals) return finish_call(run, number, *fault, false);
    return ask_progress_later(run, number, refusals);
  }
  const auto& returned = std::get<Returned>(outcome);
  if (is_json(returned.json) && is_over(*run.operation(number).completes, returned.json))
    return finish_call(run, number, returned, false);
  ask_progress_later(run, number, 0);
}

}  // namespace flow
