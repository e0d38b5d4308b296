// flow test: runs the tests of files and folders in a pretend world, and says which expectations did not come true.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "apps/cli/compiler_commands.hpp"
#include "apps/cli/exit_code.hpp"
#include "apps/cli/source.hpp"
#include "apps/cli/terminal.hpp"
#include "apps/cli/test_cases.hpp"
#include "apps/cli/test_report.hpp"
#include "testing/coverage.hpp"
#include "testing/runner.hpp"

namespace flow {
namespace {

namespace fs = std::filesystem;

// Files as they are named; of a folder all `.flow` files below it, by name.
std::vector<std::string> flow_files(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths.empty() ? std::vector<std::string>{"."} : paths) {
    std::error_code ignored;
    if (!fs::is_directory(path, ignored)) {
      files.push_back(path);
      continue;
    }
    std::vector<std::string> found;
    for (auto at = fs::recursive_directory_iterator(path, ignored); at != fs::recursive_directory_iterator(); ++at)
      if (at->path().extension() == ".flow") found.push_back(at->path().lexically_normal().string());
    std::ranges::sort(found);
    files.insert(files.end(), found.begin(), found.end());
  }
  return files;
}

class Tester {
 public:
  explicit Tester(const TestOptions& options) : options_(options) {}

  void file(const std::string& path) {
    Result<Compilation> compilation = compile_file(path);
    if (!compilation) return complain(compilation.error().message), void(is_unreadable_ = true);
    if (compilation->diagnostics.has_errors()) {
      print_diagnostics(*compilation);
      report_.broken.push_back(path);
      return;
    }
    if (compilation->checked.tests.empty()) return;
    CoveragePoints points;
    std::optional<Module> module = compile_tests(*compilation, standard_library(), &points);
    if (!module) {
      print_diagnostics(*compilation);
      report_.broken.push_back(path);
      return;
    }
    Result<Program> program = Program::load(std::move(*module));
    if (!program) {
      complain(fmt::format("internal: the tests of `{}` do not verify: {}", path, program.error().message));
      report_.broken.push_back(path);
      return;
    }
    run(path, *compilation, *program, points);
  }

  int finish() {
    print_report(report_, options_.format);
    if (options_.coverage) say(stdout, coverage_);
    if (is_unreadable_) return kWorldWrong;
    return report_.has_passed() ? kSuccess : kFlowWrong;
  }

 private:
  void run(const std::string& path, const Compilation& compilation, const Program& program,
           const CoveragePoints& points) {
    std::vector<testing::BranchPoint> branches;
    for (const CoveragePoint& point : points)
      branches.push_back({.routine = point.routine,
                          .begin = point.begin,
                          .end = point.end,
                          .when = point.when,
                          .line = compilation.tree.line(point.condition),
                          .text = std::string(compilation.tree.text(point.condition))});
    const auto first_value = static_cast<std::uint32_t>(compilation.checked.flows.size());
    testing::Coverage coverage(program.module(), first_value, std::move(branches));
    for (const testing::Test& test : test_cases(compilation, standard_library(), first_value)) {
      if (!options_.filter.empty() && test.name.find(options_.filter) == std::string::npos) continue;
      report_.tests.push_back(
          {path, test, testing::run_test(program, test, [&](Machine& machine) { coverage.watch(machine); })});
    }
    if (options_.coverage) coverage_ += coverage.table(path);
  }

  const TestOptions& options_;
  TestReport report_;
  std::string coverage_;
  bool is_unreadable_ = false;
};

}  // namespace

int run_test_command(const TestOptions& options) {
  if (options.format != "text" && options.format != "junit" && options.format != "tap") {
    complain(fmt::format("there is no format `{}`; formats are text, junit and tap", options.format));
    return kUsage;
  }
  Tester tester(options);
  for (const std::string& path : flow_files(options.paths)) tester.file(path);
  return tester.finish();
}

}  // namespace flow
