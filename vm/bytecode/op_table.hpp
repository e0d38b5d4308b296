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

enum class Operand : std::uint8_t { None, Out, In, Const, Jump, Site, Field, Count, Fun };

struct OpInfo {
  Op op;
  std::string_view name;
  Operand a, b, c;
  std::string_view meaning;

  // Const, Jump and Site in place b take the bits of c too. A Const in place c has 8 bits.
  bool is_wide() const { return b == Operand::Const || b == Operand::Jump || b == Operand::Site; }
};
std::span<const OpInfo> all_ops();
const OpInfo* op_info(Op op);  // nullptr for a code that stands for nothing

// As `GetField r3, r1, 2`; jumps show their target as `@17`. Says `code 0x99` for what is no instruction.
std::string format_instruction(std::uint32_t pc, Instruction instruction);

enum class NativeType : std::uint8_t { Bool, Int, Text };
struct NativeInfo {
  NativeId id;
  std::string_view name;
  NativeType result;
  std::uint8_t argument_count;
  std::array<NativeType, 3> arguments;
  std::string_view meaning;
};
std::span<const NativeInfo> all_natives();
const NativeInfo* native_info(NativeId id);  // nullptr for a code that stands for nothing

// What a stored Int or Text is, beyond its bits. Values carry it, so that a Time prints as one and Html stays
// Html.
enum class Form : std::uint8_t { Plain, Time, Duration, Html, Kql, Secret };
Form form_of(TypeId builtin);

// The form of `x op y` for the arithmetic on Ints; nothing when it means nothing, as a Time times a Time. The
// verifier refuses what this refuses, and the machine relies on it.
std::optional<Form> arithmetic_form(Op op, Form x, Form y);

}  // namespace flow
