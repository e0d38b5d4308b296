#include "compiler/resolve/template.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/escape.hpp"
#include "base/text.hpp"
#include "compiler/syntax/literal.hpp"

namespace flow {
namespace {

using Kind = Template::Kind;

Template of(Kind kind, std::string text = {}) {
  return Template{.kind = kind, .text = std::move(text)};
}

Template unsupported(TemplateScope& scope, NodeId node) {
  scope.diagnostics
      .report(Code::InvalidDeclaration, scope.tree.file, scope.tree.span(node),
              "a declaration cannot compute this")
      .note(
          "it may hold literals, parameters, `key`, `key.uuid`, `config.NAME`, texts with holes, records, "
          "lists, "
          "`list.map(x => …)`, `list.join(\",\")`, `camelCase(value)`, `text.written(slack)` and `if x is "
          "Html then "
          "… else …`");
  return {};
}

Template name(TemplateScope& scope, NodeId node) {
  const std::string text(scope.tree.text(node));
  if (std::ranges::find(scope.items, text) != scope.items.end()) return of(Kind::Item, text);
  if (std::ranges::find(scope.parameters, text, &Parameter::name) != scope.parameters.end())
    return of(Kind::Param, text);
  if (text == "key") return of(Kind::CallKey);
  std::vector<std::string> known{"key", "config"};
  for (const Parameter& parameter : scope.parameters) known.push_back(parameter.name);
  Diagnostic& d = scope.diagnostics.report(Code::UnknownName, scope.tree.file, scope.tree.span(node),
                                           fmt::format("this operation has no parameter `{}`", text));
  if (const auto near = nearest_name(text, known))
    d.fix(scope.tree.span(node), *near, fmt::format("did you mean `{}`?", *near));
  return {};
}

Template field(TemplateScope& scope, NodeId node) {
  const NodeId object = scope.tree.kid(node, 0);
  const std::string_view object_name = scope.tree.text(object);
  const std::string member(scope.tree.text(scope.tree.kid(node, 1)));
  if (scope.tree.kind(object) == NodeKind::Ident &&
      std::ranges::find(scope.items, object_name) != scope.items.end())
    return Template{.kind = Kind::Item, .text = std::string(object_name), .names = {member}};
  if (scope.tree.kind(object) == NodeKind::Ident && object_name == "key" && member == "uuid")
    return Template{.kind = Kind::CallKey, .names = {member}};
  if (scope.tree.kind(object) == NodeKind::Ident && object_name == "config") return of(Kind::Setting, member);
  if (scope.tree.kind(object) == NodeKind::Ident && object_name == "result" && scope.has_result)
    return Template{.kind = Kind::Param, .text = "result", .names = {member}};
  return unsupported(scope, node);
}

// `text.written(slack)`.
Template written_for(TemplateScope& scope, NodeId value, NodeId place) {
  const std::string_view word = scope.tree.text(place);
  if (!escape_named(word)) {
    Diagnostic& d = scope.diagnostics.report(Code::UnknownName, scope.tree.file, scope.tree.span(place),
                                             fmt::format("a text is not written for `{}`", word));
    if (const auto near = nearest_name(word, escape_names()))
      d.fix(scope.tree.span(place), *near, fmt::format("did you mean `{}`?", *near));
    else
      d.note(fmt::format("known are {}", fmt::join(escape_names(), ", ")));
  }
  return Template{.kind = Kind::Written, .text = std::string(word), .children = {to_template(scope, value)}};
}

Template text(TemplateScope& scope, NodeId node) {
  if (!has_holes(scope.tree, node)) return of(Kind::Text, plain_text(scope.tree, node, scope.diagnostics));
  Template concat = of(Kind::Concat);
  for (const NodeId kid : scope.tree.kids(node)) {
    if (scope.tree.kind(kid) == NodeKind::TextPiece)
      concat.children.push_back(of(Kind::Text, decode_piece(scope.tree, kid, scope.diagnostics)));
    else
      concat.children.push_back(to_template(scope, kid));
  }
  return concat;
}

// `list.join(",")`
Template join_call(TemplateScope& scope, NodeId node) {
  const NodeId separator = scope.tree.kid(node, 1);
  if (scope.tree.kind(separator) != NodeKind::Text || has_holes(scope.tree, separator))
    return unsupported(scope, separator);
  Template join = of(Kind::Join, plain_text(scope.tree, separator, scope.diagnostics));
  join.children.push_back(to_template(scope, scope.tree.kid(scope.tree.kid(node, 0), 0)));
  return join;
}

// `list.map(x => …)`, `list.join(",")` or `camelCase(value)`.
Template function_call(TemplateScope& scope, NodeId node) {
  const Tree& tree = scope.tree;
  const NodeId callee = tree.kid(node, 0);
  const auto kids = tree.kids(node);
  if (tree.kind(callee) == NodeKind::Ident && tree.text(callee) == "camelCase" && kids.size() == 2) {
    Template converted = of(Kind::CamelCase);
    converted.children.push_back(to_template(scope, kids[1]));
    return converted;
  }
  if (tree.kind(callee) == NodeKind::Field && tree.text(tree.kid(callee, 1)) == "written" &&
      kids.size() == 2 && tree.kind(kids[1]) == NodeKind::Ident)
    return written_for(scope, tree.kid(callee, 0), kids[1]);
  if (tree.kind(callee) == NodeKind::Field && tree.text(tree.kid(callee, 1)) == "join" && kids.size() == 2)
    return join_call(scope, node);
  if (tree.kind(callee) != NodeKind::Field || tree.text(tree.kid(callee, 1)) != "map" || kids.size() != 2 ||
      tree.kind(kids[1]) != NodeKind::Lambda || tree.kids(kids[1]).size() != 2)
    return unsupported(scope, node);
  Template loop = of(Kind::ForEach);
  loop.children.push_back(to_template(scope, tree.kid(callee, 0)));
  scope.items.emplace_back(tree.text(tree.kid(kids[1], 0)));
  loop.children.push_back(to_template(scope, tree.kid(kids[1], 1)));
  scope.items.pop_back();
  return loop;
}

Template is_type(TemplateScope& scope, NodeId node) {
  const Tree& tree = scope.tree;
  if (tree.kid(node, 1) == kNoNode || tree.kind(tree.kid(node, 1)) != NodeKind::OpIs)
    return unsupported(scope, node);
  Template test = of(Kind::IsType, std::string(tree.text(tree.kid(node, 0))));
  const auto type = builtin_type(tree.text(tree.kid(node, 2)));
  if (!type || (*type != kHtmlType && *type != kKqlType && *type != kStringType))
    return unsupported(scope, node);
  name(scope, tree.kid(node, 0));  // reports an unknown parameter
  test.type = *type;
  return test;
}

// `-5` and `-0.5`.
Template negative(TemplateScope& scope, NodeId node) {
  Template number = to_template(scope, scope.tree.kid(node, 0));
  if (number.kind != Kind::Int && number.kind != Kind::Float) return unsupported(scope, node);
  number.number = -number.number;
  number.real = -number.real;
  return number;
}

Template object(TemplateScope& scope, NodeId node) {
  Template record = of(Kind::Object);
  for (const NodeId entry : scope.tree.kids(node)) {
    record.names.push_back(key_text(scope.tree, scope.tree.kid(entry, 0), scope.diagnostics));
    record.children.push_back(to_template(scope, scope.tree.kid(entry, 1)));
  }
  return record;
}

}  // namespace

Template to_template(TemplateScope& scope, NodeId node) {
  const Tree& tree = scope.tree;
  switch (tree.kind(node)) {
    case NodeKind::Null: return {};
    case NodeKind::True: return Template{.kind = Kind::Bool, .number = 1};
    case NodeKind::False: return Template{.kind = Kind::Bool, .number = 0};
    case NodeKind::Int:
      return Template{.kind = Kind::Int, .number = int_value(tree, node, scope.diagnostics)};
    case NodeKind::Float:
      return Template{.kind = Kind::Float, .real = float_value(tree, node, scope.diagnostics)};
    case NodeKind::Text:
    case NodeKind::TextBlock:
    case NodeKind::RawText: return text(scope, node);
    case NodeKind::Ident: return name(scope, node);
    case NodeKind::Field: return field(scope, node);
    case NodeKind::Negate: return negative(scope, node);
    case NodeKind::Paren: return to_template(scope, tree.kid(node, 0));
    case NodeKind::Record: return object(scope, node);
    case NodeKind::List: {
      Template list = of(Kind::List);
      for (const NodeId kid : tree.kids(node)) list.children.push_back(to_template(scope, kid));
      return list;
    }
    case NodeKind::Call: return function_call(scope, node);
    case NodeKind::Compare: return is_type(scope, node);
    case NodeKind::IfExpr: {
      Template choice = of(Kind::If);
      for (const NodeId kid : tree.kids(node)) choice.children.push_back(to_template(scope, kid));
      return choice;
    }
    default: return unsupported(scope, node);
  }
}

Template call_arguments(TemplateScope& scope, NodeId call, const std::vector<Parameter>& callee) {
  Template arguments = of(Kind::Object);
  std::size_t position = 0;
  for (const NodeId kid : scope.tree.kids(call).subspan(1)) {
    NodeId value = kid;
    std::string parameter;
    if (scope.tree.kind(kid) == NodeKind::NamedArgument) {
      parameter = scope.tree.text(scope.tree.kid(kid, 0));
      value = scope.tree.kid(kid, 1);
    } else if (position < callee.size()) {
      parameter = callee[position++].name;
    }
    if (std::ranges::find(callee, parameter, &Parameter::name) == callee.end()) {
      scope.diagnostics.report(Code::UnknownArgument, scope.tree.file, scope.tree.span(kid),
                               "the operation that is called has no such parameter");
      continue;
    }
    arguments.names.push_back(parameter);
    arguments.children.push_back(to_template(scope, value));
  }
  return arguments;
}

}  // namespace flow
