// How long an alert waits for its isolation, and how many runs a second the durable journal carries: the real
// machine, SQLite with synchronous=FULL on the disk of the current folder, an API that answers at once.
//
//   cd build/release && ./bench_runtime
//
// AlertToIsolation: one alert at a time, as it comes from a poll; the time from the poll's answer until the
// isolation is handed out (two commits: event and fetch, then its outcome and the isolation's intent).
// Burst: a thousand alerts on one page. MetricsOfARun: what counting for Prometheus costs.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <random>
#include <thread>

#include "base/text.hpp"
#include "runtime/metrics.hpp"
#include "runtime/runtime.hpp"
#include "runtime/sqlite_store.hpp"
#include "tests/unit/runtime/isolate_module.hpp"
#include "vm/bytecode/encode.hpp"

namespace flow::test {
namespace {

class SystemClock final : public Clock {
 public:
  std::int64_t now_us() const override {
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::microseconds>(since).count();
  }
};

class SeededRandom final : public Random {
 public:
  std::uint64_t next() override { return engine_(); }

 private:
  std::mt19937_64 engine_{1};
};

std::int64_t tick_us() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(since).count();
}

// Gives `alerts_per_poll` new alerts with each poll until `total` are out, and clocks each isolation.
class Api final : public Executor {
 public:
  Api(int alerts_per_poll, int total) : alerts_per_poll_(alerts_per_poll), total_(total) {
    latencies.reserve(total);
  }

  void perform(OperationCall call, std::function<void(Outcome)> done) override {
    if (call.operation == kListAlerts) return done(Returned{page()});
    if (call.operation == kIsolate)
      latencies.push_back(tick_us() - sent_us_[static_cast<std::size_t>(machine_of(call.arguments))]);
    done(Returned{R"({"id":"2e0d9b74-a381-49aa-8c15-f7b01c526d3e","machineTags":["server","finance"]})"});
  }
  void progress(OperationCall, std::string result, std::function<void(Outcome)> done) override {
    done(Returned{std::move(result)});
  }
  void settle(OperationCall, std::function<void(Settlement)> done) override { done(DidNotHappen{}); }
  bool is_done() const { return latencies.size() >= static_cast<std::size_t>(total_); }

  std::vector<std::int64_t> latencies;

 private:
  static int machine_of(const std::string& arguments) {
    return std::stoi(arguments.substr(arguments.find("m-") + 2));
  }

  std::string page() {
    std::string list;
    const std::string now = format_time_us(SystemClock().now_us());
    for (int i = 0; i < alerts_per_poll_ && next_ < total_; ++i, ++next_) {
      list += fmt::format(
          R"({}{{"id":"da{}","machineId":"m-{}","severity":"High","title":"Beacon","alertCreationTime":"{}","filler":"{}"}})",
          list.empty() ? "" : ",", next_, next_, now, filler_);
      sent_us_.push_back(tick_us());
    }
    // The clock starts when the answer is there.
    std::fill(sent_us_.end() - std::min<std::ptrdiff_t>(alerts_per_poll_, std::ssize(sent_us_)),
              sent_us_.end(), tick_us());
    return "[" + list + "]";
  }

  int alerts_per_poll_;
  int total_;
  int next_ = 0;
  std::vector<std::int64_t> sent_us_;
  std::string filler_ = std::string(3000, 'x');  // a real alert with its evidence is some kilobytes
};

void measure(benchmark::State& state, int alerts_per_poll, int total) {
  const std::string bytes = encode(isolate_by_hand());
  const auto engine = vm_engine();
  std::vector<std::int64_t> latencies;
  std::uint64_t runs = 0, commits = 0;
  for (auto _ : state) {
    const std::string path = fmt::format("runtime_bench_{}.db", tick_us());
    {
      auto store = SqliteStore::open(path);
      if (!store) return state.SkipWithError(store.error().message.c_str());
      SystemClock clock;
      SeededRandom random;
      Api api(alerts_per_poll, total);
      RuntimeOptions options;
      options.poll_interval_us = 2'000;
      Runtime runtime(**store, clock, random, api, *engine, options);
      if (!runtime.deploy("contoso", bytes) || !runtime.recover()) return state.SkipWithError("no start");
      while (!api.is_done() || runtime.runs_in_memory() > 0) {
        const auto has_worked = runtime.step();
        if (!has_worked) return state.SkipWithError(has_worked.error().message.c_str());
        if (!*has_worked) std::this_thread::sleep_for(std::chrono::microseconds(100));
      }
      latencies.insert(latencies.end(), api.latencies.begin(), api.latencies.end());
      runs += runtime.counters().runs_started;
      commits += runtime.counters().commits;
    }
    for (const char* suffix : {"", "-wal", "-shm", ".lock"}) std::filesystem::remove(path + suffix);
  }
  std::sort(latencies.begin(), latencies.end());
  state.counters["p50_us"] = static_cast<double>(latencies[latencies.size() / 2]);
  state.counters["p99_us"] = static_cast<double>(latencies[latencies.size() * 99 / 100]);
  state.counters["max_us"] = static_cast<double>(latencies.back());
  state.counters["runs/s"] = benchmark::Counter(static_cast<double>(runs), benchmark::Counter::kIsRate);
  state.counters["runs/commit"] = static_cast<double>(runs) / static_cast<double>(commits);
}

void AlertToIsolation(benchmark::State& state) {
  measure(state, 1, 1000);
}
void Burst(benchmark::State& state) {
  measure(state, static_cast<int>(state.range(0)), static_cast<int>(state.range(0)));
}

// What a run adds to the metrics, with three calls, a turn and two commits of its own.
void MetricsOfARun(benchmark::State& state) {
  Metrics metrics;
  for (auto _ : state) {
    metrics.add(Metric::RunsStarted, {"contoso", "isolate_high"});
    for (const char* operation : {"defender.get_machine", "defender.isolate", "mail.mail"}) {
      metrics.add(Metric::Calls, {operation, "ok"});
      metrics.observe_us(Metric::CallSeconds, {operation}, 700);
    }
    metrics.observe_us(Metric::TurnSeconds, {}, 500);
    for (int i = 0; i < 2; ++i) {
      metrics.observe_us(Metric::CommitSeconds, {}, 300);
      metrics.observe(Metric::CommitEntries, 3);
    }
    metrics.add(Metric::RunsEnded, {"contoso", "isolate_high", "finished"});
  }
}

BENCHMARK(MetricsOfARun);
BENCHMARK(AlertToIsolation)->Unit(benchmark::kMillisecond)->Iterations(2)->UseRealTime();
BENCHMARK(Burst)->Arg(90)->Arg(2000)->Unit(benchmark::kMillisecond)->Iterations(3)->UseRealTime();

}  // namespace
}  // namespace flow::test

BENCHMARK_MAIN();
