#include "compiler/emit/function_emitter.hpp"

#include <fmt/format.h>

namespace flow {

FunctionEmitter::FunctionEmitter(ModuleBuilder& builder, const Tree& tree, const CheckedFunction& function,
                                 EmitOptions options, const CheckedFlow* protected_by)
    : RoutineEmitter(builder, tree, function, made_, options), function_(function) {
  protected_by_ = protected_by;
}

FunctionCode FunctionEmitter::run(Diagnostics& diagnostics) {
  made_.result = function_.result == kNothingType ? kNullType : builder_.type(function_.result);
  for (std::uint32_t i = 0; i < function_.defaults.size(); ++i) {
    made_.parameters.push_back(builder_.type(function_.locals[i].type));
    name_local(i, code_.take());
  }
  for (const std::uint32_t index : function_.settings) {
    const CheckedSetting& setting = builder_.checked().settings[index];
    made_.parameters.push_back(builder_.type(setting.type));
    setting_registers_[index] = code_.take();
    code_.name(setting_registers_[index], setting.name);
  }
  code_.mark(function_.node);
  if (protected_by_ != nullptr) take_protections();
  const bool is_block = tree_.kind(function_.body) == NodeKind::Block;
  if (is_block) block(function_.body);
  // Behind a block that returns on every path this is never reached; the code must not run off its end.
  Register result = 0;
  if (!is_block) {
    code_.mark(function_.body);
    result = operand(function_.body);
  } else {
    result = code_.take();
    code_.add(Op::LoadNull, result);
  }
  code_.add(Op::Return, result);
  finish("function", diagnostics);
  if (protected_by_ != nullptr) made_.name += fmt::format(" (for {})", protected_by_->name);
  return std::move(made_);
}

// Behind the arguments of the function stands what RoutineEmitter::invoke() gives it for the conditions.
void FunctionEmitter::take_protections() {
  const Trigger& trigger = builder_.checked().triggers[protected_by_->trigger];
  TypeTable& own = builder_.module().types;
  const auto index = static_cast<std::uint32_t>(&function_ - builder_.checked().functions.data());
  const ProtectionNeeds needs = needs_of_function(index);
  const auto take = [&](Meaning::Kind kind, std::uint32_t of, TypeId type, TypeId entity) {
    made_.parameters.push_back(type);
    given_[{kind, of}] = Given{.reg = code_.take(), .type = type, .entity = entity};
  };
  for (const std::uint32_t of : needs.bindings)
    take(Meaning::Kind::Binding, of,
         own.optional(builder_.type(types().without_null(trigger.bindings[of].type))), 0);
  for (const std::uint32_t of : needs.entities)
    take(Meaning::Kind::Entity, of, own.optional(builder_.type(trigger.entities[of].type)),
         trigger.entities[of].type);
  for (const std::uint32_t of : needs.settings) {
    made_.parameters.push_back(builder_.type(builder_.checked().settings[of].type));
    setting_registers_[of] = code_.take();
  }
  remember_asked(needs.subjects);
}

std::optional<RoutineEmitter::Given> FunctionEmitter::given(const Meaning& what) const {
  const auto found = given_.find(capture_key(what));
  if (found == given_.end()) return std::nullopt;
  return found->second;
}

}  // namespace flow
