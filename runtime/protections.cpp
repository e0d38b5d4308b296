#include "runtime/protections.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "runtime/json_text.hpp"
#include "runtime/served.hpp"

namespace flow {
namespace {

constexpr int kMostSteps =
    100;  // of a rule: it asks for the time at most, and for the call that nobody makes

// `T`, `T?`, `List<T>` and `T or List<T>` name targets of type T.
bool names(const TypeTable& types, TypeId type, TypeId id_type) {
  type = types.without_null(type);
  if (types.is(type, TypeKind::Union)) {
    const auto members = types.members(type);
    return std::ranges::any_of(members, [&](TypeId member) { return names(types, member, id_type); });
  }
  if (types.is(type, TypeKind::List)) return names(types, types[type].element, id_type);
  return type == id_type;
}

std::string decided(const Step& step, const Module& module) {
  if (const auto* ended = std::get_if<Ended>(&step)) {
    if (ended->how != Ended::How::Failed) return {};
    if (ended->fault.kind == FaultKind::Protected) return "it holds";
    return fmt::format("it cannot be decided: {}", ended->fault.message);
  }
  if (const auto* call = std::get_if<Call>(&step)) {
    const Operation& operation = module.operations[call->operation];
    if (is_refusal(operation)) return "it holds";
    if (operation.effect == Effect::Act) return {};
    return fmt::format("it cannot be decided: it asks for {}", operation.full_name());
  }
  return "it cannot be decided";
}

}  // namespace

std::vector<std::string> targets_of(const Module& module, const Operation& operation,
                                    std::string_view arguments, const ProtectedKind& kind) {
  if (kind.id_type == kNullType) return {std::string()};
  const auto parameter = std::ranges::find(operation.parameters, operation.targets, &Parameter::name);
  if (operation.targets.empty() || parameter == operation.parameters.end()) return {};
  if (!names(module.types, parameter->type, kind.id_type)) return {};
  const auto given = json_member(arguments, operation.targets);
  if (!given) return {};
  std::vector<std::string> targets;
  if (const auto one = json_string(*given)) targets.push_back(*one);
  if (const auto several = json_elements(*given))
    for (const std::string& element : *several)
      if (const auto one = json_string(element)) targets.push_back(*one);
  return targets;
}

std::string event_for_rules(const ProtectedKind& kind, const ProtectedAct& act) {
  std::string event = fmt::format(R"({{"operation":{},"flowName":{},"tenant":{})", json_quoted(act.operation),
                                  json_quoted(act.flow), json_quoted(act.tenant));
  if (!kind.id.empty()) event += fmt::format(",{}:{}", json_quoted(kind.id), json_quoted(act.target));
  if (!act.facts.empty()) event += fmt::format(",{}:{}", json_quoted(kind.entity), act.facts);
  return event + "}";
}

std::string refusal(Engine& engine, const Module& module, const ProtectionRule& rule, std::string_view event,
                    std::int64_t now_us) {
  const auto machine = engine.machine(module, rule.flow);
  std::optional<Step> step = machine->start(event, "{}");
  for (int i = 0; i < kMostSteps && step; ++i) {
    const auto* const call = std::get_if<Call>(&*step);
    if (call == nullptr || module.operations[call->operation].full_name() != "flow.now")
      return decided(*step, module);
    const std::uint32_t number = call->number;
    step = machine->answer_call(number, Returned{json_quoted(format_time_us(now_us))});
    if (!step) step = machine->next();
  }
  return "it cannot be decided";
}

}  // namespace flow
