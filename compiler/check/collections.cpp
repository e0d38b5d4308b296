// Lists and maps written in place, and their items.
#include <algorithm>

#include "base/text_forms.hpp"
#include "compiler/check/checker.hpp"
#include "compiler/syntax/literal.hpp"

namespace flow {

TypeId Checker::expected_collection(TypeId expected, TypeKind kind) const {
  if (expected == kNoType) return kNoType;
  const TypeId wanted = out_.types.without_null(expected);
  if (out_.types.is(wanted, kind)) return wanted;
  if (out_.types.is(wanted, TypeKind::Union))
    for (const TypeId member : out_.types.members(wanted)) {
      const TypeId bare = out_.types.without_null(member);
      if (out_.types.is(bare, kind)) return bare;
    }
  return kNoType;
}

bool Checker::is_empty_collection(NodeId node) const {
  while (tree_.kind(node) == NodeKind::Paren) node = tree_.kid(node, 0);
  return (tree_.kind(node) == NodeKind::List || tree_.kind(node) == NodeKind::Record) &&
         tree_.kids(node).empty();
}

TypeId Checker::list(NodeId node, TypeId expected) {
  const TypeId wanted = expected_collection(expected, TypeKind::List);
  TypeId element = wanted == kNoType ? kNoType : out_.types[wanted].element;
  const auto kids = tree_.kids(node);
  if (kids.empty() && element == kNoType) {
    if (expected == kNoType || !is_error(expected))
      report(Code::TypeNotKnown, node, "nothing says which type the items of this empty list have")
          .note("write the type: `let names: List<String> = []`");
    return error_type();
  }
  if (kids.size() > 200) {
    report(Code::TooComplex, node, "a list written in place holds at most 200 items");
    return error_type();
  }
  NodeId typed = kNoNode;  // the item that says the type; it is not checked twice
  if (element == kNoType) {
    for (const NodeId kid : kids)
      if (element == kNoType && !is_loose_name(kid) && !is_empty_collection(kid))
        element = expression(typed = kid);
    if (element == kNoType || element == kNullType) {
      report(Code::TypeNotKnown, node, "nothing says which type these items have")
          .note("compare or pass the list where its type is known");
      return error_type();
    }
    if (element == kNothingType) {
      report(Code::NotAValue, node, "an item of this list gives no result");
      return error_type();
    }
  }
  bool is_wrong = is_error(element);
  for (const NodeId kid : kids) {
    if (kid != typed) expect(kid, element, "an item of this list");
    is_wrong = is_wrong || is_error(out_.type[kid]);
  }
  return is_wrong ? error_type() : out_.types.list(element);
}

// `{ key: value, "text": value, [expression]: value }`
TypeId Checker::map(NodeId node, TypeId expected) {
  const TypeId wanted = expected_collection(expected, TypeKind::Map);
  if (wanted == kNoType && expected != kNoType) {
    const TypeId bare = out_.types.without_null(expected);
    if (out_.types.is(bare, TypeKind::Record)) return record_in_place(node, tree_.kids(node), bare);
  }
  const auto entries = tree_.kids(node);
  TypeId key_type = wanted == kNoType ? kNoType : out_.types[wanted].key;
  TypeId element = wanted == kNoType ? kNoType : out_.types[wanted].element;
  if (entries.empty() && wanted == kNoType) {
    if (expected == kNoType || !is_error(expected))
      report(Code::TypeNotKnown, node, "nothing says which types the keys and values of this empty map have")
          .note("write the type: `var count: Map<String, Int> = {}`");
    return error_type();
  }
  bool is_wrong = false;
  std::set<std::string> seen;
  for (const NodeId entry : entries) {
    const NodeId key_node = tree_.kid(entry, 0), value = tree_.kid(entry, 1);
    const TypeId this_key = key(key_node, key_type);
    if (key_type == kNoType) key_type = this_key;
    is_wrong = is_wrong || is_error(this_key);
    if (!is_computed_key(tree_, key_node)) {
      Diagnostics ignored;  // told by key()
      const std::string text = key_text(tree_, key_node, ignored);
      if (!seen.insert(text).second)
        report(Code::DuplicateName, key_node, fmt::format("the key `{}` is given twice", text));
    }
    if (element == kNoType && !is_loose_name(value) && !is_empty_collection(value)) {
      element = kept_value(value);
      continue;
    }
    if (element == kNoType) {
      expression(value);
      if (!is_error(out_.type[value])) element = out_.type[value];
    } else {
      expect(value, element, "a value of this map");
    }
    is_wrong = is_wrong || is_error(out_.type[value]);
  }
  if (is_wrong || element == kNoType || is_error(element) || is_error(key_type)) return error_type();
  return out_.types.map(key_type, element);
}

// The type of a key. A word or a text stands for itself, and takes the form that is expected.
TypeId Checker::key(NodeId node, TypeId expected) {
  TypeId type = kStringType;
  if (is_computed_key(tree_, node)) {
    const NodeId computed = tree_.kid(node, 0);
    if (expected != kNoType) {
      expect(computed, expected, "a key of this map");
      type = is_error(out_.type[computed]) ? error_type() : expected;
    } else {
      type = expression(computed);
      if (!is_error(type) && !out_.types.is_map_key(type)) {
        if (out_.types.is_optional(type)) return may_be_null(computed, type, "a key of a map");
        report(Code::TypeMismatch, computed,
               fmt::format("{} is `{}`, which cannot be the key of a map", quoted(computed), type_name(type)))
            .note("keys are String, Int, Bool, enums, and types kept as text, as Email");
        type = error_type();
      }
    }
    return out_.type[node] = type;
  }
  const std::string text = key_text(tree_, node, diagnostics_);
  const bool is_quoted = tree_.text(node).starts_with('"');
  if (const std::string_view written = tree_.text(node); is_quoted)
    if (const auto brace = written.find('{'); brace != std::string_view::npos &&
                                              (brace + 1 >= written.size() || written[brace + 1] != '{') &&
                                              written[brace - 1] != '\\')
      report(Code::SyntaxError, node, "a key has no holes")
          .fix(tree_.span(node), fmt::format("[{}]", written), "write it in brackets to compute it");
  if (expected != kNoType && out_.types.is(expected, TypeKind::Enum)) {
    const EnumType& values = out_.types.enumeration(expected);
    const auto exact = std::ranges::find(values.values, text);
    if (exact == values.values.end() || is_quoted) {
      type = is_quoted ? kStringType : unknown_enum_value(node, expected);
    } else {
      out_.meaning[node] = {.kind = Meaning::Kind::EnumValue,
                            .index = static_cast<std::uint32_t>(exact - values.values.begin()),
                            .type = expected};
      type = expected;
    }
  } else if (expected != kNoType && out_.types.storage(expected) == Storage::Text &&
             expected != kStringType) {
    type = expected;
    if (const std::string wrong = text_mistake(expected, text); !wrong.empty()) {
      report(Code::InvalidLiteral, node,
             fmt::format("{} is no `{}`: {}", quoted(node), type_name(expected), wrong));
      type = error_type();
    }
  }
  if (expected != kNoType && type != expected && !is_error(type)) {
    Diagnostic& d = report(Code::TypeMismatch, node,
                           fmt::format("a key of this map must be `{}`, and {} is `{}`", type_name(expected),
                                       quoted(node), type_name(type)));
    if (!is_quoted) d.note(fmt::format("a word is a text; for the value of a name write `[{}]`", text));
    type = error_type();
  }
  return out_.type[node] = type;
}

TypeId Checker::index(NodeId node) {
  const NodeId object_node = tree_.kid(node, 0), at = tree_.kid(node, 1);
  const TypeId object = expression(object_node);
  if (is_error(object)) return lone_argument(at), object;
  if (out_.types.without_null(object) == kJsonType) return json_item(at);
  if (out_.types.is(object, TypeKind::Map)) {
    const TypeId element = out_.types[object].element;
    expect(at, out_.types[object].key, "a key of this map");
    return out_.types.optional(element);
  }
  expect(at, kIntType, "an index");
  if (out_.types.is_optional(object)) return may_be_null(object_node, object, "what is indexed");
  if (out_.types.is(object, TypeKind::List)) return out_.types[object].element;
  Diagnostic& d =
      report(Code::OperatorMismatch, node, fmt::format("`{}` has no items to index", type_name(object)));
  if (object == kStringType) d.note("a part of a text is `text.slice(0, 1)`, counted in code points");
  if (object == kBytesType) d.note("a part of bytes is `bytes.slice(0, 1)`");
  return error_type();
}

}  // namespace flow
