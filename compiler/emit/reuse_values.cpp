// What registers are known to hold: a copy of another one, or a field of a record that another one holds.
// Forward, once: where paths meet, what holds on all of them; where a loop begins again, or a fault is
// handled, nothing.
#include <algorithm>
#include <array>
#include <optional>

#include "compiler/emit/optimise.hpp"
#include "vm/bytecode/op_table.hpp"

namespace flow {
namespace {

struct Load {  // `target` holds field `field` of the record in `object`
  std::uint8_t target, object, field;
  bool operator==(const Load&) const = default;
};

struct Known {
  std::array<std::uint8_t, 256> copy_of;  // the register itself when it is no copy
  std::vector<Load> loads;

  Known() {
    for (std::size_t reg = 0; reg < copy_of.size(); ++reg) copy_of[reg] = static_cast<std::uint8_t>(reg);
  }
  void keep_common(const Known& other) {
    for (std::size_t reg = 0; reg < copy_of.size(); ++reg)
      if (copy_of[reg] != other.copy_of[reg]) copy_of[reg] = static_cast<std::uint8_t>(reg);
    std::erase_if(
        loads, [&](const Load& load) { return std::ranges::find(other.loads, load) == other.loads.end(); });
  }
  void write(unsigned reg) {
    const auto written = static_cast<std::uint8_t>(reg);
    copy_of[written] = written;
    for (std::size_t copy = 0; copy < copy_of.size(); ++copy)
      if (copy_of[copy] == written) copy_of[copy] = static_cast<std::uint8_t>(copy);
    std::erase_if(loads, [&](const Load& load) { return load.target == written || load.object == written; });
  }
  void forget_from(std::uint8_t first) {
    for (std::size_t reg = 0; reg < copy_of.size(); ++reg)
      if (reg >= first || copy_of[reg] >= first) copy_of[reg] = static_cast<std::uint8_t>(reg);
    std::erase_if(loads, [&](const Load& load) { return load.target >= first || load.object >= first; });
  }
};

// Whether the operands are single registers, so that each may be another one that holds the same.
bool takes_any_register(Op op) {
  switch (op) {
    case Op::Unwrap:  // its fault names the register
    case Op::JumpIfNull:
    case Op::JumpIfSet:  // what they prove is known of their register only
    case Op::NextInRange:
    case Op::NextItem:
    case Op::NextEntry:
    case Op::NewRecord:
    case Op::NewList:
    case Op::Concat:
    case Op::Native:
    case Op::Slice:
    case Op::Invoke:
    case Op::Each:
    case Op::Parallel:
    case Op::Race:
    case Op::Call: return false;
    default: return true;
  }
}

class Reuse {
 public:
  explicit Reuse(Routine& routine)
      : code_(routine.code), is_forgetful_(code_.size()), at_target_(code_.size()) {
    for (std::uint32_t pc = 0; pc < code_.size(); ++pc)
      if (op_info(code_[pc].op)->is_jump() && code_[pc].imm < 0)
        is_forgetful_[static_cast<std::size_t>(jump_target(pc, code_[pc]))] = true;
    for (const Handler& handler : routine.handlers) is_forgetful_[handler.target] = true;
  }

  void run() {
    std::optional<Known> now = Known();
    for (std::uint32_t pc = 0; pc < code_.size(); ++pc) {
      std::optional<Known>& arrived = at_target_[pc];
      if (is_forgetful_[pc]) {
        now = Known();
      } else if (arrived) {
        if (now) arrived->keep_common(*now);
        now = std::move(arrived);
      }
      arrived.reset();
      if (!now) continue;  // never reached
      step(code_[pc], *now);
      const Instruction i = code_[pc];
      if (op_info(i.op)->is_jump() && i.imm >= 0) {
        std::optional<Known>& target = at_target_[static_cast<std::size_t>(jump_target(pc, i))];
        if (target)
          target->keep_common(*now);
        else
          target = now;
      }
      if (ends_path(i.op)) now.reset();
    }
  }

 private:
  static void step(Instruction& i, Known& now) {
    const OpInfo& info = *op_info(i.op);
    if (takes_any_register(i.op)) {
      if (info.a == Operand::In) i.a = now.copy_of[i.a];
      if (info.b == Operand::In) i.b = now.copy_of[i.b];
      if (info.c == Operand::In) i.c = now.copy_of[i.c];
    }
    switch (i.op) {
      case Op::Move: {
        const std::uint8_t from = i.b;
        if (from == i.a) return;
        now.write(i.a);
        now.copy_of[i.a] = from;
        return;
      }
      case Op::GetField: return get_field(i, now);
      case Op::JumpIfNull:
      case Op::JumpIfSet:  // more is known of it than of what it is a copy of
        now.copy_of[i.a] = i.a;
        return;
      case Op::NextInRange: return now.write(i.a);
      case Op::NextItem:
      case Op::NextEntry:
        for (unsigned reg = i.a + 1u; reg <= i.a + 3u && reg < 256; ++reg) now.write(reg);
        return;
      case Op::Invoke: return now.forget_from(i.a);
      default:
        if (info.a == Operand::Out || info.a == Operand::Both) now.write(i.a);
    }
  }

  static void get_field(Instruction& i, Known& now) {
    const Load load{.target = i.a, .object = i.b, .field = i.c};
    const auto found = std::ranges::find_if(now.loads, [&](const Load& known) {
      return known.object == load.object && known.field == load.field;
    });
    if (found != now.loads.end()) {
      i = {Op::Move, i.a, found->target, 0, 0};
      return step(i, now);
    }
    now.write(i.a);
    if (load.target != load.object) now.loads.push_back(load);
  }

  std::vector<Instruction>& code_;
  std::vector<bool> is_forgetful_;
  std::vector<std::optional<Known>> at_target_;
};

}  // namespace

void reuse_values(Routine& routine) {
  Reuse(routine).run();
}

}  // namespace flow
