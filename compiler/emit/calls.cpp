#include "compiler/emit/flow_emitter.hpp"

#include <charconv>

namespace flow {

void FlowEmitter::call(NodeId node, Register target) {
  mark(node);
  const CheckedFile& checked = builder_.checked();
  if (const auto found = checked.calls.find(node); found != checked.calls.end())
    return operation_call(node, found->second, target);
  if (const auto found = checked.methods.find(node); found != checked.methods.end())
    return method(node, found->second, target);
}

void FlowEmitter::operation_call(NodeId node, const CheckedCall& call, Register target) {
  const Operation& operation = builder_.library().operations[call.operation];
  const std::uint32_t saved = next_;
  std::vector<Register> arguments;
  for (std::size_t i = 0; i < call.arguments.size(); ++i) arguments.push_back(take());
  for (std::size_t i = 0; i < call.arguments.size(); ++i) {
    if (call.arguments[i] == kNoNode)
      default_argument(operation.parameters[i], arguments[i]);
    else
      value(call.arguments[i], arguments[i]);
  }
  mark(node);
  const auto site = static_cast<std::uint32_t>(code_.call_sites.size());
  code_.call_sites.push_back({.operation = builder_.operation(call.operation),
                              .first_argument = arguments.empty() ? std::uint8_t{0} : arguments[0],
                              .is_fetch = false});
  add_imm(Op::Call, target, 0, 0, site);
  next_ = saved;
}

// Defaults are constants, kept as JSON: null, true, 12, "text" or the name of an enum's value.
void FlowEmitter::default_argument(const Parameter& parameter, Register target) {
  const TypeId type = types().without_null(parameter.type);
  const std::string& json = parameter.default_json;
  if (json == "null") return add(Op::LoadNull, target);
  if (json == "true" || json == "false") return add(Op::LoadBool, target, json == "true");
  if (json.starts_with('"')) {
    const std::string text = json.substr(1, json.size() - 2);  // declarations hold plain text only
    if (types().is(type, TypeKind::Enum))
      return constant(builder_.type(type), types().enumeration(type).value(text).value_or(0), {}, target);
    return constant(types().storage(type) == Storage::Text ? type : kStringType, 0, text, target);
  }
  std::int64_t number = 0;
  std::from_chars(json.data(), json.data() + json.size(), number);
  constant(kIntType, number, {}, target);
}

void FlowEmitter::method(NodeId, const CheckedMethod& method, Register target) {
  switch (method.kind) {
    case CheckedMethod::Kind::ListLength: return add(Op::ListLength, target, operand(method.receiver));
    case CheckedMethod::Kind::ListContains: {
      const Register items = operand(method.receiver);
      return add(Op::Contains, target, items, operand(method.arguments[0]));
    }
    case CheckedMethod::Kind::ListAny:
    case CheckedMethod::Kind::ListAll: return loop(method, target);
    case CheckedMethod::Kind::Native: {
      const Register first = take();
      for (std::size_t i = 0; i < method.arguments.size(); ++i) take();
      value(method.receiver, first);
      for (std::size_t i = 0; i < method.arguments.size(); ++i)
        value(method.arguments[i], static_cast<Register>(first + 1 + i));
      return add_imm(Op::Native, target, first, 0, static_cast<std::int64_t>(method.native));
    }
    default: return;  // refused by report_unsupported()
  }
}

// any: true as soon as an item passes; all: false as soon as one does not.
void FlowEmitter::loop(const CheckedMethod& method, Register target) {
  const bool is_any = method.kind == CheckedMethod::Kind::ListAny;
  const Register items = operand(method.receiver);
  const Register at = take(), count = take(), one = take(), item = take(), test = take();
  constant(kIntType, 0, {}, at);
  constant(kIntType, 1, {}, one);
  add(Op::ListLength, count, items);
  local_registers_[method.parameter] = item;
  Label end, found;
  const std::uint32_t begin = here();
  add(Op::LessInt, test, at, count);
  jump(Op::JumpIfNot, test, end);
  add(Op::GetItem, item, items, at);
  value(method.arguments[0], test);
  jump(is_any ? Op::JumpIf : Op::JumpIfNot, test, found);
  add(Op::AddInt, at, at, one);
  jump_back(begin);
  place(end);
  add(Op::LoadBool, target, is_any ? 0 : 1);
  Label done;
  jump(Op::Jump, 0, done);
  place(found);
  add(Op::LoadBool, target, is_any ? 1 : 0);
  place(done);
}

}  // namespace flow
