// The rows of opcodes.def and natives.def as data, for everything that must know an instruction's shape
// without knowing what it does: the verifier's range checks, the disassembler, the tests' random programs.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "vm/bytecode/module.hpp"

namespace flow {

enum class Operand : std::uint8_t {
  None,
  Out,
  In,
  Both,
  Field,
  Count,
  Short,
  Const,
  Site,
  Type,
  Function,
  Fun,
  Number,
  Divisor,
  Jump
};

struct OpInfo {
  Op op;
  std::string_view name;
  Operand a, b, c, imm;
  std::string_view meaning;

  bool is_jump() const { return imm == Operand::Jump; }
};
std::span<const OpInfo> all_ops();
const OpInfo* op_info(Op op);  // nullptr for a code that stands for nothing
bool may_jump_back(Op op);
// Whether the next instruction is never reached from this one by going on.
bool ends_path(Op op);

// As `GetField r3, r1, 2`; jumps show their target as `@17`. Says `code 0x99` for what is no instruction.
std::string format_instruction(std::uint32_t pc, Instruction instruction);

// What a native takes or gives.
struct NativeType {
  enum class Role : std::uint8_t {
    Plain,            // a value of `type`
    Text,             // any text but a secret; as a result of the type of the first argument
    Regex,            // as Text; these say what the compiler can check of a literal
    TimePattern,      // of base/time_pattern.hpp
    DurationPattern,  // likewise
    Zone,             // the name of a time zone
  };
  Role role = Role::Plain;
  TypeId type = kStringType;  // of a list's items where it is one
  bool may_be_null = false;   // the items of a list
  bool is_list = false;

  bool is_text_argument() const { return role != Role::Plain; }
};
inline constexpr std::size_t kMostNativeArguments = 3;
struct NativeInfo {
  NativeId id;
  std::string_view name;
  NativeType result;
  std::uint8_t argument_count;
  std::array<NativeType, kMostNativeArguments> arguments;
  std::uint8_t cost;
  std::string_view meaning;
};
std::span<const NativeInfo> all_natives();
const NativeInfo* native_info(NativeId id);  // nullptr for a code that stands for nothing

// What a stored Int or Text is, beyond its bits. Values carry it, so that a Time prints as one and Html stays
// Html.
enum class Form : std::uint8_t { Plain, Time, Duration, Html, Kql, Secret };
Form form_of(TypeId builtin);

// The form of `x op y` for AddSpan … ModuloSpan; nothing when it means nothing, as a Time times a Time. The
// verifier refuses what this refuses, and the machine relies on it.
std::optional<Form> arithmetic_form(Op op, Form x, Form y);

}  // namespace flow
