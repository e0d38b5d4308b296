#include "simulation.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "runtime/digest.hpp"
#include "runtime/history.hpp"
#include "runtime/leases.hpp"
#include "runtime/shadow.hpp"
#include "simulated_world.hpp"

namespace flow::test {
namespace {

constexpr std::uint64_t kMostSteps = 2'000'000;
constexpr std::uint64_t kMostTurnsAtOnce = 100'000;
// What a person says that an act gave, who saw that it had happened.
constexpr const char* kAction =
    R"({"id":"2e0d9b74-a381-49aa-8c15-f7b01c526d3e","type":"Isolate","requestor":"flow","status":"Pending","creationDateTimeUtc":"2026-01-01T00:00:00Z"})";
constexpr const char* kAlert =
    R"({"id":"da0","severity":"High","status":"New","detectionSource":"Manual","category":"Malware","title":"","description":"","mitreTechniques":[],"comments":[],"evidence":[]})";

}  // namespace

void Simulation::run_step(const RunRow& row, const JournalRow& entry) {
  if (disk_.is_down()) return;
  std::vector<std::string>& entries = promises_.entries[row.id];
  if (entries.size() <= entry.sequence) entries.resize(entry.sequence + 1);
  entries[entry.sequence] = entry.payload;
  std::vector<std::int64_t>& times = promises_.times[row.id];
  times.resize(entries.size());
  times[entry.sequence] = tenant_.now_us();
  ++counts_.entries;
  say("run {} #{} {}", row.id, entry.sequence, entry.payload.substr(0, 200));
}

// ---- processes

void Simulation::boot() {
  runtime_options_.poll_interval_us = is_resting_ ? 10 * kMinute : (20 + any_us(200)) * kSecond;
  runtime_options_.recoveries_without_progress = 1'000'000;  // it is the world that ends the process
  runtime_options_.runs_in_memory = one_in(3) ? static_cast<std::uint32_t>(2 + any(8)) : 10'000;
  runtime_options_.calls_in_flight = one_in(3) ? static_cast<std::uint32_t>(1 + any(4)) : 256;
  runtime_options_.events_per_turn = one_in(3) ? static_cast<std::uint32_t>(1 + any(4)) : 64;
  auto opened = SqliteStore::open(kPath, {.max_bytes = 0, .vfs = disk_.vfs()});
  Status status = opened ? Status() : Status(tl::unexpected(opened.error()));
  if (opened) {
    store_ = std::move(*opened);
    runtime_ = std::make_unique<Runtime>(*store_, clock_, chance_, tenant_, *engine_, runtime_options_, this);
    DeploySet set{.tenants = {kTenant}, .files = {}, .is_all = true, .by = "sim"};
    for (const SimulatedFlow* flow : flows_)
      set.files.push_back(deploy_request(*flow, DeployRequest::What::Live));
    status = runtime_->deploy(set);
    if (status) status = runtime_->recover();
  }
  if (disk_.is_down()) return die();
  is_sparing_ = !runtime_options_.protections.module.empty();
  say("a process starts{}", status ? "" : ", in vain: " + status.error().message);
  if (status) return;
  ++counts_.failed_starts;
  end_process(kSecond + any_us(kMinute), "no start");
}

void Simulation::end_process(std::int64_t down_us, const char* why) {
  say("the process ends: {}", why);
  runtime_.reset();
  store_.reset();
  tenant_.cut_connections();
  if (disk_.is_down()) disk_.restart(one_in(2));
  boot_at_us_ = tenant_.now_us() + down_us;
}

void Simulation::die() {
  const bool has_lost_power = one_in(2);
  ++(has_lost_power ? counts_.power_losses : counts_.kills);
  say("the process dies{}", has_lost_power ? ", and the power is lost" : "");
  runtime_.reset();
  store_.reset();
  tenant_.cut_connections();
  disk_.restart(has_lost_power);
  boot_at_us_ = tenant_.now_us() + any_us(one_in(2) ? kSecond : 10 * kMinute);
  check_crash();
}

void Simulation::end_gracefully() {
  if (!runtime_) return;
  const Status drained = runtime_->drain(clock_.now_us());
  if (disk_.is_down()) return die();
  ++counts_.graceful_ends;
  end_process(any_us(5 * kMinute), drained ? "in good order" : drained.error().message.c_str());
}

void Simulation::check_crash() {
  const auto copy = disk_.copy();
  check_disk(copy->vfs(), kPath, promises_, problems_);
  if (promises_.entries.empty()) return;
  const auto opened = SqliteStore::open(kPath, {.max_bytes = 0, .vfs = copy->vfs()});
  if (!opened) return problems_.push_back("after a crash: " + opened.error().message);
  check_trail(**opened, problems_);
}

// ---- time

void Simulation::advance(std::int64_t to_us) {
  turns_at_once_ = 0;
  tenant_.pass_until(to_us);
}

void Simulation::step(std::int64_t end_us) {
  ++counts_.steps;
  const std::int64_t now_us = tenant_.now_us();
  if (!script_.empty() && script_.begin()->first <= now_us) {
    const auto what = std::move(script_.begin()->second);
    script_.erase(script_.begin());
    return what();
  }
  const std::int64_t next_us = script_.empty() ? kNever : script_.begin()->first;
  if (!runtime_) {
    if (now_us >= boot_at_us_) return boot();
    return advance(std::min({end_us, next_us, boot_at_us_}));
  }
  const auto worked = runtime_->step();
  if (disk_.is_down()) return die();
  if (!worked) {
    ++counts_.store_failures;
    return end_process(any_us(kMinute), worked.error().message.c_str());
  }
  if (*worked) {
    tenant_.pass_until(now_us + 200);  // it takes its time
    if (++turns_at_once_ > kMostTurnsAtOnce) problems_.push_back("the runtime finds no rest");
    return;
  }
  const std::int64_t wake_us = runtime_->next_wake_us();
  const std::int64_t wakes_us = wake_us == kNever ? kNever : std::max(wake_us - clock_.ahead_us, now_us + 1);
  advance(std::min({end_us, next_us, tenant_.next_us(), wakes_us}));
}

void Simulation::go_until(std::int64_t time_us) {
  while (tenant_.now_us() < time_us && !is_over()) {
    step(time_us);
    if (counts_.steps > kMostSteps) problems_.push_back("it takes too many steps");
  }
}

// Everything works again: what waits gets what it waits for.
void Simulation::come_to_rest() {
  is_resting_ = true;
  say("everything works again");
  tenant_.set_weather({});
  disk_.set_faults({});
  disk_.crash_in(0);
  if (runtime_) end_process(0, "to poll more seldom");
  const auto answer_all = [this] {
    if (!runtime_) return;
    const auto open =
        store_->list_questions({.tenant = {}, .run = {}, .state = QuestionRow::State::Open, .before_id = {}});
    for (const QuestionRow& question : open.value_or(std::vector<QuestionRow>()))
      answer(question.id, "", kApprove);
  };
  go_until(tenant_.now_us() + 6 * kHour);
  answer_all();
  go_until(tenant_.now_us() + 2 * kHour);
  for (int i = 0; i < 3 && !is_over(); ++i) {
    resume_parked();
    go_until(tenant_.now_us() + 2 * kHour);
    answer_all();
    go_until(tenant_.now_us() + kHour);
  }
}

// What of it a person can tell who looks at the tenant.
ResumeRequest Simulation::seen_by_a_person(const RunHistory& history) const {
  std::map<std::uint32_t, std::string> in_doubt;  // calls that the world answers, by number: the operation
  for (const RunStep& step : history.steps) {
    if (!step.call || step.operation.starts_with("flow.")) continue;
    if (step.kind == EntryKind::Intent)
      in_doubt[*step.call] = step.operation;
    else
      in_doubt.erase(*step.call);
  }
  ResumeRequest request{.by = "ann"};
  const bool is_unknown = history.run.reason.find("may or may not have happened") != std::string::npos;
  if (!is_unknown || in_doubt.size() != 1) return request;
  const auto& [number, operation] = *in_doubt.begin();
  const bool is_done = tenant_.deeds().contains(fmt::format("{}/{}", history.run.id, number));
  request.fate = is_done ? ResumeRequest::Fate::Happened : ResumeRequest::Fate::DidNotHappen;
  request.result = operation == "mail.mail"               ? "null"
                   : operation == "defender.update_alert" ? kAlert
                                                          : kAction;
  return request;
}

// A person looks at what the tenant knows, and says so.
void Simulation::resume_parked() {
  if (!runtime_) return;
  if (const Status drained = runtime_->drain(clock_.now_us()); !drained)
    return problems_.push_back("nothing is wrong, and it cannot be drained: " + drained.error().message);
  runtime_.reset();
  for (const RunRow& run : all_runs(*store_)) {
    if (run.state != RunState::Parked) continue;
    const auto history = show_run(*store_, run.id);
    if (!history || !*history) continue;
    const auto bytes = store_->module(run.module);
    const auto module = engine_->load(bytes && *bytes ? **bytes : "");
    const auto batch = plan_resume(**history, **module, seen_by_a_person(**history), clock_.now_us());
    const Status done = batch ? store_->commit(*batch) : Status(tl::unexpected(batch.error()));
    if (!done)
      problems_.push_back(fmt::format("run {} of {} is parked ({}) and cannot be resumed: {}", run.id,
                                      run.flow, run.reason, done.error().message));
    ++counts_.resumed;
    say("run {} is resumed by a person", run.id);
  }
  store_.reset();
  tenant_.cut_connections();
  boot_at_us_ = tenant_.now_us();
}

std::vector<RunRow> Simulation::all_runs(Store& store) {
  RunFilter filter;
  filter.limit = kMaxListedRuns;
  auto runs = store.list_runs(filter);
  if (!runs) problems_.push_back(runs.error().message);
  return runs.value_or(std::vector<RunRow>());
}

std::string Simulation::digest(Store& store, const std::vector<RunRow>& runs) const {
  std::string all;
  for (const RunRow& run : runs) {
    all += fmt::format("{} {} {} {} {} {}\n", run.id, run.flow, run.key, run_state_name(run.state),
                       run.ended_us, run.reason);
    const auto journal = store.journal(run.id, 0);
    if (journal)
      for (const JournalRow& row : *journal)
        all += fmt::format("{} {} {}\n", row.kind, row.time_us, row.payload);
  }
  for (const auto& [key, deed] : tenant_.deeds())
    all += fmt::format("{} {} {} {}\n", key, deed.operation, deed.times, deed.time_us);
  return sha256_hex(all);
}

void Simulation::check_rest() {
  runtime_.reset();
  store_.reset();
  auto opened = SqliteStore::open(kPath, {.max_bytes = 0, .vfs = disk_.vfs()});
  if (!opened) return problems_.push_back(opened.error().message);
  SqliteStore& store = **opened;
  const std::vector<RunRow> runs = all_runs(store);
  for (const RunRow& run : runs) ++counts_.runs_over[std::string(run_state_name(run.state))];
  counts_.runs = runs.size();
  journal_ = digest(store, runs);
  if (options_.until != 0 || !problems_.empty()) return;
  check_crash();
  check_promises(store, promises_, problems_);
  check_ends(store, runs, problems_);
  check_deeds(store, runs, tenant_, problems_);
  check_guardrails(store, runs, expected_, promises_, tenant_, problems_);
  check_leases(store, runs, expected_, tenant_, problems_);
  check_shadows(runs, tenant_, problems_);
  if (is_protected_ && !has_lifted_) check_protected(runs, tenant_, problems_);
  check_audited(store, runs, tenant_, problems_);
  for (const RunRow& run : runs) {
    counts_.leases += is_lease(run) ? 1 : 0;
    counts_.shadows += is_shadow(run.flow) ? 1 : 0;
  }
  for (const RunRow& run : runs)
    if (versions_.contains("after_failure") && run.state == RunState::Failed && run.trigger != "run.failed" &&
        !is_shadow(run.flow))
      expected_.events.emplace("after_failure", run.id);
  // A schedule fires at each full half hour.
  if (versions_.contains("hourly") && expected_.is_clock_steady)
    for (std::int64_t us = (deployed_us_ / (30 * kMinute) + 1) * 30 * kMinute; us < end_us_;
         us += 30 * kMinute)
      expected_.events.emplace("hourly", format_time_us(us));
  for (const auto& client : clients_)
    if (!client->is_told &&
        std::ranges::any_of(runs, [&](const RunRow& run) { return run.key == client->key; }))
      expected_.events.emplace(client->flow, client->key);
  check_events(runs, expected_, problems_);
}

SimulationResult Simulation::run() {
  tenant_.pass_until(kBegin);
  tenant_.is_cut = [this] { return disk_.is_down(); };
  tenant_.on_sent = [this](const OperationCall& call) { check_spared(call); };
  tenant_.on_done = [this](const Deed& deed) {
    say("the tenant does {} for {}", deed.operation, deed.key);
    if (deed.times > 1 && !deed.may_be_repeated)
      problems_.push_back(fmt::format("{} ({}) happened twice", deed.key, deed.operation));
    answer_later(deed);
  };
  draw_flows();
  boot();  // from here on no event may be lost
  deployed_us_ = clock_.now_us();
  draw_script();
  go_until(end_us_);
  if (!is_over()) come_to_rest();
  SimulationResult result;
  result.step = counts_.steps;
  check_rest();
  counts_.seeds = 1;
  counts_.simulated_us = tenant_.now_us() - kBegin;
  counts_.disk = disk_.counts();
  counts_.tenant = tenant_.counts();
  result.problems = problems_;
  result.counts = counts_;
  result.journal = journal_;
  return result;
}

SimulationResult simulate(const SimulationOptions& options) {
  return Simulation(options).run();
}

}  // namespace flow::test
