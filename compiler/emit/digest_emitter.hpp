// Instructions of what sends digests: a flow of the module that nobody wrote. The runtime starts a run of it
// with the first call of mail.digest in a window; it waits for the window's end, gets what was gathered, and
// makes one call of mail.mail.
#pragma once

#include "compiler/emit/routine_emitter.hpp"

namespace flow {

class DigestEmitter : public RoutineEmitter {
 public:
  // `body` names the flow and says where the first digest is; it has no locals.
  DigestEmitter(ModuleBuilder& builder, const Tree& tree, const CheckedBody& body, EmitOptions options);
  FlowCode run();

 private:
  Register input(Trigger& trigger, const std::string& name, TypeId type);

  const CheckedBody& body_of_digest_;
  FlowCode made_;
};

}  // namespace flow
