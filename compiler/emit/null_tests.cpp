// Which registers are known not to be null: forward, until nothing changes. Knows no more than the verifier
// does, which must accept what is made of it.
#include "compiler/emit/optimise.hpp"
#include "vm/bytecode/liveness.hpp"
#include "vm/bytecode/op_table.hpp"

namespace flow {
namespace {

class NotNull {
 public:
  NotNull(const Module& module, const Routine& routine, const std::vector<TypeId>& parameters)
      : module_(module), routine_(routine), before_(routine.code.size()), is_known_(routine.code.size()) {
    RegisterSet start;
    for (std::size_t reg = 0; reg < parameters.size(); ++reg) start[reg] = is_value(parameters[reg]);
    arrive(0, start);
    while (has_changed_) {
      has_changed_ = false;
      for (std::uint32_t pc = 0; pc < routine_.code.size(); ++pc)
        if (is_known_[pc]) pass(pc);
    }
  }

  bool before(std::uint32_t pc, unsigned reg) const { return is_known_[pc] && before_[pc][reg]; }

 private:
  bool is_value(TypeId type) const {
    return type != kNullType && type != kNothingType && !module_.types.is_optional(type);
  }

  void arrive(std::int64_t pc, const RegisterSet& set) {
    const auto at = static_cast<std::size_t>(pc);
    if (at >= before_.size()) return;
    const RegisterSet both = is_known_[at] ? before_[at] & set : set;
    if (is_known_[at] && both == before_[at]) return;
    before_[at] = both;
    is_known_[at] = true;
    has_changed_ = true;
  }

  void pass(std::uint32_t pc) {
    const Instruction i = routine_.code[pc];
    const RegisterSet before = before_[pc];
    RegisterSet on = before, jumped = before;
    switch (i.op) {
      case Op::JumpIfNull: on.set(i.a); break;
      case Op::JumpIfSet: jumped.set(i.a); break;
      case Op::NextItem: jumped.reset(i.a + 2u); break;
      case Op::NextEntry:
        jumped.set(i.a + 2u);
        jumped.reset(i.a + 3u);
        break;
      case Op::Move: on[i.a] = before[i.b]; break;
      case Op::LoadNull:
      case Op::GetField:
      case Op::GetItem:
      case Op::GetKey:
      case Op::JsonMember:
      case Op::JsonItem:
      case Op::Parallel: on.reset(i.a); break;
      case Op::JsonTo: on[i.a] = is_value(i.index()); break;
      case Op::Native: {
        const NativeType& result = native_info(static_cast<NativeId>(i.imm))->result;
        on[i.a] = result.is_list || !result.may_be_null;
        break;
      }
      case Op::Call:
        on[i.a] = is_value(module_.operations[routine_.call_sites[i.index()].operation].result);
        break;
      case Op::Invoke:
        for (std::size_t reg = i.a; reg < on.size(); ++reg) on.reset(reg);
        on[i.a] = is_value(module_.functions[i.index()].result);
        break;
      default:
        if (op_info(i.op)->a == Operand::Out) on.set(i.a);
    }
    if (op_info(i.op)->is_jump()) arrive(jump_target(pc, i), jumped);
    if (!ends_path(i.op)) arrive(std::int64_t{pc} + 1, on);
    for (const Handler& handler : routine_.handlers) {
      if (pc < handler.begin || pc >= handler.end) continue;
      RegisterSet handled = before;
      for (std::size_t reg = i.a; i.op == Op::Invoke && reg < handled.size(); ++reg) handled.reset(reg);
      arrive(handler.target, handled);
      break;  // the first that covers it is taken
    }
  }

  const Module& module_;
  const Routine& routine_;
  std::vector<RegisterSet> before_;
  std::vector<bool> is_known_;
  bool has_changed_ = true;
};

}  // namespace

void forget_null_tests(const Module& module, Routine& routine, const std::vector<TypeId>& parameters) {
  const NotNull known(module, routine, parameters);
  for (std::uint32_t pc = 0; pc < routine.code.size(); ++pc) {
    Instruction& i = routine.code[pc];
    if (i.op == Op::Unwrap && known.before(pc, i.b)) i.op = Op::Move;
    if (i.op == Op::JumpIfSet && known.before(pc, i.a)) i = {.op = Op::Jump, .imm = i.imm};
    if (i.op == Op::JumpIfNull && known.before(pc, i.a)) i = {.op = Op::Jump, .imm = 0};
  }
}

}  // namespace flow
