// Operations of connectors: parameters, what one gives, and how it is carried out.
#include "base/text.hpp"
#include "compiler/resolve/library_builder.hpp"
#include "compiler/resolve/parameter_default.hpp"
#include "compiler/syntax/literal.hpp"

namespace flow {

Quota LibraryBuilder::quota_of(const Tree& tree, NodeId node, std::string group) {
  Quota quota{.group = std::move(group), .per_minute = 0, .per_hour = 0};
  std::int64_t count = 0;
  for (const NodeId kid : tree.kids(node)) {
    if (tree.kind(kid) == NodeKind::Ident) quota.group = tree.text(kid);
    if (tree.kind(kid) == NodeKind::QuotaEach) quota.by = tree.text(tree.kid(kid, 0));
    if (tree.kind(kid) == NodeKind::Int) count = int_value(tree, kid, diagnostics_);
    if (tree.kind(kid) != NodeKind::Duration) continue;
    const std::int64_t per = duration_value_us(tree, kid, diagnostics_) / 1'000'000;
    const auto calls = static_cast<std::uint32_t>(std::clamp<std::int64_t>(count, 0, 1'000'000));
    if (per == 60)
      quota.per_minute = calls;
    else if (per == 3600)
      quota.per_hour = calls;
    else
      report(tree, kid, Code::InvalidDeclaration, "a quota is per 1m or per 1h");
  }
  return quota;
}

void LibraryBuilder::declare_operation(const Tree& tree, NodeId connector, NodeId node, const Quota* quota) {
  Operation operation;
  operation.connector = name_of(tree, connector);
  operation.name = tree.text(tree.kid(node, 1));
  operation.doc = tree.doc_above(node);
  const std::string_view effect = tree.text(tree.kid(node, 0));
  operation.effect = effect == "read" ? Effect::Read : effect == "act" ? Effect::Act : Effect::Notify;
  for (const NodeId kid : tree.kids(node))
    if (tree.kind(kid) == NodeKind::ParameterDecl) declare_parameter(tree, kid, operation);
  const auto index = static_cast<std::uint32_t>(library_.operations.size());
  Route plain;
  plain.connector = connector_index(tree, tree.kid(connector, 0));
  if (quota != nullptr) plain.quota = *quota;
  bool has_plain = false;
  for (const NodeId kid : tree.kids(node))
    has_plain = clause(tree, kid, operation, plain, index) || has_plain;
  if (has_plain) operation.routes.insert(operation.routes.begin(), std::move(plain));
  if (operation.routes.empty())
    report(tree, tree.kid(node, 1), Code::InvalidDeclaration,
           fmt::format("operation `{}` has no request", operation.name));
  for (const Route& route : operation.routes)
    if (route.protocol == Protocol::Http && route.method.empty())
      report(tree, tree.kid(node, 1), Code::InvalidDeclaration,
             fmt::format("a route of `{}` has no request", operation.name));
  register_operation(tree, node, std::move(operation));
}

void LibraryBuilder::register_operation(const Tree& tree, NodeId node, Operation operation) {
  const auto index = static_cast<std::uint32_t>(library_.operations.size());
  if (!library_.operation_names.emplace(operation.full_name(), index).second)
    report(tree, tree.kid(node, 1), Code::DuplicateName,
           fmt::format("operation `{}` is declared twice", operation.name));
  library_.operation_names.emplace(operation.name, index);
  library_.operations.push_back(std::move(operation));
}

void LibraryBuilder::declare_parameter(const Tree& tree, NodeId node, Operation& operation) {
  Parameter parameter{.name = name_of(tree, node),
                      .type = type_of(tree, tree.kid(node, 1)),
                      .default_json = {},
                      .doc = tree.doc_above(node)};
  if (tree.kids(node).size() > 2)
    parameter.default_json =
        default_json(tree, tree.kid(node, 2), parameter.name, library_.types, parameter.type, diagnostics_);
  if (std::ranges::find(operation.parameters, parameter.name, &Parameter::name) != operation.parameters.end())
    report(tree, node, Code::DuplicateName, fmt::format("parameter `{}` is declared twice", parameter.name));
  operation.parameters.push_back(std::move(parameter));
}

// Takes one clause of an operation; true when it describes the request itself (as opposed to a named
// route).
bool LibraryBuilder::clause(const Tree& tree, NodeId node, Operation& operation, Route& plain,
                            std::uint32_t index) {
  switch (tree.kind(node)) {
    case NodeKind::Result: operation.result = type_of(tree, tree.kid(node, 0)); return false;
    case NodeKind::Gives:
      operation.result_member = constant(tree, node);
      for (const NodeId other : tree.kids(node).subspan(1))
        operation.result_members_else.push_back(plain_text(tree, other, diagnostics_));
      return false;
    case NodeKind::Targets:
      operation.targets = name_of(tree, node);
      check_parameter(tree, node, operation);
      return false;
    case NodeKind::Inverse: operation.inverse = name_of(tree, node); return false;
    case NodeKind::Source: operation.source = constant(tree, node); return false;
    case NodeKind::Retires: retires(tree, node, operation); return false;
    case NodeKind::Completes:
    case NodeKind::Several: pending_.push_back({&tree, node, index, 0}); return false;
    case NodeKind::Route: {
      Route route;
      route.name = name_of(tree, node);
      route.connector = connector_index(tree, tree.kid(node, 0));
      if (const NodeId named = tree.find(node, NodeKind::RouteName); named != kNoNode)
        route.name = name_of(tree, named);
      const auto number = static_cast<std::uint32_t>(operation.routes.size());
      for (const NodeId kid : tree.kids(node)) route_clause(tree, kid, operation, route, index, number);
      operation.routes.push_back(std::move(route));
      return false;
    }
    default: return route_clause(tree, node, operation, plain, index, 0);
  }
}

// `retires "2027-02-01"`, or with what takes its place: `retires "2027-02-01, graph.hunt"`.
void LibraryBuilder::retires(const Tree& tree, NodeId node, Operation& operation) {
  const std::string text = constant(tree, node);
  const std::size_t comma = text.find(',');
  operation.retires = text.substr(0, comma);
  if (comma != std::string::npos) {
    const std::size_t begin = text.find_first_not_of(' ', comma + 1);
    operation.replacement = begin == std::string::npos ? std::string() : text.substr(begin);
  }
  if (!parse_time_us(operation.retires + "T00:00:00Z"))
    report(tree, node, Code::InvalidDeclaration,
           fmt::format("`{}` is no date; write one as `2027-02-01`", operation.retires));
}

void LibraryBuilder::check_parameter(const Tree& tree, NodeId clause, const Operation& operation) {
  const NodeId name = tree.kid(clause, 0);
  if (std::ranges::find(operation.parameters, tree.text(name), &Parameter::name) ==
      operation.parameters.end())
    unknown(tree, name, Code::UnknownName,
            fmt::format("this operation has no parameter `{}`", tree.text(name)),
            names_of(operation.parameters, &Parameter::name));
}

std::vector<std::pair<std::string, Template>> LibraryBuilder::entries(TemplateScope& scope, NodeId node) {
  std::vector<std::pair<std::string, Template>> out;
  for (const NodeId entry : scope.tree.kids(node)) {
    out.emplace_back(key_text(scope.tree, scope.tree.kid(entry, 0), diagnostics_),
                     to_template(scope, scope.tree.kid(entry, 1)));
  }
  return out;
}

bool LibraryBuilder::route_clause(const Tree& tree, NodeId node, const Operation& operation, Route& route,
                                  std::uint32_t index, std::uint32_t number) {
  TemplateScope scope{tree, operation.parameters, diagnostics_, false, {}};
  switch (tree.kind(node)) {
    case NodeKind::Request:
      route.method = tree.text(tree.kid(node, 0));
      route.path = to_template(scope, tree.kid(node, 1));
      if (!tree.text(tree.kid(node, 1)).starts_with("\"/"))
        report(tree, tree.kid(node, 1), Code::InvalidDeclaration, "a path begins with `/`");
      return true;
    case NodeKind::Smtp: route.protocol = Protocol::Smtp; return true;
    case NodeKind::Runtime: route.protocol = Protocol::Runtime; return true;
    case NodeKind::Egress: route.protocol = Protocol::Egress; return true;
    case NodeKind::Mail: route.is_mail = true; return true;
    case NodeKind::Query: route.query = entries(scope, node); return true;
    case NodeKind::Headers: route.headers = entries(scope, node); return true;
    case NodeKind::Body: return body(scope, node, operation, route);
    case NodeKind::Form: return entries_body(scope, node, BodyForm::Form, route);
    case NodeKind::Multipart: return entries_body(scope, node, BodyForm::Multipart, route);
    case NodeKind::Pages: route.pages = paging_of(tree, node, operation); return true;
    case NodeKind::Permission:
      for (const NodeId name : tree.kids(node)) route.permissions.emplace_back(tree.text(name));
      return true;
    case NodeKind::Quota:
      route.quota = quota_of(tree, node, operation.full_name());
      if (const NodeId each = tree.find(node, NodeKind::QuotaEach); each != kNoNode)
        check_parameter(tree, each, operation);
      return true;
    case NodeKind::ErrorClause: route.errors.push_back(error_rule(tree, node)); return true;
    case NodeKind::Size:
      route.most_bytes = static_cast<std::uint64_t>(
          std::max<std::int64_t>(int_value(tree, tree.kid(node, 0), diagnostics_), 0));
      return true;
    case NodeKind::Allow:
      check_parameter(tree, node, operation);
      route.allowed.push_back({.parameter = name_of(tree, node),
                               .one = std::string(tree.text(tree.kid(node, 1))),
                               .many = std::string(tree.text(tree.kid(node, 2)))});
      return true;
    case NodeKind::Then: {
      TemplateScope answer{tree, operation.parameters, diagnostics_, true, {}};
      const auto kids = tree.kids(node);
      route.then = FollowUp{.method = std::string(tree.text(kids[0])),
                            .path = to_template(answer, kids[1]),
                            .when = kids.size() > 2 ? std::string(tree.text(kids[2])) : std::string()};
      return true;
    }
    case NodeKind::Upload: route.upload = upload_of(tree, node, operation); return true;
    case NodeKind::CrashRepeat: route.crash = CrashRule{.kind = CrashRule::Kind::Repeat}; return true;
    case NodeKind::CrashAsk: route.crash = CrashRule{.kind = CrashRule::Kind::Ask}; return true;
    case NodeKind::CrashLookup: pending_.push_back({&tree, node, index, number}); return true;
    default: return false;
  }
}

// `body value`, JSON, or `body data as "image/png"`.
bool LibraryBuilder::body(TemplateScope& scope, NodeId node, const Operation& operation, Route& route) {
  const NodeId value = scope.tree.kid(node, 0);
  route.body = to_template(scope, value);
  if (scope.tree.kids(node).size() < 2) return true;
  route.content_type = plain_text(scope.tree, scope.tree.kid(node, 1), diagnostics_);
  const auto parameter = std::ranges::find(operation.parameters, route.body->text, &Parameter::name);
  const bool is_parameter =
      route.body->kind == Template::Kind::Param && parameter != operation.parameters.end();
  const TypeId type = is_parameter ? library_.types.without_null(parameter->type) : kNothingType;
  if (type != kStringType && type != kBytesType)
    report(scope.tree, value, Code::InvalidDeclaration,
           "only a parameter that is a String or Bytes is sent as it is");
  if (route.content_type.empty() ||
      !std::ranges::all_of(route.content_type, [](char c) { return c >= 0x20 && c < 0x7f; }))
    report(scope.tree, scope.tree.kid(node, 1), Code::InvalidDeclaration,
           "this is no content type, as `text/plain`");
  route.body_form = type == kBytesType ? BodyForm::Bytes : BodyForm::Text;
  return true;
}

bool LibraryBuilder::entries_body(TemplateScope& scope, NodeId node, BodyForm form, Route& route) {
  route.body_form = form;
  Template body{.kind = Template::Kind::Object};
  for (auto& [name, value] : entries(scope, node)) {
    body.names.push_back(std::move(name));
    body.children.push_back(std::move(value));
  }
  route.body = std::move(body);
  return true;
}

// `pages "@odata.nextLink" limit 20`, or `pages "$skip" of 10000 limit 20`.
Paging LibraryBuilder::paging_of(const Tree& tree, NodeId node, const Operation& operation) {
  constexpr std::int64_t kMostPages = 1000, kLargestPage = 1'000'000;
  const auto kids = tree.kids(node);
  const auto counted = [&](NodeId at, std::int64_t most) {
    const std::int64_t count = int_value(tree, at, diagnostics_);
    if (count < 1 || count > most)
      report(tree, at, Code::InvalidDeclaration, fmt::format("expected a number from 1 to {}", most));
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(count, 1, most));
  };
  Paging pages{.kind = kids.size() > 2 ? Paging::Kind::Skip : Paging::Kind::Link,
               .name = constant(tree, node)};
  if (kids.size() > 2) pages.page_size = counted(kids[1], kLargestPage);
  pages.limit = counted(kids.back(), kMostPages);
  if (operation.effect != Effect::Read || !library_.types.is(operation.result, TypeKind::List))
    report(tree, node, Code::InvalidDeclaration, "only a list that is read comes in pages");
  return pages;
}

