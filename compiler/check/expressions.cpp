#include <algorithm>

#include "base/text.hpp"
#include "compiler/check/checker.hpp"
#include "compiler/check/literals.hpp"
#include "compiler/syntax/literal.hpp"

namespace flow {
namespace {

bool is_number(TypeId type) {
  return type == kIntType || type == kFloatType;
}

}  // namespace

TypeId Checker::expression(NodeId node, TypeId expected) {
  const TypeId type = infer(node, expected);
  out_.type[node] = type;
  return type;
}

TypeId Checker::infer(NodeId node, TypeId expected) {
  switch (tree_.kind(node)) {
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
    case NodeKind::Sum:
    case NodeKind::Product:
    case NodeKind::Negate: return arithmetic(node);
    case NodeKind::Record: return not_yet(node, "a record written in place");
    case NodeKind::Construct: return not_yet(node, "a record written in place");
    case NodeKind::Lambda: return not_yet(node, "a function as a value");
    default: return error_type();
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
  if (kind == NodeKind::Html) return kHtmlType;
  if (kind == NodeKind::Kql) return kKqlType;
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
  if (wanted == kStringType || out_.types.storage(wanted) != Storage::Text || wanted == kSecretType ||
      wanted == kHtmlType || wanted == kKqlType)
    return kStringType;
  if (const std::string wrong = literal_mistake(wanted, value); !wrong.empty()) {
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
                         storage == Storage::Text || storage == Storage::Enum;
  const bool is_markup = bare == kHtmlType || bare == kKqlType;
  const bool fits =
      is_scalar && bare != kSecretType && (!is_markup || (bare == kHtmlType && text_kind == NodeKind::Html));
  if (fits) return;
  Diagnostic& d =
      report(Code::CannotInterpolate, node,
             fmt::format("{} is `{}`, which cannot become text here", quoted(node), type_name(type)));
  if (bare == kSecretType)
    d.note("a secret can only be given to a parameter declared `Secret`");
  else if (out_.types.is(bare, TypeKind::Record))
    d.note("name one of its fields");
  else if (bare == kNothingType)
    d.note("the operation gives no result");
}

// ---- Lists and fields

TypeId Checker::list(NodeId node, TypeId expected) {
  TypeId element = kNoType;
  if (expected != kNoType) {
    const TypeId wanted = out_.types.without_null(expected);
    if (out_.types.is(wanted, TypeKind::List)) element = out_.types[wanted].element;
    if (out_.types.is(wanted, TypeKind::Union))
      for (const TypeId member : out_.types.members(wanted))
        if (out_.types.is(member, TypeKind::List)) element = out_.types[member].element;
  }
  const auto kids = tree_.kids(node);
  if (kids.empty()) return not_yet(node, "an empty list");
  if (kids.size() > 200) {
    report(Code::TooComplex, node, "a list written in place holds at most 200 items");
    return error_type();
  }
  if (element == kNoType) {
    for (const NodeId kid : kids)
      if (element == kNoType && !is_loose_name(kid)) element = expression(kid);
    if (element == kNoType || element == kNullType) {
      report(Code::TypeNotKnown, node, "nothing says which type these items have")
          .note("compare or pass the list where its type is known");
      return error_type();
    }
  }
  bool is_wrong = is_error(element);
  for (const NodeId kid : kids) {
    expect(kid, element, "an item of this list");
    is_wrong = is_wrong || is_error(out_.type[kid]);
  }
  return is_wrong ? error_type() : out_.types.list(element);
}

TypeId Checker::index(NodeId node) {
  const TypeId object = expression(tree_.kid(node, 0));
  expect(tree_.kid(node, 1), kIntType, "an index");
  if (is_error(object)) return object;
  if (out_.types.is_optional(object)) return may_be_null(tree_.kid(node, 0), object, "what is indexed");
  if (out_.types.is(object, TypeKind::List)) return out_.types[object].element;
  report(Code::OperatorMismatch, node, fmt::format("`{}` has no items to index", type_name(object)));
  return error_type();
}

TypeId Checker::field(NodeId node) {
  const NodeId object = tree_.kid(node, 0);
  if (tree_.kind(object) == NodeKind::Ident) {
    const Meaning meaning = lookup(tree_.text(object));
    if (meaning.kind == Meaning::Kind::Local && flow_->has_error_local &&
        meaning.index == flow_->error_local) {
      if (tree_.text(tree_.kid(node, 1)) != "message") {
        report(Code::UnknownField, tree_.kid(node, 1),
               fmt::format("an error has no field `{}`, only `message`", tree_.text(tree_.kid(node, 1))))
            .fix(tree_.span(tree_.kid(node, 1)), "message", "write `message`");
        return error_type();
      }
      out_.meaning[node] = {.kind = Meaning::Kind::ErrorText, .index = meaning.index};
      return kStringType;
    }
    if (meaning.kind == Meaning::Kind::None && library_.type_names.contains(tree_.text(object))) {
      const TypeId type = library_.type_names.find(tree_.text(object))->second;
      if (out_.types.is(type, TypeKind::Enum)) {  // `AlertSeverity.High`
        const TypeId value = unknown_name(tree_.kid(node, 1), type);
        out_.meaning[node] = out_.meaning[tree_.kid(node, 1)];
        return value;
      }
    }
  }
  const TypeId type = expression(object);
  if (is_error(type)) return type;
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
  const TypeId field_type = record_field(node, object, out_.types.without_null(type));
  return is_error(field_type) ? field_type : narrowed(node, out_.types.optional(field_type));
}

TypeId Checker::record_field(NodeId node, NodeId object, TypeId type) {
  const NodeId ident = tree_.kid(node, 1);
  const std::string_view wanted = tree_.text(ident);
  if (!out_.types.is(type, TypeKind::Record)) {
    Diagnostic& d = report(Code::UnknownField, ident,
                           fmt::format("{} is `{}`, which has no fields", quoted(object), type_name(type)));
    if (type == kJsonType)
      d.note("reading foreign JSON is not compiled by this version of Flow");
    else if (out_.types.is(type, TypeKind::List) || out_.types.storage(type) == Storage::Text)
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
  Diagnostic& d =
      report(Code::UnknownField, ident, fmt::format("`{}` has no field `{}`", record.name, wanted));
  std::vector<std::string> names;
  for (const RecordField& field : record.fields) {
    names.push_back(field.name);
    if (field.wire == wanted) {  // the API's own spelling
      d.fix(tree_.span(ident), field.name, fmt::format("Flow calls it `{}`", field.name));
      return error_type();
    }
  }
  if (const auto near = nearest_name(wanted, names))
    d.fix(tree_.span(ident), *near, fmt::format("did you mean `{}`?", *near));
  else
    d.note(fmt::format("its fields are {}", fmt::join(names, ", ")));
  return error_type();
}

// ---- Operators

TypeId Checker::logic(NodeId node) {
  const bool is_and = tree_.kind(node) == NodeKind::And;
  const std::set<std::string> before = facts_;
  for (const NodeId kid : tree_.kids(node)) {
    boolean(kid, is_and ? "an operand of `and`" : "an operand of `or`");
    learn(kid, is_and, facts_);  // what follows is only evaluated then
  }
  facts_ = before;
  return kBoolType;
}

TypeId Checker::compare(NodeId node) {
  const NodeId left = tree_.kid(node, 0), right = tree_.kid(node, 2);
  switch (tree_.kind(tree_.kid(node, 1))) {
    case NodeKind::OpEqual:
    case NodeKind::OpNotEqual: return equality(node, left, right);
    case NodeKind::OpLess:
    case NodeKind::OpLessEqual:
    case NodeKind::OpGreater:
    case NodeKind::OpGreaterEqual: return ordering(node, left, right);
    case NodeKind::OpIn:
    case NodeKind::OpNotIn: return membership(node, right, left);
    case NodeKind::OpContains:
    case NodeKind::OpStartsWith:
    case NodeKind::OpEndsWith:
    case NodeKind::OpMatches: return text_test(node, left, right);
    default: return not_yet(node, "`is`");
  }
}

// Types of both sides; a loose name takes its enum from the other side.
std::pair<TypeId, TypeId> Checker::both_sides(NodeId left, NodeId right) {
  const bool is_left_loose = is_loose_name(left) && !is_loose_name(right);
  const NodeId subject = is_left_loose ? right : left, other = is_left_loose ? left : right;
  const TypeId type = expression(subject);
  if (is_error(type) && is_loose_name(other)) return {type, type};  // perhaps a value of what is not known
  const NodeId outer = std::exchange(enum_subject_, subject);
  const TypeId other_type = expression(other, type);
  enum_subject_ = outer;
  return is_left_loose ? std::pair(other_type, type) : std::pair(type, other_type);
}

TypeId Checker::equality(NodeId node, NodeId left, NodeId right) {
  const auto [a, b] = both_sides(left, right);
  if (is_error(a) || is_error(b)) return kBoolType;
  const TypeId bare_a = out_.types.without_null(a), bare_b = out_.types.without_null(b);
  if (b == kNullType || a == kNullType) {
    const TypeId other = b == kNullType ? a : b;
    const NodeId other_node = b == kNullType ? left : right;
    if (!out_.types.is_optional(other) && other != kNullType)
      report(Code::NeverNull, node,
             fmt::format("{} is never null, so this is always {}", quoted(other_node),
                         tree_.kind(tree_.kid(node, 1)) == NodeKind::OpEqual ? "false" : "true"));
    return kBoolType;
  }
  if (is_number(bare_a) && is_number(bare_b) && bare_a != bare_b) {
    if (a == kIntType) out_.is_widened[left] = 1;
    if (b == kIntType) out_.is_widened[right] = 1;
    if (a == bare_a && b == bare_b) return kBoolType;
  }
  const Storage storage = out_.types.storage(bare_a);
  if (bare_a != bare_b) {
    Diagnostic& d = report(Code::NeverEqual, node,
                           fmt::format("`{}` and `{}` can never be equal", type_name(a), type_name(b)));
    d.label(tree_.span(left), fmt::format("is `{}`", type_name(a)))
        .label(tree_.span(right), fmt::format("is `{}`", type_name(b)));
  } else if (storage != Storage::Bool && storage != Storage::Int && storage != Storage::Float &&
             storage != Storage::Text && storage != Storage::Enum) {
    report(Code::OperatorMismatch, node, fmt::format("values of `{}` cannot be compared", type_name(a)));
  } else if (bare_a == kSecretType) {
    report(Code::OperatorMismatch, node, "a secret cannot be compared");
  }
  return kBoolType;
}

TypeId Checker::ordering(NodeId node, NodeId left, NodeId right) {
  const auto [a, b] = both_sides(left, right);
  if (is_error(a) || is_error(b)) return kBoolType;
  if (out_.types.is_optional(a)) return may_be_null(left, a, "what is compared"), kBoolType;
  if (out_.types.is_optional(b)) return may_be_null(right, b, "what is compared"), kBoolType;
  if (is_number(a) && is_number(b)) {
    if (a != b) out_.is_widened[a == kIntType ? left : right] = 1;
    return kBoolType;
  }
  if (a != b) {
    report(Code::NeverEqual, node,
           fmt::format("`{}` and `{}` cannot be compared", type_name(a), type_name(b)))
        .label(tree_.span(left), fmt::format("is `{}`", type_name(a)))
        .label(tree_.span(right), fmt::format("is `{}`", type_name(b)));
  } else if (out_.types.is(a, TypeKind::Enum)) {
    if (!out_.types.enumeration(a).is_ordered)
      report(Code::EnumWithoutOrder, node, fmt::format("the values of `{}` have no order", type_name(a)))
          .note("compare with `==` or `in`");
  } else if (a != kStringType && a != kTimeType && a != kDurationType) {
    report(Code::OperatorMismatch, node, fmt::format("values of `{}` have no order", type_name(a)));
  }
  return kBoolType;
}

TypeId Checker::membership(NodeId node, NodeId list_node, NodeId item) {
  TypeId item_type, list_type;
  if (is_loose_name(item)) {
    list_type = expression(list_node);
    item_type =
        expression(item, out_.types.is(list_type, TypeKind::List) ? out_.types[list_type].element : kNoType);
  } else {
    item_type = expression(item);
    const NodeId outer = std::exchange(enum_subject_, item);
    // A list written in place is not read without its items' type: `customer in [A, B]` is one mistake.
    if (is_error(item_type) && tree_.kind(list_node) == NodeKind::List)
      list_type = item_type;
    else
      list_type = expression(
          list_node, is_error(item_type) ? kNoType : out_.types.list(out_.types.without_null(item_type)));
    enum_subject_ = outer;
  }
  if (is_error(item_type) || is_error(list_type)) return kBoolType;
  if (out_.types.is_optional(list_type)) return may_be_null(list_node, list_type, "the list"), kBoolType;
  if (!out_.types.is(list_type, TypeKind::List)) {
    Diagnostic& d =
        report(Code::OperatorMismatch, list_node,
               fmt::format("`in` needs a list, and {} is `{}`", quoted(list_node), type_name(list_type)));
    if (list_type == kStringType) d.note("for text within text write `text contains part`");
    return kBoolType;
  }
  if (out_.types.is_optional(item_type)) return may_be_null(item, item_type, "what is looked for"), kBoolType;
  if (out_.types[list_type].element != item_type)
    report(Code::NeverEqual, node,
           fmt::format("a list of `{}` never holds `{}`", type_name(out_.types[list_type].element),
                       type_name(item_type)));
  return kBoolType;
}

TypeId Checker::text_test(NodeId node, NodeId left, NodeId right) {
  const TypeId a = expression(left);
  if (is_error(a)) return expression(right), kBoolType;
  if (out_.types.is_optional(a))
    return expression(right), may_be_null(left, a, "what is searched"), kBoolType;
  const NodeKind op = tree_.kind(tree_.kid(node, 1));
  if (op == NodeKind::OpContains && out_.types.is(a, TypeKind::List)) return membership(node, left, right);
  if (out_.types.storage(a) != Storage::Text || a == kSecretType) {
    report(Code::OperatorMismatch, node, fmt::format("{} is `{}`, not text", quoted(left), type_name(a)));
    return expression(right), kBoolType;
  }
  expect(right, kStringType, "what is searched for");
  if (op == NodeKind::OpMatches &&
      (tree_.kind(right) == NodeKind::Text || tree_.kind(right) == NodeKind::RawText) &&
      !has_holes(tree_, right)) {
    if (const std::string wrong = regex_mistake(plain_text(tree_, right, diagnostics_)); !wrong.empty())
      report(Code::InvalidLiteral, right,
             fmt::format("{} is no regular expression: {}", quoted(right), wrong));
  }
  return kBoolType;
}

TypeId Checker::arithmetic(NodeId node) {
  const auto kids = tree_.kids(node);
  const bool is_negate = tree_.kind(node) == NodeKind::Negate;
  std::vector<TypeId> types;
  bool any_float = false, is_wrong = false;
  for (std::size_t i = 0; i < kids.size(); i += 2) {
    const TypeId type = expression(kids[i]);
    types.push_back(type);
    any_float = any_float || type == kFloatType;
    is_wrong = is_wrong || is_error(type);
  }
  if (is_wrong) return error_type();
  for (std::size_t i = 0; i < types.size(); ++i)
    if (out_.types.is_optional(types[i])) return may_be_null(kids[i * 2], types[i], "an operand");
  const auto all = [&](TypeId wanted) {
    return std::ranges::all_of(types, [&](TypeId t) { return t == wanted; });
  };
  if (std::ranges::all_of(types, is_number)) {
    for (std::size_t i = 0; i < types.size(); ++i)
      if (any_float && types[i] == kIntType) out_.is_widened[kids[i * 2]] = 1;
    if (any_float)
      for (std::size_t i = 1; i < kids.size(); i += 2)
        if (tree_.kind(kids[i]) == NodeKind::OpModulo) {
          report(Code::OperatorMismatch, kids[i], "`%` is defined for whole numbers only");
          return error_type();
        }
    return any_float ? kFloatType : kIntType;
  }
  const bool only_plus =
      !is_negate && tree_.kind(node) == NodeKind::Sum &&
      std::ranges::none_of(kids, [&](NodeId k) { return tree_.kind(k) == NodeKind::OpSubtract; });
  if (all(kDurationType) && (is_negate || tree_.kind(node) == NodeKind::Sum)) return kDurationType;
  if (all(kStringType) && only_plus) return kStringType;
  if (tree_.kind(node) == NodeKind::Sum && types[0] == kTimeType &&
      std::all_of(types.begin() + 1, types.end(), [](TypeId t) { return t == kDurationType; }))
    return kTimeType;
  Diagnostic& d = report(Code::OperatorMismatch, node, "this operator is not defined for these types");
  for (std::size_t i = 0; i < types.size() && i < 3; ++i)
    d.label(tree_.span(kids[i * 2]), fmt::format("is `{}`", type_name(types[i])));
  if (tree_.kind(node) == NodeKind::Sum && std::ranges::find(types, kStringType) != types.end())
    d.note("to join text with other values write them into a text: \"… {value} …\"");
  return error_type();
}

TypeId Checker::coalesce(NodeId node, TypeId expected) {
  const auto kids = tree_.kids(node);
  TypeId result = expression(kids[0], expected);
  for (std::size_t i = 1; i < kids.size(); ++i) {
    if (is_error(result)) return expression(kids[i], expected), result;
    const TypeId bare = out_.types.without_null(result);
    if (!out_.types.is_optional(result))
      report(Code::NeverNull, kids[i - 1],
             fmt::format("{} is never null, so what follows `\?\?` is never used", quoted(kids[i - 1])));
    const TypeId other = expression(kids[i], result);
    if (is_error(other)) return other;
    const bool still_optional = out_.types.is_optional(other) || other == kNullType;
    if (!out_.types.accepts(out_.types.optional(bare), other)) {
      report(Code::TypeMismatch, kids[i],
             fmt::format("both sides of `\?\?` must have one type: `{}` and `{}`", type_name(bare),
                         type_name(other)));
      return error_type();
    }
    result = still_optional ? out_.types.optional(bare) : bare;
  }
  return result;
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
