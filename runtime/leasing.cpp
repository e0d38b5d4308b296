// Leases under way. One is opened in the commit of its call's intent, so nothing that happens to the run
// which makes the call, to its branch or to this process can leave something leased that nobody ends: whether
// the call happened is looked up when the lease is over. It ends without being undone when the call did not
// happen, when a later call has done the same for good or has undone it already, or when another lease holds
// the same target for longer.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "runtime/json_text.hpp"
#include "runtime/leases.hpp"
#include "runtime/loop.hpp"

namespace flow {
namespace {

constexpr std::int64_t kLookAgainUs = 10'000'000;  // while a call is under way

std::optional<std::uint32_t> lease_flow_of(const Module& module, const std::string& operation) {
  for (std::uint32_t i = 0; i < module.flows.size(); ++i) {
    const Trigger& trigger = module.triggers[module.flows[i].trigger];
    if (trigger.kind == Trigger::Kind::Lease && trigger.endpoint == operation) return i;
  }
  return std::nullopt;
}

std::int64_t later(std::int64_t time_us, std::int64_t by_us) {
  std::int64_t sum = 0;
  return __builtin_add_overflow(time_us, by_us, &sum) ? kNever : sum;
}

}  // namespace

// ---- Beginning

// The call goes out in this turn; what becomes of it is not known yet.
void Runtime::Loop::open_lease(const Run& run, std::uint32_t number) {
  const Run::Waiting& waiting = *run.waiting(number);
  const std::int64_t lease_us = waiting.call.options ? waiting.call.options->lease_us : 0;
  if (lease_us == 0) return;
  follow_up([this, holder = run.row(), module = run.module(), settings = run.settings(), number,
             attempt = waiting.attempts, operation = run.operation(number).full_name(),
             arguments = waiting.call.arguments, lease_us, key = run.call_key(number)]() -> Status {
    const auto index = lease_flow_of(*module, operation);
    const auto event = lease_event(*module, operation, arguments, lease_us);
    if (!index || !event) return {};  // check_served() lets no such module in
    Subscriber lease{holder.tenant, module->flows[*index].name, holder.module, module, *index, settings,
                     nullptr};
    Beginning beginning{.trigger = std::string(kLeaseTrigger), .key = key, .event = *event};
    FLOW_TRY(const auto known, run_of(lease, beginning));
    if (known) {  // it is tried again, or made anew after a lease of it was over
      FLOW_TRY(const auto row, row_of(*known));
      if (row && row->state == RunState::Running) return {};
      FLOW_TRY(const std::vector<OpenLease> open, open_leases(holder.tenant, lease.flow));
      const auto is_of_call = [&](const OpenLease& other) {
        const auto of = holder_of(other.row);
        return of && of->run == holder.id && of->call == number;
      };
      if (std::ranges::any_of(open, is_of_call)) return {};
      beginning.key += fmt::format("/{}", attempt);
    }
    FLOW_TRY(const Begun begun, begin_run(lease, beginning));
    static_cast<void>(begun);
    return {};
  });
}

// ---- Looking

// With what is written in this turn.
Result<std::vector<JournalRow>> Runtime::Loop::journal_of(const std::string& id) {
  FLOW_TRY(std::vector<JournalRow> journal, store_.journal(id, 0));
  for (const JournalRow& row : batch_.journal)
    if (row.run == id) journal.push_back(row);
  return journal;
}

Result<std::string> Runtime::Loop::event_of(const std::string& id) {
  for (const JournalRow& row : batch_.journal)
    if (row.run == id && row.sequence == 0) {
      FLOW_TRY(const Entry entry, decode_entry(EntryKind::Started, row.payload));
      return std::get<StartedEntry>(entry).event;
    }
  FLOW_TRY(const std::vector<JournalRow> journal, store_.journal(id, 0));
  if (journal.empty()) return std::string("{}");
  FLOW_TRY(const Entry entry, decode_entry(EntryKind::Started, journal.front().payload));
  return std::get<StartedEntry>(entry).event;
}

Result<std::vector<Runtime::Loop::OpenLease>> Runtime::Loop::open_leases(const std::string& tenant,
                                                                         const std::string& flow) {
  FLOW_TRY(std::vector<RunRow> rows, store_.open_leases(tenant, flow));
  for (const RunRow& row : batch_.runs)
    if (is_lease(row) && row.tenant == tenant && row.flow == flow) rows.push_back(row);
  std::vector<OpenLease> open;
  for (RunRow& row : rows) {
    const bool is_over = std::ranges::any_of(batch_.changed_runs, [&](const RunRow& changed) {
      return changed.id == row.id && changed.state != RunState::Running;
    });
    if (is_over) continue;
    FLOW_TRY(std::string event, event_of(row.id));
    open.push_back({std::move(row), std::move(event)});
  }
  return open;
}

Result<LeasedCall> Runtime::Loop::leased_call_of(const RunRow& lease) {
  const auto holder = holder_of(lease);
  if (!holder)
    return LeasedCall{.state = LeasedCall::State::Happened, .since_us = lease.created_us, .problem = {}};
  FLOW_TRY(const auto row, row_of(holder->run));
  const Run* const in_memory = run(holder->run);
  // One that is not in memory and not asleep is still to be taken up.
  const bool is_awaited = in_memory != nullptr ? in_memory->waiting(holder->call) != nullptr
                                               : row && row->state == RunState::Running && row->wake_us == 0;
  FLOW_TRY(const std::vector<JournalRow> journal, journal_of(holder->run));
  return leased_call(journal, holder->call, is_awaited, lease.created_us);
}

// ---- Ending

// flow.leaseEnd(): comes here when the run begins, when the lease should be over, and when it is taken up.
void Runtime::Loop::rest_on_lease(Run& run, std::uint32_t number) {
  const std::int64_t now_us = clock_.now_us();
  const auto said = json_member(run.waiting(number)->call.arguments, "duration");
  const auto length_us = parse_duration_us(said ? json_string(*said).value_or("") : "");
  if (!run.waiting(number)->in_doubt) run.note_attempt(number, now_us, later(now_us, length_us.value_or(0)));
  if (!is_lease(run.row()) || !length_us) {
    const Fault fault{.kind = FaultKind::BadRequest, .message = "only what ends a lease waits for its end"};
    return run.answer(number, fault, false, now_us);
  }
  const Result<LeaseEnd> end = end_of_lease(run.row(), *length_us);
  if (!end) return fail_store(end.error());
  if (!end->why_not.empty()) return run.answer(number, Returned{json_quoted(end->why_not)}, false, now_us);
  if (end->at_us <= now_us) return run.answer(number, Returned{"null"}, false, now_us);
  run.note_due(number, end->at_us);
  rest_until_due(run, number, now_us);
}

Result<Runtime::Loop::LeaseEnd> Runtime::Loop::end_of_lease(const RunRow& lease, std::int64_t length_us) {
  using State = LeasedCall::State;
  const std::int64_t now_us = clock_.now_us();
  FLOW_TRY(const LeasedCall call, leased_call_of(lease));
  if (call.state == State::DidNotHappen)
    return LeaseEnd{.at_us = 0, .why_not = fmt::format("the call did not happen: {}", call.problem)};
  const std::int64_t at_us = later(call.since_us, length_us);
  if (at_us > now_us) return LeaseEnd{.at_us = at_us, .why_not = {}};
  if (call.state == State::UnderWay) return LeaseEnd{.at_us = now_us + kLookAgainUs, .why_not = {}};
  FLOW_TRY(const std::string event, event_of(lease.id));
  FLOW_TRY(const std::vector<OpenLease> others, open_leases(lease.tenant, lease.flow));
  LeaseEnd end{.at_us = at_us, .why_not = {}};
  for (const OpenLease& other : others) {
    if (other.row.id == lease.id || !is_same_target(event, other.event)) continue;
    FLOW_TRY(const LeasedCall same, leased_call_of(other.row));
    const std::int64_t until_us = later(same.since_us, lease_length_us(other.event));
    if (same.state == State::DidNotHappen || std::pair(until_us, other.row.id) < std::pair(at_us, lease.id))
      continue;
    if (same.state == State::UnderWay) {  // it may yet fail, and then it holds nothing
      end.at_us = now_us + kLookAgainUs;
      continue;
    }
    const auto holder = holder_of(other.row);
    return LeaseEnd{.at_us = 0,
                    .why_not = fmt::format("run {} holds it until {}", holder ? holder->run : other.row.id,
                                           format_time_us(until_us))};
  }
  return end;
}

// What the end of a call says about leases: of its own, that there is nothing to undo; of those of others,
// that the same was done for good, or was undone.
void Runtime::Loop::note_leases(const Run& run, std::uint32_t number, const Outcome& outcome) {
  const Operation& operation = run.operation(number);
  if (operation.inverse.empty() || operation.effect != Effect::Act) return;
  const Call& call = run.waiting(number)->call;
  const bool is_leased = call.options && call.options->lease_us > 0;
  const auto* const fault = std::get_if<Fault>(&outcome);
  if (fault != nullptr && (fault->maybe_executed || !is_leased)) return;
  const std::string name = operation.full_name(), inverse = operation.connector + "." + operation.inverse;
  follow_up([this, of = Caller{run.row().id, number}, tenant = run.row().tenant, name, inverse, is_leased,
             has_failed = fault != nullptr, problem = fault != nullptr ? fault->message : std::string(),
             arguments = call.arguments]() -> Status {
    const auto is_own = [&](const OpenLease& lease) {
      const auto holder = holder_of(lease.row);
      return holder && holder->run == of.run && holder->call == of.call;
    };
    const auto end_all = [&](const std::string& operation_name, const std::string& why_not,
                             bool is_undone) -> Status {
      FLOW_TRY(const std::vector<OpenLease> open, open_leases(tenant, lease_flow(operation_name)));
      for (const OpenLease& lease : open) {
        if (has_failed ? !is_own(lease) : !is_same_target(lease.event, arguments)) continue;
        if (is_undone) {
          FLOW_TRY(const bool is_before, was_leased_before(lease.row, of));
          if (!is_before) continue;
        }
        FLOW_TRY_STATUS(end_lease(lease.row.id, why_not));
      }
      return {};
    };
    if (has_failed) return end_all(name, fmt::format("the call did not happen: {}", problem), false);
    if (!is_leased)
      FLOW_TRY_STATUS(
          end_all(name, fmt::format("run {} has called {} without a lease", of.run, name), false));
    return end_all(inverse, fmt::format("run {} has called {}", of.run, name), true);
  });
}

// Whether what was leased had happened before the other call was first sent. Of two that were under way at
// once nobody knows which came first: then the lease stays, and undoing twice harms nobody.
Result<bool> Runtime::Loop::was_leased_before(const RunRow& lease, const Caller& other) {
  FLOW_TRY(const LeasedCall leased, leased_call_of(lease));
  if (leased.state != LeasedCall::State::Happened) return leased.state == LeasedCall::State::DidNotHappen;
  FLOW_TRY(const std::vector<JournalRow> journal, journal_of(other.run));
  for (const JournalRow& row : journal) {
    if (row.kind != static_cast<int>(EntryKind::Intent)) continue;
    FLOW_TRY(const Entry entry, decode_entry(EntryKind::Intent, row.payload));
    if (std::get<IntentEntry>(entry).call == other.call) return leased.since_us <= row.time_us;
  }
  return false;
}

Status Runtime::Loop::end_lease(const std::string& id, const std::string& why_not) {
  FLOW_TRY(Run * lease, in_memory(id));
  if (lease == nullptr) return {};
  for (const std::uint32_t number : lease->under_way())
    if (lease->operation(number).full_name() == "flow.leaseEnd") {
      if (!lease->waiting(number)->in_doubt) lease->note_attempt(number, clock_.now_us(), clock_.now_us());
      finish_call(*lease, number, Returned{json_quoted(why_not)}, false);
      return {};
    }
  return {};
}

// Something stays as it is that should have been undone by now.
void Runtime::Loop::note_overdue(const Run& lease, const std::string& problem) {
  if (!is_lease(lease.row())) return;
  health(HealthEvent::Kind::LeaseOverdue, lease.row().tenant, lease.row().id,
         fmt::format("{} is over, and what it leased is not undone: {}", lease.row().flow, problem));
}

}  // namespace flow
