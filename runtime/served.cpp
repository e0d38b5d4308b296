#include "runtime/served.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/mail_digest.hpp"
#include "runtime/leases.hpp"

namespace flow {
namespace {

// As system_calls.cpp answers them.
constexpr std::array<std::string_view, 17> kAnswered = {
    "flow.digestEnd", "mail.digest",  "flow.leaseEnd", "flow.wait",  "flow.waitUntil", "flow.now",
    "flow.ago",       "flow.random",  "flow.uuid",     "flow.once",  "flow.approve",   "flow.ask",
    "flow.receive",   "flow.respond", "flow.call",     "flow.start", "flow.refuse"};

tl::unexpected<Error> cannot(const Module& module, std::string_view what) {
  return error(fmt::format("`{}`: this runtime cannot {} yet", module.source_name, what));
}

Status check_calls(const Module& module, const Routine& routine) {
  for (const CallSite& site : routine.call_sites) {
    if (!site.options) continue;
    const std::string operation = module.operations[site.operation].full_name();
    if (site.options->lease_us > 0 && !lease_event(module, operation, "{}", 0))
      return cannot(module,
                    fmt::format("lease `{}`, of which the module does not say how it is undone", operation));
  }
  return {};
}

}  // namespace

bool is_answered_here(const Operation& operation) {
  return !operation.routes.empty() && operation.routes.front().protocol == Protocol::Runtime;
}

bool is_refusal(const Operation& operation) {
  return is_answered_here(operation) && operation.name == "refuse";
}

std::optional<std::uint32_t> digest_flow_of(const Module& module) {
  for (std::uint32_t i = 0; i < module.flows.size(); ++i)
    if (module.triggers[module.flows[i].trigger].kind == Trigger::Kind::Digest) return i;
  return std::nullopt;
}

bool is_for_tenant(const Policies& policies, std::string_view tenant) {
  return policies.tenants.empty() || std::ranges::find(policies.tenants, tenant) != policies.tenants.end();
}

bool is_answered_by_somebody(const Operation& operation) {
  return is_answered_here(operation) &&
         (operation.name == "approve" || operation.name == "ask" || operation.name == "receive");
}

Status check_served(const Module& module) {
  for (const FunctionCode& function : module.functions) FLOW_TRY_STATUS(check_calls(module, function));
  for (const FlowCode& flow : module.flows) {
    FLOW_TRY_STATUS(check_calls(module, flow));
    const Trigger& trigger = module.triggers[flow.trigger];
    if (trigger.kind == Trigger::Kind::Stream)
      return cannot(module,
                    fmt::format("start flow `{}` on `{}`", flow.name, trigger_kind_name(trigger.kind)));
    for (const ManifestCall& call : flow.manifest.calls) {
      const Operation& operation = module.operations[call.operation];
      if (is_answered_here(operation) &&
          std::ranges::find(kAnswered, operation.full_name()) == kAnswered.end())
        return cannot(module, fmt::format("answer `{}` for flow `{}`", operation.full_name(), flow.name));
      if (is_digest(operation) && !digest_flow_of(module))
        return cannot(module, "gather a digest, of which the module does not say how it is sent");
    }
  }
  return {};
}

Status check_asks_nobody(const Module& module) {
  const auto problem = [&](const FlowCode& flow, std::string_view what) {
    return error(
        fmt::format("`{}`: flow `{}` waits for {}, and nobody could answer it here; a service (`flow "
                    "serve`) can wait",
                    module.source_name, flow.name, what));
  };
  for (const FlowCode& flow : module.flows) {
    for (const ManifestCall& call : flow.manifest.calls)
      if (const Operation& operation = module.operations[call.operation]; is_answered_by_somebody(operation))
        return problem(flow, fmt::format("`{}`", operation.full_name()));
    for (const Policies::Limit& limit : flow.policies.limits)
      if (limit.otherwise == Policies::Limit::Otherwise::Ask)
        return problem(flow, fmt::format("{} at a limit", limit.ask_to));
  }
  return {};
}

}  // namespace flow
