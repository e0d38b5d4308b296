// How fast each pass of the compiler is, in megabytes of source a second, on texts of many shapes, and
// whether it stays so when the text is 10 and 100 times as long: build/release/bench_compile. The second
// table is what a person waits for. Has its own main: each figure is the median of several rounds over all
// passes, so that a machine whose speed drifts slows all of them alike.
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/library/standard_library.hpp"
#include "compiler/compile.hpp"
#include "compiler/format/format.hpp"
#include "compiler/parse/parse.hpp"
#include "compiler/resolve/library_bytes.hpp"

namespace flow {
namespace {

constexpr std::size_t kSmallest = 3'000;  // bytes; 100 times as much still fits the limits of one flow
constexpr int kRounds = 11;

constexpr const char* kOneLine =
    "on alert.new when severity == High do isolate(machineId); mail(\"soc@contoso.com\", \"Isolated "
    "{machine.name}\", \"{title}\")\n";

// ---- Shapes: each gives a text of at least so many bytes, without mistakes.

// A flow as teams write them; the number makes names differ.
std::string team_flow(int number) {
  constexpr std::string_view kText = R"(/// Isolates the device behind a severe alert and tells team @.
flow isolate_@ on alert.new
when severity >= Medium
 and category in [Ransomware, CredentialAccess, LateralMovement]
 and not machine.tags.any(t => t.lower() == "vip@")
do {
    // Whoever reads the mail wants to see what this was about.
    let host = machine.name ?? "an unknown device"
    let who = relatedUser?.userName ?? "nobody"
    if severity == High and machine.risk != null {
        let action = isolate(machineId, comment: "Flow @: {title}", type: Full)
        log "isolated {host}, action {action.id} is {action.status}"
        mail(
            to: ["soc@contoso.com", "lead@contoso.com"],
            subject: "Isolated {host}",
            body: html"<h1>{title}</h1><p>User <b>{who}</b>, risk {machine.risk}.</p>",
            importance: High,
        )
    } else if machine.tags.length() * 2 + @ > 7 {
        update_alert(alertId, status: InProgress, comment: "Looked at by Flow: {host}")
    } else {
        stop "{host} has no tags"
    }
}
on error e {
    mail("soc@contoso.com", "Could not isolate {machineId}", "{e.message}")
}

)";
  std::string text;
  for (const char c : kText)
    if (c == '@' && !text.ends_with("soc") && !text.ends_with("lead"))
      text += std::to_string(number);
    else
      text += c;
  return text;
}

using Part = std::function<std::string(int)>;

std::string repeated(std::string before, const Part& part, std::string_view after, std::size_t bytes) {
  for (int i = 0; before.size() < bytes; ++i) before += part(i);
  return before.append(after);
}

std::string flows(std::size_t bytes) {
  return repeated({}, team_flow, "", bytes);
}

std::string statements(std::size_t bytes) {
  return repeated(
      "on alert.new do {\n",
      [](int i) {
        return fmt::format(
            "    if title contains \"{}\" and severity in [Low, High] {{\n        log \"alert "
            "{{alertId}}\"\n    "
            "}}\n",
            i);
      },
      "}\n", bytes);
}

std::string values(std::size_t bytes) {
  return repeated(
      "on alert.new do {\n    var n = 0\n",
      [](int i) {
        return fmt::format(
            "    if n < {0} {{\n        let a{0} = title + \"{0}\"\n        n = n + "
            "a{0}.length()\n    }}\n",
            i);
      },
      "    log \"{n}\"\n}\n", bytes);
}

std::string declarations(std::size_t bytes) {
  std::string text, calls;
  for (int i = 0; text.size() + calls.size() < bytes; ++i) {
    if (i < 20) text += fmt::format("param p{0}: Int = {0}\n", i);
    text += fmt::format(
        "enum E{0} {{ First{0}, Second{0} }}\nrecord R{0} {{ a: Int, b: E{0} = First{0} }}\n"
        "fn f{0}(x: Int) -> Int {{\n    let r = R{0} {{ a: x }}\n"
        "    return if r.b == Second{0} then r.a else p{1} + {2}\n}}\n",
        i, i % 20, i % 5 == 0 ? "x" : fmt::format("f{}(x)", i - 1));
    if (i % 5 == 4) calls += fmt::format("    log \"{{f{0}({0})}}\"\n", i);
  }
  return text + "on alert.new do {\n" + calls + "}\n";
}

std::string nesting(std::size_t bytes) {
  return repeated(
      "on alert.new do {\n    var n = 0\n",
      [](int) {
        std::string deep = "n";
        for (int depth = 0; depth < 40; ++depth) deep = "(" + deep + " + 1)";
        std::string text = "    n = " + deep + "\n", end;
        for (int depth = 0; depth < 20; ++depth) {
          text += std::string(static_cast<std::size_t>(depth + 1) * 4, ' ') + "if n > 1 {\n";
          end.insert(0, std::string(static_cast<std::size_t>(depth + 1) * 4, ' ') + "}\n");
        }
        return text + std::string(84, ' ') + "n = n + 1\n" + end;
      },
      "    log \"{n}\"\n}\n", bytes);
}

std::string one_text(std::size_t bytes) {
  return "on alert.new do log \"" + std::string(bytes, 'x') + "\"\n";
}

std::string one_text_with_holes(std::size_t bytes) {
  return repeated(
      "on alert.new do {\n",
      [](int) {
        std::string text = "    log \"";
        for (int i = 0; i < 100; ++i) text += "of {title} and then ";
        return text + "\"\n";
      },
      "}\n", bytes);
}

std::string lists(std::size_t bytes) {
  return repeated(
      "on alert.new do {\n    var n = 0\n",
      [](int) {
        std::string text = "    n = n + [\n";
        for (int i = 0; i < 200; ++i) text += fmt::format("        \"item {}\",\n", i);
        return text + "    ].length()\n";
      },
      "    log \"{n}\"\n}\n", bytes);
}

std::string one_condition(std::size_t bytes) {
  return repeated(
      "on alert.new\nwhen title == \"x\"\n",
      [](int i) { return fmt::format(" or title contains \"{}\"\n", i); }, "do log \"{alertId}\"\n", bytes);
}

std::string enums(std::size_t bytes) {
  return repeated(
      {},
      [](int number) {
        std::string arms, text = fmt::format("enum E{} {{\n", number);
        for (int i = 0; i < 100; ++i) {
          text += fmt::format("    Value{},\n", i);
          arms += fmt::format("        Value{0} => {{ log \"it is {0}\" }}\n", i);
        }
        return text + fmt::format("}}\nfn f{0}(e: E{0}) {{\n    match e {{\n{1}    }}\n}}\n", number, arms);
      },
      "on alert.new do f0(Value0)\n", bytes);
}

std::string tests(std::size_t bytes) {
  return repeated(
      "on alert.new when severity == High do log \"{title}\"\n\n",
      [](int i) {
        return fmt::format(
            "test \"number {0}\" {{\n    given alert {{ severity: Low, title: \"{0}\" }}\n    expect "
            "no actions\n}}\n\n",
            i);
      },
      "", bytes);
}

std::string comments(std::size_t bytes) {
  return repeated(
      "on alert.new do {\n", [](int i) { return fmt::format("    // said for the {}th time\n", i); },
      "    log \"{alertId}\"\n}\n", bytes);
}

// Each calls two of those before it, so that the last ones lead to all others on countless ways.
std::string chains(std::size_t bytes) {
  return repeated(
      {},
      [](int i) {
        const std::string ask =
            i % 60 == 0 ? "add_tag(machine, \"x\")"
                        : fmt::format("f{0}(machine)\n    f{1}(machine)", i - 1, i % 60 > 1 ? i - 2 : i - 1);
        const std::string run =
            i % 60 == 0 ? "log \"x\"" : fmt::format("start chain{0}(machine: machine)", i - 1);
        return fmt::format(
            "fn f{0}(machine: MachineId) {{\n    {1}\n    log \"{0}\"\n}}\n"
            "flow chain{0} on call (machine: MachineId) limit add_tag to 9 per 1h do {{\n    f{0}(machine)\n "
            "   {2}\n}}\n",
            i, ask, run);
      },
      "", bytes);
}

std::string mistakes(std::size_t bytes) {
  return repeated(
      "on alert.new do {\n",
      [](int i) { return fmt::format("    log \"{{titel{}}} {{isolat(machineID)}}\"\n", i); }, "}\n", bytes);
}

struct Shape {
  const char* name;
  std::string (*text)(std::size_t);
  bool is_wrong = false;
};
constexpr Shape kShapes[] = {
    {"flows", flows},
    {"statements", statements},
    {"values", values},
    {"declarations", declarations},
    {"nesting", nesting},
    {"one text", one_text},
    {"holes", one_text_with_holes},
    {"lists", lists},
    {"one condition", one_condition},
    {"enums", enums},
    {"tests", tests},
    {"comments", comments},
    {"chains", chains},
    {"mistakes", mistakes, true},
};

// ---- Passes

constexpr const char* kPasses[] = {"parse", "check", "plan", "analyse", "emit", "fmt", "whole"};
constexpr std::size_t kPassCount = std::size(kPasses);

// Of the processor: what else runs on the machine does not count.
class Stopwatch {
 public:
  double lap_s() {
    const double now = now_s(), passed = now - last_;
    last_ = now;
    return passed;
  }

