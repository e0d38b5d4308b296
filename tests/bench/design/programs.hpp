// What the interpreters run: calls, arithmetic, the items of a list, and moves.
#pragma once

#include <cstdint>

#include "tests/bench/design/interpreter.hpp"

namespace flow::design {

inline constexpr std::int64_t kModulus = 1'000'003;

// r0 = fib(r0).
template <class Value, class I>
Program<Value, I> fib_program(bool is_fused) {
  Program<Value, I> p;
  if (is_fused) {
    p.code = {I::with_comparison(Op::JumpIfNotLessImm, 0, 2, 1),
              I::with_registers(Op::Return, 0, 0, 0),
              I::with_immediate(Op::AddImm, 1, 0, -1),
              I::with_wide(Op::Call, 1, 0),
              I::with_immediate(Op::AddImm, 2, 0, -2),
              I::with_wide(Op::Call, 2, 0),
              I::with_registers(Op::Add, 0, 1, 2),
              I::with_registers(Op::Return, 0, 0, 0)};
  } else {
    p.code = {I::with_wide(Op::LoadInt, 1, 2),     I::with_registers(Op::Less, 1, 0, 1),
              I::with_wide(Op::JumpIfNot, 1, 1),   I::with_registers(Op::Return, 0, 0, 0),
              I::with_wide(Op::LoadInt, 1, 1),     I::with_registers(Op::Sub, 1, 0, 1),
              I::with_wide(Op::Call, 1, 0),        I::with_wide(Op::LoadInt, 2, 2),
              I::with_registers(Op::Sub, 2, 0, 2), I::with_wide(Op::Call, 2, 0),
              I::with_registers(Op::Add, 0, 1, 2), I::with_registers(Op::Return, 0, 0, 0)};
  }
  return p;
}

// The end of a loop that counts r1 up to r2, back to instruction `top`.
template <class Value, class I>
void close_loop(Program<Value, I>& p, int top, bool is_fused) {
  if (!is_fused) {
    p.code.push_back(I::with_wide(Op::LoadInt, 3, 1));
    p.code.push_back(I::with_registers(Op::Add, 1, 1, 3));
    p.code.push_back(I::with_registers(Op::Less, 3, 1, 2));
  }
  const int back = top - static_cast<int>(p.code.size()) - 1;
  p.code.push_back(is_fused ? I::with_wide(Op::Loop, 1, back) : I::with_wide(Op::JumpIf, 3, back));
  p.code.push_back(I::with_registers(Op::Return, 0, 0, 0));
}

// r0 = (r0 + r1 * 3) % kModulus for each r1 up to r2.
template <class Value, class I>
Program<Value, I> loop_program(bool is_fused) {
  Program<Value, I> p;
  p.constants = {Value::integer(kModulus)};
  int top = 0;
  if (is_fused && I::kHasWideImmediates) {
    p.code = {I::with_immediate(Op::MulImm, 3, 1, 3), I::with_registers(Op::Add, 3, 0, 3),
              I::with_immediate(Op::ModImm, 0, 3, kModulus)};
  } else if (is_fused) {
    p.code = {I::with_wide(Op::LoadConst, 4, 0), I::with_immediate(Op::MulImm, 3, 1, 3),
              I::with_registers(Op::Add, 3, 0, 3), I::with_registers(Op::Mod, 0, 3, 4)};
    top = 1;
  } else {
    p.code = {I::with_wide(Op::LoadInt, 3, 3), I::with_registers(Op::Mul, 3, 1, 3),
              I::with_registers(Op::Add, 3, 0, 3), I::with_wide(Op::LoadConst, 4, 0),
              I::with_registers(Op::Mod, 0, 3, 4)};
  }
  close_loop(p, top, is_fused);
  return p;
}

// r0 = r0 + r5[r1] for each r1 up to r2.
template <class Value, class I>
Program<Value, I> list_program(bool is_fused) {
  Program<Value, I> p;
  p.code = {I::with_registers(Op::Index, 4, 5, 1), I::with_registers(Op::Add, 0, 0, 4)};
  close_loop(p, 0, is_fused);
  return p;
}

// r0 = r0 + r1, by way of r4, for each r1 up to r2.
template <class Value, class I>
Program<Value, I> move_program(bool is_fused) {
  Program<Value, I> p;
  p.code = {I::with_registers(Op::Add, 4, 0, 1), I::with_registers(Op::Move, 0, 4, 0)};
  close_loop(p, 0, is_fused);
  return p;
}

}  // namespace flow::design
