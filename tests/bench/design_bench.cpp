// What each choice in the design of the machine is worth: small interpreters that differ in one thing, on the
// same four programs. docs/decisions/vm-design.md says what follows from it.
//
//   bench_design [ROUNDS]
//
// All variants take turns in each round; a figure is the fastest round, in nanoseconds of processor time.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>

#include "base/result.hpp"
#include "tests/bench/comparison/table.hpp"
#include "tests/bench/design/programs.hpp"

namespace flow::design {
namespace {

constexpr std::int64_t kFib = 27, kFibResult = 196'418, kFibCalls = 832'039;
constexpr std::int64_t kRounds = 10'000'000, kLoopResult = 1395;
constexpr std::int64_t kMoves = 1'000'000;
constexpr std::int64_t kItems = 10'000, kTimes = 200;
constexpr std::int64_t kMuchFuel = std::int64_t{1} << 60;

// Nanoseconds of processor time for one of `count`.
double time_of(const std::function<void()>& work, std::int64_t count) {
  const std::clock_t start = std::clock();
  work();
  return static_cast<double>(std::clock() - start) * (1e9 / CLOCKS_PER_SEC) / static_cast<double>(count);
}

template <Design D, class Value, class I>
struct Machine {
  std::vector<Value> stack = std::vector<Value>(2000, Value::integer(0));

  std::int64_t result_of(const Program<Value, I>& program) {
    FLOW_CHECK((run<D>(program, stack, kMuchFuel)), "the program has no fault");
    return stack[0].as_int();
  }

  double fib() {
    const Program<Value, I> program = fib_program<Value, I>(D.has_fused_ops);
    return time_of(
        [&] {
          stack[0] = Value::integer(kFib);
          FLOW_CHECK(result_of(program) == kFibResult, "fib is right");
        },
        kFibCalls);
  }
  double loop() {
    const Program<Value, I> program = loop_program<Value, I>(D.has_fused_ops);
    return time_of(
        [&] {
          stack[0] = stack[1] = Value::integer(0);
          stack[2] = Value::integer(kRounds);
          FLOW_CHECK(result_of(program) == kLoopResult, "the loop is right");
        },
        kRounds);
  }
  double move() {
    const Program<Value, I> program = move_program<Value, I>(D.has_fused_ops);
    return time_of(
        [&] {
          stack[0] = stack[1] = Value::integer(0);
          stack[2] = Value::integer(kMoves);
          FLOW_CHECK(result_of(program) == kMoves * (kMoves - 1) / 2, "the sum is right");
        },
        kMoves);
  }
  double list() {
    const Program<Value, I> program = list_program<Value, I>(D.has_fused_ops);
    std::vector<Value> items;
    for (std::int64_t i = 0; i < kItems; ++i) items.push_back(Value::integer(i));
    const ListHeader<Value> header = {.size = kItems, .items = items.data()};
    return time_of(
        [&] {
          for (std::int64_t time = 0; time < kTimes; ++time) {
            stack[0] = stack[1] = Value::integer(0);
            stack[2] = Value::integer(kItems);
            stack[5] = Value::list(header);
            FLOW_CHECK(result_of(program) == kItems * (kItems - 1) / 2, "the sum is right");
          }
        },
        kItems * kTimes);
  }
};

constexpr std::size_t kPrograms = 4;
struct Variant {
  std::string name;
  std::function<double()> programs[kPrograms];
  std::vector<double> nanoseconds[kPrograms];
};

template <Design D, class Value, class I>
Variant variant(std::string name) {
  Variant made{.name = std::move(name)};
  made.programs[0] = [] { return Machine<D, Value, I>().fib(); };
  made.programs[1] = [] { return Machine<D, Value, I>().loop(); };
  made.programs[2] = [] { return Machine<D, Value, I>().list(); };
  made.programs[3] = [] { return Machine<D, Value, I>().move(); };
  return made;
}

constexpr Design kPlain;
constexpr Design kChosen = {.dispatch = Dispatch::ComputedGoto,
                            .asks_types = false,
                            .has_fused_ops = true,
                            .fuel = Fuel::PerBackEdge,
                            .moves_words = true};

constexpr Design with(Design design, Dispatch dispatch) {
  design.dispatch = dispatch;
  return design;
}
constexpr Design with(Design design, Fuel fuel) {
  design.fuel = fuel;
  return design;
}
constexpr Design moving_words(Design design, bool moves_words) {
  design.moves_words = moves_words;
  return design;
}
constexpr Design asking(Design design, bool asks_types) {
  design.asks_types = asks_types;
  return design;
}
constexpr Design fused(Design design, bool has_fused_ops) {
  design.has_fused_ops = has_fused_ops;
  return design;
}

// Each change to the plain machine alone.
std::vector<Variant> one_change() {
  constexpr Design kTyped = asking(kPlain, false);
  return {
      variant<kPlain, Tagged, Narrow>("plain: switch, asks types, 16-byte tagged, 32-bit, fuel each"),
      variant<with(kPlain, Dispatch::ComputedGoto), Tagged, Narrow>("computed goto"),
      variant<kTyped, Tagged, Narrow>("typed instructions"),
      variant<kPlain, NanBoxed, Narrow>("NaN boxes, 48-bit Ints"),
      variant<kTyped, NanBoxed, Narrow>("NaN boxes and typed instructions"),
      variant<kTyped, Untagged, Narrow>("untagged and typed instructions"),
      variant<kPlain, Tagged, Broad>("64-bit instructions"),
      variant<fused(kPlain, true), Tagged, Narrow>("fused instructions"),
      variant<fused(kPlain, true), Tagged, Broad>("fused and 64-bit instructions"),
      variant<with(kPlain, Fuel::PerBackEdge), Tagged, Narrow>("fuel at back edges and calls"),
      variant<moving_words(kPlain, true), Tagged, Narrow>("moves of two words"),
  };
}

// The chosen machine, and what giving up each of its choices costs.
std::vector<Variant> one_change_back() {
  return {
      variant<kChosen, Tagged, Broad>("chosen: all of these, 16-byte tagged, 64-bit"),
      variant<with(kChosen, Dispatch::Switch), Tagged, Broad>("with a switch"),
      variant<asking(kChosen, true), Tagged, Broad>("asking types"),
      variant<kChosen, NanBoxed, Broad>("NaN boxes, 48-bit Ints"),
      variant<kChosen, Untagged, Broad>("untagged"),
      variant<kChosen, Tagged, Narrow>("32-bit instructions"),
      variant<fused(kChosen, false), Tagged, Broad>("no fused instructions"),
      variant<with(kChosen, Fuel::PerInstruction), Tagged, Broad>("fuel for each instruction"),
      variant<moving_words(kChosen, false), Tagged, Broad>("moves of 16 bytes in one go"),
      variant<kChosen, TaggedWithHole, Broad>("a hole in the header"),
  };
}

// What disturbs a round only adds to it.
double fastest(const std::vector<double>& rounds) {
  return *std::ranges::min_element(rounds);
}

// Ratios are to the first variant of the part: below 1 is faster than it.
void print(const std::vector<Variant>& part, const Variant& baseline) {
  std::vector<std::vector<std::string>> rows = {
      {"", "ns a call", "ns a round", "ns an item", "ns a move", "all"}};
  for (const Variant& one : part) {
    std::vector<std::string> cells = {one.name};
    double product = 1;
    for (std::size_t p = 0; p < kPrograms; ++p) {
      const double ns = fastest(one.nanoseconds[p]), ratio = ns / fastest(baseline.nanoseconds[p]);
      cells.push_back(bench::number(ns, 2) + " (" + bench::number(ratio, 2) + ")");
      product *= ratio;
    }
    cells.push_back(bench::number(std::pow(product, 1.0 / kPrograms), 2));
    rows.push_back(std::move(cells));
  }
  std::printf("%s\n", bench::lay_out(rows).c_str());
}

}  // namespace
}  // namespace flow::design

