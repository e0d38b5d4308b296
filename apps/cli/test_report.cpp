#include "apps/cli/test_report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "apps/cli/terminal.hpp"
#include "apps/cli/test_cases.hpp"
#include "base/text.hpp"
#include "testing/coverage.hpp"

namespace flow {
namespace {

std::size_t failed_tests(const TestReport& report) {
  return static_cast<std::size_t>(std::ranges::count_if(
      report.tests, [](const ReportedTest& test) { return !test.result.has_passed(); }));
}

std::string counted(std::size_t count, const char* what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

// The failures of one test with their places, and what happened instead.
std::string details(const ReportedTest& test) {
  std::string out;
  for (const testing::Failure& failure : test.result.failures) {
    const std::string margin(std::to_string(failure.place.line).size(), ' ');
    const std::size_t column = failure.place.column == 0 ? 0 : failure.place.column - 1;
    out +=
        fmt::format("{}:{}:{}: {}\n", test.file, failure.place.line, failure.place.column, failure.message);
    out += fmt::format("  {} |\n  {} | {}\n  {} | {}{}\n", margin, failure.place.line,
                       printable(failure.place.text), margin, std::string(column, ' '),
                       std::string(std::max<std::size_t>(failure.place.length, 1), '^'));
    for (const std::string& note : failure.notes) out += fmt::format("  {} = {}\n", margin, note);
  }
  out += "  what happened:\n";
  for (const std::string& line : test.result.story) out += fmt::format("    {}\n", line);
  return out;
}

std::string as_text(const TestReport& report) {
  std::string out, file;
  for (const ReportedTest& test : report.tests) {
    if (file != test.file) out += fmt::format("{}\n", file = test.file);
    out += fmt::format("  {}  {}\n", test.result.has_passed() ? "ok  " : "FAIL", printable(test.test.name));
  }
  for (const ReportedTest& test : report.tests)
    if (!test.result.has_passed())
      out += fmt::format("\nFAIL {}\n{}", printable(test.test.name), details(test));
  if (!report.tests.empty()) out += "\n";
  const std::size_t failed = failed_tests(report);
  out += fmt::format("{}, {} passed, {} failed", counted(report.tests.size(), "test"),
                     report.tests.size() - failed, failed);
  if (!report.broken.empty()) out += fmt::format("; {} with mistakes", counted(report.broken.size(), "file"));
  return out + "\n";
}

std::string as_tap(const TestReport& report) {
  std::string out = fmt::format("TAP version 13\n1..{}\n", report.tests.size() + report.broken.size());
  std::size_t number = 0;
  for (const ReportedTest& test : report.tests) {
    std::string name = printable(test.test.name);
    std::ranges::replace(name, '#', '_');
    out += fmt::format("{} {} - {}: {}\n", test.result.has_passed() ? "ok" : "not ok", ++number, test.file,
                       name);
    if (test.result.has_passed()) continue;
    std::string text = details(test);
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      out += fmt::format("# {}\n", text.substr(at, end - at));
      at = end + 1;
    }
  }
  for (const std::string& file : report.broken)
    out += fmt::format("not ok {} - {}: does not compile\n", ++number, file);
  return out;
}

std::string as_junit(const TestReport& report) {
  std::string out = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"flow\" tests=\"{}\" failures=\"{}\" "
      "errors=\"{}\">\n",
      report.tests.size() + report.broken.size(), failed_tests(report), report.broken.size());
  for (const ReportedTest& test : report.tests) {
    out += fmt::format("  <testcase classname=\"{}\" name=\"{}\" file=\"{}\" line=\"{}\"",
                       html_escaped(test.file), html_escaped(printable(test.test.name)),
                       html_escaped(test.file), test.test.place.line);
    if (test.result.has_passed()) {
      out += "/>\n";
      continue;
    }
    out += fmt::format(">\n    <failure message=\"{}\">{}</failure>\n  </testcase>\n",
                       html_escaped(test.result.failures[0].message), html_escaped(details(test)));
  }
  for (const std::string& file : report.broken)
    out += fmt::format(
        "  <testcase classname=\"{0}\" name=\"compiles\"><error message=\"{0} does not "
        "compile\"/></testcase>\n",
        html_escaped(file));
  return out + "</testsuite>\n";
}

// A condition as it is written; of an arm its patterns.
std::string shown(const Tree& tree, const CoveragePoint& point) {
  if (point.match == kNoNode) return std::string(tree.text(point.condition));
  const auto kids = tree.kids(point.condition);
  const std::string_view arm = tree.text(point.condition);
  const std::uint32_t behind = tree.span(kids[kids.size() - 2]).end - tree.span(point.condition).begin;
  return std::string(arm.substr(0, behind));
}

}  // namespace

bool TestReport::has_passed() const {
  return broken.empty() && failed_tests(*this) == 0;
}

std::string rendered(const TestReport& report, const std::string& format) {
  return format == "junit" ? as_junit(report) : format == "tap" ? as_tap(report) : as_text(report);
}

Attempt<void> run_tests(const std::string& file, Compilation& compilation, TestRun& run) {
  if (compilation.checked.tests.empty()) return {};
  CoveragePoints points;
  std::optional<Module> module = compile_tests(compilation, &points);
  if (!module) return run.report.broken.push_back(file), Attempt<void>();
  const auto settings = run.params.of(*module);
  if (!settings) return tl::unexpected(settings.error());
  const Result<Program> program = Program::load(std::move(*module));
  if (!program) {
    complain(fmt::format("internal: the tests of `{}` do not verify: {}", file, program.error().message));
    run.report.broken.push_back(file);
    return {};
  }
  std::vector<testing::BranchPoint> branches;
  for (const CoveragePoint& point : points)
    branches.push_back({.routine = point.routine,
                        .begin = point.begin,
                        .end = point.end,
                        .when = point.when,
                        .id = point.condition,
                        .line = compilation.tree.line(point.condition),
                        .text = shown(compilation.tree, point),
                        .match = point.match == kNoNode ? 0 : point.match + 1,
                        .taken = point.taken});
  const auto first_value = static_cast<std::uint32_t>(compilation.checked.flows.size());
  testing::Coverage coverage(program->module(), first_value, std::move(branches));
  for (const testing::Test& test : test_cases(compilation, first_value)) {
    if (!run.filter.empty() && test.name.find(run.filter) == std::string::npos) continue;
    const auto watch = [&](Machine& machine) {
      if (run.has_coverage) coverage.watch(machine);
    };
    run.report.tests.push_back({file, test, testing::run_test(*program, test, *settings, watch)});
  }
  if (run.has_coverage) run.coverage += coverage.table(file);
  return {};
}

void print_report(const TestReport& report, const std::string& format) {
  say(stdout, rendered(report, format));
}

}  // namespace flow
