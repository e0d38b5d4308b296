// What takes time: `wait`, `repeat`, and calls with a way out when the time has passed.
#include "base/error_type.hpp"
#include "base/fault.hpp"
#include "compiler/emit/routine_emitter.hpp"
#include "compiler/syntax/clauses.hpp"

namespace flow {

// A call of one of the runtime's operations; its arguments stand from `first` on.
void RoutineEmitter::system_call(std::uint32_t operation, Register first, Register target) {
  const auto site = static_cast<std::uint32_t>(routine_.call_sites.size());
  routine_.call_sites.push_back({.operation = builder_.operation(operation),
                                 .first_argument = first,
                                 .is_fetch = false,
                                 .options = {}});
  code_.add_imm(Op::Call, target, 0, 0, site);
}

void RoutineEmitter::now(Register target) {
  system_call(builder_.library().operation_names.find("flow.now")->second, target, target);
}

void RoutineEmitter::wait(NodeId node) {
  const Register length = code_.take();
  value(tree_.kid(node, 0), length);
  code_.mark(node);
  system_call(builder_.checked().system_calls.at(node), length, code_.take());
}

void RoutineEmitter::respond(NodeId node) {
  const Register status = code_.take(), body = code_.take();
  value(tree_.kid(node, 0), status);
  if (tree_.kids(node).size() > 1)
    value(tree_.kid(node, 1), body);
  else
    code_.add(Op::LoadNull, body);
  code_.mark(node);
  system_call(builder_.checked().system_calls.at(node), status, code_.take());
}

void RoutineEmitter::repeat(NodeId node) {
  const RepeatParts parts = repeat_parts(tree_, node);
  const std::uint32_t taken = code_.taken();
  const std::size_t names = code_.names();
  Register turns = 0, most = 0, end_time = 0, pause = 0;
  if (parts.times != kNoNode) {
    turns = code_.take();
    most = code_.take();
    integer(0, turns);
    value(parts.times, most);
  }
  if (parts.every != kNoNode) {
    pause = code_.take();
    value(parts.every, pause);
  }
  if (parts.within != kNoNode) {
    end_time = code_.take();
    const Register length = code_.take();
    value(parts.within, length);
    code_.mark(node);
    now(end_time);
    code_.add(Op::AddSpan, end_time, end_time, length);
  }
  Label over, done;
  const std::uint32_t again = code_.here();
  repeat_body(parts, done);
  code_.mark(node);
  const std::uint32_t inner = code_.taken();
  if (parts.times != kNoNode) {
    code_.add_imm(Op::AddIntImm, turns, turns, 0, 1);
    code_.jump(Op::JumpIfLessEqual, most, turns, over);
  }
  if (parts.within != kNoNode) {
    const Register next = code_.take();
    now(next);
    if (parts.every != kNoNode) code_.add(Op::AddSpan, next, next, pause);
    code_.jump(Op::JumpIfLess, end_time, next, over);
  }
  if (parts.every != kNoNode) {
    const Register length = code_.take();
    code_.add(Op::Move, length, pause);
    system_call(builder_.checked().system_calls.at(node), length, length);
  }
  code_.release_to(inner);
  code_.jump_back(Op::Jump, 0, again);
  code_.place(over);
  end_locals(taken, names);
  if (parts.otherwise != kNoNode) {
    block(parts.otherwise);
  } else if (parts.until != kNoNode) {
    const Register message = code_.take();
    load_text("what `repeat` waited for did not happen in time", kStringType, message);
    raise(FaultKind::Timeout, message);
  }
  code_.place(done);
  end_locals(taken, names);
}

// The condition knows the names of the block.
void RoutineEmitter::repeat_body(const RepeatParts& parts, Label& done) {
  const std::uint32_t taken = code_.taken();
  const std::size_t names = code_.names();
  for (const NodeId kid : tree_.kids(parts.body)) statement(kid);
  if (parts.until != kNoNode) {
    code_.mark(parts.until);
    branch(parts.until, true, done);
  }
  end_locals(taken, names);
}

// `await f() within 1h else value`: Timeout gives the value, all other errors are raised.
void RoutineEmitter::kept_call(NodeId node, Register target) {
  const CallParts parts = call_parts(tree_, node);
  if (parts.otherwise == kNoNode) return value(parts.call, target);
  Label end, timed_out;
  Guard guard;
  open_guard(guard);
  value(parts.call, target);
  close_guard(guard);
  code_.jump(end);
  place_handler(guard);
  const Register error = code_.take();
  caught(error);
  code_.add(Op::GetField, error, error, static_cast<std::uint32_t>(ErrorField::Kind));
  code_.jump_short(Op::JumpIfEnum, error, static_cast<std::int64_t>(FaultKind::Timeout), timed_out);
  code_.add(Op::Raise);
  code_.place(timed_out);
  value(parts.otherwise, target);
  code_.place(end);
}

}  // namespace flow
