#include "vm/bytecode/policy_text.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

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

std::string limit_text(const Module& module, const Policies::Limit& limit) {
  using Otherwise = Policies::Limit::Otherwise;
  const std::string otherwise = limit.otherwise == Otherwise::Skip  ? " else skip"
                                : limit.otherwise == Otherwise::Ask ? " else ask " + json_quoted(limit.ask_to)
                                                                    : "";
  return fmt::format("limit {} to {} per {}{}", operation_name(module, limit.operation), limit.count,
                     format_duration_us(limit.window_us), otherwise);
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

std::vector<std::string> policy_texts(const Module& module, const Policies& policies) {
  std::vector<std::string> texts;
  if (policies.has_once) texts.emplace_back("once");
  for (const Policies::Limit& limit : policies.limits) texts.push_back(limit_text(module, limit));
  if (policies.has_protect) texts.emplace_back("protect");
  if (policies.within_us > 0) texts.push_back("within " + format_duration_us(policies.within_us));
  if (policies.at_most > 0) texts.push_back(fmt::format("at most {} at once", policies.at_most));
  if (policies.priority != Policies::Priority::Normal)
    texts.emplace_back(policies.priority == Policies::Priority::Low ? "priority low" : "priority high");
  for (const std::string& tenant : policies.tenants) texts.push_back("in tenant " + tenant);
  if (policies.is_dry_run) texts.emplace_back("dry run");
  return texts;
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
