// flow backtest: what flows would have done, had they run. The events of the past go through the same runtime
// as `serve`, with its policies, in the time of the events; nothing that acts or notifies is performed.
#include <fmt/format.h>

#include <memory>

#include "apps/cli/terminal.hpp"
#include "apps/server/backtest_executor.hpp"
#include "apps/server/backtest_report.hpp"
#include "apps/server/params.hpp"
#include "apps/server/runtime_commands.hpp"
#include "apps/server/setup.hpp"
#include "runtime/sqlite_store.hpp"
#include "vm/bytecode/encode.hpp"

namespace flow {
namespace {

constexpr std::size_t kMostBytes = 1u << 30;  // of a file of events
// Runs that wait behind the last event are followed for so long.
constexpr std::int64_t kBeyondUs = std::int64_t{31} * 86'400'000'000;

// Chance that is the same each time.
class SameRandom final : public Random {
 public:
  std::uint64_t next() override { return engine_(); }

 private:
  std::mt19937_64 engine_{1};
};

Attempt<Config> config_for(const BacktestOptions& options) {
  Config config;
  if (options.config.empty() && !options.sim) {
    if (options.events.empty())
      return failure("--since asks a tenant: name a configuration with --config flow.toml", kUsage);
    config.tenants.push_back({.name = "backtest", .access = {}});
    return config;
  }
  FLOW_TRY(config, choose_config({options.config, options.sim, options.sim_port, 0, "graph"}));
  if (!options.tenant.empty())
    std::erase_if(config.tenants, [&](const TenantConfig& tenant) { return tenant.name != options.tenant; });
  if (config.tenants.empty())
    return failure(fmt::format("the configuration has no tenant `{}`", options.tenant), kUsage);
  if (config.tenants.size() > 1)
    return failure("the configuration has several tenants; choose one with --tenant", kUsage);
  return config;
}

Status run_through(Runtime& runtime, PastClock& clock, std::int64_t end_us) {
  for (;;) {
    FLOW_TRY_STATUS(runtime.run_until_idle());
    const std::int64_t next_us = runtime.next_wake_us();
    if (next_us == kNever || next_us > end_us) return {};
    clock.now = std::max(clock.now, next_us);
  }
}

Attempt<int> backtest(const BacktestOptions& options) {
  if (options.events.empty() == (options.since_us == 0))
    return failure("say what to try it on: --since 30d, or --events FILE", kUsage);
  FLOW_TRY(Config config, config_for(options));
  FLOW_TRY(const std::vector<LoadedModule> modules, load_modules({options.file}));
  FLOW_TRY_STATUS(set_params(options.params, modules.front(), config));
  FLOW_TRY(const Module module, decode(modules.front().bytes));
  std::vector<PastSource> sources = past_sources(module);
  if (sources.empty())
    return failure(
        fmt::format("`{}` has no flow that events of the past start, as those on alert.new do", options.file),
        kUsage);
  GivenAnswers answers;
  if (!options.answers.empty()) {
    FLOW_TRY(const std::string text, read_file(options.answers, kMostBytes));
    auto given = read_answers(text);
    if (!given) return error(fmt::format("`{}`: {}", options.answers, given.error().message));
    answers = std::move(*given);
  }
  const std::string tenant = config.tenants.front().name;
  const bool has_tenant = !options.config.empty() || options.sim;
  std::unique_ptr<World> world;
  if (has_tenant) {
    FLOW_TRY(world, World::make(config));
  }
  PastClock clock;
  BacktestExecutor executor(world ? &world->executor() : nullptr, clock, {}, std::move(answers));
  if (!options.events.empty()) {
    FLOW_TRY(const std::string text, read_file(options.events, kMostBytes));
    if (const Status added = add_events(text, sources); !added)
      return error(fmt::format("`{}`: {}", options.events, added.error().message));
  } else {
    const std::int64_t now_us = world->clock().now_us();
    const auto ask = [&](std::uint32_t operation, const std::string& arguments) {
      return executor.ask(
          {.tenant = tenant, .module = &module, .operation = operation, .arguments = arguments, .key = {}});
    };
    FLOW_TRY_STATUS(fetch_events(module, now_us - options.since_us, now_us, ask, sources));
  }
  executor.add(std::move(sources));
  BacktestReport report(module);
  report.events = executor.events();
  if (report.events > 0) {
    report.first_us = executor.first_us();
    report.last_us = executor.last_us();
    FLOW_TRY(const std::unique_ptr<SqliteStore> store, SqliteStore::open(":memory:"));
    const std::unique_ptr<Engine> engine = vm_engine(config.limits);
    SameRandom random;
    RuntimeOptions runtime_options;
    runtime_options.waits_for = RuntimeOptions::WaitsFor::PollsAndRequests;
    runtime_options.look_back_us = std::int64_t{50} * 365 * 86'400'000'000;
    runtime_options.performs_nothing = true;
    runtime_options.protections = config.protections;
    runtime_options.next_poll_us = [&](std::int64_t now_us) { return executor.next_event_us(now_us); };
    clock.now = report.first_us;
    Runtime runtime(*store, clock, random, executor, *engine, runtime_options, &report);
    FLOW_TRY_STATUS(deploy_all(runtime, config, modules));
    FLOW_TRY_STATUS(run_through(runtime, clock, report.last_us + kBeyondUs));
  }
  report.end();
  say(stdout, options.json ? report.json() : report.text());
  return static_cast<int>(kSuccess);
}

}  // namespace

int run_backtest(const BacktestOptions& options) {
  const Attempt<int> result = backtest(options);
  if (!result) return complain(result.error().message), result.error().code;
  return *result;
}

}  // namespace flow
