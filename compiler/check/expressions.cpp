#include <algorithm>

#include "base/text.hpp"
#include "base/text_forms.hpp"
#include "compiler/check/checker.hpp"
#include "compiler/syntax/literal.hpp"

namespace flow {
namespace {

// A number or a duration that is written as a text.
void unquote(const Tree& tree, NodeId node, TypeId wanted, Diagnostic& d) {
  if (tree.kind(node) != NodeKind::Text || has_holes(tree, node)) return;
  Diagnostics told;  // before
  const std::string text = plain_text(tree, node, told);
  const bool is_number = !text.empty() && text.size() < 18 &&
                         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if ((wanted == kIntType || wanted == kFloatType) && is_number)
    d.fix(tree.span(node), text, fmt::format("a number is written without quotes: {}", text));
  if (wanted != kDurationType) return;
  if (const auto duration = parse_duration_us(text); duration && *duration >= 0)
    d.fix(tree.span(node), format_duration_us(*duration),
          fmt::format("a duration is written without quotes: {}", format_duration_us(*duration)));
}

}  // namespace

TypeId Checker::expression(NodeId node, TypeId expected) {
  const TypeId type = infer(node, expected);
  out_.type[node] = type;
  return type;
}

TypeId Checker::infer(NodeId node, TypeId expected) {
  const NodeKind kind = tree_.kind(node);
  if ((kind == NodeKind::List || kind == NodeKind::Record) && expected != kNoType &&
      out_.types.without_null(expected) == kJsonType)
    return json_literal(node);
  switch (kind) {
    case NodeKind::Int: int_value(tree_, node, diagnostics_); return kIntType;
    case NodeKind::Float: float_value(tree_, node, diagnostics_); return kFloatType;
    case NodeKind::Duration: duration_value_us(tree_, node, diagnostics_); return kDurationType;
    case NodeKind::True:
    case NodeKind::False: return kBoolType;
    case NodeKind::Null: return kNullType;
    case NodeKind::Text:
    case NodeKind::TextBlock:
    case NodeKind::RawText:
    case NodeKind::Html:
    case NodeKind::Kql: return text(node, expected);
    case NodeKind::Ident: return name(node, expected);
    case NodeKind::Paren: return expression(tree_.kid(node, 0), expected);
    case NodeKind::List: return list(node, expected);
    case NodeKind::Field: return field(node);
    case NodeKind::OptionalField: return optional_field(node);
    case NodeKind::Index: return index(node);
    case NodeKind::Call: return call(node);
    case NodeKind::IfExpr: return if_expression(node, expected);
    case NodeKind::Or:
    case NodeKind::And: return logic(node);
    case NodeKind::Not: boolean(tree_.kid(node, 0), "the operand of `not`"); return kBoolType;
    case NodeKind::Compare: return compare(node);
    case NodeKind::Coalesce: return coalesce(node, expected);
    case NodeKind::Negate:
      if (is_least_int(tree_, node)) return out_.type[tree_.kid(node, 0)] = kIntType;
      return arithmetic(node, expected);
    case NodeKind::Sum:
    case NodeKind::Product: return arithmetic(node, expected);
    case NodeKind::ForExpr: return loop_expression(node, expected);
    case NodeKind::MatchExpr: return match_expression(node, expected);
    case NodeKind::Attempt: return attempt(node);
    case NodeKind::Await:
    case NodeKind::ModifiedCall:
    case NodeKind::CallFlow:
    case NodeKind::StartFlow: return modified_call(node);
    case NodeKind::Record: return map(node, expected);
    case NodeKind::Construct: return construct(node);
    case NodeKind::As: return conversion(node);
    case NodeKind::Lambda: return not_yet(node, "a function as a value");
    default: pass_over(node); return error_type();  // reported: see compiler/resolve/not_yet.cpp
  }
}

TypeId Checker::not_yet(NodeId node, const std::string& what) {
  report(Code::NotYetSupported, node,
         fmt::format("{} is part of the language, but this version of Flow does not compile it yet", what));
  return error_type();
}

TypeId Checker::may_be_null(NodeId node, TypeId type, const std::string& what) {
  report(Code::MayBeNull, node, fmt::format("{} may be null, and {} must not be", quoted(node), what))
      .expecting(fmt::format("is `{}`", type_name(type)))
      .note("say what to do then: `value \?\? other`, or `if value != null { … }`");
  return error_type();
}

void Checker::expect(NodeId node, TypeId wanted, const std::string& what) {
  const TypeId type = expression(node, wanted);
  if (out_.types.accepts(wanted, type)) return;
  if (type == kIntType && out_.types.without_null(wanted) == kFloatType) {
    out_.is_widened[node] = 1;
    return;
  }
  if (takes_json(wanted) && type != kNullType && out_.types.without_null(type) != kJsonType &&
      (!out_.types.is_optional(type) || out_.types.is_optional(wanted)) && make_json(node, type))
    return;
  if (type == kNothingType) {
    report(Code::NotAValue, node,
           fmt::format("{} gives no result, and {} must be `{}`", quoted(node), what, type_name(wanted)));
    return;
  }
  if (type == kNullType) {
    report(Code::MayBeNull, node, fmt::format("`null` cannot be {}, which is `{}`", what, type_name(wanted)));
    return;
  }
  if (out_.types.is_optional(type) && out_.types.accepts(wanted, out_.types.without_null(type))) {
    may_be_null(node, type, what);
    return;
  }
  Diagnostic& d = report(
      Code::TypeMismatch, node,
      fmt::format("{} must be `{}`, and {} is `{}`", what, type_name(wanted), quoted(node), type_name(type)));
  d.expecting(fmt::format("is `{}`", type_name(type)));
  if (type == kSecretType) d.note(kSecretNote);
  if (wanted == kSecretType && type == kStringType)
    d.note("a secret is declared beside the flow, and named: `secret api_key`");
  if (out_.types.without_null(type) == kJsonType && is_foreign(wanted)) {
    const std::uint32_t end = tree_.span(node).end;
    d.fix({end, end}, fmt::format(" as {}", type_name(wanted)),
          fmt::format("convert it: `as {}`", type_name(wanted)));
  }
  advise_type(node, wanted, type, d);
  if (type == kStringType) unquote(tree_, node, out_.types.without_null(wanted), d);
  if (out_.types.without_null(wanted) == kBytesType && type == kStringType)
    d.note("`text.toBytes()` gives the bytes of its UTF-8, `text as Bytes` those that it is in Base64");
  const bool is_number = tree_.kind(node) == NodeKind::Int || tree_.kind(node) == NodeKind::Float;
  if (out_.types.without_null(wanted) == kStringType && is_number) {
    d.fix(tree_.span(node), fmt::format("\"{}\"", tree_.text(node)),
          fmt::format("a text stands between quotes: \"{}\"", tree_.text(node)));
    return;
  }
  const bool wants_text = out_.types.accepts(wanted, kStringType);
  const Storage storage = out_.types.storage(type);
  if (wants_text &&
      (storage == Storage::Text || storage == Storage::Int || storage == Storage::Enum ||
       storage == Storage::Float) &&
      type != kSecretType && type != kHtmlType && type != kKqlType)  // those cannot stand in a text either
    d.fix(tree_.span(node), fmt::format("\"{{{}}}\"", tree_.text(node)),
          fmt::format("write it into a text: \"{{{}}}\"", tree_.text(node)));
}

void Checker::boolean(NodeId node, const std::string& what) {
  expect(node, kBoolType, what);
}

// ---- Text

TypeId Checker::text(NodeId node, TypeId expected) {
  const NodeKind kind = tree_.kind(node);
  for (const NodeId kid : tree_.kids(node))
    if (tree_.kind(kid) != NodeKind::TextPiece) hole(kid, kind);
  if (kind == NodeKind::Html) return page_holes(node), kHtmlType;
  if (kind == NodeKind::Kql) return query_holes(node), kKqlType;
  return has_holes(tree_, node) ? kStringType : literal_text(node, expected);
}

// A text without holes takes the security type that is expected, when it has its form.
TypeId Checker::literal_text(NodeId node, TypeId expected) {
  const std::string value = plain_text(tree_, node, diagnostics_);
  if (expected == kNoType) return kStringType;
  TypeId wanted = out_.types.without_null(expected);
  if (out_.types.is(wanted, TypeKind::Union)) {
    const auto& members = out_.types.members(wanted);
    const auto text_member = std::ranges::find_if(
        members, [&](TypeId member) { return out_.types.storage(member) == Storage::Text; });
    if (text_member == members.end()) return kStringType;
    wanted = *text_member;
  }
  if (out_.types.is(wanted, TypeKind::Enum)) {
    const auto enum_value = out_.types.enumeration(wanted).value(value);
    if (!enum_value) return kStringType;
    const std::string& spelling = out_.types.enumeration(wanted).values[*enum_value];
    report(Code::TypeMismatch, node,
           fmt::format("a value of `{}` is written without quotes", type_name(wanted)))
        .fix(tree_.span(node), spelling, fmt::format("write `{}`", spelling));
    return error_type();
  }
  if (wanted == kTimeType) {
    if (parse_written_time_us(value)) return kTimeType;
    report(Code::InvalidLiteral, node, fmt::format("{} is no `Time`", quoted(node)))
        .note(
            "write a day, as \"2026-07-01\", or a moment, as \"2026-07-01T12:00:00Z\" or with \"+02:00\" "
            "behind it");
    return error_type();
  }
  if (wanted == kStringType || out_.types.storage(wanted) != Storage::Text || wanted == kSecretType ||
      wanted == kHtmlType || wanted == kKqlType)
    return kStringType;
  if (const std::string wrong = text_mistake(wanted, value); !wrong.empty()) {
    report(Code::InvalidLiteral, node,
           fmt::format("{} is no `{}`: {}", quoted(node), type_name(wanted), wrong));
    return error_type();
  }
  return wanted;
}

// A value that becomes text for people, HTML or a query.
void Checker::hole(NodeId node, NodeKind text_kind) {
  const TypeId type = expression(node);
  if (is_error(type)) return;
  if (text_kind == NodeKind::Kql && out_.types.is_optional(type)) {  // a query has no literal for "no value"
    may_be_null(node, type, "a value in a query");
    return;
  }
  // A list becomes a dynamic array in a query, and nothing elsewhere.
  const bool is_query_list = text_kind == NodeKind::Kql && out_.types.is(type, TypeKind::List);
  const TypeId bare = is_query_list ? out_.types[type].element : out_.types.without_null(type);
  const Storage storage = out_.types.storage(bare);
  const bool is_scalar = storage == Storage::Bool || storage == Storage::Int || storage == Storage::Float ||
                         storage == Storage::Text || storage == Storage::Enum ||
                         (storage == Storage::Json && text_kind != NodeKind::Kql);
  const bool is_markup = bare == kHtmlType || bare == kKqlType;
  const bool fits =
      is_scalar && bare != kSecretType && (!is_markup || (bare == kHtmlType && text_kind == NodeKind::Html));
  if (fits) return;
  Diagnostic& d =
      report(Code::CannotInterpolate, node,
             fmt::format("{} is `{}`, which cannot become text here", quoted(node), type_name(type)));
  if (bare == kSecretType)
    d.note(kSecretNote);
  else if (out_.types.is(bare, TypeKind::Record))
    d.note("name one of its fields");
  else if (bare == kNothingType)
    d.note("the operation gives no result");
}

// ---- Fields and choices

TypeId Checker::field(NodeId node) {
  const NodeId object = tree_.kid(node, 0);
  if (tree_.kind(object) == NodeKind::Ident) {
    const Meaning meaning = lookup(tree_.text(object));
    if (meaning.kind == Meaning::Kind::None)
      if (File::Module* const module = module_named(tree_.text(object))) return module_member(node, *module);
  }
  const bool is_name = tree_.kind(object) == NodeKind::Ident
                           ? lookup(tree_.text(object)).kind == Meaning::Kind::None
                           : module_of(object) != nullptr;
  if (is_name)
    if (const auto type = type_named(object); type && out_.types.is(*type, TypeKind::Enum)) {
      const TypeId value = unknown_name(tree_.kid(node, 1), *type);  // `AlertSeverity.High`
      out_.meaning[node] = out_.meaning[tree_.kid(node, 1)];
      return value;
    }
  const TypeId type = expression(object);
  if (is_error(type)) return type;
  if (out_.types.without_null(type) == kJsonType) return json_member(node);
  if (out_.types.is_optional(type)) {
    report(Code::MayBeNull, object,
           fmt::format("{} may be null, so its fields are reached by `?.`", quoted(object)))
        .fix({tree_.span(object).end, tree_.span(tree_.kid(node, 1)).begin}, "?.",
             "write `?.` and handle the null");
    return error_type();
  }
  return narrowed(node, record_field(node, object, type));
}

TypeId Checker::optional_field(NodeId node) {
  const NodeId object = tree_.kid(node, 0);
  const TypeId type = expression(object);
  if (is_error(type)) return type;
  if (!out_.types.is_optional(type))
    report(Code::NeverNull, object, fmt::format("{} is never null: `.` is enough", quoted(object)))
        .fix({tree_.span(object).end, tree_.span(tree_.kid(node, 1)).begin}, ".", "write `.`");
  if (out_.types.without_null(type) == kJsonType) return json_member(node);
  const TypeId field_type = record_field(node, object, out_.types.without_null(type));
  return is_error(field_type) ? field_type : narrowed(node, out_.types.optional(field_type));
}

TypeId Checker::record_field(NodeId node, NodeId object, TypeId type) {
  const NodeId ident = tree_.kid(node, 1);
  const std::string_view wanted = tree_.text(ident);
  if (!out_.types.is(type, TypeKind::Record)) {
    Diagnostic& d = report(Code::UnknownField, ident,
                           fmt::format("{} is `{}`, which has no fields", quoted(object), type_name(type)));
    if (out_.types.is(type, TypeKind::Map)) {
      const std::string key = fmt::format("[\"{}\"]", wanted);
      d.fix({tree_.span(object).end, tree_.span(ident).end}, key,
            fmt::format("a value of a map is found by its key: `{}{}`", tree_.text(object), key));
    }
    if (out_.types.is(type, TypeKind::List) || out_.types.storage(type) == Storage::Text)
      d.note("to call a method write parentheses, as `tags.length()`");
    return error_type();
  }
  const RecordType& record = out_.types.record(type);
  if (is_told(wanted)) return error_type();
  if (const auto field = record.field(wanted)) {
    out_.meaning[node] = {.kind = Meaning::Kind::RecordField, .index = 0, .field = *field, .type = type};
    out_.fields_read.insert({type, *field});
    return record.fields[*field].type;
  }
  unknown_field(ident, wanted, type);
  return error_type();
}

TypeId Checker::if_expression(NodeId node, TypeId expected) {
  const auto kids = tree_.kids(node);
  boolean(kids[0], "the condition after `if`");
  const std::set<std::string> before = facts_;
  learn(kids[0], true, facts_);
  const TypeId a = expression(kids[1], expected);
  facts_ = before;
  learn(kids[0], false, facts_);
  const TypeId b = expression(kids[2], expected == kNoType ? a : expected);
  facts_ = before;
  if (is_error(a) || is_error(b)) return error_type();
  if (out_.types.accepts(a, b)) return a;
  if (out_.types.accepts(b, a)) return b;
  if (a == kNullType || b == kNullType) return out_.types.optional(a == kNullType ? b : a);
  report(Code::TypeMismatch, node,
         fmt::format("both branches must have one type: `{}` and `{}`", type_name(a), type_name(b)))
      .label(tree_.span(kids[1]), fmt::format("is `{}`", type_name(a)))
      .label(tree_.span(kids[2]), fmt::format("is `{}`", type_name(b)));
  return error_type();
}

}  // namespace flow
