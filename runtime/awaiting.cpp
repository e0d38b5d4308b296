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
  note_leases(run, number, Returned{result});
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
  ask_progress_later(run, {.run = run.row().id, .life = run.life(), .number = number});
}

Runtime::Loop::Pending Runtime::Loop::progress_pending(const Run& run, std::uint32_t number) const {
  Pending pending = pending_for(run, number);
  pending.purpose = Pending::Purpose::Progress;
  pending.call.deadline_us = options_.call_deadline_us;
  const Operation& operation = run.operation(number);
  pending.counts_as = pending.module->operation(operation.connector, operation.completes->operation);
  return pending;
}

ProgressGroups::Question Runtime::Loop::question_of(const Pending& pending) {
  return {.run = pending.owner,
          .life = pending.life,
          .number = pending.number,
          .refusals = pending.tries,
          .misses = pending.misses};
}

Run* Runtime::Loop::owner_of(const ProgressGroups::Question& question) {
  return owner_of(Sharer{.run = question.run, .life = question.life, .number = question.number});
}

// The longer it has taken, the longer it may take: we learn of its end late by a quarter of that at most.
void Runtime::Loop::ask_progress_later(const Run& run, const ProgressGroups::Question& question) {
  const std::int64_t now_us = clock_.now_us();
  const std::int64_t taken_us = now_us - run.waiting(question.number)->begun->since_us;
  const std::int64_t rest_us =
      std::clamp(taken_us / 4, options_.shortest_progress_us, options_.longest_progress_us);
  const std::string group =
      may_ask_together(question) ? progress_group(progress_pending(run, question.number)) : std::string();
  ask_progress_at(now_us + rest_us, group, question);
}

void Runtime::Loop::ask_progress(const Run& run, const ProgressGroups::Question& question, bool may_share) {
  Pending pending = progress_pending(run, question.number);
  pending.tries = question.refusals;
  pending.misses = question.misses;
  if (may_share && may_ask_together(question)) pending.group = progress_group(pending);
  const std::string group = pending.group;
  const std::uint64_t ticket = ask(std::move(pending));
  if (group.empty()) return;
  ProgressGroups::Question in_line = question;
  in_line.ticket = ticket;
  progress_.note_in_line(group, std::move(in_line));
}

void Runtime::Loop::take_progress(Run& run, ProgressGroups::Question question, const Outcome& outcome) {
  const std::uint32_t number = question.number;
  if (const auto* fault = std::get_if<Fault>(&outcome)) {
    if (!may_retry(fault->kind)) ++question.refusals;
    if (question.refusals >= kMostRefusals) return finish_call(run, number, *fault, false);
    return ask_progress_later(run, question);
  }
  const auto& returned = std::get<Returned>(outcome);
  if (is_json(returned.json) && is_over(*run.operation(number).completes, returned.json)) {
    reads_.forget(run.row().tenant);  // what it began is done now
    return finish_call(run, number, returned, false);
  }
  question.refusals = 0;
  ask_progress_later(run, question);
}

}  // namespace flow
