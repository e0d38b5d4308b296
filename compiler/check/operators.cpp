// Types of operators.
#include <algorithm>

#include "compiler/check/checker.hpp"
#include "compiler/check/literals.hpp"
#include "compiler/syntax/literal.hpp"

namespace flow {
namespace {

bool is_number(TypeId type) {
  return type == kIntType || type == kFloatType;
}

}  // namespace

TypeId Checker::logic(NodeId node) {
  const bool is_and = tree_.kind(node) == NodeKind::And;
  const std::set<std::string> before = facts_;
  const auto kids = tree_.kids(node);
  for (std::size_t i = 0; i < kids.size(); ++i) {
    if (i > 0) i += report_alternatives(node, i);
    if (i == kids.size()) break;
    const NodeId kid = kids[i];
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
    default: return type_test(node);
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
    report(Code::OperatorMismatch, node, "a secret cannot be compared").note(kSecretNote);
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
    Diagnostic& d =
        report(Code::OperatorMismatch, node, fmt::format("values of `{}` have no order", type_name(a)));
    if (a == kSecretType) d.note(kSecretNote);
  }
  return kBoolType;
}

TypeId Checker::membership(NodeId node, NodeId list_node, NodeId item, TypeId list_type) {
  // A map is looked through by its keys.
  const auto sought = [&](TypeId collection) {
    if (out_.types.is(collection, TypeKind::List)) return out_.types[collection].element;
    if (collection == kCidrType) return kIpType;
    return out_.types.is(collection, TypeKind::Map) ? out_.types[collection].key : kNoType;
  };
  const bool is_written_in_place =
      tree_.kind(list_node) == NodeKind::List || tree_.kind(list_node) == NodeKind::Record;
  TypeId item_type;
  // A name of an enum's value, or a text, takes the type of what is in the collection.
  if (list_type != kNoType || is_loose_name(item) ||
      (tree_.kind(item) == NodeKind::Text && !is_written_in_place)) {
    if (list_type == kNoType) list_type = expression(list_node);
    item_type = expression(item, sought(list_type));
  } else {
    item_type = expression(item);
    const NodeId outer = std::exchange(enum_subject_, item);
    // A list written in place is not read without its items' type: `customer in [A, B]` is one mistake.
    if (is_error(item_type) && is_written_in_place)
      list_type = item_type;
    else if (tree_.kind(list_node) == NodeKind::Record)
      list_type = expression(list_node);
    else if (item_type == kIpType && tree_.kind(list_node) == NodeKind::Text)
      list_type = expression(list_node, kCidrType);
    else
      list_type = expression(
          list_node, is_error(item_type) ? kNoType : out_.types.list(out_.types.without_null(item_type)));
    enum_subject_ = outer;
  }
  if (is_error(item_type) || is_error(list_type)) return kBoolType;
  if (out_.types.is_optional(list_type)) return may_be_null(list_node, list_type, "the list"), kBoolType;
  const TypeId wanted = sought(list_type);
  if (wanted == kNoType) {
    Diagnostic& d = report(
        Code::OperatorMismatch, list_node,
        fmt::format("`in` needs a list or a map, and {} is `{}`", quoted(list_node), type_name(list_type)));
    if (list_type == kStringType) d.note("for text within text write `text contains part`");
    return kBoolType;
  }
  if (out_.types.is_optional(item_type)) return may_be_null(item, item_type, "what is looked for"), kBoolType;
  if (wanted != item_type)
    report(Code::NeverEqual, node,
           fmt::format("{} never holds `{}`",
                       out_.types.is(list_type, TypeKind::Map)
                           ? fmt::format("a map with keys of `{}`", type_name(wanted))
                       : list_type == kCidrType ? "a network"
                                                : fmt::format("a list of `{}`", type_name(wanted)),
                       type_name(item_type)));
  return kBoolType;
}

TypeId Checker::text_test(NodeId node, NodeId left, NodeId right) {
  TypeId a = expression(left);
  if (is_error(a)) return expression(right), kBoolType;
  if (in_protect_ && out_.types.storage(a) == Storage::Text) a = out_.types.without_null(a);
  if (out_.types.is_optional(a))
    return expression(right), may_be_null(left, a, "what is searched"), kBoolType;
  const NodeKind op = tree_.kind(tree_.kid(node, 1));
  if (op == NodeKind::OpContains &&
      (out_.types.is(a, TypeKind::List) || out_.types.is(a, TypeKind::Map) || a == kCidrType))
    return membership(node, left, right, a);
  if (out_.types.storage(a) != Storage::Text || a == kSecretType || a == kBytesType) {
    Diagnostic& d =
        report(Code::OperatorMismatch, node, fmt::format("{} is `{}`, not text", quoted(left), type_name(a)));
    if (a == kSecretType) d.note(kSecretNote);
    if (a == kBytesType) d.note("take their text first, which may be null: `bytes.text()`");
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

TypeId Checker::arithmetic(NodeId node, TypeId expected) {
  const auto kids = tree_.kids(node);
  const bool is_negate = tree_.kind(node) == NodeKind::Negate;
  std::vector<TypeId> types;
  bool any_float = false, is_wrong = false;
  for (std::size_t i = 0; i < kids.size(); i += 2) {
    // The items in `list + [High]` have the type of those before.
    const TypeId wanted = expected_collection(i == 0 ? expected : types[0], TypeKind::List);
    const TypeId type = expression(kids[i], wanted);
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
  if (out_.types.is(types[0], TypeKind::List) && only_plus) return joined_lists(node, types);
  if (tree_.kind(node) == NodeKind::Sum && types[0] == kTimeType &&
      std::all_of(types.begin() + 1, types.end(), [](TypeId t) { return t == kDurationType; }))
    return kTimeType;
  report_operator(node, types);
  return error_type();
}

// `list + list`: the items of both.
TypeId Checker::joined_lists(NodeId node, const std::vector<TypeId>& types) {
  TypeId joined = types[0];
  for (std::size_t i = 1; i < types.size(); ++i) {
    const NodeId operand = tree_.kid(node, i * 2);
    if (out_.types.accepts(joined, types[i])) continue;
    if (out_.types.accepts(types[i], joined)) {
      joined = types[i];
      continue;
    }
    Diagnostic& d =
        report(Code::OperatorMismatch, operand,
               fmt::format("a list is joined with a list of the same type: this is `{}`, and {} is `{}`",
                           type_name(joined), quoted(operand), type_name(types[i])));
    if (out_.types.accepts(out_.types[joined].element, types[i]))
      d.fix(tree_.span(operand), fmt::format("[{}]", tree_.text(operand)),
            "to add one item write it in brackets");
    return error_type();
  }
  return joined;
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

}  // namespace flow
