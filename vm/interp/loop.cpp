// The loop over instructions. What verify() has made sure of is not asked again: registers are in range and
// hold what their instruction takes, jumps stay in the code, and the code does not run off its end.
//
// With GCC and Clang each instruction ends in its own indirect jump to the next ("computed goto"), so that
// the processor can predict what follows what; FLOW_VM_SWITCH builds the portable loop around a switch
// instead. docs/vm.md has the measurements.
#include <fmt/format.h>
#include <bit>
#include <cmath>
#include <limits>

#include "vm/interp/maps.hpp"
#include "vm/interp/state.hpp"

#if defined(__GNUC__) && !defined(FLOW_VM_SWITCH)
#define FLOW_COMPUTED_GOTO 1
#else
#define FLOW_COMPUTED_GOTO 0
#endif

#ifndef FLOW_LOOP  // watched_loop.cpp has others
#define FLOW_LOOP run
#define FLOW_BEFORE_INSTRUCTION
#endif

namespace flow {
namespace {

// Two stores of 8 bytes, because that is how slots are written: one of 16 would have to wait for both.
inline void copy(Slot& to, const Slot& from) {
  std::uint64_t words[2];
  __builtin_memcpy(words, &from, sizeof words);
  __builtin_memcpy(&to, words, sizeof words);
}

// What stands before the payload of a slot, in one store.
static_assert(std::endian::native == std::endian::little);
inline void set(Slot& slot, Slot::Tag tag, std::int64_t number) {
  const auto head = static_cast<std::uint64_t>(tag);  // a plain form, no size
  __builtin_memcpy(&slot, &head, sizeof head);
  slot.number = number;
}
inline void set_int(Slot& slot, std::int64_t value) {
  set(slot, Slot::Tag::Int, value);
}
inline void set_bool(Slot& slot, bool value) {
  set(slot, Slot::Tag::Bool, value ? 1 : 0);
}
inline void set_float(Slot& slot, double value) {
  set(slot, Slot::Tag::Float, std::bit_cast<std::int64_t>(value));
}

inline bool equal_enum(const Slot& x, const Slot& y) {
  if (x.tag != y.tag) return false;
  return x.tag == Slot::Tag::Enum ? x.number == y.number : x.view() == y.view();
}
inline bool are_known(const Slot& x, const Slot& y) {
  return x.tag == Slot::Tag::Enum && y.tag == Slot::Tag::Enum;
}
inline bool is_value(const Slot& x, std::int16_t value) {
  return x.tag == Slot::Tag::Enum && x.number == value;
}

constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kHighest = std::numeric_limits<std::int64_t>::max();

// A division of 32 bits takes a third of the time.
inline std::int64_t divide(std::int64_t x, std::int64_t y) {
  if (((x | y) >> 32) == 0) return static_cast<std::uint32_t>(x) / static_cast<std::uint32_t>(y);
  return x / y;
}
inline std::int64_t modulo(std::int64_t x, std::int64_t y) {
  if (((x | y) >> 32) == 0) return static_cast<std::uint32_t>(x) % static_cast<std::uint32_t>(y);
  return x % y;
}

// The span arithmetic; false when the result does not fit. A divisor of 0 was seen to before.
bool span_result(Op op, std::int64_t x, std::int64_t y, std::int64_t& result) {
  switch (op) {
    case Op::AddSpan: return !__builtin_add_overflow(x, y, &result);
    case Op::SubtractSpan: return !__builtin_sub_overflow(x, y, &result);
    case Op::MultiplySpan: return !__builtin_mul_overflow(x, y, &result);
    case Op::DivideSpan:
      if (x == kLowest && y == -1) return false;
      result = x / y;
      return true;
    default: result = y == -1 ? 0 : x % y; return true;
  }
}

}  // namespace

// Each instruction is `OP(Name) … NEXT;`. What takes the whole instruction is given `*at`: given `i`,
// compilers put its parts together again before every jump, which made all code 1.6 times as slow. Past a
// LEAVE the state speaks for the instruction at hand.
#if FLOW_COMPUTED_GOTO
#define OP(name) op_##name:
#define NEXT                                        \
  do {                                              \
    i = *next++;                                    \
    goto* kLabels[static_cast<std::uint8_t>(i.op)]; \
  } while (false)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"  // addresses of labels
#else
#define OP(name) case Op::name:
#define NEXT goto next_instruction
#endif

// A macro, for a function would have to be given the addresses of what should live in registers.
#define LEAVE       \
  do {              \
    at = next - 1;  \
    stack.base = r; \
    fuel = left;    \
  } while (false)

#define JUMP_WHEN(condition)      \
  do {                            \
    if (condition) next += i.imm; \
    NEXT;                         \
  } while (false)

// Back to where the body of a loop begins.
#define GO_BACK                                                          \
  do {                                                                   \
    const auto price = static_cast<std::uint64_t>(-std::int64_t{i.imm}); \
    if (left < price) goto out_of_fuel;                                  \
    left -= price;                                                       \
    next += i.imm;                                                       \
  } while (false)

// clang-format off: labels and macros read best as a table.
bool Machine::State::FLOW_LOOP(Step& said) {
#if FLOW_COMPUTED_GOTO
  static const void* const kLabels[] = {
      nullptr,
#define FLOW_OP(code, name, a, b, c, imm, meaning) &&op_##name,
#include "vm/bytecode/opcodes.def"
#undef FLOW_OP
  };
#endif
  const Instruction* next = at;
  Slot* r = stack.base;
  std::uint64_t left = fuel;
  const Slot* const constants = program.constants().data();
  const Program::Callee* const callees = program.callees().data();
  Instruction i;

#if FLOW_COMPUTED_GOTO
  NEXT;
#else
next_instruction:
  i = *next++;
  FLOW_BEFORE_INSTRUCTION
  switch (i.op) {
#endif

  OP(Move) copy(r[i.a], r[i.b]);
  NEXT;
  OP(LoadConst) copy(r[i.a], constants[i.index()]);
  NEXT;
  OP(LoadInt) set_int(r[i.a], i.imm);
  NEXT;
  OP(LoadNull) set(r[i.a], Slot::Tag::Null, 0);
  NEXT;
  OP(LoadBool) set_bool(r[i.a], i.b != 0);
  NEXT;
  OP(Unwrap) {
    if (r[i.b].is_null()) {
      LEAVE;
      null_found(i.b);
      goto faulted;
    }
    copy(r[i.a], r[i.b]);
    NEXT;
  }

  OP(Jump) {
    if (i.imm < 0)
      GO_BACK;
    else
      next += i.imm;
    NEXT;
  }
  OP(JumpIf) JUMP_WHEN(r[i.a].number != 0);
  OP(JumpIfNot) JUMP_WHEN(r[i.a].number == 0);
  OP(JumpIfNull) JUMP_WHEN(r[i.a].is_null());
  OP(JumpIfSet) JUMP_WHEN(!r[i.a].is_null());
  OP(JumpIfLess) JUMP_WHEN(r[i.a].number < r[i.b].number);
  OP(JumpIfLessEqual) JUMP_WHEN(r[i.a].number <= r[i.b].number);
  OP(JumpIfEqual) JUMP_WHEN(r[i.a].number == r[i.b].number);
  OP(JumpIfNotEqual) JUMP_WHEN(r[i.a].number != r[i.b].number);
  OP(JumpIfLessImm) JUMP_WHEN(r[i.a].number < i.short_number());
  OP(JumpIfNotLessImm) JUMP_WHEN(r[i.a].number >= i.short_number());
  OP(JumpIfEqualImm) JUMP_WHEN(r[i.a].number == i.short_number());
  OP(JumpIfNotEqualImm) JUMP_WHEN(r[i.a].number != i.short_number());
  OP(JumpIfEnum) JUMP_WHEN(is_value(r[i.a], i.short_number()));
  OP(JumpIfNotEnum) JUMP_WHEN(!is_value(r[i.a], i.short_number()));

  OP(NextInRange) {
    const std::int64_t value = r[i.a].number;
    if (value < kHighest && value + 1 < r[i.a + 1].number) {
      if (i.imm < 0)
        GO_BACK;
      else
        next += i.imm;
      r[i.a].number = value + 1;
    }
    NEXT;
  }
  OP(NextEntry) {
    const std::int64_t index = r[i.a + 1].number;
    if (index >= 0 && index < std::int64_t{r[i.a].size}) {
      if (i.imm < 0)
        GO_BACK;
      else
        next += i.imm;
      r[i.a + 1].number = index + 1;
      const MapEntry& entry = map_entry(r[i.a], static_cast<std::uint32_t>(index));
      copy(r[i.a + 2], entry.key);
      copy(r[i.a + 3], entry.value);
    }
    NEXT;
  }
  OP(NextItem) {
    const std::int64_t index = r[i.a + 1].number;
    if (index >= 0 && index < std::int64_t{r[i.a].size}) {
      if (i.imm < 0)
        GO_BACK;
      else
        next += i.imm;
      r[i.a + 1].number = index + 1;
      copy(r[i.a + 2], r[i.a].items[index]);
    }
    NEXT;
  }

  OP(Invoke) {
    const Program::Callee& callee = callees[i.index()];
    if (left < callee.size) goto out_of_fuel;
    if (r + i.a + callee.registers > stack.end || stack.callers == stack.callers_end) {
      LEAVE;
      if (!stack.grow(i.a, callee.registers)) {
        raise(FaultKind::OutOfStack, "functions invoke each other too deeply");
        goto faulted;
      }
      r = stack.base;
    }
    left -= callee.size;
    *stack.callers++ = next;
    next = callee.code;
    r += i.a;
    NEXT;
  }
  OP(Return) {
    if (i.a != 0) copy(r[0], r[i.a]);
    next = *--stack.callers;
    r -= next[-1].a;
    NEXT;
  }

  OP(GetField) copy(r[i.a], r[i.b].items[i.c]);
  NEXT;
  OP(GetItem) {
    const std::int64_t index = r[i.c].number;
    if (index < 0 || index >= std::int64_t{r[i.b].size}) {
      LEAVE;
      raise(FaultKind::OutOfRange, fmt::format("there is no item {} in a list of {}", index, r[i.b].size));
      goto faulted;
    }
    copy(r[i.a], r[i.b].items[index]);
    NEXT;
  }
  OP(MapLength)
  OP(ListLength) set_int(r[i.a], r[i.b].size);
  NEXT;

  OP(EqualBool) set_bool(r[i.a], r[i.b].number == r[i.c].number);
  NEXT;
  OP(EqualInt) set_bool(r[i.a], r[i.b].number == r[i.c].number);
  NEXT;
  OP(EqualFloat) set_bool(r[i.a], r[i.b].real == r[i.c].real);
  NEXT;
  OP(EqualEnum) set_bool(r[i.a], equal_enum(r[i.b], r[i.c]));
  NEXT;
  OP(LessInt) set_bool(r[i.a], r[i.b].number < r[i.c].number);
  NEXT;
  OP(LessEqualInt) set_bool(r[i.a], r[i.b].number <= r[i.c].number);
  NEXT;
  OP(LessFloat) set_bool(r[i.a], r[i.b].real < r[i.c].real);
  NEXT;
  OP(LessEqualFloat) set_bool(r[i.a], r[i.b].real <= r[i.c].real);
  NEXT;
  OP(LessEnum) set_bool(r[i.a], are_known(r[i.b], r[i.c]) && r[i.b].number < r[i.c].number);
  NEXT;
  OP(LessEqualEnum) set_bool(r[i.a], are_known(r[i.b], r[i.c]) && r[i.b].number <= r[i.c].number);
  NEXT;
  OP(Not) set_bool(r[i.a], r[i.b].number == 0);
  NEXT;
  OP(IsNull) set_bool(r[i.a], r[i.b].is_null());
  NEXT;

#define INT_OP(builtin, x, y)                                           \
  do {                                                                  \
    std::int64_t result;                                                \
    if (__builtin_##builtin##_overflow(x, y, &result)) goto overflowed; \
    set_int(r[i.a], result);                                            \
    NEXT;                                                               \
  } while (false)
  OP(AddInt) INT_OP(add, r[i.b].number, r[i.c].number);
  OP(SubtractInt) INT_OP(sub, r[i.b].number, r[i.c].number);
  OP(MultiplyInt) INT_OP(mul, r[i.b].number, r[i.c].number);
  OP(AddIntImm) INT_OP(add, r[i.b].number, std::int64_t{i.imm});
  OP(MultiplyIntImm) INT_OP(mul, r[i.b].number, std::int64_t{i.imm});
#undef INT_OP
  OP(DivideIntImm) set_int(r[i.a], divide(r[i.b].number, i.imm));
  NEXT;
  OP(ModuloIntImm) set_int(r[i.a], modulo(r[i.b].number, i.imm));
  NEXT;
  OP(DivideInt) {
    const std::int64_t x = r[i.b].number, y = r[i.c].number;
    if (y == 0) goto divided_by_zero;
    if (x == kLowest && y == -1) goto overflowed;
    set_int(r[i.a], divide(x, y));
    NEXT;
  }
  OP(ModuloInt) {
    const std::int64_t x = r[i.b].number, y = r[i.c].number;
    if (y == 0) goto divided_by_zero;
    set_int(r[i.a], y == -1 ? 0 : modulo(x, y));  // the lowest number by -1 traps
    NEXT;
  }
  OP(NegateInt) {
    std::int64_t result;
    if (__builtin_sub_overflow(0, r[i.b].number, &result)) goto overflowed;
    r[i.a] = Slot::integer(result, r[i.b].form);
    NEXT;
  }
  OP(DivideSpan)
  OP(ModuloSpan) {
    if (r[i.c].number == 0) goto divided_by_zero;
    goto span;
  }
  OP(AddSpan)
  OP(SubtractSpan)
  OP(MultiplySpan) {
  span:
    std::int64_t result;
    if (!span_result(i.op, r[i.b].number, r[i.c].number, result)) goto overflowed;
    r[i.a] = Slot::integer(result, *arithmetic_form(i.op, r[i.b].form, r[i.c].form));
    NEXT;
  }

#define FLOAT_OP(expression)                     \
  do {                                           \
    const double result = expression;            \
    if (!std::isfinite(result)) goto overflowed; \
    set_float(r[i.a], result);                   \
    NEXT;                                        \
  } while (false)
  OP(AddFloat) FLOAT_OP(r[i.b].real + r[i.c].real);
  OP(SubtractFloat) FLOAT_OP(r[i.b].real - r[i.c].real);
  OP(MultiplyFloat) FLOAT_OP(r[i.b].real * r[i.c].real);
  OP(DivideFloat) {
    if (r[i.c].real == 0) goto divided_by_zero;
    FLOAT_OP(r[i.b].real / r[i.c].real);
  }
#undef FLOAT_OP
  OP(NegateFloat) set_float(r[i.a], -r[i.b].real);
  NEXT;
  OP(IntToFloat) set_float(r[i.a], static_cast<double>(r[i.b].number));
  NEXT;

  OP(EqualText)
  OP(LessText)
  OP(LessEqualText)
  OP(NewRecord)
  OP(ToText)
  OP(Concat)
  OP(EscapeHtml)
  OP(QuoteKql)
  OP(JsonMember)
  OP(JsonItem)
  OP(JsonTo)
  OP(ToJson)
  OP(CheckText)
  OP(Caught)
  OP(Native) {
    LEAVE;
    const bool is_done = heavy(*at) || try_again(&State::heavy, left);
    left = fuel;
    if (!is_done) goto faulted;
    NEXT;
  }
  OP(NewMap) r[i.a] = empty_map();
  NEXT;
  OP(Share) map_share(r[i.a]);
  NEXT;
  OP(NewList)
  OP(Contains)
  OP(Append)
  OP(JoinLists)
  OP(Slice)
  OP(Reverse)
  OP(SortBy)
  OP(Distinct)
  OP(GroupBy)
  OP(JoinTexts)
  OP(Range)
  OP(GetKey)
  OP(HasKey)
  OP(SetKey)
  OP(Keys)
  OP(Values) {
    LEAVE;
    const bool is_done = on_lists(*at) || try_again(&State::on_lists, left);
    left = fuel;
    if (!is_done) goto faulted;
    NEXT;
  }

  OP(Call) {
    LEAVE;
    Call& call = said.emplace<Call>();
    if (!prepare_call(*at, call) || !spend(call.arguments.size() / kBytesPerFuel)) goto faulted;
    waiting = Waiting::ForCall;
    number = call.number;
    heap.drop_tails();
    return true;
  }
  OP(Log) {
    LEAVE;
    waiting = Waiting::ForLog;
    number = logs;
    heap.drop_tails();
    said = LogLine{.number = logs++, .text = std::string(r[i.a].view()), .line = line()};
    return true;
  }
  OP(Skip) LEAVE;
  return end(said, Ended::How::Skipped);
  OP(Finish) LEAVE;
  return end(said, Ended::How::Finished);
  OP(Stop) LEAVE;
  return end(said, Ended::How::Stopped, std::string(r[i.a].view()));
  OP(Fail) {
    LEAVE;
    raise(FaultKind::Failed, std::string(r[i.a].view()));
    goto faulted;
  }
  OP(Raise) {
    LEAVE;
    fault = handled;
    fault_trace = handled_trace;  // where it went wrong, not where the handler ended
    goto faulted;
  }
  OP(Throw) {
    LEAVE;
    throw_error(*at);
    goto faulted;
  }
  OP(FinishWith) {
    LEAVE;
    if (!finish_with(*at, said)) goto faulted;
    return true;
  }
  OP(Each)
  OP(Parallel)
  OP(Race) {
    LEAVE;
    const bool is_done = begin_branches(*at) || try_again(&State::begin_branches, left);
    left = fuel;
    if (!is_done) goto faulted;
    if (waiting == Waiting::ForBranches) return false;
    NEXT;
  }
  OP(EndBranch) {
    LEAVE;
    if (!end_branch()) goto faulted;
    return false;
  }
  OP(EnterBody) in_body = true;
  NEXT;

#if !FLOW_COMPUTED_GOTO
}
#endif

overflowed : LEAVE;
raise(FaultKind::Overflow, "the result of a calculation does not fit its type");
goto faulted;
divided_by_zero : LEAVE;
raise(FaultKind::DivisionByZero, "a division by zero");
goto faulted;
out_of_fuel : LEAVE;
out_of_fuel();
faulted : if (!to_handler()) return fail(said);
next = at;
r = stack.base;
left = fuel;
NEXT;
}
// clang-format on
#if FLOW_COMPUTED_GOTO
#pragma GCC diagnostic pop
#endif

}  // namespace flow
