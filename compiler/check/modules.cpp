// The files of a program and the names that each of them knows: what it declares itself, and by the module's
// name what the modules it uses declare. A module knows nothing of those that use it.
#include <algorithm>
#include <functional>
#include <set>

#include "base/text.hpp"
#include "compiler/check/checker.hpp"
#include "compiler/syntax/file_name.hpp"
#include "compiler/syntax/literal.hpp"

namespace flow {

void Checker::open_files() {
  const std::size_t count = std::max<std::size_t>(tree_.parts.size(), 1);
  for (std::size_t i = 0; i < count; ++i) {
    File file;
    file.root = tree_.parts.empty() ? tree_.root : tree_.parts[i].root;
    if (i > 0) file.prefix = modules_.names[i] + ".";
    file.types = library_.type_names;
    files_.push_back(std::move(file));
  }
  for (File& file : files_) {
    if (file.root == kNoNode) continue;
    for (const NodeId kid : tree_.kids(file.root)) {
      if (tree_.kind(kid) == NodeKind::Use) declare_module(file, kid);
      if (tree_.kind(kid) == NodeKind::Bad)
        for (const NodeId name : tree_.kids(kid))
          if (tree_.kind(name) == NodeKind::Ident) unreadable_.insert(tree_.text(name));
    }
  }
  file_ = &files_.front();
}

void Checker::declare_module(File& file, NodeId use) {
  const NodeId named = tree_.kid(use, 0), place = tree_.kids(use).back();
  std::string name(tree_.text(place));
  if (tree_.kind(place) != NodeKind::Ident) name = name_from_file(plain_text(tree_, named, diagnostics_));
  File::Module module{.use = use, .file = {}, .connector = {}};
  if (const auto import = modules_.imports.find(use); import != modules_.imports.end()) {
    module.file = import->second.part;
    module.connector = import->second.connector;
    if (module.file) declare_connector_of(name, module);
  }
  const bool is_connector =
      std::ranges::find(library_.connectors, name, &Connector::name) != library_.connectors.end();
  const bool hides = is_connector && module.connector != name;
  module.is_used = module.is_used || hides;  // one mistake is told once
  if (hides)
    report(Code::DuplicateName, place, fmt::format("`{}` is a connector", name))
        .fix({tree_.span(named).end, tree_.span(use).end}, fmt::format(" as my_{}", name),
             fmt::format("give the module another name: `as my_{}`", name));
  const auto [known, is_new] = file.modules.emplace(name, std::move(module));
  if (!is_new)
    report(Code::DuplicateName, place, fmt::format("`{}` is already a module here", name))
        .label(tree_.span(known->second.use), "first used here")
        .note("give one of them another name: `use module as name`");
}

// A file that declares connectors is a module like any other, and by its name the connector is known as well:
// the one that has the name, else the only one there is.
void Checker::declare_connector_of(std::string_view name, File::Module& module) {
  const NodeId root = files_[*module.file].root;
  std::vector<std::string_view> declared;
  if (root != kNoNode)
    for (const NodeId kid : tree_.kids(root))
      if (tree_.kind(kid) == NodeKind::Connector) declared.push_back(tree_.text(tree_.kid(kid, 0)));
  if (declared.empty()) return;
  module.is_used = true;  // all of the program knows what it declares
  if (std::ranges::find(declared, name) != declared.end())
    module.connector = name;
  else if (declared.size() == 1)
    module.connector = declared.front();
}

void Checker::report_unused_modules() {
  if (!unread_.empty()) return;  // which may use them
  for (const File& file : files_)
    for (const auto& [name, module] : file.modules) {
      if (module.is_used || (!module.file && module.connector.empty())) continue;
      if (module.file && is_declaration_used(*module.file)) continue;
      const bool is_known = !module.file && !library_.behind_use.contains(module.connector);
      report(Code::UnusedModule, module.use, fmt::format("nothing of `{}` is used", name))
          .note(is_known ? "a connector is known without `use`: remove it" : "remove it");
    }
}

// Whether something outside of the file is named as what its connectors declare, which all of the program
// knows.
bool Checker::is_declaration_used(std::uint32_t index) const {
  const NodeId root = files_[index].root;
  if (root == kNoNode) return false;
  std::set<std::string_view> declared;
  for (const NodeId connector : tree_.kids(root)) {
    if (tree_.kind(connector) != NodeKind::Connector) continue;
    declared.insert(tree_.text(tree_.kid(connector, 0)));
    for (const NodeId member : tree_.kids(connector)) {
      const bool is_operation = tree_.kind(member) == NodeKind::Operation;
      const NodeKind kind = tree_.kind(member);
      if (is_operation || kind == NodeKind::RecordDecl || kind == NodeKind::EnumDecl)
        declared.insert(tree_.text(tree_.kid(member, is_operation ? 1 : 0)));
      if (kind == NodeKind::Trigger) {
        const std::string_view trigger = tree_.text(tree_.kid(member, 0));
        declared.insert(trigger.substr(0, trigger.find('.')));
      }
    }
  }
  const std::function<bool(NodeId)> names = [&](NodeId node) {
    if (node == root) return false;
    if (tree_.kind(node) == NodeKind::Ident && declared.contains(tree_.text(node))) return true;
    return std::ranges::any_of(tree_.kids(node), names);
  };
  return !declared.empty() && std::ranges::any_of(files_, [&](const File& file) {
    return file.root != kNoNode && names(file.root);
  });
}

Checker::File::Module* Checker::module_named(std::string_view name) const {
  const auto found = file_->modules.find(name);
  if (found == file_->modules.end() || visible_.contains(name)) return nullptr;
  return &found->second;
}

Checker::File::Module* Checker::module_of(NodeId node) const {
  if (tree_.kind(node) != NodeKind::Field || tree_.kind(tree_.kid(node, 0)) != NodeKind::Ident)
    return nullptr;
  return module_named(tree_.text(tree_.kid(node, 0)));
}

std::optional<std::uint32_t> Checker::function_named(NodeId callee) const {
  const File* file = file_;
  std::string_view name = tree_.text(callee);
  if (File::Module* const module = module_of(callee)) {
    if (!module->file) return std::nullopt;
    module->is_used = true;
    file = &files_[*module->file];
    name = tree_.text(tree_.kid(callee, 1));
  } else if (tree_.kind(callee) != NodeKind::Ident) {
    return std::nullopt;
  }
  const auto found = file->functions.find(name);
  if (found == file->functions.end()) return std::nullopt;
  return found->second;
}

std::optional<TypeId> Checker::type_named(NodeId node) const {
  std::string name(tree_.text(node));
  if (File::Module* const module = module_of(node)) {
    module->is_used = true;
    name = fmt::format("{}.{}", tree_.text(tree_.kid(node, 0)), tree_.text(tree_.kid(node, 1)));
  } else if (tree_.kind(node) != NodeKind::Ident) {
    return std::nullopt;
  }
  const auto found = file_->types.find(name);
  if (found == file_->types.end()) return std::nullopt;
  return found->second;
}

// `notify.soc`: a parameter of the module, or something that is no value.
TypeId Checker::module_member(NodeId node, File::Module& module) {
  module.is_used = true;
  const std::string_view name = tree_.text(tree_.kid(node, 1));
  if (!module.file) return unknown_member(node, module, false);
  const File& file = files_[*module.file];
  if (const auto setting = file.settings.find(name); setting != file.settings.end())
    return setting_value(node, setting->second);
  if (file.functions.contains(name)) {
    report(Code::NotAValue, node,
           fmt::format("{} is a function; call it: `{}(…)`", quoted(node), tree_.text(node)));
    return error_type();
  }
  if (file.own_types.contains(name)) {
    report(Code::NotAValue, node, fmt::format("{} is a type, not a value", quoted(node)));
    return error_type();
  }
  return unknown_member(node, module, false);
}

TypeId Checker::unknown_member(NodeId node, const File::Module& module, bool is_called) {
  const NodeId ident = tree_.kid(node, 1);
  const std::string_view name = tree_.text(ident), of = tree_.text(tree_.kid(node, 0));
  if (is_told(name) || (!module.file && module.connector.empty())) return error_type();
  std::vector<std::string> known;
  for (const Operation& operation : library_.operations)
    if (!module.connector.empty() && operation.connector == module.connector) known.push_back(operation.name);
  if (module.file) {
    const File& file = files_[*module.file];
    for (const auto& [function, index] : file.functions) known.emplace_back(function);
    if (!is_called) {
      for (const auto& [setting, index] : file.settings) known.emplace_back(setting);
      for (const auto& [type, id] : file.own_types) known.emplace_back(type);
    }
  }
  std::ranges::sort(known);
  Diagnostic& d = report(is_called ? Code::UnknownOperation : Code::UnknownName, ident,
                         fmt::format("the {} `{}` has no {}`{}`", module.file ? "module" : "connector", of,
                                     is_called && module.connector.empty() ? "function " : "", name));
  if (const auto near = nearest_name(name, known))
    d.fix(tree_.span(ident), *near, fmt::format("did you mean `{}`?", *near));
  else if (!known.empty() && known.size() <= 24)
    d.note(fmt::format("it has {}", fmt::join(known, ", ")));
  return error_type();
}

bool Checker::uses_missing_module(NodeId type) const {
  if (tree_.kind(type) == NodeKind::TypeName) {
    const std::string_view name = tree_.text(tree_.kid(type, 0));
    if (const std::size_t dot = name.find('.'); dot != std::string_view::npos)
      if (const auto module = file_->modules.find(name.substr(0, dot)); module != file_->modules.end()) {
        module->second.is_used = true;
        if (!module->second.file && module->second.connector.empty()) return true;
      }
  }
  return std::ranges::any_of(tree_.kids(type), [&](NodeId kid) { return uses_missing_module(kid); });
}

bool Checker::is_taken(NodeId ident) {
  const std::string_view name = tree_.text(ident);
  NodeId first = kNoNode;
  const char* what = "";
  if (const auto setting = file_->settings.find(name); setting != file_->settings.end()) {
    first = tree_.kid(out_.settings[setting->second].node, 0);
    what = out_.settings[setting->second].is_secret() ? "secret" : "parameter of the program";
  } else if (const auto module = file_->modules.find(name); module != file_->modules.end()) {
    first = module->second.use;
    what = "module";
  }
  if (first == kNoNode || first == ident) return false;
  report(Code::DuplicateName, ident, fmt::format("`{}` is a {} already", name, what))
      .label(tree_.span(first), "first declared here");
  return true;
}

}  // namespace flow
