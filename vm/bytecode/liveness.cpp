// The textbook's backward data flow: what is live before an instruction is what it reads, and what is live
// after it on any path and not written by it. An instruction is looked at again when what is live before one
// that can follow it has grown, which happens at most once for each register: the work is bounded by
// registers × edges, and each instruction has at most three.
#include "vm/bytecode/liveness.hpp"

#include <array>
#include <numeric>

#include "vm/bytecode/op_table.hpp"
#include "vm/bytecode/operand_range.hpp"

namespace flow {
namespace {

// Registers that are read, named by an operand or following one that is.
RegisterSet reads_of(const Module& module, const Routine& routine, Instruction i) {
  RegisterSet reads;
  const OpInfo& info = *op_info(i.op);
  const auto add = [&](Operand kind, unsigned reg) {
    if (kind == Operand::In || kind == Operand::Both) reads.set(reg);
  };
  add(info.a, i.a);
  add(info.b, i.b);
  add(info.c, i.c);
  // The operand of an empty range is not read.
  if (i.op == Op::NewRecord || i.op == Op::NewList || i.op == Op::Parallel || i.op == Op::Race)
    reads.reset(i.b);
  const OperandRange range = operand_range(module, routine, i);
  for (std::size_t k = 0; k < range.count; ++k) reads.set(range.first + k);
  return reads;
}

// What is in `live` and not written when the instruction goes on.
RegisterSet without_writes(RegisterSet live, Instruction i) {
  if (i.op == Op::Invoke) return live & ~(~RegisterSet() << i.a);
  if (op_info(i.op)->a == Operand::Out) live.reset(i.a);
  return live;
}

// The same when it jumps.
RegisterSet without_jump_writes(RegisterSet live, Instruction i) {
  if (i.op == Op::NextItem || i.op == Op::NextEntry) live.reset(i.a + 2u);
  if (i.op == Op::NextEntry) live.reset(i.a + 3u);
  return live;
}

std::vector<const Handler*> handlers_of(const Routine& routine) {
  std::vector<const Handler*> handlers(routine.handlers.empty() ? 0 : routine.code.size());
  for (const Handler& handler : routine.handlers)
    for (std::uint32_t pc = handler.begin; pc < handler.end; ++pc)
      if (handlers[pc] == nullptr) handlers[pc] = &handler;
  return handlers;
}

// Who can come to an instruction other than by going on: lists of all of them, one behind the other.
class Origins {
 public:
  Origins(const Routine& routine, const std::vector<const Handler*>& handlers)
      : first_(routine.code.size() + 1) {
    each_edge(routine, handlers, [&](std::uint32_t, std::size_t target) { ++first_[target + 1]; });
    std::partial_sum(first_.begin(), first_.end(), first_.begin());
    origins_.resize(first_.back());
    std::vector<std::uint32_t> next(first_.begin(), first_.end() - 1);
    each_edge(routine, handlers,
              [&](std::uint32_t pc, std::size_t target) { origins_[next[target]++] = pc; });
  }
  template <class Visit>
  void each_of(std::uint32_t pc, Visit visit) const {
    for (std::uint32_t k = first_[pc]; k < first_[pc + 1]; ++k) visit(origins_[k]);
  }

 private:
  template <class Visit>
  static void each_edge(const Routine& routine, const std::vector<const Handler*>& handlers, Visit visit) {
    for (std::uint32_t pc = 0; pc < routine.code.size(); ++pc) {
      const Instruction i = routine.code[pc];
      if (op_info(i.op)->is_jump()) visit(pc, static_cast<std::size_t>(jump_target(pc, i)));
      if (!handlers.empty() && handlers[pc] != nullptr) visit(pc, handlers[pc]->target);
    }
  }

  std::vector<std::uint32_t> first_, origins_;
};

RegisterSet handled(const std::vector<RegisterSet>& before, const Handler* handler) {
  if (handler == nullptr) return {};
  RegisterSet live = before[handler->target];
  live.reset(handler->register_);
  return live;
}

}  // namespace

RegisterSet Liveness::across(std::uint32_t pc) const {
  const Instruction i = routine_->code[pc];
  const Handler* handler = nullptr;
  for (const Handler& candidate : routine_->handlers)
    if (handler == nullptr && candidate.begin <= pc && pc < candidate.end) handler = &candidate;
  RegisterSet live = handled(before_, handler);
  if (i.op == Op::Invoke) live = without_writes(live, i);
  return live | without_writes(before_[pc + 1], i);
}

Liveness::Liveness(const Module& module, const Routine& routine)
    : routine_(&routine), before_(routine.code.size()) {
  const auto size = static_cast<std::uint32_t>(routine.code.size());
  const std::vector<const Handler*> handlers = handlers_of(routine);
  const Origins origins(routine, handlers);
  const auto computed = [&](std::uint32_t pc) {
    const Instruction i = routine.code[pc];
    RegisterSet live = before_[pc] | handled(before_, handlers.empty() ? nullptr : handlers[pc]);
    if (!ends_path(i.op)) live |= without_writes(before_[pc + 1], i);
    if (op_info(i.op)->is_jump())
      live |= without_jump_writes(before_[static_cast<std::size_t>(jump_target(pc, i))], i);
    return live;
  };

  for (std::uint32_t pc = 0; pc < size; ++pc) before_[pc] = reads_of(module, routine, routine.code[pc]);
  // The last instruction first: straight code is done in one go.
  std::vector<std::uint32_t> waiting(size);
  std::iota(waiting.begin(), waiting.end(), 0u);
  std::vector<bool> is_waiting(size, true);
  while (!waiting.empty()) {
    const std::uint32_t pc = waiting.back();
    waiting.pop_back();
    is_waiting[pc] = false;
    const RegisterSet live = computed(pc);
    if (live == before_[pc]) continue;
    before_[pc] = live;
    const auto look_at = [&](std::uint32_t origin) {
      if (is_waiting[origin]) return;
      is_waiting[origin] = true;
      waiting.push_back(origin);
    };
    origins.each_of(pc, look_at);
    if (pc > 0 && !ends_path(routine.code[pc - 1].op)) look_at(pc - 1);
  }
}

}  // namespace flow
