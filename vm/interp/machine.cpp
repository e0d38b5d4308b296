#include "vm/interp/machine.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <limits>
#include <utility>

#include "base/result.hpp"
#include "base/text.hpp"
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

// Steps through the routines of one fiber, innermost first: `visit(routine, at)` until it gives true.
template <class Visit>
bool up_the_stack(const Stack& stack, const Module& module, const FlowCode* flow, const Instruction* at,
                  Visit visit) {
  for (const Instruction** caller = stack.callers; caller != stack.callers_begin; --caller) {
    const Instruction* invoke = caller[-1] - 1;
    if (visit(module.functions[invoke->index()], at)) return true;
    at = invoke;
  }
  return flow != nullptr && visit(*flow, at);  // a branch begins with a function
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

std::vector<Machine::State::Frame> Machine::State::frames(const Stack& of, const Instruction* where,
                                                          bool is_in_branch) const {
  std::vector<Frame> frames;
  Frame frame{.routine = &flow, .function = nullptr, .pc = 0, .window = of.begin()};
  for (const Instruction** caller = of.callers_begin; caller != of.callers; ++caller) {
    const Instruction* invoke = *caller - 1;
    if (!is_in_branch || caller != of.callers_begin) {  // a branch begins with a function
      frame.pc = static_cast<std::uint32_t>(invoke - frame.routine->code.data());
      frames.push_back(frame);
    }
    frame.function = &module.functions[invoke->index()];
    frame.routine = frame.function;
    frame.window += invoke->a;
  }
  frame.pc = static_cast<std::uint32_t>(where - frame.routine->code.data());
  frames.push_back(frame);
  return frames;
}

// What the routine may still read. One that waits keeps the arguments of its call, so that what it waits for
// can be told again.
RegisterSet Machine::State::kept_registers(const Frame& frame, bool is_innermost) const {
  const Liveness& liveness = frame.function == nullptr
                                 ? program.liveness_of_flow(flow_index)
                                 : program.liveness_of_function(
                                       static_cast<std::uint32_t>(frame.function - module.functions.data()));
  return is_innermost ? liveness.before(frame.pc) : liveness.across(frame.pc);
}

// Through the routines of the fiber that runs, innermost first, then through those of whoever began it, up to
// the flow: `visit(routine, at)` until it gives true.
template <class Visit>
void Machine::State::up_the_run(Visit visit) const {
  const Stack* its_stack = &stack;
  const Instruction* where = at;
  std::uint32_t fiber = current;
  for (;;) {
    const std::uint32_t group = fibers.empty() ? kNobody : fibers[fiber]->branches;
    if (up_the_stack(*its_stack, module, group == kNobody ? &flow : nullptr, where, visit) ||
        group == kNobody)
      return;
    fiber = groups[group]->parent;
    its_stack = &fibers[fiber]->stack;
    where = fibers[fiber]->at;
  }
}

std::vector<Place> Machine::State::trace() const {
  constexpr std::size_t kMostPlaces = 32;  // of a recursion without end nobody reads more
  std::vector<Place> places;
  up_the_run([&](const Routine& routine, const Instruction* where) {
    const bool is_flow = &routine == &flow;
    if (is_flow || places.size() + 1 < kMostPlaces)
      places.push_back({.routine = routine.name, .line = line_in(routine, where)});
    return is_flow;
  });
  return places;
}

bool Machine::State::is_cleaning_up() const {
  if (!program.cleans_up()) return false;
  bool is_found = false;
  up_the_run([&](const Routine& routine, const Instruction* where) {
    const auto pc = static_cast<std::uint32_t>(where - routine.code.data());
    is_found = std::ranges::any_of(
        routine.cleanups, [&](const CodeRange& range) { return range.begin <= pc && pc < range.end; });
    return is_found;
  });
  return is_found;
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

bool Machine::State::end(Step& said, Ended::How how, std::string reason) {
  waiting = Waiting::Ended;
  is_over = true;
  Ended& ended = said.emplace<Ended>();
  ended.how = how;
  ended.reason = std::move(reason);
  ended.line = line();
  return true;
}

bool Machine::State::fail(Step& said) {
  if (fault_trace.empty()) fault_trace = trace();
  waiting = Waiting::Ended;
  is_over = true;
  const std::uint32_t where = fault.line != 0 ? fault.line : fault_trace.front().line;
  said = Ended{.how = Ended::How::Failed,
               .reason = {},
               .fault = fault,
               .line = where,
               .trace = std::exchange(fault_trace, {}),
               .result = {}};
  return true;
}

// What a run has used up it cannot handle.
bool Machine::State::to_handler() {
  if (fault_trace.empty()) fault_trace = trace();
  if (fault.kind == FaultKind::OutOfFuel || fault.kind == FaultKind::OutOfMemory) return false;
  for (;; give_up_branch()) {
    const Handler* handler = nullptr;
    std::size_t above = 0;  // routines that are left
    up_the_stack(stack, module, is_branch() ? nullptr : &flow, at,
                 [&](const Routine& routine, const Instruction* where) {
                   handler = handler_in(routine, where);
                   above += handler == nullptr ? 1 : 0;
                   return handler != nullptr;
                 });
    if (handler == nullptr && is_branch()) continue;
    if (handler == nullptr) return false;
    if (!spend(kFaultFuel + fault.message.size() / kBytesPerFuel)) return false;
    for (; above > 0; --above) {
      at = *--stack.callers - 1;
      stack.base -= at->a;
    }
    handled = fault;
    handled_trace = std::exchange(fault_trace, {});
    at = routine().code.data() + handler->target;
    heap.lift_threshold();
    bool is_kept = keep_message(handler->register_);
    if (!is_kept && fault.kind == FaultKind::OutOfMemory && collect()) {
      heap.lift_threshold();
      is_kept = keep_message(handler->register_);
    }
    heap.restore_threshold();
    return is_kept;
  }
}

// A message from outside may be longer than a text of the run: its end is left out.
bool Machine::State::keep_message(unsigned reg) {
  return keep_text(reg, beginning_of(handled.message, limits.text_bytes), Form::Plain);
}

// --- begin and go on ---

Step Machine::State::start(std::string_view event_json, std::string_view settings_json) {
  thread_local ParsedEvent event;  // for its memory
  event.read(event_json, program.fields_of_flow(flow_index));
  return start(event, settings_json);
}

Step Machine::State::start(const ParsedEvent& event, std::string_view settings_json) {
  if (!fibers.empty()) forget_fibers();
  heap.clear();
  stack.clear();
  at = flow.code.data();
  fuel = limits.fuel;
  calls = logs = 0;
  in_body = is_over = false;
  fault_trace.clear();
  handled = kNothingHandled;
  handled_trace.clear();
  heap.lift_threshold();  // there is nothing yet to collect
  auto problem = event.fill(module.types, flow, heap, stack.base);
  bool is_setting = false;
  if (!problem && has_settings) {
    problem = fill_settings(settings_json, module, flow, heap, stack.base);
    is_setting = problem.has_value();
  }
  heap.restore_threshold();
  if (problem && problem->is_out_of_memory) out_of_memory();
  if (problem && !problem->is_out_of_memory)
    raise(is_setting ? FaultKind::InvalidValue : FaultKind::InvalidEvent, problem->message);
  const bool has_room = flow.registers <= limits.stack_bytes / sizeof(Slot);
  if (!has_room) raise(FaultKind::OutOfStack, "the flow needs more registers than its stack has");
  Step said;
  if (problem || !has_room || !spend(flow.code.size()))
    fail(said);
  else
    go_on(said);  // as long as nothing was asked of anyone, nobody waits
  return said;
}

Machine::Machine(const Program& program, std::uint32_t flow, Limits limits)
    : state_(std::make_unique<State>(program, flow, limits)) {}
Machine::~Machine() = default;
Machine::Machine(Machine&&) noexcept = default;
Machine& Machine::operator=(Machine&&) noexcept = default;

Step Machine::start(std::string_view event_json, std::string_view settings_json) {
  return state_->start(event_json, settings_json);
}
Step Machine::start(const ParsedEvent& event, std::string_view settings_json) {
  return state_->start(event, settings_json);
}
Step Machine::resume(const Outcome& outcome) {
  state_->find_waiting();
  FLOW_CHECK(state_->waiting == Waiting::ForCall || state_->waiting == Waiting::ForLog,
             "only a run that waits can be resumed");
  const std::optional<Step> step = state_->answer(state_->waiting, state_->number, outcome);
  FLOW_CHECK(step, "a run that has one call under way goes on when it is answered");
  return std::move(*step);
}
std::optional<Step> Machine::next() {
  return state_->next();
}
std::optional<Step> Machine::answer_call(std::uint32_t number, const Outcome& outcome) {
  return state_->answer(Waiting::ForCall, number, outcome);
}
std::optional<Step> Machine::answer_log(std::uint32_t number) {
  return state_->answer(Waiting::ForLog, number, Returned{"null"});
}
std::vector<std::uint32_t> Machine::take_cancelled() {
  return std::exchange(state_->cancelled, {});
}
bool Machine::in_body() const {
  return state_->in_body;
}
std::uint64_t Machine::fuel_used() const {
  return state_->limits.fuel - state_->fuel;
}

}  // namespace flow
