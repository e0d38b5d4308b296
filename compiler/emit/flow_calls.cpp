// `call flow(…)` and `start flow(…)`: the arguments as one Json object, and an operation of the runtime,
// which carries out the flow.
#include <algorithm>

#include "compiler/emit/routine_emitter.hpp"

namespace flow {

void RoutineEmitter::flow_call(NodeId node, const CheckedFlowCall& call, Register target) {
  const CheckedFlow& flow = builder_.checked().flows[call.flow];
  const TypeId type = builder_.type(call.record);
  const Register name = code_.take(), arguments = code_.take();
  const std::uint32_t taken = code_.taken();
  load_text(flow.name, kStringType, name);
  const Register first = code_.take(std::max<std::size_t>(1, call.arguments.size()));
  if (call.arguments.empty()) code_.add(Op::LoadNull, first);
  for (std::size_t i = 0; i < call.arguments.size(); ++i)
    value(call.arguments[i],
          static_cast<Register>(std::min<std::size_t>(first + i, CodeWriter::kMaxRegisters)));
  code_.mark(node);
  const Register record = code_.take();
  code_.add_imm(Op::NewRecord, record, first, 0, type);
  code_.add_imm(Op::ToJson, arguments, record, 0, type);
  code_.release_to(taken);
  const auto operation =
      builder_.library().operation_names.find(call.is_started ? "flow.start" : "flow.call");
  if (call.is_started) return system_call(operation->second, name, target);
  const Register result = code_.take();
  builder_.module().types.optional(kJsonType);
  system_call(operation->second, name, result);
  if (const auto options = builder_.checked().options.find(node); options != builder_.checked().options.end())
    if (options->second != CallOptions{}) routine_.call_sites.back().options = options->second;
  const TypeId given = builder_.checked().triggers[flow.trigger].result;
  if (given != kNullType)
    code_.add_imm(Op::JsonTo, target, result, 0, builder_.type(given));
  else
    code_.add(Op::LoadNull, target);
}

}  // namespace flow
