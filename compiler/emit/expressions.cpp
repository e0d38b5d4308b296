// Values: where each kind of expression is turned into instructions, and those that are no more than a choice
// or a field.
#include "compiler/emit/routine_emitter.hpp"

namespace flow {

void RoutineEmitter::constant(const Constant& constant, Register target) {
  const std::int64_t number = constant.number;
  if (constant.type == kNullType) return code_.add(Op::LoadNull, target);
  if (constant.type == kBoolType) return code_.add(Op::LoadBool, target, number != 0 ? 1 : 0);
  if (constant.type == kIntType && number == static_cast<std::int32_t>(number))
    return code_.add_imm(Op::LoadInt, target, 0, 0, number);
  Constant own = constant;
  own.type = builder_.type(constant.type);
  code_.add_imm(Op::LoadConst, target, 0, 0, builder_.constant(std::move(own)));
}

void RoutineEmitter::integer(std::int64_t number, Register target) {
  constant({.type = kIntType, .number = number, .real = 0, .text = {}}, target);
}

void RoutineEmitter::load_text(std::string text, TypeId type, Register target) {
  constant({.type = type, .number = 0, .real = 0, .text = std::move(text)}, target);
}

// The register where the value already is, when nothing must be done to it.
std::optional<RoutineEmitter::Register> RoutineEmitter::existing(NodeId node) const {
  if (builder_.checked().is_unwrapped[node] != 0 || builder_.checked().is_widened[node] != 0 ||
      builder_.checked().is_json_made[node] != 0)
    return std::nullopt;
  if (tree_.kind(node) == NodeKind::Paren) return existing(tree_.kid(node, 0));
  const Meaning& what = meaning(node);
  if (what.kind == Meaning::Kind::Local) return local_registers_[what.index];
  if (what.kind == Meaning::Kind::Setting) return setting_registers_.at(what.index);
  if (const auto error = message_of(node))
    if (const auto message = message_registers_.find(*error); message != message_registers_.end())
      return message->second;
  return trigger_register(node);
}

RoutineEmitter::Register RoutineEmitter::operand(NodeId node) {
  if (const auto already = existing(node)) return *already;
  const Register target = code_.take();
  value(node, target);
  return target;
}

void RoutineEmitter::value(NodeId node, Register target) {
  if (builder_.checked().is_json_made[node] == 0) return own_value(node, target);
  const std::uint32_t taken = code_.taken();
  json_made(node, target);
  code_.release_to(taken);
}

void RoutineEmitter::own_value(NodeId node, Register target) {
  if (const auto known = folder_.own_value(node)) return constant(*known, target);
  const std::uint32_t taken = code_.taken();
  const TypeId type = type_of(node);
  if (type != kNoType) builder_.type(type);
  raw_value(node, target);
  if (builder_.checked().is_unwrapped[node] != 0) code_.add(Op::Unwrap, target, target);
  if (builder_.checked().is_widened[node] != 0) code_.add(Op::IntToFloat, target, target);
  code_.release_to(taken);
}

void RoutineEmitter::raw_value(NodeId node, Register target) {
  switch (tree_.kind(node)) {
    case NodeKind::Text:
    case NodeKind::TextBlock:
    case NodeKind::RawText:
    case NodeKind::Html:
    case NodeKind::Kql: return text(node, target);
    case NodeKind::Ident: return name(node, target);
    case NodeKind::Paren: return value(tree_.kid(node, 0), target);
    case NodeKind::List: return type_of(node) == kJsonType ? json_list(node, target) : list(node, target);
    case NodeKind::Record:
      if (type_of(node) == kJsonType) return json_object(node, target);
      return builder_.checked().constructs.contains(node) ? construct(node, target) : map(node, target);
    case NodeKind::Construct: return construct(node, target);
    case NodeKind::As: return conversion(node, target);
    case NodeKind::Field: return field(node, target);
    case NodeKind::OptionalField: return optional_field(node, target);
    case NodeKind::Index: return index(node, target);
    case NodeKind::Call: return call(node, target);
    case NodeKind::ForExpr: return for_expression(node, target);
    case NodeKind::IfExpr: return if_expression(node, target);
    case NodeKind::MatchExpr: return match(node, target);
    case NodeKind::Attempt: return attempt(node, target);
    case NodeKind::Await:
    case NodeKind::ModifiedCall:
    case NodeKind::CallFlow:
    case NodeKind::StartFlow: return kept_call(node, target);
    case NodeKind::Or:
    case NodeKind::And: return materialised(node, target);
    case NodeKind::Not: return code_.add(Op::Not, target, operand(tree_.kid(node, 0)));
    case NodeKind::Compare: return compare(node, target);
    case NodeKind::Coalesce: return coalesce(node, target);
    case NodeKind::Sum:
    case NodeKind::Product:
    case NodeKind::Negate: return arithmetic(node, target);
    default: return;  // literals are folded
  }
}

void RoutineEmitter::name(NodeId node, Register target) {
  const Meaning& what = meaning(node);
  if (what.kind == Meaning::Kind::Setting)
    return code_.add(Op::Move, target, setting_registers_.at(what.index));
  if (what.kind != Meaning::Kind::Local) return trigger_value(node, target);
  const Register local = local_registers_[what.index];
  if (is_map_variable(node)) code_.add(Op::Share, local);
  code_.add(Op::Move, target, local);
}

void RoutineEmitter::field(NodeId node, Register target) {
  const Meaning& what = meaning(node);
  if (what.kind == Meaning::Kind::JsonMember) return json_member(node, target);
  if (what.kind != Meaning::Kind::RecordField) return name(node, target);
  if (message_of(node))
    if (const auto message = existing(node)) return code_.add(Op::Move, target, *message);
  const Register object = operand(tree_.kid(node, 0));
  code_.add(Op::GetField, target, object, builder_.field(what.type, what.field));
}

void RoutineEmitter::optional_field(NodeId node, Register target) {
  const Meaning& what = meaning(node);
  if (what.kind == Meaning::Kind::JsonMember) return json_member(node, target);
  const Register object = operand(tree_.kid(node, 0));
  Label end;
  code_.add(Op::LoadNull, target);
  code_.jump(Op::JumpIfNull, object, 0, end);  // past it the machine knows it is not null
  code_.add(Op::GetField, target, object, builder_.field(what.type, what.field));
  code_.place(end);
}

void RoutineEmitter::coalesce(NodeId node, Register target) {
  Label end;
  const auto kids = tree_.kids(node);
  for (std::size_t i = 0; i < kids.size(); ++i) {
    value(kids[i], target);
    if (i + 1 < kids.size()) code_.jump(Op::JumpIfSet, target, 0, end);
  }
  code_.place(end);
}

void RoutineEmitter::if_expression(NodeId node, Register target) {
  if (const auto known = folded(tree_.kid(node, 0)))
    return value(tree_.kid(node, known->number != 0 ? 1 : 2), target);
  Label is_false, end;
  const std::uint32_t taken = code_.taken();
  branch(tree_.kid(node, 0), false, is_false);
  code_.release_to(taken);
  value(tree_.kid(node, 1), target);
  code_.jump(end);
  code_.place(is_false);
  value(tree_.kid(node, 2), target);
  code_.place(end);
}

}  // namespace flow
