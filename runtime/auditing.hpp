// What of a run belongs into the audit trail: rows made from what the journal and the store get.
#pragma once

#include <cstdint>
#include <optional>

#include "runtime/audit.hpp"
#include "runtime/journal.hpp"
#include "runtime/store.hpp"

namespace flow {

AuditRow audit_started(const RunRow& run);
AuditRow audit_ended(const RunRow& run, std::int64_t now_us);  // over or parked
AuditRow audit_answer(const QuestionRow& answered);
// A message to the run, by its name, with who sent it and the sender's key.
AuditRow audit_message(const RunRow& run, const std::string& name, const std::string& from,
                       const std::string& key, std::int64_t now_us);
AuditRow audit_control(AuditKind kind, const RunRow& run, const std::string& by, const std::string& reason,
                       std::int64_t now_us);

// Of a call, when the entry is about an act, a notification, or a call that a policy has answered. Without
// the permission, which is that of the route that the configuration has chosen.
std::optional<AuditRow> audit_call(const RunRow& run, const Operation& operation, const Call& call,
                                   const Entry& entry, std::int64_t now_us);

}  // namespace flow
