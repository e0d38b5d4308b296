// What follows from a checked and planned source beyond its types: conditions that cannot be otherwise, calls
// without bound, quotas, retirements, flows that undo each other. Reports; changes nothing.
#pragma once

#include <vector>

#include "base/diagnostic.hpp"
#include "compiler/analyse/calls.hpp"
#include "compiler/analyse/conditions.hpp"
#include "compiler/plan/plan.hpp"

namespace flow {

struct Analysis {
  std::vector<ConditionFindings> flows;  // as checked.flows
};

// Of a source without errors. `plans` are those of `checked.flows`.
Analysis analyse(const Tree& tree, const Library& library, const CheckedFile& checked,
                 const std::vector<FlowPlan>& plans, const AnalyseOptions& options, Diagnostics& diagnostics);

}  // namespace flow
