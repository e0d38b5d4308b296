// `value as Type`, which converts or fails, and `value is Type`, which says whether it would.
#include <algorithm>
#include <functional>

#include "base/text.hpp"
#include "compiler/check/checker.hpp"
#include "compiler/check/standard_functions.hpp"

namespace flow {

TypeId Checker::own_type_in(TypeId type) const {
  std::set<TypeId> seen;
  const std::function<TypeId(TypeId)> find = [&](TypeId at) -> TypeId {
    const Type& t = out_.types[at];
    switch (t.kind) {
      case TypeKind::Secret:
      case TypeKind::Html:
      case TypeKind::Kql:
      case TypeKind::Null:
      case TypeKind::Nothing:
      case TypeKind::Union:
      case TypeKind::Error: return at;
      case TypeKind::Optional:
      case TypeKind::List: return find(t.element);
      case TypeKind::Map:
        if (const TypeId key = find(t.key); key != kNoType) return key;
        return find(t.element);
      case TypeKind::Record:
        if (!seen.insert(at).second) return kNoType;
        for (const RecordField& field : out_.types.record(at).fields)
          if (const TypeId own = find(field.type); own != kNoType) return own;
        return kNoType;
      default: return kNoType;
    }
  };
  return find(type);
}

namespace {

// The function that reads a text as a value of the type.
std::string_view reader_of(TypeId type) {
  switch (type) {
    case kIntType: return "toInt";
    case kFloatType: return "toFloat";
    case kTimeType: return "toTime";
    case kDurationType: return "toDuration";
    default: return {};
  }
}

}  // namespace

// What a hunting query gives: rows, of which the author knows the columns.
bool Checker::is_list_of_json(TypeId type) const {
  return out_.types.is(type, TypeKind::List) &&
         out_.types.without_null(out_.types[type].element) == kJsonType;
}

bool Checker::becomes(TypeId from, TypeId to) const {
  if (from == to) return true;
  if (from == kJsonType) return is_foreign(to);
  if (to == kJsonType) return is_foreign(from);
  if (is_list_of_json(from)) return out_.types.is(to, TypeKind::List) && is_foreign(to);
  if (from == kBytesType) return to == kStringType;
  if (from == kStringType && to == kBytesType) return true;
  if (is_plain_text(out_.types, from))
    return is_plain_text(out_.types, to) || (from == kStringType && out_.types.is(to, TypeKind::Enum));
  if (out_.types.is(from, TypeKind::Enum)) return to == kStringType;
  return from == kIntType && to == kFloatType;
}

std::string Checker::what_it_becomes(TypeId from) const {
  if (const TypeId own = own_type_in(from); own != kNoType)
    return own == kSecretType ? "a secret can only be given to a parameter declared `Secret`"
                              : fmt::format("a `{}` stays what it is", type_name(own));
  if (is_plain_text(out_.types, from))
    return from == kStringType
               ? "a String can become an enum, Json, Bytes, and any type kept as text, as Email"
               : fmt::format("`{}` can become String, Json, and any type kept as text", type_name(from));
  if (out_.types.is(from, TypeKind::Enum) || from == kBytesType)
    return fmt::format("`{}` can become String and Json", type_name(from));
  if (from == kIntType) return "an Int can become Float and Json; for a text write \"{value}\"";
  return out_.types.storage(from) == Storage::Float || out_.types.storage(from) == Storage::Int ||
                 out_.types.storage(from) == Storage::Bool
             ? fmt::format("`{}` can become Json; for a text write \"{{value}}\"", type_name(from))
             : fmt::format("`{}` can become Json", type_name(from));
}

TypeId Checker::conversion(NodeId node) {
  const NodeId value = tree_.kid(node, 0), type_node = tree_.kid(node, 1);
  const TypeId to = declared_type(type_node);
  const TypeId from = expression(value, is_error(to) ? kNoType : to);
  if (is_error(from) || is_error(to)) return is_error(to) ? to : error_type();
  const TypeId bare_from = out_.types.without_null(from), bare_to = out_.types.without_null(to);
  if (out_.types.accepts(to, from)) return to;
  if (from == kNothingType) {
    report(Code::NotAValue, value, fmt::format("{} gives no result to convert", quoted(value)));
    return error_type();
  }
  if (from == kNullType || !becomes(bare_from, bare_to)) {
    Diagnostic& d = report(
        Code::NeverConverts, node,
        fmt::format("{} is `{}`, which never becomes `{}`", quoted(value), type_name(from), type_name(to)));
    if (bare_from == kJsonType)
      d.note(fmt::format("`{}` is made by flows alone", type_name(own_type_in(bare_to))));
    else if (from != kNullType)
      d.note(what_it_becomes(bare_from));
    advise_list_of(type_node, bare_from, bare_to, d);
    if (bare_from == kStringType)
      if (const std::string_view reader = reader_of(bare_to); !reader.empty())
        d.note(fmt::format("`text.{}()` reads one, and is null for what is none", reader));
    return error_type();
  }
  // A null among foreign data is a value that does not fit; elsewhere it is the author's to handle.
  if (out_.types.is_optional(from) && !out_.types.is_optional(to) && bare_from != kJsonType)
    return may_be_null(value, from, "what is converted");
  if (bare_from == kJsonType || bare_to == kJsonType || is_list_of_json(bare_from)) {
    keep_fields(bare_from);
    keep_fields(bare_to);
  }
  return to;
}

bool Checker::is_testable(TypeId from, TypeId to) const {
  const TypeId bare_from = out_.types.without_null(from), bare_to = out_.types.without_null(to);
  const bool is_tested = bare_from == kJsonType || (bare_from == kStringType && bare_to != kStringType &&
                                                    becomes(bare_from, bare_to) && bare_to != kJsonType);
  if (is_tested && is_foreign(bare_to)) return true;
  return bare_from == bare_to && out_.types.is_optional(from) && !out_.types.is_optional(to);
}

TypeId Checker::type_test(NodeId node) {
  const NodeId value = tree_.kid(node, 0), type_node = tree_.kid(node, 2);
  const TypeId from = expression(value);
  if (is_value_for_type(node, type_node, from)) return kBoolType;
  const TypeId to = declared_type(type_node);
  out_.type[type_node] = to;
  if (is_error(from) || is_error(to)) return kBoolType;
  const TypeId bare_from = out_.types.without_null(from), bare_to = out_.types.without_null(to);
  if (is_testable(from, to)) {
    if (bare_from != bare_to) keep_fields(bare_to);
    return kBoolType;
  }
  Diagnostic& d = report(Code::TestIsKnown, node,
                         fmt::format("{} is `{}`, so this is always {}", quoted(value), type_name(from),
                                     bare_from == bare_to ? "true" : "false"));
  if (bare_from != bare_to) d.note("`is` tests Json, texts for the types kept as text, and what may be null");
  return kBoolType;
}

}  // namespace flow
