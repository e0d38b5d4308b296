#include "compiler/emit/optimise.hpp"
#include "vm/bytecode/liveness.hpp"
#include "vm/bytecode/op_table.hpp"

namespace flow {
namespace {

// Whether nothing happens but that r[a] is written.
bool only_writes(Op op) {
  switch (op) {
    case Op::Move:
    case Op::LoadConst:
    case Op::LoadInt:
    case Op::LoadNull:
    case Op::LoadBool:
    case Op::GetField:
    case Op::ListLength:
    case Op::MapLength:
    case Op::NewMap:
    case Op::EqualBool:
    case Op::EqualInt:
    case Op::EqualFloat:
    case Op::EqualEnum:
    case Op::LessInt:
    case Op::LessEqualInt:
    case Op::LessFloat:
    case Op::LessEqualFloat:
    case Op::LessEnum:
    case Op::LessEqualEnum:
    case Op::Not:
    case Op::IsNull:
    case Op::Caught:
    case Op::NegateFloat:
    case Op::IntToFloat: return true;
    default: return false;
  }
}

}  // namespace

void remove_dead_writes(const Module& module, Routine& routine) {
  constexpr int kMostRounds = 4;  // what is removed may leave other writes dead
  for (int round = 0; round < kMostRounds; ++round) {
    const Liveness live(module, routine);
    std::vector<bool> marked(routine.code.size());
    bool has_any = false;
    for (std::uint32_t pc = 0; pc + 1 < routine.code.size(); ++pc) {
      const Instruction i = routine.code[pc];
      const bool is_idle = i.op == Op::Move && i.a == i.b;
      marked[pc] = only_writes(i.op) && (is_idle || !live.before(pc + 1)[i.a]);
      has_any = has_any || marked[pc];
    }
    if (!has_any) return;
    remove_marked(routine, marked);
  }
}

}  // namespace flow
