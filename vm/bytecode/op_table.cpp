#include "vm/bytecode/op_table.hpp"

#include <fmt/format.h>
#include <algorithm>

namespace flow {
namespace {

constexpr OpInfo kOps[] = {
#define FLOW_OP(code, name, a, b, c, imm, meaning) \
  {Op::name, #name, Operand::a, Operand::b, Operand::c, Operand::imm, meaning},
#include "vm/bytecode/opcodes.def"
#undef FLOW_OP
};
static_assert(
    [] {
      for (std::size_t k = 0; k < std::size(kOps); ++k)
        if (static_cast<std::size_t>(kOps[k].op) != k + 1) return false;
      return true;
    }(),
    "opcodes are 1, 2, 3 …: append, never reuse");

namespace native_types {

constexpr NativeType of(NativeType::Role role) {
  return {.role = role};
}
constexpr NativeType of(TypeId type) {
  return {.type = type};
}
constexpr NativeType Maybe(NativeType type) {
  type.may_be_null = true;
  return type;
}
constexpr NativeType ListOf(NativeType items) {
  items.is_list = true;
  return items;
}
constexpr NativeType Text = of(NativeType::Role::Text), Regex = of(NativeType::Role::Regex),
                     TimePattern = of(NativeType::Role::TimePattern),
                     DurationPattern = of(NativeType::Role::DurationPattern),
                     Zone = of(NativeType::Role::Zone);
#define FLOW_TYPE(name, spelling, storage, meaning) \
  [[maybe_unused]] constexpr NativeType name = of(k##name##Type);
#include "base/types.def"
#undef FLOW_TYPE

template <class... Types>
constexpr std::array<NativeType, kMostNativeArguments> arguments(Types... types) {
  return {types...};
}
template <class... Types>
constexpr std::uint8_t count(Types...) {
  return sizeof...(Types);
}

constexpr NativeInfo kRows[] = {
#define FLOW_NATIVE(code, name, result, argument_types, cost, meaning) \
  {NativeId::name, #name, result, count argument_types, arguments argument_types, cost, meaning},
#include "vm/bytecode/natives.def"
#undef FLOW_NATIVE
};
static_assert(
    [] {
      for (std::size_t k = 0; k < std::size(kRows); ++k)
        if (static_cast<std::size_t>(kRows[k].id) != k) return false;
      return true;
    }(),
    "natives are 0, 1, 2 …: append, never reuse");

}  // namespace native_types

std::string format_operand(Operand kind, std::int64_t value, std::uint32_t pc, Instruction i) {
  switch (kind) {
    case Operand::None: return "";
    case Operand::Out:
    case Operand::In:
    case Operand::Both: return fmt::format("r{}", value);
    case Operand::Const: return fmt::format("k{}", value);
    case Operand::Jump: return fmt::format("@{}", jump_target(pc, i));
    case Operand::Site: return fmt::format("site {}", value);
    case Operand::Field: return fmt::format("field {}", value);
    case Operand::Type: return fmt::format("type {}", value);
    case Operand::Function: return fmt::format("function {}", value);
    case Operand::Short: return fmt::format("{}", i.short_number());
    case Operand::Count:
    case Operand::Number:
    case Operand::Divisor: return fmt::format("{}", value);
    case Operand::Fun: {
      const NativeInfo* native = native_info(static_cast<NativeId>(value));
      return native == nullptr ? fmt::format("native {}", value) : std::string(native->name);
    }
  }
  return "";
}

}  // namespace

std::span<const OpInfo> all_ops() {
  return kOps;
}
const OpInfo* op_info(Op op) {
  const auto code = static_cast<std::size_t>(op);
  return code == 0 || code > std::size(kOps) ? nullptr : &kOps[code - 1];
}

bool may_jump_back(Op op) {
  return op == Op::Jump || op == Op::NextInRange || op == Op::NextItem || op == Op::NextEntry;
}

bool ends_path(Op op) {
  return op == Op::Jump || op == Op::Skip || op == Op::Stop || op == Op::Fail || op == Op::Finish ||
         op == Op::Raise || op == Op::Throw || op == Op::FinishWith || op == Op::Return ||
         op == Op::EndBranch;
}

std::span<const NativeInfo> all_natives() {
  return native_types::kRows;
}

const NativeInfo* native_info(NativeId id) {
  const auto code = static_cast<std::size_t>(id);
  return code < std::size(native_types::kRows) ? &native_types::kRows[code] : nullptr;
}

std::string format_instruction(std::uint32_t pc, Instruction i) {
  const OpInfo* info = op_info(i.op);
  if (info == nullptr) return fmt::format("code {:#04x}", static_cast<unsigned>(i.op));
  std::string text(info->name);
  const char* separator = " ";
  const auto add = [&](Operand kind, std::int64_t value) {
    if (kind == Operand::None) return;
    text += separator + format_operand(kind, value, pc, i);
    separator = ", ";
  };
  add(info->a, i.a);
  add(info->b, i.b);
  if (info->b != Operand::Short) add(info->c, i.c);
  add(info->imm, i.imm);
  return text;
}

Form form_of(TypeId type) {
  switch (type) {
    case kTimeType: return Form::Time;
    case kDurationType: return Form::Duration;
    case kHtmlType: return Form::Html;
    case kKqlType: return Form::Kql;
    case kSecretType: return Form::Secret;
    default: return Form::Plain;
  }
}

std::optional<Form> arithmetic_form(Op op, Form x, Form y) {
  using enum Form;
  struct Rule {
    Op op;
    Form x, y, result;
  };
  static constexpr Rule kRules[] = {
      {Op::AddSpan, Duration, Duration, Duration},
      {Op::AddSpan, Time, Duration, Time},
      {Op::AddSpan, Duration, Time, Time},
      {Op::SubtractSpan, Duration, Duration, Duration},
      {Op::SubtractSpan, Time, Duration, Time},
      {Op::SubtractSpan, Time, Time, Duration},
      {Op::MultiplySpan, Duration, Plain, Duration},
      {Op::MultiplySpan, Plain, Duration, Duration},
      {Op::DivideSpan, Duration, Plain, Duration},
      {Op::DivideSpan, Duration, Duration, Plain},
      {Op::ModuloSpan, Duration, Duration, Duration},
  };
  for (const Rule& rule : kRules)
    if (rule.op == op && rule.x == x && rule.y == y) return rule.result;
  return std::nullopt;
}

}  // namespace flow
