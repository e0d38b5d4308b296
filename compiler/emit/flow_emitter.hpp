// Instructions of one flow: what its trigger gives, its condition, its handler, and its manifest.
#pragma once

#include <map>

#include "base/diagnostic.hpp"
#include "compiler/emit/routine_emitter.hpp"
#include "compiler/plan/plan.hpp"

namespace flow {

class FlowEmitter : public RoutineEmitter {
 public:
  FlowEmitter(ModuleBuilder& builder, const Tree& tree, const CheckedFlow& flow, const FlowPlan& plan,
              EmitOptions options);
  // Reports TooComplex when it does not fit.
  FlowCode run(Diagnostics& diagnostics);

 private:
  void trigger_value(NodeId node, Register target) override;
  std::optional<Register> trigger_register(NodeId node) const override;
  std::optional<Register> printable_register(NodeId node) const override;

  void declare_inputs();
  void argument_defaults();
  void emit_condition();
  void emit_handler(std::uint32_t body_begin, std::uint32_t body_end);
  void note_policies();
  NodeId leased_call(std::uint32_t undoing) const;
  void fill_manifest();
  void ensure_entities(NodeId node) override;
  std::optional<Given> given(const Meaning& meaning) const override;
  void fetch(std::uint32_t entity);
  // Whether the value is surely in its register: what a poll brings may lack anything but its key.
  bool is_there(std::uint32_t binding) const;
  void ensure_entity(std::uint32_t entity);
  void guard_call(const CheckedCall& call, Register first) override;
  void ready_for(const CheckedInvoke& invoke) override;
  // What is asked about of other targets than what the trigger brought.
  void find_others_asked(NodeId node, std::set<std::uint32_t>& subjects) const;
  void emit_once();
  void give_result(Register result) override { code_.add(Op::FinishWith, result); }

  // ---- undo.cpp
  struct UndoSite {
    std::int64_t number = 0;
    std::map<std::uint32_t, Register> lists;  // by local: its values, as they were when it was registered
  };
  void declare_undos();
  void undo(NodeId node) override;
  void emit_undos();
  void take_last(Register list, Register target);

  const CheckedFlow& flow_;
  const FlowPlan& plan_;
  const Trigger& trigger_;
  FlowCode made_;
  std::map<std::uint32_t, Register> binding_registers_, entity_registers_;
  std::map<std::uint32_t, std::uint32_t> entity_operations_;
  std::map<NodeId, UndoSite> undo_sites_;
  Register undo_order_ = 0;  // a list of their numbers, in the order in which they were registered
  Label skip_;               // where a false condition goes
};

}  // namespace flow
