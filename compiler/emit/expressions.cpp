#include <algorithm>

#include "compiler/emit/flow_emitter.hpp"
#include "compiler/syntax/literal.hpp"
#include "vm/bytecode/op_table.hpp"

namespace flow {
namespace {

constexpr std::size_t kConcatAtOnce = 16;  // longer texts are joined in parts, so that registers suffice

Diagnostics& silent() {  // what literals get wrong was reported by the checker
  static thread_local Diagnostics diagnostics;
  diagnostics = {};
  return diagnostics;
}

Op equal_op(Storage storage) {
  switch (storage) {
    case Storage::Bool: return Op::EqualBool;
    case Storage::Int: return Op::EqualInt;
    case Storage::Float: return Op::EqualFloat;
    case Storage::Enum: return Op::EqualEnum;
    default: return Op::EqualText;
  }
}

Op less_op(Storage storage, bool or_equal) {
  switch (storage) {
    case Storage::Int: return or_equal ? Op::LessEqualInt : Op::LessInt;
    case Storage::Float: return or_equal ? Op::LessEqualFloat : Op::LessFloat;
    case Storage::Enum: return or_equal ? Op::LessEqualEnum : Op::LessEnum;
    default: return or_equal ? Op::LessEqualText : Op::LessText;
  }
}

Op float_op(NodeKind op) {
  switch (op) {
    case NodeKind::OpAdd: return Op::AddFloat;
    case NodeKind::OpSubtract: return Op::SubtractFloat;
    case NodeKind::OpMultiply: return Op::MultiplyFloat;
    default: return Op::DivideFloat;
  }
}
Op int_op(NodeKind op) {
  switch (op) {
    case NodeKind::OpAdd: return Op::AddInt;
    case NodeKind::OpSubtract: return Op::SubtractInt;
    case NodeKind::OpMultiply: return Op::MultiplyInt;
    case NodeKind::OpDivide: return Op::DivideInt;
    default: return Op::ModuloInt;
  }
}
Op span_op(NodeKind op) {
  switch (op) {
    case NodeKind::OpAdd: return Op::AddSpan;
    case NodeKind::OpSubtract: return Op::SubtractSpan;
    case NodeKind::OpMultiply: return Op::MultiplySpan;
    case NodeKind::OpDivide: return Op::DivideSpan;
    default: return Op::ModuloSpan;
  }
}

}  // namespace

void FlowEmitter::constant(TypeId type, std::int64_t number, std::string text, Register target) {
  const std::uint32_t index =
      builder_.constant({.type = type, .number = number, .real = 0, .text = std::move(text)});
  add_imm(Op::LoadConst, target, 0, 0, index);
}

// The register where the value already is, when nothing must be done to it.
std::optional<FlowEmitter::Register> FlowEmitter::existing(NodeId node) const {
  if (builder_.checked().is_unwrapped[node] != 0 || builder_.checked().is_widened[node] != 0)
    return std::nullopt;
  if (tree_.kind(node) == NodeKind::Paren) return existing(tree_.kid(node, 0));
  const Meaning& what = meaning(node);
  if (what.kind == Meaning::Kind::Local || what.kind == Meaning::Kind::ErrorText)
    return local_registers_.at(what.index);
  if (what.kind == Meaning::Kind::Binding && trigger_.bindings[what.index].wire == trigger_.key_field)
    return binding_registers_.at(what.index);
  return std::nullopt;
}

FlowEmitter::Register FlowEmitter::operand(NodeId node) {
  if (const auto already = existing(node)) return *already;
  const Register target = take();
  value(node, target);
  return target;
}

void FlowEmitter::value(NodeId node, Register target) {
  const std::uint32_t saved = next_;
  const TypeId type = type_of(node);
  if (type != kNoType) builder_.type(type);
  raw_value(node, target);
  if (builder_.checked().is_unwrapped[node] != 0) add(Op::Unwrap, target, target);
  if (builder_.checked().is_widened[node] != 0) add(Op::IntToFloat, target, target);
  next_ = saved;
}

void FlowEmitter::raw_value(NodeId node, Register target) {
  switch (tree_.kind(node)) {
    case NodeKind::Int: return constant(kIntType, int_value(tree_, node, silent()), {}, target);
    case NodeKind::Duration:
      return constant(kDurationType, duration_value_us(tree_, node, silent()), {}, target);
    case NodeKind::Float: {
      const double real = float_value(tree_, node, silent());
      return add_imm(Op::LoadConst, target, 0, 0,
                     builder_.constant({.type = kFloatType, .number = 0, .real = real, .text = {}}));
    }
    case NodeKind::True: return add(Op::LoadBool, target, 1);
    case NodeKind::False: return add(Op::LoadBool, target, 0);
    case NodeKind::Null: return add(Op::LoadNull, target);
    case NodeKind::Text:
    case NodeKind::TextBlock:
    case NodeKind::RawText:
    case NodeKind::Html:
    case NodeKind::Kql: return text(node, target);
    case NodeKind::Ident: return name(node, target);
    case NodeKind::Paren: return value(tree_.kid(node, 0), target);
    case NodeKind::List: return list(node, target);
    case NodeKind::Field: return field(node, target);
    case NodeKind::OptionalField: return optional_field(node, target);
    case NodeKind::Index: {
      const Register object = operand(tree_.kid(node, 0));
      const Register at = operand(tree_.kid(node, 1));
      return add(Op::GetItem, target, object, at);
    }
    case NodeKind::Call: return call(node, target);
    case NodeKind::IfExpr: return if_expression(node, target);
    case NodeKind::Or:
    case NodeKind::And: return logic(node, target);
    case NodeKind::Not: return add(Op::Not, target, operand(tree_.kid(node, 0)));
    case NodeKind::Compare: return compare(node, target);
    case NodeKind::Coalesce: return coalesce(node, target);
    case NodeKind::Sum:
    case NodeKind::Product:
    case NodeKind::Negate: return arithmetic(node, target);
    default: return;
  }
}

// ---- Names, entities, fields

void FlowEmitter::ensure_entities(NodeId node) {
  const auto planned = plan_.ensure_before.find(node);
  if (planned == plan_.ensure_before.end()) return;
  for (const std::uint32_t entity : planned->second) {
    Label there;
    jump(Op::JumpIfSet, entity_registers_.at(entity), there);
    fetch(entity);
    place(there);
  }
}

void FlowEmitter::fetch(std::uint32_t entity) {
  const std::uint32_t saved = next_;
  const auto binding =
      std::ranges::find(trigger_.bindings, trigger_.entities[entity].argument, &Trigger::Binding::name);
  const Register from =
      binding_registers_.at(static_cast<std::uint32_t>(binding - trigger_.bindings.begin()));
  const Register argument = take();
  add(binding->wire == trigger_.key_field ? Op::Move : Op::Unwrap, argument, from);
  const auto site = static_cast<std::uint32_t>(code_.call_sites.size());
  code_.call_sites.push_back(
      {.operation = entity_operations_.at(entity), .first_argument = argument, .is_fetch = true});
  add_imm(Op::Call, entity_registers_.at(entity), 0, 0, site);
  next_ = saved;
}

void FlowEmitter::name(NodeId node, Register target) {
  const Meaning& what = meaning(node);
  switch (what.kind) {
    case Meaning::Kind::Local:
    case Meaning::Kind::ErrorText: return add(Op::Move, target, local_registers_.at(what.index));
    case Meaning::Kind::Binding: {
      const bool is_key = trigger_.bindings[what.index].wire == trigger_.key_field;
      return add(is_key ? Op::Move : Op::Unwrap, target, binding_registers_.at(what.index));
    }
    case Meaning::Kind::Entity:
      ensure_entities(node);
      return add(Op::Unwrap, target, entity_registers_.at(what.index));
    case Meaning::Kind::EntityField: {
      ensure_entities(node);
      add(Op::Unwrap, target, entity_registers_.at(what.index));
      return add(Op::GetField, target, target,
                 builder_.field(trigger_.entities[what.index].type, what.field));
    }
    case Meaning::Kind::EnumValue: return constant(builder_.type(what.type), what.index, {}, target);
    case Meaning::Kind::RecordField:
    case Meaning::Kind::None: return;
  }
}

void FlowEmitter::field(NodeId node, Register target) {
  const Meaning& what = meaning(node);
  if (what.kind != Meaning::Kind::RecordField) return name(node, target);
  const Register object = operand(tree_.kid(node, 0));
  add(Op::GetField, target, object, builder_.field(what.type, what.field));
}

void FlowEmitter::optional_field(NodeId node, Register target) {
  const Meaning& what = meaning(node);
  const Register object = take();
  value(tree_.kid(node, 0), object);
  Label end;
  add(Op::LoadNull, target);
  jump(Op::JumpIfNull, object, end);
  add(Op::Unwrap, object, object);
  add(Op::GetField, target, object, builder_.field(what.type, what.field));
  place(end);
}

// ---- Operators

void FlowEmitter::compare(NodeId node, Register target) {
  const NodeKind op = tree_.kind(tree_.kid(node, 1));
  const NodeId left = tree_.kid(node, 0), right = tree_.kid(node, 2);
  switch (op) {
    case NodeKind::OpEqual: return equality(left, right, target);
    case NodeKind::OpNotEqual: equality(left, right, target); return add(Op::Not, target, target);
    case NodeKind::OpIn:
    case NodeKind::OpNotIn: {
      const Register item = operand(left);
      const Register items = operand(right);
      add(Op::Contains, target, items, item);
      if (op == NodeKind::OpNotIn) add(Op::Not, target, target);
      return;
    }
    case NodeKind::OpContains:
    case NodeKind::OpStartsWith:
    case NodeKind::OpEndsWith:
    case NodeKind::OpMatches: return text_test(op, left, right, target);
    default: return ordering(op, left, right, target);
  }
}

// Null equals null and nothing else.
void FlowEmitter::equality(NodeId left, NodeId right, Register target) {
  if (type_of(right) == kNullType) return add(Op::IsNull, target, operand(left));
  if (type_of(left) == kNullType) return add(Op::IsNull, target, operand(right));
  const bool left_may = types().is_optional(type_of(left)), right_may = types().is_optional(type_of(right));
  const Op equal =
      builder_.checked().is_widened[left] != 0 ? Op::EqualFloat : equal_op(types().storage(type_of(left)));
  const auto side = [&](NodeId node, bool may_be_null) {
    if (!may_be_null) return operand(node);
    const Register copy = take();  // it will be unwrapped in place
    value(node, copy);
    return copy;
  };
  const Register a = side(left, left_may), b = side(right, right_may);
  if (!left_may && !right_may) return add(equal, target, a, b);
  Label end, left_null;
  const Register result = take();
  if (left_may) jump(Op::JumpIfNull, a, left_null);
  if (left_may) add(Op::Unwrap, a, a);
  add(Op::LoadBool, result, 0);
  if (right_may) {
    jump(Op::JumpIfNull, b, end);
    add(Op::Unwrap, b, b);
  }
  add(equal, result, a, b);
  if (left_may) {
    jump(Op::Jump, 0, end);
    place(left_null);
    if (right_may)
      add(Op::IsNull, result, b);
    else
      add(Op::LoadBool, result, 0);
  }
  place(end);
  add(Op::Move, target, result);
}

void FlowEmitter::ordering(NodeKind op, NodeId left, NodeId right, Register target) {
  const Storage storage =
      builder_.checked().is_widened[left] != 0 ? Storage::Float : types().storage(type_of(left));
  const Register a = operand(left), b = operand(right);
  const bool swapped = op == NodeKind::OpGreater || op == NodeKind::OpGreaterEqual;
  const bool or_equal = op == NodeKind::OpLessEqual || op == NodeKind::OpGreaterEqual;
  add(less_op(storage, or_equal), target, swapped ? b : a, swapped ? a : b);
}

void FlowEmitter::text_test(NodeKind op, NodeId left, NodeId right, Register target) {
  if (op == NodeKind::OpContains && types().is(type_of(left), TypeKind::List)) {
    const Register items = operand(left);
    return add(Op::Contains, target, items, operand(right));
  }
  const Register first = take(), second = take();
  value(left, first);
  value(right, second);
  const NativeId native = op == NodeKind::OpContains     ? NativeId::contains
                          : op == NodeKind::OpStartsWith ? NativeId::startsWith
                          : op == NodeKind::OpEndsWith   ? NativeId::endsWith
                                                         : NativeId::matches;
  add_imm(Op::Native, target, first, 0, static_cast<std::int64_t>(native));
}

void FlowEmitter::logic(NodeId node, Register target) {
  Label end;
  const auto kids = tree_.kids(node);
  const Op leave = tree_.kind(node) == NodeKind::And ? Op::JumpIfNot : Op::JumpIf;
  for (std::size_t i = 0; i < kids.size(); ++i) {
    value(kids[i], target);
    if (i + 1 < kids.size()) jump(leave, target, end);
  }
  place(end);
}

void FlowEmitter::jump_if_false(NodeId node, Label& label) {
  if (tree_.kind(node) == NodeKind::Paren) return jump_if_false(tree_.kid(node, 0), label);
  if (tree_.kind(node) == NodeKind::And) {
    for (const NodeId kid : tree_.kids(node)) jump_if_false(kid, label);
    return;
  }
  const std::uint32_t saved = next_;
  if (tree_.kind(node) == NodeKind::Not)
    jump(Op::JumpIf, operand(tree_.kid(node, 0)), label);
  else
    jump(Op::JumpIfNot, operand(node), label);
  next_ = saved;
}

void FlowEmitter::arithmetic(NodeId node, Register target) {
  const auto kids = tree_.kids(node);
  const bool is_float = type_of(node) == kFloatType;
  if (tree_.kind(node) == NodeKind::Negate)
    return add(is_float ? Op::NegateFloat : Op::NegateInt, target, operand(kids[0]));
  if (type_of(node) == kStringType) {
    const Register first = take();
    value(kids[0], first);
    const Register second = take();
    for (std::size_t i = 2; i < kids.size(); i += 2) {
      value(kids[i], second);
      add(Op::Concat, first, first, 2);
    }
    return add(Op::Move, target, first);
  }
  Register sum = operand(kids[0]);
  Form form = form_of(type_of(kids[0]));  // of what stands in `sum`: Time, Duration or a plain Int
  for (std::size_t i = 1; i + 1 < kids.size(); i += 2) {
    const std::uint32_t saved = next_;
    const NodeKind kind = tree_.kind(kids[i]);
    const Register next = operand(kids[i + 1]);
    const Form next_form = form_of(type_of(kids[i + 1]));
    Op op = is_float ? float_op(kind) : int_op(kind);
    if (!is_float && (form != Form::Plain || next_form != Form::Plain)) {
      op = span_op(kind);
      form = arithmetic_form(op, form, next_form).value_or(Form::Plain);
    }
    // The last result goes where it is wanted; those before stay in a temporary, for an operand may need
    // `target`.
    const bool is_last = i + 2 >= kids.size();
    if (!is_last) next_ = saved;
    const Register partial = is_last ? target : take();
    add(op, partial, sum, next);
    sum = partial;
  }
}

void FlowEmitter::coalesce(NodeId node, Register target) {
  Label end;
  const auto kids = tree_.kids(node);
  const Register result = take();
  for (std::size_t i = 0; i < kids.size(); ++i) {
    value(kids[i], result);
    if (i + 1 < kids.size()) jump(Op::JumpIfSet, result, end);
  }
  place(end);
  add(Op::Move, target, result);
}

void FlowEmitter::if_expression(NodeId node, Register target) {
  Label otherwise, end;
  const Register result = take();
  jump_if_false(tree_.kid(node, 0), otherwise);
  value(tree_.kid(node, 1), result);
  jump(Op::Jump, 0, end);
  place(otherwise);
  value(tree_.kid(node, 2), result);
  place(end);
  add(Op::Move, target, result);
}

// ---- Lists and text

void FlowEmitter::list(NodeId node, Register target) {
  const auto kids = tree_.kids(node);
  const Register first = take();
  for (std::size_t i = 1; i < kids.size(); ++i) take();
  for (std::size_t i = 0; i < kids.size(); ++i) value(kids[i], static_cast<Register>(first + i));
  add_imm(Op::NewList, target, first, static_cast<std::uint32_t>(kids.size()), builder_.type(type_of(node)));
}

// A value as part of a text of the given kind.
void FlowEmitter::hole(NodeId node, NodeKind text_kind, Register target) {
  // `{machineId}` of an alert without a device reads `(unknown)`: a mail about what went wrong must go out.
  const Meaning& what = meaning(node);
  if (what.kind == Meaning::Kind::Binding && text_kind != NodeKind::Kql) {
    add(Op::ToText, target, binding_registers_.at(what.index));
    if (text_kind == NodeKind::Html) add(Op::EscapeHtml, target, target);
    return;
  }
  value(node, target);
  const TypeId type = type_of(node);
  if (text_kind == NodeKind::Html) {
    if (type == kHtmlType) return;
    add(Op::ToText, target, target);
    add(Op::EscapeHtml, target, target);
  } else if (text_kind == NodeKind::Kql) {
    add(Op::QuoteKql, target, target);
  } else if (type != kStringType) {
    add(Op::ToText, target, target);
  }
}

void FlowEmitter::text(NodeId node, Register target) {
  const NodeKind kind = tree_.kind(node);
  const TypeId type = kind == NodeKind::Html ? kHtmlType : kind == NodeKind::Kql ? kKqlType : kStringType;
  if (!has_holes(tree_, node))
    return constant(kind == NodeKind::Html || kind == NodeKind::Kql ? type : type_of(node), 0,
                    plain_text(tree_, node, silent()), target);
  const auto kids = tree_.kids(node);
  const Register first = take();
  std::uint32_t count = 0;
  for (const NodeId kid : kids) {
    const Register part = count == 0 ? first : take();
    if (tree_.kind(kid) == NodeKind::TextPiece)
      constant(type, 0, decode_piece(tree_, kid, silent()), part);
    else
      hole(kid, kind, part);
    if (++count == kConcatAtOnce) {
      add(Op::Concat, first, first, count);
      next_ = first + 1u;
      count = 1;
    }
  }
  if (count > 1)
    add(Op::Concat, target, first, count);
  else
    add(Op::Move, target, first);
}

}  // namespace flow
