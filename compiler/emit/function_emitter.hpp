// Instructions of one function.
#pragma once

#include "base/diagnostic.hpp"
#include "compiler/emit/routine_emitter.hpp"

namespace flow {

class FunctionEmitter : public RoutineEmitter {
 public:
  FunctionEmitter(ModuleBuilder& builder, const Tree& tree, const CheckedFunction& function,
                  EmitOptions options, const CheckedFlow* protected_by = nullptr);
  // Reports TooComplex when it does not fit.
  FunctionCode run(Diagnostics& diagnostics);

 private:
  void take_protections();
  std::optional<Given> given(const Meaning& meaning) const override;

  const CheckedFunction& function_;
  FunctionCode made_;
  std::map<std::pair<Meaning::Kind, std::uint32_t>, Given> given_;  // to ask what protects the flow
};

}  // namespace flow
