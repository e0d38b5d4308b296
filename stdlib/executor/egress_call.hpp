// Requests that a flow writes itself: `http(method: GET, url: …)`.
#pragma once

#include <cstdint>

#include "base/operation.hpp"
#include "stdlib/executor/request.hpp"
#include "stdlib/http/egress.hpp"
#include "vm/bytecode/call.hpp"

namespace flow {

// Longest answer that is read: it becomes part of the run's journal.
inline constexpr std::size_t kLongestEgressAnswer = 1u << 20;

// Whose credential goes along, by the call's arguments: a connector of the module, or the operation's own,
// which has none.
Result<const Connector*> egress_connector(const Module& module, const Connector& own,
                                          const JsonValue& arguments);

// Without the credential. Refuses what the egress list refuses, a method that the operation's effect does not
// cover, and a credential for another address than its connector's.
Result<HttpRequest> egress_request(const CallText& call, const Egress& egress, Redaction& redaction);

// What flows get: {"status": …, "headers": {…}, "text": …, "json": …}; or why it is worth another try.
Outcome egress_outcome(const HttpResponse& response, const Operation& operation, const Route& route,
                       std::int64_t now_us);

}  // namespace flow
