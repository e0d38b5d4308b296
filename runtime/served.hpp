// What this runtime can serve of a module. A flow that it could not serve must not be deployed: it would wait
// for ever, or for something that never starts it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.hpp"
#include "vm/bytecode/module.hpp"

namespace flow {

// Whether the flow's own `protect` refuses an act by it: it changes nothing, and is noted in the audit trail.
bool is_refusal(const Operation& operation);
// Whether the runtime answers it, not the executor: its route is of Protocol::Runtime.
bool is_answered_here(const Operation& operation);
// Whether, of those, people or a message answer it: flow.approve, flow.ask, flow.receive.
bool is_answered_by_somebody(const Operation& operation);

// The flow that sends what `mail.digest` gathers; nothing when the module has none.
std::optional<std::uint32_t> digest_flow_of(const Module& module);

// `in tenants`: whether a flow that asks for this is for the tenant. One that is not must not be started
// there, by nothing.
bool is_for_tenant(const Policies& policies, std::string_view tenant);

// The error names the flow, and the trigger, the operation or the modifier of a call.
Status check_served(const Module& module);

// Fails when one of its flows may wait for people or messages, with its name.
Status check_asks_nobody(const Module& module);

}  // namespace flow
