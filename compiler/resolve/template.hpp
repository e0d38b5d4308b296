// The expressions inside an operation's declaration, as the small trees that the executor evaluates.
#pragma once

#include <string>
#include <vector>

#include "base/diagnostic.hpp"
#include "base/operation.hpp"
#include "compiler/syntax/tree.hpp"

namespace flow {

struct TemplateScope {
  const Tree& tree;
  const std::vector<Parameter>& parameters;
  Diagnostics& diagnostics;
  bool has_result = false;         // `result.…` names the operation's result (in `completes`)
  std::vector<std::string> items;  // variables of the `map`s around
};

// What a template cannot say is reported as InvalidDeclaration and becomes null.
Template to_template(TemplateScope& scope, NodeId expression);
// The arguments of a call in a declaration as an Object, by parameter name of `callee`.
Template call_arguments(TemplateScope& scope, NodeId call, const std::vector<Parameter>& callee);

}  // namespace flow
