// Instructions of one branch: a function of the module that is given what it uses of the routine around it.
#pragma once

#include <map>

#include "compiler/emit/routine_emitter.hpp"

namespace flow {

class BranchEmitter : public RoutineEmitter {
 public:
  BranchEmitter(ModuleBuilder& builder, const Tree& tree, const CheckedBody& body, EmitOptions options,
                NodeId place, const CheckedFlow* protected_by);

  // ---- Parameters, in order
  Register parameter(TypeId module_type);
  void item(NodeId ident, TypeId type);  // a local; kNoNode when nothing names it
  void take_captures(std::span<const Capture> captures);

  // ---- What it does; gives the type of its result
  TypeId do_statement(NodeId statement);
  // The body of a loop whose items run side by side; `yields` is the type of an item of its list, kNoType
  // when it gives none.
  TypeId do_item(const LoopParts& parts, TypeId yields, bool yields_once);
  // One of several calls, by the number in `chosen`, when its Bool says so: null, or its error.
  TypeId do_call_of(std::span<const NodeId> calls, Register chosen, std::span<const Register> is_wanted);

  FunctionCode finish(TypeId result);
  std::string_view exceeded() const { return code_.exceeded(); }

 private:
  void trigger_value(NodeId node, Register target) override;
  std::optional<Given> given(const Meaning& meaning) const override;
  std::optional<Register> printable_register(NodeId node) const override;
  void return_null();
  void return_null_of(TypeId type);

  FunctionCode made_;
  NodeId place_;
  std::map<std::pair<Meaning::Kind, std::uint32_t>, Given> given_;
};

}  // namespace flow
