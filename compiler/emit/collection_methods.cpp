// Methods of lists and maps that are loops of several instructions.
#include "compiler/emit/routine_emitter.hpp"

namespace flow {
namespace {

Op equal_op_of(Storage storage) {
  switch (storage) {
    case Storage::Bool: return Op::EqualBool;
    case Storage::Float: return Op::EqualFloat;
    case Storage::Text: return Op::EqualText;
    case Storage::Enum: return Op::EqualEnum;
    default: return Op::EqualInt;
  }
}

}  // namespace

void RoutineEmitter::equal_items(Register a, Register b, TypeId type, Register target) {
  code_.add(equal_op_of(types().storage(type)), target, a, b);
}

void RoutineEmitter::is_empty(Op length, const CheckedMethod& method, Register target) {
  const Register count = code_.take(2);
  code_.add(length, count, operand(method.receiver));
  integer(0, static_cast<Register>(count + 1));
  code_.add(Op::EqualInt, target, count, count + 1u);
}

void RoutineEmitter::index_of(NodeId node, const CheckedMethod& method, Register target) {
  builder_.type(type_of(node));
  const Register list = operand(method.receiver), sought = operand(method.arguments[0]);
  const Register at = code_.take(), is_it = code_.take();
  integer(-1, at);
  code_.add(Op::LoadNull, target);
  Loop loop;
  Label found;
  open_list(list, loop);
  code_.add_imm(Op::AddIntImm, at, at, 0, 1);
  equal_items(loop.item, sought, item_type(method.receiver), is_it);
  code_.jump(Op::JumpIfNot, is_it, 0, loop.again);
  code_.add(Op::Move, target, at);
  code_.jump(found);
  close_loop(loop);
  code_.place(found);
}

void RoutineEmitter::map_placed(NodeId node, const CheckedMethod& method, Register target) {
  const std::uint32_t taken = code_.taken();
  const std::size_t names = code_.names();
  code_.add_imm(Op::NewList, target, target, 0, builder_.type(type_of(node)));
  const Register at = code_.take();
  integer(-1, at);
  Loop loop;
  open_loop(method.receiver, Fuse::WhenPure, loop);
  code_.add_imm(Op::AddIntImm, at, at, 0, 1);
  name_local(method.locals[0], loop.item);
  name_local(method.locals[1], at);
  append(method.arguments[0], target);
  close_loop(loop);
  end_locals(taken, names);
}

void RoutineEmitter::flatten(NodeId node, const CheckedMethod& method, Register target) {
  Loop loop;
  code_.add_imm(Op::NewList, target, target, 0, builder_.type(type_of(node)));
  open_loop(method.receiver, Fuse::WhenPure, loop);
  code_.add(Op::JoinLists, target, target, loop.item);
  close_loop(loop);
}

void RoutineEmitter::slice_list(const CheckedMethod& method, Register target) {
  const Register list = operand(method.receiver);
  const Register from = code_.take(2);
  const auto to = static_cast<Register>(from + 1);
  value(method.arguments[0], from);
  const NodeId end = method.arguments[1];
  if (end == kNoNode || type_of(end) == kNullType) {
    code_.add(Op::ListLength, to, list);
  } else if (types().is_optional(type_of(end))) {
    const Register maybe = code_.take();
    value(end, maybe);
    Label is_null;
    code_.add(Op::ListLength, to, list);
    code_.jump(Op::JumpIfNull, maybe, 0, is_null);
    code_.add(Op::Move, to, maybe);
    code_.place(is_null);
  } else {
    value(end, to);
  }
  code_.add(Op::Slice, target, list, from);
}

// A size beyond the list's counts as its length, so that no sum can overflow.
void RoutineEmitter::chunk(NodeId node, const CheckedMethod& method, Register target) {
  const Register list = operand(method.receiver);
  const Register size = code_.take(), length = code_.take(), part = code_.take();
  const Register from = code_.take(2);
  const auto to = static_cast<Register>(from + 1);
  builder_.type(item_type(node));
  value(method.arguments[0], size);
  code_.add(Op::ListLength, length, list);
  Label is_positive, is_small, end;
  code_.jump(Op::JumpIfLessEqual, size, length, is_small);
  code_.add(Op::Move, size, length);
  code_.place(is_small);
  code_.jump_short(Op::JumpIfNotLessImm, size, 1, is_positive);
  integer(1, size);
  code_.place(is_positive);
  code_.add_imm(Op::NewList, target, target, 0, builder_.type(type_of(node)));
  integer(0, from);
  const std::uint32_t body = code_.here();
  code_.jump(Op::JumpIfLessEqual, length, from, end);
  code_.add(Op::AddInt, to, from, size);
  code_.add(Op::Slice, part, list, from);
  code_.add(Op::Append, target, part);
  code_.add(Op::Move, from, to);
  code_.jump_back(Op::Jump, 0, body);
  code_.place(end);
}

// A map with the other list's items as keys says which are in both.
void RoutineEmitter::common_items(NodeId node, const CheckedMethod& method, bool are_wanted,
                                  Register target) {
  const TypeId list_type = builder_.type(type_of(node));
  const Register list = operand(method.receiver), other = operand(method.arguments[0]);
  const Register known = code_.take(), test = code_.take(), found = code_.take();
  code_.add_imm(Op::NewMap, known, 0, 0,
                builder_.module().types.map(builder_.type(item_type(method.receiver)), kBoolType));
  code_.add(Op::LoadBool, test, 1);
  Loop first;
  open_list(other, first);
  code_.add(Op::SetKey, known, first.item, test);
  close_loop(first);
  code_.add_imm(Op::NewList, found, found, 0, list_type);
  Loop second;
  open_list(list, second);
  code_.add(Op::HasKey, test, known, second.item);
  code_.jump(are_wanted ? Op::JumpIfNot : Op::JumpIf, test, 0, second.again);
  code_.add(Op::Append, found, second.item);
  close_loop(second);
  code_.add(Op::Distinct, target, found);
}

void RoutineEmitter::average(NodeId node, const CheckedMethod& method, Register target) {
  builder_.type(type_of(node));
  const bool is_float = item_type(method.receiver) == kFloatType;
  const Register list = operand(method.receiver);
  const Register count = code_.take(), sum = code_.take();
  Label empty;
  code_.add(Op::ListLength, count, list);
  code_.add(Op::LoadNull, target);
  code_.jump_short(Op::JumpIfEqualImm, count, 0, empty);
  constant({.type = is_float ? kFloatType : kIntType, .number = 0, .real = 0, .text = {}}, sum);
  Loop loop;
  open_list(list, loop);
  code_.add(is_float ? Op::AddFloat : Op::AddInt, sum, sum, loop.item);
  close_loop(loop);
  const Register dividend = code_.take(), divisor = code_.take();
  code_.add(is_float ? Op::Move : Op::IntToFloat, dividend, sum);
  code_.add(Op::IntToFloat, divisor, count);
  code_.add(Op::DivideFloat, target, dividend, divisor);
  code_.place(empty);
}

RoutineEmitter::Register RoutineEmitter::keys_of(const CheckedMethod& method, Register list) {
  const Register keys = code_.take();
  const TypeId key = builder_.type(type_of(method.arguments[0]));
  code_.add_imm(Op::NewList, keys, keys, 0, builder_.module().types.list(key));
  Loop loop;
  open_list(list, loop);
  name_local(method.locals[0], loop.item);
  append(method.arguments[0], keys);
  close_loop(loop);
  return keys;
}

void RoutineEmitter::group_by(NodeId node, const CheckedMethod& method, Register target) {
  const Register list = operand(method.receiver);
  const Register keys = keys_of(method, list);
  code_.add_imm(Op::GroupBy, target, list, keys, builder_.type(type_of(node)));
}

void RoutineEmitter::to_map(NodeId node, const CheckedMethod& method, Register target) {
  code_.add_imm(Op::NewMap, target, 0, 0, builder_.type(type_of(node)));
  Loop loop;
  open_loop(method.receiver, Fuse::WhenPure, loop);
  name_local(method.locals[0], loop.item);
  const Register key = operand(method.arguments[0]);
  Register entry = loop.item;
  if (method.arguments.size() > 1) {
    name_local(method.locals[1], loop.item);
    entry = kept_operand(method.arguments[1]);
  }
  code_.add(Op::SetKey, target, key, entry);
  close_loop(loop);
}

void RoutineEmitter::zip(NodeId node, const CheckedMethod& method, Register target) {
  const std::uint32_t taken = code_.taken();
  const std::size_t names = code_.names();
  code_.add_imm(Op::NewList, target, target, 0, builder_.type(type_of(node)));
  const Register list = operand(method.receiver), other = operand(method.arguments[0]);
  const Register at = code_.take(), length = code_.take(), item = code_.take();
  integer(-1, at);
  code_.add(Op::ListLength, length, other);
  Loop loop;
  open_list(list, loop);
  code_.add_imm(Op::AddIntImm, at, at, 0, 1);
  code_.jump(Op::JumpIfLessEqual, length, at, loop.end);
  code_.add(Op::GetItem, item, other, at);
  name_local(method.locals[0], loop.item);
  name_local(method.locals[1], item);
  append(method.arguments[1], target);
  close_loop(loop);
  end_locals(taken, names);
}

// ---- Maps

// A map whose values will be reachable from elsewhere as well.
RoutineEmitter::Register RoutineEmitter::kept_map(NodeId node) {
  const Register map = operand(node);
  if (is_map_variable(node)) code_.add(Op::Share, map);
  return map;
}

void RoutineEmitter::open_map(Register map, Loop& loop) {
  loop.taken = code_.taken();
  loop.names = code_.names();
  loop.next = Op::NextEntry;
  loop.first = code_.take(4);
  code_.add(Op::Move, loop.first, map);
  loop.item = static_cast<Register>(loop.first + 2);
  integer(0, static_cast<Register>(loop.first + 1));
  code_.jump(loop.again);
  loop.body = code_.here();
}

void RoutineEmitter::map_entries(NodeId node, const CheckedMethod& method, Register target) {
  const TypeId list = builder_.type(type_of(node));
  const TypeId entry = builder_.type(item_type(node));
  const Register map = kept_map(method.receiver), made = code_.take();
  code_.add_imm(Op::NewList, target, target, 0, list);
  Loop loop;
  open_map(map, loop);
  code_.add_imm(Op::NewRecord, made, loop.item, 0, entry);
  code_.add(Op::Append, target, made);
  close_loop(loop);
}

void RoutineEmitter::map_entries_by_lambda(NodeId node, const CheckedMethod& method, Register target) {
  using Kind = CheckedMethod::Kind;
  const TypeId made = builder_.type(type_of(node));
  const Register map = kept_map(method.receiver);
  if (method.kind == Kind::MapMap)
    code_.add_imm(Op::NewList, target, target, 0, made);
  else
    code_.add_imm(Op::NewMap, target, 0, 0, made);
  Loop loop;
  open_map(map, loop);
  const auto entry = static_cast<Register>(loop.item + 1);
  name_local(method.locals[0], loop.item);
  name_local(method.locals[1], entry);
  const NodeId body = method.arguments[0];
  if (method.kind == Kind::MapMap) {
    append(body, target);
  } else if (method.kind == Kind::MapMapValues) {
    code_.add(Op::SetKey, target, loop.item, kept_operand(body));
  } else {
    branch(body, false, loop.again);
    code_.add(Op::SetKey, target, loop.item, entry);
  }
  close_loop(loop);
}

// `set` and `merge`: of a map that is known elsewhere, SetKey makes a copy first.
void RoutineEmitter::changed_map(const CheckedMethod& method, Register target) {
  const Register made = code_.take();
  value(method.receiver, made);
  code_.add(Op::Share, made);
  if (method.kind == CheckedMethod::Kind::MapSet) {
    const Register key = operand(method.arguments[0]);
    code_.add(Op::SetKey, made, key, kept_operand(method.arguments[1]));
  } else {
    Loop loop;
    open_map(kept_map(method.arguments[0]), loop);
    code_.add(Op::SetKey, made, loop.item, loop.item + 1u);
    close_loop(loop);
  }
  code_.add(Op::Move, target, made);
}

void RoutineEmitter::map_without(NodeId node, const CheckedMethod& method, Register target) {
  const Register map = kept_map(method.receiver), key = operand(method.arguments[0]);
  const Register is_it = code_.take();
  code_.add_imm(Op::NewMap, target, 0, 0, builder_.type(type_of(node)));
  Loop loop;
  open_map(map, loop);
  equal_items(loop.item, key, types()[type_of(node)].key, is_it);
  code_.jump(Op::JumpIf, is_it, 0, loop.again);
  code_.add(Op::SetKey, target, loop.item, loop.item + 1u);
  close_loop(loop);
}

}  // namespace flow