 private:
  static double now_s() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
  }
  double last_ = now_s();
};

using Times = std::array<double, kPassCount>;  // seconds; 0 for a pass that was not reached

Times once(const std::string& text) {
  const Library& library = standard_library();
  const auto source = std::make_shared<const SourceFile>("bench.flow", text);
  Times times{};
  Diagnostics diagnostics;
  Stopwatch watch;
  const Tree tree = parse(source, 0, diagnostics);
  times[0] = watch.lap_s();
  const CheckedFile checked = check(tree, library, diagnostics);
  times[1] = watch.lap_s();
  if (!diagnostics.has_errors()) {
    const std::vector<FlowPlan> plans = plan(tree, library, checked);
    times[2] = watch.lap_s();
    analyse(tree, library, checked, plans, {}, diagnostics);
    times[3] = watch.lap_s();
    const Module module = emit(tree, library, checked, plans, diagnostics);
    times[4] = watch.lap_s();
    const Result<std::string> formatted = format(tree);
    times[5] = watch.lap_s();
  }
  watch.lap_s();
  { const Compilation compilation = compile({"bench.flow", text}, library); }
  times[6] = watch.lap_s();
  return times;
}

constexpr std::size_t kFactors[] = {1, 10, 100};
constexpr std::size_t kSizes = std::size(kFactors);

