// What `flow test` prints: for people, for JUnit's readers, as TAP.
#pragma once

#include <string>
#include <vector>

#include "apps/cli/params.hpp"
#include "compiler/compile.hpp"
#include "testing/runner.hpp"

namespace flow {

struct ReportedTest {
  std::string file;
  testing::Test test;
  testing::TestResult result;
};
struct TestReport {
  std::vector<ReportedTest> tests;
  std::vector<std::string> broken;  // files that do not compile

  bool has_passed() const;
};

struct TestRun {
  GivenParams params;
  std::string filter;  // text in the names of the tests that are run; empty: all
  bool has_coverage = false;
  std::string coverage;  // of all files
  TestReport report;
};
// Runs the tests of a compilation without errors, and adds what came of it. What does not fit a module is in
// its diagnostics. The error is that of a parameter that was given.
Attempt<void> run_tests(const std::string& file, Compilation& compilation, TestRun& run);

// `format` is text, junit or tap.
std::string rendered(const TestReport& report, const std::string& format);
void print_report(const TestReport& report, const std::string& format);

}  // namespace flow
