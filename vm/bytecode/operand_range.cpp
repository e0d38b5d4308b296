#include "vm/bytecode/operand_range.hpp"

#include <algorithm>

#include "vm/bytecode/op_table.hpp"

namespace flow {

OperandRange operand_range(const Module& module, const Routine& routine, Instruction i) {
  switch (i.op) {
    case Op::NextInRange: return {.first = i.a, .count = 2};
    case Op::NextItem: return {.first = i.a, .count = 2, .extra = 1};
    case Op::NextEntry: return {.first = i.a, .count = 2, .extra = 2};
    case Op::Slice: return {.first = i.c, .count = 2};
    case Op::NewRecord: return {.first = i.b, .count = module.types.record(i.index()).fields.size()};
    case Op::NewList:
    case Op::Concat: return {.first = i.b, .count = i.c};
    case Op::Native:
      return {.first = i.b, .count = native_info(static_cast<NativeId>(i.imm))->argument_count};
    case Op::Invoke: return {.first = i.a, .count = module.functions[i.index()].parameters.size()};
    case Op::Call: {
      const CallSite& site = routine.call_sites[i.index()];
      return {.first = site.first_argument, .count = module.operations[site.operation].parameters.size()};
    }
    case Op::Each:
      return {.first = i.b, .count = std::max<std::size_t>(2, module.functions[i.index()].parameters.size())};
    case Op::Parallel:
    case Op::Race: {
      std::size_t most = 0;
      for (std::size_t k = i.index(); k < std::size_t{i.index()} + i.c && k < module.functions.size(); ++k)
        most = std::max(most, module.functions[k].parameters.size());
      return {.first = i.b, .count = most};
    }
    default: return {};
  }
}

}  // namespace flow
