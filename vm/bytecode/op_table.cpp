#include "vm/bytecode/op_table.hpp"

#include <fmt/format.h>
#include <algorithm>

namespace flow {
namespace {

constexpr OpInfo kOps[] = {
#define FLOW_OP(code, name, a, b, c, meaning) {Op::name, #name, Operand::a, Operand::b, Operand::c, meaning},
#include "vm/bytecode/opcodes.def"
#undef FLOW_OP
};
static_assert(std::ranges::adjacent_find(kOps, std::ranges::greater_equal{}, &OpInfo::op) == std::end(kOps),
              "opcode numbers rise: append, never reuse");

using enum NativeType;
template <class... Types>
constexpr std::array<NativeType, 3> argument_types(Types... types) {
  return {types...};
}
template <class... Types>
constexpr std::uint8_t count_of(Types...) {
  return sizeof...(Types);
}
constexpr NativeInfo kNatives[] = {
#define FLOW_NATIVE(code, name, result, arguments, meaning) \
  {NativeId::name, #name, NativeType::result, count_of arguments, argument_types arguments, meaning},
#include "vm/bytecode/natives.def"
#undef FLOW_NATIVE
};

constexpr auto kOpByCode = [] {
  std::array<const OpInfo*, 256> table{};
  for (const OpInfo& info : kOps) table[static_cast<std::size_t>(info.op)] = &info;
  return table;
}();

std::string format_operand(Operand kind, unsigned value, std::uint32_t pc, Instruction i) {
  switch (kind) {
    case Operand::None: return "";
    case Operand::Out:
    case Operand::In: return fmt::format("r{}", value);
    case Operand::Const: return fmt::format("k{}", value);
    case Operand::Jump: return fmt::format("@{}", jump_target(pc, i));
    case Operand::Site: return fmt::format("site {}", value);
    case Operand::Field: return fmt::format("field {}", value);
    case Operand::Count: return fmt::format("{}", value);
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
  return kOpByCode[static_cast<std::size_t>(op)];
}
std::span<const NativeInfo> all_natives() {
  return kNatives;
}

const NativeInfo* native_info(NativeId id) {
  const auto found = std::ranges::find(kNatives, id, &NativeInfo::id);
  return found == std::end(kNatives) ? nullptr : &*found;
}

std::string format_instruction(std::uint32_t pc, Instruction i) {
  const OpInfo* info = op_info(i.op);
  if (info == nullptr) return fmt::format("code {:#04x}", static_cast<unsigned>(i.op));
  std::string text(info->name);
  const char* separator = " ";
  const auto add = [&](Operand kind, unsigned value) {
    if (kind == Operand::None) return;
    text += separator + format_operand(kind, value, pc, i);
    separator = ", ";
  };
  add(info->a, i.a);
  add(info->b, info->is_wide() ? i.wide() : i.b);
  if (!info->is_wide()) add(info->c, i.c);
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
      {Op::AddInt, Plain, Plain, Plain},
      {Op::AddInt, Duration, Duration, Duration},
      {Op::AddInt, Time, Duration, Time},
      {Op::AddInt, Duration, Time, Time},
      {Op::SubtractInt, Plain, Plain, Plain},
      {Op::SubtractInt, Duration, Duration, Duration},
      {Op::SubtractInt, Time, Duration, Time},
      {Op::SubtractInt, Time, Time, Duration},
      {Op::MultiplyInt, Plain, Plain, Plain},
      {Op::MultiplyInt, Duration, Plain, Duration},
      {Op::MultiplyInt, Plain, Duration, Duration},
      {Op::DivideInt, Plain, Plain, Plain},
      {Op::DivideInt, Duration, Plain, Duration},
      {Op::DivideInt, Duration, Duration, Plain},
      {Op::ModuloInt, Plain, Plain, Plain},
      {Op::ModuloInt, Duration, Duration, Duration},
  };
  for (const Rule& rule : kRules)
    if (rule.op == op && rule.x == x && rule.y == y) return rule.result;
  return std::nullopt;
}

}  // namespace flow
