#include "compiler/emit/flow_emitter.hpp"

#include <algorithm>

#include "base/mail_digest.hpp"

namespace flow {

FlowEmitter::FlowEmitter(ModuleBuilder& builder, const Tree& tree, const CheckedFlow& flow,
                         const FlowPlan& plan, EmitOptions options)
    : RoutineEmitter(builder, tree, flow, made_, options),
      flow_(flow),
      plan_(plan),
      trigger_(builder.checked().triggers[flow.trigger]) {
  if (!flow.protects.empty()) protected_by_ = &flow;
}

FlowCode FlowEmitter::run(Diagnostics& diagnostics) {
  made_.doc = flow_.doc;
  made_.trigger = builder_.trigger(flow_.trigger);
  declare_inputs();
  code_.mark(flow_.node);
  made_.result = builder_.type(trigger_.result);
  argument_defaults();
  if (flow_.is_value) {
    made_.result = builder_.type(flow_.value_type);
    code_.add(Op::FinishWith, operand(flow_.body));
    finish("value", diagnostics);
    fill_manifest();
    return std::move(made_);
  }
  if (flow_.condition != kNoNode) emit_condition();
  if (flow_.once_key != kNoNode) emit_once();
  code_.add(Op::EnterBody);
  declare_undos();
  if (protected_by_ != nullptr) {
    std::set<std::uint32_t> subjects;
    for (const NodeId part : {flow_.body, flow_.handler})
      if (part != kNoNode) find_others_asked(part, subjects);
    remember_asked(subjects);
  }
  const std::uint32_t begin = code_.here();
  block(flow_.body);
  const std::uint32_t end = code_.here();
  code_.add(Op::Finish);
  if ((flow_.handler != kNoNode || !flow_.undos.empty()) && begin < end) emit_handler(begin, end);
  if (!skip_.jumps.empty()) {
    code_.mark(flow_.condition == kNoNode ? flow_.once_key : flow_.condition);
    code_.place(skip_);
    code_.add(Op::Skip);
  }
  finish("flow", diagnostics);
  note_policies();
  fill_manifest();
  return std::move(made_);
}

void FlowEmitter::declare_inputs() {
  for (const std::uint32_t index : plan_.bindings) {
    const Trigger::Binding& binding = trigger_.bindings[index];
    const TypeId type = builder_.type(binding.type);
    binding_registers_[index] = code_.take();
    made_.inputs.push_back({.name = binding.name,
                            .type = is_there(index) ? type : builder_.module().types.optional(type),
                            .source = Input::Source::Binding,
                            .wire = binding.wire});
  }
  for (const std::uint32_t index : plan_.entities) {
    const Trigger::Entity& entity = trigger_.entities[index];
    entity_registers_[index] = code_.take();
    made_.inputs.push_back({.name = entity.name,
                            .type = builder_.module().types.optional(builder_.type(entity.type)),
                            .source = index == 0 ? Input::Source::Entity : Input::Source::Fetched,
                            .wire = {}});
    entity_operations_[index] = builder_.operation(
        builder_.library().operation_names.at(trigger_.connector + "." + entity.operation));
  }
  for (const std::uint32_t index : flow_.settings) {
    setting_registers_[index] = code_.take();
    made_.inputs.push_back(builder_.setting(index));
  }
  for (std::uint32_t i = 0; i < made_.inputs.size(); ++i)
    code_.name(static_cast<Register>(i), made_.inputs[i].name);
}

bool FlowEmitter::is_there(std::uint32_t binding) const {
  const Trigger::Binding& declared = trigger_.bindings[binding];
  if (types().is_optional(declared.type)) return true;  // or null, which its type says
  if (trigger_.kind == Trigger::Kind::Poll) return declared.wire == trigger_.key_field;
  return !flow_.argument_defaults.contains(binding);
}

void FlowEmitter::argument_defaults() {
  for (const auto& [binding, given] : flow_.argument_defaults) {
    const auto input = binding_registers_.find(binding);
    if (input == binding_registers_.end()) continue;
    const std::uint32_t taken = code_.taken();
    Label is_given;
    code_.mark(given);
    code_.jump(Op::JumpIfSet, input->second, 0, is_given);
    const Register made = code_.take();
    value(given, made);
    code_.add(Op::Move, input->second, made);
    code_.place(is_given);
    code_.release_to(taken);
  }
}

void FlowEmitter::emit_condition() {
  code_.mark(flow_.condition);
  if (plan_.condition_order.empty())
    branch(flow_.condition, false, skip_);
  else
    for (const NodeId part : plan_.condition_order) branch(part, false, skip_);
}

void FlowEmitter::emit_handler(std::uint32_t body_begin, std::uint32_t body_end) {
  const std::uint32_t taken = code_.taken();
  const std::size_t names = code_.names();
  const Register message = code_.take();
  made_.handlers.push_back(
      {.begin = body_begin, .end = body_end, .target = code_.here(), .register_ = message});
  const bool has_handler = flow_.handler != kNoNode;
  const bool needs_value =
      has_handler && flow_.has_error_local && needs_error(flow_.handler, flow_.error_local);
  const bool is_kept = !flow_.undos.empty() || (has_handler && handles_errors(flow_.handler));
  std::optional<Register> error;
  if (needs_value || is_kept) {
    code_.mark(has_handler ? flow_.handler : flow_.undos.front());
    error = code_.take();
    caught(*error);
  }
  const std::uint32_t begin = code_.here();
  emit_undos();
  if (has_handler) {
    if (flow_.has_error_local) name_error(flow_.error_local, message, error);
    block(flow_.handler);
    code_.mark(flow_.handler);
  }
  note_cleanup(begin);
  if (is_kept)
    code_.add(Op::Throw, *error);
  else
    code_.add(Op::Raise);
  end_locals(taken, names);
}

void FlowEmitter::note_policies() {
  made_.policies = flow_.policies;
  for (Policies::Limit& limit : made_.policies.limits) {
    limit.operation = builder_.operation(limit.operation);
    if (limit.otherwise == Policies::Limit::Otherwise::Ask) builder_.add_mail();
  }
}

// The first call with a lease that the operation ends.
NodeId FlowEmitter::leased_call(std::uint32_t undoing) const {
  const auto& operations = builder_.library().operations;
  for (const auto& [leased, node] : plan_.leases)
    if (operations[leased].connector == operations[undoing].connector &&
        operations[leased].inverse == operations[undoing].name)
      return node;
  return kNoNode;
}

void FlowEmitter::fill_manifest() {
  Manifest& manifest = made_.manifest;
  for (const auto& [entity, operation] : entity_operations_) {
    const auto fetch = std::ranges::find(plan_.fetches, entity, &PlannedFetch::entity);
    if (fetch != plan_.fetches.end())
      manifest.calls.push_back({.operation = operation, .at_most = 1, .is_fetch = true, .line = fetch->line});
  }
  for (const auto& [operation, bound] : plan_.calls) {
    const auto first = plan_.first_call.find(operation);
    // None: it only ends leases.
    const NodeId node = first != plan_.first_call.end() ? first->second : leased_call(operation);
    manifest.calls.push_back({.operation = builder_.operation(operation),
                              .at_most = bound.times,
                              .is_fetch = false,
                              .line = node == kNoNode ? 0 : tree_.line(node),
                              .loop_line = bound.loop == kNoNode ? 0 : tree_.line(bound.loop)});
  }
  for (const auto& [entity, fields] : plan_.reads)
    manifest.reads.push_back({.entity = entity, .fields = {fields.begin(), fields.end()}});
  for (const PlannedRecipients& recipients : plan_.recipients)
    manifest.recipients.push_back({.operation = builder_.operation(recipients.operation),
                                   .parameter = recipients.parameter,
                                   .constants = recipients.constants,
                                   .computed = recipients.computed});
  for (const auto& [run, node] : plan_.flows)
    manifest.flows.push_back({.flow = run.first, .is_started = run.second, .line = tree_.line(node)});
  for (const auto& [operation, node] : plan_.leases)
    manifest.flows.push_back(
        {.flow = builder_.lease(operation, node), .is_started = true, .line = tree_.line(node)});
  for (const auto& [operation, bound] : plan_.calls) {
    const auto first = plan_.first_call.find(operation);
    if (!is_digest(builder_.library().operations[operation]) || first == plan_.first_call.end()) continue;
    manifest.flows.push_back({.flow = builder_.lease(operation, first->second),
                              .is_started = true,
                              .line = tree_.line(first->second)});
  }
  manifest.poll_filter = plan_.poll_filter;
  manifest.poll_expand = plan_.poll_expand;
}

// ---- What the trigger gives

void FlowEmitter::ensure_entities(NodeId node) {
  const auto planned = plan_.ensure_before.find(node);
  if (planned == plan_.ensure_before.end()) return;
  for (const std::uint32_t entity : planned->second) ensure_entity(entity);
}

void FlowEmitter::ensure_entity(std::uint32_t entity) {
  Label there;
  code_.jump(Op::JumpIfSet, entity_registers_.at(entity), 0, there);
  fetch(entity);
  code_.place(there);
}

void FlowEmitter::fetch(std::uint32_t entity) {
  const std::uint32_t taken = code_.taken();
  const auto binding =
      std::ranges::find(trigger_.bindings, trigger_.entities[entity].argument, &Trigger::Binding::name);
  const auto index = static_cast<std::uint32_t>(binding - trigger_.bindings.begin());
  const Register argument = code_.take();
  code_.add(is_there(index) ? Op::Move : Op::Unwrap, argument, binding_registers_.at(index));
  const auto site = static_cast<std::uint32_t>(routine_.call_sites.size());
  routine_.call_sites.push_back({.operation = entity_operations_.at(entity),
                                 .first_argument = argument,
                                 .is_fetch = true,
                                 .options = {}});
  code_.add_imm(Op::Call, entity_registers_.at(entity), 0, 0, site);
  code_.release_to(taken);
}

void FlowEmitter::trigger_value(NodeId node, Register target) {
  const Meaning& what = meaning(node);
  switch (what.kind) {
    case Meaning::Kind::Binding:
      return code_.add(is_there(what.index) ? Op::Move : Op::Unwrap, target,
                       binding_registers_.at(what.index));
    case Meaning::Kind::Entity:
      ensure_entities(node);
      return code_.add(Op::Unwrap, target, entity_registers_.at(what.index));
    case Meaning::Kind::EntityField:
      ensure_entities(node);
      code_.add(Op::Unwrap, target, entity_registers_.at(what.index));
      return code_.add(Op::GetField, target, target,
                       builder_.field(trigger_.entities[what.index].type, what.field));
    default: return;
  }
}

std::optional<RoutineEmitter::Given> FlowEmitter::given(const Meaning& what) const {
  switch (what.kind) {
    case Meaning::Kind::Binding: {
      const Register reg = binding_registers_.at(what.index);
      return Given{.reg = reg, .type = made_.inputs[reg].type, .entity = 0};
    }
    case Meaning::Kind::Entity:
    case Meaning::Kind::EntityField: {
      const Register reg = entity_registers_.at(what.index);
      return Given{.reg = reg, .type = made_.inputs[reg].type, .entity = trigger_.entities[what.index].type};
    }
    default: return std::nullopt;
  }
}

std::optional<CodeWriter::Register> FlowEmitter::trigger_register(NodeId node) const {
  const Meaning& what = meaning(node);
  if (what.kind != Meaning::Kind::Binding || !is_there(what.index)) return std::nullopt;
  return binding_registers_.at(what.index);
}

std::optional<CodeWriter::Register> FlowEmitter::printable_register(NodeId node) const {
  const Meaning& what = meaning(node);
  if (what.kind != Meaning::Kind::Binding) return std::nullopt;
  return binding_registers_.at(what.index);
}

}  // namespace flow
