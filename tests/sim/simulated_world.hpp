// The inside of a simulation. Its parts stand in files of their own: script.cpp (what is to happen, drawn
// from the seed before it begins), clients.cpp (people, clients and new versions), reloads.cpp (new
// configurations), simulation.cpp (time, processes, rest).
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "flows.hpp"
#include "invariants.hpp"
#include "runtime/control.hpp"
#include "runtime/runtime.hpp"
#include "runtime/sqlite_store.hpp"
#include "simulation.hpp"

namespace flow::test {

inline constexpr std::int64_t kBegin = 1'795'000'000 * kSecond;
inline constexpr const char* kTenant = "contoso";
inline constexpr const char* kPath = "flow.db";

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
  void draw_reloads();
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
  DeployRequest deploy_request(const SimulatedFlow& flow, DeployRequest::What what);
  void deploy_next();
  void reload(bool is_protected, std::int64_t poll_us, std::int64_t reuse_us);
  void check_spared(const OperationCall& call);
  void come_to_rest();
  void resume_parked();
  ResumeRequest seen_by_a_person(const RunHistory& history) const;

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
  bool is_protected_ = false;  // from the beginning …
  bool has_lifted_ = false;    // … and not always
  bool is_sparing_ = false;    // by the rules that are in force now

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

}  // namespace flow::test
