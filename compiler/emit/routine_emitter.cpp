#include "compiler/emit/routine_emitter.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace flow {

RoutineEmitter::RoutineEmitter(ModuleBuilder& builder, const Tree& tree, const CheckedBody& body,
                               Routine& routine, EmitOptions options)
    : builder_(builder),
      tree_(tree),
      body_(body),
      routine_(routine),
      options_(options),
      code_(tree, routine),
      folder_(tree, builder.checked(), options.optimise),
      local_registers_(body.locals.size()),
      holds_local_(CodeWriter::kMaxRegisters + 1) {}

void RoutineEmitter::complete() {
  routine_.name = body_.name;
  routine_.line = tree_.line(body_.node);
  for (RegisterName& name : routine_.names) name.end = std::min(name.end, code_.here());
  routine_.registers = std::max(routine_.registers, std::uint8_t{1});
  constexpr std::size_t kMostHandlers = 250;
  if (std::max(routine_.handlers.size(), routine_.cleanups.size()) > kMostHandlers)
    code_.exceed("guarded parts");
}

bool RoutineEmitter::finish(const char* kind, Diagnostics& diagnostics) {
  complete();
  if (code_.exceeded().empty()) return true;
  diagnostics
      .report(Code::TooComplex, tree_.file, tree_.span(tree_.kid(body_.node, 0)),
              fmt::format("{} `{}` needs too many {}", kind, body_.name, code_.exceeded()))
      .note(fmt::format("split it into several {}s", kind));
  return false;
}

void RoutineEmitter::block(NodeId node) {
  const std::uint32_t taken = code_.taken();
  const std::size_t names = code_.names();
  for (const NodeId kid : tree_.kids(node)) statement(kid);
  end_locals(taken, names);
}

void RoutineEmitter::end_locals(std::uint32_t taken, std::size_t names) {
  for (std::uint32_t reg = taken; reg < code_.taken(); ++reg) holds_local_[reg] = false;
  code_.end_names(names);
  code_.release_to(taken);
}

void RoutineEmitter::statement(NodeId node) {
  code_.mark(node);
  const std::uint32_t taken = code_.taken();
  switch (tree_.kind(node)) {
    case NodeKind::Let:
    case NodeKind::Var: declare(node); return;  // the local stays until its block ends
    case NodeKind::Assign: assign(node); break;
    case NodeKind::If: if_statement(node); break;
    case NodeKind::For: for_statement(node); break;
    case NodeKind::Yield: yield(node); break;
    case NodeKind::Return: return_statement(node); break;
    case NodeKind::Log: text_statement(Op::Log, tree_.kid(node, 0)); break;
    case NodeKind::Fail:
      if (type_of(tree_.kid(node, 0)) == builder_.library().error_type && builder_.library().error_type != 0)
        code_.add(Op::Throw, operand(tree_.kid(node, 0)));
      else
        text_statement(Op::Fail, tree_.kid(node, 0));
      break;
    case NodeKind::Match: match(node, std::nullopt); break;
    case NodeKind::Try: try_statement(node); break;
    case NodeKind::Undo: undo(node); break;
    case NodeKind::Parallel:
    case NodeKind::ParallelAny: parallel(node); break;
    case NodeKind::Steps: steps(node); break;
    case NodeKind::Repeat: repeat(node); break;
    case NodeKind::Wait:
    case NodeKind::WaitUntil: wait(node); break;
    case NodeKind::Respond: respond(node); break;
    case NodeKind::Stop: stop_statement(node); break;
    case NodeKind::ExprStatement: value(tree_.kid(node, 0), code_.take()); break;
    default: break;
  }
  code_.release_to(taken);
}

void RoutineEmitter::name_local(std::uint32_t local, Register reg) {
  builder_.type(body_.locals[local].type);
  local_registers_[local] = reg;
  holds_local_[reg] = true;
  if (body_.locals[local].name != "_") code_.name(reg, body_.locals[local].name);
}

void RoutineEmitter::declare(NodeId node) {
  const std::uint32_t local = meaning(tree_.kid(node, 0)).index;
  const NodeId initial = tree_.kids(node).back();
  const bool is_var = body_.locals[local].is_var;
  const Register target = code_.take();
  holds_local_[target] = false;
  value(initial, target);
  if (is_var && types().is(body_.locals[local].type, TypeKind::Map) && !is_fresh(initial))
    code_.add(Op::Share, target);
  if (options_.optimise && !is_var)
    if (const auto known = folded(initial)) folder_.define(local, *known);
  name_local(local, target);
}

