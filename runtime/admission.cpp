// Admission: what stands between a call that a run wants and the line of its quota. Every call passes here
// each time it is about to be asked for, whatever asks, and the policies of its flow are asked in this order:
//
//   1. `at most N at once`   the run has its turn; until then none of its calls comes here (turns.cpp)
//   2. `within`              the deadline of the run has not passed
//   3. protections           of the deployment, which no flow can lift (protecting.cpp)
//   4. `limit`               the call has a place under the limit of its operation
//   5. `dry run`             nothing is performed
//
// Where one of them says no, it answers the call in the place of the world; where people are asked first
// (`limit … else ask`), or something must be learnt of the target, the call is held until there is an answer,
// and passes here again. Its answer is
// journaled with an intent like all others, in one commit and marked with who gave it, so a replay tells the
// same story.
#include <fmt/format.h>

#include "base/text.hpp"
#include "runtime/json_text.hpp"
#include "runtime/loop.hpp"
#include "runtime/served.hpp"
#include "runtime/shadow.hpp"
#include "vm/bytecode/stand_in.hpp"

namespace flow {
namespace {

const Policies::Limit* limit_on(const Run& run, std::uint32_t number) {
  const std::uint32_t operation = run.waiting(number)->call.operation;
  for (const Policies::Limit& limit : run.policies().limits)
    if (limit.operation == operation) return &limit;
  return nullptr;
}

CallCounts::Subject counted_as(const Run& run, std::uint32_t number) {
  return {run.row().tenant, run.row().flow, run.operation(number).full_name()};
}

Fault limit_reached(const Operation& operation, const Policies::Limit& limit, std::string_view more = {}) {
  return {
      .kind = FaultKind::LimitReached,
      .message = fmt::format("{} is limited to {} per {}, and that many calls were made{}",
                             operation.full_name(), limit.count, format_duration_us(limit.window_us), more)};
}

}  // namespace

// Calls of other flows are no acts; but what they start would act, which a dry run does not.
bool Runtime::Loop::admit(Run& run, std::uint32_t number) {
  const std::int64_t now_us = clock_.now_us();
  if (is_refusal(run.operation(number))) return true;  // whatever else holds, it is noted
  if (is_too_late(run, number, now_us)) {
    answer_too_late(run, number);
    return false;
  }
  const Operation& operation = run.operation(number);
  const bool comes_anyway =
      operation.name == "receive" && !is_shadow(run.row().flow) && !options_.performs_nothing;
  if (is_recorded_only(run) && is_answered_by_somebody(operation) && !comes_anyway) {
    answer_instead(run, number, AnsweredBy::DryRun, answer_of_nobody(run, number));
    return false;
  }
  const bool starts_runs =
      operation.connector == "flow" && (operation.name == "call" || operation.name == "start");
  if (operation.effect == Effect::Read && !starts_runs) return true;
  return admit_unprotected(run, number) && admit_under_limit(run, number, now_us) &&
         admit_performing(run, number, starts_runs, now_us);
}

// Who agrees to one call agrees to this one only.
Runtime::Loop::Approval Runtime::Loop::beyond_limit(const Run& run, std::uint32_t number,
                                                    const Policies::Limit& limit) {
  const std::string operation = run.operation(number).full_name();
  return {.people = {limit.ask_to},
          .subject = fmt::format("One more {} by flow {}?", operation, run.row().flow),
          .details = fmt::format("{} is limited to {} per {}, and that many calls were made.\nThis one: {}",
                                 operation, limit.count, format_duration_us(limit.window_us),
                                 run.waiting(number)->call.arguments),
          .within_us = 0};
}

bool Runtime::Loop::admit_under_limit(Run& run, std::uint32_t number, std::int64_t now_us) {
  const Policies::Limit* const limit = limit_on(run, number);
  if (limit == nullptr) return true;
  const bool is_asked = limit->otherwise == Policies::Limit::Otherwise::Ask && was_asked(run, number);
  const Result<bool> held =
      counts_.hold(store_, counted_as(run, number), {run.row().id, number}, *limit, now_us,
                   [this](const CallCounts::CallId& call) { return waiting_run(call.first, call.second); });
  if (held && *held && !is_asked) return true;  // who was asked decides, also when there is a place by now
  const Operation& operation = run.operation(number);
  if (!held) {
    answer_instead(run, number, AnsweredBy::Limit,
                   Fault{.kind = FaultKind::Unavailable, .message = held.error().message});
  } else if (limit->otherwise == Policies::Limit::Otherwise::Skip) {
    answer_instead(run, number, AnsweredBy::Skip, stand_in(run, number, now_us));
  } else if (limit->otherwise == Policies::Limit::Otherwise::Ask) {
    // A person is not bothered with what is only tried: nobody agrees to it.
    const auto agreed = is_recorded_only(run) ? std::optional(false)
                                              : approval(run, number, beyond_limit(run, number, *limit));
    if (!agreed || *agreed) return agreed.has_value();
    answer_instead(
        run, number, AnsweredBy::Limit,
        limit_reached(operation, *limit, fmt::format("; {} did not agree to one more", limit->ask_to)));
  } else {
    answer_instead(run, number, AnsweredBy::Limit, limit_reached(operation, *limit));
  }
  return false;
}

// What is only recorded counts under the limit as if it had been performed: so a dry run shows where the
// limit bites.
bool Runtime::Loop::admit_performing(Run& run, std::uint32_t number, bool starts_runs, std::int64_t now_us) {
  const bool is_recorded =
      run.policies().is_dry_run || is_shadow(run.row().flow) || (options_.performs_nothing && !starts_runs);
  if (!is_recorded) return true;
  note_counted(run, number, now_us);
  answer_instead(run, number, AnsweredBy::DryRun, stand_in(run, number, now_us));
  return false;
}

// Nothing that such a run wants is performed, and nobody is asked by it: dry runs, backtests, shadows.
bool Runtime::Loop::is_recorded_only(const Run& run) const {
  return run.policies().is_dry_run || is_shadow(run.row().flow) || options_.performs_nothing;
}

// It goes on as if nobody had agreed: what a person would have to allow does not look allowed. Of options it
// is the first that they choose, for one must be; no message comes.
Outcome Runtime::Loop::answer_of_nobody(const Run& run, std::uint32_t number) {
  const Operation& operation = run.operation(number);
  if (operation.name == "approve") return Returned{"false"};
  const auto options =
      json_elements(json_member(run.waiting(number)->call.arguments, "options").value_or(""));
  if (options && !options->empty()) return Returned{options->front()};
  return Fault{.kind = FaultKind::Timeout, .message = "nobody is asked by a run that performs nothing"};
}

// A policy's answer to a call that it does not let pass. The caller lets the run go on: settle_run().
void Runtime::Loop::answer_instead(Run& run, std::uint32_t number, AnsweredBy by, const Outcome& outcome) {
  const std::int64_t now_us = clock_.now_us();
  if (run.waiting(number)->attempts == 0) run.note_attempt(number, now_us);
  run.answer(number, outcome, false, now_us, by);
}

Returned Runtime::Loop::stand_in(const Run& run, std::uint32_t number, std::int64_t now_us) {
  const JsonMembers members = json_members(run.waiting(number)->call.arguments).value_or(JsonMembers());
  return {stand_in_result(run.module()->types, run.operation(number),
                          NamedJson(members.begin(), members.end()), now_us)};
}

// The call goes out in this turn: it counts from the commit of its intent on.
void Runtime::Loop::note_counted(const Run& run, std::uint32_t number, std::int64_t now_us) {
  if (const Policies::Limit* const limit = limit_on(run, number))
    batch_.counted.push_back(
        counts_.note_sent(counted_as(run, number), {run.row().id, number}, *limit, now_us));
}

// A call that certainly did not happen leaves its place to another.
void Runtime::Loop::note_answered(const Run& run, std::uint32_t number, const Outcome& outcome) {
  const auto* fault = std::get_if<Fault>(&outcome);
  if (fault == nullptr || fault->maybe_executed || limit_on(run, number) == nullptr) return;
  batch_.uncounted.push_back(counts_.give_back(counted_as(run, number), {run.row().id, number}));
}

}  // namespace flow
