// Instructions of one function.
#pragma once

#include "base/diagnostic.hpp"
#include "compiler/emit/routine_emitter.hpp"

namespace flow {

class FunctionEmitter : public RoutineEmitter {
 public:
  FunctionEmitter(ModuleBuilder& builder, const Tree& tree, const CheckedFunction& function,
                  EmitOptions options);
  // Reports TooComplex when it does not fit.
  FunctionCode run(Diagnostics& diagnostics);

 private:
  const CheckedFunction& function_;
  FunctionCode made_;
};

}  // namespace flow
