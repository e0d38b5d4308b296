#include "compiler/modules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/text.hpp"
#include "compiler/parse/parse.hpp"
#include "compiler/syntax/file_name.hpp"
#include "compiler/syntax/join.hpp"
#include "compiler/syntax/literal.hpp"

namespace flow {
namespace {

constexpr std::size_t kMostFiles = 256;
constexpr std::size_t kMostBytes = 64u << 20;  // of all files together

class ProgramLoader {
 public:
  ProgramLoader(const Library& library, const ModuleLoader& loader, Diagnostics& diagnostics)
      : library_(library), loader_(loader), diagnostics_(diagnostics) {}

  ProgramSources run(NamedText source, const std::string& id) {
    add(std::move(source), id, {});
    // Files are read in the order in which they are named: a module stands behind those that use it first.
    for (std::size_t i = 0; i < program_.trees.size(); ++i) {
      const NodeId root = program_.trees[i].root;
      if (root == kNoNode) continue;
      const std::vector<NodeId> kids(program_.trees[i].kids(root).begin(),
                                     program_.trees[i].kids(root).end());
      for (const NodeId kid : kids)
        if (program_.trees[i].kind(kid) == NodeKind::Use) resolve(static_cast<std::uint32_t>(i), kid);
    }
    report_circles();
    return std::move(program_);
  }

 private:
  std::uint32_t add(NamedText source, const std::string& id, std::string name) {
    const auto index = static_cast<std::uint32_t>(program_.files.size());
    bytes_ += source.text.size();
    if (!id.empty()) by_id_.emplace(id, index);
    program_.files.push_back(
        std::make_shared<const SourceFile>(std::move(source.name), std::move(source.text)));
    program_.trees.push_back(parse(program_.files.back(), index, diagnostics_));
    program_.imports.emplace_back();
    for (std::string unique = name; !name.empty(); unique = fmt::format("{}_{}", name, names_.size())) {
      if (!names_.insert(unique).second) continue;
      name = unique;
      break;
    }
    program_.names.push_back(std::move(name));
    return index;
  }

  void resolve(std::uint32_t file, NodeId use) {
    const Tree& tree = program_.trees[file];
    const NodeId named = tree.kid(use, 0);
    const bool is_path = tree.kind(named) != NodeKind::Ident;
    const std::string module =
        is_path ? plain_text(tree, named, diagnostics_) : std::string(tree.text(named));
    const std::string from = program_.files[file]->name();
    std::variant<FoundModule, MissingModule> answer = MissingModule{};
    if (loader_) answer = loader_({.from = from, .module = module, .is_path = is_path});
    if (auto* const found = std::get_if<FoundModule>(&answer)) return take(file, use, std::move(*found));
    const MissingModule& missing = std::get<MissingModule>(answer);
    const bool is_connector =
        !is_path && missing.problem.empty() &&
        std::ranges::find(library_.connectors, module, &Connector::name) != library_.connectors.end();
    program_.imports[file].emplace(use, Modules::Import{.part = {}, .connector = is_connector ? module : ""});
    if (is_connector) return;
    report_missing(tree, named, module, missing);
  }

  void report_missing(const Tree& tree, NodeId named, const std::string& module,
                      const MissingModule& missing) {
    Diagnostic& d = diagnostics_.report(
        Code::UnknownModule, tree.file, tree.span(named),
        missing.problem.empty() ? fmt::format("there is no module `{}`", module)
                                : fmt::format("the module `{}` cannot be read: {}", module, missing.problem));
    const bool is_path = tree.kind(named) != NodeKind::Ident;
    std::vector<std::string> known = missing.there;
    if (!is_path)
      for (const Connector& connector : library_.connectors) known.push_back(connector.name);
    if (missing.problem.empty() && !missing.looked_for.empty())
      d.note(fmt::format("looked for {}{}", fmt::join(missing.looked_for, ", "),
                         is_path ? "" : fmt::format(", and a connector `{}`", module)));
    else if (!loader_)
      d.note("modules are files, and this program is compiled without any");
    if (const auto near = nearest_name(module, known))
      d.fix(tree.span(named), is_path ? fmt::format("\"{}\"", *near) : *near,
            fmt::format("did you mean `{}`?", *near));
    else if (!missing.there.empty() && missing.there.size() <= 12)
      d.note(fmt::format("there are {}", fmt::join(missing.there, ", ")));
  }

