// `kill -9` hundreds of times, at random instants under load, on a real disk: services with a tenant of their
// own each, two at a time, whose record is then compared with the journal, call by call. FLOW_KILLS says how
// many kills there are, FLOW_KILL_SEED from where chance begins. A tenant lives through a few: its quota,
// which outlives the processes, does not allow for more acts within a minute.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "runtime/sqlite_store.hpp"
#include "scene.hpp"

namespace flow::e2e {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr const char* kFlow = R"(
flow contain on alert.new when severity == High do {
    isolate(machineId, comment: title)
    wait 20ms
    run_antivirus_scan(machineId, comment: title)
    restrict_app_execution(machineId, comment: title)
})";
constexpr std::size_t kActsOfARun = 3;
constexpr int kMeasuredStarts = 3;
constexpr int kKillsOfAWorld = 15;
constexpr std::size_t kMostRuns = 8;

int number_of(const char* name, int otherwise) {
  const char* const said = std::getenv(name);
  return said == nullptr ? otherwise : std::atoi(said);
}

// What became of one world, for the table.
struct Tally {
  int kills = 0;
  std::chrono::milliseconds start{};  // median, until it polls
  std::size_t alerts = 0, runs = 0, acts = 0, recovered = 0, resumed = 0;
  std::size_t doubled = 0;  // acts that happened twice
  std::size_t lost = 0;     // events without a run, acts that the journal has and the tenant has not
  std::size_t unknown = 0;  // acts of which no journal knows

  Tally& operator+=(const Tally& other) {
    kills += other.kills;
    alerts += other.alerts;
    runs += other.runs;
    acts += other.acts;
    recovered += other.recovered;
    resumed += other.resumed;
    doubled += other.doubled;
    lost += other.lost;
    unknown += other.unknown;
    return *this;
  }
};

class World {
 public:
  World(unsigned seed, int kills) : random_(seed), scene_(static_cast<std::size_t>(kills) * 3 + 50) {
    tally_.kills = kills;
    flow_ = scene_.folder().write("contain.flow", kFlow);
    for (const Json& machine : scene_.list("machines"))
      if (machine["osPlatform"].text() == "Windows10" || machine["osPlatform"].text() == "Windows11")
        machines_.emplace_back(machine["id"].text());
  }

