#include "compiler/emit/function_emitter.hpp"

namespace flow {

FunctionEmitter::FunctionEmitter(ModuleBuilder& builder, const Tree& tree, const CheckedFunction& function,
                                 EmitOptions options)
    : RoutineEmitter(builder, tree, function, made_, options), function_(function) {}

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
  return std::move(made_);
}

}  // namespace flow
