// What repeats: `for`, and the loops that lambdas become. A loop's registers stand side by side below those
// of its body, as its Next instruction wants them.
#include <algorithm>
#include <limits>

#include "compiler/emit/routine_emitter.hpp"
#include "compiler/syntax/loop.hpp"

namespace flow {

void RoutineEmitter::open_loop(NodeId items, Fuse fuse, Loop& loop) {
  loop.taken = code_.taken();
  loop.names = code_.names();
  open_items(items, fuse, loop);
}

void RoutineEmitter::open_items(NodeId items, Fuse fuse, Loop& loop) {
  const NodeId node = without_parens(items);
  const auto method = builder_.checked().methods.find(node);
  if (method != builder_.checked().methods.end()) {
    switch (method->second.kind) {
      case CheckedMethod::Kind::Range: return open_range(method->second.arguments, loop);
      case CheckedMethod::Kind::MapKeys:
      case CheckedMethod::Kind::MapValues: return open_entries(method->second, loop);
      case CheckedMethod::Kind::ListMap:
      case CheckedMethod::Kind::ListFilter:
        if (open_fused(method->second, fuse, loop)) return;
        break;
      default: break;
    }
  }
  const Register first = code_.take(3);
  value(items, first);
  begin_list(first, loop);
}

void RoutineEmitter::open_list(Register list, Loop& loop) {
  loop.taken = code_.taken();
  loop.names = code_.names();
  const Register first = code_.take(3);
  code_.add(Op::Move, first, list);
  begin_list(first, loop);
}

// The list stands in `first`.
void RoutineEmitter::begin_list(Register first, Loop& loop) {
  loop.next = Op::NextItem;
  loop.first = first;
  loop.item = static_cast<Register>(loop.first + 2);
  integer(0, static_cast<Register>(loop.first + 1));
  code_.jump(loop.again);
  loop.body = code_.here();
}

// The variable is its own counter: it begins at the first number, which must be tested before the body.
void RoutineEmitter::open_range(std::span<const NodeId> bounds, Loop& loop) {
  const bool has_begin = bounds.size() == 2;
  loop.next = Op::NextInRange;
  loop.first = loop.item = code_.take(2);
  const auto limit = static_cast<Register>(loop.first + 1);
  if (has_begin)
    value(bounds[0], loop.first);
  else
    integer(0, loop.first);
  value(bounds.back(), limit);
  std::optional<Constant> begin = Constant{.type = kIntType, .number = 0, .real = 0, .text = {}};
  if (has_begin) begin = folded(bounds[0]);
  const auto end = folded(bounds.back());
  const bool is_known = options_.optimise && begin && end;
  if (is_known && begin->number >= end->number)
    code_.jump(loop.end);
  else if (!is_known)
    code_.jump(Op::JumpIfLessEqual, limit, loop.first, loop.end);
  loop.body = code_.here();
}

// The keys that are there when the loop begins. Values are kept as they are then.
void RoutineEmitter::open_entries(const CheckedMethod& method, Loop& loop) {
  const bool has_values = method.kind == CheckedMethod::Kind::MapValues;
  loop.next = Op::NextEntry;
  loop.first = code_.take(4);
  const Register map = operand(method.receiver);
  if (has_values && is_map_variable(method.receiver)) code_.add(Op::Share, map);
  code_.add(Op::Move, loop.first, map);
  code_.release_to(loop.first + 4u);
  loop.item = static_cast<Register>(loop.first + (has_values ? 3 : 2));
  integer(0, static_cast<Register>(loop.first + 1));
  code_.jump(loop.again);
  loop.body = code_.here();
}

// `list.map(…)` and `list.filter(…)` item by item, without a list in between.
bool RoutineEmitter::open_fused(const CheckedMethod& method, Fuse fuse, Loop& loop) {
  const NodeId body = method.arguments[0];
  const bool is_movable = !may_fault(body);
  if (!options_.optimise || fuse == Fuse::Never || (fuse == Fuse::WhenPure && !is_movable)) return false;
  open_items(method.receiver, is_movable ? fuse : Fuse::WhenPure, loop);
  name_local(method.locals[0], loop.item);
  if (method.kind == CheckedMethod::Kind::ListFilter) {
    branch(body, false, loop.again);
  } else {
    const Register made = code_.take();
    value(body, made);
    loop.item = made;
  }
  return true;
}

void RoutineEmitter::close_loop(Loop& loop) {
  code_.place(loop.again);
  code_.jump_back(loop.next, loop.first, loop.body);
  code_.place(loop.end);
  end_locals(loop.taken, loop.names);
}

// Whether the expression may raise a fault, wait for a call, or depend on a variable: all that keeps it from
// being carried out at another time. Says yes when in doubt.
bool RoutineEmitter::may_fault(NodeId node) const {
  const auto any_of = [&](std::span<const NodeId> nodes) {
    return std::ranges::any_of(nodes, [&](NodeId kid) { return may_fault(kid); });
  };
  const Meaning& what = meaning(node);
  switch (what.kind) {
    case Meaning::Kind::Local:
      if (body_.locals[what.index].is_var) return true;
      break;
    case Meaning::Kind::Binding:
    case Meaning::Kind::Entity:
    case Meaning::Kind::EntityField: return true;
    default: break;
  }
  const auto kids = tree_.kids(node);
  switch (tree_.kind(node)) {
    case NodeKind::Int:
    case NodeKind::Float:
    case NodeKind::Duration:
    case NodeKind::True:
    case NodeKind::False:
    case NodeKind::Null:
    case NodeKind::RawText:
    case NodeKind::Ident: return false;
    case NodeKind::Text:
      return kids.size() > 1 || (kids.size() == 1 && tree_.kind(kids[0]) != NodeKind::TextPiece);
    case NodeKind::Paren:
    case NodeKind::Field:
    case NodeKind::OptionalField:
    case NodeKind::Or:
    case NodeKind::And:
    case NodeKind::Not:
    case NodeKind::IfExpr:
    case NodeKind::Coalesce: return any_of(kids);
    case NodeKind::Compare:
      return tree_.kind(kids[1]) == NodeKind::OpMatches || type_of(kids[0]) == kCidrType ||
             type_of(kids[2]) == kCidrType || may_fault(kids[0]) || may_fault(kids[2]);
    case NodeKind::Product: {  // of a number by one that is known
      if (kids.size() != 3 || tree_.kind(kids[1]) != NodeKind::OpModulo ||
          tree_.kind(kids[2]) != NodeKind::Int)
        return true;
      Folder literals(tree_, builder_.checked(), false);
      return literals.value(kids[2])->number == 0 || may_fault(kids[0]);
    }
    case NodeKind::Call: {
      const auto method = builder_.checked().methods.find(node);
      if (method == builder_.checked().methods.end()) return true;
      const CheckedMethod& called = method->second;
      return flow::may_fault(called) || may_fault(called.receiver) ||
             std::ranges::any_of(called.arguments,
                                 [&](NodeId argument) { return argument != kNoNode && may_fault(argument); });
    }
    default: return true;
  }
}

// ---- Statements

// In order; `yields` says where the list goes that the loop gives.
void RoutineEmitter::for_statement(NodeId node, std::optional<Yields> yields) {
  const LoopParts parts = loop_parts(tree_, node);
  if (parts.at_once != kNoNode) return each(node, std::nullopt);
  const std::uint32_t taken = code_.taken();
  const std::size_t names = code_.names();
  const bool is_counted = parts.position != kNoNode;
  Register position = 0, failed = 0, first_message = 0;
  if (is_counted) {
    position = code_.take();
    integer(-1, position);
  }
  const bool counts_failures = parts.collects && !yields;
  if (counts_failures) {
    failed = code_.take();
    first_message = code_.take();
    integer(0, failed);
    code_.add(Op::LoadNull, first_message);
    builder_.module().types.optional(kStringType);
  }
  Loop loop;
  if (parts.limit == kNoNode) {
    open_loop(parts.list, parts.collects ? Fuse::Never : Fuse::WhenPure, loop);
  } else {
    const Register list = code_.take();
    value(parts.list, list);
    limit_list(parts, list);
    open_list(list, loop);
  }
  name_local(meaning(parts.item).index, loop.item);
  if (is_counted) {
    code_.add_imm(Op::AddIntImm, position, position, 0, 1);
    name_local(meaning(parts.position).index, position);
  }
  Guard guard;
  if (parts.collects) open_guard(guard);
  if (yields) yields_.push_back(*yields);
  block(parts.body);
  if (yields) yields_.pop_back();
  if (parts.collects) {
    close_guard(guard);
    code_.jump(loop.again);
    if (guard.begin < guard.end) {
      const std::uint32_t inner = code_.taken();
      const Register message = place_handler(guard);
      code_.mark(node);
      if (counts_failures) {
        code_.add_imm(Op::AddIntImm, failed, failed, 0, 1);
        code_.jump(Op::JumpIfSet, first_message, 0, loop.again);
        code_.add(Op::Move, first_message, message);
      } else {
        const bool has_value = types().record(item_type(node)).fields.size() == 3;
        const Register made = code_.take(has_value ? 3 : 2);
        failed_result(made, has_value, yields->result, made);
        code_.add(Op::Append, yields->list, made);
      }
      code_.release_to(inner);
    }
  }
  code_.mark(node);
  close_loop(loop);
  if (counts_failures) raise_collected(failed, first_message);
  end_locals(taken, names);
}

void RoutineEmitter::for_expression(NodeId node, Register target) {
  const LoopParts parts = loop_parts(tree_, node);
  if (parts.at_once != kNoNode) return each(node, target);
  code_.add_imm(Op::NewList, target, target, 0, builder_.type(type_of(node)));
  for_statement(node, Yields{.list = target,
                             .result = parts.collects ? builder_.type(item_type(node)) : 0,
                             .collects = parts.collects,
                             .returns = false});
}

void RoutineEmitter::yield(NodeId node) {
  const Yields to = yields_.back();
  const NodeId item = tree_.kid(node, 0);
  if (!to.collects && !to.returns) return append(item, to.list);
  const std::uint32_t taken = code_.taken();
  if (!to.collects) {
    const Register made = code_.take();
    code_.add(Op::Move, made, kept_operand(item));
    code_.add(Op::Return, made);
  } else {
    const Register made = code_.take(3);
    code_.add(Op::Move, made + 1u, kept_operand(item));
    code_.add(Op::LoadBool, made, 1);
    code_.add(Op::LoadNull, made + 2u);
    code_.add_imm(Op::NewRecord, made, made, 0, to.result);
    if (to.returns)
      code_.add(Op::Return, made);
    else
      code_.add(Op::Append, to.list, made);
  }
  code_.release_to(taken);
}

void RoutineEmitter::append(NodeId item, Register list) {
  const std::uint32_t taken = code_.taken();
  code_.add(Op::Append, list, kept_operand(item));
  code_.release_to(taken);
}

}  // namespace flow
