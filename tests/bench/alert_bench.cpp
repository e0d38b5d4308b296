// How long an alert waits for its isolation, over real sockets: the whole runtime in this process, the
// pretend tenant beside it on loopback, the journal on the disk of the current folder with synchronous=FULL,
// and `flow check` as a process.
//
//   cd build/release && ./bench_alert [ALERTS]
//
// Alerts come one at a time. The clock starts when the tenant gets the first poll that can bring the alert;
// it stops when it gets the request to isolate. Between the two: the poll's answer, the condition, the commit
// and a connection.
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <thread>
#include <vector>

#include "apps/server/setup.hpp"
#include "apps/sim/json.hpp"
#include "apps/sim/tenant.hpp"
#include "base/text.hpp"
#include "runtime/sqlite_store.hpp"
#include "vm/bytecode/encode.hpp"

namespace flow {
namespace {

using Time = std::chrono::steady_clock::time_point;

double milliseconds(Time from, Time to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

struct Figures {
  double median = 0, p99 = 0, longest = 0;
};

Figures figures(std::vector<double> values) {
  std::ranges::sort(values);
  const auto at = [&](std::size_t percent) {
    return values.at(std::min(values.size() - 1, values.size() * percent / 100));
  };
  return {at(50), at(99), values.back()};
}

// The pretend tenant, which notes when each request reached it.
class Tenant {
 public:
  static Result<Tenant> start() {
    SimOptions options;
    options.has_quota = false;
    options.action_seconds = 0;
    FLOW_TRY(std::unique_ptr<Sim> sim, Sim::start(options));
    Tenant tenant(std::move(sim));
    // Of its own, as not every made-up device can be isolated.
    tenant.sim_->ask(
        "POST", "/sim/machines",
        R"({"computerDnsName": "bench.corp.example.com", "osPlatform": "Windows11", "healthStatus": "Active"})");
    return tenant;
  }
  const Sim& sim() const { return *sim_; }

  // From the first poll that can bring a new alert to its isolation; nothing when that does not come within
  // ten seconds.
  std::optional<double> isolation_ms() {
    const std::int64_t start_us = clock_.now_us();
    sim_->ask("POST", "/sim/alerts", R"({"severity": "High", "computerDnsName": "bench.corp.example.com"})");
    while (clock_.now_us() < start_us + 10'000'000) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      const auto isolated_us = first_request_us("machines.isolate", start_us);
      const auto polled_us = first_request_us("alerts.list", start_us);
      if (isolated_us && polled_us) return static_cast<double>(*isolated_us - *polled_us) / 1000;
    }
    return std::nullopt;
  }

 private:
  explicit Tenant(std::unique_ptr<Sim> sim) : sim_(std::move(sim)) {}

  // Of the last few requests, the first of this operation at or after `since_us`.
  std::optional<std::int64_t> first_request_us(std::string_view operation, std::int64_t since_us) const {
    const auto page = sim::parse_json(sim_->ask("GET", "/sim/requests?last=12").body);
    if (!page) return std::nullopt;
    for (const sim::Json& request : (*page)["value"].items()) {
      const auto time_us = parse_time_us(request["time"].text());
      if (time_us && *time_us >= since_us && request["operation"].text() == operation) return time_us;
    }
    return std::nullopt;
  }

  SystemClock clock_;
  std::unique_ptr<Sim> sim_;
};

// The runtime on a thread of its own, until this is gone.
class Service {
 public:
  static Result<std::unique_ptr<Service>> start(const Sim& sim, const std::string& store) {
    auto service = std::make_unique<Service>();
    service->config_.tenants.push_back(sim_tenant(sim.port(), sim.smtp_port(), "graph"));
    FLOW_TRY(service->world_, World::make(service->config_));
    FLOW_TRY(service->store_, SqliteStore::open(store));
    FLOW_TRY_STATUS(service->deploy());
    service->thread_ = std::thread([raw = service.get()] { static_cast<void>(raw->runtime_->run()); });
    return service;
  }
  ~Service() {
    if (!thread_.joinable()) return;
    runtime_->stop();
    thread_.join();
  }

