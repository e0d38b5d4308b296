// flow demo: the pretend tenant and the runtime in one process, talking over the real wire protocols on
// loopback. A day of alerts arrives in a minute; at the end, what came of it.
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

#include "apps/cli/exit_code.hpp"
#include "apps/cli/terminal.hpp"
#include "apps/server/narrator.hpp"
#include "apps/server/runtime_commands.hpp"
#include "apps/server/setup.hpp"
#include "apps/sim/tenant.hpp"
#include "runtime/sqlite_store.hpp"
#include "stdlib/json/json.hpp"

namespace flow {
namespace {

// The day's end: no alert is left to come, and what came has been worked through.
void stop_after_day(Runtime& runtime, std::uint32_t seconds, const std::atomic<int>& open,
                    const std::atomic<bool>& is_over) {
  using namespace std::chrono;
  const auto end = steady_clock::now() + std::chrono::seconds(seconds + 3);
  while (!is_over && steady_clock::now() < end) std::this_thread::sleep_for(100ms);
  const auto patience = steady_clock::now() + 30s;
  while (!is_over && open > 0 && steady_clock::now() < patience) std::this_thread::sleep_for(100ms);
  runtime.stop();
}

class Audience final : public Narrator {
 public:
  using Narrator::Narrator;
  void run_started(const RunRow& run) override {
    ++open;
    Narrator::run_started(run);
  }
  void run_ended(const RunRow& run) override {
    --open;
    if (run.state == RunState::Failed || run.state == RunState::Parked)
      ++failures[run.flow + ": " + run.reason];
    Narrator::run_ended(run);
  }
  std::atomic<int> open{0};
  std::map<std::string, int> failures;  // flow and reason
};

// A number of the tenant's own count, by the names on the way to it; 0 when it is not there.
std::string tenant_count(const JsonValue& stats, std::initializer_list<std::string_view> names) {
  const JsonValue* at = &stats;
  for (const std::string_view name : names)
    if (at = at->member(name); at == nullptr) return "0";
  return at->kind == JsonValue::Kind::List ? std::to_string(at->items.size()) : text_of(*at);
}

void summarize(const Counters& counters, const Audience& audience, Sim& sim) {
  const auto over = [&](RunState state) {
    const auto found = counters.runs_over.find(state);
    return found == counters.runs_over.end() ? std::uint64_t{0} : found->second;
  };
  const Result<JsonValue> stats = parse_json(sim.ask("GET", "/sim/stats").body);
  const JsonValue none;
  const JsonValue& tenant = stats ? *stats : none;
  fmt::print("\nThe day is over.\n\n");
  fmt::print("  alerts seen       {:>5}   of {} that the tenant raised\n", counters.events_fresh,
             tenant_count(tenant, {"alerts"}));
  fmt::print("  flows run         {:>5}   {} finished, {} failed; {} times a condition was false\n",
             counters.runs_started, over(RunState::Finished), over(RunState::Failed) + over(RunState::Parked),
             counters.skipped_at_once + over(RunState::Skipped));
  fmt::print("  devices isolated  {:>5}   by the tenant's own record\n",
             tenant_count(tenant, {"operations", "machines.isolate", "executed"}));
  std::int64_t mails = 0;
  for (const char* via : {"graph", "smtp", "gmail", "acs"})
    mails += std::stoll(tenant_count(tenant, {"mails", via}));
  fmt::print("  mails sent        {:>5}\n", mails);
  fmt::print("  Defender calls    {:>5}   of {} an hour that the quota allows\n",
             tenant_count(tenant, {"quota", "groups", "defender", "last_hour"}),
             tenant_count(tenant, {"quota", "groups", "defender", "per_hour"}));
  fmt::print("  journal commits   {:>5}   each durable before the next step\n", counters.commits);
  for (const auto& [reason, count] : audience.failures)
    fmt::print("  failed {:>3} times   {}\n", count, reason);
}

Attempt<int> demo(const DemoOptions& options) {
  FLOW_TRY(const std::vector<LoadedModule> modules, load_modules(options.files));
  SimOptions sim_options;
  sim_options.seed = options.seed;
  FLOW_TRY(const std::unique_ptr<Sim> sim, Sim::start(sim_options));
  Config config;
  config.tenants.push_back(sim_tenant(sim->port(), sim->smtp_port(), options.mail));
  FLOW_TRY(const std::unique_ptr<World> world, World::make(config));
  std::string folder = (std::filesystem::temp_directory_path() / "flow-demo-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return error("cannot make a folder for the demo's store");
  FLOW_TRY(const std::unique_ptr<SqliteStore> store, SqliteStore::open(folder + "/flow.db"));
  const std::unique_ptr<Engine> engine = vm_engine();
  Audience audience(wants_colours(STDOUT_FILENO), false);
  RuntimeOptions runtime_options;
  runtime_options.settle_after_us = config.settle_after_us;
  // As often as the API's hourly quota allows beside the calls of the runs.
  runtime_options.poll_interval_us = 3'000'000;
  runtime_options.chosen_route = [&](const std::string& tenant, const Operation& operation) {
    return world->chosen_route(tenant, operation);
  };
  Runtime runtime(*store, world->clock(), world->random(), world->executor(), *engine, runtime_options,
                  &audience);
  FLOW_TRY_STATUS(deploy_all(runtime, config, modules));
  fmt::print(
      "A pretend Defender tenant is at {}, its SMTP server at port {}.\n{} alerts of a day arrive within {} "
      "seconds.\n\n",
      sim->url(), sim->smtp_port(), options.alerts, options.seconds);
  std::fflush(stdout);
  const SimAnswer day = sim->ask(
      "POST", "/sim/day", fmt::format(R"({{"alerts":{},"seconds":{}}})", options.alerts, options.seconds));
  if (day.status != 200 && day.status != 201 && day.status != 202)
    return error(fmt::format("the pretend tenant refused the day: {}", day.body));
  std::atomic<bool> is_over{false};
  std::thread timer([&] { stop_after_day(runtime, options.seconds, audience.open, is_over); });
  Status ran;
  {
    const SignalWatch watch(runtime);
    ran = runtime.run();
  }
  is_over = true;
  timer.join();
  FLOW_TRY_STATUS(ran);
  summarize(runtime.counters(), audience, *sim);
  fmt::print("\nEvery step is kept: flow runs list --store {}/flow.db\n", folder);
  return static_cast<int>(kSuccess);
}

}  // namespace

int run_demo(const DemoOptions& options) {
  const Attempt<int> done = demo(options);
  if (!done) complain(done.error().message);
  leave(done ? *done : done.error().code);
}

}  // namespace flow
