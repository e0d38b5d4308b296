#include <algorithm>

#include "base/text.hpp"
#include "compiler/check/checker.hpp"

namespace flow {
namespace {

constexpr std::size_t kMostValues = 6, kMostEnums = 3;  // that a note names

std::string and_more(std::size_t count) {
  return count == 0 ? std::string() : fmt::format(" and {} more", count);
}

// So many of the values, first the one that was probably meant.
std::vector<std::string> few_of(std::string_view written, const std::vector<std::string>& values) {
  std::vector<std::string> few;
  if (const auto near = nearest_name(written, values)) few.push_back(*near);
  for (const std::string& value : values)
    if (few.size() < kMostValues && std::ranges::find(few, value) == few.end()) few.push_back(value);
  return few;
}

}  // namespace

std::string Checker::quoted(NodeId node) const {
  return quoted_line(tree_.text(node), 40);
}

std::uint32_t Checker::declare_local(NodeId ident, TypeId type) {
  const std::string_view name = tree_.text(ident);
  const auto local = static_cast<std::uint32_t>(body_->locals.size());
  body_->locals.push_back({.name = std::string(name), .type = type, .declared = ident});
  out_.meaning[ident] = {.kind = Meaning::Kind::Local, .index = local};
  if (name == "_") {  // names nothing, and may stand as often as it is needed
    body_->locals[local].is_used = true;
    return local;
  }
  const auto [known, is_new] = visible_.emplace(name, local);
  if (is_new) {
    scope_.push_back(local);
  } else {
    report(Code::DuplicateName, ident, fmt::format("`{}` is already a name here", name))
        .label(tree_.span(body_->locals[known->second].declared), "first declared here");
    body_->locals[local].is_used = true;  // told once
  }
  if (const auto function = file_->functions.find(name); function != file_->functions.end())
    report(Code::DuplicateName, ident, fmt::format("`{}` is a function already", name))
        .label(tree_.span(tree_.kid(out_.functions[function->second].node, 0)), "first declared here");
  else
    is_taken(ident);
  return local;
}

void Checker::leave_scope(std::size_t size) {
  for (; scope_.size() > size; scope_.pop_back())
    if (body_ != nullptr) visible_.erase(tree_.text(body_->locals[scope_.back()].declared));
  if (size == 0) visible_.clear();
}

bool Checker::is_told(std::string_view name) const {
  return unreadable_.contains(name) ||
         std::ranges::any_of(name, [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
}

Meaning Checker::lookup(std::string_view name) const {
  using Kind = Meaning::Kind;
  if (const auto local = visible_.find(name); local != visible_.end())
    return {.kind = Kind::Local, .index = local->second};
  if (const auto setting = file_->settings.find(name); setting != file_->settings.end())
    return {.kind = Kind::Setting, .index = setting->second};
  if (trigger_ == nullptr) return {};  // a function knows its parameters only
  for (std::uint32_t i = 0; i < trigger_->bindings.size(); ++i)
    if (trigger_->bindings[i].name == name) return {.kind = Kind::Binding, .index = i};
  for (std::uint32_t i = 0; i < trigger_->entities.size(); ++i)
    if (trigger_->entities[i].name == name) return {.kind = Kind::Entity, .index = i};
  if (trigger_->entities.empty()) return {};
  if (const auto field = out_.types.record(trigger_->entities[0].type).field(name))
    return {.kind = Kind::EntityField, .index = 0, .field = *field};
  return {};
}

bool Checker::is_loose_name(NodeId node) const {
  while (tree_.kind(node) == NodeKind::Paren) node = tree_.kid(node, 0);
  return tree_.kind(node) == NodeKind::Ident && lookup(tree_.text(node)).kind == Meaning::Kind::None;
}

TypeId Checker::name(NodeId node, TypeId expected) {
  Meaning meaning = lookup(tree_.text(node));
  TypeId type = kNoType;
  switch (meaning.kind) {
    case Meaning::Kind::Local: {
      Local& local = body_->locals[meaning.index];
      local.is_used = true;
      type = local.type;
      break;
    }
    case Meaning::Kind::Setting: return setting_value(node, meaning.index);
    case Meaning::Kind::Binding: type = trigger_->bindings[meaning.index].type; break;
    case Meaning::Kind::Entity: type = trigger_->entities[meaning.index].type; break;
    case Meaning::Kind::EntityField: {
      const TypeId entity = trigger_->entities[meaning.index].type;
      type = out_.types.record(entity).fields[meaning.field].type;
      out_.fields_read.insert({entity, meaning.field});
      break;
    }
    default: break;
  }
  if (type == kNoType) return unknown_name(node, expected);
  out_.meaning[node] = meaning;
  return narrowed(node, type);
}

// All of a few values, else some.
std::string Checker::values_note(std::string_view written, TypeId type) const {
  const EnumType& named = out_.types.enumeration(type);
  if (named.values.size() <= kMostValues + 1)
    return fmt::format("its values are {}", fmt::join(named.values, ", "));
  const bool is_of_library = library_.type_names.contains(named.name);
  return fmt::format("its values are {}{}{}", fmt::join(few_of(written, named.values), ", "),
                     and_more(named.values.size() - kMostValues),
                     is_of_library ? "; docs/generated/operations.md has them all" : "");
}

// Enums that have such a value, as it is written with them: first those of what the trigger brings.
std::vector<std::string> Checker::enums_with(std::string_view value) const {
  std::vector<std::string> near, others;
  for (const auto& [name, type] : type_names()) {
    if (!out_.types.is(type, TypeKind::Enum)) continue;
    const auto& values = out_.types.enumeration(type).values;
    if (std::ranges::find(values, value) == values.end()) continue;
    (is_brought_by_trigger(type) ? near : others).push_back(fmt::format("`{}.{}`", name, value));
  }
  near.insert(near.end(), others.begin(), others.end());
  return near;
}

bool Checker::is_brought_by_trigger(TypeId type) const {
  return trigger_ != nullptr && std::ranges::any_of(trigger_->entities, [&](const Trigger::Entity& entity) {
           return std::ranges::any_of(out_.types.record(entity.type).fields, [&](const auto& field) {
             return out_.types.without_null(field.type) == type;
           });
         });
}

// Nothing in scope: a value of the expected enum, a mistyped one, or nothing at all.
TypeId Checker::unknown_name(NodeId node, TypeId expected) {
  const std::string_view text = tree_.text(node);
  const TypeId bare = expected == kNoType ? kNoType : out_.types.without_null(expected);
  if (bare != kNoType && out_.types.is(bare, TypeKind::Enum)) {
    const EnumType& type = out_.types.enumeration(bare);
    const auto exact = std::ranges::find(type.values, text);
    if (exact != type.values.end()) {
      out_.meaning[node] = {.kind = Meaning::Kind::EnumValue,
                            .index = static_cast<std::uint32_t>(exact - type.values.begin()),
                            .type = bare};
      return bare;
    }
    if (!type_names().contains(text)) return unknown_enum_value(node, bare);
  }
  if (type_names().contains(text) || builtin_type(text)) {
    const auto named = type_names().find(text);
    Diagnostic& d = report(Code::NotAValue, node, fmt::format("`{}` is a type, not a value", text));
    if (named != type_names().end() && out_.types.is(named->second, TypeKind::Enum))
      d.note(values_note(text, named->second));
    return error_type();
  }
  std::uint32_t operation = 0;
  if (operation_named(node, operation) != nullptr) {
    report(Code::NotAValue, node, fmt::format("`{}` is an operation; call it: `{}(…)`", text, text));
    return error_type();
  }
  if (file_->functions.contains(text) || text == "range") {
    report(Code::NotAValue, node, fmt::format("`{}` is a function; call it: `{}(…)`", text, text));
    return error_type();
  }
  if (is_told(text)) return error_type();
  if (const auto module = file_->modules.find(text); module != file_->modules.end()) {
    module->second.is_used = true;
    report(Code::NotAValue, node,
           fmt::format("`{}` is a module; write what of it is meant: `{}.name`", text, text));
    return error_type();
  }
  if (diagnostics_.has_errors() && is_unit_behind_number(node)) return error_type();  // told at the number
  const std::string member = member_of_module(text, false);
  const std::string_view unit = bare == kDurationType ? unit_of(text) : std::string_view();
  Diagnostic& d = report(Code::UnknownName, node, fmt::format("nothing here is called `{}`", text));
  for (const Local& local : body_->locals)
    if (local.name == text) {
      d.label(tree_.span(local.declared), "this one ends with its block");
      return error_type();
    }
  if (!member.empty()) {
    d.fix(tree_.span(node), member, fmt::format("a module has one: `{}`", member));
  } else if (!unit.empty()) {
    d.fix(tree_.span(node), fmt::format("1{}", unit),
          fmt::format("a length of time is a number and a unit: `1{}`", unit));
  } else if (const std::vector<std::string> enums = enums_with(text); !enums.empty()) {
    const std::size_t shown = enums.size() <= kMostEnums + 1 ? enums.size() : kMostEnums;
    d.note(fmt::format("where nothing says its type, write {}{}",
                       fmt::join(enums.begin(), enums.begin() + static_cast<std::ptrdiff_t>(shown), " or "),
                       and_more(enums.size() - shown)));
  } else if (const auto near = nearest_name(text, names_in_scope()))
    d.fix(tree_.span(node), *near, fmt::format("did you mean `{}`?", *near));
  else if (bare != kNoType && out_.types.storage(bare) == Storage::Text)
    d.fix(tree_.span(node), fmt::format("\"{}\"", text), fmt::format("for a text write \"{}\"", text));
  else if (const std::string givers = triggers_that_give(text); !givers.empty())
    d.note(trigger_ == nullptr
               ? "a function knows its parameters only; give it this value as one of them"
               : fmt::format("{} gives it, and this flow starts on {}", givers, trigger_->name));
  else if (trigger_ != nullptr)
    d.note(known_names());
  return error_type();
}

// Not a value of the enum: a type, an operation, or a mistyped value.
TypeId Checker::unknown_enum_value(NodeId node, TypeId type) {
  const std::string_view text = tree_.text(node);
  const EnumType& wanted = out_.types.enumeration(type);
  if (is_told(text)) return error_type();
  // The enum goes by the name of what it is compared with, when that is what has it.
  std::string subject = fmt::format("`{}`", wanted.name);
  if (enum_subject_ != kNoNode && out_.type[enum_subject_] != kNoType &&
      out_.types.without_null(out_.type[enum_subject_]) == type)
    subject = quoted(enum_subject_);
  Diagnostic& d = report(Code::UnknownEnumValue, node, fmt::format("{} has no value `{}`", subject, text));
  if (wanted.values.size() <= 8)
    d.expecting(fmt::format("expected one of {}", fmt::join(wanted.values, ", ")));
  else
    d.note(values_note(text, type));
  if (const auto near = nearest_name(text, wanted.values))
    d.fix(tree_.span(node), *near, fmt::format("did you mean `{}`?", *near));
  return error_type();
}

std::vector<std::string> Checker::names_in_scope() const {
  std::vector<std::string> names;
  for (const std::uint32_t local : scope_) names.push_back(body_->locals[local].name);
  for (const auto& [name, setting] : file_->settings) names.emplace_back(name);
  if (trigger_ == nullptr) return names;
  for (const Trigger::Binding& binding : trigger_->bindings) names.push_back(binding.name);
  for (const Trigger::Entity& entity : trigger_->entities) names.push_back(entity.name);
  if (!trigger_->entities.empty())
    for (const RecordField& field : out_.types.record(trigger_->entities[0].type).fields)
      names.push_back(field.name);
  return names;
}

const Operation* Checker::operation_named(NodeId callee, std::uint32_t& index) const {
  if (tree_.kind(callee) != NodeKind::Ident && tree_.kind(callee) != NodeKind::Field) return nullptr;
  std::string qualified;
  if (File::Module* const module = module_of(callee)) {  // of a connector, perhaps by another name
    if (module->connector.empty()) return nullptr;
    module->is_used = true;
    qualified = fmt::format("{}.{}", module->connector, tree_.text(tree_.kid(callee, 1)));
  }
  std::string_view name = qualified.empty() ? tree_.text(callee) : std::string_view(qualified);
  const bool is_any_http = is_http(callee);
  if (is_any_http) name = "http.send";  // what it could be at most
  const auto found = library_.operation_names.find(name);
  if (found == library_.operation_names.end()) return nullptr;
  const Operation& operation = library_.operations[found->second];
  if (qualified.empty() && !is_any_http && library_.behind_use.contains(operation.connector)) return nullptr;
  index = found->second;
  return &operation;
}

// Says so of `teams.post_card` where the file does not use `teams`.
bool Checker::needs_use(NodeId callee) {
  if (tree_.kind(callee) != NodeKind::Field || tree_.kind(tree_.kid(callee, 0)) != NodeKind::Ident)
    return false;
  const std::string_view name = tree_.text(tree_.kid(callee, 0));
  if (!library_.behind_use.contains(name) || visible_.contains(name) || file_->modules.contains(name) ||
      file_->settings.contains(name))
    return false;
  if (name == "http") {
    report(Code::UnknownOperation, callee,
           fmt::format("{} is no operation that flows call by itself", quoted(callee)))
        .note("write `http(method: GET, url: …)`");
    return true;
  }
  Diagnostic& d =
      report(Code::UnknownName, tree_.kid(callee, 0), fmt::format("nothing here is called `{}`", name));
  const std::uint32_t begin = file_->root == kNoNode ? 0 : tree_.span(file_->root).begin;
  d.fix({begin, begin}, fmt::format("use {}\n", name),
        fmt::format("it is a connector that flows name first: `use {}`", name));
  return true;
}

}  // namespace flow
