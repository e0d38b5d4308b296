#include "runtime/served.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace flow {
namespace {

bool is_served(const Operation& operation) {
  const auto is_ours = [](const Route& route) { return route.protocol == Protocol::Runtime; };
  return std::ranges::none_of(operation.routes, is_ours);
}

}  // namespace

Status check_served(const Module& module) {
  for (const FlowCode& flow : module.flows) {
    const Trigger& trigger = module.triggers[flow.trigger];
    if (trigger.kind != Trigger::Kind::Poll)
      return error(fmt::format("flow `{}`: this runtime cannot start flows on `{}` yet", flow.name,
                               trigger_kind_name(trigger.kind)));
    for (const ManifestCall& call : flow.manifest.calls)
      if (const Operation& operation = module.operations[call.operation]; !is_served(operation))
        return error(
            fmt::format("flow `{}`: this runtime cannot answer `{}` yet", flow.name, operation.full_name()));
  }
  return {};
}

}  // namespace flow