void RoutineEmitter::assign(NodeId node) {
  const NodeId target = tree_.kid(node, 0), assigned = tree_.kid(node, 1);
  if (tree_.kind(target) == NodeKind::Index) return assign_entry(target, assigned);
  const std::uint32_t local = meaning(target).index;
  const Register reg = local_registers_[local];
  // A handler must find what the variable held before, or holds afterwards.
  if (guards_.empty() && is_written_last(assigned, local)) {
    value(assigned, reg);
  } else {
    const Register made = code_.take();
    value(assigned, made);
    code_.add(Op::Move, reg, made);
  }
  if (types().is(body_.locals[local].type, TypeKind::Map) && !is_fresh(assigned)) code_.add(Op::Share, reg);
}

bool RoutineEmitter::mentions(NodeId node, std::uint32_t local) const {
  if (tree_.kind(node) == NodeKind::Ident || tree_.kind(node) == NodeKind::Field)
    if (meaning(node).kind == Meaning::Kind::Local && meaning(node).index == local) return true;
  return std::ranges::any_of(tree_.kids(node), [&](NodeId kid) { return mentions(kid, local); });
}

// Whether the code for `node` has read the local before it writes its target, so that this may be the local's
// own register.
bool RoutineEmitter::is_written_last(NodeId node, std::uint32_t local) const {
  if (!mentions(node, local)) return true;
  using Kind = CheckedMethod::Kind;
  switch (tree_.kind(node)) {
    case NodeKind::Ident:
    case NodeKind::Field:
    case NodeKind::Index:
    case NodeKind::Product:
    case NodeKind::Negate:
    case NodeKind::Compare:
    case NodeKind::Not:
    case NodeKind::And:
    case NodeKind::Or:
    case NodeKind::List: return true;
    case NodeKind::Sum:
    case NodeKind::Text:
    case NodeKind::TextBlock:
    case NodeKind::Html:
    case NodeKind::Kql:  // a text of one part is that part
      return std::ranges::all_of(tree_.kids(node), [&](NodeId kid) { return is_written_last(kid, local); });
    case NodeKind::Paren: return is_written_last(tree_.kid(node, 0), local);
    case NodeKind::IfExpr:
      return is_written_last(tree_.kid(node, 1), local) && is_written_last(tree_.kid(node, 2), local);
    case NodeKind::Call: {
      const auto method = builder_.checked().methods.find(node);
      if (method == builder_.checked().methods.end()) return true;
      switch (method->second.kind) {
        case Kind::Native:
        case Kind::Range:
        case Kind::ListLength:
        case Kind::ListTake:
        case Kind::ListSkip:
        case Kind::ListReverse:
        case Kind::ListDistinct:
        case Kind::ListSort:
        case Kind::ListSortBy:
        case Kind::ListJoin: return true;
        default: return false;
      }
    }
    default: return false;
  }
}

void RoutineEmitter::stop_statement(NodeId node) {
  const Register reason = code_.take();
  if (tree_.kids(node).empty())
    load_text("", kStringType, reason);
  else
    hole(tree_.kid(node, 0), NodeKind::Text, reason);
  leave_guards();
  code_.mark(node);
  code_.add(Op::Stop, reason);
}

void RoutineEmitter::text_statement(Op op, NodeId node) {
  const Register message = code_.take();
  hole(node, NodeKind::Text, message);
  code_.add(op, message);
}

void RoutineEmitter::if_statement(NodeId node) {
  const auto kids = tree_.kids(node);
  const auto otherwise = [&] {
    if (kids.size() < 3) return;
    if (tree_.kind(kids[2]) == NodeKind::If)
      statement(kids[2]);
    else
      block(kids[2]);
  };
  if (const auto known = folded(kids[0])) return known->number != 0 ? block(kids[1]) : otherwise();
  Label is_false, end;
  const std::uint32_t taken = code_.taken();
  branch(kids[0], false, is_false);
  code_.release_to(taken);
  block(kids[1]);
  if (kids.size() == 3) code_.jump(end);
  code_.place(is_false);
  otherwise();
  code_.place(end);
}

void RoutineEmitter::return_statement(NodeId node) {
  if (tree_.kids(node).empty()) {
    const Register nothing = code_.take();
    code_.add(Op::LoadNull, nothing);
    leave_guards();
    return give_result(nothing);
  }
  const NodeId given = tree_.kid(node, 0);
  Register result = operand(given);
  if (std::ranges::any_of(guards_, [](const Guard* guard) { return guard->finally != kNoNode; }) &&
      holds_local_[result]) {  // `finally` may change a variable
    const Register kept = code_.take();
    code_.add(Op::Move, kept, result);
    result = kept;
  }
  leave_guards();
  code_.mark(node);
  give_result(result);
}

NodeId RoutineEmitter::without_parens(NodeId node) const {
  while (tree_.kind(node) == NodeKind::Paren) node = tree_.kid(node, 0);
  return node;
}

}  // namespace flow
