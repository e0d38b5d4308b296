// What the type parameters of standard functions stand for, and what they may.
#include <algorithm>

#include "compiler/check/checker.hpp"
#include "compiler/check/standard_functions.hpp"

namespace flow {
namespace {

using Pattern = TypePattern::Kind;

}  // namespace

bool is_plain_text(const TypeTable& types, TypeId type) {
  return types.storage(type) == Storage::Text && !types.is_optional(type) && type != kSecretType &&
         type != kHtmlType && type != kKqlType && type != kBytesType;
}

bool Checker::unify(const TypePattern& pattern, TypeId type, Bound& bound, bool is_first) {
  switch (pattern.kind) {
    case Pattern::Known:
      if (is_first && pattern.type == kStringType) return is_plain_text(out_.types, type);
      return out_.types.accepts(pattern.type, type);
    case Pattern::Variable: {
      TypeId& known = bound[pattern.variable];
      if (known == kNoType) known = type;
      return out_.types.accepts(known, type);
    }
    case Pattern::Optional:
      return type == kNullType || unify(pattern.children[0], out_.types.without_null(type), bound, false);
    case Pattern::List:
      return out_.types.is(type, TypeKind::List) &&
             unify(pattern.children[0], out_.types[type].element, bound, false);
    case Pattern::Map:
      return out_.types.is(type, TypeKind::Map) &&
             unify(pattern.children[0], out_.types[type].key, bound, false) &&
             unify(pattern.children[1], out_.types[type].element, bound, false);
    case Pattern::Entry:
    case Pattern::Function: break;
  }
  return false;
}

// The type that the pattern is, or kNoType when a type parameter is not known yet.
TypeId Checker::substituted(const TypePattern& pattern, const Bound& bound) {
  const auto child = [&](std::size_t i) { return substituted(pattern.children[i], bound); };
  switch (pattern.kind) {
    case Pattern::Known: return pattern.type;
    case Pattern::Variable: return bound[pattern.variable];
    case Pattern::Optional: {
      const TypeId element = child(0);
      return element == kNoType ? kNoType : out_.types.optional(element);
    }
    case Pattern::List: {
      const TypeId element = child(0);
      return element == kNoType ? kNoType : out_.types.list(element);
    }
    case Pattern::Map:
    case Pattern::Entry: {
      const TypeId key = child(0), element = child(1);
      if (key == kNoType || element == kNoType) return kNoType;
      return pattern.kind == Pattern::Map ? out_.types.map(key, element) : entry_type(key, element);
    }
    case Pattern::Function: break;
  }
  return kNoType;
}

TypeId Checker::entry_type(TypeId key, TypeId value) {
  const auto [at, is_new] = entry_types_.emplace(std::pair(key, value), kNoType);
  if (is_new) {
    RecordType record{.name = "Entry", .fields = {}, .doc = {}};
    record.fields.push_back({.name = "key", .wire = "key", .type = key, .doc = {}});
    record.fields.push_back({.name = "value", .wire = "value", .type = value, .doc = {}});
    at->second = out_.types.add_record(std::move(record));
  }
  return at->second;
}

bool Checker::meets(TypeBound bound, TypeId type) const {
  const TypeTable& types = out_.types;
  switch (bound) {
    case TypeBound::Any: return true;
    case TypeBound::Text: return is_plain_text(types, type);
    case TypeBound::Ordered: return types.is_orderable(type);
    case TypeBound::Comparable: return types.is_equatable(type);
    case TypeBound::Key: return types.is_map_key(type);
    case TypeBound::Number: return type == kIntType || type == kFloatType || type == kDurationType;
    case TypeBound::Row:
      return types.is(type, TypeKind::Record) ||
             (types.is(type, TypeKind::Map) && types[type].key == kStringType);
  }
  return false;
}

bool Checker::meets_bounds(const StandardFunction& function, const Bound& bound) const {
  for (std::size_t i = 0; i < bound.size(); ++i)
    if (bound[i] != kNoType && !is_error(bound[i]) && !meets(function.bounds[i], bound[i])) return false;
  return true;
}

// Reports the first type parameter that stands for what it cannot.
bool Checker::bounds_hold(const FunctionCall& call, const StandardFunction& function, const Bound& bound) {
  for (std::size_t i = 0; i < bound.size(); ++i) {
    const TypeId type = bound[i];
    if (type == kNoType || is_error(type) || meets(function.bounds[i], type)) continue;
    const std::string shown = type_name(type);
    const bool by_lambda = std::ranges::any_of(
        function.parameters, [](const auto& parameter) { return parameter.type.kind == Pattern::Function; });
    const auto refuse = [&](const std::string& message, std::string_view note) {
      Diagnostic& d = report(Code::OperatorMismatch, call.ident, message);
      if (!note.empty()) d.note(std::string(note));
      return false;
    };
    const std::string& name = function.name;
    switch (function.bounds[i]) {
      case TypeBound::Ordered:
        return refuse(fmt::format("`{}` needs values with an order, and `{}` has none", name, shown),
                      by_lambda        ? "numbers, texts, times, durations and ordered enums have one"
                      : name == "sort" ? "say by what to sort: `list.sortBy(x => …)`"
                                       : "take a value of each first: `list.map(x => …)`");
      case TypeBound::Number:
        return refuse(fmt::format("`{}` adds numbers, and this list holds `{}`", name, shown),
                      type == kStringType ? "to join texts write `list.join(\", \")`"
                                          : "take a number of each first: `list.sum(x => …)`");
      case TypeBound::Comparable:
        return refuse(fmt::format("values of `{}` cannot be compared", shown),
                      name == "contains" ? "test its items: `list.any(x => …)`"
                                         : "take a value of each first: `list.map(x => …)`");
      case TypeBound::Key:
        return refuse(fmt::format("`{}` cannot be the key of a map", shown),
                      "keys are String, Int, Bool, enums, and types kept as text, as Email");
      case TypeBound::Row:
        return refuse(
            fmt::format("`{}` makes rows of records and of maps with texts as keys, and this list "
                        "holds `{}`",
                        name, shown),
            type == kJsonType
                ? "say what a row holds: with `record Row { name: String? }`, `rows.map(x => x as Row)`"
                : "make a map of each first: `list.map(x => { name: x })`");
      case TypeBound::Text:
        if (name != "join") return refuse(fmt::format("`{}` edits texts, and this is `{}`", name, shown), "");
        return refuse(fmt::format("`join` joins texts, and this list holds `{}`", shown),
                      "make texts first: `list.map(x => \"{x}\").join(\", \")`");
      case TypeBound::Any: return true;
    }
  }
  return true;
}

}  // namespace flow
