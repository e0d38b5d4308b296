#include "compiler/emit/guard_emitter.hpp"

#include <fmt/format.h>

namespace flow {

GuardEmitter::GuardEmitter(ModuleBuilder& builder, const Tree& tree, const CheckedFlow& flow,
                           const Protection& protection, const Operation& operation, EmitOptions options)
    : RoutineEmitter(builder, tree, flow, made_, options),
      flow_(flow),
      trigger_(builder.checked().triggers[flow.trigger]),
      protection_(protection),
      operation_(operation) {}

GuardEmitter::Register GuardEmitter::parameter(TypeId module_type) {
  made_.parameters.push_back(module_type);
  return code_.take();
}

// The parameters stand in the order in which RoutineEmitter::ask() gives them.
FunctionCode GuardEmitter::run(Diagnostics& diagnostics) {
  TypeTable& own = builder_.module().types;
  code_.mark(protection_.condition);
  made_.result = kNullType;
  if (protection_.subject) {
    const TypeId id = builder_.type(subject_id_type(types(), trigger_, *protection_.subject));
    const TypeId record = builder_.type(trigger_.entities[*protection_.subject].type);
    made_.result = own.optional(record);
    target_ = parameter(id);
    for (int i = 0; i < 2; ++i) {  // what the trigger brought, what was asked about last
      Known known;
      known.id = parameter(own.optional(id));
      known.record = parameter(own.optional(record));
      known_.push_back(known);
    }
  } else {
    target_ = parameter(own.optional(kJsonType));
  }
  const ProtectionNeeds needs = needs_of(tree_, builder_.checked(), flow_, protection_);
  for (const std::uint32_t index : needs.other_bindings) {
    const TypeId type = own.optional(builder_.type(types().without_null(trigger_.bindings[index].type)));
    given_[{Meaning::Kind::Binding, index}] = parameter(type);
  }
  for (const std::uint32_t index : needs.other_entities)
    given_[{Meaning::Kind::Entity, index}] =
        parameter(own.optional(builder_.type(trigger_.entities[index].type)));
  for (const std::uint32_t index : needs.settings)
    setting_registers_[index] = parameter(builder_.type(builder_.checked().settings[index].type));
  if (protection_.subject) find_subject();
  Label passes;
  branch(protection_.condition, false, passes);
  Register refused = target_;
  if (protection_.subject) {
    refused = code_.take();
    json_of(target_, subject_id_type(types(), trigger_, *protection_.subject), refused);
  }
  refuse(protection_, operation_, refused);
  code_.place(passes);
  const Register result = code_.take();
  if (protection_.subject)
    code_.add(Op::Move, result, subject_);
  else
    code_.add(Op::LoadNull, result);
  code_.add(Op::Return, result);
  finish("flow", diagnostics);
  made_.name = fmt::format("{} (protect)", flow_.name);
  made_.line = tree_.line(protection_.condition);
  return std::move(made_);
}

// What the target is known to be, or it is fetched.
void GuardEmitter::find_subject() {
  subject_ = code_.take();
  const std::uint32_t taken = code_.taken();
  Label found;
  if (types().storage(subject_id_type(types(), trigger_, *protection_.subject)) == Storage::Text)
    for (const Known& known : known_) {
      Label next;
      const Register id = code_.take(), is_same = code_.take();
      code_.jump(Op::JumpIfNull, known.id, 0, next);
      code_.jump(Op::JumpIfNull, known.record, 0, next);
      code_.add(Op::Unwrap, id, known.id);
      code_.add(Op::EqualText, is_same, id, target_);
      code_.jump(Op::JumpIfNot, is_same, 0, next);
      code_.add(Op::Unwrap, subject_, known.record);
      code_.jump(found);
      code_.place(next);
    }
  const Register argument = code_.take();
  code_.add(Op::Move, argument, target_);
  const auto site = static_cast<std::uint32_t>(routine_.call_sites.size());
  const std::string operation = trigger_.connector + "." + trigger_.entities[*protection_.subject].operation;
  routine_.call_sites.push_back(
      {.operation = builder_.operation(builder_.library().operation_names.at(operation)),
       .first_argument = argument,
       .is_fetch = true,
       .options = {}});
  code_.add_imm(Op::Call, subject_, 0, 0, site);
  code_.place(found);
  code_.release_to(taken);
}

bool GuardEmitter::is_subject(const Meaning& what) const {
  if (!protection_.subject) return false;
  if (what.kind == Meaning::Kind::Binding)
    return trigger_.bindings[what.index].name == trigger_.entities[*protection_.subject].argument;
  return (what.kind == Meaning::Kind::Entity || what.kind == Meaning::Kind::EntityField) &&
         what.index == *protection_.subject;
}

void GuardEmitter::trigger_value(NodeId node, Register target) {
  const Meaning& what = meaning(node);
  const bool is_field = what.kind == Meaning::Kind::EntityField;
  if (is_subject(what)) {
    if (is_field)
      return code_.add(Op::GetField, target, subject_,
                       builder_.field(trigger_.entities[what.index].type, what.field));
    return code_.add(Op::Move, target, what.kind == Meaning::Kind::Binding ? target_ : subject_);
  }
  const auto given = given_.find(capture_key(what));
  if (given == given_.end()) return;
  const bool may_be_null =
      what.kind == Meaning::Kind::Binding && types().is_optional(trigger_.bindings[what.index].type);
  code_.add(may_be_null ? Op::Move : Op::Unwrap, target, given->second);
  if (is_field)
    code_.add(Op::GetField, target, target, builder_.field(trigger_.entities[what.index].type, what.field));
}

std::optional<CodeWriter::Register> GuardEmitter::trigger_register(NodeId node) const {
  const Meaning& what = meaning(node);
  if (what.kind == Meaning::Kind::Binding && is_subject(what)) return target_;
  return std::nullopt;
}

std::optional<CodeWriter::Register> GuardEmitter::printable_register(NodeId node) const {
  const Meaning& what = meaning(node);
  if (what.kind != Meaning::Kind::Binding) return std::nullopt;
  if (is_subject(what)) return target_;
  const auto given = given_.find(capture_key(what));
  return given == given_.end() ? std::nullopt : std::optional(given->second);
}

}  // namespace flow
