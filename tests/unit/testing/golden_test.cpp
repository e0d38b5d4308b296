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
  Compilation compilation = compile({path.filename().string(), read(path)}, standard_library());
  std::string out;
  for (const Diagnostic& diagnostic : compilation.diagnostics.all())
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

INSTANTIATE_TEST_SUITE_P(Files, TestRunner, ::testing::ValuesIn(cases()),
                         [](const auto& param) { return param.param.stem().string(); });

}  // namespace
}  // namespace flow::test
