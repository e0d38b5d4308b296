// tests/golden/connector: each document with the declaration and the report that come of it. Documents whose
// name begins with `fail_` are refused; their report is the reason.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "apps/library/standard_library.hpp"
#include "import/import.hpp"

namespace flow::importer {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<fs::path> documents() {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(fs::path(FLOW_SOURCE_DIR) / "tests/golden/connector"))
    if (entry.path().extension() == ".json" || entry.path().extension() == ".yaml")
      found.push_back(entry.path());
  std::ranges::sort(found);
  return found;
}

void expect_file(const fs::path& path, const std::string& text) {
  if (std::getenv("FLOW_UPDATE") != nullptr)
    std::ofstream(path, std::ios::binary) << text;
  else
    EXPECT_EQ(text, read(path)) << "FLOW_UPDATE=1 rewrites " << path.filename();
}

class ConnectorGolden : public testing::TestWithParam<fs::path> {};

TEST_P(ConnectorGolden, BecomesWhatIsExpected) {
  const fs::path& path = GetParam();
  const Result<Import> import =
      import_document(read(path), {.file = path.filename().string()}, standard_library());
  EXPECT_EQ(!import.has_value(), path.stem().string().starts_with("fail_"));
  expect_file(fs::path(path).replace_extension(".report"),
              import ? report_text(*import) : import.error().message + "\n");
  if (import) expect_file(fs::path(path).replace_extension(".flow"), import->text);
}

INSTANTIATE_TEST_SUITE_P(Documents, ConnectorGolden, testing::ValuesIn(documents()),
                         [](const auto& path) { return path.param.stem().string(); });

}  // namespace
}  // namespace flow::importer
