// The loop over instructions. What verify() has made sure of is not asked again: registers are in range and
// hold what their instruction takes, jumps stay in the code, and the code does not run off its end.
#include "vm/interp/machine.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/result.hpp"
#include "vm/interp/event.hpp"
#include "vm/interp/state.hpp"

namespace flow {
namespace {

std::uint32_t target_of(std::uint32_t pc, Instruction i) {
  return static_cast<std::uint32_t>(jump_target(pc, i));
}

bool equal_enum(const Slot& x, const Slot& y) {
  if (x.tag != y.tag) return false;
  return x.tag == Slot::Tag::Enum ? x.number == y.number : x.view() == y.view();
}
bool are_known(const Slot& x, const Slot& y) {
  return x.tag == Slot::Tag::Enum && y.tag == Slot::Tag::Enum;
}

// Nothing when the result does not fit.
std::optional<std::int64_t> int_result(Op op, std::int64_t x, std::int64_t y) {
  std::int64_t result = 0;
  constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();
  switch (op) {
    case Op::AddInt: return __builtin_add_overflow(x, y, &result) ? std::nullopt : std::optional(result);
    case Op::SubtractInt: return __builtin_sub_overflow(x, y, &result) ? std::nullopt : std::optional(result);
    case Op::MultiplyInt: return __builtin_mul_overflow(x, y, &result) ? std::nullopt : std::optional(result);
    case Op::DivideInt: return x == kLowest && y == -1 ? std::nullopt : std::optional(x / y);
    default: return y == -1 ? 0 : x % y;  // ModuloInt; the lowest number by -1 traps on some processors
  }
}

double float_result(Op op, double x, double y) {
  switch (op) {
    case Op::AddFloat: return x + y;
    case Op::SubtractFloat: return x - y;
    case Op::MultiplyFloat: return x * y;
    default: return x / y;
  }
}

}  // namespace

// --- ends and faults ---

std::uint32_t Machine::State::line() const {
  const auto after = std::ranges::upper_bound(code.lines, pc, {}, &LineEntry::pc);
  return after == code.lines.begin() ? code.line : std::prev(after)->line;
}

std::string_view Machine::State::name_of(unsigned reg) const {
  for (const RegisterName& name : code.names)
    if (name.register_ == reg && name.begin <= pc && pc < name.end) return name.name;
  return reg < code.inputs.size() ? std::string_view(code.inputs[reg].name) : std::string_view();
}

bool Machine::State::null_found(unsigned reg) {
  const std::string_view name = name_of(reg);
  if (reg < code.inputs.size() && code.inputs[reg].source == Input::Source::Binding)
    return raise(FaultKind::InvalidValue, fmt::format("the event has no `{}`, which is needed here", name));
  return raise(FaultKind::InvalidValue, name.empty() ? "a value that is needed here is missing"
                                                     : fmt::format("`{}` has no value here", name));
}

Step Machine::State::end(Ended::How how, std::string reason) {
  waiting = Waiting::Ended;
  return Ended{.how = how, .reason = std::move(reason), .fault = {}, .line = line()};
}

Step Machine::State::fail() {
  waiting = Waiting::Ended;
  return Ended{.how = Ended::How::Failed, .reason = {}, .fault = fault, .line = line()};
}

// Continues at the handler of the instruction at `pc`, if it has one. What a run has used up it cannot
// handle.
bool Machine::State::to_handler() {
  if (fault.kind == FaultKind::OutOfFuel || fault.kind == FaultKind::OutOfMemory) return false;
  for (const Handler& handler : code.handlers) {
    if (pc < handler.begin || pc >= handler.end) continue;
    if (!keep_text(handler.register_, fault.message, Form::Plain)) return false;
    handled = fault;
    handled_line = line();
    pc = handler.target;
    return true;
  }
  return false;
}

// --- the loop ---

Step Machine::State::run() {
  const Instruction* const instructions = code.code.data();
  Slot* const r = registers.get();
  std::uint64_t fuel = limits.fuel - fuel_used;  // what is left; fuel_used is written back at each way out
  std::uint32_t at = pc;
  const auto leave = [&] {
    pc = at;
    fuel_used = limits.fuel - fuel;
  };

  for (;;) {
    if (fuel == 0) {
      leave();
      raise(FaultKind::OutOfFuel, "the run used up its instructions");
      return fail();
    }
    --fuel;
    const Instruction i = instructions[at];
    switch (i.op) {
      case Op::Move: r[i.a] = r[i.b]; break;
      case Op::LoadConst: r[i.a] = constant(i.wide()); break;
      case Op::LoadNull: r[i.a] = Slot::null(); break;
      case Op::LoadBool: r[i.a] = Slot::boolean(i.b != 0); break;
      case Op::Unwrap:
        if (r[i.b].is_null()) {
          leave();
          null_found(i.b);
          goto faulted;
        }
        r[i.a] = r[i.b];
        break;

      case Op::Jump: at = target_of(at, i); continue;
      case Op::JumpIf: at = r[i.a].number != 0 ? target_of(at, i) : at + 1; continue;
      case Op::JumpIfNot: at = r[i.a].number == 0 ? target_of(at, i) : at + 1; continue;
      case Op::JumpIfNull: at = r[i.a].is_null() ? target_of(at, i) : at + 1; continue;
      case Op::JumpIfSet: at = !r[i.a].is_null() ? target_of(at, i) : at + 1; continue;

      case Op::GetField: r[i.a] = r[i.b].items[i.c]; break;
      case Op::GetItem: {
        const std::int64_t index = r[i.c].number;
        if (index < 0 || index >= std::int64_t{r[i.b].size}) {
          leave();
          raise(FaultKind::OutOfRange,
                fmt::format("there is no item {} in a list of {}", index, r[i.b].size));
          goto faulted;
        }
        r[i.a] = r[i.b].items[index];
        break;
      }
      case Op::ListLength: r[i.a] = Slot::integer(r[i.b].size); break;

      case Op::EqualBool:
      case Op::EqualInt: r[i.a] = Slot::boolean(r[i.b].number == r[i.c].number); break;
      case Op::EqualFloat: r[i.a] = Slot::boolean(r[i.b].real == r[i.c].real); break;
      case Op::EqualEnum: r[i.a] = Slot::boolean(equal_enum(r[i.b], r[i.c])); break;
      case Op::LessInt: r[i.a] = Slot::boolean(r[i.b].number < r[i.c].number); break;
      case Op::LessEqualInt: r[i.a] = Slot::boolean(r[i.b].number <= r[i.c].number); break;
      case Op::LessFloat: r[i.a] = Slot::boolean(r[i.b].real < r[i.c].real); break;
      case Op::LessEqualFloat: r[i.a] = Slot::boolean(r[i.b].real <= r[i.c].real); break;
      case Op::LessEnum:
        r[i.a] = Slot::boolean(are_known(r[i.b], r[i.c]) && r[i.b].number < r[i.c].number);
        break;
      case Op::LessEqualEnum:
        r[i.a] = Slot::boolean(are_known(r[i.b], r[i.c]) && r[i.b].number <= r[i.c].number);
        break;
      case Op::Not: r[i.a] = Slot::boolean(r[i.b].number == 0); break;
      case Op::IsNull: r[i.a] = Slot::boolean(r[i.b].is_null()); break;

      case Op::DivideInt:
      case Op::ModuloInt:
        if (r[i.c].number == 0) goto divided_by_zero;
        [[fallthrough]];
      case Op::AddInt:
      case Op::SubtractInt:
      case Op::MultiplyInt: {
        const auto result = int_result(i.op, r[i.b].number, r[i.c].number);
        if (!result) goto overflowed;
        const bool is_plain = r[i.b].form == Form::Plain && r[i.c].form == Form::Plain;
        r[i.a] =
            Slot::integer(*result, is_plain ? Form::Plain : *arithmetic_form(i.op, r[i.b].form, r[i.c].form));
        break;
      }
      case Op::NegateInt: {
        const auto result = int_result(Op::SubtractInt, 0, r[i.b].number);
        if (!result) goto overflowed;
        r[i.a] = Slot::integer(*result, r[i.b].form);
        break;
      }
      case Op::DivideFloat:
        if (r[i.c].real == 0) goto divided_by_zero;
        [[fallthrough]];
      case Op::AddFloat:
      case Op::SubtractFloat:
      case Op::MultiplyFloat: {
        const double result = float_result(i.op, r[i.b].real, r[i.c].real);
        if (!std::isfinite(result)) goto overflowed;
        r[i.a] = Slot::floating(result);
        break;
      }
      case Op::NegateFloat: r[i.a] = Slot::floating(-r[i.b].real); break;
      case Op::IntToFloat: r[i.a] = Slot::floating(static_cast<double>(r[i.b].number)); break;

      case Op::EqualText:
      case Op::LessText:
      case Op::LessEqualText:
      case Op::NewRecord:
      case Op::NewList:
      case Op::Contains:
      case Op::ToText:
      case Op::Concat:
      case Op::EscapeHtml:
      case Op::QuoteKql:
      case Op::Native: {
        leave();
        const bool is_done = heavy(i);
        fuel = limits.fuel - fuel_used;
        if (!is_done) goto faulted;
        break;
      }

      case Op::Call: {
        leave();
        Call call;
        if (!prepare_call(i, call)) goto faulted;
        waiting = Waiting::ForCall;
        return call;
      }
      case Op::Log:
        leave();
        waiting = Waiting::ForLog;
        return LogLine{.number = logs++, .text = std::string(r[i.a].view()), .line = line()};
      case Op::Skip: leave(); return end(Ended::How::Skipped);
      case Op::Finish: leave(); return end(Ended::How::Finished);
      case Op::Stop: leave(); return end(Ended::How::Stopped, std::string(r[i.a].view()));
      case Op::Fail:
        leave();
        raise(FaultKind::Failed, std::string(r[i.a].view()));
        goto faulted;
      case Op::Raise: {
        leave();
        fault = handled;
        if (to_handler()) {
          at = pc;
          continue;
        }
        Step failed = fail();
        std::get<Ended>(failed).line = handled_line;  // where it went wrong, not where the handler ended
        return failed;
      }
      case Op::EnterBody: in_body = true; break;
    }
    ++at;
    continue;

  overflowed:
    leave();
    raise(FaultKind::Overflow, "the result of a calculation does not fit its type");
    goto faulted;
  divided_by_zero:
    leave();
    raise(FaultKind::DivisionByZero, "a division by zero");
  faulted:
    if (!to_handler()) return fail();
    at = pc;
  }
}

Step Machine::State::start(std::string_view event_json) {
  thread_local ParsedEvent event;  // for its memory
  static const EventFields kNone;
  if (!own_fields && !code.inputs.empty()) {
    own_fields = std::make_unique<EventFields>();
    own_fields->add(module.types, code);
  }
  event.read(event_json, own_fields ? *own_fields : kNone);
  return start(event);
}

Step Machine::State::start(const ParsedEvent& event) {
  heap.clear();
  pc = 0;
  fuel_used = 0;
  calls = logs = 0;
  in_body = false;
  if (const auto problem = event.fill(module.types, code, heap, registers.get())) {
    if (problem->is_out_of_memory)
      out_of_memory();
    else
      raise(FaultKind::InvalidEvent, problem->message);
    return fail();
  }
  return run();
}

Step Machine::State::resume(const Outcome& outcome) {
  FLOW_CHECK(waiting == Waiting::ForCall || waiting == Waiting::ForLog,
             "only a run that waits can be resumed");
  if (accept_result(outcome))
    ++pc;
  else if (!to_handler())
    return fail();
  return run();
}

Machine::Machine(const Module& module, std::uint32_t flow, Limits limits)
    : state_(std::make_unique<State>(module, flow, limits)) {}
Machine::~Machine() = default;
Machine::Machine(Machine&&) noexcept = default;
Machine& Machine::operator=(Machine&&) noexcept = default;

Step Machine::start(std::string_view event_json) {
  return state_->start(event_json);
}
Step Machine::start(const ParsedEvent& event) {
  return state_->start(event);
}
Step Machine::resume(const Outcome& outcome) {
  return state_->resume(outcome);
}
bool Machine::in_body() const {
  return state_->in_body;
}
std::uint64_t Machine::fuel_used() const {
  return state_->fuel_used;
}

}  // namespace flow
