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
          "it may hold literals, parameters, `key`, `config.NAME`, texts with holes, records, lists, "
          "`list.map(x => …)`, `text.written(slack)` and `if x is Html then … else …`");
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
  if (scope.tree.kind(object) == NodeKind::Ident && object_name == "config") return of(Kind::Setting, member);
  if (scope.tree.kind(object) == NodeKind::Ident && object_name == "result" && scope.has_result)
    return Template{.kind = Kind::Param, .text = "result", .names = {member}};
  if (scope.tree.kind(object) == NodeKind::Ident &&
      std::ranges::find(scope.items, object_name) != scope.items.end())
    return Template{.kind = Kind::Item, .text = std::string(object_name), .names = {member}};
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

Template map_call(TemplateScope& scope, NodeId node) {
  const Tree& tree = scope.tree;
  const NodeId callee = tree.kid(node, 0);
  const auto kids = tree.kids(node);
  if (tree.kind(callee) == NodeKind::Field && tree.text(tree.kid(callee, 1)) == "written" &&
      kids.size() == 2 && tree.kind(kids[1]) == NodeKind::Ident)
    return written_for(scope, tree.kid(callee, 0), kids[1]);
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

Template object(TemplateScope& scope, NodeId node) {
  Template record = of(Kind::Object);
  for (const NodeId entry : scope.tree.kids(node)) {
    record.names.push_back([&] {
      const std::string_view key = scope.tree.text(scope.tree.kid(entry, 0));
      return std::string(key.starts_with('"') ? key.substr(1, key.size() - 2) : key);
    }());
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
    case NodeKind::Paren: return to_template(scope, tree.kid(node, 0));
    case NodeKind::Record: return object(scope, node);
    case NodeKind::List: {
      Template list = of(Kind::List);
      for (const NodeId kid : tree.kids(node)) list.children.push_back(to_template(scope, kid));
      return list;
    }
    case NodeKind::Call: return map_call(scope, node);
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

std::string constant_json(TemplateScope& scope, NodeId node, const TypeTable& types, TypeId type) {
  const Tree& tree = scope.tree;
  switch (tree.kind(node)) {
    case NodeKind::Null: return "null";
    case NodeKind::True: return "true";
    case NodeKind::False: return "false";
    case NodeKind::Int: return std::to_string(int_value(tree, node, scope.diagnostics));
    case NodeKind::Text:
      if (!has_holes(tree, node)) return json_quoted(plain_text(tree, node, scope.diagnostics));
      break;
    case NodeKind::Ident: {
      const TypeId bare = types.without_null(type);
      if (!types.is(bare, TypeKind::Enum)) break;
      if (const auto value = types.enumeration(bare).value(tree.text(node)))
        return json_quoted(types.enumeration(bare).values[*value]);
      break;
    }
    case NodeKind::List:
      if (tree.kids(node).empty() && types.is(types.without_null(type), TypeKind::List)) return "[]";
      break;
    default: break;
  }
  scope.diagnostics.report(Code::InvalidDeclaration, tree.file, tree.span(node),
                           fmt::format("the default must be a constant of type `{}`", types.name(type)));
  return {};
}

}  // namespace flow
