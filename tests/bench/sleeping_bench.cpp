// What runs cost that only wait: a million of them in the store, each waiting for days.
//
//   cd build/release && ./bench_sleeping [RUNS]
//
// One run is put to sleep by the runtime. The store then gets the others, each with rows like those of the
// first. Measured is the service that starts with them, as a process: the time until it listens, its memory
// once it has been up for a while, the store's file. And the start with an empty store, 20 times.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "apps/server/setup.hpp"
#include "apps/server/world.hpp"
#include "runtime/run_id.hpp"
#include "runtime/runtime.hpp"
#include "runtime/sqlite_store.hpp"
#include "tests/bench/durable/service.hpp"

namespace flow::bench {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFlow = FLOW_SOURCE_DIR "/tests/bench/durable/sleeping.flow";
constexpr std::size_t kRunsACommit = 1000;

constexpr const char* kConfig = R"([store]
path = "flow.db"

[http]
listen = "127.0.0.1:0"

[api]
token_env = "BENCH_TOKEN"

[tenants.bench]
tenant_id = "7d0c9b2e-3a51-4f6b-8e27-90b4d1c6a5f3"
client_id = "0b6e4d92-71c3-4f58-a1d7-3e90c5b2f846"
client_secret_env = "BENCH_TOKEN"
)";

// Calls nobody: the flow only waits.
class Nobody final : public Executor {
 public:
  void perform(OperationCall, std::function<void(Outcome)> done) override { done(Fault{}); }
  void progress(OperationCall, std::string, std::function<void(Outcome)> done) override { done(Fault{}); }
  void settle(OperationCall, std::function<void(Settlement)> done) override { done(DidNotHappen{}); }
};

// The first one; gives its ID.
Result<std::string> put_one_to_sleep(SqliteStore& store) {
  auto modules = load_modules({kFlow});
  if (!modules) return error(modules.error().message);
  Config config;
  config.tenants.emplace_back().name = "bench";
  const SystemClock clock;
  SystemRandom random;
  Nobody nobody;
  const std::unique_ptr<Engine> engine = vm_engine();
  Runtime runtime(store, clock, random, nobody, *engine, {});
  FLOW_TRY_STATUS(deploy_all(runtime, config, *modules));
  StartAnswer answer;
  runtime.start(
      {.tenant = "bench",
       .name = "remind",
       .event =
           R"({"ticket":"INC-2026-0004711","machine":"7b1f4967d9728e5aa3c06a9e617a22a4a5a17378","owner":"b.kowalski@contoso.com"})",
       .written = {},
       .key = {}},
      [&](const StartAnswer& given) { answer = given; });
  FLOW_TRY_STATUS(runtime.run_until_idle(1000));
  FLOW_TRY_STATUS(runtime.drain(clock.now_us() + 1'000'000));
  if (answer.run.empty()) return error("no run was started: " + answer.problem);
  return answer.run;
}

// Others like it.
Status multiply(SqliteStore& store, const std::string& first, std::size_t runs) {
  FLOW_TRY(const auto row, store.run(first));
  FLOW_TRY(const auto journal, store.journal(first, 0));
  FLOW_TRY(const auto frozen, store.frozen(first));
  if (!row || !frozen) return error("the run is not asleep");
  const SystemClock clock;
  SystemRandom random;
  RunIds ids(clock, random);
  for (std::size_t done = 1; done < runs;) {
    Batch batch;
    for (; batch.runs.size() < kRunsACommit && done < runs; ++done) {
      RunRow run = *row;
      run.id = ids.next();
      run.key = fmt::format("{:08x}{}", done, row->key.substr(8));
      run.wake_us = row->wake_us + static_cast<std::int64_t>(done) * 1000;
      for (JournalRow entry : journal) {
        entry.run = run.id;
        batch.journal.push_back(std::move(entry));
      }
      batch.asleep.push_back(
          {.run = run.id, .wake_us = run.wake_us, .sequence = frozen->sequence, .frozen = frozen->frozen});
      batch.runs.push_back(std::move(run));
    }
    FLOW_TRY_STATUS(store.commit(batch));
  }
  return {};
}

struct Service {
  Process process;
  double start_ms = 0;
};

Result<Service> start(const std::string& folder) {
  std::ofstream(folder + "/flow.toml") << kConfig;
  const auto begun = std::chrono::steady_clock::now();
  FLOW_TRY(Process process, Process::start({.command = {FLOW_BINARY_DIR "/flow-runtime", "serve", "--quiet",
                                                        "--config", "flow.toml", kFlow},
                                            .environment = {"BENCH_TOKEN=bench"},
                                            .folder = folder,
                                            .log = folder + "/log"}));
  FLOW_TRY_STATUS(process.wait_for("listening at", 120));
  const double start_ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count();
  return Service{std::move(process), start_ms};
}

Result<int> bench(std::size_t runs, const std::string& folder) {
  std::vector<double> cold_ms, cold_processor_ms;
  for (int i = 0; i < 20; ++i) {
    const std::string own = fmt::format("{}/cold-{}", folder, i);
    fs::create_directories(own);
    FLOW_TRY(const Service service, start(fs::absolute(own)));
    cold_ms.push_back(service.start_ms);
    cold_processor_ms.push_back(1000 * usage({service.process.pid()}, own).processor_s);
  }
  std::ranges::sort(cold_ms);
  std::ranges::sort(cold_processor_ms);
  fmt::print(
      "start with an empty store, 20 times: median {:.0f} ms, longest {:.0f} ms; {:.0f} ms of processor "
      "time\n",
      cold_ms[10], cold_ms.back(), cold_processor_ms[10]);

  const std::string own = fs::absolute(folder + "/million");
  fs::create_directories(own);
  {
    FLOW_TRY(const auto store, SqliteStore::open(own + "/flow.db"));
    FLOW_TRY(const std::string first, put_one_to_sleep(*store));
    FLOW_TRY_STATUS(multiply(*store, first, runs));
  }
  const double bytes = static_cast<double>(usage({}, own).disk_bytes) / static_cast<double>(runs);
  FLOW_TRY(const Service service, start(own));
  const double processor_s = usage({service.process.pid()}, own).processor_s;
  std::this_thread::sleep_for(std::chrono::seconds(3));
  const Usage used = usage({service.process.pid()}, own);
  fmt::print(
      "{} runs asleep: {:.0f} bytes of disk each; started in {:.2f} s, {:.2f} s of processor time; {:.0f} MB "
      "in memory, "
      "{:.0f} MB at most\n",
      runs, bytes, service.start_ms / 1000, processor_s, used.resident_mb, used.highest_mb);
  fmt::print("sleeping: {:.2f} s until the service is ready with {} runs asleep\n", service.start_ms / 1000,
             runs);
  return 0;
}

}  // namespace
}  // namespace flow::bench

int main(int argc, char** argv) {
  const std::size_t runs = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1'000'000;
  setenv("BENCH_TOKEN", "bench", 1);
  const std::string folder = fmt::format("bench-sleeping-{}", getpid());  // /tmp may be memory
  const flow::Result<int> result = flow::bench::bench(std::max<std::size_t>(runs, 1), folder);
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  if (!result) fmt::print(stderr, "bench_sleeping: {}\n", result.error().message);
  std::fflush(stdout);
  flow::leave(result ? 0 : 1);
}
