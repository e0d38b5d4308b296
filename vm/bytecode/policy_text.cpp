#include "vm/bytecode/policy_text.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "vm/bytecode/known_values.hpp"

namespace flow {
namespace {

// Modules may be printed before they are verified.
std::string operation_name(const Module& module, std::uint32_t index) {
  return index < module.operations.size() ? module.operations[index].full_name()
                                          : fmt::format("operation {}", index);
}

std::string type_name(const Module& module, TypeId type) {
  return module.types.contains(type) ? module.types.name(type) : fmt::format("type {}", type);
}

std::string otherwise_text(const Policies::Limit& limit) {
  using Otherwise = Policies::Limit::Otherwise;
  return limit.otherwise == Otherwise::Skip  ? " else skip"
         : limit.otherwise == Otherwise::Ask ? " else ask " + json_quoted(limit.ask_to)
                                             : "";
}

std::string limit_text(const Module& module, const Policies::Limit& limit) {
  return fmt::format("limit {} to {} per {}{}", operation_name(module, limit.operation), limit.count,
                     format_duration_us(limit.window_us), otherwise_text(limit));
}

std::string limit_subject(const Module& module, const Policies::Limit& limit) {
  return fmt::format("limit {} per {}{}", operation_name(module, limit.operation),
                     format_duration_us(limit.window_us), otherwise_text(limit));
}

Guardrail guardrail(const Behaviour::Once& once) {
  std::string text = "once per " + (KnownValues::is_shown(once.key) ? once.key : "computed key");
  if (once.window_us > 0) text += " within " + format_duration_us(once.window_us);
  return {.text = std::move(text), .subject = "once per " + once.key, .strength = once.window_us};
}

}  // namespace

std::string trigger_text(const Trigger& trigger) {
  const std::string_view kind = trigger_kind_name(trigger.kind);
  switch (trigger.kind) {
    case Trigger::Kind::Every: return fmt::format("{} {}", kind, format_duration_us(trigger.interval_us));
    case Trigger::Kind::Cron:
      return fmt::format("{} {} in {}", kind, trigger.cron, trigger.zone.empty() ? "UTC" : trigger.zone);
    case Trigger::Kind::Hunt:
      return fmt::format("{} every {}{}", kind, format_duration_us(trigger.interval_us),
                         trigger.is_batch ? ", batch" : "");
    case Trigger::Kind::Webhook:
    case Trigger::Kind::Stream: return fmt::format("{} {}", kind, json_quoted(trigger.endpoint));
    case Trigger::Kind::RunFailed:
      return trigger.of_flow.empty() ? std::string(kind) : fmt::format("{} of {}", kind, trigger.of_flow);
    case Trigger::Kind::Digest:
    case Trigger::Kind::Lease: return fmt::format("{} of {}", kind, trigger.endpoint);
    case Trigger::Kind::Manual:
    case Trigger::Kind::Call: return std::string(kind);
    case Trigger::Kind::Poll: break;
  }
  return trigger.name;
}

std::vector<Guardrail> guardrails_of(const Module& module, const Policies& policies,
                                     const Behaviour& behaviour) {
  std::vector<Guardrail> all;
  const auto plain = [&](std::string text) {
    all.push_back({.text = text, .subject = std::move(text), .strength = 0});
  };
  if (policies.has_once && behaviour.onces.empty()) plain("once");
  for (const Behaviour::Once& once : behaviour.onces) all.push_back(guardrail(once));
  for (const Policies::Limit& limit : policies.limits)
    all.push_back({.text = limit_text(module, limit),
                   .subject = limit_subject(module, limit),
                   .strength = -std::int64_t{limit.count}});
  if (policies.has_protect && behaviour.protects.empty()) plain("protect");
  for (const std::string& protect : behaviour.protects) plain(protect);
  if (policies.within_us > 0)
    all.push_back({.text = "within " + format_duration_us(policies.within_us),
                   .subject = "within",
                   .strength = -policies.within_us});
  if (policies.at_most > 0)
    all.push_back({.text = fmt::format("at most {} at once", policies.at_most),
                   .subject = "at most",
                   .strength = -std::int64_t{policies.at_most}});
  if (policies.priority != Policies::Priority::Normal)
    plain(policies.priority == Policies::Priority::Low ? "priority low" : "priority high");
  for (const std::string& tenant : policies.tenants) plain("in tenant " + tenant);
  if (policies.is_dry_run) plain("dry run");
  return all;
}

std::vector<std::string> setting_texts(const Module& module) {
  std::vector<std::string> texts;
  for (const Setting& setting : module.settings) {
    std::string text = fmt::format("{}: {}", setting.name, type_name(module, setting.type));
    if (!setting.default_json.empty()) text += " = " + setting.default_json;
    if (setting.is_required) text += " (required)";
    texts.push_back(std::move(text));
  }
  return texts;
}

}  // namespace flow