int main(int count, char** arguments) {
  using namespace flow::design;
  const int rounds = count > 1 ? std::atoi(arguments[1]) : 15;
  if (rounds < 1 || rounds > 1000) return std::fputs("usage: bench_design [ROUNDS]\n", stderr), 2;
  std::vector<Variant> plain = one_change(), chosen = one_change_back();
  // The first round only warms up.
  for (int round = 0; round <= rounds; ++round)
    for (std::vector<Variant>* part : {&plain, &chosen})
      for (Variant& one : *part)
        for (std::size_t p = 0; p < kPrograms; ++p) {
          const double ns = one.programs[p]();
          if (round > 0) one.nanoseconds[p].push_back(ns);
        }

  std::printf(
      "fib(27), a loop of 10^7, a list summed, and a loop with a move; in brackets the ratio to the part's "
      "first\nrow, `all` their geometric mean; fastest of %d rounds.\n\nEach change alone:\n\n",
      rounds);
  print(plain, plain.front());
  std::printf("Each choice given up alone:\n\n");
  print(chosen, chosen.front());
  std::vector<double> ratios;
  for (std::size_t p = 0; p < kPrograms; ++p)
    ratios.push_back(fastest(plain.front().nanoseconds[p]) / fastest(chosen.front().nanoseconds[p]));
  std::printf(
      "design: the chosen machine is %.2f times as fast as the plain one (calls %.2f, arithmetic %.2f, "
      "lists %.2f, moves %.2f)\n",
      std::pow(ratios[0] * ratios[1] * ratios[2] * ratios[3], 1.0 / kPrograms), ratios[0], ratios[1],
      ratios[2], ratios[3]);
}