Times median(std::vector<Times> rounds) {
  Times result{};
  for (std::size_t pass = 0; pass < kPassCount; ++pass) {
    std::ranges::sort(rounds, {}, [&](const Times& times) { return times[pass]; });
    result[pass] = rounds[rounds.size() / 2][pass];
  }
  return result;
}

// Seconds for a byte, by size. The sizes take turns, the shorter ones several times in each.
std::array<Times, kSizes> measure(const std::array<std::string, kSizes>& texts) {
  std::array<std::vector<Times>, kSizes> rounds;
  for (int round = 0; round < kRounds; ++round)
    for (std::size_t size = 0; size < kSizes; ++size)
      for (std::size_t i = 0; i < 30 / kFactors[size] + 1; ++i) rounds[size].push_back(once(texts[size]));
  std::array<Times, kSizes> result{};
  for (std::size_t size = 0; size < kSizes; ++size) {
    result[size] = median(std::move(rounds[size]));
    for (double& time : result[size]) time /= static_cast<double>(texts[size].size());
  }
  return result;
}

// ---- What a person waits for

double median_ms(const std::function<void()>& work, int rounds) {
  std::vector<double> times;
  for (int i = 0; i < rounds; ++i) {
    Stopwatch watch;
    work();
    times.push_back(watch.lap_s() * 1e3);
  }
  std::ranges::sort(times);
  return times[times.size() / 2];
}

