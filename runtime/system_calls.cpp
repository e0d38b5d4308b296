// What the runtime answers by itself: time, chance, waiting, keys that are taken once, and other flows. Its
// answers are journaled like all others, so that a replay gets the same ones; intent and answer are of one
// commit, but for a wait, whose intent holds when it is over, and the call of a flow, which is answered when
// that flow's run ends.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/mail_digest.hpp"
#include "base/text.hpp"
#include "runtime/json_text.hpp"
#include "runtime/loop.hpp"
#include "runtime/served.hpp"

namespace flow {
namespace {

std::string text_argument(std::string_view arguments, std::string_view name) {
  const auto member = json_member(arguments, name);
  return member ? json_string(*member).value_or("") : "";
}

// The verifier has seen to it that they are there; a module may still declare them of another type.
Fault wrong_argument(const Operation& operation, std::string_view name) {
  return {.kind = FaultKind::BadRequest,
          .message = fmt::format("{} takes no such `{}`", operation.full_name(), name)};
}

// No wait ends beyond what a time can say.
std::int64_t later(std::int64_t time_us, std::int64_t by_us) {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(time_us, std::max<std::int64_t>(by_us, 0), &sum)) return kNever;
  return sum;
}

}  // namespace

std::string Runtime::Loop::uuid() {
  const std::uint64_t high = (random_.next() & ~std::uint64_t{0xf000}) | 0x4000;
  const std::uint64_t low = (random_.next() & ~(std::uint64_t{3} << 62)) | std::uint64_t{1} << 63;
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, high >> 16 & 0xffff, high & 0xffff,
                     low >> 48, low & 0xffff'ffff'ffff);
}

// A key that another run took in this very turn is in the batch.
Outcome Runtime::Loop::once(const Run& run, std::string_view arguments, std::int64_t now_us) {
  OnceRow row{.tenant = run.row().tenant,
              .flow = run.row().flow,
              .key = text_argument(arguments, "key"),
              .taken_us = now_us,
              .until_us = 0};
  const auto window_us = parse_duration_us(text_argument(arguments, "window"));
  if (!window_us)
    return Fault{.kind = FaultKind::BadRequest, .message = "flow.once takes a duration as `window`"};
  std::int64_t until_us = 0;
  const auto is_same = [&](const OnceRow& other) {
    return other.tenant == row.tenant && other.flow == row.flow && other.key == row.key;
  };
  const auto taken = std::ranges::find_if(batch_.once, is_same);
  if (taken != batch_.once.end()) {
    until_us = taken->until_us;
  } else {
    const auto stored = store_.once_until(row.tenant, row.flow, row.key);
    if (!stored) return Fault{.kind = FaultKind::Unavailable, .message = stored.error().message};
    until_us = *stored;
  }
  if (until_us > now_us) return Returned{"false"};
  row.until_us = later(now_us, *window_us);
  batch_.once.push_back(std::move(row));
  return Returned{"true"};
}

void Runtime::Loop::answer_here(Run& run, std::uint32_t number) {
  const std::int64_t now_us = clock_.now_us();
  const Operation& operation = run.operation(number);
  const Run::Waiting& waiting = *run.waiting(number);
  if (is_answered_by_somebody(operation)) return wait_for_somebody(run, number);
  if (operation.name == "leaseEnd") return rest_on_lease(run, number);
  if (operation.name == "digestEnd") return rest_on_digest(run, number);
  const std::string arguments = waiting.call.arguments;
  if (operation.name == "wait" || operation.name == "waitUntil") {
    std::int64_t due_us = waiting.due_us;
    if (!waiting.in_doubt) {
      const bool is_span = operation.name == "wait";
      const char* const name = is_span ? "duration" : "time";
      const std::string text = text_argument(arguments, name);
      const auto said_us = is_span ? parse_duration_us(text) : parse_time_us(text);
      if (!said_us) {
        run.note_attempt(number, now_us);
        return run.answer(number, wrong_argument(operation, name), false, now_us);
      }
      due_us = is_span ? later(now_us, *said_us) : *said_us;
      run.note_attempt(number, now_us, due_us);
    }
    if (due_us <= now_us) return run.answer(number, Returned{"null"}, false, now_us);
    return rest_until_due(run, number, now_us);
  }
  if (!waiting.in_doubt) {
    const std::int64_t within_us =
        operation.name == "call" && waiting.call.options ? waiting.call.options->await_within_us : 0;
    run.note_attempt(number, now_us, within_us > 0 ? later(now_us, within_us) : 0);
  }
  if (operation.name == "call" || operation.name == "start") return call_flow(run, number);
  Outcome outcome = Returned{"null"};
  if (operation.name == "now") outcome = Returned{json_quoted(format_time_us(now_us))};
  if (operation.name == "ago") {
    const auto span_us = parse_duration_us(text_argument(arguments, "duration"));
    std::int64_t time_us = 0;
    if (!span_us || __builtin_sub_overflow(now_us, *span_us, &time_us))
      outcome = wrong_argument(operation, "duration");
    else
      outcome = Returned{json_quoted(format_time_us(time_us))};
  }
  if (operation.name == "uuid") outcome = Returned{json_quoted(uuid())};
  if (operation.name == "random")
    outcome = Returned{fmt::format("{}", static_cast<double>(random_.next() >> 11) * 0x1p-53)};
  if (operation.name == "once") outcome = once(run, arguments, now_us);
  if (is_digest(operation)) outcome = add_to_digest(run, number);
  if (operation.name == "respond") outcome = respond(run, arguments);
  run.answer(number, outcome, false, now_us);
}

void Runtime::Loop::rest_until_due(Run& run, std::uint32_t number, std::int64_t now_us) {
  const std::int64_t due_us = run.waiting(number)->due_us;
  if (due_us - now_us < options_.sleep_from_us) return set_timer(run, number);
  drowsy_.insert(run.row().id);
}

void Runtime::Loop::set_timer(Run& run, std::uint32_t number) {
  run.note_timer(number);
  if (run.waiting(number)->due_us == kNever) return;
  answer_when_due(run, number, run.waiting(number)->due_us);
}

// A clock that was set back takes timers with it; a moment stays where it is.
void Runtime::Loop::answer_when_due(const Run& run, std::uint32_t number, std::int64_t due_us) {
  at(due_us, run, number, [this, number, due_us](Run& waiting) {
    const bool is_moment = waiting.operation(number).name != "wait";
    if (is_moment && clock_.now_us() < due_us) return answer_when_due(waiting, number, due_us);
    if (waiting.operation(number).name == "leaseEnd") {
      if (waiting.waiting(number)->due_us > due_us) return;  // it has another timer by now
      rest_on_lease(waiting, number);
      return settle_run(waiting);
    }
    if (waiting.operation(number).name == "digestEnd") {
      rest_on_digest(waiting, number);
      return settle_run(waiting);
    }
    finish_call(waiting, number, outcome_when_due(waiting, number), false);
  });
}

}  // namespace flow
