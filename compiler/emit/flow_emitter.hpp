// Instructions of one flow. Registers are a stack: inputs first, then locals of the blocks that are open,
// then temporaries of the statement at hand.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "base/diagnostic.hpp"
#include "compiler/emit/builder.hpp"
#include "compiler/plan/plan.hpp"

namespace flow {

class FlowEmitter {
 public:
  FlowEmitter(ModuleBuilder& builder, const Tree& tree, const CheckedFlow& flow, const FlowPlan& plan,
              Diagnostics& diagnostics);
  FlowCode run();

 private:
  using Register = std::uint8_t;
  struct Label {
    std::vector<std::uint32_t> jumps;  // waiting for the place
  };

  // ---- flow_emitter.cpp: the frame, statements, labels
  void declare_inputs();
  void emit_condition();
  void emit_handler(std::uint32_t body_begin, std::uint32_t body_end);
  void fill_manifest();
  void block(NodeId node);
  void statement(NodeId node);
  void if_statement(NodeId node);
  void text_statement(Op op, NodeId node);
  Register take();  // the next free register
  std::uint32_t here() const { return static_cast<std::uint32_t>(code_.code.size()); }
  void add(Op op, std::uint32_t a = 0, std::uint32_t b = 0, std::uint32_t c = 0);
  void add_imm(Op op, std::uint32_t a, std::uint32_t b, std::uint32_t c, std::int64_t imm);
  void jump(Op op, std::uint32_t a, Label& label);
  void jump_back(std::uint32_t target);
  void place(Label& label);
  void mark(NodeId node);  // the instructions from here on come from this node
  void too_complex(const char* what);

  // ---- expressions.cpp
  void value(NodeId node, Register target);      // the node's value into `target`
  Register operand(NodeId node);                 // a register that holds it: an existing one, or a temporary
  void raw_value(NodeId node, Register target);  // without unwrapping and widening
  std::optional<Register> existing(NodeId node) const;
  void ensure_entities(NodeId node);
  void fetch(std::uint32_t entity);
  void name(NodeId node, Register target);
  void field(NodeId node, Register target);
  void optional_field(NodeId node, Register target);
  void compare(NodeId node, Register target);
  void equality(NodeId left, NodeId right, Register target);
  void ordering(NodeKind op, NodeId left, NodeId right, Register target);
  void text_test(NodeKind op, NodeId left, NodeId right, Register target);
  void logic(NodeId node, Register target);
  void arithmetic(NodeId node, Register target);
  void coalesce(NodeId node, Register target);
  void if_expression(NodeId node, Register target);
  void list(NodeId node, Register target);
  void text(NodeId node, Register target);
  void hole(NodeId node, NodeKind text_kind, Register target);
  void constant(TypeId type, std::int64_t number, std::string text, Register target);
  void jump_if_false(NodeId node, Label& label);

  // ---- calls.cpp
  void call(NodeId node, Register target);
  void operation_call(NodeId node, const CheckedCall& call, Register target);
  void default_argument(const Parameter& parameter, Register target);
  void method(NodeId node, const CheckedMethod& method, Register target);
  void loop(const CheckedMethod& method, Register target);

  TypeId type_of(NodeId node) const { return builder_.checked().type[node]; }
  const TypeTable& types() const { return builder_.checked().types; }
  const Meaning& meaning(NodeId node) const { return builder_.checked().meaning[node]; }

  ModuleBuilder& builder_;
  const Tree& tree_;
  const CheckedFlow& flow_;
  const FlowPlan& plan_;
  const Trigger& trigger_;
  Diagnostics& diagnostics_;
  FlowCode code_;
  std::map<std::uint32_t, Register> binding_registers_, entity_registers_, local_registers_;
  std::map<std::uint32_t, std::uint32_t> entity_operations_;
  Label skip_;  // where a false condition goes
  std::uint32_t next_ = 0;
  bool is_too_complex_ = false;
};

}  // namespace flow
