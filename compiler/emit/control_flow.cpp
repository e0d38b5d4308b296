// Passes over jumps.
#include "compiler/emit/optimise.hpp"
#include "vm/bytecode/op_table.hpp"

namespace flow {
namespace {

constexpr int kLongestChain = 100;  // of jumps to jumps; a loop of them has no end

bool ends_without_fault(Op op) {
  return op == Op::Return || op == Op::Finish || op == Op::Skip;
}

}  // namespace

void thread_jumps(Routine& routine) {
  std::vector<Instruction>& code = routine.code;
  for (std::uint32_t pc = 0; pc < code.size(); ++pc) {
    if (!op_info(code[pc].op)->is_jump()) continue;
    std::int64_t target = jump_target(pc, code[pc]);
    for (int k = 0; k < kLongestChain && code[static_cast<std::size_t>(target)].op == Op::Jump; ++k) {
      const std::int64_t next =
          jump_target(static_cast<std::uint32_t>(target), code[static_cast<std::size_t>(target)]);
      if (next <= pc && !may_jump_back(code[pc].op)) break;
      target = next;
    }
    const Instruction there = code[static_cast<std::size_t>(target)];
    if (code[pc].op == Op::Jump && ends_without_fault(there.op))
      code[pc] = there;
    else
      code[pc].imm = static_cast<std::int32_t>(target - (std::int64_t{pc} + 1));
  }
}

void remove_unreachable(Routine& routine) {
  const std::vector<Instruction>& code = routine.code;
  std::vector<bool> is_reached(code.size());
  std::vector<std::uint32_t> waiting;
  const auto reach = [&](std::int64_t pc) {
    if (static_cast<std::size_t>(pc) >= code.size() || is_reached[static_cast<std::size_t>(pc)]) return;
    is_reached[static_cast<std::size_t>(pc)] = true;
    waiting.push_back(static_cast<std::uint32_t>(pc));
  };
  reach(0);
  while (!waiting.empty()) {
    const std::uint32_t pc = waiting.back();
    waiting.pop_back();
    if (op_info(code[pc].op)->is_jump()) reach(jump_target(pc, code[pc]));
    if (!ends_path(code[pc].op)) reach(pc + 1);
    for (const Handler& handler : routine.handlers)
      if (pc >= handler.begin && pc < handler.end) reach(handler.target);
  }
  std::vector<bool> marked(code.size());
  for (std::uint32_t pc = 0; pc < code.size(); ++pc) {
    const bool goes_on =
        op_info(code[pc].op)->is_jump() && code[pc].imm == 0 && code[pc].op < Op::NextInRange;
    marked[pc] = !is_reached[pc] || goes_on;
  }
  remove_marked(routine, marked);
}

}  // namespace flow
