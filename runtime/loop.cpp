#include "runtime/loop.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <iterator>
#include <string_view>

#include "runtime/auditing.hpp"
#include "runtime/digest.hpp"
#include "runtime/served.hpp"
#include "vm/interp/settings.hpp"

namespace flow {
namespace {

constexpr std::int64_t kRestBeforeTidyingUs = 50'000;
constexpr std::int64_t kLongestSleepUs = 1'000'000;  // the clock may be set while we sleep

}  // namespace

Runtime::Loop::Loop(Store& store, const Clock& clock, Random& random, Executor& executor, Engine& engine,
                    RuntimeOptions options, RuntimeObserver* observer)
    : store_(store),
      clock_(clock),
      random_(random),
      executor_(executor),
      engine_(engine),
      options_(std::move(options)),
      observer_(observer),
      tells_steps_(observer != nullptr && observer->wants_steps()),
      ids_(clock, random),
      inbox_(std::make_shared<Inbox>()),
      limiter_(options_.breaker),
      reads_(options_.reuse_reads_us),
      began_us_(clock_.now_us()) {}

Status Runtime::Loop::run() {
  while (!inbox_->is_stopping()) {
    FLOW_TRY(const bool has_worked, step());
    if (has_worked) continue;
    const std::int64_t sleep_us =
        std::clamp<std::int64_t>(next_wake_us() - clock_.now_us(), 0, kLongestSleepUs);
    inbox_->wait(std::chrono::microseconds(sleep_us), false);
  }
  return drain(clock_.now_us() + options_.drain_us);
}

Status Runtime::Loop::drain(std::int64_t deadline_us) {
  is_draining_ = true;
  is_ready_.store(false, std::memory_order_relaxed);
  inbox_->close();
  while (in_flight_ > 0 && clock_.now_us() < deadline_us) {
    FLOW_TRY(const bool has_worked, step());
    const std::int64_t left_us = std::clamp<std::int64_t>(deadline_us - clock_.now_us(), 0, kLongestSleepUs);
    if (!has_worked && in_flight_ > 0) inbox_->wait(std::chrono::microseconds(left_us), true);
  }
  bool has_worked = true;
  FLOW_TRY_STATUS(turn(has_worked));
  responds_until_.clear();
  for (const auto& [run, responder] : std::exchange(responders_, {}))  // they will not respond any more
    responder.done({.how = StartAnswer::How::Started, .run = run, .problem = {}, .body = {}});
  Batch batch;
  batch.meta.push_back(MetaRow{"closed", "1"});
  return commit_now(batch);
}

Result<bool> Runtime::Loop::step() {
  bool has_worked = false;
  FLOW_TRY_STATUS(turn(has_worked));
  return has_worked;
}

Status Runtime::Loop::run_until_idle(std::uint64_t turns) {
  for (std::uint64_t i = 0; i < turns; ++i) {
    FLOW_TRY(const bool has_worked, step());
    if (!has_worked) return {};
  }
  return error(fmt::format("the runtime was not idle after {} turns", turns));
}

Status Runtime::Loop::turn(bool& has_worked) {
  const std::int64_t now_us = clock_.now_us();
  follow_clock(now_us);
  has_worked = take_answers();
  give_up_on_silent_calls(now_us);
  has_worked |= fire_timers(now_us);
  FLOW_TRY_STATUS(end_overdue(now_us, has_worked));
  if (!is_draining_) {
    FLOW_TRY_STATUS(recover_some(has_worked));
    FLOW_TRY_STATUS(take_up_tellings(has_worked));
    FLOW_TRY_STATUS(take_up_resumed(has_worked));
    FLOW_TRY_STATUS(take_requests(has_worked));
    FLOW_TRY_STATUS(wake_due(now_us, has_worked));
    FLOW_TRY_STATUS(dispatch_events(has_worked));
    FLOW_TRY_STATUS(give_turns(has_worked));
    has_worked |= release_calls(clock_.now_us());  // later than what the turn has noted until here
  }
  FLOW_TRY_STATUS(follow_up_all());
  put_to_sleep(now_us);
  FLOW_TRY_STATUS(commit());
  send_calls();
  if (!is_draining_) FLOW_TRY_STATUS(prune_some(now_us, has_worked));
  FLOW_TRY_STATUS(tidy_up(now_us, has_worked));
  note_turned(now_us, has_worked);
  return {};
}

// When nothing was to be done for a moment, what commits left behind is cleared away.
Status Runtime::Loop::tidy_up(std::int64_t now_us, bool has_worked) {
  if (has_worked || counters_.commits != tidied_at_commit_) {
    if (counters_.commits != tidied_at_commit_) tidy_us_ = now_us + kRestBeforeTidyingUs;
    tidied_at_commit_ = counters_.commits;
    return {};
  }
  if (now_us < tidy_us_) return {};
  tidy_us_ = kNever;
  return store_.tidy();
}

// A clock that was set back takes what is due with it: nothing rests for longer than it was meant to.
void Runtime::Loop::follow_clock(std::int64_t now_us) {
  const std::int64_t back_us = std::exchange(last_turn_us_, now_us) - now_us;
  if (back_us <= 0) return;
  std::multimap<std::int64_t, std::function<void()>> moved;
  for (auto& [time_us, what] : timers_) moved.emplace_hint(moved.end(), time_us - back_us, std::move(what));
  timers_ = std::move(moved);
  silent_at_.clear();
  for (auto& [ticket, pending] : pending_)
    if (pending.is_sent) silent_at_.emplace(pending.silent_at_us -= back_us, ticket);
  responds_until_.clear();
  for (auto& [run, responder] : responders_) responds_until_.emplace(responder.until_us -= back_us, run);
  limiter_.set_back(back_us);
  for (std::int64_t* const next_us : {&pruning_.next_us, &tidy_us_})
    if (*next_us != kNever) *next_us -= back_us;
}

bool Runtime::Loop::fire_timers(std::int64_t now_us) {
  bool has_fired = answer_late_requests(now_us);
  // What a timer sets up for now or earlier fires in the next turn, so this ends.
  std::vector<std::function<void()>> due;
  for (auto it = timers_.begin(); it != timers_.end() && it->first <= now_us; it = timers_.erase(it))
    due.push_back(std::move(it->second));
  for (const auto& what : due) {
    what();
    has_fired = true;
  }
  return has_fired;
}

std::int64_t Runtime::Loop::next_wake_us() const {
  const std::int64_t now_us = clock_.now_us();
  if (is_retelling_ && !is_draining_) return now_us;
  if ((is_recovering_ || (!resumed_.empty() && !is_draining_)) && has_room()) return now_us;
  if (!turns_.empty() && !is_draining_) return now_us;
  std::int64_t next = timers_.empty() ? kNever : timers_.begin()->first;
  next = std::min(next, deadlines_.next_us());
  if (in_flight_ < options_.calls_in_flight && !is_draining_) next = std::min(next, limiter_.next_us(now_us));
  if (!is_draining_ && has_room()) next = std::min(next, next_sleeper_us_);
  if (!is_draining_) next = std::min({next, pruning_.next_us, tidy_us_});
  if (!silent_at_.empty()) next = std::min(next, silent_at_.begin()->first);
  if (!responds_until_.empty()) next = std::min(next, responds_until_.begin()->first);
  return next;
}

Status Runtime::Loop::commit_now(const Batch& batch) {
  ++counters_.commits;
  const bool is_last =
      options_.crash_at_append != 0 && counters_.commits == (options_.crash_at_append + 1) / 2;
  if (is_last && options_.crash_at_append % 2 == 1) std::raise(SIGKILL);
  const std::int64_t began_us = clock_.now_us();
  Status status = store_.commit(batch);
  metrics_.observe_us(Metric::CommitSeconds, {}, clock_.now_us() - began_us);
  metrics_.observe(Metric::CommitEntries, batch.journal.size());
  if (is_last) std::raise(SIGKILL);
  if (!status) health(HealthEvent::Kind::StoreFailed, "", "store", status.error().message);
  return status;
}

void Runtime::Loop::start(StartRequest request, StartDone done) {
  inbox_->ask([this, request = std::move(request), done = std::move(done)](bool is_open) -> Status {
    if (is_open) return take_request(request, done);
    done({.how = StartAnswer::How::Stopping, .run = {}, .problem = {}, .body = {}});
    return {};
  });
}

void Runtime::Loop::answer(AnswerRequest request, AnswerDone done) {
  inbox_->ask([this, request = std::move(request), done = std::move(done)](bool is_open) -> Status {
    if (is_open) return take_answer(request, done);
    done({});
    return {};
  });
}

void Runtime::Loop::send(MessageRequest request, MessageDone done) {
  inbox_->ask([this, request = std::move(request), done = std::move(done)](bool is_open) -> Status {
    if (is_open) return take_message(request, done);
    done({});
    return {};
  });
}

void Runtime::Loop::fail_store(const Error& problem) {
  if (store_problem_) store_problem_ = tl::unexpected(problem);
}

Status Runtime::Loop::follow_up_all() {
  for (; !follow_ups_.empty(); follow_ups_.pop_front()) FLOW_TRY_STATUS(follow_ups_.front()());
  return {};
}

Status Runtime::Loop::commit() {
  FLOW_TRY_STATUS(follow_up_all());
  if (!store_problem_) {  // what a run needs to know could not be read
    health(HealthEvent::Kind::StoreFailed, "", "store", store_problem_.error().message);
    return store_problem_;
  }
  if (!batch_.empty()) {
    settle_new_runs();
    committed_ = std::exchange(batch_, {});
    begun_.clear();
    if (Status status = commit_now(committed_); !status) {
      sends_.clear();  // their intents are not durable: they must not go out
      notices_.clear();
      return status;
    }
  }
  forget_waiting();
  const auto notices = std::exchange(notices_, {});
  for (const auto& notice : notices) notice();
  if (observer_ && !notices.empty()) observer_->told();
  committed_ = {};
  return {};
}

// A run that begins and changes in one commit is written as it is then.
void Runtime::Loop::settle_new_runs() {
  if (batch_.runs.empty() || batch_.changed_runs.empty()) return;
  std::unordered_map<std::string_view, RunRow*> begun;
  for (RunRow& row : batch_.runs) begun.emplace(row.id, &row);
  std::erase_if(batch_.changed_runs, [&](RunRow& changed) {
    const auto found = begun.find(changed.id);
    if (found == begun.end()) return false;
    RunRow& row = *found->second;
    row.state = changed.state;
    row.ended_us = changed.ended_us;
    row.reason = changed.reason;
    row.fault = changed.fault;
    row.line = changed.line;
    return true;
  });
}

void Runtime::Loop::after_commit(std::function<void()> notice) {
  if (observer_) notices_.push_back(std::move(notice));
}

Result<std::shared_ptr<const Module>> Runtime::Loop::module_of(const std::string& hash) {
  if (const auto found = modules_.find(hash); found != modules_.end()) return found->second;
  FLOW_TRY(const auto bytes, store_.module(hash));
  if (!bytes) return error(fmt::format("module {} is not in the store", hash));
  FLOW_TRY(auto module, engine_.load(*bytes));
  return modules_[hash] = std::move(module);
}

Run* Runtime::Loop::run(const std::string& id) {
  const auto found = runs_.find(id);
  return found == runs_.end() ? nullptr : found->second.get();
}

Run& Runtime::Loop::keep(std::unique_ptr<Run> run) {
  Run& kept = *run;
  kept.set_life(++lives_);
  runs_.emplace(kept.row().id, std::move(run));
  return kept;
}

void Runtime::Loop::at(std::int64_t time_us, const Run& run, std::uint32_t number,
                       std::function<void(Run&)> what) {
  at(time_us, [this, id = run.row().id, life = run.life(), number, what = std::move(what)] {
    if (Run* const waiting = waiting_run(id, number); waiting != nullptr && waiting->life() == life)
      what(*waiting);
  });
}

// A run that waits for another does not keep that one out: together they would wait for ever.
bool Runtime::Loop::has_room() const {
  return runs_.size() < options_.runs_in_memory + awaited_.size();
}

// While memory is half empty there is room for everybody. Of the other half each tenant is sure of an equal
// share: who has more than that may have what is left beside the shares that others have not taken up yet.
bool Runtime::Loop::has_room_for(const std::string& tenant, const Crowd& runs) const {
  if (!has_room()) return false;
  const std::size_t limit = options_.runs_in_memory;
  if (runs_.size() < limit / 2 || runs.size() < 2) return true;
  const std::size_t share = limit / 2 / runs.size();
  std::size_t kept_free = 0;
  for (const auto& [name, count] : runs) {
    if (name == tenant && count < share) return true;
    if (name != tenant) kept_free += share - std::min(share, count);
  }
  return runs_.size() + kept_free < limit;
}

// Counted only when has_room_for() wants to know.
Runtime::Loop::Crowd Runtime::Loop::crowd() const {
  Crowd runs;
  for (const auto& [key, source] : sources_) runs[source.tenant];
  if (runs.size() < 2 || runs_.size() + options_.events_per_turn < options_.runs_in_memory / 2) return runs;
  for (const auto& [id, run] : runs_)
    if (const auto found = runs.find(run->row().tenant); found != runs.end()) ++found->second;
  return runs;
}

void Runtime::Loop::collect(Run& run) {
  for (Run::Audited& audited : run.take_audited()) {
    const Operation& operation = run.module()->operations[audited.operation];
    if (audited.row.kind == AuditKind::Intent)
      audited.row.permission = permission_for(run.row().tenant, operation);
    batch_.audit.push_back(std::move(audited.row));
  }
  std::vector<JournalRow> rows = run.take_unsaved();
  if (rows.empty()) return;
  const std::size_t first = batch_.journal.size();
  std::ranges::move(rows, std::back_inserter(batch_.journal));
  if (!tells_steps_) return;
  after_commit([this, row = run.row(), first, end = batch_.journal.size()] {
    for (std::size_t i = first; i < end; ++i) observer_->run_step(row, committed_.journal[i]);
  });
}

// Any one of them suffices; which the token has is the tenant's own affair.
std::string Runtime::Loop::permission_for(const std::string& tenant, const Operation& operation) const {
  if (operation.routes.empty()) return {};
  return fmt::format("{}", fmt::join(operation.routes[route_of(tenant, operation)].permissions, " or "));
}

void Runtime::Loop::settle_run(Run& run) {
  const bool waits = !run.is_over() && waits_for_turn(run.row().reason);
  // What is answered here lets the run go on at once, perhaps to its end.
  if (!waits)
    for (auto wanted = run.take_wanted(); !wanted.empty(); wanted = run.take_wanted())
      for (const std::uint32_t number : wanted)
        if (run.waiting(number) != nullptr) ask_for(run, number);
  collect(run);
  if (waits) let_wait(run);
  withdraw(run, run.take_unwanted());
  if (!run.is_over()) return;
  batch_.changed_runs.push_back(run.row());
  batch_.audit.push_back(audit_ended(run.row(), clock_.now_us()));
  if (run.was_frozen()) batch_.thawed.push_back(run.row().id);
  note_over(run.row());
  follow_end(run);
  if (run.row().state == RunState::Parked || run.row().state == RunState::Failed)
    note_overdue(run, run.row().reason);
  if (run.row().state == RunState::Parked)
    health(HealthEvent::Kind::RunParked, run.row().tenant, run.row().id, run.row().reason);
  runs_.erase(std::string(run.row().id));
}

// Over or parked: it needs nothing more.
void Runtime::Loop::note_over(const RunRow& row) {
  leave_line(row);
  deadlines_.forget(row.id);
  overdue_.erase(row.id);
  ++counters_.runs_over[row.state];
  metrics_.add(Metric::RunsEnded, {row.tenant, row.flow, run_state_name(row.state)});
  after_commit([this, row] { observer_->run_ended(row); });
}

void Runtime::Loop::health(HealthEvent::Kind kind, const std::string& tenant, const std::string& subject,
                           std::string message) {
  HealthEvent event{kind, tenant, subject, std::move(message)};
  metrics_.add(Metric::Health, {health_kind_name(kind)});
  if (kind == HealthEvent::Kind::StoreFailed) {
    if (observer_) observer_->health(event);  // nothing will be committed any more
    return;
  }
  after_commit([this, event = std::move(event)] { observer_->health(event); });
}

Runtime::Runtime(Store& store, const Clock& clock, Random& random, Executor& executor, Engine& engine,
                 RuntimeOptions options, RuntimeObserver* observer)
    : loop_(std::make_unique<Loop>(store, clock, random, executor, engine, std::move(options), observer)) {}
Runtime::~Runtime() = default;

Result<std::string> Runtime::deploy(const std::string& tenant, std::string_view module_bytes,
                                    std::string_view settings_json) {
  return loop_->deploy(tenant, module_bytes, settings_json);
}
Status Runtime::deploy(const DeploySet& set) {
  return loop_->deploy(set);
}
void Runtime::change_deployment(DeployRequest request, DeployDone done) {
  loop_->change_deployment({std::move(request)}, std::move(done));
}
void Runtime::change_deployment(std::vector<DeployRequest> requests, DeployDone done) {
  loop_->change_deployment(std::move(requests), std::move(done));
}
Status Runtime::recover() {
  return loop_->recover();
}
void Runtime::answer(AnswerRequest request, AnswerDone done) {
  loop_->answer(std::move(request), std::move(done));
}
void Runtime::send(MessageRequest request, MessageDone done) {
  loop_->send(std::move(request), std::move(done));
}
void Runtime::control(ControlRequest request, ControlDone done) {
  loop_->control(std::move(request), std::move(done));
}
void Runtime::reconfigure(Reconfiguration wanted, ReconfigureDone done) {
  loop_->reconfigure(std::move(wanted), std::move(done));
}
void Runtime::metrics(std::function<void(std::string)> done) {
  loop_->metrics(std::move(done));
}
std::uint64_t Runtime::turns() const {
  return loop_->turns();
}
bool Runtime::is_ready() const {
  return loop_->is_ready();
}
Status Runtime::run() {
  return loop_->run();
}
void Runtime::stop() {
  loop_->stop();
}
void Runtime::start(StartRequest request, StartDone done) {
  loop_->start(std::move(request), std::move(done));
}
Result<bool> Runtime::step() {
  return loop_->step();
}
Status Runtime::run_until_idle(std::uint64_t turns) {
  return loop_->run_until_idle(turns);
}
std::int64_t Runtime::next_wake_us() const {
  return loop_->next_wake_us();
}
Status Runtime::drain(std::int64_t deadline_us) {
  return loop_->drain(deadline_us);
}
const Counters& Runtime::counters() const {
  return loop_->counters();
}
std::size_t Runtime::runs_in_memory() const {
  return loop_->runs_in_memory();
}
std::size_t Runtime::calls_in_flight() const {
  return loop_->calls_in_flight();
}

}  // namespace flow
