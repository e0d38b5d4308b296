// flow check: every mistake of every file, as text or JSON; on demand the plan and the syntax tree.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "apps/cli/compiler_commands.hpp"
#include "apps/cli/exit_code.hpp"
#include "apps/cli/params.hpp"
#include "apps/cli/source.hpp"
#include "apps/cli/terminal.hpp"
#include "base/text.hpp"
#include "compiler/analyse/conflicts.hpp"
#include "compiler/parse/parse.hpp"
#include "vm/bytecode/summary.hpp"

namespace flow {
namespace {

struct Totals {
  std::size_t errors = 0;
  std::size_t warnings = 0;
  std::size_t flows = 0;
  std::size_t declared = 0;   // connectors
  std::size_t functions = 0;  // of files without flows
  std::size_t others = 0;     // declarations of these files
  std::vector<std::string> json;
  std::vector<NamedText>
      connectors;  // files that declare connectors; checked together, they may name each other
  GivenParams params;
  std::vector<Compilation> compilations;  // of files with flows; compared with each other at the end
};

void tally(const Diagnostics& diagnostics, const Files& files, const CheckOptions& options, Totals& totals) {
  totals.errors += diagnostics.errors();
  totals.warnings += diagnostics.warnings();
  if (options.json)
    for (const Diagnostic& diagnostic : diagnostics.all())
      totals.json.push_back(render_json(diagnostic, files));
}

bool declares_connectors(const Tree& tree) {
  const auto kids = tree.kids(tree.root);
  return !kids.empty() &&
         std::ranges::all_of(kids, [&](NodeId kid) { return tree.kind(kid) == NodeKind::Connector; });
}

void count_declarations(const Tree& tree, Totals& totals) {
  for (const NodeId kid : tree.kids(tree.root))
    ++(tree.kind(kid) == NodeKind::Function ? totals.functions : totals.others);
}

void check_connectors(const CheckOptions& options, Totals& totals) {
  const Declarations declared = load_declarations(totals.connectors);
  if (!options.json)
    for (const Diagnostic& diagnostic : declared.diagnostics.all())
      fmt::print(stderr, "{}\n", render_text(diagnostic, declared.files, wants_colours(2)));
  tally(declared.diagnostics, declared.files, options, totals);
  totals.declared = declared.library.connectors.size();
}

Attempt<void> check_file(const std::string& path, const CheckOptions& options, Totals& totals) {
  FLOW_TRY(Compilation compilation, compile_file(path, options.strict, Purpose::Check));
  if (options.tree) fmt::print("{}", dump(compilation.tree));
  if (declares_connectors(compilation.tree)) {
    totals.connectors.push_back({compilation.files[0]->name(), compilation.files[0]->text()});
    return {};
  }
  if (!options.json) print_diagnostics(compilation);
  tally(compilation.diagnostics, compilation.files, options, totals);
  totals.flows += compilation.checked.flows.size();
  if (compilation.checked.flows.empty()) count_declarations(compilation.tree, totals);
  if (options.plan) fmt::print("{}", print_settings(compilation.tree, compilation.checked));
  if (options.plan)
    for (std::size_t i = 0; i < compilation.plans.size(); ++i)
      fmt::print("{}", print_plan(compilation.tree, *compilation.library, compilation.checked,
                                  compilation.checked.flows[i], compilation.plans[i]));
  if (options.manifest && compilation.module) {
    if (!totals.compilations.empty() && !options.json) fmt::print("\n");
    fmt::print("{}", options.json ? manifest_json(*compilation.module) : print_manifest(*compilation.module));
  }
  if (compilation.module)
    if (const auto values = totals.params.of(*compilation.module); !values)
      return tl::unexpected(values.error());
  totals.compilations.push_back(std::move(compilation));
  return {};
}

// Which one service cannot serve together. They may be meant for different ones: it is no mistake.
void tell_of_equal_names(const Totals& totals) {
  std::map<std::string, std::string> files;
  for (const Compilation& compilation : totals.compilations)
    for (const CheckedFlow& flow : compilation.checked.flows) {
      const std::string& file = compilation.files[0]->name();
      const auto [first, is_new] = files.emplace(flow.name, file);
      if (flow.file == 0 && !is_new && first->second != file)
        fmt::print(stderr, "note: `{}` and `{}` both declare the flow `{}`: they cannot be served together\n",
                   first->second, file, flow.name);
    }
}

// Flows of different files that undo each other.
void check_conflicts(const CheckOptions& options, Totals& totals) {
  std::vector<AnalysedFile> analysed;
  Files files;
  for (const Compilation& compilation : totals.compilations) {
    analysed.push_back({.tree = &compilation.tree,
                        .checked = &compilation.checked,
                        .flows = &compilation.analysis.flows,
                        .number = static_cast<std::uint32_t>(files.size())});
    files.push_back(compilation.files[0]);
  }
  Diagnostics diagnostics;
  report_conflicts(analysed, Among::DifferentFiles, standard_library(), diagnostics);
  if (!options.json)
    for (const Diagnostic& diagnostic : diagnostics.all())
      fmt::print(stderr, "{}\n", render_text(diagnostic, files, wants_colours(2)));
  tally(diagnostics, files, options, totals);
}

std::string counted(std::size_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

}  // namespace

int run_check(const CheckOptions& options) {
  Totals totals;
  bool is_unreadable = false, is_misused = false;
  if (auto params = GivenParams::read(options.params)) {
    totals.params = std::move(*params);
  } else {
    return complain(params.error().message), params.error().code;
  }
  for (const std::string& path : options.files) {
    if (const Attempt<void> checked = check_file(path, options, totals); !checked) {
      complain(checked.error().message);
      (checked.error().code == kUsage ? is_misused : is_unreadable) = true;
    }
  }
  // A parameter may be one of a file that does not compile.
  if (!is_unreadable && !is_misused && totals.errors == 0) {
    if (const Attempt<void> known = totals.params.check_all_known(); !known) {
      complain(known.error().message);
      is_misused = true;
    }
  }
  if (!totals.connectors.empty()) check_connectors(options, totals);
  check_conflicts(options, totals);
  if (!options.json) tell_of_equal_names(totals);
  if (options.json && options.manifest) {
    // The manifests are what was asked for; mistakes go to standard error.
    for (const std::string& diagnostic : totals.json) fmt::print(stderr, "{}\n", diagnostic);
  } else if (options.json) {
    fmt::print("{{\"errors\":{},\"warnings\":{},\"diagnostics\":[{}]}}\n", totals.errors, totals.warnings,
               fmt::join(totals.json, ",\n"));
  } else if (totals.errors + totals.warnings > 0) {
    fmt::print(stderr, "{}, {}\n", counted(totals.errors, "error"), counted(totals.warnings, "warning"));
  } else if (!is_unreadable && !is_misused && !options.plan && !options.tree && !options.manifest) {
    std::vector<std::string> counts;
    if (totals.flows > 0 || totals.declared == 0) counts.push_back(counted(totals.flows, "flow"));
    if (totals.functions > 0) counts.push_back(counted(totals.functions, "function"));
    if (totals.others > 0) counts.push_back(counted(totals.others, "declaration"));
    if (totals.declared > 0) counts.push_back(counted(totals.declared, "connector"));
    fmt::print("{}: no mistakes found\n", fmt::join(counts, ", "));
  }
  if (is_unreadable) return kWorldWrong;
  if (is_misused) return kUsage;
  return totals.errors > 0 ? kFlowWrong : kSuccess;
}

}  // namespace flow
