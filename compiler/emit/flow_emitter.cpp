#include "compiler/emit/flow_emitter.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace flow {

constexpr std::uint32_t kMaxRegisters = 250;
constexpr std::uint32_t kMaxCode = 60'000;

FlowEmitter::FlowEmitter(ModuleBuilder& builder, const Tree& tree, const CheckedFlow& flow,
                         const FlowPlan& plan, Diagnostics& diagnostics)
    : builder_(builder),
      tree_(tree),
      flow_(flow),
      plan_(plan),
      trigger_(builder.library().triggers[flow.trigger]),
      diagnostics_(diagnostics) {}

FlowCode FlowEmitter::run() {
  code_.name = flow_.name;
  code_.doc = flow_.doc;
  code_.trigger = builder_.trigger(flow_.trigger);
  code_.line = tree_.line(flow_.node);
  declare_inputs();
  mark(flow_.node);
  if (flow_.condition != kNoNode) emit_condition();
  add(Op::EnterBody);
  const std::uint32_t begin = here();
  block(flow_.body);
  const std::uint32_t end = here();
  add(Op::Finish);
  if (flow_.handler != kNoNode) emit_handler(begin, end);
  if (!skip_.jumps.empty()) {
    mark(flow_.condition);
    place(skip_);
    add(Op::Skip);
  }
  for (RegisterName& name : code_.names) name.end = std::min(name.end, here());
  code_.registers = static_cast<std::uint8_t>(std::max<std::uint32_t>(code_.registers, 1));
  fill_manifest();
  return std::move(code_);
}

void FlowEmitter::declare_inputs() {
  for (const std::uint32_t index : plan_.bindings) {
    const Trigger::Binding& binding = trigger_.bindings[index];
    const bool is_key = binding.wire == trigger_.key_field;
    const TypeId type = builder_.type(binding.type);
    binding_registers_[index] = take();
    code_.inputs.push_back({.name = binding.name,
                            .type = is_key ? type : builder_.module().types.optional(type),
                            .source = Input::Source::Binding,
                            .wire = binding.wire});
  }
  for (const std::uint32_t index : plan_.entities) {
    const Trigger::Entity& entity = trigger_.entities[index];
    entity_registers_[index] = take();
    code_.inputs.push_back({.name = entity.name,
                            .type = builder_.module().types.optional(builder_.type(entity.type)),
                            .source = index == 0 ? Input::Source::Entity : Input::Source::Fetched,
                            .wire = {}});
    entity_operations_[index] = builder_.operation(
        builder_.library().operation_names.at(trigger_.connector + "." + entity.operation));
  }
  for (std::uint32_t i = 0; i < code_.inputs.size(); ++i)
    code_.names.push_back({.begin = 0,
                           .end = 0xffffffff,
                           .register_ = static_cast<std::uint8_t>(i),
                           .name = code_.inputs[i].name});
}

void FlowEmitter::emit_condition() {
  mark(flow_.condition);
  if (plan_.condition_order.empty())
    jump_if_false(flow_.condition, skip_);
  else
    for (const NodeId operand : plan_.condition_order) jump_if_false(operand, skip_);
}

void FlowEmitter::emit_handler(std::uint32_t body_begin, std::uint32_t body_end) {
  const std::uint32_t saved = next_;
  const Register message = take();
  code_.handlers.push_back({.begin = body_begin, .end = body_end, .target = here(), .register_ = message});
  if (flow_.has_error_local) {
    local_registers_[flow_.error_local] = message;
    code_.names.push_back({.begin = here(),
                           .end = 0xffffffff,
                           .register_ = message,
                           .name = flow_.locals[flow_.error_local].name});
  }
  block(flow_.handler);
  mark(flow_.handler);
  add(Op::Raise);
  next_ = saved;
}

void FlowEmitter::fill_manifest() {
  Manifest& manifest = code_.manifest;
  for (const auto& [entity, operation] : entity_operations_) {
    const auto fetch = std::ranges::find(plan_.fetches, entity, &PlannedFetch::entity);
    if (fetch != plan_.fetches.end())
      manifest.calls.push_back({.operation = operation, .at_most = 1, .is_fetch = true, .line = fetch->line});
  }
  for (const auto& [operation, times] : plan_.calls)
    manifest.calls.push_back({.operation = builder_.operation(operation),
                              .at_most = times,
                              .is_fetch = false,
                              .line = tree_.line(plan_.first_call.at(operation))});
  for (const auto& [entity, fields] : plan_.reads)
    manifest.reads.push_back({.entity = entity, .fields = {fields.begin(), fields.end()}});
  manifest.leaves = plan_.leaves;
  manifest.poll_filter = plan_.poll_filter;
  manifest.poll_expand = plan_.poll_expand;
}

// ---- Statements

