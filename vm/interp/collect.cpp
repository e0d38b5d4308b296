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

// Registers of one fiber that are not read any more, and what runs of functions before left behind, become
// null. Gives how many are in use.
std::size_t Machine::State::forget_dead_registers(Stack& its_stack, const Instruction* where,
                                                  Waiting its_waiting, bool is_in_branch) {
  const auto frames_of = frames(its_stack, where, is_in_branch);
  std::fill(frames_of.back().window + frames_of.back().routine->registers, its_stack.end, Slot::null());
  for (std::size_t k = 0; k < frames_of.size(); ++k) {
    const Frame& frame = frames_of[k];
    const bool is_innermost = k + 1 == frames_of.size();
    // What the callee's window leaves of the caller's.
    const std::size_t size = is_innermost ? frame.routine->registers
                                          : static_cast<std::size_t>(frames_of[k + 1].window - frame.window);
    forget_dead(frame.window, size,
                kept_registers(frame, is_innermost && its_waiting != Waiting::ForBranches));
  }
  return static_cast<std::size_t>(frames_of.back().window - its_stack.begin()) +
         frames_of.back().routine->registers;
}

bool Machine::State::collect() {
  std::vector<std::span<Slot>> roots;
  // Of a stack only what is in use counts: how much room there is behind it is nobody's business.
  std::uint64_t in_use = 0;
  if (current != kNobody) {
    in_use += forget_dead_registers(stack, at, waiting, is_branch());
    roots.emplace_back(stack.begin(), stack.end);
  }
  for (std::uint32_t k = 0; k < fibers.size(); ++k) {
    if (!fibers[k] || k == current) continue;
    Fiber& fiber = *fibers[k];
    in_use += forget_dead_registers(fiber.stack, fiber.at, fiber.waiting, fiber.branches != kNobody);
    roots.emplace_back(fiber.stack.begin(), fiber.stack.end);
  }
  for (const auto& group : groups) {
    if (!group) continue;
    roots.emplace_back(&group->items, 1);
    roots.emplace_back(&group->results, 1);
    roots.emplace_back(group->captured);
  }
  const Collected collected = flow::collect(heap, roots);
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
