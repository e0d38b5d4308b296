// Instructions of what ends a lease: a flow of the module that nobody wrote, one for each operation that is
// leased. The runtime starts a run of it with each leased call; it waits for the lease to be over and makes
// the inverse call.
#pragma once

#include "compiler/emit/routine_emitter.hpp"

namespace flow {

class LeaseEmitter : public RoutineEmitter {
 public:
  // `body` names the flow and says where it is leased first; it has no locals.
  LeaseEmitter(ModuleBuilder& builder, const Tree& tree, const CheckedBody& body,
               std::uint32_t library_operation, EmitOptions options);
  FlowCode run();

 private:
  Register input(const std::string& name, TypeId module_type);

  const CheckedBody& body_of_lease_;
  const Operation& leased_;
  const Operation& inverse_;
  FlowCode made_;
};

}  // namespace flow
