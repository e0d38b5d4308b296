// Errors: code that is guarded by a handler, and what is done on each way out of it.
#include <algorithm>

#include "base/error_type.hpp"
#include "base/fault.hpp"
#include "compiler/emit/routine_emitter.hpp"
#include "compiler/syntax/clauses.hpp"

namespace flow {

// ---- Guards

void RoutineEmitter::open_guard(Guard& guard, NodeId finally) {
  guard.begin = code_.here();
  guard.finally = finally;
  guards_.push_back(&guard);
}

// Faults of what was emitted since the guard was opened go to here: their message is in the register that
// this gives. Handlers within were closed before, and so stand before it, as the machine wants it.
void RoutineEmitter::close_guard(Guard& guard) {
  guards_.pop_back();
  guard.end = code_.here();
}

RoutineEmitter::Register RoutineEmitter::place_handler(const Guard& guard) {
  const Register message = code_.take();
  std::uint32_t begin = guard.begin;
  const auto cover = [&](std::uint32_t end) {
    if (begin < end)
      routine_.handlers.push_back({.begin = begin, .end = end, .target = code_.here(), .register_ = message});
  };
  for (const auto& [hole_begin, hole_end] : guard.holes) {
    cover(hole_begin);
    begin = hole_end;
  }
  cover(guard.end);
  return message;
}

// What `return` and `stop` do first: the `finally` of each block they leave, which none of its guards covers.
void RoutineEmitter::leave_guards() {
  const std::vector<Guard*> open = guards_;
  for (std::size_t i = open.size(); i-- > 0;) {
    if (open[i]->finally == kNoNode) continue;
    guards_.resize(i);
    const std::uint32_t begin = code_.here();
    cleanup(open[i]->finally);
    for (std::size_t inner = i; inner < open.size(); ++inner)
      open[inner]->holes.emplace_back(begin, code_.here());
    guards_ = open;
  }
}

// A block whose calls are made after the deadline of the run, too.
void RoutineEmitter::cleanup(NodeId node) {
  const std::uint32_t begin = code_.here();
  block(node);
  note_cleanup(begin);
}

void RoutineEmitter::note_cleanup(std::uint32_t begin) {
  if (begin < code_.here()) routine_.cleanups.push_back({.begin = begin, .end = code_.here()});
}

// ---- Values

TypeId RoutineEmitter::error_type() {
  return builder_.type(builder_.library().error_type);
}

void RoutineEmitter::caught(Register target) {
  code_.add_imm(Op::Caught, target, 0, 0, error_type());
}

// Raises an error of this kind with the message in the register.
void RoutineEmitter::raise(FaultKind kind, Register message) {
  const Register first = code_.take(kErrorFields);
  const TypeId kinds = builder_.library().types.record(builder_.library().error_type).fields[0].type;
  constant({.type = kinds, .number = static_cast<std::int64_t>(kind), .real = 0, .text = {}}, first);
  code_.add(Op::Move, first + 1u, message);
  code_.add(Op::LoadNull, first + 2u);
  integer(0, static_cast<Register>(first + 3));
  code_.add_imm(Op::NewRecord, first, first, 0, error_type());
  code_.add(Op::Throw, first);
}

// Whether carrying it out may handle an error, so that another one is handled last behind it.
bool RoutineEmitter::handles_errors(NodeId node) const {
  switch (tree_.kind(node)) {
    case NodeKind::Try:
    case NodeKind::Attempt:
    case NodeKind::OnErrorCollect:
    case NodeKind::Else:
    case NodeKind::OpIs:  // tries
    case NodeKind::PatternIs:
    case NodeKind::Steps: return true;
    case NodeKind::Call:
      if (builder_.checked().invokes.contains(node)) return true;
      if (const auto call = builder_.checked().calls.find(node);
          call != builder_.checked().calls.end() && is_protected(call->second.operation))
        return true;
      break;
    default: break;
  }
  return std::ranges::any_of(tree_.kids(node), [&](NodeId kid) { return handles_errors(kid); });
}

// Whether the error is needed as a value, not only its message, which is at hand.
bool RoutineEmitter::needs_error(NodeId node, std::uint32_t local) const {
  const Meaning& what = meaning(node);
  if (tree_.kind(node) == NodeKind::Ident) return what.kind == Meaning::Kind::Local && what.index == local;
  if (message_of(node) == local) return false;
  const bool is_branch = builder_.checked().branch_locals.contains(node);
  return std::ranges::any_of(tree_.kids(node), [&](NodeId kid) {
    return is_branch ? mentions(kid, local) : needs_error(kid, local);
  });
}

// The local whose `.message` this is, where it is an error.
std::optional<std::uint32_t> RoutineEmitter::message_of(NodeId node) const {
  const Meaning& what = meaning(node);
  if (tree_.kind(node) != NodeKind::Field || what.kind != Meaning::Kind::RecordField ||
      what.type != builder_.library().error_type ||
      what.field != static_cast<std::uint32_t>(ErrorField::Message) || builder_.library().error_type == 0)
    return std::nullopt;
  const NodeId object = tree_.kid(node, 0);
  if (tree_.kind(object) != NodeKind::Ident || meaning(object).kind != Meaning::Kind::Local)
    return std::nullopt;
  return meaning(object).index;
}

void RoutineEmitter::name_error(std::uint32_t local, Register message, std::optional<Register> error) {
  message_registers_[local] = message;
  name_local(local, error.value_or(message));
}

// ---- Statements

void RoutineEmitter::try_statement(NodeId node) {
  const TryParts parts = try_parts(tree_, node);
  const std::uint32_t taken = code_.taken();
  const std::size_t names = code_.names();
  Label end, caught_all;
  Guard body;
  open_guard(body, parts.finally);
  block(parts.body);
  close_guard(body);
  const auto leave = [&] {
    if (parts.finally != kNoNode) cleanup(parts.finally);
    code_.jump(end);
  };
  leave();
  Guard handlers;
  bool has_handlers = false;
  if (!parts.catches.empty() && body.begin < body.end) {
    const Register message = place_handler(body);
    if (parts.finally != kNoNode) open_guard(handlers, parts.finally);
    has_handlers = true;
    catches(parts.catches, message, caught_all);
    if (parts.finally != kNoNode) close_guard(handlers);
    code_.place(caught_all);
    leave();
    end_locals(taken, names);
  }
  if (parts.finally != kNoNode && body.begin < body.end) {
    place_handler(has_handlers ? handlers : body);
    code_.mark(parts.finally);
    const bool keeps = handles_errors(parts.finally);
    const Register error = code_.take();
    if (keeps) caught(error);
    cleanup(parts.finally);
    if (keeps)
      code_.add(Op::Throw, error);
    else
      code_.add(Op::Raise);
  }
  code_.place(end);
  end_locals(taken, names);
}

void RoutineEmitter::catches(std::span<const NodeId> clauses, Register message, Label& end) {
  const auto has_kinds = [&](NodeId clause) { return tree_.find(clause, NodeKind::ErrorKind) != kNoNode; };
  const bool needs_kind = std::ranges::any_of(clauses, has_kinds);
  const bool needs_value = std::ranges::any_of(clauses, [&](NodeId clause) {
    const NodeId ident = tree_.find(clause, NodeKind::Ident);
    return ident != kNoNode && needs_error(tree_.find(clause, NodeKind::Block), meaning(ident).index);
  });
  std::optional<Register> error;
  Register kind = 0;
  if (needs_kind || needs_value) {
    error = code_.take();
    caught(*error);
  }
  if (needs_kind) {
    kind = code_.take();
    code_.add(Op::GetField, kind, *error, static_cast<std::uint32_t>(ErrorField::Kind));
  }
  bool takes_all = false;
  for (const NodeId clause : clauses) {
    Label here, next;
    code_.mark(clause);
    for (const NodeId kid : tree_.kids(clause))
      if (tree_.kind(kid) == NodeKind::ErrorKind)
        code_.jump_short(Op::JumpIfEnum, kind, fault_number(tree_.text(kid)), here);
    if (has_kinds(clause)) code_.jump(next);
    takes_all = takes_all || !has_kinds(clause);
    code_.place(here);
    const std::uint32_t taken = code_.taken();
    const std::size_t names = code_.names();
    if (const NodeId ident = tree_.find(clause, NodeKind::Ident); ident != kNoNode)
      name_error(meaning(ident).index, message, error);
    block(tree_.find(clause, NodeKind::Block));
    code_.end_names(names);
    code_.release_to(taken);
    code_.jump(end);
    code_.place(next);
    if (takes_all) return;
  }
  code_.add(Op::Raise);
}

// A Result: {ok, value, error}, or {ok, error} of what gives nothing.
void RoutineEmitter::attempt(NodeId node, Register target) {
  const NodeId call = tree_.kid(node, 0);
  const bool has_value = type_of(call) != kNothingType;
  const TypeId result = builder_.type(type_of(node));
  const Register ok = code_.take(has_value ? 3 : 2);
  const auto made = static_cast<Register>(ok + (has_value ? 1 : 0));
  const auto error = static_cast<Register>(made + 1);
  Label end;
  Guard guard;
  open_guard(guard);
  value(call, has_value ? made : code_.take());
  close_guard(guard);
  code_.add(Op::LoadBool, ok, 1);
  code_.add(Op::LoadNull, error);
  code_.add_imm(Op::NewRecord, target, ok, 0, result);
  code_.jump(end);
  if (guard.begin < guard.end) {
    place_handler(guard);
    failed_result(ok, has_value, result, target);
  }
  code_.place(end);
}

// From the fault that was handled last, in two or three registers from `first` on.
void RoutineEmitter::failed_result(Register first, bool has_value, TypeId result, Register target) {
  code_.add(Op::LoadBool, first, 0);
  if (has_value) code_.add(Op::LoadNull, first + 1u);
  caught(static_cast<Register>(first + (has_value ? 2 : 1)));
  code_.add_imm(Op::NewRecord, target, first, 0, result);
}

std::int64_t RoutineEmitter::fault_number(std::string_view name) {
  for (std::size_t k = 0; k <= static_cast<std::size_t>(kLastFault); ++k)
    if (fault_name(static_cast<FaultKind>(k)) == name) return static_cast<std::int64_t>(k);
  return 0;
}

}  // namespace flow
