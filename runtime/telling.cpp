// Telling people that they are asked: one mail for each of them, by the operation `mail.mail` of the run's
// module. A mail has a row in the store as a call has its intent, and a key of its own, so it is not sent
// twice; but it is no call of the run, which waits for an answer and not for a mail. Who could not be told is
// told of: the question stands, and can be answered where it is listed.
#include <fmt/format.h>

#include <algorithm>

#include "runtime/loop.hpp"

namespace flow {
namespace {

constexpr std::uint32_t kTellingsPerTurn = 64;
constexpr std::uint32_t kTries = 5;  // of asking whether a mail was sent

}  // namespace

void Runtime::Loop::tell(const RunRow& run, const std::shared_ptr<const Module>& module,
                         const QuestionRow& question, std::uint32_t person) {
  const TellingId id{question.id, person};
  note_telling(id, TellingRow::State::Wanted);
  const auto mail = module->operation("mail", "mail");
  Telling telling{.tenant = run.tenant,
                  .flow = run.flow,
                  .run = run.id,
                  .person = question.people[person],
                  .module = module,
                  .operation = mail.value_or(0),
                  .arguments = question_mail(question, person, run, options_.links)};
  tellings_.insert_or_assign(id, std::move(telling));
  if (!mail) return fail_telling(id, "its module knows no mail");
  send_telling(id, Pending::Purpose::Tell);
}

void Runtime::Loop::send_telling(const TellingId& id, Pending::Purpose purpose) {
  const Telling& telling = tellings_.at(id);
  Pending pending;
  pending.purpose = purpose;
  pending.owner = id.first;
  pending.number = id.second;
  pending.module = telling.module;
  pending.call.tenant = telling.tenant;
  pending.call.operation = telling.operation;
  pending.call.arguments = telling.arguments;
  pending.call.key = fmt::format("{}/{}", id.first, id.second);
  pending.call.deadline_us = options_.call_deadline_us;
  ask(std::move(pending));
}

void Runtime::Loop::note_telling(const TellingId& id, TellingRow::State state, std::string problem) {
  batch_.tellings.push_back({.question = id.first,
                             .person = id.second,
                             .state = state,
                             .time_us = clock_.now_us(),
                             .problem = std::move(problem)});
}

void Runtime::Loop::audit_telling(const TellingId& id, AuditKind kind, std::string_view result,
                                  std::string detail) {
  const Telling& telling = tellings_.at(id);
  AuditRow row{.kind = kind,
               .time_us = clock_.now_us(),
               .tenant = telling.tenant,
               .flow = telling.flow,
               .run = telling.run};
  row.operation = "mail.mail";
  row.target = telling.person;
  row.key = id.first;
  row.result = result;
  row.detail = std::move(detail);
  if (kind == AuditKind::Intent)
    row.permission = permission_for(telling.tenant, telling.module->operations[telling.operation]);
  batch_.audit.push_back(std::move(row));
}

// Whether it is still wanted, now that it could go out.
bool Runtime::Loop::release_telling(const Pending& pending) {
  const TellingId id{pending.owner, pending.number};
  const auto found = tellings_.find(id);
  if (found == tellings_.end()) return false;
  found->second.is_out = true;
  if (pending.purpose == Pending::Purpose::Tell) {
    found->second.sent_us = clock_.now_us();
    note_telling(id, TellingRow::State::Out);
    audit_telling(id, AuditKind::Intent, "");
  }
  return true;
}

void Runtime::Loop::take_telling(const Pending& pending, const std::variant<Outcome, Settlement>& what) {
  const TellingId id{pending.owner, pending.number};
  const auto found = tellings_.find(id);
  if (found == tellings_.end()) return;
  if (const auto* settlement = std::get_if<Settlement>(&what)) return settle_telling(id, *settlement);
  const auto* const fault = std::get_if<Fault>(&std::get<Outcome>(what));
  if (fault == nullptr) return end_telling(id);
  Telling& telling = found->second;
  switch (after_fault(*fault, Effect::Notify, ++telling.failures, options_.retry)) {
    case AfterFault::Return: return fail_telling(id, fault->message);
    case AfterFault::Retry: return try_telling_again(id, *fault, Pending::Purpose::Tell);
    case AfterFault::Settle: return ask_whether_told(id);
  }
}

// As of a call: a mail that is still on its way would be sent twice.
void Runtime::Loop::ask_whether_told(const TellingId& id) {
  const std::int64_t rest_us = settle_in_us(tellings_.at(id).sent_us, options_.call_deadline_us);
  if (rest_us == 0) return send_telling(id, Pending::Purpose::SettleTelling);
  at(clock_.now_us() + rest_us, [this, id] {
    if (tellings_.contains(id)) send_telling(id, Pending::Purpose::SettleTelling);
  });
}

void Runtime::Loop::settle_telling(const TellingId& id, const Settlement& settlement) {
  Telling& telling = tellings_.at(id);
  if (std::holds_alternative<Happened>(settlement)) return end_telling(id);
  const auto* const nobody = std::get_if<NobodyKnows>(&settlement);
  if (nobody == nullptr) {
    if (telling.failures >= options_.retry.tries) return fail_telling(id, "it was tried too often");
    return send_telling(id, Pending::Purpose::Tell);
  }
  if (!may_retry(nobody->fault.kind) || ++telling.settle_tries >= kTries)
    return fail_telling(id, fmt::format("nobody can tell whether it was sent: {}", nobody->fault.message));
  try_telling_again(id, nobody->fault, Pending::Purpose::SettleTelling);
}

void Runtime::Loop::try_telling_again(const TellingId& id, const Fault& fault, Pending::Purpose purpose) {
  Telling& telling = tellings_.at(id);
  telling.is_out = false;
  const std::uint32_t tries = std::max(telling.failures, telling.settle_tries);
  at(clock_.now_us() + retry_delay_us(fault, tries, options_.retry, random_), [this, id, purpose] {
    if (tellings_.contains(id)) send_telling(id, purpose);
  });
}

void Runtime::Loop::end_telling(const TellingId& id) {
  note_telling(id, TellingRow::State::Told);
  audit_telling(id, AuditKind::Outcome, "done");
  tellings_.erase(id);
}

void Runtime::Loop::fail_telling(const TellingId& id, const std::string& problem) {
  note_telling(id, TellingRow::State::Failed, problem);
  audit_telling(id, AuditKind::Outcome, "failed", problem);
  const Telling& telling = tellings_.at(id);
  health(HealthEvent::Kind::PersonNotTold, telling.tenant, telling.run,
         fmt::format("no mail to {} about question {}: {}", telling.person, id.first, problem));
  tellings_.erase(id);
}

// The question is closed: who has not been told yet need not be. A mail that is out may arrive.
void Runtime::Loop::stop_telling(const std::string& question) {
  auto telling = tellings_.lower_bound(TellingId{question, 0});
  while (telling != tellings_.end() && telling->first.first == question) {
    if (telling->second.is_out) {
      ++telling;
      continue;
    }
    note_telling(telling->first, TellingRow::State::Dropped);
    telling = tellings_.erase(telling);
  }
}

// Those that an earlier process left: one that went out is asked about before it is sent again.
Status Runtime::Loop::take_up_tellings(bool& has_worked) {
  if (!is_retelling_) return {};
  FLOW_TRY_STATUS(commit());  // what this turn has told of must not look untold
  FLOW_TRY(const std::vector<TellingRow> rows,
           store_.untold(retold_to_.first, retold_to_.second, kTellingsPerTurn));
  if (rows.size() < kTellingsPerTurn) is_retelling_ = false;
  for (const TellingRow& row : rows) {
    has_worked = true;
    const TellingId id{row.question, row.person};
    retold_to_ = {row.question, row.person};
    if (tellings_.contains(id)) continue;  // of this process
    FLOW_TRY_STATUS(take_up_telling(id, row));
  }
  return {};
}

Status Runtime::Loop::take_up_telling(const TellingId& id, const TellingRow& row) {
  FLOW_TRY(const auto asked, question(id.first));
  if (!asked || asked->state != QuestionRow::State::Open || id.second >= asked->people.size()) {
    note_telling(id, TellingRow::State::Dropped);
    return {};
  }
  FLOW_TRY(const auto run, store_.run(asked->run));
  if (!run) {
    note_telling(id, TellingRow::State::Dropped);
    return {};
  }
  const auto module = module_of(run->module);
  const auto mail = module ? (*module)->operation("mail", "mail") : std::nullopt;
  tellings_[id] = {.tenant = run->tenant,
                   .flow = run->flow,
                   .run = run->id,
                   .person = asked->people[id.second],
                   .module = module.value_or(nullptr),
                   .operation = mail.value_or(0),
                   .arguments = question_mail(*asked, id.second, *run, options_.links)};
  if (!mail) {
    fail_telling(id, "its module cannot be loaded, or knows no mail");
    return {};
  }
  if (row.state == TellingRow::State::Wanted) {
    send_telling(id, Pending::Purpose::Tell);
    return {};
  }
  tellings_.at(id).sent_us = row.time_us;
  tellings_.at(id).is_out = true;
  ask_whether_told(id);
  return {};
}

}  // namespace flow
