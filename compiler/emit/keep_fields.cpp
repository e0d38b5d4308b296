// A field that is read again where its first read surely came before, and whose register has been used for
// something else since, is kept in a register of its own.
#include <algorithm>
#include <limits>

#include "compiler/emit/optimise.hpp"
#include "vm/bytecode/op_table.hpp"

namespace flow {
namespace {

constexpr unsigned kMostRegisters = 250;
constexpr std::uint32_t kReach = 200;   // instructions that are looked through behind a read
constexpr std::uint32_t kConsumer = 4;  // where what is read is used

class FieldKeeper {
 public:
  explicit FieldKeeper(Routine& routine)
      : routine_(routine),
        code_(routine.code),
        lowest_(code_.size(), std::numeric_limits<std::uint32_t>::max()),
        highest_(code_.size()) {
    for (std::uint32_t pc = 0; pc < code_.size(); ++pc) {
      if (!op_info(code_[pc].op)->is_jump()) continue;
      const auto target = static_cast<std::size_t>(jump_target(pc, code_[pc]));
      lowest_[target] = std::min(lowest_[target], pc);
      highest_[target] = std::max(highest_[target], pc);
    }
    for (const Handler& handler : routine_.handlers) lowest_[handler.target] = 0;
  }

  void run() {
    std::vector<bool> is_kept(code_.size());
    for (std::uint32_t pc = 0; pc < code_.size() && routine_.registers < kMostRegisters; ++pc) {
      if (code_[pc].op != Op::GetField || code_[pc].a == code_[pc].b) continue;
      const std::vector<std::uint32_t> again = reads_behind(pc);
      std::size_t saved = 0;
      for (const std::uint32_t read : again) saved += is_used_directly(read) ? 1 : 0;
      if (saved <= (is_used_directly(pc) ? 0u : 1u)) continue;
      const std::uint8_t kept = routine_.registers++;
      for (const std::uint32_t read : again) code_[read] = {Op::Move, code_[read].a, kept, 0, 0};
      is_kept[pc] = true;
      kept_.push_back(kept);
    }
    if (!kept_.empty()) insert_moves(is_kept);
  }

 private:
  // The same reads that only come after this one, with the record's register unchanged, and without a call
  // between that would lose the registers on top.
  std::vector<std::uint32_t> reads_behind(std::uint32_t first) const {
    const Instruction read = code_[first];
    std::vector<std::uint32_t> found;
    std::uint32_t must_reach = 0;  // from where the code before is jumped back to
    const auto end = static_cast<std::uint32_t>(std::min<std::size_t>(code_.size(), first + kReach));
    for (std::uint32_t pc = first + 1; pc < end; ++pc) {
      const Instruction i = code_[pc];
      if (lowest_[pc] <= first) break;
      must_reach = std::max(must_reach, highest_[pc]);
      const bool is_same = i.op == Op::GetField && i.b == read.b && i.c == read.c;
      if (is_same && i.a != i.b && pc >= must_reach) found.push_back(pc);
      if (changes(i, read.b)) break;
    }
    while (!found.empty() && found.back() < must_reach) found.pop_back();
    return found;
  }

  static bool changes(Instruction i, std::uint8_t reg) {
    switch (i.op) {
      case Op::Invoke:
      case Op::Each:
      case Op::Parallel:
      case Op::Race: return true;
      case Op::NextInRange: return i.a == reg;
      case Op::NextItem:
      case Op::NextEntry: return reg > i.a && reg <= i.a + 3;
      default: {
        const Operand a = op_info(i.op)->a;
        return (a == Operand::Out || a == Operand::Both) && i.a == reg;
      }
    }
  }

  // Whether what is read is next used by an instruction that may as well take it from elsewhere.
  bool is_used_directly(std::uint32_t pc) const {
    const std::uint8_t reg = code_[pc].a;
    const auto end = static_cast<std::uint32_t>(std::min<std::size_t>(code_.size(), pc + 1 + kConsumer));
    for (std::uint32_t at = pc + 1; at < end; ++at) {
      const Instruction i = code_[at];
      const OpInfo& info = *op_info(i.op);
      const bool reads = (info.a == Operand::In && i.a == reg) || (info.b == Operand::In && i.b == reg) ||
                         (info.c == Operand::In && i.c == reg);
      if (reads) return takes_any_register(i.op) && i.op != Op::Move;
      if (info.is_jump() || !takes_any_register(i.op) || changes(i, reg)) return false;
    }
    return false;
  }

  // Behind each read that is kept, its register gets a copy; most are then removed as dead.
  void insert_moves(const std::vector<bool>& is_kept) {
    std::vector<std::uint32_t> moved(code_.size() + 1);
    for (std::uint32_t pc = 0; pc < code_.size(); ++pc) moved[pc + 1] = moved[pc] + (is_kept[pc] ? 2 : 1);
    std::vector<Instruction> code;
    code.reserve(moved.back());
    auto kept = kept_.begin();
    for (std::uint32_t pc = 0; pc < code_.size(); ++pc) {
      Instruction i = code_[pc];
      if (op_info(i.op)->is_jump())
        i.imm = static_cast<std::int32_t>(std::int64_t{moved[static_cast<std::size_t>(jump_target(pc, i))]} -
                                          (std::int64_t{moved[pc]} + 1));
      if (is_kept[pc]) {
        code.push_back({Op::GetField, *kept, i.b, i.c, 0});
        i = {Op::Move, i.a, *kept++, 0, 0};
      }
      code.push_back(i);
    }
    code_ = std::move(code);
    const auto size = static_cast<std::uint32_t>(moved.size() - 1);
    for (LineEntry& line : routine_.lines) line.pc = moved[std::min(line.pc, size)];
    for (Handler& handler : routine_.handlers) {
      handler.begin = moved[handler.begin];
      handler.end = moved[handler.end];
      handler.target = moved[handler.target];
    }
    for (CodeRange& range : routine_.cleanups) range = {moved[range.begin], moved[range.end]};
    for (RegisterName& name : routine_.names) {
      name.begin = moved[std::min(name.begin, size)];
      name.end = moved[std::min(name.end, size)];
    }
  }

  Routine& routine_;
  std::vector<Instruction>& code_;
  std::vector<std::uint32_t> lowest_, highest_;  // of the jumps that go there
  std::vector<std::uint8_t> kept_;
};

}  // namespace

void keep_fields(Routine& routine) {
  FieldKeeper(routine).run();
}

}  // namespace flow
