// Standard functions. Lambdas become loops: the machine has no functions as values.
#include "compiler/emit/routine_emitter.hpp"

namespace flow {

void RoutineEmitter::method(NodeId node, const CheckedMethod& method, Register target) {
  using Kind = CheckedMethod::Kind;
  const auto simple = [&](Op op) { code_.add(op, target, operand(method.receiver)); };
  switch (method.kind) {
    case Kind::Native: return native_function(method, target);
    case Kind::Range: {
      Register from = 0;
      if (method.arguments.size() == 2) {
        from = operand(method.arguments[0]);
      } else {
        from = code_.take();
        integer(0, from);
      }
      return code_.add(Op::Range, target, from, operand(method.arguments.back()));
    }
    case Kind::ListLength: return simple(Op::ListLength);
    case Kind::ListReverse: return simple(Op::Reverse);
    case Kind::ListDistinct: return simple(Op::Distinct);
    case Kind::ListContains:
    case Kind::MapContains: return membership(method.receiver, method.arguments[0], false, target);
    case Kind::ListAny:
    case Kind::ListAll: return materialised(node, target);
    case Kind::ListMap: return map_list(node, method, target);
    case Kind::ListFilter: return filter(node, method, target);
    case Kind::ListFlatMap: return flat_map(node, method, target);
    case Kind::ListFirst: return first(method, target);
    case Kind::ListLast: return item_or_null(operand(method.receiver), false, target);
    case Kind::ListCount: return count(method, target);
    case Kind::ListSum: return sum(node, method, target);
    case Kind::ListMin: return extreme(method, true, target);
    case Kind::ListMax: return extreme(method, false, target);
    case Kind::ListSort: {
      const Register list = operand(method.receiver);
      return code_.add(Op::SortBy, target, list, list);
    }
    case Kind::ListSortBy: return sort_by(method, target);
    case Kind::ListTake: return slice(method, true, target);
    case Kind::ListSkip: return slice(method, false, target);
    case Kind::ListJoin: {
      const Register list = operand(method.receiver);
      return code_.add(Op::JoinTexts, target, list, operand(method.arguments[0]));
    }
    case Kind::ListIsEmpty: return is_empty(Op::ListLength, method, target);
    case Kind::ListIndexOf: return index_of(node, method, target);
    case Kind::ListMapPlaced: return map_placed(node, method, target);
    case Kind::ListFlatten: return flatten(node, method, target);
    case Kind::ListSlice: return slice_list(method, target);
    case Kind::ListChunk: return chunk(node, method, target);
    case Kind::ListUnion: {
      const Register list = operand(method.receiver), joined = code_.take();
      code_.add(Op::JoinLists, joined, list, operand(method.arguments[0]));
      return code_.add(Op::Distinct, target, joined);
    }
    case Kind::ListIntersect: return common_items(node, method, true, target);
    case Kind::ListExcept: return common_items(node, method, false, target);
    case Kind::ListAverage: return average(node, method, target);
    case Kind::ListMinBy:
    case Kind::ListMaxBy: {
      const Register sorted = code_.take();
      builder_.type(type_of(node));
      sort_by(method, sorted);
      return item_or_null(sorted, method.kind == Kind::ListMinBy, target);
    }
    case Kind::ListGroupBy: return group_by(node, method, target);
    case Kind::ListToMap: return to_map(node, method, target);
    case Kind::ListZip: return zip(node, method, target);
    case Kind::MapIsEmpty: return is_empty(Op::MapLength, method, target);
    case Kind::MapEntries: return map_entries(node, method, target);
    case Kind::MapMap:
    case Kind::MapMapValues:
    case Kind::MapFilter: return map_entries_by_lambda(node, method, target);
    case Kind::MapMerge:
    case Kind::MapSet: return changed_map(method, target);
    case Kind::MapRemove: return map_without(node, method, target);
    case Kind::IntToFloat: return simple(Op::IntToFloat);
    case Kind::TimeWeekday: return weekday(node, method, target);
    case Kind::ExtractIocs: return extract_iocs(node, method, target);
    case Kind::ToJson: {
      const Register value = operand(method.receiver);
      return code_.add_imm(Op::ToJson, target, value, 0, builder_.type(type_of(method.receiver)));
    }
    case Kind::HtmlTable: return html_table(method, target);
    case Kind::CsvTable: return csv_table(method, target);
    case Kind::MapLength: return simple(Op::MapLength);
    case Kind::MapKeys:
    case Kind::MapValues: {
      const Register map = operand(method.receiver);
      return code_.add_imm(method.kind == Kind::MapKeys ? Op::Keys : Op::Values, target, map, 0,
                           builder_.type(type_of(node)));
    }
  }
}

// `any`: an item that passes has been found; `all`: one that does not.
void RoutineEmitter::branch_any(const CheckedMethod& method, bool is_any, bool when_found, Label& target) {
  Loop loop;
  open_loop(method.receiver, Fuse::WhenPure, loop);
  name_local(method.locals[0], loop.item);
  Label found;
  branch(method.arguments[0], is_any, when_found ? target : found);
  close_loop(loop);
  if (!when_found) code_.jump(target);
  code_.place(found);
}

void RoutineEmitter::map_list(NodeId node, const CheckedMethod& method, Register target) {
  const NodeId body = method.arguments[0];
  Loop loop;
  code_.add_imm(Op::NewList, target, target, 0, builder_.type(type_of(node)));
  open_loop(method.receiver, may_fault(body) ? Fuse::WhenPure : Fuse::Always, loop);
  name_local(method.locals[0], loop.item);
  append(body, target);
  close_loop(loop);
}

void RoutineEmitter::filter(NodeId node, const CheckedMethod& method, Register target) {
  const NodeId test = method.arguments[0];
  Loop loop;
  code_.add_imm(Op::NewList, target, target, 0, builder_.type(type_of(node)));
  open_loop(method.receiver, may_fault(test) ? Fuse::WhenPure : Fuse::Always, loop);
  name_local(method.locals[0], loop.item);
  branch(test, false, loop.again);
  code_.add(Op::Append, target, loop.item);
  close_loop(loop);
}

void RoutineEmitter::flat_map(NodeId node, const CheckedMethod& method, Register target) {
  Loop loop;
  code_.add_imm(Op::NewList, target, target, 0, builder_.type(type_of(node)));
  open_loop(method.receiver, Fuse::WhenPure, loop);
  name_local(method.locals[0], loop.item);
  code_.add(Op::JoinLists, target, target, operand(method.arguments[0]));
  close_loop(loop);
}

void RoutineEmitter::first(const CheckedMethod& method, Register target) {
  if (!method.has_lambda) return item_or_null(operand(method.receiver), true, target);
  Loop loop;
  Label found;
  code_.add(Op::LoadNull, target);
  open_loop(method.receiver, Fuse::WhenPure, loop);
  name_local(method.locals[0], loop.item);
  branch(method.arguments[0], false, loop.again);
  code_.add(Op::Move, target, loop.item);
  code_.jump(found);
  close_loop(loop);
  code_.place(found);
}

void RoutineEmitter::item_or_null(Register list, bool is_first, Register target) {
  const Register at = code_.take();
  Label empty;
  code_.add(Op::ListLength, at, list);
  code_.add(Op::LoadNull, target);
  code_.jump_short(Op::JumpIfEqualImm, at, 0, empty);
  if (is_first)
    integer(0, at);
  else
    code_.add_imm(Op::AddIntImm, at, at, 0, -1);
  code_.add(Op::GetItem, target, list, at);
  code_.place(empty);
}

void RoutineEmitter::count(const CheckedMethod& method, Register target) {
  if (!method.has_lambda) return code_.add(Op::ListLength, target, operand(method.receiver));
  const NodeId test = method.arguments[0];
  Loop loop;
  integer(0, target);
  open_loop(method.receiver, may_fault(test) ? Fuse::WhenPure : Fuse::Always, loop);
  name_local(method.locals[0], loop.item);
  branch(test, false, loop.again);
  code_.add_imm(Op::AddIntImm, target, target, 0, 1);
  close_loop(loop);
}

void RoutineEmitter::sum(NodeId node, const CheckedMethod& method, Register target) {
  const TypeId type = type_of(node);
  const Op add = type == kFloatType ? Op::AddFloat : type == kDurationType ? Op::AddSpan : Op::AddInt;
  Loop loop;
  constant({.type = type, .number = 0, .real = 0, .text = {}}, target);
  open_loop(method.receiver, Fuse::WhenPure, loop);
  if (method.has_lambda) {
    name_local(method.locals[0], loop.item);
    code_.add(add, target, target, operand(method.arguments[0]));
  } else {
    code_.add(add, target, target, loop.item);
  }
  close_loop(loop);
}

// The least or greatest item, the first of equal ones. What an enum's unknown values come to only sorting
// knows: they stand last.
void RoutineEmitter::extreme(const CheckedMethod& method, bool is_least, Register target) {
  const Storage storage = types().storage(item_type(method.receiver));
  if (storage == Storage::Enum) {
    const Register list = operand(method.receiver), sorted = code_.take();
    code_.add(Op::SortBy, sorted, list, list);
    return item_or_null(sorted, is_least, target);
  }
  Loop loop;
  Label better;
  code_.add(Op::LoadNull, target);
  open_loop(method.receiver, Fuse::Always, loop);
  code_.jump(Op::JumpIfNull, target, 0, better);
  const Register lesser = is_least ? loop.item : target, greater = is_least ? target : loop.item;
  if (storage == Storage::Int) {
    code_.jump(Op::JumpIfLessEqual, greater, lesser, loop.again);
  } else {
    const Register test = code_.take();
    code_.add(storage == Storage::Float ? Op::LessFloat : Op::LessText, test, lesser, greater);
    code_.jump(Op::JumpIfNot, test, 0, loop.again);
  }
  code_.place(better);
  code_.add(Op::Move, target, loop.item);
  close_loop(loop);
}

void RoutineEmitter::sort_by(const CheckedMethod& method, Register target) {
  const Register list = operand(method.receiver);
  const Register keys = keys_of(method, list);
  code_.add(Op::SortBy, target, list, keys);
}

void RoutineEmitter::slice(const CheckedMethod& method, bool is_take, Register target) {
  const Register list = operand(method.receiver);
  const Register from = code_.take(2);
  const auto to = static_cast<Register>(from + 1);
  if (is_take) {
    integer(0, from);
    value(method.arguments[0], to);
  } else {
    value(method.arguments[0], from);
    code_.add(Op::ListLength, to, list);
  }
  code_.add(Op::Slice, target, list, from);
}

// Contains looks for a value; for null each item is looked at.
void RoutineEmitter::list_contains(Register list, Register item, bool may_be_null, Register target) {
  if (!may_be_null) return code_.add(Op::Contains, target, list, item);
  Label is_null, end;
  const Register sought = code_.take();
  code_.add(Op::Move, sought, item);
  code_.jump(Op::JumpIfNull, sought, 0, is_null);
  code_.add(Op::Contains, target, list, sought);
  code_.jump(end);
  code_.place(is_null);
  Loop loop;
  Label found;
  open_list(list, loop);
  code_.jump(Op::JumpIfNull, loop.item, 0, found);
  close_loop(loop);
  code_.add(Op::LoadBool, target, 0);
  code_.jump(end);
  code_.place(found);
  code_.add(Op::LoadBool, target, 1);
  code_.place(end);
}

}  // namespace flow
