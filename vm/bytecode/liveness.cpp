// The textbook's backward data flow: what is live before an instruction is what it reads, and what is live
// after it on any path and not written by it.
#include "vm/bytecode/liveness.hpp"

#include "vm/bytecode/op_table.hpp"

namespace flow {
namespace {

void add_range(RegisterSet& set, unsigned first, std::size_t count) {
  for (std::size_t k = 0; k < count; ++k) set.set(first + k);
}

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
  switch (i.op) {
    case Op::NextInRange:
    case Op::NextItem:
    case Op::NextEntry: add_range(reads, i.a, 2); break;
    case Op::Slice: add_range(reads, i.c, 2); break;
    case Op::NewRecord:
      reads.reset(i.b);
      add_range(reads, i.b, module.types.record(i.index()).fields.size());
      break;
    case Op::NewList:
      reads.reset(i.b);
      add_range(reads, i.b, i.c);
      break;
    case Op::Concat: add_range(reads, i.b, i.c); break;
    case Op::Native: add_range(reads, i.b, native_info(static_cast<NativeId>(i.imm))->argument_count); break;
    case Op::Each: add_range(reads, i.b, module.functions[i.index()].parameters.size()); break;
    case Op::Parallel:
    case Op::Race:
      reads.reset(i.b);
      for (std::uint32_t k = 0; k < i.c; ++k)
        add_range(reads, i.b, module.functions[i.index() + k].parameters.size());
      break;
    case Op::Invoke: add_range(reads, i.a, module.functions[i.index()].parameters.size()); break;
    case Op::Call: {
      const CallSite& site = routine.call_sites[i.index()];
      add_range(reads, site.first_argument, module.operations[site.operation].parameters.size());
      break;
    }
    default: break;
  }
  return reads;
}

// What is in `live` and not written when the instruction goes on.
RegisterSet without_writes(RegisterSet live, Instruction i) {
  if (i.op == Op::Invoke)
    for (unsigned reg = i.a; reg < live.size(); ++reg) live.reset(reg);
  else if (op_info(i.op)->a == Operand::Out)
    live.reset(i.a);
  return live;
}

// The same when it jumps.
RegisterSet without_jump_writes(RegisterSet live, Instruction i) {
  if (i.op == Op::NextItem || i.op == Op::NextEntry) live.reset(i.a + 2u);
  if (i.op == Op::NextEntry) live.reset(i.a + 3u);
  return live;
}

}  // namespace

RegisterSet Liveness::handled_after(std::uint32_t pc) const {
  for (const Handler& handler : routine_->handlers) {
    if (pc < handler.begin || pc >= handler.end) continue;
    RegisterSet live = before_[handler.target];
    live.reset(handler.register_);
    return live;
  }
  return {};
}

RegisterSet Liveness::computed(const Module& module, std::uint32_t pc) const {
  const Instruction i = routine_->code[pc];
  RegisterSet live = reads_of(module, *routine_, i) | handled_after(pc);
  if (!ends_path(i.op)) live |= without_writes(before_[pc + 1], i);
  if (op_info(i.op)->is_jump())
    live |= without_jump_writes(before_[static_cast<std::size_t>(jump_target(pc, i))], i);
  return live;
}

RegisterSet Liveness::across(std::uint32_t pc) const {
  const Instruction i = routine_->code[pc];
  RegisterSet live = without_writes(before_[pc + 1], i);
  RegisterSet handled = handled_after(pc);
  if (i.op == Op::Invoke) handled = without_writes(handled, i);
  return live | handled;
}

// From the end to the beginning, until nothing changes: once for straight code, once more for each depth of
// loops. Sets only grow, so hostile code ends it too.
Liveness::Liveness(const Module& module, const Routine& routine)
    : routine_(&routine), before_(routine.code.size()) {
  for (bool has_changed = true; has_changed;) {
    has_changed = false;
    for (auto pc = static_cast<std::uint32_t>(routine.code.size()); pc-- > 0;) {
      const RegisterSet live = computed(module, pc);
      if (live == before_[pc]) continue;
      before_[pc] = live;
      has_changed = true;
    }
  }
}

}  // namespace flow
