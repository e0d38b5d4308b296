// What `flow test` prints: for people, for JUnit's readers, as TAP.
#pragma once

#include <string>
#include <vector>

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

// `format` is text, junit or tap.
std::string rendered(const TestReport& report, const std::string& format);
void print_report(const TestReport& report, const std::string& format);

}  // namespace flow
