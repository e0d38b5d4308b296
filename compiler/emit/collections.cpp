// Lists and maps written in place, their items and entries, and what keeps a map that changes in place from
// changing for those who hold it as a value.
#include <algorithm>

#include "compiler/emit/routine_emitter.hpp"
#include "compiler/syntax/literal.hpp"

namespace flow {

void RoutineEmitter::list(NodeId node, Register target) {
  const auto kids = tree_.kids(node);
  Register first = target;
  for (std::size_t i = 0; i < kids.size(); ++i) {
    const Register item = code_.take();
    if (i == 0) first = item;
    value(kids[i], item);
  }
  code_.add_imm(Op::NewList, target, first, static_cast<std::uint32_t>(kids.size()),
                builder_.type(type_of(node)));
}

void RoutineEmitter::map(NodeId node, Register target) {
  entries(node, builder_.type(type_of(node)), target);
}

void RoutineEmitter::entries(NodeId node, TypeId type, Register target) {
  code_.add_imm(Op::NewMap, target, 0, 0, type);
  for (const NodeId entry : tree_.kids(node)) {
    const std::uint32_t taken = code_.taken();
    const NodeId key_node = tree_.kid(entry, 0);
    Register key = 0;
    if (is_computed_key(tree_, key_node)) {
      key = operand(tree_.kid(key_node, 0));
    } else {
      key = code_.take();
      map_key(key_node, key);
    }
    code_.add(Op::SetKey, target, key, kept_operand(tree_.kid(entry, 1)));
    code_.release_to(taken);
  }
}

// A key that is a word or a text.
void RoutineEmitter::map_key(NodeId key, Register target) {
  const Meaning& what = meaning(key);
  if (what.kind == Meaning::Kind::EnumValue)
    return constant({.type = what.type, .number = what.index, .real = 0, .text = {}}, target);
  Diagnostics told;  // by the checker
  load_text(key_text(tree_, key, told), type_of(key), target);
}

void RoutineEmitter::index(NodeId node, Register target) {
  const NodeId object = tree_.kid(node, 0);
  const bool is_map = types().is(type_of(object), TypeKind::Map);
  const bool is_json = types().without_null(type_of(object)) == kJsonType;
  if (is_json) builder_.module().types.optional(kJsonType);
  const Register from = operand(object);
  const Register at = operand(tree_.kid(node, 1));
  code_.add(is_json ? Op::JsonItem : is_map ? Op::GetKey : Op::GetItem, target, from, at);
}

void RoutineEmitter::assign_entry(NodeId target, NodeId value_node) {
  const Register map = local_registers_[meaning(tree_.kid(target, 0)).index];
  const Register key = operand(tree_.kid(target, 1));
  const Register entry = kept_operand(value_node);
  code_.mark(target);
  code_.add(Op::SetKey, map, key, entry);
}

// ---- Values of maps
//
// SetKey writes over an entry where it stands, and only variables are assigned to. So a map must be marked as
// shared when a variable that holds it is read as a value, and when a variable takes one that is held
// elsewhere.

bool RoutineEmitter::is_map_variable(NodeId node) const {
  node = without_parens(node);
  const Meaning& what = meaning(node);
  return what.kind == Meaning::Kind::Local && tree_.kind(node) == NodeKind::Ident &&
         body_.locals[what.index].is_var && types().is(body_.locals[what.index].type, TypeKind::Map);
}

RoutineEmitter::Register RoutineEmitter::kept_operand(NodeId node) {
  const Register reg = operand(node);
  if (existing(node) && is_map_variable(node)) code_.add(Op::Share, reg);
  return reg;
}

bool RoutineEmitter::is_fresh(NodeId node) const {
  node = without_parens(node);
  if (tree_.kind(node) == NodeKind::Record) return true;
  if (tree_.kind(node) == NodeKind::IfExpr)
    return is_fresh(tree_.kid(node, 1)) && is_fresh(tree_.kid(node, 2));
  if (tree_.kind(node) != NodeKind::Call) return false;
  const CheckedFile& checked = builder_.checked();
  if (checked.calls.contains(node)) return true;
  const auto invoke = checked.invokes.find(node);
  if (invoke == checked.invokes.end()) return false;
  // A function may give back what it was given.
  return std::ranges::none_of(invoke->second.arguments,
                              [&](NodeId argument) { return may_hold_map(type_of(argument)); });
}

bool RoutineEmitter::may_hold_map(TypeId type, int depth) const {
  constexpr int kDeepest = 8;  // records may hold each other
  const Type& t = types()[type];
  switch (t.kind) {
    case TypeKind::Map: return true;
    case TypeKind::Optional:
    case TypeKind::List: return may_hold_map(t.element, depth);
    case TypeKind::Record:
      return depth == kDeepest || std::ranges::any_of(types().record(type).fields, [&](const RecordField& f) {
               return may_hold_map(f.type, depth + 1);
             });
    default: return false;
  }
}

}  // namespace flow
