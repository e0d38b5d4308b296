#include "compiler/compile.hpp"

#include <algorithm>
#include <set>
#include <span>

#include "compiler/check/check.hpp"
#include "compiler/emit/emit.hpp"
#include "compiler/parse/parse.hpp"
#include "compiler/syntax/join.hpp"

namespace flow {

namespace {

// What nearly every flow is about. Other connectors that come with Flow are named by `use`.
constexpr std::string_view kKnownToAll[] = {"defender", "flow", "graph", "mail", "smtp"};

std::set<std::string, std::less<>> behind_use(std::span<const Tree> trees,
                                              const std::vector<NamedText>& texts) {
  std::set<std::string, std::less<>> names;
  for (std::size_t i = 0; i < trees.size(); ++i) {
    if (!texts[i].name.starts_with("stdlib/") || trees[i].root == kNoNode) continue;
    for (const NodeId kid : trees[i].kids(trees[i].root)) {
      if (trees[i].kind(kid) != NodeKind::Connector) continue;
      const std::string_view name = trees[i].text(trees[i].kid(kid, 0));
      if (std::ranges::find(kKnownToAll, name) == std::end(kKnownToAll)) names.emplace(name);
    }
  }
  return names;
}

}  // namespace

Declarations load_declarations(const std::vector<NamedText>& texts) {
  Declarations declarations;
  std::vector<Tree> trees;
  for (const NamedText& text : texts) {
    declarations.files.push_back(std::make_shared<const SourceFile>(text.name, text.text));
    trees.push_back(
        parse(declarations.files.back(), static_cast<std::uint32_t>(trees.size()), declarations.diagnostics));
  }
  declarations.library = build_library(trees, declarations.diagnostics);
  if (auto names = behind_use(trees, texts); !names.empty()) put_behind_use(declarations.library, names);
  declarations.diagnostics.sort_by_place();
  return declarations;
}

namespace {

bool declares_connectors(const Tree& tree) {
  return tree.root != kNoNode && tree.find(tree.root, NodeKind::Connector) != kNoNode;
}

}  // namespace

Compilation compile(NamedText source, const Library& library, const ModuleLoader& loader,
                    const std::string& id, const AnalyseOptions& options, Purpose purpose) {
  Compilation result;
  ProgramSources program = load_program(std::move(source), id, library, loader, result.diagnostics);
  result.files = program.files;
  result.library = &library;
  const std::span<const Tree> modules = std::span<const Tree>(program.trees).subspan(1);
  if (std::ranges::any_of(modules, declares_connectors)) {
    result.own_library =
        std::make_shared<const Library>(extend_library(library, modules, result.diagnostics));
    result.library = result.own_library.get();
  }
  Modules names;
  names.is_module = purpose == Purpose::Check;
  result.tree = join(program, names);
  result.checked = check(result.tree, *result.library, result.diagnostics, names);
  if (!result.diagnostics.has_errors()) {
    result.plans = plan(result.tree, *result.library, result.checked);
    result.analysis =
        analyse(result.tree, *result.library, result.checked, result.plans, options, result.diagnostics);
    Module module = emit(result.tree, *result.library, result.checked, result.plans, result.diagnostics);
    if (!result.diagnostics.has_errors()) result.module = std::move(module);
  }
  to_parts(result.tree, result.diagnostics);
  result.diagnostics.sort_by_place();
  return result;
}

std::optional<Module> compile_tests(Compilation& compilation, CoveragePoints* points) {
  const Library& library = *compilation.library;
  CheckedFile checked = compilation.checked;
  checked.fields_read = checked.test_fields_read;
  checked.flows.insert(checked.flows.end(), checked.test_values.begin(), checked.test_values.end());
  const std::vector<FlowPlan> plans = plan(compilation.tree, library, checked);
  Module module = emit(compilation.tree, library, checked, plans, compilation.diagnostics,
                       {.optimise = false, .points = points});
  if (compilation.diagnostics.has_errors()) return std::nullopt;
  return module;
}

}  // namespace flow