  Tally live() {
    // Slow answers, so that calls are out when the process dies.
    scene_.control("faults", R"([{"match": "POST /api/machines/*/isolate", "delay_ms": 25, "times": 100000},
                                 {"match": "POST /api/machines/*/runAntiVirusScan", "delay_ms": 15, "times": 100000},
                                 {"match": "POST /api/machines/*/restrictCodeExecution", "delay_ms": 25, "times": 100000}])");
    for (int i = 0; i < kMeasuredStarts; ++i) measure_start();
    std::ranges::sort(starts_);
    tally_.start = starts_[starts_.size() / 2];
    for (int i = 0; i < tally_.kills; ++i) live_for_a_while();
    finish();
    compare();
    return tally_;
  }

 private:
  std::chrono::milliseconds any_ms(int most) {
    return std::chrono::milliseconds(std::uniform_int_distribution<int>(0, most)(random_));
  }
  // Polls count to the quota that the acts have, too.
  Arguments serve(const std::string& poll_every) const {
    Arguments words = scene_.serve({flow_}, {"--quiet"});
    std::ranges::replace(words, "50ms", poll_every);
    return words;
  }

  void add_alert() {
    if (high_.size() >= std::min(machines_.size(), kMostRuns)) return;
    const bool is_high = random_() % 4 != 0;
    const Json alert =
        scene_.inject(fmt::format(R"({{"severity": "{}", "machineId": "{}"}})", is_high ? "High" : "Low",
                                  machines_[is_high ? high_.size() : 0]));
    ++tally_.alerts;
    if (is_high) high_.emplace(alert["id"].text());
  }

  // From its start until it asks the tenant for the first time.
  void measure_start() {
    const std::int64_t before = scene_.requests("alerts.list");
    const auto begin = Clock::now();
    Process service("flow", serve("10s"));
    EXPECT_TRUE(eventually([&] { return scene_.requests("alerts.list") > before; })) << service.err();
    starts_.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin));
    service.kill();
  }

  // Also while it starts, and while it takes up what the one before it left.
  void live_for_a_while() {
    Process service("flow", serve("10s"));
    const int start_ms = static_cast<int>(tally_.start.count());
    const auto end = Clock::now() + any_ms(start_ms + 20 + static_cast<int>(random_() % 150));
    if (random_() % 4 != 0) add_alert();
    while (Clock::now() < end) {
      std::this_thread::sleep_for(std::min<Clock::duration>(any_ms(40), end - Clock::now()));
      if (random_() % 4 == 0) add_alert();
    }
    service.kill();
  }

  // A run that was there three times when the process ended waits for a person, as it should.
  void finish() {
    for (int i = 0; i < 100; ++i) {
      {
        Process service("flow", serve("2s"));
        EXPECT_TRUE(eventually([&] { return is_all_over(); }, 180s)) << service.out() << service.err();
        service.send(SIGTERM);
        service.wait();
      }
      std::size_t parked = 0;
      for (const RunRow& run : all_runs()) {
        if (run.state != RunState::Parked) continue;
        ++parked;
        EXPECT_TRUE(run.reason.starts_with("the process ended 3 times")) << run.reason;
        EXPECT_EQ(run_flow({"runs", "resume", run.id, "--store", scene_.store()}).exit_code, 0);
      }
      tally_.resumed += parked;
      if (parked == 0) return;
    }
    ADD_FAILURE() << "runs are parked again and again";
  }

  bool is_all_over() const {
    const std::vector<RunRow> runs = all_runs();
    return runs.size() >= high_.size() &&
           std::ranges::none_of(runs, [](const RunRow& run) { return run.state == RunState::Running; });
  }

  std::vector<RunRow> all_runs() const {
    std::vector<RunRow> all;
    const auto store = SqliteStore::open_read_only(scene_.store());
    RunFilter filter;
    filter.limit = kMaxListedRuns;
    if (store) all = (*store)->list_runs(filter).value_or(std::vector<RunRow>());
    return all;
  }

  void compare() {
    std::map<std::string, int> done;  // by the key of the call, which the tenant keeps
    for (const Json& action : scene_.list("actions")) {
      const std::string comment(action["requestorComment"].text());
      const std::size_t at = comment.rfind('[');
      ++done[comment.substr(at + 1, comment.rfind(']') - at - 1)];
    }
    std::set<std::string> known, events;
    for (const RunRow& run : all_runs()) {
      ++tally_.runs;
      events.insert(run.key);
      EXPECT_EQ(run.state, RunState::Finished) << run.id << ": " << run.reason;
      std::size_t acts = 0;
      for (const RunStep& step : scene_.steps(run.id)) {
        EXPECT_FALSE(step.is_damaged) << step.text;
        tally_.recovered += step.kind == EntryKind::Recovered;
        if (!step.call || step.operation.starts_with("flow.")) continue;
        const std::string key = fmt::format("{}/{}", run.id, *step.call);
        known.insert(key);
        if (step.kind != EntryKind::Answered || step.fault) continue;
        ++acts;
        tally_.lost += !done.contains(key);
      }
      EXPECT_EQ(acts, kActsOfARun) << run.id;
    }
    for (const std::string& alert : high_) tally_.lost += !events.contains(alert);
    for (const auto& [key, times] : done) {
      tally_.doubled += times > 1;
      tally_.unknown += !known.contains(key);
      ++tally_.acts;
    }
  }

  std::mt19937 random_;
  Scene scene_;
  std::string flow_;
  std::vector<std::string> machines_;
  std::vector<std::chrono::milliseconds> starts_;
  std::set<std::string> high_;  // alerts
  Tally tally_;
};

TEST(KillUnderLoad, NothingIsLostOrDoneTwice) {
  const int kills = number_of("FLOW_KILLS", 300);
  const auto seed = static_cast<unsigned>(number_of("FLOW_KILL_SEED", 1));
  const auto begin = Clock::now();
  Tally all;
  for (unsigned world = 0; all.kills < kills; world += 2) {
    Tally first, second;
    std::thread other([&] { second = World(seed + world + 1, kKillsOfAWorld).live(); });
    first = World(seed + world, kKillsOfAWorld).live();
    other.join();
    all.start = first.start;
    all += first;
    all += second;
  }
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - begin).count();
  fmt::print(
      "kills  alerts    runs    acts  recovered  resumed  doubled    lost  unknown  start ms  seconds\n");
  fmt::print("{:>5}  {:>6}  {:>6}  {:>6}  {:>9}  {:>7}  {:>7}  {:>6}  {:>7}  {:>8}  {:>7}\n", all.kills,
             all.alerts, all.runs, all.acts, all.recovered, all.resumed, all.doubled, all.lost, all.unknown,
             all.start.count(), seconds);
  EXPECT_EQ(all.doubled, 0u) << "seed " << seed;
  EXPECT_EQ(all.lost, 0u) << "seed " << seed;
  EXPECT_EQ(all.unknown, 0u) << "seed " << seed;
  EXPECT_EQ(all.acts, all.runs * kActsOfARun) << "seed " << seed;
  EXPECT_GT(all.recovered, static_cast<std::size_t>(kills) / 10)
      << "it was killed while nothing was under way";
}

}  // namespace
}  // namespace flow::e2e
