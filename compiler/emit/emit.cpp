#include "compiler/emit/emit.hpp"

#include "base/mail_digest.hpp"
#include "compiler/emit/digest_emitter.hpp"
#include "compiler/emit/flow_emitter.hpp"
#include "compiler/emit/function_emitter.hpp"
#include "compiler/emit/guard_emitter.hpp"
#include "compiler/emit/lease_emitter.hpp"
#include "compiler/emit/optimise.hpp"

namespace flow {

Module emit(const Tree& tree, const Library& library, const CheckedFile& checked,
            const std::vector<FlowPlan>& plans, Diagnostics& diagnostics, EmitOptions options) {
  ModuleBuilder builder(library, tree, checked);
  Module& module = builder.module();
  module.source_name = tree.source->name();
  for (std::uint32_t i = 0; i < checked.settings.size(); ++i)
    if (checked.settings[i].file == 0) builder.setting(i);  // those of modules when they are used
  for (std::size_t i = 0; i < checked.flows.size(); ++i)
    module.flows.push_back(FlowEmitter(builder, tree, checked.flows[i], plans[i], options).run(diagnostics));
  // Functions may invoke further ones.
  for (std::size_t i = 0, k = 0; i < builder.invoked().size() || k < builder.guards().size();) {
    if (i < builder.invoked().size()) {
      const ModuleBuilder::Invoked invoked = builder.invoked()[i++];
      const CheckedFunction& function = checked.functions[invoked.function];
      builder.put(invoked.place,
                  FunctionEmitter(builder, tree, function, options, invoked.protected_by).run(diagnostics));
    } else {
      const ModuleBuilder::Guard& guard = builder.guards()[k++];
      builder.put(guard.place,
                  GuardEmitter(builder, tree, *guard.flow, guard.protection, *guard.operation, options)
                      .run(diagnostics));
    }
  }
  for (const ModuleBuilder::Leased& leased : builder.leased()) {
    CheckedBody body;
    body.node = leased.call;
    if (is_digest(library.operations[leased.operation])) {
      body.name = kDigestFlow;
      module.flows.push_back(DigestEmitter(builder, tree, body, options).run());
      continue;
    }
    body.name = "lease." + library.operations[leased.operation].full_name();
    module.flows.push_back(LeaseEmitter(builder, tree, body, leased.operation, options).run());
  }
  if (options.optimise && !diagnostics.has_errors()) optimise(module);
  return std::move(module);
}

}  // namespace flow
