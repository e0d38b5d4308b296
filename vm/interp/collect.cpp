// When the heap is full: what a run can still read moves together, and the instruction that wanted memory is
// executed again. Its first try changed nothing.
#include "vm/interp/collector.hpp"
#include "vm/interp/state.hpp"

namespace flow {
namespace {

void forget_dead(Slot* window, std::size_t size, const RegisterSet& live) {
  for (std::size_t reg = 0; reg < size; ++reg)
    if (!live[reg]) window[reg] = Slot::null();
}

}  // namespace

// Registers that are not read any more, and what runs of functions before left behind, become null.
void Machine::State::forget_dead_registers() {
  const Routine& top = routine();
  std::fill(stack.base + top.registers, stack.end, Slot::null());
  const Instruction* where = at;
  Slot* window = stack.base;
  std::size_t size = top.registers;
  bool is_top = true;
  for (const Instruction** caller = stack.callers;; --caller) {
    const bool is_flow = caller == stack.callers_begin;
    const Instruction* invoke = is_flow ? nullptr : caller[-1] - 1;
    const Routine& routine = is_flow ? static_cast<const Routine&>(flow) : module.functions[invoke->index()];
    const Liveness& liveness =
        is_flow ? program.liveness_of_flow(flow_index) : program.liveness_of_function(invoke->index());
    const auto pc = static_cast<std::uint32_t>(where - routine.code.data());
    forget_dead(window, size, is_top ? liveness.before(pc) : liveness.across(pc));
    if (is_flow) return;
    where = invoke;
    size = invoke->a;  // what the callee's window leaves of the caller's
    window -= size;
    is_top = false;
  }
}

bool Machine::State::collect() {
  forget_dead_registers();
  const std::span<Slot> registers(stack.begin(), stack.end);
  const Collected collected = flow::collect(heap, {&registers, 1});
  // Of the stack only what is in use counts: how much room there is behind it is nobody's business.
  const auto in_use = static_cast<std::uint64_t>(stack.base - stack.begin()) + routine().registers;
  return spend(collected.fuel + in_use / 16);
}

// What an answer begins is given up when the heap has no place for the rest, and read again.
bool Machine::State::accept(const Outcome& outcome) {
  if (accept_result(outcome)) return true;
  if (fault.kind != FaultKind::OutOfMemory || !std::holds_alternative<Returned>(outcome) || !collect())
    return false;
  heap.lift_threshold();
  const bool is_done = accept_result(outcome);
  heap.restore_threshold();
  return is_done;
}

bool Machine::State::try_again(Execute execute, std::uint64_t fuel_before) {
  if (fault.kind != FaultKind::OutOfMemory) return false;
  fuel = fuel_before;
  if (!collect()) return false;
  heap.lift_threshold();
  const bool is_done = (this->*execute)(*at);
  heap.restore_threshold();
  return is_done;
}

}  // namespace flow
