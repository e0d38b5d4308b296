#include "tests/bench/comparison/instructions.hpp"

#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "tests/bench/comparison/process.hpp"
#include "tests/bench/comparison/table.hpp"

namespace flow::bench {
namespace {

// The first line that is not valgrind's.
std::string complaint(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (!line.empty() && !line.starts_with("==")) return line;
  return "it failed under valgrind";
}

// Of the whole process.
Result<double> count(const Interpreter& interpreter, const Workload& workload, std::int64_t size) {
  Interpreter counted = interpreter;
  counted.command.insert(counted.command.begin(),
                         {"valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"});
  counted.command.emplace_back(workload.name);
  counted.command.push_back(std::to_string(size));
  FLOW_TRY(const Ran ran, run(counted.command));
  if (ran.exit_code != 0) return error(complaint(ran.err));
  // "==17== Collected : 1234567", on standard error.
  static constexpr std::string_view kCollected = "Collected : ";
  const std::size_t at = ran.err.find(kCollected);
  if (at == std::string::npos) return error("callgrind gave no count");
  return std::strtod(ran.err.c_str() + at + kCollected.size(), nullptr);
}

}  // namespace

bool count_instructions(const Found& found) {
  if (!is_installed("valgrind")) {
    std::printf("`valgrind` is not installed (Debian's package valgrind)\n");
    return false;
  }
  std::vector<std::vector<std::string>> rows = {{"", "process"}};
  for (const Workload& workload : kWorkloads)
    rows[0].push_back(std::string(workload.name) + "/" + std::string(workload.unit));
  std::vector<std::string> failures = found.skipped;
  bool flow_is_whole = true;
  for (const Interpreter& interpreter : found.interpreters) {
    if (!interpreter.is_counted) continue;
    const Result<double> empty = count(interpreter, kEmpty, 0);
    std::vector<std::string> cells = {interpreter.name, empty ? number(*empty, 0) : "-"};
    for (const Workload& workload : kWorkloads) {
      const Result<double> all = count(interpreter, workload, workload.counted_size);
      const bool has_count = empty && all;
      cells.push_back(has_count ? number((*all - *empty) / units(workload, workload.counted_size), 1) : "-");
      if (has_count) continue;
      failures.push_back(interpreter.name + ", " + std::string(workload.name) + ": " +
                         (empty ? all : empty).error().message);
      if (interpreter.name == kFlow) flow_is_whole = false;
    }
    rows.push_back(std::move(cells));
  }
  std::printf("%s", lay_out(rows).c_str());
  std::printf(
      "Instructions of the processor (callgrind), less those of the empty workload; `process` has all of "
      "that.\n"
      "Sizes:");
  for (const Workload& workload : kWorkloads)
    std::printf(" %s %lld", std::string(workload.name).c_str(),
                static_cast<long long>(workload.counted_size));
  std::printf("\n");
  for (const std::string& failure : failures) std::printf("without %s\n", failure.c_str());
  return flow_is_whole;
}

}  // namespace flow::bench
