#include "runtime/loop.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>

#include "runtime/digest.hpp"
#include "runtime/served.hpp"
#include "vm/interp/settings.hpp"

namespace flow {
namespace {

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
      ids_(clock, random),
      inbox_(std::make_shared<Inbox>()),
      limiter_(options_.breaker),
      reads_(options_.reuse_reads_us),
      began_us_(clock_.now_us()) {}

Result<std::string> Runtime::Loop::deploy(const std::string& tenant, std::string_view module_bytes,
                                          std::string_view settings_json) {
  FLOW_TRY(std::shared_ptr<const Module> module, engine_.load(module_bytes));
  FLOW_TRY_STATUS(check_settings(*module, settings_json));
  FLOW_TRY_STATUS(check_served(*module));
  if (!options_.can_be_answered) FLOW_TRY_STATUS(check_asks_nobody(*module));
  const std::string hash = sha256_hex(module_bytes);
  Batch batch;
  batch.modules.push_back(ModuleRow{hash, std::string(module_bytes)});
  FLOW_TRY_STATUS(commit_now(batch));
  modules_[hash] = module;
  for (std::uint32_t flow = 0; flow < module->flows.size(); ++flow) {
    FLOW_TRY_STATUS(subscribe(Subscriber{tenant, module->flows[flow].name, hash, module, flow,
                                         std::string(settings_json), nullptr}));
    FLOW_TRY_STATUS(note_deployed({.tenant = tenant,
                                   .flow = module->flows[flow].name,
                                   .module = hash,
                                   .settings = std::string(settings_json),
                                   .since_us = clock_.now_us()}));
  }
  return hash;
}

// Also of a flow that is for other tenants: its module says so. What is deployed before the first turn is
// noted when that begins.
Status Runtime::Loop::note_deployed(Deployment deployed) {
  const auto known = std::ranges::find_if(deployments_, [&](const Deployment& other) {
    return other.tenant == deployed.tenant && other.flow == deployed.flow;
  });
  if (known == deployments_.end())
    deployments_.push_back(std::move(deployed));
  else if (known->module != deployed.module || known->settings != deployed.settings)
    *known = std::move(deployed);
  if (!has_begun_) return {};
  Batch batch;
  batch.meta.push_back(deployments_row(deployments_));
  return commit_now(batch);
}

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
  for (const auto& [run, done] : std::exchange(responders_, {}))  // they will not respond any more
    done({.how = StartAnswer::How::Started, .run = run, .problem = {}, .body = {}});
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
    has_worked |= release_calls(now_us);
  }
  FLOW_TRY_STATUS(follow_up_all());
  put_to_sleep(now_us);
  FLOW_TRY_STATUS(commit());
  send_calls();
  note_turned(now_us, has_worked);
  return {};
}

// A clock that was set back takes what is due with it: nothing rests for longer than it was meant to.
void Runtime::Loop::follow_clock(std::int64_t now_us) {
  const std::int64_t back_us = std::exchange(last_turn_us_, now_us) - now_us;
  if (back_us <= 0) return;
  std::multimap<std::int64_t, std::function<void()>> moved;
  for (auto& [time_us, what] : timers_) moved.emplace_hint(moved.end(), time_us - back_us, std::move(what));
  timers_ = std::move(moved);
  std::multimap<std::int64_t, std::uint64_t> silent_at;
  for (const auto& [time_us, ticket] : silent_at_)
    silent_at.emplace_hint(silent_at.end(), time_us - back_us, ticket);
  silent_at_ = std::move(silent_at);
  limiter_.set_back(back_us);
}

bool Runtime::Loop::fire_timers(std::int64_t now_us) {
  bool has_fired = false;
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
  if (!silent_at_.empty()) next = std::min(next, silent_at_.begin()->first);
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
    const Batch batch = std::exchange(batch_, {});
    begun_.clear();
    if (Status status = commit_now(batch); !status) {
      sends_.clear();  // their intents are not durable: they must not go out
      notices_.clear();
      return status;
    }
  }
  forget_waiting();
  const auto notices = std::exchange(notices_, {});
  for (const auto& notice : notices) notice();
  if (observer_ && !notices.empty()) observer_->told();
  return {};
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
  for (JournalRow& row : run.take_unsaved()) {
    after_commit([this, run_row = run.row(), row] { observer_->run_step(run_row, row); });
    batch_.journal.push_back(std::move(row));
  }
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
  if (run.was_frozen()) batch_.thawed.push_back(run.row().id);
  note_over(run.row());
  follow_end(run);
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
  if (row.state == RunState::Parked) ++parked_;
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
