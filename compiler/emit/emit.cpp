#include "compiler/emit/emit.hpp"

#include "compiler/emit/flow_emitter.hpp"
#include "compiler/emit/supported.hpp"

namespace flow {

Module emit(const Tree& tree, const Library& library, const CheckedFile& checked,
            const std::vector<FlowPlan>& plans, Diagnostics& diagnostics) {
  if (!report_unsupported(tree, checked, diagnostics)) return {};
  ModuleBuilder builder(library, checked);
  builder.module().source_name = tree.source->name();
  for (std::size_t i = 0; i < checked.flows.size(); ++i)
    builder.module().flows.push_back(
        FlowEmitter(builder, tree, checked.flows[i], plans[i], diagnostics).run());
  return std::move(builder.module());
}

}  // namespace flow
