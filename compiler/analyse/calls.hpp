// What is to be said about the calls of a flow: acting calls without a bound, runs that need more than an
// API's quota, operations that their vendor retires, acting calls without a guardrail.
#pragma once

#include <string>

#include "base/diagnostic.hpp"
#include "compiler/plan/plan.hpp"

namespace flow {

struct AnalyseOptions {
  // ISO date, `2027-02-01`. With it, what was retired before is an error; without, nothing depends on the
  // day.
  std::string today;
  bool strict = false;  // also what is merely unwise: acting calls without a guardrail
};

void analyse_calls(const Tree& tree, const Library& library, const CheckedFile& checked,
                   const CheckedFlow& flow, const FlowPlan& plan, const AnalyseOptions& options,
                   Diagnostics& diagnostics);

// Of every call in the file, those in functions as well.
void report_retiring(const Tree& tree, const Library& library, const CheckedFile& checked,
                     const AnalyseOptions& options, Diagnostics& diagnostics);

}  // namespace flow
