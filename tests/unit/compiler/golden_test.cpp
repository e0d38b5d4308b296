// Each golden file is its own test case; see golden.hpp.
#include "tests/unit/compiler/golden.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace flow::test {
namespace {

class Golden : public testing::TestWithParam<GoldenCase> {};

TEST_P(Golden, PrintsWhatIsExpected) {
  const GoldenCase& golden = GetParam();
  const Shown shown = show(golden.area, golden.name + ".flow", read_text(golden.source));
  EXPECT_EQ(shown.has_errors, golden.name.starts_with("fail_"))
      << "a case's name begins with `fail_` exactly when errors are expected\n"
      << shown.text;
  if (std::getenv("FLOW_UPDATE") != nullptr) {
    if (read_text(golden.expected()) != shown.text)
      std::ofstream(golden.expected(), std::ios::binary) << shown.text;
    return;
  }
  EXPECT_EQ(shown.text, read_text(golden.expected()))
      << "FLOW_UPDATE=1 rewrites " << golden.expected().filename();
}

INSTANTIATE_TEST_SUITE_P(Files, Golden, testing::ValuesIn(golden_cases()), [](const auto& golden) {
  std::string name = golden.param.area + "_" + golden.param.name;
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  return name;
});

TEST(GoldenFiles, EachExpectedFileHasItsCase) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(
           std::filesystem::path(FLOW_SOURCE_DIR) / "tests/golden")) {
    if (entry.path().extension() != ".expected") continue;
    EXPECT_TRUE(std::filesystem::exists(std::filesystem::path(entry.path()).replace_extension(".flow")))
        << entry.path();
  }
}

}  // namespace
}  // namespace flow::test
