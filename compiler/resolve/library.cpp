// Names, types and functions of declarations.
#include "compiler/resolve/library.hpp"

#include "base/error_type.hpp"
#include "base/text.hpp"
#include "compiler/resolve/contradictions.hpp"
#include "compiler/resolve/library_builder.hpp"
#include "compiler/resolve/not_yet.hpp"
#include "compiler/resolve/type_syntax.hpp"
#include "compiler/syntax/literal.hpp"

namespace flow {

Library LibraryBuilder::build() {
  library_.error_type = add_error_type(library_.types);
  library_.type_names.emplace("Error", library_.error_type);
  library_.type_names.emplace("ErrorKind", library_.types.record(library_.error_type).fields[0].type);
  for (const Tree& tree : trees_) each_connector(tree, [&](NodeId node) { declare_names(tree, node); });
  for (const Tree& tree : trees_) declare_types_of_functions(tree);
  for (const Tree& tree : trees_) each_connector(tree, [&](NodeId node) { declare_members(tree, node); });
  for (const Tree& tree : trees_) declare_functions(tree);
  for (const auto& pending : pending_) resolve_references(pending);
  for (const Tree& tree : trees_)
    each_connector(tree, [&](NodeId node) {
      for (const NodeId member : tree.kids(node))
        if (tree.kind(member) == NodeKind::Trigger) declare_trigger(tree, name_of(tree, node), member);
    });
  for (const Tree& tree : trees_) report_contradictions(tree, library_, diagnostics_);
  for (const Tree& tree : trees_) report_not_yet_declared(tree, diagnostics_);
  return std::move(library_);
}

std::string LibraryBuilder::name_of(const Tree& tree, NodeId node) {
  return std::string(tree.text(tree.kid(node, 0)));
}

std::string LibraryBuilder::constant(const Tree& tree, NodeId clause) {
  return plain_text(tree, tree.kid(clause, 0), diagnostics_);
}

void LibraryBuilder::report(const Tree& tree, NodeId node, Code code, std::string message) {
  diagnostics_.report(code, tree.file, tree.span(node), std::move(message));
}

// The same, for a name: with the known one that was likely meant.
void LibraryBuilder::unknown(const Tree& tree, NodeId node, Code code, std::string message,
                             const std::vector<std::string>& known) {
  Diagnostic& d = diagnostics_.report(code, tree.file, tree.span(node), std::move(message));
  if (const auto near = nearest_name(tree.text(node), known))
    d.fix(tree.span(node), *near, fmt::format("did you mean `{}`?", *near));
  else if (!known.empty() && known.size() <= 24)
    d.note(fmt::format("known are {}", fmt::join(known, ", ")));
}

std::uint32_t LibraryBuilder::connector_index(const Tree& tree, NodeId name) {
  const auto found = std::ranges::find(library_.connectors, tree.text(name), &Connector::name);
  if (found != library_.connectors.end())
    return static_cast<std::uint32_t>(found - library_.connectors.begin());
  unknown(tree, name, Code::UnknownName, fmt::format("there is no connector `{}`", tree.text(name)),
          names_of(library_.connectors, &Connector::name));
  return 0;
}

void LibraryBuilder::declare_names(const Tree& tree, NodeId node) {
  const std::string name = name_of(tree, node);
  auto connector = std::ranges::find(library_.connectors, name, &Connector::name);
  if (says_where(tree, node) && !located_.insert(name).second) {
    repeated_.insert({&tree, node});
    diagnostics_
        .report(Code::DuplicateName, tree.file, tree.span(tree.kid(node, 0)),
                fmt::format("connector `{}` is declared twice", name))
        .note("to go on with a connector in another file, leave out its base and auth");
    return;
  }
  if (connector == library_.connectors.end())
    connector = library_.connectors.insert(connector, {.name = name, .base = {}, .auth = {}});
  for (const NodeId member : tree.kids(node)) {
    switch (tree.kind(member)) {
      case NodeKind::Base: connector->base = constant(tree, member); break;
      case NodeKind::Auth: connector->auth = auth_of(tree, member); break;
      case NodeKind::EnumDecl: declare_enum(tree, member); break;
      case NodeKind::RecordDecl: {
        const TypeId made = library_.types.add_record(
            {.name = name_of(tree, member), .fields = {}, .doc = tree.doc_above(member)});
        records_.emplace(std::pair(&tree, member), made);
        declare_type(tree, member, made);
        break;
      }
      case NodeKind::Quota: quotas_[name] = quota_of(tree, member, name); break;
      default: break;
    }
  }
}

bool LibraryBuilder::says_where(const Tree& tree, NodeId connector) {
  return tree.find(connector, NodeKind::Base) != kNoNode || tree.find(connector, NodeKind::Auth) != kNoNode;
}

void LibraryBuilder::declare_type_of(const Tree& tree, NodeId node) {
  if (tree.kind(node) == NodeKind::EnumDecl) declare_enum(tree, node);
  if (tree.kind(node) != NodeKind::RecordDecl) return;
  const TypeId made =
      library_.types.add_record({.name = name_of(tree, node), .fields = {}, .doc = tree.doc_above(node)});
  records_.emplace(std::pair(&tree, node), made);
  declare_type(tree, node, made);
}

void LibraryBuilder::declare_type(const Tree& tree, NodeId node, TypeId id) {
  const auto [at, is_new] = library_.type_names.emplace(name_of(tree, node), id);
  if (!is_new || builtin_type(at->first))
    report(tree, tree.kid(node, 0), Code::DuplicateName,
           fmt::format("type `{}` is declared twice", at->first));
}

void LibraryBuilder::declare_enum(const Tree& tree, NodeId node) {
  EnumType type{.name = name_of(tree, node),
                .values = {},
                .is_ordered = tree.text(node).starts_with("ordered"),
                .doc = tree.doc_above(node)};
  for (const NodeId value : tree.kids(node).subspan(1)) {
    if (std::ranges::find(type.values, tree.text(value)) != type.values.end())
      report(tree, value, Code::DuplicateName, fmt::format("value `{}` is declared twice", tree.text(value)));
    type.values.emplace_back(tree.text(value));
  }
  declare_type(tree, node, library_.types.add_enum(std::move(type)));
}

// Types that stand beside connectors are those of the standard functions.
void LibraryBuilder::declare_types_of_functions(const Tree& tree) {
  for (const NodeId kid : tree.kids(tree.root)) declare_type_of(tree, kid);
}

void LibraryBuilder::declare_functions(const Tree& tree) {
  for (const NodeId kid : tree.kids(tree.root)) {
    if (tree.kind(kid) == NodeKind::RecordDecl) declare_fields(tree, kid);
    if (tree.kind(kid) != NodeKind::NativeFunction) continue;
    StandardFunction function = read_function(tree, kid, library_.type_names, library_.types, diagnostics_);
    const bool is_repeated = std::ranges::any_of(
        library_.functions, [&](const StandardFunction& other) { return other.key == function.key; });
    if (is_repeated)
      report(tree, tree.kid(kid, 0), Code::DuplicateName,
             fmt::format("function `{}` is declared twice", function.key));
    library_.function_names[function.name].push_back(static_cast<std::uint32_t>(library_.functions.size()));
    library_.functions.push_back(std::move(function));
  }
}

void LibraryBuilder::declare_members(const Tree& tree, NodeId node) {
  const std::string connector = name_of(tree, node);
  const auto quota = quotas_.find(connector);
  const Quota* const fallback = quota == quotas_.end() ? nullptr : &quota->second;
  for (const NodeId member : tree.kids(node)) {
    if (tree.kind(member) == NodeKind::RecordDecl) declare_fields(tree, member);
    if (tree.kind(member) == NodeKind::Operation) declare_operation(tree, node, member, fallback);
  }
}

TypeId LibraryBuilder::type_of(const Tree& tree, NodeId node) {
  const TypeId type = resolve_type(tree, node, library_.type_names, library_.types, diagnostics_);
  if (has_key_beside_text(type))
    report(tree, node, Code::InvalidDeclaration, "in JSON the keys of a map are texts: write Map<String, T>");
  return type;
}

bool LibraryBuilder::has_key_beside_text(TypeId id) const {
  const Type& type = library_.types[id];
  if (type.kind == TypeKind::Map && type.key != kStringType) return true;
  if (type.kind == TypeKind::Union)
    return std::ranges::any_of(library_.types.members(id),
                               [&](TypeId member) { return has_key_beside_text(member); });
  return (type.kind == TypeKind::Map || type.kind == TypeKind::List || type.kind == TypeKind::Optional) &&
         has_key_beside_text(type.element);
}

void LibraryBuilder::declare_fields(const Tree& tree, NodeId node) {
  RecordType record{.name = name_of(tree, node), .fields = {}, .doc = tree.doc_above(node)};
  for (const NodeId decl : tree.kids(node).subspan(1)) {
    RecordField field{.name = name_of(tree, decl),
                      .wire = {},
                      .type = type_of(tree, tree.kid(decl, 1)),
                      .doc = tree.doc_above(decl)};
    for (const NodeId wire : tree.kids(decl).subspan(2))
      if (tree.kind(wire) == NodeKind::Text) field.also.push_back(plain_text(tree, wire, diagnostics_));
    field.wire = field.also.empty() ? field.name : std::exchange(field.also.front(), {});
    if (!field.also.empty()) field.also.erase(field.also.begin());
    if (record.field(field.name))
      report(tree, decl, Code::DuplicateName, fmt::format("field `{}` is declared twice", field.name));
    record.fields.push_back(std::move(field));
  }
  library_.types.mutable_record(records_.at({&tree, node})) = std::move(record);
}

const Operation* Library::operation(std::string_view connector, std::string_view name) const {
  const auto found = operation_names.find(fmt::format("{}.{}", connector, name));
  return found == operation_names.end() ? nullptr : &operations[found->second];
}

const Trigger* Library::trigger(std::string_view name) const {
  const auto found = std::ranges::find(triggers, name, &Trigger::name);
  return found == triggers.end() ? nullptr : &*found;
}

Library build_library(std::span<const Tree> trees, Diagnostics& diagnostics) {
  return LibraryBuilder({}, trees, diagnostics).build();
}

void put_behind_use(Library& library, const std::set<std::string, std::less<>>& connectors) {
  library.behind_use = connectors;
  std::erase_if(library.operation_names,
                [](const auto& row) { return row.first.find('.') == std::string::npos; });
  for (std::uint32_t i = 0; i < library.operations.size(); ++i)
    if (!library.behind_use.contains(library.operations[i].connector))
      library.operation_names.emplace(library.operations[i].name, i);
}

namespace {

// A connector that a program declares itself takes the place of one behind `use`.
void forget(Library& library, const std::string& connector) {
  if (library.behind_use.erase(connector) == 0) return;
  std::erase_if(library.operation_names,
                [&](const auto& row) { return row.first.starts_with(connector + "."); });
}

}  // namespace

Library extend_library(const Library& base, std::span<const Tree> trees, Diagnostics& diagnostics) {
  Library library = base;
  for (const Tree& tree : trees)
    if (tree.root != kNoNode)
      for (const NodeId kid : tree.kids(tree.root))
        if (tree.kind(kid) == NodeKind::Connector) forget(library, std::string(tree.text(tree.kid(kid, 0))));
  return LibraryBuilder(std::move(library), trees, diagnostics).build();
}

}  // namespace flow
