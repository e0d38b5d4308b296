// Foreign data: parts of it, and what is written in place or given where Json is wanted.
#include <algorithm>

#include "compiler/check/checker.hpp"
#include "compiler/syntax/literal.hpp"

namespace flow {

// `json.name`: null where there is no such member.
TypeId Checker::json_member(NodeId node) {
  out_.meaning[node] = {.kind = Meaning::Kind::JsonMember};
  return narrowed(node, out_.types.optional(kJsonType));
}

// `json[0]`, `json["name"]`: what stands in the brackets.
TypeId Checker::json_item(NodeId at) {
  const TypeId type = expression(at);
  if (!is_error(type) && type != kIntType && type != kStringType) {
    if (out_.types.is_optional(type)) return may_be_null(at, type, "what a part of Json is found by");
    report(Code::TypeMismatch, at,
           fmt::format("a part of Json is found by its place or its name, and {} is `{}`", quoted(at),
                       type_name(type)))
        .note("write an Int, or a String");
    return error_type();
  }
  return out_.types.optional(kJsonType);
}

bool Checker::takes_json(TypeId wanted) const {
  const TypeId bare = out_.types.without_null(wanted);
  return bare == kJsonType ||
         (out_.types.is(bare, TypeKind::Union) &&
          std::ranges::find(out_.types.members(bare), kJsonType) != out_.types.members(bare).end());
}

bool Checker::make_json(NodeId node, TypeId type) {
  if (!is_foreign(type)) return false;
  keep_fields(type);
  out_.is_json_made[node] = 1;
  return true;
}

void Checker::json_part(NodeId node, const std::string& what) {
  expect(node, out_.types.optional(kJsonType), what);
}

// `{ name: value, … }` and `[value, …]`, of values of any types.
TypeId Checker::json_literal(NodeId node) {
  const auto kids = tree_.kids(node);
  bool is_wrong = false;
  if (tree_.kind(node) == NodeKind::List) {
    if (kids.size() > 200) {
      report(Code::TooComplex, node, "a list written in place holds at most 200 items");
      return error_type();
    }
    for (const NodeId kid : kids) {
      json_part(kid, "an item of Json");
      is_wrong = is_wrong || is_error(out_.type[kid]);
    }
    return is_wrong ? error_type() : kJsonType;
  }
  std::set<std::string> seen;
  for (const NodeId entry : kids) {
    const NodeId key_node = tree_.kid(entry, 0), value = tree_.kid(entry, 1);
    is_wrong = is_error(key(key_node, kStringType)) || is_wrong;
    if (!is_computed_key(tree_, key_node)) {
      Diagnostics told;  // by key()
      const std::string text = key_text(tree_, key_node, told);
      if (!seen.insert(text).second)
        report(Code::DuplicateName, key_node, fmt::format("the key `{}` is given twice", text));
    }
    json_part(value, "a member of Json");
    is_wrong = is_wrong || is_error(out_.type[value]);
  }
  return is_wrong ? error_type() : kJsonType;
}

}  // namespace flow
