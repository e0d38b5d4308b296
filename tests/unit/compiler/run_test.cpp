// What compiled flows do, with and without the optimiser.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "tests/unit/compiler/golden.hpp"
#include "tests/unit/compiler/running.hpp"
#include "tests/unit/thoroughness.hpp"

namespace flow::test {
namespace {

namespace fs = std::filesystem;

struct Sample {
  const char* name;
  const char* source;  // what stands in `on alert.new do { … }`, behind functions that begin a line with `fn`
  const char* reason;
};
void PrintTo(const Sample& sample, std::ostream* out) {
  *out << sample.name;
}

constexpr Sample kSamples[] = {
    {"fib", "let n = 20\nstop \"{fib(n)}\"", "6765"},
    {"loop", "var s = 0\nfor i in range(1000) { s = (s + i * 3) % 1009 }\nstop \"{s}\"", "135"},
    {"range_that_is_empty", "var s = 0\nlet n = -3\nfor i in range(4, n) { s = s + i }\nstop \"{s}\"", "0"},
    {"range_at_the_lowest_number",
     "var s = 0\nvar low = -9_223_372_036_854_775_807 - 1\nfor i in range(low, low + 2) { s = s + 1 }\nstop "
     "\"{s}\"",
     "2"},
    {"positions",
     "var s = \"\"\nfor x, i in [\"a\", \"b\"] { s = s + \"{i}{x}\" }\nfor n, i in range(5, 7) { s = s + "
     "\" {i}:{n}\" }\nstop \"{s}\"",
     "0a1b 0:5 1:6"},
    {"loops_of_loops",
     "let x = for i in range(3) { yield for j in range(i) { yield i * j } }\n"
     "stop \"{x.length()} {x.flatMap(y => y).map(n => \"{n}\").join(\",\")}\"",
     "3 0,0,2"},
    {"list_is_a_value",
     "var a = [1]\nlet b = a\na = a + [2]\nlet c = a + [3]\na = a + [4]\n"
     "stop \"{a.sum()} {b.sum()} {c.sum()}\"",
     "7 1 6"},
    {"text_is_a_value",
     "var a = \"a\"\nlet b = a\na = a + \"b\"\nlet c = a + \"c\"\na = a + \"d\"\nstop "
     "\"{a} {b} {c}\"",
     "abd a abc"},
    {"text_of_one_part_that_reads_its_variable",
     "let m = { a: \"b\" }\nvar q: String? = \"z\"\nfor i in range(1) { if i > 5 { q = null } }\n"
     "q = \"{m[\"nope\"] ?? q}\"\nvar s = \"z\"\ns = (m[s] ?? s) + \"\"\nlet xs = [1, 2]\n"
     "var t = \"12\"\nt = \"{xs.map(x => t.length() + x).sum()}\"\nstop \"{q} {s} {t}\"",
     "z z 7"},
    {"map_is_a_value",
     "var a = { x: 1 }\nlet b = a\na[\"x\"] = 2\nvar c = a\nc[\"x\"] = 3\n"
     "a[\"y\"] = 4\nstop \"{a[\"x\"]} {b[\"x\"]} {c[\"x\"]} {b.length()} {c.length()} "
     "{a.length()}\"",
     "2 1 3 1 1 2"},
    {"map_in_a_list", "var a = { x: 1 }\nlet list = [a]\na[\"x\"] = 2\nstop \"{list[0][\"x\"]} {a[\"x\"]}\"",
     "1 2"},
    {"map_in_a_map",
     "var a = { x: 1 }\nlet m = { k: a }\na[\"x\"] = 2\nvar out = m[\"k\"] ?? {}\n"
     "out[\"x\"] = 3\nlet again = m[\"k\"] ?? {}\nstop \"{again[\"x\"]} {a[\"x\"]} "
     "{out[\"x\"]}\"",
     "1 2 3"},
    {"map_through_a_function",
     "var a = { x: 1 }\nvar b = same(a)\nb[\"x\"] = 2\na[\"x\"] = 3\n"
     "stop \"{a[\"x\"]} {b[\"x\"]} {sized(a)}\"",
     "3 2 1"},
    {"map_that_a_function_changes",
     "let a = { x: 1 }\nlet b = with(a, \"x\", 5)\nlet c = with(b, \"y\", 6)\n"
     "stop \"{a[\"x\"]} {b[\"x\"]} {b.length()} {c.length()}\"",
     "1 5 1 2"},
    {"map_given_from_a_loop",
     "var a = { x: 0 }\nlet all = for i in range(3) { a[\"x\"] = i\nyield a }\n"
     "stop \"{all.map(m => \"{m[\"x\"]}\").join(\" \")}\"",
     "0 1 2"},
    {"map_changed_while_looped",
     "var a = { x: 1, y: 2 }\nvar s = 0\nfor v in a.values() { a[\"y\"] = 9\n"
     "s = s + v }\nfor k in a.keys() { a[k + \"2\"] = 1 }\nstop \"{s} {a.length()}\"",
     "3 4"},
    {"keys_of_enums",
     "var m: Map<AlertSeverity, Int> = { High: 1 }\nm[Low] = 2\nm[AlertSeverity.High] = 3\n"
     "stop \"{m[AlertSeverity.High]} {m[Low]} {m[Medium]} {AlertSeverity.Low in m}\"",
     "3 2 (unknown) true"},
    {"keys_of_numbers",
     "var m = { [1]: \"a\" }\nm[1 + 1] = \"b\"\nlet at = true\nlet b = { [at]: 1 }\n"
     "stop \"{m[2]}{m[1]} {b[true]} {b[false]} {3 in m}\"",
     "ba 1 (unknown) false"},
    {"map_methods",
     "let m = { a: 1, b: 2 }\nstop \"{m.length()} {m.keys().join(\"\")} {m.values().sum()} "
     "{m.contains(\"a\")}\"",
     "2 ab 3 true"},
    {"list_methods",
     "let a = [3, 1, 2, 3]\nstop \"{a.map(x => x * 2).sum()} {a.filter(x => x > 1).length()} {a.count(x => x "
     "== 3)} "
     "{a.any(x => x == 2)} {a.all(x => x > 1)} {a.first()} {a.last()} {a.first(x => x < 3)} {a.min()} "
     "{a.max()} "
     "{a.count()}\"",
     "18 3 2 true false 3 3 1 1 3 4"},
    {"list_methods_that_give_lists",
     "let a = [3, 1, 2, 3]\nstop \"{text(a.sort())} {text(a.distinct())} {text(a.reverse())} "
     "{text(a.take(2))} "
     "{text(a.skip(3))} {text(a.take(-1))} {text(a.skip(-1))} {text(a.take(9))} {text(a.sortBy(x => -x))} "
     "{text(a + [4] + a.take(1))}\"",
     "1,2,3,3 3,1,2 3,2,1,3 3,1 3  3,1,2,3 3,1,2,3 3,3,2,1 3,1,2,3,4,3"},
    {"methods_of_an_empty_list",
     "let a: List<Int> = []\nstop \"{a.first()} {a.last()} {a.min()} {a.max()} "
     "{a.sum()} {a.any(x => x > 0)} {a.all(x => x > 0)} {text(a.map(x => x))}|\"",
     "(unknown) (unknown) (unknown) (unknown) 0 false true |"},
    {"numbers_with_fractions", "let a = [1, 2].map(x => x / 4.0)\nstop \"{a.sum()} {a.max()} {a.min()}\"",
     "0.75 0.5 0.25"},
    {"texts_in_order",
     "let a = [\"b\", \"a\", \"c\"]\nstop \"{a.min()}{a.max()} {a.sort().join(\"\")} "
     "{a.sortBy(t => if t == \"c\" then 0 else 1).join(\"\")}\"",
     "ac abc cba"},
    {"enums_in_order",
     "let a: List<AlertSeverity> = [Medium, High, Low]\nstop \"{a.min()} {a.max()} {a.sort().first()}\"",
     "Low High Low"},
    {"null_in_a_list",
     "let a: List<String?> = [null, \"a\"]\nlet n: String? = null\nlet t: String? = \"b\"\n"
     "stop \"{a.contains(n)} {a.contains(t)} {a.first()} {a.count(x => x == null)}\"",
     "true false (unknown) 1"},
    {"variables",
     "var x = 1\nvar t: String? = null\nif t == null { t = \"a\" }\nx = x + x * 3 - x % 2\n"
     "x = if x > 2 then 10 - x else x\nt = t ?? \"b\"\nvar u = t\nt = null\nstop \"{x} {t} {u}\"",
     "7 (unknown) a"},
    {"comparisons_with_null",
     "let a: Int? = null\nlet b: Int? = 3\nlet c = [a, b, a, b]\n"
     "stop \"{c[0] == c[2]} {c[0] == c[1]} {c[1] == c[3]} {c[1] == 3} {c[0] == 3} "
     "{c[1] != 3} {c[0] != 3} {c[0] != c[2]} {c[0] != c[1]}\"",
     "true false true true false false true false true"},
    {"comparisons",
     "var n = 5\nlet m = [5]\nstop \"{n < 5} {n <= 5} {n > 5} {n >= 5} {n == 5} {n != 5} {4 < n} {6 > n} {n "
     "< m[0]} {n <= m[0]} "
     "{n != m[0]}\"",
     "false true false true true false true true false true false"},
    {"conditions",
     "var s = \"\"\nvar n = 5\nif n < 5 or n > 4 and not (n == 6) { s = s + \"a\" }\n"
     "if n <= 32766 { s = s + \"b\" }\nif n > 32767 { s = s + \"c\" }\nif n > 40_000 { s = s + \"d\" }\n"
     "if n >= -32768 { s = s + \"e\" }\nif n != 70_000 { s = s + \"f\" }\n"
     "if n > 9_223_372_036_854_775_807 { s = s + \"g\" }\nstop \"{s}\"",
     "abef"},
    {"arithmetic",
     "var n = 7\nlet m = [3]\nstop \"{n / 2} {-n / 2} {n % 3} {-n % 3} {n / m[0]} {n % m[0]} {5 - n} {3 * n} "
     "{n - -2} {n * 1.5} "
     "{2 + n + 1}\"",
     "3 -3 1 -1 2 1 -2 21 9 10.5 10"},
    {"functions",
     "stop \"{even(10)} {sum3(1, 2)} {sum3(1, 2, c: 3)} {nested(nested(2))} {sum3(fib(5), fib(6)) + "
     "fib(7)}\"",
     "true 13 6 6 36"},
    {"deep_recursion", "stop \"{depth(5_000)}\"", "5000"},
    {"fusing_keeps_order",
     "let a = [1, 2, 3, 4]\nstop \"{text(a.filter(x => x % 2 == 0).map(x => x * 10))} "
     "{a.map(x => x + 1).count(x => x > 2)} {range(10).filter(x => x % 3 == 0).map(x => x * x).sum()}\"",
     "20,40 3 126"},
};

std::string whole(const Sample& sample) {
  return std::string(R"(
fn fib(n: Int) -> Int { if n < 2 { return n } return fib(n - 1) + fib(n - 2) }
fn text(list: List<Int>) = list.map(x => "{x}").join(",")
fn same(m: Map<String, Int>) = m
fn sized(m: Map<String, Int>) = m.length()
fn with(m: Map<String, Int>, key: String, value: Int) -> Map<String, Int> { var n = m
  n[key] = value
  return n }
fn even(n: Int) -> Bool = n == 0 or odd(n - 1)
fn odd(n: Int) -> Bool = n != 0 and even(n - 1)
fn sum3(a: Int, b: Int, c: Int = 10) = a + b + c
fn nested(n: Int) = if n < 3 then n + 1 else sum3(n, n, 0)
fn depth(n: Int) -> Int = if n == 0 then 0 else 1 + depth(n - 1)
on alert.new do {
)") + sample.source +
         "\n}\n";
}

class Run : public testing::TestWithParam<Sample> {};

TEST_P(Run, StopsWithWhatIsExpected) {
  EXPECT_EQ(stop_reason(whole(GetParam()), {.optimise = true}), GetParam().reason);
  EXPECT_EQ(stop_reason(whole(GetParam()), {.optimise = false}), GetParam().reason)
      << "without the optimiser";
}
INSTANTIATE_TEST_SUITE_P(Samples, Run, testing::ValuesIn(kSamples),
                         [](const auto& sample) { return std::string(sample.param.name); });

std::vector<fs::path> sources() {
  std::vector<fs::path> found;
  for (const char* const folder : {"examples", "tests/golden"})
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(FLOW_SOURCE_DIR) / folder))
      if (entry.path().extension() == ".flow") found.push_back(entry.path());
  std::ranges::sort(found);
  return found;
}

// The same calls with the same arguments, the same lines, the same end.
TEST(Optimiser, ChangesNothingThatAFlowDoes) {
  std::size_t compared = 0;
  for (const fs::path& source : sources()) {
    const Compilation compilation =
        compile({source.filename().string(), read_text(source)}, standard_library());
    if (!compilation.module) continue;
    ++compared;
    for (std::uint64_t seed = 0; seed < 24; seed += kEach)
      ASSERT_EQ(transcript(compilation, {.optimise = true}, seed),
                transcript(compilation, {.optimise = false}, seed))
          << source << ", seed " << seed;
  }
  EXPECT_GT(compared, 60u);
}

}  // namespace
}  // namespace flow::test
