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

Compilation compile(NamedText source, const Library& library, const AnalyseOptions& options) {
  Compilation result;
  result.files.push_back(std::make_shared<const SourceFile>(std::move(source.name), std::move(source.text)));
  result.tree = parse(result.files[0], 0, result.diagnostics);
  result.checked = check(result.tree, library, result.diagnostics);
  if (!result.diagnostics.has_errors()) {
    result.plans = plan(result.tree, library, result.checked);
    result.analysis =
        analyse(result.tree, library, result.checked, result.plans, options, result.diagnostics);
    Module module = emit(result.tree, library, result.checked, result.plans, result.diagnostics);
    if (!result.diagnostics.has_errors()) result.module = std::move(module);
  }
  result.diagnostics.sort_by_place();
  return result;
}

}  // namespace flow
