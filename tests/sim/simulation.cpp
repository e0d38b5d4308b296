#include "simulation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <random>
#include <set>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "flows.hpp"
#include "invariants.hpp"
#include "runtime/control.hpp"
#include "runtime/digest.hpp"
#include "runtime/history.hpp"
#include "runtime/json_text.hpp"
#include "runtime/runtime.hpp"
#include "runtime/sqlite_store.hpp"

namespace flow::test {
namespace {

constexpr std::int64_t kBegin = 1'795'000'000 * kSecond;
constexpr const char* kTenant = "contoso";
constexpr const char* kPath = "flow.db";
constexpr std::uint64_t kMostSteps = 2'000'000;
constexpr std::uint64_t kMostTurnsAtOnce = 100'000;

class SetClock final : public Clock {
 public:
  explicit SetClock(const Tenant& tenant) : tenant_(tenant) {}
  std::int64_t now_us() const override { return tenant_.now_us() + ahead_us; }
  std::int64_t ahead_us = 0;

 private:
  const Tenant& tenant_;
};

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t next() override { return engine_(); }

 private:
  std::mt19937_64 engine_;
};

// A client who asks until it is told.
struct Client {
  std::string flow;
  StartRequest::By by = StartRequest::By::Manual;
  std::string key, event;
  bool is_told = false;
};

class Simulation final : public RuntimeObserver {
 public:
  explicit Simulation(const SimulationOptions& options)
      : options_(options),
        random_(options.seed),
        disk_(options.seed * 3 + 1),
        tenant_(options.seed * 3 + 2),
        clock_(tenant_),
        chance_(options.seed * 3 + 3),
        engine_(vm_engine()) {}

  SimulationResult run();

 private:
  // ---- the script
  void draw_flows();
  void draw_script();
  void draw_crashes();
  void draw_weather();
  void draw_disk();
  void draw_clock();
  void draw_requests();
  void at(std::int64_t time_us, std::function<void()> what) { script_.emplace(time_us, std::move(what)); }
  std::uint64_t any(std::uint64_t most) { return most == 0 ? 0 : random_() % most; }
  std::int64_t any_us(std::int64_t most_us) {
    return static_cast<std::int64_t>(any(static_cast<std::uint64_t>(most_us)));
  }
  bool one_in(std::uint64_t n) { return random_() % n == 0; }

  // ---- the world
  void go_until(std::int64_t time_us);
  void step(std::int64_t end_us);
  void advance(std::int64_t to_us);
  bool is_over() const {
    return !problems_.empty() || (options_.until != 0 && counts_.steps >= options_.until);
  }
  void add_alert();
  void ask(const std::shared_ptr<Client>& client);
  void answer_later(const Deed& deed);
  void answer(const std::string& question, const std::string& by, const std::string& preferred);
  void send_messages();
  void deploy_next();
  void come_to_rest();
  void resume_parked();

  // ---- processes
  void boot();
  void end_process(std::int64_t down_us, const char* why);
  void die();
  void end_gracefully();

  void run_started(const RunRow& row) override { flows_of_[row.id] = row.flow; }
  void run_recovered(const RunRow& row) override { flows_of_[row.id] = row.flow; }
  void run_step(const RunRow& row, const JournalRow& entry) override;
  void run_ended(const RunRow& row) override {
    say("run {} of {}: {} {}", row.id, row.flow, run_state_name(row.state), row.reason);
  }

  void check_crash();
  void check_rest();
  std::string digest(Store& store, const std::vector<RunRow>& runs) const;
  std::vector<RunRow> all_runs(Store& store);
  template <class... Parts>
  void say(fmt::format_string<Parts...> text, Parts&&... parts) {
    if (!options_.is_told) return;
    const std::int64_t us = tenant_.now_us() - kBegin;
    fmt::print("{:>7} {:>3}:{:02}:{:02}.{:03} {}\n", counts_.steps, us / kHour, us / kMinute % 60,
               us / kSecond % 60, us / 1000 % 1000, fmt::format(text, std::forward<Parts>(parts)...));
  }

  SimulationOptions options_;
  std::mt19937_64 random_;
  FaultyDisk disk_;
  Tenant tenant_;
  SetClock clock_;
  SeededRandom chance_;
  std::unique_ptr<Engine> engine_;

