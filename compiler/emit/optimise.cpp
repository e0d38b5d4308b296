#include "compiler/emit/optimise.hpp"

#include <algorithm>

#include "vm/bytecode/op_table.hpp"

namespace flow {
namespace {

void optimise(const Module& module, Routine& routine, const std::vector<TypeId>& parameters) {
  thread_jumps(routine);
  remove_unreachable(routine);
  for (int round = 0; round < 2; ++round) {  // what a register is a copy of may be known not to be null
    forget_null_tests(module, routine, parameters);
    reuse_values(routine);
    if (round == 0) {
      remove_dead_writes(module, routine);
      keep_fields(routine);
    }
  }
  remove_dead_writes(module, routine);
  thread_jumps(routine);
  remove_unreachable(routine);
}

}  // namespace

void optimise(Module& module) {
  for (FunctionCode& function : module.functions) optimise(module, function, function.parameters);
  for (FlowCode& flow : module.flows) {
    std::vector<TypeId> inputs;
    for (const Input& input : flow.inputs) inputs.push_back(input.type);
    optimise(module, flow, inputs);
  }
}

void remove_marked(Routine& routine, const std::vector<bool>& marked) {
  const auto size = static_cast<std::uint32_t>(routine.code.size());
  std::vector<std::uint32_t> moved(size + 1);  // where what stood there, or what follows it, stands now
  for (std::uint32_t pc = 0; pc < size; ++pc) moved[pc + 1] = moved[pc] + (marked[pc] ? 0 : 1);
  std::vector<Instruction> code;
  code.reserve(moved[size]);
  for (std::uint32_t pc = 0; pc < size; ++pc) {
    if (marked[pc]) continue;
    Instruction i = routine.code[pc];
    if (op_info(i.op)->is_jump())
      i.imm = static_cast<std::int32_t>(std::int64_t{moved[static_cast<std::size_t>(jump_target(pc, i))]} -
                                        (std::int64_t{moved[pc]} + 1));
    code.push_back(i);
  }
  routine.code = std::move(code);

  std::vector<LineEntry> lines;
  for (LineEntry line : routine.lines) {
    line.pc = moved[std::min(line.pc, size)];
    if (line.pc >= routine.code.size()) continue;
    if (!lines.empty() && lines.back().pc == line.pc) lines.pop_back();
    if (lines.empty() || lines.back().line != line.line || lines.back().column != line.column)
      lines.push_back(line);
  }
  routine.lines = std::move(lines);
  for (Handler& handler : routine.handlers) {
    handler.begin = moved[handler.begin];
    handler.end = moved[handler.end];
    handler.target = moved[handler.target];
  }
  std::erase_if(routine.handlers, [](const Handler& handler) { return handler.begin >= handler.end; });
  for (CodeRange& range : routine.cleanups) range = {moved[range.begin], moved[range.end]};
  std::erase_if(routine.cleanups, [](const CodeRange& range) { return range.begin >= range.end; });
  for (RegisterName& name : routine.names) {
    name.begin = moved[std::min(name.begin, size)];
    name.end = moved[std::min(name.end, size)];
  }
  std::erase_if(routine.names, [](const RegisterName& name) { return name.begin >= name.end; });
}

}  // namespace flow
