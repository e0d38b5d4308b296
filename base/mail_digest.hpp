// `mail.digest`: a call adds a line to a mail, which a run of a flow that the compiler made sends when the
// window is over.
#pragma once

#include <string_view>

#include "base/operation.hpp"

namespace flow {

inline constexpr std::string_view kDigestOperation = "mail.digest";
inline constexpr std::string_view kDigestFlow = "digest.mail";  // whose runs send digests
inline constexpr std::string_view kDigestTrigger = "digest";

inline bool is_digest(const Operation& operation) {
  return operation.connector == "mail" && operation.name == "digest";
}

// Whether flows start by themselves for what their trigger says; those that end leases or send digests begin
// with the call that they belong to, whatever is deployed.
inline bool is_made_by_compiler(const Trigger& trigger) {
  return trigger.kind == Trigger::Kind::Lease || trigger.kind == Trigger::Kind::Digest;
}

}  // namespace flow
