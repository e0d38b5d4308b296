#include "compiler/emit/code_writer.hpp"

#include <algorithm>

namespace flow {

CodeWriter::Register CodeWriter::take() {
  if (taken_ >= kMaxRegisters && exceeded_.empty()) exceeded_ = "values at once";
  const auto reg = static_cast<Register>(std::min(taken_, kMaxRegisters));
  taken_ = std::min(taken_ + 1, kMaxRegisters);
  routine_.registers = std::max(routine_.registers, static_cast<std::uint8_t>(reg + 1));
  return reg;
}

CodeWriter::Register CodeWriter::take(std::size_t count) {
  const Register first = take();
  for (std::size_t i = 1; i < count && exceeded_.empty(); ++i) take();
  return first;
}

void CodeWriter::release_to(std::uint32_t taken) {
  taken_ = taken;
}

void CodeWriter::name(Register reg, std::string_view name) {
  routine_.names.push_back({.begin = here(), .end = 0xffffffff, .register_ = reg, .name = std::string(name)});
}

void CodeWriter::end_names(std::size_t first) {
  for (std::size_t i = first; i < routine_.names.size(); ++i)
    routine_.names[i].end = std::min(routine_.names[i].end, here());
}

void CodeWriter::add_imm(Op op, std::uint32_t a, std::uint32_t b, std::uint32_t c, std::int64_t imm) {
  if (here() >= kMaxCode && exceeded_.empty()) exceeded_ = "instructions";
  if (!exceeded_.empty()) return;
  if (op == Op::Move && a == b) return;
  routine_.code.push_back({op, static_cast<std::uint8_t>(a), static_cast<std::uint8_t>(b),
                           static_cast<std::uint8_t>(c), static_cast<std::int32_t>(imm)});
}

void CodeWriter::jump(Op op, std::uint32_t a, std::uint32_t b, Label& label) {
  if (exceeded_.empty()) label.jumps.push_back(here());
  add_imm(op, a, b, 0, 0);
}

void CodeWriter::jump_short(Op op, std::uint32_t a, std::int64_t number, Label& label) {
  const auto bits = static_cast<std::uint16_t>(number);
  if (exceeded_.empty()) label.jumps.push_back(here());
  add_imm(op, a, bits & 0xffu, bits >> 8u, 0);
}

void CodeWriter::jump_back(Op op, std::uint32_t a, std::uint32_t target) {
  add_imm(op, a, 0, 0, std::int64_t{target} - (std::int64_t{here()} + 1));
}

void CodeWriter::place(Label& label) {
  for (const std::uint32_t at : label.jumps)
    if (at < here()) routine_.code[at].imm = static_cast<std::int32_t>(here() - (at + 1));
  label.jumps.clear();
}

void CodeWriter::mark(NodeId node) {
  const LineColumn at = tree_.position(node);
  std::vector<LineEntry>& lines = routine_.lines;
  if (!lines.empty() && lines.back().line == at.line && lines.back().column == at.column) return;
  if (!lines.empty() && lines.back().pc == here()) lines.pop_back();
  lines.push_back({.pc = here(), .line = at.line, .column = at.column});
}

}  // namespace flow
