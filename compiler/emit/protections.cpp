// `protect`: before a call that acts, the conditions are asked that speak of what it acts on. Where that is
// not what the trigger brought, it is fetched first, and stands for the entity of the trigger in the
// condition.
#include <fmt/format.h>

#include <algorithm>

#include "compiler/check/protection.hpp"
#include "compiler/emit/flow_emitter.hpp"

namespace flow {

void FlowEmitter::guard_call(const CheckedCall& call, Register first) {
  const Operation& operation = builder_.library().operations[call.operation];
  for (const Protection& protection : protections_of(tree_, builder_.checked(), flow_, operation)) {
    const std::uint32_t taken = code_.taken();
    const std::size_t target = *target_parameter(operation);
    if (protection.subject &&
        !is_of_trigger(tree_, builder_.checked(), trigger_, *protection.subject, call.arguments[target]))
      stand_in(*protection.subject, static_cast<Register>(first + target));
    Label passes;
    branch(protection.condition, false, passes);
    stand_in_.reset();
    const Register message = code_.take();
    load_text(
        fmt::format("`{}` is refused by `protect {}`", operation.name, tree_.text(protection.condition)),
        kStringType, message);
    raise(FaultKind::Protected, message);
    code_.place(passes);
    code_.release_to(taken);
  }
}

bool FlowEmitter::is_stand_in(const Meaning& what) const {
  if (!stand_in_) return false;
  if (what.kind == Meaning::Kind::Binding)
    return trigger_.bindings[what.index].name == trigger_.entities[stand_in_->entity].argument;
  return (what.kind == Meaning::Kind::Entity || what.kind == Meaning::Kind::EntityField) &&
         what.index == stand_in_->entity;
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

void FlowEmitter::stand_in(std::uint32_t entity, Register id) {
  const Register argument = code_.take(), fetched = code_.take();
  code_.add(Op::Move, argument, id);
  const auto site = static_cast<std::uint32_t>(routine_.call_sites.size());
  routine_.call_sites.push_back({.operation = entity_operations_.at(entity),
                                 .first_argument = argument,
                                 .is_fetch = true,
                                 .options = {}});
  code_.add_imm(Op::Call, fetched, 0, 0, site);
  stand_in_ = StandIn{.entity = entity, .record = fetched, .id = id};
}

}  // namespace flow
