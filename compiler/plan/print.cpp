#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "compiler/plan/call_order.hpp"
#include "compiler/plan/plan.hpp"

namespace flow {
namespace {

std::string request_of(const Operation& operation) {
  const Route& route = operation.routes.front();
  std::string path;
  for (const Template& part : route.path.children)
    path += part.kind == Template::Kind::Text   ? part.text
            : part.kind == Template::Kind::Join ? "{" + part.children.at(0).text + "}"
                                                : "{" + part.text + "}";
  if (route.path.children.empty()) path = route.path.text;
  return fmt::format("{} {}", route.method, path);
}

std::string_view place_of(PlannedFetch::Place place) {
  switch (place) {
    case PlannedFetch::Place::Condition: return "in `when`";
    case PlannedFetch::Place::Body: return "in `do`";
    case PlannedFetch::Place::Handler: return "in `on error`";
  }
  return {};
}

std::string fetch_line(const Library& library, const Trigger& trigger, const PlannedFetch& fetch) {
  const Trigger::Entity& entity = trigger.entities[fetch.entity];
  const Operation* operation = library.operation(trigger.connector, entity.operation);
  const std::string where = fmt::format("line {}, {}{}", fetch.line, place_of(fetch.place),
                                        fetch.is_conditional ? ", only on the path that needs it" : "");
  if (fetch.entity == 0)
    return fmt::format(
        "    {:<9}brought by the event; {} only when the event lacks a field that is read ({})\n",
        entity.name, request_of(*operation), where);
  return fmt::format("    {:<9}{}, at most once per run ({})\n", entity.name, request_of(*operation), where);
}

// `reads list_machines; acts isolate; logs`
std::string effects_of(const Library& library, const CheckedFile& checked, const FunctionEffects& effects) {
  std::string out;
  const auto add = [&](const std::string& what) { out += (out.empty() ? "" : "; ") + what; };
  for (const auto& [effect, word] : {std::pair(Effect::Read, "reads"), std::pair(Effect::Act, "acts"),
                                     std::pair(Effect::Notify, "notifies")}) {
    std::string names;
    for (const std::uint32_t operation : effects.operations)
      if (const Operation& called = library.operations[operation];
          called.effect == effect && (effects.flows.empty() || called.connector != "flow"))
        names += (names.empty() ? " " : ", ") + library.operations[operation].name;
    if (!names.empty()) add(word + names);
  }
  std::string flows;
  for (const std::uint32_t flow : effects.flows)
    flows += (flows.empty() ? "" : ", ") + checked.flows[flow].name;
  if (!flows.empty()) add("runs " + flows);
  if (effects.waits) add("waits");
  if (effects.logs) add("logs");
  if (effects.stops) add("may stop");
  return out;
}

// As it is written, with one blank for each gap.
std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool is_blank = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (!is_blank || (!out.empty() && out.back() != ' ')) out += is_blank ? ' ' : c;
  }
  return out;
}

std::string guardrails(const Tree& tree, const CheckedFlow& flow) {
  std::string out;
  for (const NodeId kid : tree.kids(flow.node)) {
    switch (tree.kind(kid)) {
      case NodeKind::OncePer:
      case NodeKind::LimitPolicy:
      case NodeKind::Protect:
      case NodeKind::Within:
      case NodeKind::AtOnce:
      case NodeKind::Priority:
      case NodeKind::Tenants:
      case NodeKind::DryRun: out += fmt::format("    {}\n", one_line(tree.text(kid))); break;
      default: break;
    }
  }
  return out.empty() ? out : "  holds to:\n" + out;
}

// Those that a run leads to and that do more than compute.
std::set<std::uint32_t> functions_that_do(const Tree& tree, const CheckedFile& checked,
                                          const CheckedFlow& flow) {
  std::set<std::uint32_t> found;
  for (const Callee callee : calls_of(tree, checked, flow, Through::Flows).callees) {
    if (callee.is_flow) continue;
    const FunctionEffects& effects = checked.functions[callee.index].effects;
    if (!effects.operations.empty() || effects.logs || effects.stops || effects.waits)
      found.insert(callee.index);
  }
  return found;
}

}  // namespace

