// `steps`: wave after wave of calls side by side, and how each step ended.
#include <algorithm>

#include "base/error_type.hpp"
#include "base/fault.hpp"
#include "compiler/emit/branch_emitter.hpp"

namespace flow {

// Each step has two registers: its status, one of kStepSucceeded …, and its error or null.
void RoutineEmitter::steps(NodeId node) {
  const CheckedSteps& checked = builder_.checked().steps.at(node);
  const auto& all = checked.steps;
  if (all.empty()) return;
  const std::uint32_t taken = code_.taken();
  const Register status = code_.take(all.size()), error = code_.take(all.size());
  ensure_entities(node);
  for (std::uint32_t wave = 0; wave < checked.waves; ++wave) {
    const std::uint32_t before = code_.taken();
    std::vector<std::uint32_t> now;
    std::vector<NodeId> calls;
    for (std::uint32_t i = 0; i < all.size(); ++i) {
      if (all[i].wave != wave) continue;
      now.push_back(i);
      calls.push_back(all[i].call);
    }
    const std::vector<Capture> captures = captured(calls);
    const Register list = code_.take(2 + now.size() + captures.size());
    const auto wanted = static_cast<Register>(list + 2);
    for (std::size_t k = 0; k < now.size(); ++k)
      want_step(all[now[k]], status, static_cast<Register>(wanted + k));
    give(captures, static_cast<std::uint32_t>(wanted + now.size()));
    const Register results = code_.take();
    carry_out(node, calls, captures, list, results);
    for (std::size_t k = 0; k < now.size(); ++k)
      settle_step(static_cast<Register>(wanted + k), results, static_cast<std::int64_t>(k),
                  static_cast<Register>(status + now[k]), static_cast<Register>(error + now[k]));
    code_.release_to(before);
  }
  raise_unhandled(checked, status, error);
  code_.release_to(taken);
}

// Whether a step is carried out: each it comes after has ended as it wants.
void RoutineEmitter::want_step(const CheckedStep& step, Register status, Register target) {
  Label no, end;
  for (const StepEdge& edge : step.after) {
    Label holds;
    for (const std::uint8_t one : {kStepSucceeded, kStepFailed, kStepTimedOut, kStepSkipped})
      if ((edge.statuses & one) != 0) code_.jump_short(Op::JumpIfEqualImm, status + edge.step, one, holds);
    code_.jump(no);
    code_.place(holds);
  }
  code_.add(Op::LoadBool, target, 1);
  code_.jump(end);
  code_.place(no);
  code_.add(Op::LoadBool, target, 0);
  code_.place(end);
}

// The calls of one wave side by side; `results` gets the error of each, or null.
void RoutineEmitter::carry_out(NodeId node, std::span<const NodeId> calls, std::span<const Capture> captures,
                               Register list, Register results) {
  BranchEmitter branch(builder_, tree_, body_, options_, node, protected_by_);
  const Register chosen = branch.parameter(kIntType);
  branch.parameter(kIntType);
  std::vector<Register> is_wanted;
  for (std::size_t k = 0; k < calls.size(); ++k) is_wanted.push_back(branch.parameter(kBoolType));
  branch.take_captures(captures);
  const std::uint32_t function = builder_.reserve(1);
  const TypeId result = branch.do_call_of(calls, chosen, is_wanted);
  code_.exceed(branch.exceeded());
  builder_.put(function, branch.finish(result));
  builder_.module().types.list(result);
  const std::uint32_t taken = code_.taken();
  const Register from = code_.take(2);
  integer(0, from);
  integer(static_cast<std::int64_t>(calls.size()), static_cast<Register>(from + 1));
  builder_.module().types.list(kIntType);
  code_.add(Op::Range, list, from, from + 1u);
  code_.release_to(taken);
  integer(0, static_cast<Register>(list + 1));  // all at once
  code_.mark(node);
  code_.add_imm(Op::Each, results, list, 0, function);
}

void RoutineEmitter::settle_step(Register wanted, Register results, std::int64_t place, Register status,
                                 Register error) {
  Label ran, failed, end;
  const std::uint32_t taken = code_.taken();
  code_.add(Op::LoadNull, error);
  code_.jump(Op::JumpIf, wanted, 0, ran);
  integer(kStepSkipped, status);
  code_.jump(end);
  code_.place(ran);
  const Register at = code_.take();
  integer(place, at);
  code_.add(Op::GetItem, error, results, at);
  code_.jump(Op::JumpIfSet, error, 0, failed);
  integer(kStepSucceeded, status);
  code_.jump(end);
  code_.place(failed);
  Label timed_out;
  const Register kind = code_.take();
  code_.add(Op::Unwrap, kind, error);
  code_.add(Op::GetField, kind, kind, static_cast<std::uint32_t>(ErrorField::Kind));
  code_.jump_short(Op::JumpIfEnum, kind, static_cast<std::int64_t>(FaultKind::Timeout), timed_out);
  integer(kStepFailed, status);
  code_.jump(end);
  code_.place(timed_out);
  integer(kStepTimedOut, status);
  code_.place(end);
  code_.release_to(taken);
}

// An error that no step comes after is raised when all have ended, the first in the order of the text.
void RoutineEmitter::raise_unhandled(const CheckedSteps& checked, Register status, Register error) {
  for (std::uint32_t i = 0; i < checked.steps.size(); ++i) {
    std::uint8_t handled = kStepSucceeded | kStepSkipped;
    for (const CheckedStep& step : checked.steps)
      for (const StepEdge& edge : step.after)
        if (edge.step == i) handled |= edge.statuses;
    if ((handled & kStepFailed) != 0 && (handled & kStepTimedOut) != 0) continue;
    Label next;
    const auto its_status = static_cast<Register>(status + i);
    for (const std::uint8_t one : {kStepSucceeded, kStepFailed, kStepTimedOut, kStepSkipped})
      if ((handled & one) != 0) code_.jump_short(Op::JumpIfEqualImm, its_status, one, next);
    const std::uint32_t taken = code_.taken();
    const Register raised = code_.take();
    code_.add(Op::Unwrap, raised, error + i);
    code_.add(Op::Throw, raised);
    code_.release_to(taken);
    code_.place(next);
  }
}

}  // namespace flow
