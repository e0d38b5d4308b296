// What the audit trail costs: commits of 64 runs each, to SQLite with synchronous=FULL on the disk of the
// current folder, with the rows of the trail and without them, in turn.
//
//   cd build/release && ./bench_store
//
// Begin: 64 runs begin, each with an event of 3 KB, and its first call goes out: an act, so that the trail
// gets two rows a run. Act: 64 acts are answered, and their runs end: two rows, too. `with` and `without` are
// medians in microseconds of processor time, the disk's is not in them; `wall` are the medians with it.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>

#include "runtime/auditing.hpp"
#include "runtime/sqlite_store.hpp"

namespace flow::test {
namespace {

constexpr int kRuns = 64;
constexpr std::int64_t kNowUs = 1'795'000'000'000'000;

double cpu_us() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

double wall_us() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::micro>(since).count();
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

RunRow run_row(int number) {
  RunRow row;
  row.id = fmt::format("01J{:023}", number);
  row.tenant = "contoso";
  row.flow = "isolate_high";
  row.module = std::string(64, 'a');
  row.trigger = "defender.alert.new";
  row.key = fmt::format("da6393092425700306{:08}_256348985", number);
  row.machine = fmt::format("72a0dbec3a0ea29f08131b0b57baacc7{:08}", number);
  row.created_us = kNowUs;
  return row;
}

JournalRow entry(const RunRow& run, std::uint32_t sequence, const Entry& what) {
  return {run.id, sequence, static_cast<int>(kind_of(what)), kNowUs, encode_entry(what)};
}

Operation isolate() {
  Operation operation;
  operation.connector = "defender";
  operation.name = "isolate";
  operation.effect = Effect::Act;
  operation.targets = "machine";
  return operation;
}

// What the loop puts into its batch, and how it makes the rows of the trail, is in the time.
Batch begin(int first, bool is_audited) {
  static const Operation kIsolate = isolate();
  static const std::string kEvent = fmt::format(R"({{"filler":"{}"}})", std::string(3000, 'x'));
  Batch batch;
  for (int i = 0; i < kRuns; ++i) {
    const RunRow run = run_row(first + i);
    const Call call{
        .number = 1,
        .arguments = fmt::format(R"({{"machine":"{}","comment":"Isolated by Flow"}})", run.machine),
        .line = 5};
    const Entry intent = IntentEntry{1, 1, "defender.isolate", call.arguments, 5};
    batch.journal.push_back(entry(run, 0, StartedEntry{kEvent}));
    batch.journal.push_back(entry(run, 1, EnteredEntry{}));
    batch.journal.push_back(entry(run, 2, intent));
    if (is_audited) {
      batch.audit.push_back(audit_started(run));
      batch.audit.push_back(*audit_call(run, kIsolate, call, intent, kNowUs));
      batch.audit.back().permission = "Machine.Isolate";
    }
    batch.runs.push_back(run);
  }
  return batch;
}

Batch act(int first, bool is_audited) {
  static const Operation kIsolate = isolate();
  Batch batch;
  for (int i = 0; i < kRuns; ++i) {
    RunRow run = run_row(first + i);
    const Call call{
        .number = 1,
        .arguments = fmt::format(R"({{"machine":"{}","comment":"Isolated by Flow"}})", run.machine),
        .line = 5};
    const Entry answer = OutcomeEntry{
        1, Returned{R"({"id":"2e0d9b74-a381-49aa-8c15-f7b01c526d3e","type":"Isolate","status":"Pending"})"}};
    batch.journal.push_back(entry(run, 3, answer));
    batch.journal.push_back(entry(run, 4, EndedEntry{Ended{Ended::How::Finished, "", {}, 7}}));
    run.state = RunState::Finished;
    run.ended_us = kNowUs + 5;
    if (is_audited) {
      batch.audit.push_back(*audit_call(run, kIsolate, call, answer, kNowUs));
      batch.audit.push_back(audit_ended(run, kNowUs));
    }
    batch.changed_runs.push_back(std::move(run));
  }
  return batch;
}

struct Times {
  std::vector<double> cpu[2], wall[2];

  template <class Make>
  bool clock(Store& store, bool is_audited, const Make& make) {
    const double wall_from = wall_us(), cpu_from = cpu_us();
    const bool done = store.commit(make()).has_value();
    cpu[is_audited].push_back(cpu_us() - cpu_from);
    wall[is_audited].push_back(wall_us() - wall_from);
    return done;
  }
  void tell(benchmark::State& state, const std::string& what) const {
    state.counters[what + "_without"] = median(cpu[0]);
    state.counters[what + "_with"] = median(cpu[1]);
    state.counters[what + "_wall_without"] = median(wall[0]);
    state.counters[what + "_wall_with"] = median(wall[1]);
  }
};

void AuditTrail(benchmark::State& state) {
  const std::string path = fmt::format("store_bench_{}.db", static_cast<std::int64_t>(wall_us()));
  Times begins, acts;
  {
    auto store = SqliteStore::open(path);
    if (!store) return state.SkipWithError(store.error().message.c_str());
    int first = 0;
    for (auto _ : state) {
      for (const bool is_audited : {false, true, true, false}) {
        const bool done = begins.clock(**store, is_audited, [&] { return begin(first, is_audited); }) &&
                          acts.clock(**store, is_audited, [&] { return act(first, is_audited); });
        if (!done) return state.SkipWithError("a commit failed");
        first += kRuns;
      }
    }
  }
  begins.tell(state, "begin");
  acts.tell(state, "act");
  for (const char* suffix : {"", "-wal", "-shm", ".lock"}) std::filesystem::remove(path + suffix);
}

BENCHMARK(AuditTrail)->Unit(benchmark::kMillisecond)->Iterations(100);

}  // namespace
}  // namespace flow::test

BENCHMARK_MAIN();
