// Who is compared, and on what.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace flow::bench {

// Each is a file tests/bench/workloads/NAME.flow and a function of that name in every
// tests/bench/peers/workloads.*.
struct Workload {
  std::string_view name;
  std::int64_t size;          // for times
  std::int64_t counted_size;  // for instruction counts, which take fifty times as long
  std::string_view unit;      // what instructions are counted for
};
inline constexpr Workload kWorkloads[] = {
    {.name = "fib", .size = 30, .counted_size = 20, .unit = "call"},
    {.name = "loop", .size = 100'000'000, .counted_size = 1'000'000, .unit = "round"},
    {.name = "string", .size = 100'000, .counted_size = 20'000, .unit = "piece"},
    {.name = "list", .size = 1'000'000, .counted_size = 100'000, .unit = "item"},
    {.name = "sort", .size = 100'000, .counted_size = 20'000, .unit = "item"},
    {.name = "map", .size = 1'000'000, .counted_size = 100'000, .unit = "key"},
};
// Does nothing: a whole process of it is what starting costs.
inline constexpr Workload kEmpty = {.name = "empty", .size = 0, .counted_size = 0, .unit = ""};

// How many units there are in a workload of this size.
double units(const Workload& workload, std::int64_t size);

struct Interpreter {
  std::string name;
  std::vector<std::string> command;  // what comes before the workload's name and size
  bool is_counted = true;            // whether callgrind can run it in reasonable time
};

struct Found {
  std::vector<Interpreter> interpreters;  // Flow is the first
  std::vector<std::string> skipped;       // a sentence for each that is not here
};

struct FindOptions {
  std::string self;          // path of the program that runs Flow's workloads
  std::string source_dir;    // the project's folder
  std::string build_dir;     // has the C++ peer, and gets what is compiled here
  bool with_python = false;  // slow, and no target
};
inline constexpr std::string_view kFlow = "Flow";
inline constexpr std::string_view kLua = "Lua 5.4";

// Flow and those peers that are installed.
Found find_interpreters(const FindOptions& options);

// What an interpreter said of a workload.
struct Answer {
  double milliseconds = 0;  // of processor time, measured by itself
  std::string result;
  double process_ms = 0;  // from the start of the process to its end
};
Result<Answer> ask(const Interpreter& interpreter, const Workload& workload, std::int64_t size);

}  // namespace flow::bench
