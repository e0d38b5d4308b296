// From the store to memory: runs that an earlier process left unfinished. They are taken up in the order of
// their creation, as many at a time as memory has room for, by feeding the recorded outcomes to a fresh
// machine.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/calendar.hpp"
#include "runtime/auditing.hpp"
#include "runtime/frozen.hpp"
#include "runtime/journal.hpp"
#include "runtime/loop.hpp"
#include "runtime/served.hpp"
#include "runtime/shadow.hpp"

namespace flow {
namespace {

constexpr std::uint32_t kRunsPerTurn = 64;

std::uint32_t recoveries_at_end(const std::vector<JournalRow>& journal) {
  std::uint32_t count = 0;
  for (auto row = journal.rbegin(); row != journal.rend(); ++row, ++count)
    if (row->kind != static_cast<int>(EntryKind::Recovered)) break;
  return count;
}

std::optional<std::uint32_t> flow_named(const Module& module, std::string_view name) {
  for (std::uint32_t i = 0; i < module.flows.size(); ++i)
    if (module.flows[i].name == name) return i;
  return std::nullopt;
}

}  // namespace

Status Runtime::Loop::recover() {
  FLOW_TRY_STATUS(load_protections());
  FLOW_TRY(const auto closed, store_.meta("closed"));
  was_closed_ = closed == "1";
  Batch batch;
  FLOW_TRY(const auto taking_up, store_.meta("taking_up"));
  died_taking_up_ = taking_up == "1";
  batch.meta.push_back(MetaRow{"closed", "0"});
  FLOW_TRY_STATUS(commit_now(batch));
  is_recovering_ = true;
  is_retelling_ = true;
  FLOW_TRY(const auto next_us, store_.next_wake_us());
  next_sleeper_us_ = next_us.value_or(kNever);
  has_taken_up_all_ = false;
  FLOW_TRY_STATUS(line_up_sleepers());
  begin_pruning();
  return restore_quotas();
}

// What earlier processes have used of the quotas: each call as if at the end of its second, so that it counts
// no shorter than it should. A clock that was set back since counts them as of now.
Status Runtime::Loop::restore_quotas() {
  const std::int64_t now_us = clock_.now_us();
  FLOW_TRY(const std::vector<SentRow> sent,
           store_.sent_calls((now_us - Limiter::kRememberedUs) / kSecondUs - 1));
  for (const SentRow& row : sent)
    limiter_.restore(row.bucket, row.second < now_us / kSecondUs ? (row.second + 1) * kSecondUs : now_us,
                     row.calls);
  FLOW_TRY(const std::vector<RestRow> rests, store_.rests(now_us));
  for (const RestRow& row : rests)
    limiter_.pause(row.bucket, std::min(row.until_us, now_us + options_.retry.longest_wish_us));
  return {};
}

Status Runtime::Loop::recover_some(bool& has_worked) {
  if (!is_recovering_ || !has_room()) return {};
  // A run that began after this process did may have ended in this turn: to the store it must not look
  // unfinished.
  FLOW_TRY_STATUS(commit());
  FLOW_TRY(const std::vector<RunRow> rows, store_.unfinished_runs(recovered_to_, kRunsPerTurn));
  has_worked = true;
  if (rows.size() < kRunsPerTurn) is_recovering_ = false;
  if (!rows.empty()) recovered_to_ = rows.back().id;
  std::vector<RunRow> sound;
  Batch batch;
  for (const RunRow& row : rows) {
    if (run(row.id) != nullptr) continue;  // began after this process did
    FLOW_TRY(const std::vector<JournalRow> journal, store_.journal(row.id, 0));
    const std::uint32_t next = journal.empty() ? 0 : journal.back().sequence + 1;
    const bool waits = waits_for_turn(row.reason);  // such a run does nothing that could end a process
    const bool only_rested = waits || (!died_taking_up_ && has_only_rested(row, journal));
    if (!only_rested && recoveries_at_end(journal) >= options_.recoveries_without_progress) {
      park_unread(
          row, next,
          fmt::format("the process ended {} times while this run was taken up", recoveries_at_end(journal)));
      continue;
    }
    // Written before the machine sees the run: if that ends the process, the next one can tell.
    if (!was_closed_ && !only_rested)
      batch.journal.push_back(JournalRow{row.id, next, static_cast<int>(EntryKind::Recovered),
                                         clock_.now_us(), encode_entry(RecoveredEntry{})});
    sound.push_back(row);
  }
  if (!sound.empty() && !is_taking_up_) {
    is_taking_up_ = true;
    batch.meta.push_back(MetaRow{"taking_up", "1"});
  }
  if (!batch.empty()) FLOW_TRY_STATUS(commit_now(batch));
  for (const RunRow& row : sound) {
    taken_up_to_ = row.id;
    FLOW_TRY_STATUS(take_up(row, true));
  }
  if (is_recovering_) return {};
  if (is_taking_up_ || died_taking_up_) batch_.meta.push_back(MetaRow{"taking_up", "0"});
  has_taken_up_all_ = true;
  for (const Places::Line& line : places_.lines()) grant_turns(line);
  return {};
}

// Whether no machine of the run can have moved since it was taken up last: each of its calls waits for a time
// that has not come yet, as an act in doubt does that is not asked about so soon. Then it is not the run that
// ended the process.
bool Runtime::Loop::has_only_rested(const RunRow& row, const std::vector<JournalRow>& journal) {
  const std::int64_t now_us = clock_.now_us();
  const auto module = module_of(row.module);
  if (!module) return false;
  std::map<std::uint32_t, std::int64_t> rests_until_us;  // by call
  for (const JournalRow& each : journal) {
    const auto kind = entry_numbered(each.kind);
    const Result<Entry> entry = kind ? decode_entry(*kind, each.payload) : error("of no known kind");
    if (!entry) return false;
    if (const auto* intent = std::get_if<IntentEntry>(&*entry)) {
      const auto operation =
          std::ranges::find((*module)->operations, intent->operation, &Operation::full_name);
      const bool is_act = operation != (*module)->operations.end() && operation->effect != Effect::Read &&
                          !is_answered_here(*operation);
      rests_until_us[intent->call] = is_act ? each.time_us + options_.settle_after_us : intent->due_us;
    } else if (const auto* retry = std::get_if<RetryEntry>(&*entry)) {
      rests_until_us[retry->call] = retry->not_before_us;
    } else if (const auto* begun = std::get_if<BegunEntry>(&*entry)) {
      rests_until_us[begun->call] = 0;
    } else if (const auto* answer = std::get_if<OutcomeEntry>(&*entry)) {
      rests_until_us.erase(answer->call);
    } else if (std::holds_alternative<ResumedEntry>(*entry)) {
      return false;  // what is behind does not count
    }
  }
  return !rests_until_us.empty() &&
         std::ranges::all_of(rests_until_us, [&](const auto& rest) { return rest.second > now_us; });
}

// `is_restart`: from the process before; otherwise it was let go of to save memory.
Status Runtime::Loop::take_up(RunRow row, bool is_restart) {
  row.wake_us = 0;
  FLOW_TRY(const std::uint32_t entries, store_.journal_length(row.id));
  const auto module = module_of(row.module);
  if (!module) {
    park_unread(row, entries, module.error().message);
    return {};
  }
  const auto flow = flow_named(**module, name_in_module(row.flow));
  if (!flow) {
    park_unread(row, entries, fmt::format("its module has no flow `{}`", row.flow));
    return {};
  }
  FLOW_TRY(std::unique_ptr<Run> thawed, thaw(row, *module, *flow));
  const bool is_thawed = thawed != nullptr;
  auto run =
      is_thawed ? std::move(thawed) : std::make_unique<Run>(row, *module, engine_.machine(**module, *flow));
  Run& kept = keep(std::move(run));
  if (is_restart) {
    ++counters_.runs_recovered;
    metrics_.add(Metric::RunsTakenUp);
    after_commit([this, row] { observer_->run_recovered(row); });
  }
  enter_line(kept);
  set_deadline(kept);
  if (!is_thawed) {
    FLOW_TRY(const std::vector<JournalRow> journal, store_.journal(row.id, 0));
    if (const Status replayed = kept.replay(journal, clock_.now_us()); !replayed) {
      park(kept, replayed.error().message);
      return {};
    }
  }
  take_up_replayed(kept);
  return {};
}

// From its frozen state; nothing when it has none, or none that can be used: the journal says the same.
Result<std::unique_ptr<Run>> Runtime::Loop::thaw(const RunRow& row,
                                                 const std::shared_ptr<const Module>& module,
                                                 std::uint32_t flow) {
  FLOW_TRY(const std::optional<SleepRow> frozen, store_.frozen(row.id));
  if (!frozen) return std::unique_ptr<Run>();
  const auto problem = [&](const Error& why) {
    health(HealthEvent::Kind::FrozenUnusable, row.tenant, row.id, why.message);
    batch_.thawed.push_back(row.id);
    return std::unique_ptr<Run>();
  };
  Result<FrozenRun> state = decode_frozen(frozen->frozen);
  if (!state) return problem(state.error());
  auto machine = engine_.restore(*module, flow, state->machine);
  if (!machine) return problem(machine.error());
  FLOW_TRY(const std::vector<JournalRow> journal, store_.journal(row.id, frozen->sequence));
  auto run = std::make_unique<Run>(row, module, std::move(*machine));
  if (const Status thawed = run->thaw(*state, frozen->sequence, journal, clock_.now_us()); !thawed)
    return problem(thawed.error());
  run->note_frozen();
  return run;
}

// A read in doubt is made again; about anything else the executor is asked first. What the runtime answers is
// never in doubt: its intent and its answer are of one commit, or it waits for its time.
void Runtime::Loop::take_up_replayed(Run& run) {
  collect(run);
  if (waits_for_turn(run.row().reason)) return settle_run(run);
  for (const std::uint32_t number : run.take_wanted()) {
    if (run.waiting(number) == nullptr) continue;  // another's answer ended its branch
    const bool in_doubt = run.waiting(number)->in_doubt && !is_answered_here(run.operation(number));
    if (in_doubt && run.operation(number).effect != Effect::Read) {
      ask_whether(run, number, std::nullopt, 0);
      continue;
    }
    if (in_doubt) run.note_retry(number, std::nullopt, clock_.now_us(), clock_.now_us());
    ask_for(run, number);
  }
  settle_run(run);
}

void Runtime::Loop::park_unread(const RunRow& row, std::uint32_t sequence, std::string reason) {
  batch_.journal.push_back(JournalRow{row.id, sequence, static_cast<int>(EntryKind::Parked), clock_.now_us(),
                                      encode_entry(ParkedEntry{reason})});
  RunRow parked = row;
  parked.state = RunState::Parked;
  parked.reason = std::move(reason);
  leave_line(row);
  batch_.changed_runs.push_back(parked);
  batch_.audit.push_back(audit_ended(parked, clock_.now_us()));
  ++counters_.runs_over[RunState::Parked];
  metrics_.add(Metric::RunsEnded, {row.tenant, row.flow, run_state_name(RunState::Parked)});
  health(HealthEvent::Kind::RunParked, parked.tenant, parked.id, parked.reason);
  after_commit([this, parked] { observer_->run_ended(parked); });
}

}  // namespace flow
