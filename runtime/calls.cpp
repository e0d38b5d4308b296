// From the wish for a call to its answer: quota, intent, sending, retrying, and finding out what became of a
// call whose answer was lost.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "runtime/json_text.hpp"
#include "runtime/loop.hpp"
#include "runtime/served.hpp"

namespace flow {
namespace {

constexpr std::uint32_t kSettleTries = 5;
constexpr std::uint32_t kFailuresUntilOverdue = 3;  // in a row, until people are told of a lease
constexpr std::int64_t kSecondUs = 1'000'000;
constexpr std::size_t kLongestInBucket = 300;  // of what has a quota of its own

// Without a fault of the host: who asked whether a call happened may have been told without asking the host.
Breaker::Sign sign_of(const Fault* fault, bool is_settlement) {
  if (fault != nullptr && (fault->kind == FaultKind::Unavailable || fault->kind == FaultKind::Timeout))
    return Breaker::Sign::Failed;
  return is_settlement ? Breaker::Sign::Nothing : Breaker::Sign::Answered;
}

// What came back in place of an answer, if anything did.
const Fault* fault_in(const std::variant<Outcome, Settlement>& what) {
  if (const auto* outcome = std::get_if<Outcome>(&what)) return std::get_if<Fault>(outcome);
  const auto* nobody = std::get_if<NobodyKnows>(&std::get<Settlement>(what));
  return nobody == nullptr ? nullptr : &nobody->fault;
}

Fault no_answer(const std::string& operation) {
  Fault fault;
  fault.kind = FaultKind::Timeout;
  fault.message = fmt::format("{} gave no answer within its deadline", operation);
  fault.maybe_executed = true;
  return fault;
}

Fault not_json(const std::string& operation) {
  Fault fault;
  fault.kind = FaultKind::InvalidResponse;
  fault.message = fmt::format("the answer of {} is not well-formed JSON", operation);
  fault.maybe_executed = true;
  return fault;
}

}  // namespace

// Of an operation that has any: the one that the tenant's configuration has chosen.
std::size_t Runtime::Loop::route_of(const std::string& tenant, const Operation& operation) const {
  const std::size_t route = options_.chosen_route ? options_.chosen_route(tenant, operation) : 0;
  return std::min(route, operation.routes.size() - 1);
}

const Quota& Runtime::Loop::quota_of(const Pending& pending) const {
  static const Quota kUnlimited;
  const Operation& operation = pending.module->operations[pending.counts_as.value_or(pending.call.operation)];
  if (operation.routes.empty()) return kUnlimited;
  return operation.routes[route_of(pending.call.tenant, operation)].quota;
}

// What the call goes to, for its tenant: the host is known by the connector whose address it uses.
std::string Runtime::Loop::host_of(const Pending& pending) const {
  const Operation& operation = pending.module->operations[pending.counts_as.value_or(pending.call.operation)];
  const std::vector<Connector>& connectors = pending.module->connectors;
  std::string name = operation.connector;
  if (!operation.routes.empty()) {
    const Route& route = operation.routes[route_of(pending.call.tenant, operation)];
    if (route.connector < connectors.size()) name = connectors[route.connector].name;
  }
  return pending.call.tenant + '\n' + name;
}

std::uint64_t Runtime::Loop::ask(Pending pending) {
  const Quota& quota = quota_of(pending);
  const std::string operation =
      pending.module->operations[pending.counts_as.value_or(pending.call.operation)].full_name();
  pending.call.module = pending.module.get();
  if (pending.purpose == Pending::Purpose::Poll) pending.call.deadline_us = options_.call_deadline_us;
  pending.host = host_of(pending);
  pending.bucket = Limiter::bucket(pending.host, quota, operation);
  if (!quota.by.empty())
    if (const auto value = json_member(pending.call.arguments, quota.by))
      if (const std::string text = lower_ascii(json_string(*value).value_or("")); !text.empty())
        pending.bucket += " of " + quoted_line(text, kLongestInBucket);
  const std::uint64_t ticket = next_ticket_++;
  limiter_.enqueue({.bucket = pending.bucket,
                    .host = pending.host,
                    .quota = quota,
                    .flow = pending.flow,
                    .priority = pending.priority},
                   ticket);
  if (pending.read) reads_.note_waiting(*pending.read, ticket);
  pending_.emplace(ticket, std::move(pending));
  return ticket;
}

void Runtime::Loop::ask_for(Run& run, std::uint32_t number) {
  if (!admit(run, number)) return;
  if (is_answered_here(run.operation(number))) return answer_here(run, number);
  if (run.waiting(number)->begun) return follow(run, number);
  // After a restart the journal's time may be that of a clock which has been set back since.
  const std::int64_t now_us = clock_.now_us();
  const std::int64_t not_before_us =
      std::min(run.waiting(number)->not_before_us, now_us + options_.retry.longest_wish_us);
  if (not_before_us <= now_us) return ask_now(run, number);
  at(not_before_us, run, number, [this, number, rules = rules_](Run& waiting) {
    if (rules == rules_)
      ask_now(waiting, number);
    else
      ask_for(waiting, number);
    settle_run(waiting);
  });
}

// Nothing when the run is over, or does not want the call any more.
Run* Runtime::Loop::waiting_run(const std::string& id, std::uint32_t number) {
  Run* const found = run(id);
  return found != nullptr && found->waiting(number) != nullptr ? found : nullptr;
}

// What a run wanted that left memory is wanted by nobody, even if it is back and has come to the same call.
Run* Runtime::Loop::owner_of(const Pending& pending) {
  Run* const owner = waiting_run(pending.owner, pending.number);
  return owner != nullptr && owner->life() == pending.life ? owner : nullptr;
}

Runtime::Loop::Pending Runtime::Loop::pending_for(const Run& run, std::uint32_t number) const {
  const Call& call = run.waiting(number)->call;
  Pending pending;
  pending.owner = run.row().id;
  pending.life = run.life();
  pending.number = number;
  pending.module = run.module();
  pending.flow = run.row().flow;
  pending.priority = run.policies().priority;
  pending.call.tenant = run.row().tenant;
  pending.call.operation = call.operation;
  pending.call.arguments = call.arguments;
  pending.call.key = run.call_key(number);
  pending.call.deadline_us = options_.call_deadline_us;
  if (call.options && call.options->timeout_us > 0) pending.call.deadline_us = call.options->timeout_us;
  return pending;
}

// It may be answered at once: settle_run() is to follow.
void Runtime::Loop::ask_now(Run& run, std::uint32_t number) {
  Pending pending = pending_for(run, number);
  pending.rules = rules_;
  pending.read = shared_as(run, number, pending);
  if (pending.read && is_served_by_another(run, number, *pending.read)) return;
  ask(std::move(pending));
}

// For how long from now on a call that went out then may still be carried out; longer for one that may take
// longer to answer than others. No clock that was set back adds to it.
std::int64_t Runtime::Loop::settle_in_us(std::int64_t sent_us, std::int64_t deadline_us) const {
  if (options_.settle_after_us <= 0) return 0;
  const std::int64_t more_us = std::max<std::int64_t>(deadline_us - options_.call_deadline_us, 0);
  std::int64_t longest_us = 0;
  if (__builtin_add_overflow(options_.settle_after_us, more_us, &longest_us)) longest_us = more_us;
  std::int64_t passed_us = 0;
  if (__builtin_sub_overflow(clock_.now_us(), sent_us, &passed_us)) return longest_us;
  return longest_us - std::clamp<std::int64_t>(passed_us, 0, longest_us);
}

// What is still on its way would not be found, be made again, and then arrive all the same.
void Runtime::Loop::ask_whether(Run& run, std::uint32_t number, std::optional<Fault> doubt,
                                std::uint32_t tries) {
  Pending pending = pending_for(run, number);
  pending.purpose = Pending::Purpose::Settle;
  pending.doubt = std::move(doubt);
  pending.tries = tries;
  const std::int64_t rest_us = settle_in_us(run.waiting(number)->sent_us, pending.call.deadline_us);
  if (rest_us == 0) {
    ask(std::move(pending));
    return;
  }
  at(clock_.now_us() + rest_us, [this, pending = std::move(pending)] {
    if (waiting_run(pending.owner, pending.number) != nullptr) ask(pending);
  });
}

bool Runtime::Loop::release_calls(std::int64_t now_us) {
  const std::size_t room =
      options_.calls_in_flight - std::min<std::size_t>(in_flight_, options_.calls_in_flight);
  const std::size_t released =
      limiter_.release(now_us, room, [&](std::uint64_t ticket) { return let_go(ticket, now_us); });
  for (const auto& [bucket, calls] : limiter_.take_sent())
    batch_.sent.push_back({.bucket = bucket, .second = now_us / kSecondUs, .calls = calls});
  return released > 0;
}

// The call's turn has come. False when nobody wants it any more: the branch that did was ended meanwhile, the
// question was answered, or another's call brings the answer. Or when other protections hold by now than
// those by which it was admitted: then it is asked for anew.
bool Runtime::Loop::let_go(std::uint64_t ticket, std::int64_t now_us) {
  const auto found = pending_.find(ticket);
  if (found == pending_.end()) return false;
  Pending& pending = found->second;
  const bool is_run = pending.is_of_run();
  Run* const owner = is_run ? owner_of(pending) : nullptr;
  const bool is_wanted = pending.is_telling() ? release_telling(pending) : !is_run || owner != nullptr;
  if (!is_wanted) {
    if (pending.read) reads_.forget_waiting(*pending.read, ticket);
    if (!pending.group.empty()) progress_.leave_line(pending.group, ticket);
    pending_.erase(found);
    return false;
  }
  const bool is_protected_otherwise =
      pending.purpose == Pending::Purpose::Perform && is_act(pending) && pending.rules != rules_;
  if (is_protected_otherwise) {
    at(now_us, [this, id = pending.owner, number = pending.number] { ask_again(id, number); });
    pending_.erase(found);
    return false;
  }
  pending.is_sent = true;
  ++in_flight_;
  pending.silent_at_us = now_us + pending.call.deadline_us + options_.answer_grace_us;
  silent_at_.emplace(pending.silent_at_us, ticket);
  if (pending.purpose == Pending::Purpose::Perform) {
    note_counted(*owner, pending.number, now_us);
    owner->note_attempt(pending.number, now_us);
    open_lease(*owner, pending.number);
    collect(*owner);
    if (is_act(pending)) reads_.forget(pending.call.tenant);
    if (pending.read) take_along(ticket, pending);
  }
  if (pending.purpose == Pending::Purpose::Progress) take_questions_along(ticket, pending, now_us);
  sends_.push_back(ticket);
  return true;
}

void Runtime::Loop::send_calls() {
  for (const std::uint64_t ticket : std::exchange(sends_, {})) {
    Pending& pending = pending_.at(ticket);
    pending.sent_us = clock_.now_us();
    const auto give_outcome = [inbox = inbox_, module = pending.module, ticket](Outcome outcome) {
      inbox->post(Answer{ticket, std::move(outcome)});
    };
    switch (pending.purpose) {
      case Pending::Purpose::Settle:
      case Pending::Purpose::SettleTelling:
        ++counters_.settled;
        metrics_.add(Metric::CallsSettled);
        executor_.settle(pending.call,
                         [inbox = inbox_, module = pending.module, ticket](Settlement settlement) {
                           inbox->post(Answer{ticket, std::move(settlement)});
                         });
        break;
      case Pending::Purpose::Progress: {
        ++counters_.calls[pending.module->operations[*pending.counts_as].full_name()];
        if (!pending.begun.empty()) {
          executor_.progress_of_several(std::exchange(pending.begun, {}),
                                        [give_outcome, modules = std::exchange(pending.modules, {})](
                                            Outcome outcome) { give_outcome(std::move(outcome)); });
          break;
        }
        const Run& owner = *run(pending.owner);  // release_calls() has seen it, and nothing ended it since
        executor_.progress(pending.call, owner.waiting(pending.number)->begun->result, give_outcome);
        break;
      }
      case Pending::Purpose::Perform:
      case Pending::Purpose::Poll:
      case Pending::Purpose::Facts:
      case Pending::Purpose::Tell:
        ++counters_.calls[pending.module->operations[pending.call.operation].full_name()];
        executor_.perform(pending.call, give_outcome);
        break;
    }
  }
}

bool Runtime::Loop::take_answers() {
  std::vector<Answer> answers = inbox_->take();
  for (Answer& answer : answers) take(answer.ticket, std::move(answer.what));
  return !answers.empty();
}

void Runtime::Loop::give_up_on_silent_calls(std::int64_t now_us) {
  while (!silent_at_.empty() && silent_at_.begin()->first <= now_us) {
    const std::uint64_t ticket = silent_at_.begin()->second;
    const auto found = pending_.find(ticket);
    const Fault fault = no_answer(found->second.module->operations[found->second.call.operation].full_name());
    if (found->second.asks_whether()) {
      take(ticket, Settlement(NobodyKnows{fault}));
    } else {
      take(ticket, Outcome(fault));
    }
  }
}

// An answer that comes after we gave up, or a second one, finds nothing here and is dropped.
void Runtime::Loop::take(std::uint64_t ticket, std::variant<Outcome, Settlement> what) {
  const auto found = pending_.find(ticket);
  if (found == pending_.end()) return;
  const Pending pending = std::move(found->second);
  pending_.erase(found);
  silent_at_.erase({pending.silent_at_us, ticket});
  --in_flight_;
  if (auto* outcome = std::get_if<Outcome>(&what)) {
    const auto* returned = std::get_if<Returned>(outcome);
    if (pending.purpose == Pending::Purpose::Perform && returned != nullptr && !is_json(returned->json))
      *outcome = not_json(pending.module->operations[pending.call.operation].full_name());
    note_answer(pending, *outcome);
    if (const auto* fault = std::get_if<Fault>(outcome))
      ++counters_.faults[std::string(fault_name(fault->kind))];
  }
  note_back(ticket, pending, fault_in(what));
  if (pending.purpose == Pending::Purpose::Poll)
    return take_page(sources_.at(pending.owner), std::get<Outcome>(what));
  if (pending.is_telling()) return take_telling(pending, what);
  if (pending.purpose == Pending::Purpose::Facts) return take_facts(pending.owner, std::get<Outcome>(what));
  if (!pending.questions.empty()) return take_progress_of_several(pending, std::get<Outcome>(what));
  // Of an act that is awaited, each question how far it is changes nothing.
  if (is_act(pending) && pending.purpose != Pending::Purpose::Progress) reads_.forget(pending.call.tenant);
  if (pending.read) note_read_back(ticket, pending, std::get<Outcome>(what));
  if (Run* const owner = owner_of(pending)) take_for(*owner, pending, what);
  if (pending.read) answer_sharers(pending, std::get<Outcome>(what));
}

void Runtime::Loop::take_for(Run& owner, const Pending& pending,
                             const std::variant<Outcome, Settlement>& what) {
  switch (pending.purpose) {
    case Pending::Purpose::Perform: return take_outcome(owner, pending, std::get<Outcome>(what));
    case Pending::Purpose::Settle: return take_settlement(owner, pending, std::get<Settlement>(what));
    case Pending::Purpose::Progress:
      return take_progress(owner, question_of(pending), std::get<Outcome>(what));
    case Pending::Purpose::Poll:
    case Pending::Purpose::Tell:
    case Pending::Purpose::Facts:
    case Pending::Purpose::SettleTelling: break;  // have no owner among the runs
  }
}

bool Runtime::Loop::is_act(const Pending& pending) {
  return pending.module->operations[pending.call.operation].effect == Effect::Act;
}

// To the limiter: the call has left its place, and what is known of the host.
void Runtime::Loop::note_back(std::uint64_t ticket, const Pending& pending, const Fault* fault) {
  const Breaker::Sign sign = sign_of(fault, pending.asks_whether());
  const Breaker::Change change = limiter_.done(pending.bucket, ticket, sign, clock_.now_us());
  const std::string host = pending.host.substr(pending.host.find('\n') + 1);
  if (change.is_back)
    health(HealthEvent::Kind::HostIsBack, pending.call.tenant, host, "it answers again; calls to it go on");
  if (change.rests_us)
    health(HealthEvent::Kind::HostRests, pending.call.tenant, host,
           fmt::format("{} calls in a row failed ({}: {}); calls to it wait, and every now and then one is "
                       "tried, first in {} s",
                       options_.breaker.failures, fault_name(fault->kind), fault->message,
                       *change.rests_us / kSecondUs));
  if (fault != nullptr && fault->kind == FaultKind::Throttled) note_throttled(pending, *fault);
}

void Runtime::Loop::note_throttled(const Pending& pending, const Fault& fault) {
  const std::int64_t rest_us = retry_delay_us(fault, 1, options_.retry, random_);
  const std::int64_t until_us = clock_.now_us() + rest_us;
  limiter_.pause(pending.bucket, until_us);
  batch_.rests.push_back({.bucket = pending.bucket, .until_us = until_us});
  health(HealthEvent::Kind::Throttled, pending.call.tenant,
         pending.bucket.substr(pending.bucket.rfind('\n') + 1),
         fmt::format("the quota is used up; calls of this group rest for {} ms", rest_us / 1000));
}

// The runtime's own policy, but for what the author of the call said.
RetryPolicy Runtime::Loop::policy_of(const Run& run, std::uint32_t number) const {
  RetryPolicy policy = options_.retry;
  const std::optional<CallOptions>& said = run.waiting(number)->call.options;
  if (!said) return policy;
  if (said->retries) policy.tries = *said->retries + 1;
  if (said->backoff_max_us > 0) {
    policy.first_delay_us = said->backoff_min_us;
    policy.longest_delay_us = said->backoff_max_us;
  }
  return policy;
}

void Runtime::Loop::take_outcome(Run& run, const Pending& pending, const Outcome& outcome) {
  if (const auto* fault = std::get_if<Fault>(&outcome))
    return take_fault(run, pending.number, *fault, pending.tries);
  finish_call(run, pending.number, outcome, false);
}

void Runtime::Loop::take_fault(Run& run, std::uint32_t number, const Fault& fault, std::uint32_t tries) {
  const Operation& operation = run.operation(number);
  switch (after_fault(fault, operation.effect, run.waiting(number)->failures + 1, policy_of(run, number))) {
    case AfterFault::Return: return finish_call(run, number, fault, false);
    case AfterFault::Retry: return retry(run, number, fault);
    case AfterFault::Settle: return ask_whether(run, number, fault, tries);
  }
}

void Runtime::Loop::retry(Run& run, std::uint32_t number, const Fault& fault) {
  ++counters_.retries;
  metrics_.add(Metric::CallRetries);
  const std::int64_t now_us = clock_.now_us();
  const std::int64_t delay_us =
      retry_delay_us(fault, run.waiting(number)->failures + 1, policy_of(run, number), random_);
  run.note_retry(number, fault, now_us + delay_us, now_us);
  if (run.waiting(number)->failures >= kFailuresUntilOverdue) note_overdue(run, fault.message);
  ask_for(run, number);
  settle_run(run);
}

void Runtime::Loop::take_settlement(Run& run, const Pending& pending, const Settlement& settlement) {
  const std::int64_t now_us = clock_.now_us();
  const std::uint32_t number = pending.number;
  if (const auto* happened = std::get_if<Happened>(&settlement))
    return finish_call(run, number, Returned{is_json(happened->json) ? happened->json : "null"}, true);
  if (const auto* nobody = std::get_if<NobodyKnows>(&settlement)) {
    const std::uint32_t tries = pending.tries + 1;
    // What ends a lease is asked about for as long as it would be tried: it must not stay open.
    const RetryPolicy policy = is_lease(run.row()) ? policy_of(run, number) : options_.retry;
    const std::uint32_t most = is_lease(run.row()) ? std::max(policy.tries, kSettleTries) : kSettleTries;
    if (tries >= kFailuresUntilOverdue) note_overdue(run, nobody->fault.message);
    if (!may_retry(nobody->fault.kind) || tries >= most)
      return park(run,
                  fmt::format("{} may or may not have happened, and nobody can tell ({}); decide by looking",
                              run.operation(number).full_name(), nobody->fault.message));
    return at(now_us + retry_delay_us(nobody->fault, tries, policy, random_), run, number,
              [this, number, doubt = pending.doubt, tries](Run& waiting) {
                ask_whether(waiting, number, doubt, tries);
              });
  }
  if (!pending.doubt) {  // after a crash the call is simply made now
    run.note_retry(number, std::nullopt, now_us, now_us);
    ask_for(run, number);
    return settle_run(run);
  }
  Fault fault = *pending.doubt;
  fault.maybe_executed = false;
  if (after_fault(fault, run.operation(number).effect, run.waiting(number)->failures + 1,
                  policy_of(run, number)) == AfterFault::Retry)
    return retry(run, number, fault);
  finish_call(run, number, fault, true);
}

void Runtime::Loop::finish_call(Run& run, std::uint32_t number, const Outcome& outcome, bool is_settled) {
  if (is_still_to_end(run, number, outcome))
    return begin_following(run, number, std::get<Returned>(outcome).json);
  note_answered(run, number, outcome);
  note_leases(run, number, outcome);
  run.answer(number, outcome, is_settled, clock_.now_us());
  settle_run(run);
}

void Runtime::Loop::park(Run& run, std::string reason) {
  run.park(std::move(reason), clock_.now_us());
  settle_run(run);
}

}  // namespace flow
