#include "tests/bench/comparison/times.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <optional>

#include "tests/bench/comparison/table.hpp"

namespace flow::bench {
namespace {

// One interpreter on one workload.
struct Series {
  std::vector<double> milliseconds, process_ms;
  std::string result;
  std::optional<std::string> failure;
};
// By interpreter's and workload's name.
using Measured = std::map<std::pair<std::string_view, std::string_view>, Series>;

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

void take_turn(const Interpreter& interpreter, const Workload& workload, bool is_warm_up, Series& series) {
  if (series.failure) return;
  const Result<Answer> answer = ask(interpreter, workload, workload.size);
  if (!answer) {
    series.failure = answer.error().message;
  } else if (!series.result.empty() && answer->result != series.result) {
    series.failure = "gave " + series.result + " first and then " + answer->result;
  } else {
    series.result = answer->result;
    if (is_warm_up) return;
    series.milliseconds.push_back(answer->milliseconds);
    series.process_ms.push_back(answer->process_ms);
  }
}

Measured measure(const std::vector<Interpreter>& interpreters, int rounds) {
  Measured measured;
  for (int round = 0; round <= rounds; ++round) {
    const auto all_take_turns = [&](const Workload& workload) {
      for (const Interpreter& interpreter : interpreters)
        take_turn(interpreter, workload, round == 0, measured[{interpreter.name, workload.name}]);
    };
    all_take_turns(kEmpty);
    for (const Workload& workload : kWorkloads) all_take_turns(workload);
    std::fprintf(stderr, round == 0 ? "warm\n" : "round %d of %d\n", round, rounds);
  }
  return measured;
}

// Every interpreter's result, where there are two opinions.
bool results_agree(const Measured& measured, const std::vector<Interpreter>& interpreters) {
  bool all_agree = true;
  for (const Workload& workload : kWorkloads) {
    std::map<std::string, std::string> who;
    for (const Interpreter& interpreter : interpreters) {
      const Series& series = measured.at({interpreter.name, workload.name});
      if (!series.failure) who[series.result] += (who[series.result].empty() ? "" : ", ") + interpreter.name;
    }
    if (who.size() < 2) continue;
    all_agree = false;
    std::printf("error: results of %s differ:\n", std::string(workload.name).c_str());
    for (const auto& [result, names] : who) std::printf("  %s: %s\n", result.c_str(), names.c_str());
  }
  return all_agree;
}

// How many times as long as Flow; nothing where one of the two has no time.
std::optional<double> ratio(const Measured& measured, std::string_view interpreter,
                            std::string_view workload) {
  const Series& theirs = measured.at({interpreter, workload});
  const Series& ours = measured.at({kFlow, workload});
  if (theirs.failure || ours.failure) return std::nullopt;
  return median(theirs.milliseconds) / median(ours.milliseconds);
}

// Over all workloads, or nothing: a mean over some would flatter whoever fails at the hard ones.
std::optional<double> geometric_mean(const Measured& measured, std::string_view interpreter) {
  double logarithms = 0;
  for (const Workload& workload : kWorkloads) {
    const std::optional<double> one = ratio(measured, interpreter, workload.name);
    if (!one) return std::nullopt;
    logarithms += std::log(*one);
  }
  return std::exp(logarithms / static_cast<double>(std::size(kWorkloads)));
}

std::string times(std::optional<double> ratio) {
  return ratio ? number(*ratio, 2) + "x" : "-";
}

void print_table(const Measured& measured, const std::vector<Interpreter>& interpreters, int rounds) {
  std::vector<std::vector<std::string>> rows = {{"", "process"}};
  for (const Workload& workload : kWorkloads) rows[0].emplace_back(workload.name);
  rows[0].emplace_back("mean");
  for (const Interpreter& interpreter : interpreters) {
    const Series& empty = measured.at({interpreter.name, kEmpty.name});
    std::vector<std::string> cells = {interpreter.name,
                                      empty.failure ? "-" : number(median(empty.process_ms), 1)};
    for (const Workload& workload : kWorkloads) {
      const Series& series = measured.at({interpreter.name, workload.name});
      cells.push_back(series.failure ? "-"
                                     : number(median(series.milliseconds), 1) + " " +
                                           times(ratio(measured, interpreter.name, workload.name)));
    }
    cells.push_back(times(geometric_mean(measured, interpreter.name)));
    rows.push_back(std::move(cells));
  }
  std::printf("%s", lay_out(rows).c_str());
  std::printf(
      "Milliseconds of processor time, median of %d rounds, and how many times Flow's (above 1: Flow is "
      "faster).\n"
      "`process` is the time of a whole process that does nothing; Flow's reads all declarations and "
      "compiles.\n",
      rounds);
}

void print_failures(const Measured& measured) {
  for (const auto& [key, series] : measured)
    if (series.failure)
      std::printf("%s, %s: %s\n", std::string(key.first).c_str(), std::string(key.second).c_str(),
                  series.failure->c_str());
}

}  // namespace

bool compare_times(const Found& found, int rounds) {
  const Measured measured = measure(found.interpreters, rounds);
  print_table(measured, found.interpreters, rounds);
  for (const std::string& sentence : found.skipped) std::printf("skipped %s\n", sentence.c_str());
  print_failures(measured);
  if (!results_agree(measured, found.interpreters)) {
    std::printf("vm: no figure, because results differ\n");
    return false;
  }
  const bool has_lua = measured.contains({kLua, kEmpty.name});
  const std::optional<double> mean = has_lua ? geometric_mean(measured, kLua) : std::nullopt;
  if (!mean) {
    std::printf("vm: no figure, because %s\n",
                has_lua ? "not every workload has a time" : "Lua 5.4 is missing");
    return false;
  }
  std::printf("vm: %.2f times Lua 5.4 (geometric mean)\n", *mean);
  return true;
}

}  // namespace flow::bench
