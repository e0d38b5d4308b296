// One interpreter in as many variants as there are choices: everything that does not differ is the same text.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "tests/bench/design/instructions.hpp"
#include "tests/bench/design/values.hpp"

namespace flow::design {

enum class Dispatch : std::uint8_t { Switch, ComputedGoto };
enum class Fuel : std::uint8_t { PerInstruction, PerBackEdge };

struct Design {
  Dispatch dispatch = Dispatch::Switch;
  bool asks_types = true;      // whether instructions ask what their operands are, or were chosen by type
  bool has_fused_ops = false;  // immediates, compare and branch, count and branch
  Fuel fuel = Fuel::PerInstruction;
  bool moves_words = false;  // whether a value of 16 bytes is copied as two words, and not as one of 16 bytes
};

// A processor that has just written two words waits until they have reached the cache when both are read in
// one go. The empty assembly keeps the compiler from making one copy of the two again.
template <class Value>
void copy_words(const Value& from, Value& to) {
  std::uint64_t words[sizeof(Value) / 8];
  std::memcpy(words, &from, sizeof(Value));
  for (std::uint64_t& word : words) asm("" : "+r"(word));
  std::memcpy(&to, words, sizeof(Value));
}

template <class Value, class Instruction>
struct Program {
  std::vector<Instruction> code;
  std::vector<Value> constants;
};

// The value of r0 at the end of the program, whose registers begin as given. False: a fault, of whatever
// kind.
template <Design D, class Value, class Instruction>
bool run(const Program<Value, Instruction>& program, std::vector<Value>& stack, std::int64_t fuel);

// Labels as values are an extension that g++ and clang share.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"

#define FLOW_FETCH()                            \
  if constexpr (D.fuel == Fuel::PerInstruction) \
    if (--fuel < 0) return false;               \
  i = *pc++
#define FLOW_NEXT()                                     \
  if constexpr (D.dispatch == Dispatch::ComputedGoto) { \
    FLOW_FETCH();                                       \
    goto* labels[static_cast<std::uint8_t>(i.op)];      \
  } else                                                \
    continue
#define FLOW_CASE(name) \
  case Op::name: [[maybe_unused]] label_##name:
// What a machine for a dynamic language must ask before it works.
#define FLOW_NEED(claim)      \
  if constexpr (D.asks_types) \
    if (!(claim)) return false
#define FLOW_STORE(register_, value)         \
  if (!Value::can_hold(value)) return false; \
  r[register_] = Value::integer(value)
#define FLOW_JUMP(distance)                  \
  const std::int32_t by = distance;          \
  pc += by;                                  \
  if constexpr (D.fuel == Fuel::PerBackEdge) \
    if (by < 0 && (fuel += by) < 0) return false
#define FLOW_BINARY(name, expression)                            \
  FLOW_CASE(name) {                                              \
    FLOW_NEED(r[i.b].is_int() && r[i.c].is_int());               \
    const std::int64_t x = r[i.b].as_int(), y = r[i.c].as_int(); \
    std::int64_t result;                                         \
    if (expression) return false;                                \
    FLOW_STORE(i.a, result);                                     \
    FLOW_NEXT();                                                 \
  }
#define FLOW_IMMEDIATE(name, expression)                       \
  FLOW_CASE(name) {                                            \
    FLOW_NEED(r[i.b].is_int());                                \
    const std::int64_t x = r[i.b].as_int(), y = i.immediate(); \
    std::int64_t result;                                       \
    if (expression) return false;                              \
    FLOW_STORE(i.a, result);                                   \
    FLOW_NEXT();                                               \
  }

// Faults are told by true, as __builtin_add_overflow does.
inline bool modulo(std::int64_t x, std::int64_t y, std::int64_t* result) {
  if (y == 0) return true;
  *result = y == -1 ? 0 : x % y;
  return false;
}

template <Design D, class Value, class Instruction>
bool run(const Program<Value, Instruction>& program, std::vector<Value>& stack, std::int64_t fuel) {
  static_assert(Value::kHasTypes || !D.asks_types);
  struct Frame {
    const Instruction* pc;
    Value* r;
  };
  constexpr std::ptrdiff_t kWindow = 8, kDepth = 200;
  Frame frames[kDepth];
  Frame* frame = frames;
  const Instruction* pc = program.code.data();
  Value* r = stack.data();
  const Value* const last_window = stack.data() + stack.size() - kWindow;
  Instruction i;

  [[maybe_unused]] void* const* labels = nullptr;
  if constexpr (D.dispatch == Dispatch::ComputedGoto) {
#define FLOW_LABEL(name) &&label_##name,
    static void* const table[] = {FLOW_DESIGN_OPS(FLOW_LABEL)};
#undef FLOW_LABEL
    labels = table;
  }

  for (;;) {
    FLOW_FETCH();
    switch (i.op) {
      FLOW_CASE(LoadInt) {
        r[i.a] = Value::integer(i.wide());
        FLOW_NEXT();
      }
      FLOW_CASE(LoadConst) {
        r[i.a] = program.constants[static_cast<std::size_t>(i.wide())];
        FLOW_NEXT();
      }
      FLOW_BINARY(Add, __builtin_add_overflow(x, y, &result))
      FLOW_BINARY(Sub, __builtin_sub_overflow(x, y, &result))
      FLOW_BINARY(Mul, __builtin_mul_overflow(x, y, &result))
      FLOW_BINARY(Mod, modulo(x, y, &result))
      FLOW_CASE(Less) {
        FLOW_NEED(r[i.b].is_int() && r[i.c].is_int());
        r[i.a] = Value::boolean(r[i.b].as_int() < r[i.c].as_int());
        FLOW_NEXT();
      }
      FLOW_CASE(Move) {
        if constexpr (D.moves_words)
          copy_words(r[i.b], r[i.a]);
        else
          r[i.a] = r[i.b];
        FLOW_NEXT();
      }
      FLOW_CASE(JumpIf) {
        FLOW_NEED(r[i.a].is_bool());
        if (r[i.a].as_bool()) {
          FLOW_JUMP(i.wide());
        }
        FLOW_NEXT();
      }
      FLOW_CASE(JumpIfNot) {
        FLOW_NEED(r[i.a].is_bool());
        if (!r[i.a].as_bool()) {
          FLOW_JUMP(i.wide());
        }
        FLOW_NEXT();
      }
      FLOW_CASE(Index) {
        FLOW_NEED(r[i.b].is_list() && r[i.c].is_int());
        const auto index = static_cast<std::uint64_t>(r[i.c].as_int());
        if (index >= r[i.b].list_size()) return false;
        r[i.a] = r[i.b].list_items()[index];
        FLOW_NEXT();
      }
      FLOW_CASE(Call) {
        if (frame == frames + kDepth || r + i.a > last_window) return false;
        if constexpr (D.fuel == Fuel::PerBackEdge)
          if ((fuel -= static_cast<std::int64_t>(program.code.size())) < 0) return false;
        *frame++ = {pc, r};
        r += i.a;
        pc = program.code.data() + i.wide();
        FLOW_NEXT();
      }
      FLOW_CASE(Return) {
        if (frame == frames) return true;
        --frame;
        pc = frame->pc;
        r = frame->r;
        FLOW_NEXT();
      }
      FLOW_IMMEDIATE(AddImm, __builtin_add_overflow(x, y, &result))
      FLOW_IMMEDIATE(MulImm, __builtin_mul_overflow(x, y, &result))
      // A verifier refuses 0 and -1.
      FLOW_IMMEDIATE(ModImm, (result = x % y, false))
      FLOW_CASE(JumpIfNotLessImm) {
        FLOW_NEED(r[i.a].is_int());
        if (r[i.a].as_int() >= i.compared()) {
          FLOW_JUMP(i.jump());
        }
        FLOW_NEXT();
      }
      FLOW_CASE(Loop) {
        FLOW_NEED(r[i.a].is_int() && r[i.a + 1].is_int());
        // Below the limit, so it cannot overflow.
        const std::int64_t next = r[i.a].as_int() + 1;
        r[i.a].renew(next);
        if (next < r[i.a + 1].as_int()) {
          FLOW_JUMP(i.wide());
        }
        FLOW_NEXT();
      }
    }
    __builtin_unreachable();
  }
}

#undef FLOW_FETCH
#undef FLOW_NEXT
#undef FLOW_CASE
#undef FLOW_NEED
#undef FLOW_STORE
#undef FLOW_JUMP
#undef FLOW_BINARY
#undef FLOW_IMMEDIATE
#pragma GCC diagnostic pop

}  // namespace flow::design
