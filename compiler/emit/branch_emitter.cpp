#include "compiler/emit/branch_emitter.hpp"

#include <fmt/format.h>

#include "compiler/syntax/loop.hpp"

namespace flow {

BranchEmitter::BranchEmitter(ModuleBuilder& builder, const Tree& tree, const CheckedBody& body,
                             EmitOptions options, NodeId place, const CheckedFlow* protected_by)
    : RoutineEmitter(builder, tree, body, made_, options), place_(place) {
  code_.mark(place);
  protected_by_ = protected_by;
}

BranchEmitter::Register BranchEmitter::parameter(TypeId module_type) {
  made_.parameters.push_back(module_type);
  return code_.take();
}

void BranchEmitter::item(NodeId ident, TypeId type) {
  const Register reg = parameter(builder_.type(type));
  if (ident != kNoNode) name_local(meaning(ident).index, reg);
}

void BranchEmitter::take_captures(std::span<const Capture> captures) {
  for (const Capture& capture : captures) {
    const Register reg = parameter(capture.given.type);
    if (capture.meaning.kind == Meaning::Kind::Local) {
      name_local(capture.meaning.index, reg);
    } else if (capture.meaning.kind == Meaning::Kind::Setting) {
      setting_registers_.emplace(capture.meaning.index, reg);
      code_.name(reg, capture.name);
    } else {
      given_.emplace(std::pair(capture.meaning.kind, capture.meaning.index),
                     Given{reg, capture.given.type, capture.given.entity});
      if (!capture.name.empty()) code_.name(reg, capture.name);
    }
  }
  if (protected_by_ == nullptr) return;
  const Trigger& trigger = builder_.checked().triggers[protected_by_->trigger];
  std::set<std::uint32_t> subjects;  // what may be asked about was captured, with what it is known by
  for (std::uint32_t i = 0; i < trigger.entities.size(); ++i)
    if (given_.contains({Meaning::Kind::Entity, i}) &&
        is_subject(tree_, builder_.checked(), *protected_by_, i))
      subjects.insert(i);
  remember_asked(subjects);
}

TypeId BranchEmitter::do_statement(NodeId node) {
  statement(node);
  return_null();
  return kNullType;
}

void BranchEmitter::return_null() {
  const Register nothing = code_.take();
  code_.add(Op::LoadNull, nothing);
  code_.add(Op::Return, nothing);
}

TypeId BranchEmitter::do_item(const LoopParts& parts, TypeId yields, bool yields_once) {
  if (yields == kNoType && parts.collects) {  // null, or what went wrong
    Guard guard;
    open_guard(guard);
    block(parts.body);
    close_guard(guard);
    return_null();
    if (guard.begin < guard.end) code_.add(Op::Return, place_handler(guard));
    return builder_.module().types.optional(kStringType);
  }
  if (yields == kNoType) {
    block(parts.body);
    return_null();
    return kNullType;
  }
  const TypeId type = builder_.type(yields);
  if (parts.collects) {
    const Register result = code_.take();
    yields_.push_back({.list = result, .result = type, .collects = true, .returns = true});
    Guard guard;
    open_guard(guard);
    block(parts.body);
    close_guard(guard);
    yields_.pop_back();
    return_null_of(type);
    if (guard.begin < guard.end) {
      place_handler(guard);
      const bool has_value = types().record(yields).fields.size() == 3;
      failed_result(code_.take(has_value ? 3 : 2), has_value, type, result);
      code_.add(Op::Return, result);
    }
    return type;
  }
  if (yields_once) {
    yields_.push_back({.list = 0, .result = type, .collects = false, .returns = true});
    block(parts.body);
    yields_.pop_back();
    return_null_of(type);
    return type;
  }
  const TypeId list_type = builder_.module().types.list(type);
  const Register list = code_.take();
  code_.add_imm(Op::NewList, list, list, 0, list_type);
  yields_.push_back({.list = list, .result = type, .collects = false, .returns = false});
  block(parts.body);
  yields_.pop_back();
  code_.add(Op::Return, list);
  return list_type;
}

// Behind a block that has returned: the code must not run off its end.
void BranchEmitter::return_null_of(TypeId) {
  const Register message = code_.take();
  load_text("this is never reached", kStringType, message);
  code_.add(Op::Fail, message);
}

TypeId BranchEmitter::do_call_of(std::span<const NodeId> calls, Register chosen,
                                 std::span<const Register> is_wanted) {
  for (std::size_t i = 0; i < calls.size(); ++i) {
    Label next, unwanted;
    const std::uint32_t taken = code_.taken();
    if (i + 1 < calls.size())
      code_.jump_short(Op::JumpIfNotEqualImm, chosen, static_cast<std::int64_t>(i), next);
    code_.jump(Op::JumpIfNot, is_wanted[i], 0, unwanted);
    code_.mark(calls[i]);
    Guard guard;
    open_guard(guard);
    value(calls[i], code_.take());
    close_guard(guard);
    code_.place(unwanted);
    return_null();
    if (guard.begin < guard.end) {
      place_handler(guard);
      const Register error = code_.take();
      caught(error);
      code_.add(Op::Return, error);
    }
    code_.release_to(taken);
    code_.place(next);
  }
  return builder_.module().types.optional(error_type());
}

FunctionCode BranchEmitter::finish(TypeId result) {
  made_.result = result;
  complete();
  made_.name = fmt::format("{} (a branch)", body_.name);
  made_.line = tree_.line(place_);
  return std::move(made_);
}

// ---- What the trigger gives: it was fetched before the branch began

void BranchEmitter::trigger_value(NodeId node, Register target) {
  const Meaning& what = meaning(node);
  const std::optional<Given> here = given(what);
  if (!here) return;
  const bool may_be_null = what.kind == Meaning::Kind::Binding &&
                           (builder_.checked().is_unwrapped[node] != 0 || types().is_optional(type_of(node)));
  code_.add(may_be_null ? Op::Move : Op::Unwrap, target, here->reg);
  if (what.kind == Meaning::Kind::EntityField)
    code_.add(Op::GetField, target, target, builder_.field(here->entity, what.field));
}

std::optional<RoutineEmitter::Given> BranchEmitter::given(const Meaning& what) const {
  const auto found = given_.find(capture_key(what));
  if (found == given_.end()) return std::nullopt;
  return found->second;
}

std::optional<CodeWriter::Register> BranchEmitter::printable_register(NodeId node) const {
  if (meaning(node).kind != Meaning::Kind::Binding) return std::nullopt;
  const std::optional<Given> here = given(meaning(node));
  return here ? std::optional(here->reg) : std::nullopt;
}

}  // namespace flow
