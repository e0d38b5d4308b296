#include "runtime/auditing.hpp"

#include <utility>

#include "runtime/json_text.hpp"
#include "runtime/served.hpp"

namespace flow {
namespace {

constexpr std::size_t kLongestReference = 100;

AuditRow of_run(AuditKind kind, const RunRow& run, std::int64_t now_us) {
  return {.kind = kind, .time_us = now_us, .tenant = run.tenant, .flow = run.flow, .run = run.id};
}

// A text as it is, anything else as JSON.
std::string plain(std::optional<std::string> json) {
  if (!json || *json == "null") return {};
  if (auto text = json_string(*json)) return *std::move(text);
  return *std::move(json);
}

// What it acts on, or whom it tells.
std::string target_of(const Operation& operation, const std::string& arguments) {
  const bool is_approval = operation.connector == "flow" && operation.name == "approve";
  const std::string_view name = is_approval                          ? std::string_view("by")
                                : !operation.targets.empty()         ? std::string_view(operation.targets)
                                : operation.effect == Effect::Notify ? std::string_view("to")
                                                                     : std::string_view();
  return name.empty() ? std::string() : plain(json_member(arguments, name));
}

std::string reference_of(const std::string& result) {
  if (!result.starts_with('{')) return {};
  std::string id = plain(json_member(result, "id"));
  return id.size() <= kLongestReference ? id : std::string();
}

void tell(AuditRow& row, const Fault& fault) {
  row.fault = fault_name(fault.kind);
  row.detail = fault.message;
}

// What a `protect` of the flow refuses, told as if the act had been answered by it.
void tell_refusal(AuditRow& row, const Call& call) {
  row.kind = AuditKind::Policy;
  row.result = "protect";
  row.operation = plain(json_member(call.arguments, "operation"));
  row.target = plain(json_member(call.arguments, "target"));
  row.fault = fault_name(FaultKind::Protected);
  row.detail = plain(json_member(call.arguments, "reason"));
}

void tell(AuditRow& row, const IntentEntry& intent, const RunRow& run) {
  row.attempt = intent.attempt;
  row.trigger = run.trigger;
  row.key = run.key;
}

void tell(AuditRow& row, const OutcomeEntry& answer) {
  const auto* const fault = std::get_if<Fault>(&answer.outcome);
  if (answer.by != AnsweredBy::World) {
    row.kind = AuditKind::Policy;
    row.result = answered_by_name(answer.by);
  } else {
    row.result = fault != nullptr ? "failed" : "done";
    if (answer.is_settled) row.via = "asked afterwards";
    if (fault == nullptr) row.reference = reference_of(std::get<Returned>(answer.outcome).json);
  }
  if (fault != nullptr) tell(row, *fault);
}

}  // namespace

AuditRow audit_started(const RunRow& run) {
  AuditRow row = of_run(AuditKind::Started, run, run.created_us);
  row.trigger = run.trigger;
  row.key = run.key;
  row.module = run.module;
  return row;
}

AuditRow audit_ended(const RunRow& run, std::int64_t now_us) {
  AuditRow row = of_run(AuditKind::Ended, run, now_us);
  row.result = run_state_name(run.state);
  row.fault = run.fault;
  row.detail = run.reason;
  row.line = run.line;
  return row;
}

AuditRow audit_answer(const QuestionRow& answered) {
  AuditRow row{.kind = AuditKind::Answer,
               .time_us = answered.closed_us,
               .tenant = answered.tenant,
               .flow = answered.flow,
               .run = answered.run,
               .call = answered.call};
  row.result = answered.answer;
  row.detail = answered.subject;
  row.by = answered.by;
  row.via = answered.via;
  return row;
}

AuditRow audit_message(const RunRow& run, const std::string& name, const std::string& from,
                       const std::string& key, std::int64_t now_us) {
  AuditRow row = of_run(AuditKind::Message, run, now_us);
  row.target = name;
  row.key = key;
  row.by = from;
  return row;
}

AuditRow audit_control(AuditKind kind, const RunRow& run, const std::string& by, const std::string& reason,
                       std::int64_t now_us) {
  AuditRow row = of_run(kind, run, now_us);
  row.by = by;
  row.detail = reason;
  return row;
}

std::optional<AuditRow> audit_call(const RunRow& run, const Operation& operation, const Call& call,
                                   const Entry& entry, std::int64_t now_us) {
  const auto* const answer = std::get_if<OutcomeEntry>(&entry);
  const bool is_of_policy = answer != nullptr && answer->by != AnsweredBy::World;
  if (is_refusal(operation)) {
    if (answer == nullptr) return std::nullopt;
    AuditRow row = of_run(AuditKind::Policy, run, now_us);
    row.call = call.number;
    row.line = call.line;
    tell_refusal(row, call);
    return row;
  }
  const bool is_left_out = operation.effect == Effect::Read ||
                           (is_answered_here(operation) && !is_answered_by_somebody(operation));
  if (is_left_out && !is_of_policy) return std::nullopt;
  AuditRow row = of_run(AuditKind::Outcome, run, now_us);
  row.call = call.number;
  row.operation = operation.full_name();
  row.target = target_of(operation, call.arguments);
  row.line = call.line;
  if (answer != nullptr) {
    tell(row, *answer);
  } else if (const auto* intent = std::get_if<IntentEntry>(&entry)) {
    row.kind = AuditKind::Intent;
    tell(row, *intent, run);
  } else if (const auto* retry = std::get_if<RetryEntry>(&entry)) {
    row.result = "not done";
    if (retry->fault) tell(row, *retry->fault);
  } else if (const auto* begun = std::get_if<BegunEntry>(&entry)) {
    row.result = "begun";
    row.reference = reference_of(begun->result);
  } else {
    return std::nullopt;
  }
  return row;
}

}  // namespace flow
