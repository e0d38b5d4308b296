// `protect`: before a call that acts, the conditions are asked that speak of what it acts on, wherever the
// call stands. Of what the trigger brought a flow asks itself; for all other targets, and in branches and
// functions, a function of the module asks (guard_emitter.hpp). Branches and functions are given what it
// needs.
#include <fmt/format.h>

#include <algorithm>

#include "compiler/check/protection.hpp"
#include "compiler/emit/flow_emitter.hpp"

namespace flow {

bool RoutineEmitter::is_protected(std::uint32_t operation) const {
  return protected_by_ != nullptr &&
         !protections_of(tree_, builder_.checked(), *protected_by_, builder_.library().operations[operation])
              .empty();
}

const CheckedFlow* RoutineEmitter::protecting(std::uint32_t function) const {
  const FunctionEffects& effects = builder_.checked().functions[function].effects;
  const bool acts = std::ranges::any_of(effects.operations,
                                        [&](std::uint32_t operation) { return is_protected(operation); });
  return acts ? protected_by_ : nullptr;
}

// What is given to a function of the program that acts, besides its own arguments.
ProtectionNeeds RoutineEmitter::needs_of_function(std::uint32_t function) const {
  const CheckedFunction& invoked = builder_.checked().functions[function];
  ProtectionNeeds all = needs_of_operations(tree_, builder_.library(), builder_.checked(), *protected_by_,
                                            invoked.effects.operations);
  std::erase_if(all.settings, [&](std::uint32_t setting) { return invoked.settings.contains(setting); });
  return all;
}

void RoutineEmitter::guard_call(const CheckedCall& call, Register first) {
  if (protected_by_ == nullptr) return;
  const Operation& operation = builder_.library().operations[call.operation];
  for (const Protection& protection : protections_of(tree_, builder_.checked(), *protected_by_, operation))
    ask(protection, operation, static_cast<Register>(first + *target_parameter(operation)));
}

// The act is refused. The runtime notes that first (flow.refuse), so that it is known whatever the flow does
// with the error.
void RoutineEmitter::refuse(const Protection& protection, const Operation& operation, Register target) {
  const std::string condition(tree_.text(protection.condition));
  const Register first = code_.take(), given = code_.take(), reason = code_.take();
  load_text(operation.full_name(), kStringType, first);
  code_.add(Op::Move, given, target);
  load_text(fmt::format("`protect {}`", condition), kStringType, reason);
  system_call(builder_.library().operation_names.at("flow.refuse"), first, first);
  const Register message = code_.take();
  load_text(fmt::format("`{}` is refused by `protect {}`", operation.name, condition), kStringType, message);
  raise(FaultKind::Protected, message);
}

// Has the condition asked of the target in the register.
void RoutineEmitter::ask(const Protection& protection, const Operation& operation, Register target) {
  const std::uint32_t taken = code_.taken();
  const Trigger& trigger = builder_.checked().triggers[protected_by_->trigger];
  const ProtectionNeeds needs = needs_of(tree_, builder_.checked(), *protected_by_, protection);
  const Register first = code_.take();
  bool is_first = true;
  const auto next = [&] { return std::exchange(is_first, false) ? first : code_.take(); };
  const auto give_trigger = [&](Meaning::Kind kind, std::uint32_t index) {
    const Register to = next();
    if (const std::optional<Given> here = given({.kind = kind, .index = index}))
      code_.add(Op::Move, to, here->reg);
    else
      code_.add(Op::LoadNull, to);
  };
  const auto slot = protection.subject ? asked_.find(*protection.subject) : asked_.end();
  if (protection.subject) {
    code_.add(Op::Move, next(), target);
    give_trigger(Meaning::Kind::Binding, subject_binding(trigger, *protection.subject));
    give_trigger(Meaning::Kind::Entity, *protection.subject);
    for (std::uint32_t i = 0; i < 2; ++i) {
      const Register to = next();
      if (slot == asked_.end())
        code_.add(Op::LoadNull, to);
      else
        code_.add(Op::Move, to, slot->second + i);
    }
  } else {
    builder_.module().types.optional(kJsonType);
    json_of(target, operation.parameters[*target_parameter(operation)].type, next());
  }
  for (const std::uint32_t index : needs.other_bindings) give_trigger(Meaning::Kind::Binding, index);
  for (const std::uint32_t index : needs.other_entities) give_trigger(Meaning::Kind::Entity, index);
  for (const std::uint32_t index : needs.settings) code_.add(Op::Move, next(), setting_registers_.at(index));
  code_.add_imm(Op::Invoke, first, 0, 0, builder_.guard(*protected_by_, protection, operation));
  if (slot != asked_.end()) {
    code_.add(Op::Move, slot->second, target);
    code_.add(Op::Move, slot->second + 1u, first);
  }
  code_.release_to(taken);
}

// Registers for what was asked about last: its ID and what it is, null at first.
void RoutineEmitter::remember_asked(const std::set<std::uint32_t>& subjects) {
  const Trigger& trigger = builder_.checked().triggers[protected_by_->trigger];
  TypeTable& own = builder_.module().types;
  for (const std::uint32_t subject : subjects) {
    own.optional(builder_.type(subject_id_type(types(), trigger, subject)));
    own.optional(builder_.type(trigger.entities[subject].type));
    const Register id = code_.take(2);
    asked_[subject] = id;
    code_.add(Op::LoadNull, id);
    code_.add(Op::LoadNull, id + 1u);
  }
}

// What the calls within are asked about, and the functions within are given.
void RoutineEmitter::capture_protections(NodeId node,
                                         std::map<std::pair<Meaning::Kind, std::uint32_t>, Capture>& found) {
  if (protected_by_ == nullptr) return;
  const CheckedFile& checked = builder_.checked();
  ProtectionNeeds needs;
  if (const auto call = checked.calls.find(node); call != checked.calls.end())
    needs = needs_of_operations(tree_, builder_.library(), checked, *protected_by_, {call->second.operation});
  if (const auto invoke = checked.invokes.find(node); invoke != checked.invokes.end())
    needs = needs_of_operations(tree_, builder_.library(), checked, *protected_by_,
                                checked.functions[invoke->second.function].effects.operations);
  const auto take = [&](Meaning::Kind kind, std::uint32_t index) {
    const Meaning what{.kind = kind, .index = index};
    if (const std::optional<Given> outside = given(what))
      found.try_emplace(capture_key(what), Capture{.meaning = what, .given = *outside, .name = {}});
  };
  for (const std::uint32_t index : needs.bindings) take(Meaning::Kind::Binding, index);
  for (const std::uint32_t index : needs.entities) take(Meaning::Kind::Entity, index);
  for (const std::uint32_t index : needs.settings) capture_setting(index, found);
}

// ---- In a flow

void FlowEmitter::guard_call(const CheckedCall& call, Register first) {
  const Operation& operation = builder_.library().operations[call.operation];
  for (const Protection& protection : protections_of(tree_, builder_.checked(), flow_, operation)) {
    const std::size_t target = *target_parameter(operation);
    if (protection.subject &&
        !is_of_trigger(tree_, builder_.checked(), trigger_, *protection.subject, call.arguments[target])) {
      for (const std::uint32_t entity : needs_of(tree_, builder_.checked(), flow_, protection).other_entities)
        ensure_entity(entity);
      ask(protection, operation, static_cast<Register>(first + target));
      continue;
    }
    const std::uint32_t taken = code_.taken();
    Label passes;
    branch(protection.condition, false, passes);
    builder_.module().types.optional(kJsonType);
    const Register as_json = code_.take();
    json_of(static_cast<Register>(first + target), operation.parameters[target].type, as_json);
    refuse(protection, operation, as_json);
    code_.place(passes);
    code_.release_to(taken);
  }
}

void FlowEmitter::find_others_asked(NodeId node, std::set<std::uint32_t>& subjects) const {
  const CheckedFile& checked = builder_.checked();
  if (const auto call = checked.calls.find(node); call != checked.calls.end()) {
    const Operation& operation = builder_.library().operations[call->second.operation];
    for (const Protection& protection : protections_of(tree_, checked, flow_, operation))
      if (protection.subject && !is_of_trigger(tree_, checked, trigger_, *protection.subject,
                                               call->second.arguments[*target_parameter(operation)]))
        subjects.insert(*protection.subject);
  }
  for (const NodeId kid : tree_.kids(node)) find_others_asked(kid, subjects);
}

void FlowEmitter::ready_for(const CheckedInvoke& invoke) {
  for (const std::uint32_t entity :
       needed_before(tree_, builder_.library(), builder_.checked(), flow_, invoke))
    ensure_entity(entity);
}

// `once per key within window`: the runtime knows which keys came.
void FlowEmitter::emit_once() {
  const std::uint32_t taken = code_.taken();
  code_.mark(flow_.once_key);
  const Register key = code_.take(), window = code_.take();
  hole(flow_.once_key, NodeKind::Text, key);
  value(flow_.once_window, window);
  system_call(builder_.library().operation_names.find("flow.once")->second, key, key);
  code_.jump(Op::JumpIfNot, key, 0, skip_);
  code_.release_to(taken);
}

}  // namespace flow