Upload LibraryBuilder::upload_of(const Tree& tree, NodeId node, const Operation& operation) {
  check_parameter(tree, node, operation);
  const auto kids = tree.kids(node);
  TemplateScope scope{tree, operation.parameters, diagnostics_, true, {}};
  scope.items.emplace_back(tree.text(kids[3]));
  return {.list = name_of(tree, node),
          .content = std::string(tree.text(kids[1])),
          .from_bytes =
              static_cast<std::uint64_t>(std::max<std::int64_t>(int_value(tree, kids[2], diagnostics_), 0)),
          .path = to_template(scope, kids[4]),
          .body = to_template(scope, kids[5]),
          .discard = to_template(scope, kids[6])};
}

ErrorRule LibraryBuilder::error_rule(const Tree& tree, NodeId node) {
  ErrorRule rule;
  rule.status =
      static_cast<int>(std::clamp<std::int64_t>(int_value(tree, tree.kid(node, 0), diagnostics_), 0, 999));
  const NodeId text = tree.find(node, NodeKind::Text);
  if (text != kNoNode) rule.code = plain_text(tree, text, diagnostics_);
  const NodeId fault = tree.kids(node).back();
  rule.is_success = tree.text(fault) == "success";
  if (rule.is_success) return rule;
  if (const auto kind = fault_named(tree.text(fault)))
    rule.kind = *kind;
  else
    unknown(tree, fault, Code::UnknownName, fmt::format("there is no error `{}`", tree.text(fault)),
            fault_names());
  return rule;
}

std::vector<std::string> LibraryBuilder::fault_names() {
  return {
#define FLOW_FAULT(name, may_retry, meaning) #name,
#include "base/faults.def"
#undef FLOW_FAULT
  };
}

}  // namespace flow
