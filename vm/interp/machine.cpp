#include "vm/interp/machine.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <limits>

#include "base/result.hpp"
#include "vm/interp/event.hpp"
#include "vm/interp/state.hpp"

namespace flow {
namespace {

std::uint32_t line_in(const Routine& routine, const Instruction* at) {
  const auto pc = static_cast<std::uint32_t>(at - routine.code.data());
  const auto after = std::ranges::upper_bound(routine.lines, pc, {}, &LineEntry::pc);
  return after == routine.lines.begin() ? routine.line : std::prev(after)->line;
}

const Handler* handler_in(const Routine& routine, const Instruction* at) {
  const auto pc = static_cast<std::uint32_t>(at - routine.code.data());
  const auto covers = [pc](const Handler& handler) { return handler.begin <= pc && pc < handler.end; };
  const auto found = std::ranges::find_if(routine.handlers, covers);
  return found == routine.handlers.end() ? nullptr : &*found;
}

// Steps through the routines under way, innermost first: `visit(routine, at)` until it gives true.
template <class Visit>
void up_the_stack(const Stack& stack, const Module& module, const FlowCode& flow, const Instruction* at,
                  Visit visit) {
  for (const Instruction** caller = stack.callers; caller != stack.callers_begin; --caller) {
    const Instruction* invoke = caller[-1] - 1;
    if (visit(module.functions[invoke->index()], at)) return;
    at = invoke;
  }
  visit(flow, at);
}

}  // namespace

// --- where a run is ---

const Routine& Machine::State::routine() const {
  if (stack.depth() == 0) return flow;
  return module.functions[stack.callers[-1][-1].index()];
}

std::uint32_t Machine::State::line() const {
  return line_in(routine(), at);
}

std::vector<Place> Machine::State::trace() const {
  constexpr std::size_t kMostPlaces = 32;  // of a recursion without end nobody reads more
  std::vector<Place> places;
  up_the_stack(stack, module, flow, at, [&](const Routine& routine, const Instruction* where) {
    const bool is_flow = &routine == &flow;
    if (is_flow || places.size() + 1 < kMostPlaces)
      places.push_back({.routine = routine.name, .line = line_in(routine, where)});
    return false;
  });
  return places;
}

std::string_view Machine::State::name_of(unsigned reg) const {
  const Routine& here = routine();
  const auto pc = static_cast<std::uint32_t>(at - here.code.data());
  for (const RegisterName& name : here.names)
    if (name.register_ == reg && name.begin <= pc && pc < name.end) return name.name;
  return stack.depth() == 0 && reg < flow.inputs.size() ? std::string_view(flow.inputs[reg].name)
                                                        : std::string_view();
}

// --- ends and faults ---

bool Machine::State::raise(FaultKind kind, std::string message) {
  fault = Fault{.kind = kind, .message = std::move(message)};
  return false;
}

bool Machine::State::out_of_fuel() {
  fuel = 0;
  return raise(FaultKind::OutOfFuel, "the run used up its instructions");
}

bool Machine::State::too_large(const char* what, std::size_t limit) {
  return raise(FaultKind::TooLarge, fmt::format("{} of more than {} is too large", what, limit));
}

bool Machine::State::null_found(unsigned reg) {
  const std::string_view name = name_of(reg);
  if (stack.depth() == 0 && reg < flow.inputs.size() && flow.inputs[reg].source == Input::Source::Binding)
    return raise(FaultKind::InvalidValue, fmt::format("the event has no `{}`, which is needed here", name));
  return raise(FaultKind::InvalidValue, name.empty() ? "a value that is needed here is missing"
                                                     : fmt::format("`{}` has no value here", name));
}

Step Machine::State::end(Ended::How how, std::string reason) {
  waiting = Waiting::Ended;
  return Ended{.how = how, .reason = std::move(reason), .fault = {}, .line = line(), .trace = {}};
}

Step Machine::State::fail() {
  waiting = Waiting::Ended;
  return Ended{.how = Ended::How::Failed, .reason = {}, .fault = fault, .line = line(), .trace = trace()};
}

Step Machine::State::fail_as_handled() {
  waiting = Waiting::Ended;
  const std::uint32_t where = handled_trace.empty() ? line() : handled_trace.front().line;
  return Ended{
      .how = Ended::How::Failed, .reason = {}, .fault = fault, .line = where, .trace = handled_trace};
}

// What a run has used up it cannot handle.
bool Machine::State::to_handler() {
  if (fault.kind == FaultKind::OutOfFuel || fault.kind == FaultKind::OutOfMemory) return false;
  const Handler* handler = nullptr;
  std::size_t above = 0;  // routines that are left
  up_the_stack(stack, module, flow, at, [&](const Routine& routine, const Instruction* where) {
    handler = handler_in(routine, where);
    above += handler == nullptr ? 1 : 0;
    return handler != nullptr;
  });
  if (handler == nullptr) return false;

  handled = fault;
  handled_trace = trace();
  for (; above > 0; --above) {
    at = *--stack.callers - 1;
    stack.base -= at->a;
  }
  heap.lift_threshold();
  const bool is_kept = keep_text(handler->register_, handled.message, Form::Plain);
  heap.restore_threshold();
  if (!is_kept) return false;
  at = routine().code.data() + handler->target;
  return true;
}

// --- begin and go on ---

Step Machine::State::start(std::string_view event_json) {
  thread_local ParsedEvent event;  // for its memory
  event.read(event_json, program.fields_of_flow(flow_index));
  return start(event);
}

Step Machine::State::start(const ParsedEvent& event) {
  heap.clear();
  stack.clear();
  at = flow.code.data();
  fuel = limits.fuel;
  calls = logs = 0;
  in_body = false;
  handled = kNothingHandled;
  handled_trace.clear();
  heap.lift_threshold();  // there is nothing yet to collect
  const auto problem = event.fill(module.types, flow, heap, stack.base);
  heap.restore_threshold();
  if (problem) {
    if (problem->is_out_of_memory)
      out_of_memory();
    else
      raise(FaultKind::InvalidEvent, problem->message);
    return fail();
  }
  if (!spend(flow.code.size())) return fail();
  return go_on();
}

Step Machine::State::resume(const Outcome& outcome) {
  FLOW_CHECK(waiting == Waiting::ForCall || waiting == Waiting::ForLog,
             "only a run that waits can be resumed");
  if (accept(outcome))
    ++at;
  else if (!to_handler())
    return fail();
  return go_on();
}

Machine::Machine(const Program& program, std::uint32_t flow, Limits limits)
    : state_(std::make_unique<State>(program, flow, limits)) {}
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
  return state_->limits.fuel - state_->fuel;
}

}  // namespace flow