  std::vector<const SimulatedFlow*> flows_;
  std::map<std::string, std::size_t> versions_;  // of them that are deployed
  std::multimap<std::int64_t, std::function<void()>> script_;
  std::int64_t end_us_ = 0;

  std::unique_ptr<SqliteStore> store_;
  std::unique_ptr<Runtime> runtime_;
  RuntimeOptions runtime_options_;
  std::int64_t boot_at_us_ = 0;
  std::uint64_t turns_at_once_ = 0;
  bool is_resting_ = false;

  Promises promises_;
  Expected expected_;
  std::vector<std::shared_ptr<Client>> clients_;
  std::map<std::string, std::string> flows_of_;
  std::uint64_t alerts_ = 0;
  std::int64_t deployed_us_ = 0;
  Problems problems_;
  std::string journal_;
  SimulationCounts counts_;
};

// ---- the script

void Simulation::draw_flows() {
  const auto& all = simulated_flows();
  for (const SimulatedFlow& flow : all)
    if (one_in(2)) flows_.push_back(&flow);
  if (flows_.empty()) flows_.push_back(&all.front());
  for (const SimulatedFlow* flow : flows_) versions_[flow->name] = 0;
}

void Simulation::draw_weather() {
  const auto level = [&](std::uint32_t most) {
    return one_in(2) ? 0 : static_cast<std::uint32_t>(most + any(most * 4));
  };
  const std::uint64_t spells = any(8);
  for (std::uint64_t i = 0; i < spells; ++i) {
    Weather weather;
    weather.throttled = level(8);
    weather.unavailable = level(8);
    weather.lying = level(12);
    weather.lost_request = level(12);
    weather.lost_answer = level(12);
    weather.broken = level(12);
    weather.silent = level(3);
    weather.garbled = level(40);
    weather.refused = level(60);
    weather.doubled = level(6);
    weather.slow = level(5);
    if (one_in(6)) weather.throttled = 1 + static_cast<std::uint32_t>(any(2));  // a storm
    if (one_in(6)) weather.unavailable = 1 + static_cast<std::uint32_t>(any(2));
    const std::int64_t from_us = kBegin + any_us(end_us_ - kBegin);
    at(from_us, [this, weather] { tenant_.set_weather(weather); });
    at(from_us + any_us(2 * kHour), [this] { tenant_.set_weather({}); });
  }
}

void Simulation::draw_disk() {
  const std::uint64_t spells = one_in(3) ? 0 : any(6);
  for (std::uint64_t i = 0; i < spells; ++i) {
    DiskFaults faults;
    const auto level = [&](std::uint32_t most) {
      return one_in(2) ? 0 : static_cast<std::uint32_t>(most + any(most * 8));
    };
    faults.write_error = level(60);
    faults.short_write = level(60);
    faults.sync_error = level(20);
    faults.read_error = level(300);
    const bool is_full = one_in(3);
    const std::int64_t more = any_us(60'000);
    const std::int64_t from_us = kBegin + any_us(end_us_ - kBegin);
    at(from_us, [this, faults, is_full, more] {
      DiskFaults now = faults;
      if (is_full) now.space_bytes = disk_.used_bytes() + more;
      say("the disk goes wrong{}", is_full ? ", and has little space" : "");
      disk_.set_faults(now);
    });
    at(from_us + any_us(30 * kMinute), [this] { disk_.set_faults({}); });
  }
}

void Simulation::draw_crashes() {
  const std::uint64_t count = any(40);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t changes = 1 + any(one_in(2) ? 12 : 200);
    const std::int64_t time_us = kBegin + any_us(end_us_ - kBegin);
    at(time_us, [this, changes] {
      if (runtime_) disk_.crash_in(changes);
    });
    // In a row: while what the one before left is taken up.
    if (one_in(3))
      for (std::uint64_t more = 1 + any(4); more > 0; --more)
        at(time_us + any_us(3 * kMinute), [this, changes] {
          if (runtime_) disk_.crash_in(1 + changes % 30);
        });
  }
  for (std::uint64_t i = any(4); i > 0; --i)
    at(kBegin + any_us(end_us_ - kBegin), [this] { end_gracefully(); });
}

// Half of the worlds have a clock that is right.
void Simulation::draw_clock() {
  const std::uint64_t kind = any(4);
  if (kind <= 1) return;
  for (std::uint64_t i = 1 + any(4); i > 0; --i) {
    const bool is_back = kind == 2 || one_in(2);
    const std::int64_t by_us = any_us(one_in(2) ? 10 * kSecond : 2 * kHour) * (is_back ? -1 : 1);
    expected_.is_clock_steady = false;
    if (!is_back) expected_.is_clock_never_ahead = false;
    at(kBegin + any_us(end_us_ - kBegin), [this, by_us] {
      ++counts_.clock_settings;
      clock_.ahead_us += by_us;
      say("the clock is set by {} s", by_us / kSecond);
    });
  }
}

void Simulation::draw_requests() {
  for (const SimulatedFlow* flow : flows_) {
    if (flow->start != SimulatedFlow::Start::Webhook && flow->start != SimulatedFlow::Start::Manual) continue;
    for (std::uint64_t i = any(12); i > 0; --i) {
      auto client = std::make_shared<Client>();
      client->flow = flow->name;
      client->key = fmt::format("{}-{}", flow->name, i);
      client->by =
          flow->start == SimulatedFlow::Start::Webhook ? StartRequest::By::Webhook : StartRequest::By::Manual;
      client->event = client->by == StartRequest::By::Manual ? fmt::format(R"({{"number":{}}})", i)
                                                             : R"({"payload":{"a":[1,2]},"headers":{}})";
      clients_.push_back(client);
      at(kBegin + any_us(end_us_ - kBegin), [this, client] { ask(client); });
      if (one_in(4)) at(kBegin + any_us(end_us_ - kBegin), [this, client] { ask(client); });  // asked twice
    }
  }
}

void Simulation::draw_script() {
  end_us_ = kBegin + kHour + any_us(11 * kHour);
  const std::int64_t length_us = end_us_ - kBegin;
  for (std::uint64_t i = 4 + any(60); i > 0; --i) {
    const std::int64_t time_us = kBegin + kMinute + any_us(length_us);
    for (std::uint64_t burst = one_in(8) ? 1 + any(12) : 1; burst > 0; --burst)
      at(time_us, [this] { add_alert(); });
  }
  for (std::uint64_t i = any(6); i > 0; --i)
    at(kBegin + kMinute + any_us(length_us), [this] { deploy_next(); });
  for (std::uint64_t i = any(30); i > 0; --i) at(kBegin + any_us(length_us), [this] { send_messages(); });
  draw_requests();
  draw_weather();
  draw_disk();
  draw_clock();
  draw_crashes();
}

// ---- the world

void Simulation::add_alert() {
  std::vector<const SimulatedFlow*> wanting;
  for (const SimulatedFlow* flow : flows_)
    if (flow->start == SimulatedFlow::Start::Alert) wanting.push_back(flow);
  const bool is_for_nobody = wanting.empty() || one_in(5);
  const SimulatedFlow* const flow = is_for_nobody ? nullptr : wanting[any(wanting.size())];
  const std::string id = fmt::format("da{}", alerts_++);
  const std::uint64_t machine = flow != nullptr && flow->is_on_few_machines ? any(3) : 100 + alerts_;
  tenant_.add_alert(id, flow == nullptr ? "of no interest" : flow->name, fmt::format("{:040x}", machine),
                    one_in(4) ? any_us(kMinute) : 0);
  ++counts_.events;
  if (flow != nullptr) expected_.events.emplace(flow->name, id);
}

void Simulation::ask(const std::shared_ptr<Client>& client) {
  if (is_resting_ && client->is_told) return;
  at(tenant_.now_us() + 5 * kMinute, [this, client] {
    if (!client->is_told) ask(client);
  });
  if (!runtime_) return;
  ++counts_.requests;
  StartRequest request{.by = client->by,
                       .tenant = kTenant,
                       .name = client->flow,
                       .event = client->event,
                       .written = {},
                       .key = client->key};
  runtime_->start(std::move(request), [this, client](const StartAnswer& answer) {
    using How = StartAnswer::How;
    if (disk_.is_down() || answer.how == How::Stopping || answer.how == How::Busy) return;
    if (answer.how == How::NotFound || answer.how == How::Refused)
      return problems_.push_back(fmt::format("request `{}` was refused: {}", client->key, answer.problem));
    client->is_told = true;
    promises_.runs[client->key] = answer.run;
    expected_.events.emplace(client->flow, client->key);
  });
}

// Somebody got a mail with a question: most answer, some days later, and some never do.
void Simulation::answer_later(const Deed& deed) {
  const std::size_t slash = deed.key.find('/');
  if (deed.key.find('-') > slash || one_in(6)) return;
  const std::string question = deed.key.substr(0, slash);
  const std::string by = json_string(json_member(deed.arguments, "to").value_or("")).value_or("");
  const std::string preferred = one_in(3) ? kRefuse : kApprove;
  at(tenant_.now_us() + any_us(one_in(2) ? 5 * kMinute : 4 * kHour),
     [this, question, by, preferred] { answer(question, by, preferred); });
}

void Simulation::answer(const std::string& question, const std::string& by, const std::string& preferred) {
  const auto again = [this, question, by, preferred] {
    if (!is_over())
      at(tenant_.now_us() + kMinute, [this, question, by, preferred] { answer(question, by, preferred); });
  };
  if (!runtime_) return again();
  const auto row = store_->question(question);
  if (!row || !*row) return row ? void() : again();
  const std::vector<std::string>& options = (*row)->options;
  if (options.empty()) return;
  const bool is_choice = std::ranges::find(options, preferred) == options.end();
  const std::string said = is_choice ? options[any(options.size())] : preferred;
  const std::string person = by.empty() ? (*row)->people.front() : by;
  runtime_->answer({.question = question, .answer = said, .by = person, .via = "link"},
                   [this, question, said, again](const AnswerReply& reply) {
                     if (disk_.is_down()) return;
                     if (reply.how == AnswerReply::How::Stopping) return again();
                     if (reply.how != AnswerReply::How::Recorded) return;
                     ++counts_.answers;
                     promises_.answers[question] = said;
                     say("{} is answered by {}", question, said);
                   });
}

void Simulation::send_messages() {
  if (!runtime_) return;
  const auto open =
      store_->list_questions({.tenant = {}, .run = {}, .state = QuestionRow::State::Open, .before_id = {}});
  if (!open) return;
  for (const QuestionRow& question : *open) {
    if (question.kind != QuestionRow::Kind::Receive || one_in(2)) continue;
    const std::string key = fmt::format("m{}", any(3));
    runtime_->send({.run = question.run,
                    .name = question.subject,
                    .payload = R"({"well":true})",
                    .key = key,
                    .from = "client"},
                   [this, run = question.run, key](const MessageReply& reply) {
                     if (disk_.is_down()) return;
                     if (reply.how != MessageReply::How::Kept && reply.how != MessageReply::How::Known)
                       return;
                     ++counts_.messages;
                     promises_.messages.emplace(run, key);
                   });
  }
}

void Simulation::deploy_next() {
  const SimulatedFlow& flow = *flows_[any(flows_.size())];
  versions_[flow.name] = 1 - versions_[flow.name];
  if (!runtime_) return;
  ++counts_.deploys;
  say("{} is deployed in version {}", flow.name, versions_[flow.name] + 1);
  const auto deployed = runtime_->deploy(kTenant, flow.bytes[versions_[flow.name]]);
  if (disk_.is_down()) return die();
  if (!deployed) end_process(any_us(kMinute), deployed.error().message.c_str());
}

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
    for (const SimulatedFlow* flow : flows_)
      if (status) {
        const auto deployed = runtime_->deploy(kTenant, flow->bytes[versions_[flow->name]]);
        if (!deployed) status = tl::unexpected(deployed.error());
      }
    if (status) status = runtime_->recover();
  }
  if (disk_.is_down()) return die();
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
    std::map<std::uint32_t, std::string> in_doubt;
    for (const RunStep& step : (*history)->steps)
      if (step.call) {
        if (step.kind == EntryKind::Intent)
          in_doubt[*step.call] = step.operation;
        else
          in_doubt.erase(*step.call);
      }
    ResumeRequest request{.by = "ann"};
    std::erase_if(in_doubt, [](const auto& call) { return call.second.starts_with("flow."); });
    if (run.reason.find("may or may not have happened") != std::string::npos && in_doubt.size() == 1) {
      const bool is_done = tenant_.deeds().contains(fmt::format("{}/{}", run.id, in_doubt.begin()->first));
      request.fate = is_done ? ResumeRequest::Fate::Happened : ResumeRequest::Fate::DidNotHappen;
      request.result =
          R"({"id":"2e0d9b74-a381-49aa-8c15-f7b01c526d3e","type":"Isolate","requestor":"flow","status":"Pending","creationDateTimeUtc":"2026-01-01T00:00:00Z"})";
      if (in_doubt.begin()->second == "defender.update_alert")
        request.result =
            R"({"id":"da0","severity":"High","status":"New","detectionSource":"Manual","category":"Malware","title":"","description":"","mitreTechniques":[],"comments":[],"evidence":[]})";
      if (in_doubt.begin()->second == "mail.mail") request.result = "null";
    }
    const auto batch = plan_resume(**history, **module, request, clock_.now_us());
    if (!batch) {
      problems_.push_back(fmt::format("run {} of {} is parked ({}) and cannot be resumed: {}", run.id,
                                      run.flow, run.reason, batch.error().message));
      continue;
    }
    ++counts_.resumed;
    if (const Status done = store_->commit(*batch); !done) problems_.push_back(done.error().message);
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
  for (const RunRow& run : runs)
    if (versions_.contains("after_failure") && run.state == RunState::Failed && run.trigger != "run.failed")
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

}  // namespace

