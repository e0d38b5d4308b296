// Flow beside other interpreters, on the same work.
//
//   bench_workloads [--rounds N] [--python]    a table of times; the last line is the figure
//   bench_workloads --instructions             a table of instruction counts
//   bench_workloads run NAME|FILE [SIZE]       one workload in Flow: milliseconds and result, as the peers
//   print them
//
// A peer that is not installed is skipped with a line that says so. Pin it to one core (`taskset -c 1`), or
// the times of an interpreter with threads of its own mean something else.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/comparison/flow_workload.hpp"
#include "tests/bench/comparison/instructions.hpp"
#include "tests/bench/comparison/times.hpp"

namespace {

int usage() {
  std::fputs(
      "usage: bench_workloads [--rounds N] [--python] | --instructions [--python] | run NAME|FILE [SIZE]\n",
      stderr);
  return 2;
}

int run_one(const std::vector<std::string>& arguments) {
  if (arguments.size() < 2 || arguments.size() > 3) return usage();
  const std::string& name = arguments[1];
  const std::string path =
      name.ends_with(".flow") ? name : FLOW_SOURCE_DIR "/tests/bench/workloads/" + name + ".flow";
  std::optional<std::int64_t> size;
  if (arguments.size() == 3) {
    char* end = nullptr;
    size = std::strtoll(arguments[2].c_str(), &end, 10);
    if (arguments[2].empty() || *end != '\0' || *size < 0) return usage();
  }
  const flow::Result<flow::bench::Timed> timed = flow::bench::run_flow_workload(path, size);
  if (!timed) {
    std::fprintf(stderr, "%s\n", timed.error().message.c_str());
    return 1;
  }
  std::printf("%.3f %s\n", timed->milliseconds, timed->result.c_str());
  return 0;
}

}  // namespace

int main(int count, char** words) {
  const std::vector<std::string> arguments(words + 1, words + count);
  if (!arguments.empty() && arguments[0] == "run") return run_one(arguments);

  flow::bench::FindOptions options = {.self = std::filesystem::read_symlink("/proc/self/exe").string()};
  options.source_dir = FLOW_SOURCE_DIR;
  options.build_dir = FLOW_BINARY_DIR;
  int rounds = 5;
  bool counts = false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--instructions") {
      counts = true;
    } else if (arguments[i] == "--python") {
      options.with_python = true;
    } else if (arguments[i] == "--rounds" && i + 1 < arguments.size()) {
      rounds = std::atoi(arguments[++i].c_str());
    } else {
      return usage();
    }
  }
  if (rounds < 1 || rounds > 1000) return usage();
  const flow::bench::Found found = flow::bench::find_interpreters(options);
  return (counts ? flow::bench::count_instructions(found) : flow::bench::compare_times(found, rounds)) ? 0
                                                                                                       : 1;
}
