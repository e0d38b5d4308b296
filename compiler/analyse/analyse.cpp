#include "compiler/analyse/analyse.hpp"

#include "compiler/analyse/conflicts.hpp"

namespace flow {

Analysis analyse(const Tree& tree, const Library& library, const CheckedFile& checked,
                 const std::vector<FlowPlan>& plans, const AnalyseOptions& options,
                 Diagnostics& diagnostics) {
  Analysis analysis;
  for (const CheckedFunction& function : checked.functions)
    analyse_conditions(tree, library, checked, function, diagnostics);
  for (std::size_t i = 0; i < checked.flows.size(); ++i) {
    analysis.flows.push_back(analyse_conditions(tree, library, checked, checked.flows[i], diagnostics));
    analyse_calls(tree, library, checked, checked.flows[i], plans[i], options, diagnostics);
  }
  report_retiring(tree, library, checked, options, diagnostics);
  const AnalysedFile file{.tree = &tree, .checked = &checked, .flows = &analysis.flows, .number = tree.file};
  report_conflicts({&file, 1}, Among::OneFile, library, diagnostics);
  return analysis;
}

}  // namespace flow
