// Conditions, as jumps: a comparison and the jump that depends on it are one instruction where there is one,
// and `and`, `or`, `not` are no more than where the jumps go.
#include "compiler/emit/routine_emitter.hpp"

#include <limits>

namespace flow {
namespace {

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

bool is_short(std::int64_t number) {
  return number == static_cast<std::int16_t>(number);
}

bool is_less_or_greater(NodeKind op) {
  return op == NodeKind::OpLess || op == NodeKind::OpLessEqual || op == NodeKind::OpGreater ||
         op == NodeKind::OpGreaterEqual;
}

NodeKind swapped(NodeKind op) {
  switch (op) {
    case NodeKind::OpLess: return NodeKind::OpGreater;
    case NodeKind::OpLessEqual: return NodeKind::OpGreaterEqual;
    case NodeKind::OpGreater: return NodeKind::OpLess;
    default: return NodeKind::OpLessEqual;
  }
}

}  // namespace

// One side of a comparison: a number that is known needs a register only when no instruction takes it.
struct RoutineEmitter::Side {
  NodeId node;
  Storage storage;
  bool may_be_null;
  std::optional<Constant> known;
  std::optional<Register> reg;
};

RoutineEmitter::Side RoutineEmitter::side(NodeId node) {
  const bool is_widened = builder_.checked().is_widened[node] != 0;
  Side side{.node = node,
            .storage = is_widened ? Storage::Float : types().storage(type_of(node)),
            .may_be_null = types().is_optional(type_of(node)),
            .known = folded(node),
            .reg = {}};
  if (side.known && side.known->type != kNullType)
    side.may_be_null = false;
  else
    side.known.reset();
  if (!side.known) side.reg = operand(node);
  return side;
}

RoutineEmitter::Register RoutineEmitter::loaded(Side& side) {
  if (!side.reg) {
    side.reg = code_.take();
    constant(*side.known, *side.reg);
  }
  return *side.reg;
}

void RoutineEmitter::branch(NodeId node, bool when, Label& target) {
  if (const auto known = folded(node)) {
    if ((known->number != 0) == when) code_.jump(target);
    return;
  }
  switch (tree_.kind(node)) {
    case NodeKind::Paren: return branch(tree_.kid(node, 0), when, target);
    case NodeKind::Not: return branch(tree_.kid(node, 0), !when, target);
    case NodeKind::And:
    case NodeKind::Or: return branch_logic(node, when, target);
    default: break;
  }
  const std::uint32_t taken = code_.taken(), begin = code_.here();
  const auto method = builder_.checked().methods.find(node);
  const bool is_method = method != builder_.checked().methods.end();
  if (is_method && (method->second.kind == CheckedMethod::Kind::ListAny ||
                    method->second.kind == CheckedMethod::Kind::ListAll)) {
    code_.mark(node);
    const bool is_any = method->second.kind == CheckedMethod::Kind::ListAny;
    branch_any(method->second, is_any, is_any == when, target);
  } else if (tree_.kind(node) == NodeKind::Compare) {
    branch_compare(node, when, target);
  } else {
    code_.jump(when ? Op::JumpIf : Op::JumpIfNot, operand(node), 0, target);
  }
  code_.release_to(taken);
  if (options_.points != nullptr)
    options_.points->push_back(
        {.routine = body_.name, .begin = begin, .end = code_.here(), .when = when, .condition = node});
}

void RoutineEmitter::branch_logic(NodeId node, bool when, Label& target) {
  const bool is_and = tree_.kind(node) == NodeKind::And;
  const auto kids = tree_.kids(node);
  if (is_and != when) {  // any one of them decides it
    for (const NodeId kid : kids) branch(kid, when, target);
    return;
  }
  Label decided;
  for (std::size_t i = 0; i + 1 < kids.size(); ++i) branch(kids[i], !when, decided);
  branch(kids.back(), when, target);
  code_.place(decided);
}

void RoutineEmitter::branch_compare(NodeId node, bool when, Label& target) {
  const NodeId left = tree_.kid(node, 0), right = tree_.kid(node, 2);
  const NodeKind op = tree_.kind(tree_.kid(node, 1));
  if (op == NodeKind::OpEqual) return branch_equal(left, right, when, target);
  if (op == NodeKind::OpNotEqual) return branch_equal(left, right, !when, target);
  if (is_less_or_greater(op)) return branch_less(op, left, right, when, target);
  const Register test = code_.take();
  if (op == NodeKind::OpIs) {
    type_test(node, test);
  } else if (op == NodeKind::OpIn || op == NodeKind::OpNotIn) {
    membership(right, left, true, test);
    if (op == NodeKind::OpNotIn) when = !when;
  } else {
    text_test(op, left, right, test);
  }
  code_.jump(when ? Op::JumpIf : Op::JumpIfNot, test, 0, target);
}

void RoutineEmitter::branch_null(NodeId node, bool when, Label& target) {
  code_.jump(when ? Op::JumpIfNull : Op::JumpIfSet, operand(node), 0, target);
}

// Null equals null and nothing else. Past a test for null the machine knows that there is none.
void RoutineEmitter::branch_equal(NodeId left_node, NodeId right_node, bool when, Label& target) {
  if (type_of(right_node) == kNullType) return branch_null(left_node, when, target);
  if (type_of(left_node) == kNullType) return branch_null(right_node, when, target);
  Side left = side(left_node), right = side(right_node);
  Label differ, left_null;
  Label& no = when ? differ : target;
  if (left.may_be_null) code_.jump(Op::JumpIfNull, *left.reg, 0, right.may_be_null ? left_null : no);
  if (right.may_be_null) code_.jump(Op::JumpIfNull, *right.reg, 0, no);
  branch_same(left, right, when, target);
  if (left.may_be_null && right.may_be_null) {
    code_.jump(differ);
    code_.place(left_null);
    code_.jump(when ? Op::JumpIfNull : Op::JumpIfSet, *right.reg, 0, target);
  }
  code_.place(differ);
}

// Of two values that are not null.
void RoutineEmitter::branch_same(Side& left, Side& right, bool when, Label& target) {
  const Storage storage = left.storage;
  Side& known = left.known ? left : right;
  Side& other = left.known ? right : left;
  if (storage == Storage::Int && known.known && is_short(known.known->number))
    return code_.jump_short(when ? Op::JumpIfEqualImm : Op::JumpIfNotEqualImm, loaded(other),
                            known.known->number, target);
  if (storage == Storage::Int)
    return code_.jump(when ? Op::JumpIfEqual : Op::JumpIfNotEqual, loaded(left), loaded(right), target);
  if (storage == Storage::Enum && known.known && is_short(known.known->number))
    return code_.jump_short(when ? Op::JumpIfEnum : Op::JumpIfNotEnum, loaded(other), known.known->number,
                            target);
  if (storage == Storage::Bool && known.known)
    return code_.jump((known.known->number != 0) == when ? Op::JumpIf : Op::JumpIfNot, loaded(other), 0,
                      target);
  const Register a = loaded(left), b = loaded(right), test = code_.take();
  code_.add(equal_op(storage), test, a, b);
  code_.jump(when ? Op::JumpIf : Op::JumpIfNot, test, 0, target);
}

void RoutineEmitter::branch_less(NodeKind op, NodeId left_node, NodeId right_node, bool when, Label& target) {
  Side left = side(left_node), right = side(right_node);
  if (left.known) {
    std::swap(left, right);
    op = swapped(op);
  }
  const bool is_less = op == NodeKind::OpLess || op == NodeKind::OpLessEqual;
  const bool or_equal = op == NodeKind::OpLessEqual || op == NodeKind::OpGreaterEqual;
  if (left.storage == Storage::Int && right.known) {
    // x < n, or x >= n; with the other two, n + 1.
    const std::int64_t number = right.known->number;
    const bool has_next = number < std::numeric_limits<std::int64_t>::max();
    const bool needs_next = is_less == or_equal;
    const std::int64_t bound = needs_next && has_next ? number + 1 : number;
    if (is_short(bound) && (has_next || !needs_next))
      return code_.jump_short(is_less == when ? Op::JumpIfLessImm : Op::JumpIfNotLessImm, loaded(left), bound,
                              target);
  }
  const Register a = loaded(left), b = loaded(right);
  const Register lesser = is_less ? a : b, greater = is_less ? b : a;
  if (left.storage == Storage::Int) {
    if (when) return code_.jump(or_equal ? Op::JumpIfLessEqual : Op::JumpIfLess, lesser, greater, target);
    return code_.jump(or_equal ? Op::JumpIfLess : Op::JumpIfLessEqual, greater, lesser, target);
  }
  const Register test = code_.take();
  code_.add(less_op(left.storage, or_equal), test, lesser, greater);
  code_.jump(when ? Op::JumpIf : Op::JumpIfNot, test, 0, target);
}

void RoutineEmitter::materialised(NodeId node, Register target) {
  Label no, end;
  branch(node, false, no);
  code_.add(Op::LoadBool, target, 1);
  code_.jump(end);
  code_.place(no);
  code_.add(Op::LoadBool, target, 0);
  code_.place(end);
}

void RoutineEmitter::compare(NodeId node, Register target) {
  const NodeKind op = tree_.kind(tree_.kid(node, 1));
  const NodeId left = tree_.kid(node, 0), right = tree_.kid(node, 2);
  const bool is_equality = op == NodeKind::OpEqual || op == NodeKind::OpNotEqual;
  if (is_equality) {
    const bool tests_null = type_of(left) == kNullType || type_of(right) == kNullType;
    if (!tests_null && (types().is_optional(type_of(left)) || types().is_optional(type_of(right))))
      return materialised(node, target);
    if (tests_null) {
      code_.add(Op::IsNull, target, operand(type_of(right) == kNullType ? left : right));
    } else {
      Side x = side(left), y = side(right);
      const Register a = loaded(x), b = loaded(y);
      code_.add(equal_op(x.storage), target, a, b);
    }
    if (op == NodeKind::OpNotEqual) code_.add(Op::Not, target, target);
  } else if (is_less_or_greater(op)) {
    Side x = side(left), y = side(right);
    const Register a = loaded(x), b = loaded(y);
    const bool is_less = op == NodeKind::OpLess || op == NodeKind::OpLessEqual;
    const bool or_equal = op == NodeKind::OpLessEqual || op == NodeKind::OpGreaterEqual;
    code_.add(less_op(x.storage, or_equal), target, is_less ? a : b, is_less ? b : a);
  } else if (op == NodeKind::OpIs) {
    type_test(node, target);
  } else if (op == NodeKind::OpIn || op == NodeKind::OpNotIn) {
    membership(right, left, true, target);
    if (op == NodeKind::OpNotIn) code_.add(Op::Not, target, target);
  } else {
    text_test(op, left, right, target);
  }
}

// Both are evaluated in the order in which they are written.
void RoutineEmitter::membership(NodeId collection, NodeId item, bool is_item_first, Register target) {
  if (type_of(collection) == kCidrType) {
    const Register network = code_.take(2);
    const auto address = static_cast<Register>(network + 1);
    if (is_item_first) value(item, address);
    value(collection, network);
    if (!is_item_first) value(item, address);
    return code_.add_imm(Op::Native, target, network, 0, static_cast<std::int64_t>(NativeId::inNetwork));
  }
  Register sought = 0;
  if (is_item_first) sought = operand(item);
  const Register from = operand(collection);
  if (!is_item_first) sought = operand(item);
  if (types().is(type_of(collection), TypeKind::Map)) return code_.add(Op::HasKey, target, from, sought);
  list_contains(from, sought, types().is_optional(type_of(item)), target);
}

void RoutineEmitter::text_test(NodeKind op, NodeId left, NodeId right, Register target) {
  if (op == NodeKind::OpContains &&
      (types().storage(type_of(left)) != Storage::Text || type_of(left) == kCidrType))
    return membership(left, right, false, target);
  const NativeId test = op == NodeKind::OpContains     ? NativeId::contains
                        : op == NodeKind::OpStartsWith ? NativeId::startsWith
                        : op == NodeKind::OpEndsWith   ? NativeId::endsWith
                                                       : NativeId::matches;
  const NodeId both[] = {left, right};
  if (!types().is_optional(type_of(left))) return native(test, both, target);
  // In `protect`: a text that is not there has no part.
  Label is_null, end;
  const Register first = code_.take();
  value(left, first);
  value(right, code_.take());
  code_.jump(Op::JumpIfNull, first, 0, is_null);
  code_.add_imm(Op::Native, target, first, 0, static_cast<std::int64_t>(test));
  code_.jump(end);
  code_.place(is_null);
  code_.add(Op::LoadBool, target, 0);
  code_.place(end);
}

}  // namespace flow