std::string print_plan(const Tree& tree, const Library& library, const CheckedFile& checked,
                       const CheckedFlow& flow, const FlowPlan& plan) {
  const Trigger& trigger = checked.triggers[flow.trigger];
  const NodeId on = tree.find(flow.node, NodeKind::On);
  std::string out = fmt::format(
      "flow {}\n  {}", flow.name,
      trigger.kind == Trigger::Kind::Poll || on == kNoNode ? "on " + trigger.name : one_line(tree.text(on)));
  if (trigger.kind == Trigger::Kind::Poll && !trigger.operation.empty())
    out += fmt::format(": polls {} every {}", trigger.operation, format_duration_us(trigger.interval_us));
  out += plan.poll_filter.empty() ? "\n" : fmt::format(", asking only for {}\n", plan.poll_filter);
  for (const std::string& name : plan.poll_expand) out += fmt::format("    with {} expanded\n", name);
  if (!plan.condition_order.empty()) {
    out += "  decides, in this order:\n";
    for (const NodeId operand : plan.condition_order) out += fmt::format("    {}\n", tree.text(operand));
  }
  out += guardrails(tree, flow);
  out += plan.fetches.empty() ? "  fetches nothing\n" : "  fetches:\n";
  for (const PlannedFetch& fetch : plan.fetches) out += fetch_line(library, trigger, fetch);
  bool is_first = true;
  for (const auto& [index, bound] : plan.calls) {
    if (bound.times == 0) continue;
    if (std::exchange(is_first, false)) out += "  calls:\n";
    const Operation& operation = library.operations[index];
    const std::string times =
        bound.times != kAnyNumber ? fmt::format("at most {} per run", bound.times)
        : bound.loop == kNoNode
            ? "any number of times in a run"
            : fmt::format("any number of times in a run, by the loop in line {}", tree.line(bound.loop));
    out += fmt::format("    {:<9}{} ({})\n", operation.name + " ", times, effect_name(operation.effect));
  }
  const std::set<std::uint32_t> functions = functions_that_do(tree, checked, flow);
  if (!functions.empty()) out += "  functions:\n";
  for (const std::uint32_t function : functions)
    out += fmt::format("    {:<9}{}\n", checked.functions[function].name + " ",
                       effects_of(library, checked, checked.functions[function].effects));
  if (!plan.flows.empty()) out += "  runs of other flows:\n";
  for (const auto& [run, node] : plan.flows)
    out += fmt::format("    {:<9}{} in line {}\n", checked.flows[run.first].name + " ",
                       run.second ? "started" : "called", tree.line(node));
  if (!plan.leases.empty()) out += "  leases:\n";
  for (const auto& [operation, node] : plan.leases)
    out += fmt::format("    {:<9}undone by {} when the lease is over, from line {}\n",
                       library.operations[operation].name + " ", library.operations[operation].inverse,
                       tree.line(node));
  return out;
}

std::string print_settings(const Tree& tree, const CheckedFile& checked) {
  std::string out;
  std::size_t width = 8;
  for (const CheckedSetting& setting : checked.settings) width = std::max(width, setting.name.size());
  for (const CheckedSetting& setting : checked.settings) {
    if (setting.file != 0 && !setting.is_used) continue;
    const bool may_be_missing =
        setting.is_secret() || setting.default_value != kNoNode || checked.types.is_optional(setting.type);
    out +=
        fmt::format("  {:<{}} {}{}{}\n", setting.name, width, checked.types.name(setting.type),
                    setting.default_value == kNoNode ? std::string()
                                                     : fmt::format(" = {}", tree.text(setting.default_value)),
                    may_be_missing ? "" : ", required");
  }
  return out.empty() ? out : "set at deployment:\n" + out;
}

}  // namespace flow
