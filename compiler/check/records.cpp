// Records written in place: `Page { title: "x" }`, and `{ title: "x" }` where a record is wanted.
#include <algorithm>

#include "base/text.hpp"
#include "compiler/check/checker.hpp"
#include "compiler/syntax/literal.hpp"

namespace flow {

TypeId Checker::construct(NodeId node) {
  const NodeId ident = tree_.kid(node, 0);
  const std::string_view name = tree_.text(ident);
  const auto entries = tree_.kids(node).subspan(1);
  const auto refuse = [&] {
    for (const NodeId entry : entries) lone_argument(tree_.kid(entry, 1));
    return error_type();
  };
  if (const std::size_t dot = name.find('.'); dot != std::string_view::npos)
    if (File::Module* const module = module_named(name.substr(0, dot))) {
      module->is_used = true;
      if (!module->file && module->connector.empty()) return refuse();
    }
  const auto found = file_->types.find(name);
  if (found != file_->types.end() && out_.types.is(found->second, TypeKind::Record))
    return record_in_place(node, entries, found->second);
  if (is_told(name)) return refuse();
  if (found != file_->types.end() || builtin_type(name)) {
    report(Code::TypeMismatch, ident, fmt::format("`{}` is no record", name))
        .note("only records are written as `Name { field: value }`");
    return refuse();
  }
  std::vector<std::string> known;
  for (const auto& [type, id] : file_->types)
    if (out_.types.is(id, TypeKind::Record)) known.push_back(type);
  Diagnostic& d = report(Code::UnknownType, ident, fmt::format("there is no record `{}`", name));
  if (const auto near = nearest_name(name, known))
    d.fix(tree_.span(ident), *near, fmt::format("did you mean `{}`?", *near));
  return refuse();
}

TypeId Checker::record_in_place(NodeId node, std::span<const NodeId> entries, TypeId type) {
  CheckedConstruct made{.record = type, .given = {}};
  const std::size_t count = out_.types.record(type).fields.size();
  std::vector<NodeId> keys(count, kNoNode);
  bool is_wrong = false;  // so that a missing field is told only when nothing else explains it
  for (const NodeId entry : entries) {
    const NodeId key_node = tree_.kid(entry, 0), value = tree_.kid(entry, 1);
    if (is_computed_key(tree_, key_node)) {
      report(Code::UnknownField, key_node, fmt::format("a field of `{}` is named by a word", type_name(type)))
          .note("computed keys are for maps");
      is_wrong = true;
      lone_argument(value);
      continue;
    }
    const std::string name = key_text(tree_, key_node, diagnostics_);
    const auto field = out_.types.record(type).field(name);
    if (!field) {
      unknown_field(key_node, name, type);
      is_wrong = true;
      lone_argument(value);
      continue;
    }
    const RecordField wanted = out_.types.record(type).fields[*field];  // a copy: values may declare types
    if (keys[*field] != kNoNode) {
      report(Code::DuplicateName, key_node, fmt::format("the field `{}` is given twice", name))
          .label(tree_.span(keys[*field]), "first given here");
      lone_argument(value);
      continue;
    }
    keys[*field] = key_node;
    expect(value, wanted.type, fmt::format("`{}` of `{}`", name, type_name(type)));
    made.given.emplace_back(*field, value);
    out_.fields_read.insert({type, *field});
  }
  const auto defaults = out_.field_defaults.find(type);
  std::vector<std::string> missing;
  for (std::uint32_t i = 0; i < count; ++i) {
    const RecordField& field = out_.types.record(type).fields[i];
    const bool has_default = defaults != out_.field_defaults.end() && defaults->second[i] != kNoNode;
    if (keys[i] == kNoNode && !has_default && !out_.types.is_optional(field.type) && !is_error(field.type))
      missing.push_back(fmt::format("`{}: {}`", field.name, type_name(field.type)));
    if (keys[i] == kNoNode && has_default) out_.fields_read.insert({type, i});
  }
  if (!missing.empty() && !is_wrong) {
    constexpr std::size_t kShown = 8;
    const std::size_t more = missing.size() > kShown ? missing.size() - kShown : 0;
    if (more > 0) missing.resize(kShown);
    const Span end{tree_.span(node).end - 1, tree_.span(node).end};
    diagnostics_
        .report(Code::MissingField, tree_.file, end,
                fmt::format("`{}` needs {}{}", type_name(type), fmt::join(missing, ", "),
                            more > 0 ? fmt::format(" and {} more", more) : ""))
        .expecting("expected before this")
        .note("only fields that may be null, or have a default, can be left out");
  }
  out_.constructs.insert_or_assign(node, std::move(made));
  return type;
}

void Checker::unknown_field(NodeId place, std::string_view wanted, TypeId type) {
  if (is_told(wanted)) return;
  const RecordType& record = out_.types.record(type);
  Diagnostic& d =
      report(Code::UnknownField, place, fmt::format("`{}` has no field `{}`", record.name, wanted));
  std::vector<std::string> names;
  for (const RecordField& field : record.fields) {
    names.push_back(field.name);
    if (field.wire == wanted) {  // the API's own spelling
      d.fix(tree_.span(place), field.name, fmt::format("Flow calls it `{}`", field.name));
      return;
    }
  }
  if (const auto near = nearest_name(wanted, names))
    d.fix(tree_.span(place), *near, fmt::format("did you mean `{}`?", *near));
  else if (names.empty())
    d.note("it has none");
  else
    d.note(fmt::format("its fields are {}", fmt::join(names, ", ")));
}

void Checker::keep_fields(TypeId type) {
  const Type of = out_.types[type];
  switch (of.kind) {
    case TypeKind::Optional:
    case TypeKind::List:
    case TypeKind::Map: return keep_fields(of.element);
    case TypeKind::Union:
      for (const TypeId member : std::vector<TypeId>(out_.types.members(type))) keep_fields(member);
      return;
    case TypeKind::Record: {
      if (!kept_.insert(type).second) return;
      const std::size_t count = out_.types.record(type).fields.size();
      for (std::uint32_t i = 0; i < count; ++i) {
        out_.fields_read.insert({type, i});
        keep_fields(out_.types.record(type).fields[i].type);
      }
      return;
    }
    default: return;
  }
}

}  // namespace flow