  void take(std::uint32_t file, NodeId use, FoundModule found) {
    const Tree& tree = program_.trees[file];
    if (const auto known = by_id_.find(found.id); known != by_id_.end()) {
      program_.imports[file].emplace(use, Modules::Import{.part = known->second, .connector = {}});
      return;
    }
    program_.imports[file].emplace(use, Modules::Import{});
    if (program_.files.size() == kMostFiles || bytes_ + found.source.text.size() > kMostBytes) {
      diagnostics_.report(
          Code::UnknownModule, tree.file, tree.span(use),
          fmt::format("a program has at most {} files of {} MiB together", kMostFiles, kMostBytes >> 20));
      return;
    }
    std::string name = name_from_file(found.source.name);
    const std::uint32_t part = add(std::move(found.source), found.id, std::move(name));
    program_.imports[file].at(use).part = part;
  }

  // A module in a circle could be read; but what is told of it would depend on where one begins.
  void report_circles() {
    enum class State : std::uint8_t { New, Open, Done };
    struct Visit {
      std::uint32_t file;
      std::map<NodeId, Modules::Import>::iterator next;
    };
    std::vector<State> states(program_.trees.size(), State::New);
    std::vector<Visit> path{{0, program_.imports[0].begin()}};
    states[0] = State::Open;
    while (!path.empty()) {
      Visit& visit = path.back();
      if (visit.next == program_.imports[visit.file].end()) {
        states[visit.file] = State::Done;
        path.pop_back();
        continue;
      }
      const auto [use, import] = *visit.next;
      const auto at = visit.next++;
      if (!import.part || states[*import.part] == State::Done) continue;
      if (states[*import.part] == State::New) {
        states[*import.part] = State::Open;
        path.push_back({*import.part, program_.imports[*import.part].begin()});
        continue;
      }
      std::string circle;
      bool is_within = false;
      for (const Visit& on : path) {
        is_within = is_within || on.file == *import.part;
        if (is_within) circle += fmt::format("`{}` uses ", program_.files[on.file]->name());
      }
      const Tree& tree = program_.trees[path.back().file];
      diagnostics_
          .report(Code::ModuleCycle, tree.file, tree.span(use),
                  fmt::format("these modules use each other in a circle: {}`{}`", circle,
                              program_.files[*import.part]->name()))
          .note("put what both need into a module of its own");
      at->second = {};  // told: nothing more about its names
    }
  }

  const Library& library_;
  const ModuleLoader& loader_;
  Diagnostics& diagnostics_;
  ProgramSources program_;
  std::map<std::string, std::uint32_t> by_id_;
  std::set<std::string> names_;
  std::size_t bytes_ = 0;
};

}  // namespace

ProgramSources load_program(NamedText source, const std::string& id, const Library& library,
                            const ModuleLoader& loader, Diagnostics& diagnostics) {
  return ProgramLoader(library, loader, diagnostics).run(std::move(source), id);
}

Tree join(ProgramSources& program, Modules& modules) {
  modules.names = program.names;
  NodeId first = 0;
  for (std::size_t i = 0; i < program.trees.size(); ++i) {
    for (auto& [use, import] : program.imports[i]) modules.imports.emplace(use + first, std::move(import));
    first += static_cast<NodeId>(program.trees[i].nodes.size());
  }
  std::vector<Tree> trees = std::move(program.trees);
  // One file stays as it is: its places are those of the text.
  return trees.size() == 1 ? std::move(trees.front()) : join(std::move(trees));
}

}  // namespace flow
