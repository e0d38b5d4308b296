// One condition of `protect` as a function of the module, for calls whose target only the run knows, and for
// those in branches and functions. It is given the target, what is known of the device (or whatever it speaks
// of) so far, and what else of the trigger the condition names; it raises Protected, or gives what it asked
// about, so that the next call of the same target need not fetch it again.
#pragma once

#include "compiler/check/protection.hpp"
#include "compiler/emit/routine_emitter.hpp"

namespace flow {

class GuardEmitter : public RoutineEmitter {
 public:
  GuardEmitter(ModuleBuilder& builder, const Tree& tree, const CheckedFlow& flow,
               const Protection& protection, const Operation& operation, EmitOptions options);
  FunctionCode run(Diagnostics& diagnostics);

 private:
  Register parameter(TypeId module_type);
  void find_subject();
  bool is_subject(const Meaning& what) const;
  void trigger_value(NodeId node, Register target) override;
  std::optional<Register> trigger_register(NodeId node) const override;
  std::optional<Register> printable_register(NodeId node) const override;

  const CheckedFlow& flow_;
  const Trigger& trigger_;
  const Protection& protection_;
  const Operation& operation_;  // that is refused
  FunctionCode made_;
  Register target_ = 0;  // with a subject its ID, else whatever it is as Json
  Register subject_ = 0;
  struct Known {
    Register id = 0, record = 0;
  };
  std::vector<Known> known_;
  std::map<std::pair<Meaning::Kind, std::uint32_t>, Register> given_;
};

}  // namespace flow