 private:
  Status deploy() {
    const World& world = *world_;
    RuntimeOptions options;
    options.poll_interval_us = 25'000;
    options.look_back_us = 3'600'000'000;
    options.chosen_route = [&world](const std::string& tenant, const Operation& operation) {
      return world.chosen_route(tenant, operation);
    };
    engine_ = vm_engine();
    runtime_ = std::make_unique<Runtime>(*store_, world_->clock(), world_->random(), world_->executor(),
                                         *engine_, options);
    auto modules = load_modules({FLOW_SOURCE_DIR "/examples/isolate-high.flow"});
    if (!modules) return error(modules.error().message);
    for (LoadedModule& module : *modules) FLOW_TRY_STATUS(without_quota(module));
    return deploy_all(*runtime_, config_, *modules);
  }
  static Status without_quota(LoadedModule& module);

  Config config_;
  std::unique_ptr<World> world_;
  std::unique_ptr<SqliteStore> store_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Runtime> runtime_;
  std::thread thread_;
};

// The API's quota is a hundred calls a minute; keeping to it would measure that.
Status Service::without_quota(LoadedModule& loaded) {
  FLOW_TRY(Module module, decode(loaded.bytes));
  for (Operation& operation : module.operations)
    for (Route& route : operation.routes) route.quota = {};
  loaded.bytes = encode(module);
  return {};
}

// A folder below the current one, as /tmp may be memory.
class Folder {
 public:
  Folder() : path_(fmt::format("bench-alert-{}", getpid())) { std::filesystem::create_directory(path_); }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string path(const char* name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

Result<Figures> alerts_to_isolations(std::size_t alerts) {
  const Folder folder;
  FLOW_TRY(Tenant tenant, Tenant::start());
  FLOW_TRY(const std::unique_ptr<Service> service, Service::start(tenant.sim(), folder.path("flow.db")));
  constexpr std::size_t kWarmUp = 10;  // tokens, connections
  std::vector<double> waits_ms;
  for (std::size_t i = 0; i < kWarmUp + alerts; ++i) {
    const std::optional<double> wait_ms = tenant.isolation_ms();
    if (!wait_ms) return error(fmt::format("alert {} was not followed by an isolation", i));
    if (i >= kWarmUp) waits_ms.push_back(*wait_ms);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));  // the mail goes out meanwhile
  }
  return figures(std::move(waits_ms));
}

// One run of `flow check` on the first example, from start to end.
std::optional<double> check_ms() {
  std::string program = FLOW_BINARY_DIR "/flow", command = "check",
              file = FLOW_SOURCE_DIR "/examples/isolate-high.flow";
  char* words[] = {program.data(), command.data(), file.data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", 1, 0);
  pid_t process = 0;
  const Time start = std::chrono::steady_clock::now();
  const bool has_started = posix_spawn(&process, program.c_str(), &actions, nullptr, words, environ) == 0;
  posix_spawn_file_actions_destroy(&actions);
  int status = 1;
  if (!has_started || waitpid(process, &status, 0) != process || status != 0) return std::nullopt;
  return milliseconds(start, std::chrono::steady_clock::now());
}

Result<Figures> checks(std::size_t runs) {
  std::vector<double> all_ms;
  for (std::size_t i = 0; i < runs; ++i) {
    const std::optional<double> one_ms = check_ms();
    if (!one_ms) return error("`flow check` did not run through");
    all_ms.push_back(*one_ms);
  }
  return figures(std::move(all_ms));
}

Result<int> bench(std::size_t alerts) {
  FLOW_TRY(const Figures check, checks(50));
  fmt::print("flow check isolate-high.flow, 50 runs: median {:.1f} ms, longest {:.1f} ms\n", check.median,
             check.longest);
  FLOW_TRY(const Figures wait, alerts_to_isolations(alerts));
  fmt::print("alert to isolation request, {} alerts: p50 {:.1f} ms, p99 {:.1f} ms, longest {:.1f} ms\n",
             alerts, wait.median, wait.p99, wait.longest);
  fmt::print("check: {:.1f} ms median of `flow check`\n", check.median);
  fmt::print("alert: {:.1f} ms p99 from alert to isolation request\n", wait.p99);
  return 0;
}

}  // namespace
}  // namespace flow

int main(int argc, char** argv) {
  const std::size_t alerts = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 300;
  const flow::Result<int> result = flow::bench(std::max<std::size_t>(alerts, 1));
  if (!result) fmt::print(stderr, "bench_alert: {}\n", result.error().message);
  flow::leave(result ? 0 : 1);
}
