// What a flow asks of whoever runs it, between `when` and `do`.
#include <algorithm>
#include <array>
#include <map>

#include "base/text.hpp"
#include "compiler/check/checker.hpp"
#include "compiler/syntax/literal.hpp"

namespace flow {
void Checker::policies(NodeId flow) {
  std::map<std::string_view, NodeId> limited;
  for (const NodeId node : tree_.kids(flow)) {
    policy(node);
    if (tree_.kind(node) != NodeKind::LimitPolicy) continue;  // of the others the parser takes one
    const NodeId operation = tree_.kid(node, 0);
    if (const auto [first, is_new] = limited.emplace(tree_.text(operation), node); !is_new)
      diagnostics_
          .report(Code::InvalidPolicy, tree_.file, word_of(node),
                  fmt::format("`{}` is limited twice", tree_.text(operation)))
          .label(tree_.span(first->second), "first limited here");
  }
}

Span Checker::word_of(NodeId node) const {
  const std::uint32_t begin = tree_.span(node).begin;
  std::uint32_t end = begin;
  const std::string& text = tree_.source->text();
  while (end < tree_.span(node).end && ((text[end] >= 'a' && text[end] <= 'z'))) ++end;
  return {begin, end};
}

void Checker::policy(NodeId node) {
  Policies& policies = flow_->policies;
  switch (tree_.kind(node)) {
    case NodeKind::OncePer: return once_policy(node);
    case NodeKind::LimitPolicy: return limit_policy(node);
    case NodeKind::Protect: return protect_policy(node);
    case NodeKind::Within:
      policies.within_us =
          time_span(tree_.kid(node, 0), "the deadline of a run", Code::InvalidPolicy).value_or(0);
      return;
    case NodeKind::AtOnce:
      policies.at_most = written_count(tree_.kid(node, 0), "the number of runs at once").value_or(0);
      return;
    case NodeKind::Priority: {
      const std::string_view level = tree_.text(tree_.kid(node, 0));
      policies.priority = level == "low"    ? Policies::Priority::Low
                          : level == "high" ? Policies::Priority::High
                                            : Policies::Priority::Normal;
      return;
    }
    case NodeKind::Tenants: return tenants_policy(node);
    case NodeKind::DryRun: policies.is_dry_run = true; return;
    default: return;  // no policy
  }
}

void Checker::once_policy(NodeId node) {
  const NodeId key = tree_.kid(node, 0), window = tree_.kid(tree_.kid(node, 1), 0);
  in_condition_ = true;
  const TypeId type = expression(key);
  in_condition_ = false;
  const TypeId bare = out_.types.without_null(type);
  if (!is_error(type) && (type == kNullType || type == kNothingType || bare == kSecretType ||
                          bare == kJsonType || !out_.types.is_equatable(bare)))
    report(Code::InvalidPolicy, key,
           fmt::format("{} cannot tell runs apart: it is `{}`", quoted(key), type_name(type)))
        .note("a key is a text, a number, a time, an enum or an ID; for several write a text: `\"{a}/{b}\"`");
  expect(window, kDurationType, "the window of `once`");
  if (const auto us = written_duration(window); us && *us <= 0)
    report(Code::InvalidPolicy, window, "the window of `once` must be longer than nothing");
  flow_->once_key = key;
  flow_->once_window = window;
  flow_->policies.has_once = true;
}

void Checker::limit_policy(NodeId node) {
  const NodeId callee = tree_.kid(node, 0);
  const auto count = written_count(tree_.kid(node, 1), "the number of calls");
  const auto window = time_span(tree_.kid(node, 2), "the window of `limit`", Code::InvalidPolicy);
  Policies::Limit limit;
  if (tree_.kids(node).size() > 3) limit_otherwise(tree_.kid(node, 3), limit);
  const Operation* operation = operation_named(callee, limit.operation);
  if (operation == nullptr) {
    unknown_callee(callee);
    return;
  }
  if (operation->effect == Effect::Read) {
    report(Code::InvalidPolicy, callee, fmt::format("`{}` only reads, and needs no limit", operation->name))
        .note("`limit` is for operations that act or notify");
    return;
  }
  if (!count || !window) return;
  limit.count = *count;
  limit.window_us = *window;
  flow_->policies.limits.push_back(std::move(limit));
}

void Checker::limit_otherwise(NodeId node, Policies::Limit& limit) {
  if (tree_.kind(node) == NodeKind::ElseSkip) limit.otherwise = Policies::Limit::Otherwise::Skip;
  if (tree_.kind(node) != NodeKind::ElseAsk) return;
  const NodeId whom = tree_.kid(node, 0);
  const std::size_t errors = diagnostics_.errors();
  expect(whom, kEmailType, "who is asked");
  if (diagnostics_.errors() != errors) return;
  if (tree_.kind(whom) != NodeKind::Text) {
    report(Code::InvalidPolicy, whom, "who is asked must be known before anything runs")
        .expecting("expected an address in quotes");
    return;
  }
  limit.otherwise = Policies::Limit::Otherwise::Ask;
  limit.ask_to = plain_text(tree_, whom, diagnostics_);
}

// What is known from `when` about the device of the trigger is not known of another one that is acted on.
void Checker::protect_policy(NodeId node) {
  const NodeId condition = tree_.kid(node, 0);
  const std::set<std::string> facts = std::exchange(facts_, {});
  in_condition_ = in_protect_ = true;
  boolean(condition, "the condition after `protect`");
  in_condition_ = in_protect_ = false;
  facts_ = facts;
  flow_->protects.push_back(condition);
  flow_->policies.has_protect = true;
}

void Checker::tenants_policy(NodeId node) {
  const NodeId list = tree_.kid(node, 0);
  if (tree_.kids(list).empty())
    report(Code::InvalidPolicy, list, "no tenant is named, so the flow would never run");
  for (const NodeId item : tree_.kids(list)) {
    const std::size_t errors = diagnostics_.errors();
    expect(item, kStringType, "a tenant");
    if (diagnostics_.errors() != errors) continue;
    if (tree_.kind(item) != NodeKind::Text || has_holes(tree_, item)) {
      report(Code::InvalidPolicy, item, "a tenant is named by a text in quotes");
      continue;
    }
    std::string name = plain_text(tree_, item, diagnostics_);
    std::vector<std::string>& tenants = flow_->policies.tenants;
    if (name.empty())
      report(Code::InvalidPolicy, item, "a tenant's name is not empty");
    else if (std::ranges::find(tenants, name) != tenants.end())
      report(Code::InvalidPolicy, item, fmt::format("tenant {} is named twice", quoted(item)));
    else
      tenants.push_back(std::move(name));
  }
}

std::optional<std::uint32_t> Checker::written_count(NodeId node, const std::string& what) {
  constexpr std::int64_t kMost = 1'000'000'000;
  const std::size_t errors = diagnostics_.errors();
  expect(node, kIntType, what);
  if (diagnostics_.errors() != errors) return std::nullopt;
  while (tree_.kind(node) == NodeKind::Paren) node = tree_.kid(node, 0);
  if (tree_.kind(node) != NodeKind::Int && tree_.kind(node) != NodeKind::Negate) {
    report(Code::InvalidPolicy, node, fmt::format("{} must be known before anything runs", what))
        .expecting("expected a number");
    return std::nullopt;
  }
  Diagnostics ignored;
  const std::int64_t count = tree_.kind(node) == NodeKind::Int ? int_value(tree_, node, ignored) : -1;
  if (count >= 1 && count <= kMost) return static_cast<std::uint32_t>(count);
  report(Code::InvalidPolicy, node, fmt::format("{} must be at least 1", what));
  return std::nullopt;
}

}  // namespace flow
