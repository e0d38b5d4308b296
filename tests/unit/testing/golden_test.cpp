// tests/golden/test/<case>.flow: a file with tests; <case>.expected: what `flow test --coverage` prints for
// it. FLOW_UPDATE=1 rewrites them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "apps/cli/source.hpp"
#include "apps/cli/test_report.hpp"

namespace flow::test {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::vector<fs::path> cases() {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(fs::path(FLOW_SOURCE_DIR) / "tests/golden/test"))
    if (entry.path().extension() == ".flow") found.push_back(entry.path());
  std::ranges::sort(found);
  return found;
}

std::string printed(const fs::path& path, const std::string& format) {
  Result<Compilation> compiled = compile_file(path.string());
  if (!compiled) return compiled.error().message;
  Compilation& compilation = *compiled;
  std::string out;
  for (const Diagnostic& diagnostic : compilation.diagnostics.all())
    if (row(diagnostic.code).severity ==
        Severity::Error)  // with their paths, warnings differ from place to place
      out += render_text(diagnostic, compilation.files, false) + "\n";
  if (compilation.diagnostics.has_errors()) return out;
  TestRun run;
  run.has_coverage = true;
  run_tests(path.filename().string(), compilation, run);
  return rendered(run.report, format) + run.coverage;
}

class TestRunner : public ::testing::TestWithParam<fs::path> {};

TEST_P(TestRunner, PrintsWhatIsExpected) {
  const fs::path expected = fs::path(GetParam()).replace_extension(".expected");
  const std::string format = GetParam().stem().string().starts_with("junit") ? "junit"
                             : GetParam().stem().string().starts_with("tap") ? "tap"
                                                                             : "text";
  const std::string text = printed(GetParam(), format);
  if (std::getenv("FLOW_UPDATE") != nullptr)
    std::ofstream(expected, std::ios::binary) << text;
  else
    EXPECT_EQ(text, read(expected)) << "FLOW_UPDATE=1 rewrites " << expected.filename();
}

// Each example compiles without a warning, and what it tests holds.
TEST(Examples, PassTheirTests) {
  TestRun run;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(FLOW_SOURCE_DIR) / "examples")) {
    if (entry.path().extension() != ".flow" || entry.path().parent_path().filename() == "lib") continue;
    Result<Compilation> compilation = compile_file(entry.path().string());
    ASSERT_TRUE(compilation.has_value()) << compilation.error().message;
    for (const Diagnostic& diagnostic : compilation->diagnostics.all())
      ADD_FAILURE() << entry.path() << ": " << diagnostic.message;
    if (!compilation->diagnostics.has_errors())
      run_tests(entry.path().filename().string(), *compilation, run);
  }
  EXPECT_TRUE(run.report.has_passed()) << rendered(run.report, "text");
  EXPECT_FALSE(run.report.tests.empty());
}

INSTANTIATE_TEST_SUITE_P(Files, TestRunner, ::testing::ValuesIn(cases()),
                         [](const auto& param) { return param.param.stem().string(); });

}  // namespace
}  // namespace flow::test
