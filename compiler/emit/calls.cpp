#include <algorithm>
#include <charconv>
#include <utility>

#include "base/mail_digest.hpp"
#include "base/text.hpp"
#include "compiler/emit/routine_emitter.hpp"
#include "compiler/resolve/parameter_default.hpp"

namespace flow {

void RoutineEmitter::call(NodeId node, Register target) {
  code_.mark(node);
  const CheckedFile& checked = builder_.checked();
  if (const auto found = checked.calls.find(node); found != checked.calls.end())
    return operation_call(node, found->second, target);
  if (const auto found = checked.invokes.find(node); found != checked.invokes.end())
    return invoke(node, found->second, target);
  if (const auto found = checked.flow_calls.find(node); found != checked.flow_calls.end())
    return flow_call(node, found->second, target);
  if (const auto found = checked.methods.find(node); found != checked.methods.end())
    return method(node, found->second, target);
}

void RoutineEmitter::operation_call(NodeId node, const CheckedCall& call, Register target) {
  const Operation& operation = builder_.library().operations[call.operation];
  Register first = 0;
  for (std::size_t i = 0; i < call.arguments.size(); ++i) {
    const Register argument = code_.take();
    if (i == 0) first = argument;
    if (call.arguments[i] == kNoNode)
      default_argument(operation.parameters[i], argument);
    else
      value(call.arguments[i], argument);
  }
  guard_call(call, first);
  if (const auto credential = builder_.checked().http_credentials.find(node);
      credential != builder_.checked().http_credentials.end())
    builder_.connector(credential->second);
  code_.mark(node);
  const auto site = static_cast<std::uint32_t>(routine_.call_sites.size());
  routine_.call_sites.push_back({.operation = builder_.operation(call.operation),
                                 .first_argument = first,
                                 .is_fetch = false,
                                 .options = {}});
  if (const auto options = builder_.checked().options.find(node); options != builder_.checked().options.end())
    if (options->second != CallOptions{}) routine_.call_sites.back().options = options->second;
  if (const auto& said = routine_.call_sites.back().options; said && said->lease_us > 0)
    builder_.lease(call.operation, node);
  if (is_digest(operation)) builder_.lease(call.operation, node);
  code_.add_imm(Op::Call, target, 0, 0, site);
}

// The arguments begin where the result will be: in `target` when nothing above it is in use, so that the
// result need not be moved there.
void RoutineEmitter::invoke(NodeId node, const CheckedInvoke& call, Register target) {
  const CheckedFunction& function = builder_.checked().functions[call.function];
  const bool may_come_back = may_hold_map(function.result);
  const Register first = is_temporary(target) ? target : code_.take();
  for (std::size_t i = 0; i < call.arguments.size(); ++i) {
    const Register argument = i == 0 ? first : code_.take();
    const NodeId given = call.arguments[i];
    if (!may_come_back && existing(given) && is_map_variable(given))
      code_.add(Op::Move, argument, *existing(given));  // the function only looks at it
    else
      value(given, argument);
    if (call.as_list.contains(i))
      code_.add_imm(Op::NewList, argument, argument, 1, builder_.type(function.locals[i].type));
  }
  bool is_first = call.arguments.empty();
  for (const std::uint32_t setting : function.settings)
    code_.add(Op::Move, std::exchange(is_first, false) ? first : code_.take(),
              setting_registers_.at(setting));
  const CheckedFlow* const protects = protecting(call.function);
  if (protects != nullptr) {  // behind them what the conditions need
    const ProtectionNeeds needs = needs_of_function(call.function);
    ready_for(call);
    const auto give = [&](std::optional<Given> here) {
      const Register to = std::exchange(is_first, false) ? first : code_.take();
      if (here)
        code_.add(Op::Move, to, here->reg);
      else
        code_.add(Op::LoadNull, to);
    };
    for (const std::uint32_t index : needs.bindings)
      give(given({.kind = Meaning::Kind::Binding, .index = index}));
    for (const std::uint32_t index : needs.entities)
      give(given({.kind = Meaning::Kind::Entity, .index = index}));
    for (const std::uint32_t index : needs.settings)
      give(Given{.reg = setting_registers_.at(index), .type = 0, .entity = 0});
  }
  code_.mark(node);
  code_.add_imm(Op::Invoke, first, 0, 0, builder_.function(call.function, protects));
  code_.add(Op::Move, target, first);
}

// Defaults are constants, kept as JSON: see parameter_default.hpp.
void RoutineEmitter::default_argument(const Parameter& parameter, Register target) {
  const std::string& json = parameter.default_json;
  const TypeId type = type_of_default(types(), parameter.type, json);
  if (json == "null") return code_.add(Op::LoadNull, target);
  if (json == "[]") return code_.add_imm(Op::NewList, target, target, 0, builder_.type(type));
  const Constant made = constant_of_default(type, json);
  constant(made, target);
  if (type == kJsonType) json_of(target, made.type, target);
}

Constant RoutineEmitter::constant_of_default(TypeId type, const std::string& json) {
  Constant made{.type = type, .number = 0, .real = 0, .text = {}};
  if (json == "true" || json == "false") {
    made.type = kBoolType;
    made.number = json == "true" ? 1 : 0;
  } else if (is_text_default(json)) {
    std::string text = text_of_default(json);
    if (types().is(type, TypeKind::Enum)) {
      made.number = types().enumeration(type).value(text).value_or(0);
    } else if (type == kDurationType) {
      made.number = parse_duration_us(text).value_or(0);
    } else if (type == kTimeType) {
      made.number = parse_time_us(text).value_or(0);
    } else {
      if (types().storage(type) != Storage::Text) made.type = kStringType;
      made.text = std::move(text);
    }
  } else if (type == kFloatType || json.find_first_of(".e") != std::string::npos) {
    made.type = kFloatType;
    std::from_chars(json.data(), json.data() + json.size(), made.real);
  } else {
    made.type = kIntType;
    std::from_chars(json.data(), json.data() + json.size(), made.number);
  }
  return made;
}

void RoutineEmitter::native(NativeId native, std::span<const NodeId> arguments, Register target) {
  const Register first = code_.take();
  for (std::size_t i = 0; i < arguments.size(); ++i) value(arguments[i], i == 0 ? first : code_.take());
  code_.add_imm(Op::Native, target, first, 0, static_cast<std::int64_t>(native));
}

}  // namespace flow
