// Two widths of an instruction, with the same functions.
#pragma once

#include <cstdint>

namespace flow::design {

// Those from AddImm on do the work of several others.
#define FLOW_DESIGN_OPS(op)                                                                            \
  op(LoadInt) op(LoadConst) op(Add) op(Sub) op(Mul) op(Mod) op(Less) op(Move) op(JumpIf) op(JumpIfNot) \
      op(Index) op(Call) op(Return) op(AddImm) op(MulImm) op(ModImm) op(JumpIfNotLessImm) op(Loop)

enum class Op : std::uint8_t {
#define FLOW_DESIGN_OP(name) name,
  FLOW_DESIGN_OPS(FLOW_DESIGN_OP)
#undef FLOW_DESIGN_OP
};

// Four bytes. An immediate beside two registers has 8 bits, beside one 16; a fused comparison has 8 for the
// number and 8 for the jump.
struct Narrow {
  static constexpr bool kHasWideImmediates = false;

  Op op;
  std::uint8_t a, b, c;

  static Narrow with_registers(Op op, int a, int b, int c) { return {op, byte(a), byte(b), byte(c)}; }
  static Narrow with_wide(Op op, int a, int wide) { return {op, byte(a), byte(wide), byte(wide >> 8)}; }
  static Narrow with_immediate(Op op, int a, int b, int immediate) {
    return {op, byte(a), byte(b), byte(immediate)};
  }
  static Narrow with_comparison(Op op, int a, int number, int jump) {
    return {op, byte(a), byte(number), byte(jump)};
  }
  std::int32_t wide() const { return static_cast<std::int16_t>(b | c << 8); }
  std::int32_t immediate() const { return static_cast<std::int8_t>(c); }
  std::int32_t compared() const { return static_cast<std::int8_t>(b); }
  std::int32_t jump() const { return static_cast<std::int8_t>(c); }

 private:
  static std::uint8_t byte(int value) { return static_cast<std::uint8_t>(value); }
};
static_assert(sizeof(Narrow) == 4);

// Eight bytes: three registers and an immediate of 32 bits; a fused comparison has 16 for the number.
struct Broad {
  static constexpr bool kHasWideImmediates = true;

  Op op;
  std::uint8_t a, b, c;
  std::int32_t imm;

  static Broad with_registers(Op op, int a, int b, int c) { return {op, byte(a), byte(b), byte(c), 0}; }
  static Broad with_wide(Op op, int a, int wide) { return {op, byte(a), 0, 0, wide}; }
  static Broad with_immediate(Op op, int a, int b, int immediate) {
    return {op, byte(a), byte(b), 0, immediate};
  }
  static Broad with_comparison(Op op, int a, int number, int jump) {
    return {op, byte(a), byte(number), byte(number >> 8), jump};
  }
  std::int32_t wide() const { return imm; }
  std::int32_t immediate() const { return imm; }
  std::int32_t compared() const { return static_cast<std::int16_t>(b | c << 8); }
  std::int32_t jump() const { return imm; }

 private:
  static std::uint8_t byte(int value) { return static_cast<std::uint8_t>(value); }
};
static_assert(sizeof(Broad) == 8);

}  // namespace flow::design