std::string thousand_lines() {
  std::string text;
  for (int i = 0; std::ranges::count(text, '\n') < 1000; ++i) text += team_flow(i);
  return text;
}

void print_waits(double& thousand_ms) {
  const std::string text = thousand_lines();
  const Library& library = standard_library();
  thousand_ms = median_ms([&] { compile({"lines.flow", text}, library); }, 101);
  const double format_ms = median_ms(
      [&] {
        Diagnostics diagnostics;
        static_cast<void>(
            format(parse(std::make_shared<const SourceFile>("lines.flow", text), 0, diagnostics)));
      },
      101);
  fmt::print("a file of 1,000 lines, {} bytes: checked in {:.2f} ms, formatted in {:.2f} ms\n", text.size(),
             thousand_ms, format_ms);
  fmt::print("the first example: compiled in {:.1f} us\n",
             1e3 * median_ms(
                       [&] {
                         compile({"one_line.flow", kOneLine}, library);
                       },
                       1001));
  fmt::print("the standard library: read in {:.1f} us\n",
             1e3 * median_ms([] { static_cast<void>(read_library(standard_library_bytes())); }, 1001));
}

int run(std::string_view only) {
  fmt::print(
      "MB/s of each pass for texts of {} KB, and behind it how many times longer a byte takes when the "
      "text is 10 and 100 times as long\n{:<14}",
      kSmallest / 1000, "");
  for (const char* const pass : kPasses) fmt::print("{:>20}", pass);
  fmt::print("\n");
  double worst = 0;
  std::string where;
  for (const Shape& shape : kShapes) {
    if (!only.empty() && only != shape.name) continue;
    std::array<std::string, kSizes> texts;
    for (std::size_t size = 0; size < kSizes; ++size) {
      texts[size] = shape.text(kSmallest * kFactors[size]);
      const Compilation compilation = compile({"bench.flow", texts[size]}, standard_library());
      if (compilation.diagnostics.has_errors() == shape.is_wrong) continue;
      fmt::print(stderr, "{}", render_text(compilation.diagnostics.all().front(), compilation.files, false));
      return 1;
    }
    const std::array<Times, kSizes> per_byte = measure(texts);
    fmt::print("{:<14}", shape.name);
    for (std::size_t pass = 0; pass < kPassCount; ++pass) {
      if (per_byte[0][pass] == 0) {
        fmt::print("{:>20}", "");
        continue;
      }
      const double ten = per_byte[1][pass] / per_byte[0][pass],
                   hundred = per_byte[2][pass] / per_byte[0][pass];
      fmt::print("{:>20}", fmt::format("{:.3g} {:.1f}x {:.1f}x", 1e-6 / per_byte[0][pass], ten, hundred));
      if (hundred > worst) worst = hundred, where = fmt::format("{} of {}", kPasses[pass], shape.name);
    }
    fmt::print("\n");
    std::fflush(stdout);
  }
  double thousand_ms = 0;
  print_waits(thousand_ms);
  fmt::print(
      "compile: {:.2f} ms to check 1,000 lines; with 100 times the text a byte takes at most {:.1f} times as "
      "long ({})\n",
      thousand_ms, worst, where);
  return 0;
}

}  // namespace
}  // namespace flow

int main(int count, char** arguments) {
  return flow::run(count > 1 ? arguments[1] : "");
}
