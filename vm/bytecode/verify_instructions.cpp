// What each instruction takes from registers and what it writes; those that compute are here.
#include <fmt/format.h>
#include <algorithm>

#include "vm/bytecode/code_verifier.hpp"

namespace flow {

// --- registers ---

bool CodeVerifier::read(unsigned reg) {
  if (now_[reg] != kUnset) return true;
  return refuse(fmt::format("r{} has no value on every path to here", reg));
}

bool CodeVerifier::want(unsigned reg, Storage storage) {
  if (!read(reg)) return false;
  const TypeId type = now_[reg];
  if (types_.is_optional(type) || type == kNullType)
    return refuse(fmt::format("r{} is `{}`, which may be null", reg, name(type)));
  if (types_.storage(type) == storage) return true;
  return refuse(fmt::format("r{} is `{}`, which this instruction does not take", reg, name(type)));
}

bool CodeVerifier::want_list(unsigned reg) {
  return want(reg, Storage::List);
}

bool CodeVerifier::want_text(unsigned reg) {
  if (!want(reg, Storage::Text)) return false;
  return now_[reg] != kSecretType || refuse(fmt::format("r{} is a secret", reg));
}

// The type of an input never changes: messages and traces rely on its name. What is written may be narrower.
bool CodeVerifier::write(unsigned reg, TypeId type) {
  if (reg < fixed_.size() && !types_.accepts(fixed_[reg], type))
    return refuse(
        fmt::format("the input in r{} is `{}` and cannot hold `{}`", reg, name(fixed_[reg]), name(type)));
  now_[reg] = type;
  return true;
}

bool CodeVerifier::want_int(unsigned reg) {
  if (!want(reg, Storage::Int)) return false;
  return now_[reg] == kIntType || refuse(fmt::format("r{} is `{}`, not an Int", reg, name(now_[reg])));
}

bool CodeVerifier::want_type(unsigned reg, TypeId type) {
  if (!read(reg)) return false;
  return types_.accepts(type, now_[reg]) ||
         refuse(fmt::format("r{} is `{}` where `{}` is needed", reg, name(now_[reg]), name(type)));
}

// --- instructions ---

bool CodeVerifier::apply_compare(Instruction i, Storage storage) {
  const auto operand = [&](unsigned reg) {
    return storage == Storage::Text ? want_text(reg) : want(reg, storage);
  };
  return operand(i.b) && operand(i.c) && write(i.a, kBoolType);
}

bool CodeVerifier::apply_enum(Instruction i, bool needs_order) {
  if (!want(i.b, Storage::Enum) || !want(i.c, Storage::Enum)) return false;
  if (now_[i.b] != now_[i.c])
    return refuse(fmt::format("`{}` and `{}` are different enums", name(now_[i.b]), name(now_[i.c])));
  if (needs_order && !types_.enumeration(now_[i.b]).is_ordered)
    return refuse(fmt::format("`{}` has no order", name(now_[i.b])));
  return write(i.a, kBoolType);
}

namespace {

TypeId type_of(Form form) {
  return form == Form::Time ? kTimeType : form == Form::Duration ? kDurationType : kIntType;
}

}  // namespace

bool CodeVerifier::apply_span_arithmetic(Instruction i) {
  if (!want(i.b, Storage::Int) || !want(i.c, Storage::Int)) return false;
  const auto form = arithmetic_form(i.op, form_of(now_[i.b]), form_of(now_[i.c]));
  if (!form) return refuse(fmt::format("`{}` and `{}` do not go together", name(now_[i.b]), name(now_[i.c])));
  return write(i.a, type_of(*form));
}

bool CodeVerifier::apply_float_arithmetic(Instruction i, bool is_binary) {
  return want(i.b, Storage::Float) && (!is_binary || want(i.c, Storage::Float)) && write(i.a, kFloatType);
}

bool CodeVerifier::apply(Instruction i) {
  switch (i.op) {
    case Op::Move: return read(i.b) && write(i.a, now_[i.b]);
    case Op::LoadConst: return write(i.a, module_.constants[i.index()].type);
    case Op::LoadInt: return write(i.a, kIntType);
    case Op::LoadNull: return write(i.a, kNullType);
    case Op::LoadBool: return write(i.a, kBoolType);
    case Op::Unwrap:
      if (!read(i.b)) return false;
      is_unreachable_ = now_[i.b] == kNullType;  // it always faults
      return is_unreachable_ || write(i.a, types_.without_null(now_[i.b]));

    case Op::Jump:
    case Op::JumpIf:
    case Op::JumpIfNot:
    case Op::JumpIfNull:
    case Op::JumpIfSet:
    case Op::JumpIfLess:
    case Op::JumpIfLessEqual:
    case Op::JumpIfEqual:
    case Op::JumpIfNotEqual:
    case Op::JumpIfLessImm:
    case Op::JumpIfNotLessImm:
    case Op::JumpIfEqualImm:
    case Op::JumpIfNotEqualImm:
    case Op::JumpIfEnum:
    case Op::JumpIfNotEnum:
    case Op::NextInRange:
    case Op::NextItem:
    case Op::NextEntry: return true;  // pass_jump
    case Op::Invoke: return apply_invoke(i);
    case Op::Return: return apply_return(i);
    case Op::Each: return apply_each(i);
    case Op::Parallel:
    case Op::Race: return apply_parallel(i);
    case Op::EndBranch: break;

    case Op::GetField: return apply_get_field(i);
    case Op::NewRecord: return apply_new_record(i);
    case Op::NewList: return apply_new_list(i);
    case Op::GetItem:
      return want_list(i.b) && want(i.c, Storage::Int) && write(i.a, types_[now_[i.b]].element);
    case Op::ListLength: return want_list(i.b) && write(i.a, kIntType);
    case Op::Contains: return apply_contains(i);
    case Op::Append: return apply_append(i);
    case Op::JoinLists: return apply_join_lists(i);
    case Op::Slice: return apply_slice(i);
    case Op::Reverse: return want_list(i.b) && write(i.a, now_[i.b]);
    case Op::SortBy: return apply_sort(i);
    case Op::Distinct: return apply_distinct(i);
    case Op::GroupBy: return apply_group_by(i);
    case Op::JoinTexts: return apply_join_texts(i);
    case Op::Range: return apply_range(i);
    case Op::NewMap: return apply_new_map(i);
    case Op::GetKey:
    case Op::HasKey: return apply_get_key(i);
    case Op::SetKey: return apply_set_key(i);
    case Op::MapLength: return want(i.b, Storage::Map) && write(i.a, kIntType);
    case Op::Keys:
    case Op::Values: return apply_entries(i);
    case Op::Share: return want(i.a, Storage::Map);

    case Op::EqualBool: return apply_compare(i, Storage::Bool);
    case Op::EqualInt:
    case Op::LessInt:
    case Op::LessEqualInt: return apply_compare(i, Storage::Int);
    case Op::EqualFloat:
    case Op::LessFloat:
    case Op::LessEqualFloat: return apply_compare(i, Storage::Float);
    case Op::EqualText:
    case Op::LessText:
    case Op::LessEqualText: return apply_compare(i, Storage::Text);
    case Op::EqualEnum: return apply_enum(i, false);
    case Op::LessEnum:
    case Op::LessEqualEnum: return apply_enum(i, true);
    case Op::Not: return want(i.b, Storage::Bool) && write(i.a, kBoolType);
    case Op::IsNull: return read(i.b) && write(i.a, kBoolType);

    case Op::AddInt:
    case Op::SubtractInt:
    case Op::MultiplyInt:
    case Op::DivideInt:
    case Op::ModuloInt: return want_int(i.b) && want_int(i.c) && write(i.a, kIntType);
    case Op::AddIntImm:
    case Op::MultiplyIntImm:
    case Op::DivideIntImm:
    case Op::ModuloIntImm: return want_int(i.b) && write(i.a, kIntType);
    case Op::AddSpan:
    case Op::SubtractSpan:
    case Op::MultiplySpan:
    case Op::DivideSpan:
    case Op::ModuloSpan: return apply_span_arithmetic(i);
    case Op::NegateInt:
      if (!want(i.b, Storage::Int)) return false;
      if (now_[i.b] == kTimeType) return refuse("a moment cannot be negated");
      return write(i.a, now_[i.b]);
    case Op::AddFloat:
    case Op::SubtractFloat:
    case Op::MultiplyFloat:
    case Op::DivideFloat: return apply_float_arithmetic(i, true);
    case Op::NegateFloat: return apply_float_arithmetic(i, false);
    case Op::IntToFloat: return want(i.b, Storage::Int) && write(i.a, kFloatType);

    case Op::ToText: return apply_to_text(i);
    case Op::Concat: return apply_concat(i);
    case Op::EscapeHtml: return want_text(i.b) && write(i.a, kHtmlType);
    case Op::QuoteKql: return apply_quote_kql(i);
    case Op::Native: return apply_native(i);

    case Op::Call: return apply_call(i);
    case Op::Log:
    case Op::Stop:
    case Op::Fail: return want_text(i.a);
    case Op::Skip:
    case Op::Finish:
    case Op::EnterBody: return !result_ || refuse("a function cannot do this");
    case Op::Raise: return true;
    case Op::Caught: return apply_caught(i);
    case Op::Throw: return apply_throw(i);
    case Op::JsonMember:
    case Op::JsonItem: return apply_json_part(i);
    case Op::JsonTo: return apply_json_to(i);
    case Op::ToJson: return apply_to_json(i);
    case Op::CheckText: return apply_check_text(i);
    case Op::FinishWith: return apply_finish_with(i);
  }
  return refuse("no such instruction");
}

}  // namespace flow
