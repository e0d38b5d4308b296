// Triggers that a flow writes itself: schedules, hunting queries, hooks, people, other flows. What they give
// is written into a Trigger as a connector's declaration would have it, so that later passes see no
// difference.
#include <algorithm>
#include <limits>

#include "base/calendar.hpp"
#include "base/cron.hpp"
#include "base/text.hpp"
#include "base/time_zone.hpp"
#include "compiler/check/checker.hpp"
#include "compiler/syntax/literal.hpp"

namespace flow {
namespace {

Trigger::Binding binding(std::string name, TypeId type, std::string doc) {
  return {.name = name, .wire = name, .type = type, .doc = std::move(doc)};
}

}  // namespace

std::optional<std::uint32_t> Checker::own_trigger(NodeId node, CheckedFlow& flow) {
  std::optional<Trigger> done;
  switch (tree_.kind(node)) {
    case NodeKind::OnEvery: done = on_every(node); break;
    case NodeKind::OnCron: done = on_cron(node); break;
    case NodeKind::OnHunt: done = on_hunt(node); break;
    case NodeKind::OnWebhook: done = on_endpoint(node, Trigger::Kind::Webhook); break;
    case NodeKind::OnStream: done = on_endpoint(node, Trigger::Kind::Stream); break;
    case NodeKind::OnManual: done = on_arguments(node, Trigger::Kind::Manual, flow); break;
    case NodeKind::OnCall: done = on_arguments(node, Trigger::Kind::Call, flow); break;
    case NodeKind::OnRunFailed: done = on_run_failed(node); break;
    default: return std::nullopt;
  }
  if (!done) return std::nullopt;
  done->name = trigger_kind_name(done->kind);
  return add_trigger(std::move(*done));
}

// ---- Time

std::optional<std::int64_t> Checker::written_duration(NodeId node) const {
  Diagnostics ignored;  // reported where the expression is checked
  switch (tree_.kind(node)) {
    case NodeKind::Duration: return duration_value_us(tree_, node, ignored);
    case NodeKind::Paren: return written_duration(tree_.kid(node, 0));
    default: return std::nullopt;
  }
}

std::optional<std::int64_t> Checker::time_span(NodeId node, const std::string& what, Code code) {
  constexpr std::int64_t kLongestUs = std::int64_t{10} * 366 * 24 * 3600 * kSecondUs;
  const std::size_t errors = diagnostics_.errors();
  expect(node, kDurationType, what);
  if (diagnostics_.errors() != errors) return std::nullopt;
  const auto us = written_duration(node);
  if (!us) {
    report(code, node, fmt::format("{} must be known before anything runs", what))
        .expecting("expected a duration, as `15m`");
    return std::nullopt;
  }
  if (*us < kSecondUs || *us > kLongestUs) {
    report(code, node, fmt::format("{} must be from `1s` to ten years", what));
    return std::nullopt;
  }
  return us;
}

std::optional<Trigger> Checker::on_every(NodeId node) {
  const auto every = time_span(tree_.kid(node, 0), "the time between two runs", Code::InvalidSchedule);
  if (!every) return std::nullopt;
  return Trigger{.kind = Trigger::Kind::Every,
                 .interval_us = *every,
                 .bindings = {scheduled_at()},
                 .catch_up = catch_up(node)};
}

Trigger::Binding Checker::scheduled_at() const {
  return binding("scheduledAt", kTimeType, "When the run was due.");
}

Trigger::CatchUp Checker::catch_up(NodeId node) const {
  const NodeId clause = tree_.find(node, NodeKind::CatchUp);
  if (clause == kNoNode) return Trigger::CatchUp::Last;
  const std::string_view word = tree_.text(tree_.kid(clause, 0));
  return word == "none"  ? Trigger::CatchUp::None
         : word == "all" ? Trigger::CatchUp::All
                         : Trigger::CatchUp::Last;
}

std::optional<Trigger> Checker::on_cron(NodeId node) {
  const NodeId text = tree_.kid(node, 0);
  Trigger made{.kind = Trigger::Kind::Cron,
               .bindings = {scheduled_at()},
               .cron = plain_text(tree_, text, diagnostics_),
               .catch_up = catch_up(node)};
  bool is_wrong = false;
  if (const auto schedule = parse_cron(made.cron); !schedule) {
    const CronMistake& mistake = schedule.error();
    const bool is_verbatim = tree_.text(text).size() == made.cron.size() + 2;  // no escapes: places agree
    const auto begin = static_cast<std::uint32_t>(tree_.span(text).begin + 1 + mistake.begin);
    const auto end = static_cast<std::uint32_t>(begin + std::max<std::size_t>(mistake.length, 1));
    diagnostics_
        .report(Code::InvalidSchedule, tree_.file, is_verbatim ? Span{begin, end} : tree_.span(text),
                mistake.message)
        .note("as `0 7 * * MON-FRI`: at 7:00 from Monday to Friday");
    is_wrong = true;
  }
  if (tree_.kids(node).size() > 1 && tree_.kind(tree_.kid(node, 1)) == NodeKind::Text) {
    made.zone = plain_text(tree_, tree_.kid(node, 1), diagnostics_);
    is_wrong = !check_zone(tree_.kid(node, 1), made.zone) || is_wrong;
  }
  if (is_wrong) return std::nullopt;
  return made;
}

bool Checker::check_zone(NodeId node, std::string_view zone) {
  if (TimeZone::named(zone)) return true;
  Diagnostic& d = report(Code::InvalidSchedule, node, fmt::format("{} is no time zone", quoted(node)));
  if (const auto near = nearest_name(zone, time_zone_names()))
    d.fix(tree_.span(node), fmt::format("\"{}\"", *near), fmt::format("did you mean `{}`?", *near));
  else
    d.note("a time zone goes by its name in the IANA database, as `Europe/Berlin` or `UTC`");
  return false;
}

// ---- What comes from elsewhere

std::optional<Trigger> Checker::on_hunt(NodeId node) {
  const NodeId query = tree_.kid(node, 0);
  const std::size_t errors = diagnostics_.errors();
  expect(query, kKqlType, "the query of `hunt`");
  const NodeId every = tree_.find(node, NodeKind::Every);
  const auto interval = time_span(tree_.kid(every, 0), "the time between two queries", Code::InvalidSchedule);
  if (diagnostics_.errors() != errors || !interval) return std::nullopt;
  if (tree_.kind(query) != NodeKind::Kql || has_holes(tree_, query)) {
    report(Code::InvalidTrigger, query, "the query of a trigger must be known before anything runs")
        .expecting("expected kql\"…\" without holes");
    return std::nullopt;
  }
  Trigger made{.kind = Trigger::Kind::Hunt, .interval_us = *interval};
  if (library_.operation_names.contains("graph.hunt")) {  // which carries the query out
    made.connector = "graph";
    made.operation = "hunt";
  }
  made.query = plain_text(tree_, query, diagnostics_);
  made.is_batch = tree_.find(node, NodeKind::Batch) != kNoNode;
  if (made.query.find_first_not_of(" \t\r\n") == std::string::npos) {
    report(Code::InvalidTrigger, query, "this query is empty");
    return std::nullopt;
  }
  if (made.is_batch)
    made.bindings.push_back(
        binding("rows", out_.types.list(kJsonType), "What the query found, a value a row."));
  else
    made.bindings.push_back(binding("row", kJsonType, "One row that the query found, by column name."));
  made.bindings.push_back(scheduled_at());
  return made;
}

// A hook or a stream: a name, and what comes there.
std::optional<Trigger> Checker::on_endpoint(NodeId node, Trigger::Kind kind) {
  const bool is_hook = kind == Trigger::Kind::Webhook;
  const NodeId text = tree_.kid(node, 0);
  Trigger made{.kind = kind};
  made.endpoint = plain_text(tree_, text, diagnostics_);
  const bool has_form = !made.endpoint.empty() && std::ranges::all_of(made.endpoint, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
  if (!has_form) {
    report(Code::InvalidTrigger, text,
           fmt::format("{} is no name of a {}", quoted(text), is_hook ? "hook" : "stream"))
        .note("it is made of letters, digits, `-`, `_` and `.`");
    return std::nullopt;
  }
  for (const Trigger& other : out_.triggers)
    if (is_hook && other.kind == kind && other.endpoint == made.endpoint) {
      report(Code::InvalidTrigger, text,
             fmt::format("another flow waits at the hook {} already", quoted(text)))
          .note("give each its own name; what comes there starts one flow");
      return std::nullopt;
    }
  std::vector<NodeId> parameters;
  for (const NodeId kid : tree_.kids(node))
    if (tree_.kind(kid) == NodeKind::ParameterDecl) parameters.push_back(kid);
  if (parameters.size() != 1) {
    report(
        Code::InvalidTrigger, text,
        fmt::format("a {} gives one value, and {} are named", is_hook ? "hook" : "stream", parameters.size()))
        .note(is_hook
                  ? "name what is posted, with the type that it must have: `webhook \"name\" (payload: Name)`"
                  : "name the record, with the type that it must have: `stream \"name\" (event: Name)`");
    return std::nullopt;
  }
  const auto parts = tree_.kids(parameters[0]);
  const TypeId type = declared_type(parts[1]);
  if (is_error(type)) return std::nullopt;
  if (!check_foreign(parts[1], type)) return std::nullopt;
  if (parts.size() > 2) report(Code::InvalidTrigger, parts[2], "what comes from outside has no default");
  made.bindings.push_back({.name = std::string(tree_.text(parts[0])),
                           .wire = is_hook ? "payload" : "event",
                           .type = type,
                           .doc = is_hook ? "What was posted." : "The record from the stream."});
  if (is_hook)
    made.bindings.push_back(
        binding("headers", out_.types.map(kStringType), "The request's headers by name, in lower case."));
  return made;
}

bool Checker::check_foreign(NodeId node, TypeId type) {
  const TypeId inner = own_type_in(type);
  if (inner != kSecretType && inner != kHtmlType && inner != kKqlType) return true;
  report(Code::InvalidTrigger, node, fmt::format("a `{}` cannot come from outside", type_name(inner)))
      .note(inner == kSecretType ? "declare it beside the flow: `secret name`" : "take a String");
  return false;
}

std::optional<Trigger> Checker::on_arguments(NodeId node, Trigger::Kind kind, CheckedFlow& flow) {
  Trigger made{.kind = kind};
  bool is_wrong = false;
  for (const NodeId kid : tree_.kids(node)) {
    if (tree_.kind(kid) == NodeKind::Result) {
      made.result = declared_type(tree_.kid(kid, 0));
      is_wrong = is_error(made.result) || is_wrong;
      if (const TypeId own = own_type_in(made.result); own != kNoType && !is_error(made.result)) {
        report(
            Code::InvalidTrigger, tree_.kid(kid, 0),
            fmt::format("a `{}` is made by flows alone, and cannot be the result of a run", type_name(own)))
            .note("give a String");
        is_wrong = true;
      }
    }
    if (tree_.kind(kid) != NodeKind::ParameterDecl) continue;
    const auto parts = tree_.kids(kid);
    const std::string name(tree_.text(parts[0]));
    const TypeId type = declared_type(parts[1]);
    if (std::ranges::find(made.bindings, name, &Trigger::Binding::name) != made.bindings.end())
      report(Code::DuplicateName, parts[0], fmt::format("`{}` is a parameter already", name));
    if (is_error(type) || !check_foreign(parts[1], type)) {
      is_wrong = true;
      continue;
    }
    if (parts.size() > 2) {
      expect(parts[2], type, fmt::format("the default of `{}`", name));
      if (!is_constant(parts[2]))
        report(Code::DefaultIsNoConstant, parts[2], fmt::format("the default of `{}` is no constant", name));
      flow.argument_defaults.emplace(static_cast<std::uint32_t>(made.bindings.size()), parts[2]);
    }
    made.bindings.push_back(binding(name, type, tree_.doc_above(kid)));
    made.bindings.back().has_default = parts.size() > 2;
  }
  if (is_wrong) return std::nullopt;
  return made;
}

// A flow that others call gives them what its trigger says.
void Checker::return_from_flow(NodeId node, Span word, NodeId value) {
  const TypeId wanted = trigger_->result;
  if (value != kNoNode && wanted != kNullType) return expect(value, wanted, "the result of this flow");
  if (value == kNoNode && wanted != kNullType) {
    diagnostics_
        .report(Code::MissingReturn, tree_.file, word,
                fmt::format("this `return` gives no result, and the flow gives `{}`", type_name(wanted)))
        .expecting("expected a value behind this");
  } else if (value != kNoNode && !is_error(expression(value))) {
    report(Code::TypeMismatch, value, "this flow declares no result to return")
        .note(fmt::format("declare it: `on call (…) -> {}`", type_name(out_.type[value])));
  } else if (value == kNoNode) {
    report(Code::MisplacedStatement, node, "to end the run write `stop`");
  }
}

void Checker::check_result() {
  if (trigger_->kind != Trigger::Kind::Call || trigger_->result == kNullType) return;
  if (flow_->body == kNoNode || ends(flow_->body) || has_mistake(flow_->body)) return;
  const NodeId on = trigger_node(flow_->node);
  report(Code::MissingReturn, tree_.find(on, NodeKind::Result),
         fmt::format("the flow can end without giving its `{}`", type_name(trigger_->result)))
      .note("end each path with `return value`, `stop` or `fail`");
}

std::optional<Trigger> Checker::on_run_failed(NodeId node) {
  Trigger made{.kind = Trigger::Kind::RunFailed};
  if (!tree_.kids(node).empty()) made.of_flow = tree_.text(tree_.kid(node, 0));
  made.bindings.push_back(binding("run", failed_run_type(), "The run that failed."));
  made.bindings.push_back(binding("error", library_.error_type, "Why it failed."));
  return made;
}

TypeId Checker::failed_run_type() {
  if (failed_run_type_ == kNoType)
    failed_run_type_ = out_.types.add_record(
        {.name = "Run",
         .fields = {{.name = "id", .wire = "id", .type = kStringType, .doc = "Its ID."},
                    {.name = "flow", .wire = "flow", .type = kStringType, .doc = "The flow's name."},
                    {.name = "tenant", .wire = "tenant", .type = kStringType, .doc = "For which tenant."},
                    {.name = "trigger", .wire = "trigger", .type = kStringType, .doc = "What started it."},
                    {.name = "startedAt", .wire = "startedAt", .type = kTimeType, .doc = "When it began."}},
         .doc = "A run of a flow."});
  return failed_run_type_;
}

}  // namespace flow