void FlowEmitter::block(NodeId node) {
  const std::uint32_t saved = next_;
  const std::size_t names = code_.names.size();
  for (const NodeId kid : tree_.kids(node)) statement(kid);
  for (std::size_t i = names; i < code_.names.size(); ++i)
    code_.names[i].end = std::min(code_.names[i].end, here());
  next_ = saved;
}

void FlowEmitter::statement(NodeId node) {
  mark(node);
  const std::uint32_t saved = next_;
  switch (tree_.kind(node)) {
    case NodeKind::Let: {
      const NodeId ident = tree_.kid(node, 0);
      const Register target = take();
      value(tree_.kids(node).back(), target);
      builder_.type(flow_.locals[meaning(ident).index].type);
      local_registers_[meaning(ident).index] = target;
      code_.names.push_back(
          {.begin = here(), .end = 0xffffffff, .register_ = target, .name = std::string(tree_.text(ident))});
      next_ = saved + 1;  // the local stays until its block ends
      return;
    }
    case NodeKind::If: if_statement(node); break;
    case NodeKind::Log: text_statement(Op::Log, tree_.kid(node, 0)); break;
    case NodeKind::Fail: text_statement(Op::Fail, tree_.kid(node, 0)); break;
    case NodeKind::Stop:
      if (tree_.kids(node).empty()) {
        const Register reason = take();
        constant(kStringType, 0, "", reason);
        add(Op::Stop, reason);
      } else {
        text_statement(Op::Stop, tree_.kid(node, 0));
      }
      break;
    case NodeKind::ExprStatement: value(tree_.kid(node, 0), take()); break;
    default: break;
  }
  next_ = saved;
}

void FlowEmitter::text_statement(Op op, NodeId node) {
  const Register message = take();
  hole(node, NodeKind::Text, message);
  add(op, message);
}

void FlowEmitter::if_statement(NodeId node) {
  const auto kids = tree_.kids(node);
  Label otherwise, end;
  const std::uint32_t saved = next_;
  jump_if_false(kids[0], otherwise);
  next_ = saved;
  block(kids[1]);
  if (kids.size() == 3) {
    jump(Op::Jump, 0, end);
    place(otherwise);
    if (tree_.kind(kids[2]) == NodeKind::If)
      statement(kids[2]);
    else
      block(kids[2]);
    place(end);
  } else {
    place(otherwise);
  }
}

// ---- Registers, instructions, labels

FlowEmitter::Register FlowEmitter::take() {
  if (next_ >= kMaxRegisters) too_complex("values at once");
  const auto taken = static_cast<Register>(std::min(next_, kMaxRegisters));
  next_ = std::min(next_ + 1, kMaxRegisters);
  code_.registers = std::max(code_.registers, static_cast<std::uint8_t>(taken + 1));
  return taken;
}

void FlowEmitter::too_complex(const char* what) {
  if (is_too_complex_) return;
  is_too_complex_ = true;
  diagnostics_
      .report(Code::TooComplex, tree_.file, tree_.span(tree_.kid(flow_.node, 0)),
              fmt::format("flow `{}` needs too many {}", flow_.name, what))
      .note("split it into several flows");
}

void FlowEmitter::add(Op op, std::uint32_t a, std::uint32_t b, std::uint32_t c) {
  add_imm(op, a, b, c, 0);
}

void FlowEmitter::add_imm(Op op, std::uint32_t a, std::uint32_t b, std::uint32_t c, std::int64_t imm) {
  if (here() >= kMaxCode) return too_complex("instructions");
  code_.code.push_back({op, static_cast<std::uint8_t>(a), static_cast<std::uint8_t>(b),
                        static_cast<std::uint8_t>(c), static_cast<std::int32_t>(imm)});
}

void FlowEmitter::jump(Op op, std::uint32_t a, Label& label) {
  label.jumps.push_back(here());
  add_imm(op, a, 0, 0, 0);
}

void FlowEmitter::jump_back(std::uint32_t target) {
  add_imm(Op::Jump, 0, 0, 0, std::int64_t{target} - (std::int64_t{here()} + 1));
}

void FlowEmitter::place(Label& label) {
  for (const std::uint32_t at : label.jumps) {
    if (at >= code_.code.size()) continue;  // too complex, reported
    code_.code[at].imm = static_cast<std::int32_t>(here() - (at + 1));
  }
  label.jumps.clear();
}

void FlowEmitter::mark(NodeId node) {
  const LineColumn at = tree_.source->position(tree_.span(node).begin);
  if (!code_.lines.empty() && code_.lines.back().line == at.line && code_.lines.back().column == at.column)
    return;
  if (!code_.lines.empty() && code_.lines.back().pc == here()) code_.lines.pop_back();
  code_.lines.push_back({.pc = here(), .line = at.line, .column = at.column});
}

}  // namespace flow
