#include "compiler/compile.hpp"

#include "compiler/check/check.hpp"
#include "compiler/emit/emit.hpp"
#include "compiler/parse/parse.hpp"

namespace flow {

Declarations load_declarations(const std::vector<NamedText>& texts) {
  Declarations declarations;
  std::vector<Tree> trees;
  for (const NamedText& text : texts) {
    declarations.files.push_back(std::make_shared<const SourceFile>(text.name, text.text));
    trees.push_back(
        parse(declarations.files.back(), static_cast<std::uint32_t>(trees.size()), declarations.diagnostics));
  }
  declarations.library = build_library(trees, declarations.diagnostics);
  declarations.diagnostics.sort_by_place();
  return declarations;
}

Compilation compile(NamedText source, const Library& library) {
  Compilation result;
  result.files.push_back(std::make_shared<const SourceFile>(std::move(source.name), std::move(source.text)));
  result.tree = parse(result.files[0], 0, result.diagnostics);
  result.checked = check(result.tree, library, result.diagnostics);
  if (!result.diagnostics.has_errors()) {
    for (const CheckedFlow& flow : result.checked.flows)
      result.plans.push_back(plan(result.tree, library, result.checked, flow));
    Module module = emit(result.tree, library, result.checked, result.plans, result.diagnostics);
    if (!result.diagnostics.has_errors()) result.module = std::move(module);
  }
  result.diagnostics.sort_by_place();
  return result;
}

std::optional<Module> compile_tests(Compilation& compilation, const Library& library,
                                    CoveragePoints* points) {
  CheckedFile checked = compilation.checked;
  checked.fields_read = checked.test_fields_read;
  checked.flows.insert(checked.flows.end(), checked.test_values.begin(), checked.test_values.end());
  std::vector<FlowPlan> plans;
  for (const CheckedFlow& flow : checked.flows)
    plans.push_back(plan(compilation.tree, library, checked, flow));
  Module module = emit(compilation.tree, library, checked, plans, compilation.diagnostics,
                       {.optimise = false, .points = points});
  if (compilation.diagnostics.has_errors()) return std::nullopt;
  return module;
}

}  // namespace flow
