// flow test: runs the tests of files and folders in a pretend world, and says which expectations did not come
// true.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "apps/cli/compiler_commands.hpp"
#include "apps/cli/exit_code.hpp"
#include "apps/cli/source.hpp"
#include "apps/cli/terminal.hpp"
#include "apps/cli/test_report.hpp"

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
    for (auto at = fs::recursive_directory_iterator(path, ignored); at != fs::recursive_directory_iterator();
         ++at)
      if (at->path().extension() == ".flow") found.push_back(at->path().lexically_normal().string());
    std::ranges::sort(found);
    files.insert(files.end(), found.begin(), found.end());
  }
  return files;
}

class Tester {
 public:
  Tester(const TestOptions& options, GivenParams params) : options_(options) {
    run_.params = std::move(params);
    run_.filter = options.filter;
    run_.has_coverage = options.coverage;
  }

  Attempt<void> file(const std::string& path) {
    Result<Compilation> compilation = compile_file(path);
    if (!compilation) {
      complain(compilation.error().message);
      is_unreadable_ = true;
      return {};
    }
    if (compilation->checked.tests.empty() && is_module(*compilation)) return {};
    if (compilation->diagnostics.has_errors()) {
      print_diagnostics(*compilation);
      run_.report.broken.push_back(path);
      return {};
    }
    const std::size_t broken = run_.report.broken.size();
    const Attempt<void> ran = run_tests(path, *compilation, run_);
    if (run_.report.broken.size() != broken) print_diagnostics(*compilation);
    return ran;
  }

  // A parameter may be one of a file that does not compile.
  Attempt<void> check_params() const {
    const bool knows_all = !is_unreadable_ && run_.report.broken.empty();
    return knows_all ? run_.params.check_all_known() : Attempt<void>();
  }

  int finish() {
    print_report(run_.report, options_.format);
    // Programs read the other formats: the table would be no part of them.
    if (options_.coverage) say(options_.format == "text" ? stdout : stderr, run_.coverage);
    if (is_unreadable_) return kWorldWrong;
    return run_.report.has_passed() ? kSuccess : kFlowWrong;
  }

 private:
  // Found in a folder: functions for others, which have nothing to run.
  static bool is_module(const Compilation& compilation) {
    return compilation.checked.flows.empty() &&
           std::ranges::all_of(compilation.diagnostics.all(), [](const Diagnostic& diagnostic) {
             return row(diagnostic.code).severity == Severity::Warning || diagnostic.code == Code::NoFlow;
           });
  }

  const TestOptions& options_;
  TestRun run_;
  bool is_unreadable_ = false;
};

int fail(const Failure& failure) {
  complain(failure.message);
  return failure.code;
}

}  // namespace

int run_test_command(const TestOptions& options) {
  if (options.format != "text" && options.format != "junit" && options.format != "tap") {
    complain(fmt::format("there is no format `{}`; formats are text, junit and tap", options.format));
    return kUsage;
  }
  Attempt<GivenParams> params = GivenParams::read(options.params);
  if (!params) return fail(params.error());
  Tester tester(options, std::move(*params));
  for (const std::string& path : flow_files(options.paths))
    if (const Attempt<void> tested = tester.file(path); !tested) return fail(tested.error());
  if (const Attempt<void> known = tester.check_params(); !known) return fail(known.error());
  return tester.finish();
}

}  // namespace flow