SimulationCounts& SimulationCounts::operator+=(const SimulationCounts& other) {
  seeds += other.seeds;
  steps += other.steps;
  runs += other.runs;
  entries += other.entries;
  simulated_us += other.simulated_us;
  power_losses += other.power_losses;
  kills += other.kills;
  store_failures += other.store_failures;
  failed_starts += other.failed_starts;
  graceful_ends += other.graceful_ends;
  deploys += other.deploys;
  clock_settings += other.clock_settings;
  resumed += other.resumed;
  events += other.events;
  requests += other.requests;
  answers += other.answers;
  messages += other.messages;
  for (const auto& [state, count] : other.runs_over) runs_over[state] += count;
  disk += other.disk;
  tenant += other.tenant;
  return *this;
}

SimulationResult simulate(const SimulationOptions& options) {
  return Simulation(options).run();
}

std::string summary(const SimulationCounts& counts) {
  std::string states;
  for (const auto& [state, count] : counts.runs_over) states += fmt::format(", {} {}", count, state);
  const DiskCounts& disk = counts.disk;
  const TenantCounts& tenant = counts.tenant;
  return fmt::format(
      "simulated: {} seeds, {} hours, {} runs{}\n"
      "processes: {} killed at a write, {} of them with the power lost; {} ended by a failed store, {} that "
      "could not start, {} in good "
      "order; {} deploys, {} clock settings\n"
      "disk: {} writes, {} syncs; {} writes lost, {} torn power losses, {} write errors, {} short writes, {} "
      "failed syncs, {} read errors, {} times full\n"
      "tenant: {} calls, {} acts and mails; {} throttled, {} unavailable, {} failed but done, {} lost "
      "requests, {} "
      "lost answers, {} broken off, {} garbled, {} refused, {} answered twice, {} slow; {} looked up\n"
      "people: {} events, {} requests, {} answers, {} messages; {} parked runs resumed",
      counts.seeds, counts.simulated_us / kHour, counts.runs, states, counts.power_losses + counts.kills,
      counts.power_losses, counts.store_failures, counts.failed_starts, counts.graceful_ends, counts.deploys,
      counts.clock_settings, disk.writes, disk.syncs, disk.lost, disk.torn, disk.write_errors,
      disk.short_writes, disk.sync_errors, disk.read_errors, disk.no_space, tenant.calls, tenant.acts,
      tenant.throttled, tenant.unavailable, tenant.lying, tenant.lost_requests, tenant.lost_answers,
      tenant.broken, tenant.garbled, tenant.refused, tenant.doubled_answers, tenant.slow, tenant.lookups,
      counts.events, counts.requests, counts.answers, counts.messages, counts.resumed);
}

}  // namespace flow::test
