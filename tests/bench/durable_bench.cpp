// Flows from an HTTP request to its answer with everything durable, Flow beside other engines in one run.
//
//   cd build/release && ./bench_durable durable|e2e [--rounds N] [--seconds S] [--peers FOLDER] [--only NAME]
//
// `durable`: an alert of 4.4 KB is posted, three steps are written down, the request is answered. `e2e`: the
// alert is posted, a condition decides, the alert is read from the tenant, the machine isolated and a mail
// sent, and the request is answered; the tenant is a double. All of them do the same. Rounds are interleaved,
// and medians of rounds are compared.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/bench/durable/contestants.hpp"
#include "tests/bench/durable/tenant.hpp"

namespace flow::bench {
namespace {

struct Options {
  std::string workload;
  int rounds = 5;
  double seconds = 3;
  std::string peers;
  std::string only;  // names that begin so
};

struct Round {
  double flows_per_s = 0, p50_ms = 0, p99_ms = 0, processor_ms = 0, disk_bytes = 0, resident_mb = 0;
  std::uint64_t refusals = 0;
};

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values.empty() ? 0 : values[values.size() / 2];
}

double median(const std::vector<Round>& rounds, double Round::*member) {
  std::vector<double> values;
  for (const Round& round : rounds) values.push_back(round.*member);
  return median(values);
}

std::vector<pid_t> processes(const Contestant& one) {
  std::vector<pid_t> all;
  for (const Process& process : one.processes) all.push_back(process.pid());
  return all;
}

Result<Round> measure(const Contestant& one, std::size_t in_flight, double seconds) {
  Load load = one.load;
  load.in_flight = in_flight;
  load.seconds = seconds;
  const Usage before = usage(processes(one), one.folder);
  auto measured = put_load(load);
  if (!measured) return error(fmt::format("{}: {}", one.name, measured.error().message));
  const Usage after = usage(processes(one), one.folder);
  if (measured->refusals > 0)
    fmt::print(stderr, "{}: {} were refused: {}\n", one.name, measured->refusals, measured->first_refusal);
  const auto flows = static_cast<double>(measured->answers);
  return Round{
      .flows_per_s = flows / measured->seconds,
      .p50_ms = measured->p50_ms,
      .p99_ms = measured->p99_ms,
      .processor_ms = 1000 * (after.processor_s - before.processor_s) / flows,
      .disk_bytes = (static_cast<double>(after.disk_bytes) - static_cast<double>(before.disk_bytes)) / flows,
      .resident_mb = after.highest_mb,
      .refusals = measured->refusals};
}

// A folder below the current one, as /tmp may be memory.
class Folder {
 public:
  explicit Folder(const std::string& name) : path_(fmt::format("bench-{}-{}", name, getpid())) {
    std::filesystem::create_directory(path_);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

Result<std::vector<Contestant>> start_all(const Options& options, const Workload& workload) {
  std::vector<Contestant> all;
  const auto takes_part = [&](std::string_view name) {
    return options.only.empty() || name.starts_with(options.only);
  };
  const auto add = [&](std::string_view name, Result<Contestant> one) {
    if (one) return all.push_back(std::move(*one));
    fmt::print(stderr, "{} takes no part: {}\n", name, one.error().message);
  };
  // What a flow calls goes through one or the other; without calls they are the same.
  for (const char* library : {"cpprest", "curl"})
    if (takes_part("Flow") && (workload.tenant_port != 0 || std::string_view(library) == "cpprest")) {
      FLOW_TRY(Contestant flow, start_flow(workload, library));
      all.push_back(std::move(flow));
    }
  if (!options.peers.empty() && takes_part("Restate")) add("Restate", start_restate(workload, options.peers));
  if (!options.peers.empty() && takes_part("Node")) add("Node", start_plain_node(workload, options.peers));
  if (!options.peers.empty() && takes_part("DBOS")) add("DBOS", start_dbos(workload, options.peers));
  return all;
}

Result<int> bench(const Options& options) {
  const std::vector<std::size_t> in_flight =
      options.workload == "durable" ? std::vector<std::size_t>{64, 1} : std::vector<std::size_t>{32, 1};
  const Folder folder(options.workload);
  std::unique_ptr<Tenant> tenant;
  if (options.workload == "e2e") {
    FLOW_TRY(tenant, Tenant::start());
  }
  const Workload workload{.name = options.workload,
                          .tenant_port = tenant ? tenant->port() : std::uint16_t{0},
                          .folder = folder.path()};
  FLOW_TRY(const std::vector<Contestant> all, start_all(options, workload));
  for (const Contestant& one : all)
    FLOW_TRY_STATUS(measure(one, 16, std::min(options.seconds, 3.0)));  // warm-up
  std::map<std::string, std::map<std::size_t, std::vector<Round>>> rounds;
  for (int i = 0; i < options.rounds; ++i)
    for (const std::size_t count : in_flight)
      for (const Contestant& one : all) {
        FLOW_TRY(const Round round, measure(one, count, options.seconds));
        rounds[one.name][count].push_back(round);
      }
  fmt::print("{:<22} {:>9} {:>9} {:>17} {:>8} {:>8} {:>12} {:>11} {:>8}\n", "", "in flight", "flows/s",
             "(least to most)", "p50 ms", "p99 ms", "CPU ms/flow", "disk B/flow", "RSS MB");
  for (const std::size_t count : in_flight)
    for (const Contestant& one : all) {
      const std::vector<Round>& own = rounds[one.name][count];
      const auto [least, most] = std::ranges::minmax(own, {}, &Round::flows_per_s);
      fmt::print("{:<22} {:>9} {:>9.0f} {:>17} {:>8.2f} {:>8.2f} {:>12.3f} {:>11.0f} {:>8.0f}\n", one.name,
                 count, median(own, &Round::flows_per_s),
                 fmt::format("({:.0f} to {:.0f})", least.flows_per_s, most.flows_per_s),
                 median(own, &Round::p50_ms), median(own, &Round::p99_ms), median(own, &Round::processor_ms),
                 median(own, &Round::disk_bytes), median(own, &Round::resident_mb));
    }
  if (tenant)
    fmt::print("the tenant counted {} tokens, {} reads, {} isolations, {} mails, {} others\n",
               tenant->counts().tokens.load(), tenant->counts().reads.load(),
               tenant->counts().isolations.load(), tenant->counts().mails.load(),
               tenant->counts().others.load());
  const auto flows_per_s = [&](std::string_view name, std::size_t count) {
    double best = 0;
    for (auto& [other, own] : rounds)
      if (other.starts_with(name)) best = std::max(best, median(own[count], &Round::flows_per_s));
    return best;
  };
  for (const char* peer : {"Node", "DBOS", "Restate"})
    for (auto count = in_flight.rbegin(); count != in_flight.rend(); ++count) {
      const double own = flows_per_s("Flow", *count), its = flows_per_s(peer, *count);
      if (its > 0)
        fmt::print("{}: {:.1f} times {} at {} in flight\n", options.workload, own / its, peer, *count);
      else if (peer == std::string_view("Restate"))
        fmt::print("{}: {:.0f} flows a second at {} in flight; Restate is missing\n", options.workload, own,
                   *count);
    }
  return 0;
}

}  // namespace
}  // namespace flow::bench

int main(int argc, char** argv) {
  flow::bench::Options options;
  if (argc > 1) options.workload = argv[1];
  for (int i = 2; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--rounds") options.rounds = std::max(1, std::atoi(argv[i + 1]));
    if (name == "--seconds") options.seconds = std::atof(argv[i + 1]);
    if (name == "--peers") options.peers = argv[i + 1];
    if (name == "--only") options.only = argv[i + 1];
  }
  if (options.workload != "durable" && options.workload != "e2e") {
    fmt::print(
        stderr,
        "usage: bench_durable durable|e2e [--rounds N] [--seconds S] [--peers FOLDER] [--only NAME]\n");
    return 2;
  }
  const flow::Result<int> result = flow::bench::bench(options);
  if (!result) fmt::print(stderr, "bench_durable: {}\n", result.error().message);
  return result ? 0 : 1;
}
