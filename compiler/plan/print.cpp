#include <fmt/format.h>

#include <utility>

#include "base/text.hpp"
#include "compiler/plan/plan.hpp"

namespace flow {
namespace {

std::string request_of(const Operation& operation) {
  const Route& route = operation.routes.front();
  std::string path;
  for (const Template& part : route.path.children)
    path += part.kind == Template::Kind::Text ? part.text : "{" + part.text + "}";
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

}  // namespace

std::string print_plan(const Tree& tree, const Library& library, const CheckedFile& checked,
                       const CheckedFlow& flow, const FlowPlan& plan) {
  const Trigger& trigger = checked.triggers[flow.trigger];
  std::string out = fmt::format("flow {}\n  on {}", flow.name, trigger.name);
  if (!trigger.operation.empty())
    out += fmt::format(": polls {} every {}", trigger.operation, format_duration_us(trigger.interval_us));
  out += plan.poll_filter.empty() ? "\n" : fmt::format(", asking only for {}\n", plan.poll_filter);
  for (const std::string& name : plan.poll_expand) out += fmt::format("    with {} expanded\n", name);
  if (!plan.condition_order.empty()) {
    out += "  decides, in this order:\n";
    for (const NodeId operand : plan.condition_order) out += fmt::format("    {}\n", tree.text(operand));
  }
  out += plan.fetches.empty() ? "  fetches nothing\n" : "  fetches:\n";
  for (const PlannedFetch& fetch : plan.fetches) out += fetch_line(library, trigger, fetch);
  bool is_first = true;
  for (const auto& [index, times] : plan.calls) {
    if (times == 0) continue;
    if (std::exchange(is_first, false)) out += "  calls:\n";
    const Operation& operation = library.operations[index];
    const std::string bound =
        times == kAnyNumber ? "any number of times in a run" : fmt::format("at most {} per run", times);
    out += fmt::format("    {:<9}{} ({})\n", operation.name, bound, effect_name(operation.effect));
  }
  return out;
}

}  // namespace flow
