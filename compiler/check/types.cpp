// Records and enums that a source declares: all names first, so that they can hold each other and stand in
// any order, then the fields, then their defaults.
#include <algorithm>

#include "base/text.hpp"
#include "compiler/check/checker.hpp"
#include "compiler/syntax/literal.hpp"

namespace flow {
namespace {

// Names of values are looked up one after the other.
constexpr std::size_t kMostEnumValues = 500;

}  // namespace

void Checker::enter_constants(std::uint32_t file) {
  constants_ = {};
  constants_.file = file;
  enter(constants_);
}

void Checker::declare_types() {
  const auto each = [&](NodeKind kind, void (Checker::*declare)(NodeId)) {
    for (std::uint32_t i = 0; i < files_.size(); ++i) {
      enter_constants(i);
      if (file_->root == kNoNode) continue;
      for (const NodeId kid : tree_.kids(file_->root))
        if (tree_.kind(kid) == kind) (this->*declare)(kid);
    }
  };
  each(NodeKind::EnumDecl, &Checker::declare_enum);
  each(NodeKind::RecordDecl, &Checker::declare_record);
  for (File& file : files_)
    for (const auto& [name, module] : file.modules)
      if (module.file)
        for (const auto& [type, id] : files_[*module.file].own_types)
          file.types.emplace(fmt::format("{}.{}", name, type), id);
  each(NodeKind::RecordDecl, &Checker::declare_fields);
  report_endless_records();
  each(NodeKind::RecordDecl, &Checker::check_field_defaults);
}

bool Checker::declare_type(NodeId node, TypeId type) {
  const NodeId ident = tree_.kid(node, 0);
  const std::string name(tree_.text(ident));
  declared_types_.emplace(node, type);
  if (is_told(name)) return false;
  if (builtin_type(name) || name == "List" || name == "Map") {
    report(Code::DuplicateName, ident, fmt::format("`{}` is a type of the language", name))
        .note("choose another name");
    return false;
  }
  if (const auto own = file_->own_types.find(name); own != file_->own_types.end()) {
    Diagnostic& d = report(Code::DuplicateName, ident, fmt::format("type `{}` is declared twice", name));
    for (const auto& [declaration, declared] : declared_types_)
      if (declared == own->second) d.label(tree_.span(tree_.kid(declaration, 0)), "first declared here");
    return false;
  }
  if (file_->types.contains(name)) {
    report(Code::DuplicateName, ident, fmt::format("`{}` is a type that a connector declares", name))
        .note("choose another name");
    return false;
  }
  file_->types.emplace(name, type);
  file_->own_types.emplace(name, type);
  if (name.front() >= 'A' && name.front() <= 'Z') return true;
  std::string capital = name;
  if (capital.front() >= 'a' && capital.front() <= 'z')
    capital.front() = static_cast<char>(name.front() - 'a' + 'A');
  Diagnostic& d = report(Code::InvalidType, ident, "the name of a type begins with a capital letter");
  if (capital != name) d.fix(tree_.span(ident), capital, fmt::format("write `{}`", capital));
  return true;
}

void Checker::declare_enum(NodeId node) {
  EnumType type{.name = std::string(tree_.text(tree_.kid(node, 0))),
                .values = {},
                .is_ordered = tree_.text(node).starts_with("ordered"),
                .doc = tree_.doc_above(node)};
  const auto values = tree_.kids(node).subspan(1);
  if (values.size() > kMostEnumValues)
    report(Code::TooComplex, tree_.kid(node, 0),
           fmt::format("an enum has at most {} values", kMostEnumValues));
  for (std::size_t i = 0; i < std::min(values.size(), kMostEnumValues); ++i) {
    const std::string_view value = tree_.text(values[i]);
    const auto first = std::ranges::find(type.values, value);
    // Values are kept as they are spelled, and read without regard to case.
    const auto same = std::ranges::find_if(
        type.values, [&](const std::string& known) { return equals_ignoring_case(known, value); });
    if (same != type.values.end())
      report(Code::DuplicateName, values[i],
             first != type.values.end()
                 ? fmt::format("value `{}` is declared twice", value)
                 : fmt::format("values `{}` and `{}` differ by case only", *same, value))
          .label(tree_.span(values[static_cast<std::size_t>(same - type.values.begin())]),
                 "first declared here");
    else
      type.values.emplace_back(value);
  }
  if (values.empty())
    report(Code::InvalidType, tree_.kid(node, 0), fmt::format("the enum `{}` has no values", type.name))
        .note("write them in braces: `enum Level { Low, High }`");
  if (type.values.empty()) type.values.emplace_back("none");
  declare_type(node, out_.types.add_enum(std::move(type)));
}

void Checker::declare_record(NodeId node) {
  declare_type(node, out_.types.add_record({.name = std::string(tree_.text(tree_.kid(node, 0))),
                                            .fields = {},
                                            .doc = tree_.doc_above(node)}));
}

void Checker::declare_fields(NodeId node) {
  const TypeId made = declared_types_.at(node);
  std::vector<RecordField> fields;
  std::vector<NodeId> defaults;
  const auto declarations = tree_.kids(node).subspan(1);
  if (declarations.size() > 200)
    report(Code::TooComplex, tree_.kid(node, 0), "a record has at most 200 fields");
  for (const NodeId declaration : declarations.first(std::min<std::size_t>(declarations.size(), 200))) {
    const NodeId ident = tree_.kid(declaration, 0);
    RecordField field{.name = std::string(tree_.text(ident)),
                      .wire = {},
                      .type = declared_type(tree_.kid(declaration, 1)),
                      .doc = tree_.doc_above(declaration)};
    const NodeId wire = tree_.find(declaration, NodeKind::Text),
                 value = tree_.find(declaration, NodeKind::Default);
    field.wire = wire == kNoNode ? field.name : plain_text(tree_, wire, diagnostics_);
    for (const NodeId other : tree_.kids(declaration).subspan(2))
      if (tree_.kind(other) == NodeKind::Text && other != wire)
        field.also.push_back(plain_text(tree_, other, diagnostics_));
    const auto same = std::ranges::find_if(fields, [&](const RecordField& known) {
      return known.name == field.name || known.wire == field.wire;
    });
    if (same != fields.end()) {
      const auto first = static_cast<std::size_t>(same - fields.begin());
      report(Code::DuplicateName, same->name == field.name || wire == kNoNode ? ident : wire,
             same->name == field.name ? fmt::format("field `{}` is declared twice", field.name)
                                      : fmt::format("two fields are called `{}` in JSON", field.wire))
          .label(tree_.span(tree_.kid(declarations[first], 0)), "first declared here");
    }
    fields.push_back(std::move(field));
    defaults.push_back(value == kNoNode ? kNoNode : tree_.kid(value, 0));
  }
  out_.types.mutable_record(made).fields = std::move(fields);
  out_.field_defaults.insert_or_assign(made, std::move(defaults));
}

// A record that holds a record of its own type, itself or by others, could never be made.
void Checker::report_endless_records() {
  enum class State : std::uint8_t { New, Open, Done };
  std::map<TypeId, State> states;
  std::map<TypeId, NodeId> nodes;
  for (const auto& [node, type] : declared_types_) nodes.emplace(type, node);
  struct Visit {
    TypeId record;
    std::uint32_t next = 0;
  };
  for (const auto& [start, unused] : out_.field_defaults) {
    std::vector<Visit> path;
    if (states[start] == State::New) path.push_back({start});
    while (!path.empty()) {
      Visit& visit = path.back();
      states[visit.record] = State::Open;
      const std::vector<RecordField>& fields = out_.types.record(visit.record).fields;
      if (visit.next == fields.size()) {
        states[visit.record] = State::Done;
        path.pop_back();
        continue;
      }
      const std::uint32_t index = visit.next++;
      const TypeId type = fields[index].type;
      if (!out_.types.is(type, TypeKind::Record) || !nodes.contains(type)) continue;
      if (states[type] == State::New) {
        path.push_back({type});  // `visit` is no longer valid
        continue;
      }
      if (states[type] == State::Done) continue;
      const TypeId record = visit.record;
      const NodeId declaration = tree_.kid(nodes.at(record), index + 1);
      const std::string name = fields[index].name;
      report(Code::InvalidType, tree_.kid(declaration, 1),
             record == type
                 ? fmt::format("each `{}` would hold another one, without end", type_name(type))
                 : fmt::format("each `{}` would hold a record that holds another `{}`, without end",
                               type_name(record), type_name(record)))
          .note(fmt::format("what may be missing can end: `{}: {}?` or `{}: List<{}>`", name, type_name(type),
                            name, type_name(type)));
      out_.types.mutable_record(record).fields[index].type = error_type();
    }
  }
}

void Checker::check_field_defaults(NodeId node) {
  const TypeId type = declared_types_.at(node);
  const std::vector<NodeId> defaults = out_.field_defaults.at(type);
  for (std::size_t i = 0; i < defaults.size(); ++i) {
    const NodeId value = defaults[i];
    if (value == kNoNode) continue;
    const RecordField field = out_.types.record(type).fields[i];  // a copy: lists of it may come to be
    expect(value, field.type, fmt::format("the default of `{}`", field.name));
    if (is_error(out_.type[value]) || is_error(field.type)) continue;
    if (!is_constant(value))
      report(Code::DefaultIsNoConstant, value,
             fmt::format("the default of `{}` must be a constant", field.name))
          .note("constants are numbers, texts without holes, values of enums, and lists and maps of these");
    else if (holds_record(value))
      report(Code::DefaultIsNoConstant, value, fmt::format("the default of `{}` holds a record", field.name))
          .note(fmt::format("let it be missing: `{}: {}?`", field.name, type_name(field.type)));
  }
}

bool Checker::holds_record(NodeId node) const {
  return out_.constructs.contains(node) ||
         std::ranges::any_of(tree_.kids(node), [&](NodeId kid) { return holds_record(kid); });
}

}  // namespace flow
