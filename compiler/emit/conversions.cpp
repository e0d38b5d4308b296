// What becomes something else: `as`, values given where Json is wanted, and `is`, which tries.
#include <algorithm>

#include "compiler/emit/routine_emitter.hpp"

namespace flow {

// A value of another type where Json is wanted.
void RoutineEmitter::json_made(NodeId node, Register target) {
  const TypeId from = type_of(node);
  const Register made = code_.take();
  own_value(node, made);
  json_of(made, from, target);
}

// Null stays null: what is read of Json is null as well where there is nothing.
void RoutineEmitter::json_of(Register from, TypeId type, Register target) {
  const TypeId bare = types().without_null(type);
  if (bare == type) return code_.add_imm(Op::ToJson, target, from, 0, builder_.type(bare));
  builder_.module().types.optional(kJsonType);
  Label end;
  code_.add(Op::LoadNull, target);
  code_.jump(Op::JumpIfNull, from, 0, end);
  code_.add_imm(Op::ToJson, target, from, 0, builder_.type(bare));
  code_.place(end);
}

void RoutineEmitter::conversion(NodeId node, Register target) {
  const NodeId operand_node = tree_.kid(node, 0);
  const TypeId from = type_of(operand_node), to = type_of(node);
  const TypeId bare_from = types().without_null(from), bare_to = types().without_null(to);
  if (types().accepts(to, from)) return value(operand_node, target);
  Register held = operand(operand_node);
  code_.mark(node);
  if (bare_from == kJsonType) return code_.add_imm(Op::JsonTo, target, held, 0, builder_.type(to));
  if (bare_to == kJsonType) return json_of(held, from, target);
  Label end;
  if (types().is_optional(from)) {
    if (held == target) {
      held = code_.take();
      code_.add(Op::Move, held, target);
    }
    code_.add(Op::LoadNull, target);
    code_.jump(Op::JumpIfNull, held, 0, end);
  }
  if (types().is(bare_from, TypeKind::List)) {  // of Json
    const Register json = code_.take();
    code_.add_imm(Op::ToJson, json, held, 0, builder_.type(bare_from));
    code_.add_imm(Op::JsonTo, target, json, 0, builder_.type(bare_to));
  } else if (bare_from == kIntType)
    code_.add(Op::IntToFloat, target, held);
  else if (bare_to == kStringType)
    code_.add(Op::ToText, target, held);
  else
    code_.add_imm(Op::CheckText, target, held, 0, builder_.type(bare_to));
  code_.place(end);
}

// Whether a conversion would succeed: it is tried, and its fault handled here.
void RoutineEmitter::type_test(NodeId node, Register target) {
  const NodeId operand_node = tree_.kid(node, 0);
  const TypeId from = type_of(operand_node), to = type_of(tree_.kid(node, 2));
  const TypeId bare_from = types().without_null(from), bare_to = types().without_null(to);
  const Register held = operand(operand_node);
  const Register made = code_.take(), message = code_.take();
  code_.mark(node);
  if (bare_from == bare_to && bare_from != kJsonType) {
    code_.add(Op::IsNull, made, held);
    return code_.add(Op::Not, target, made);
  }
  Label end;
  if (types().is_optional(from) && !types().is_optional(to)) {
    code_.add(Op::LoadBool, made, 0);
    code_.jump(Op::JumpIfNull, held, 0, end);
  }
  const std::uint32_t begin = code_.here();
  if (bare_from == kJsonType)
    code_.add_imm(Op::JsonTo, message, held, 0, builder_.type(to));
  else
    code_.add_imm(Op::CheckText, message, held, 0, builder_.type(bare_to));
  const std::uint32_t behind = code_.here();
  code_.add(Op::LoadBool, made, 1);
  code_.jump(end);
  const Register told = code_.take();
  if (begin < behind)
    routine_.handlers.push_back({.begin = begin, .end = behind, .target = code_.here(), .register_ = told});
  code_.add(Op::LoadBool, made, 0);
  code_.place(end);
  code_.add(Op::Move, target, made);
}

// ---- Parts of Json, and Json written in place

void RoutineEmitter::json_member(NodeId node, Register target) {
  const Register object = operand(tree_.kid(node, 0));
  builder_.module().types.optional(kJsonType);
  const std::uint32_t name = builder_.constant(
      {.type = kStringType, .number = 0, .real = 0, .text = std::string(tree_.text(tree_.kid(node, 1)))});
  code_.mark(node);
  code_.add_imm(Op::JsonMember, target, object, 0, name);
}

// Its parts become Json one by one, and then the whole.
void RoutineEmitter::json_list(NodeId node, Register target) {
  TypeTable& own = builder_.module().types;
  const TypeId type = own.list(own.optional(kJsonType));
  const auto kids = tree_.kids(node);
  const Register first = kids.empty() ? target : code_.take(kids.size());
  for (std::size_t i = 0; i < kids.size(); ++i)
    value(kids[i], static_cast<Register>(std::min<std::size_t>(first + i, CodeWriter::kMaxRegisters)));
  code_.mark(node);
  const Register list = code_.take();
  code_.add_imm(Op::NewList, list, first, static_cast<std::uint32_t>(kids.size()), type);
  code_.add_imm(Op::ToJson, target, list, 0, type);
}

void RoutineEmitter::json_object(NodeId node, Register target) {
  TypeTable& own = builder_.module().types;
  const TypeId type = own.map(kStringType, own.optional(kJsonType));
  const Register object = code_.take();
  entries(node, type, object);
  code_.add_imm(Op::ToJson, target, object, 0, type);
}

}  // namespace flow
