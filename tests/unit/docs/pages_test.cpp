// What holds for every page, and that the generated ones are current.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "apps/docgen/pages.hpp"
#include "compiler/compile.hpp"
#include "stdlib/declarations/declarations.hpp"
#include "tests/unit/docs/samples.hpp"

namespace flow::test {
namespace {

namespace fs = std::filesystem;

TEST(Pages, HaveOneTitleAndNoTrailingBlanks) {
  for (const fs::path& page : pages()) {
    SCOPED_TRACE(page);
    std::istringstream lines(read_text(page));
    std::string line;
    int titles = 0;
    bool is_inside = false;
    for (int number = 1; std::getline(lines, line); ++number) {
      if (line.starts_with("```")) is_inside = !is_inside;
      if (!is_inside && line.starts_with("# ")) ++titles;
      EXPECT_FALSE(line.ends_with(' ') || line.ends_with('\t')) << "line " << number << " ends with blanks";
    }
    EXPECT_FALSE(is_inside) << "a fence is not closed";
    EXPECT_EQ(titles, 1);
  }
}

// `[text](target)`: a target that is no URL is a file beside the page.
TEST(Pages, LinkToFilesThatExist) {
  for (const fs::path& page : pages()) {
    const std::string text = read_text(page);
    for (std::size_t at = text.find("]("); at != std::string::npos; at = text.find("](", at + 1)) {
      std::string target = text.substr(at + 2, text.find(')', at) - at - 2);
      target = target.substr(0, target.find('#'));
      if (target.empty() || target.find("://") != std::string::npos || target.find(' ') != std::string::npos)
        continue;
      EXPECT_TRUE(fs::exists(page.parent_path() / target)) << page << " links to " << target;
    }
  }
}

TEST(Pages, EachDecisionIsInTheList) {
  const fs::path folder = fs::path(FLOW_SOURCE_DIR) / "docs/decisions";
  const std::string list = read_text(folder / "README.md");
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    EXPECT_TRUE(name == "README.md" || list.find("(" + name + ")") != std::string::npos) << name;
  }
}

TEST(GeneratedPages, AreCurrent) {
  std::vector<NamedText> texts;
  for (const Declaration& declaration : declarations())
    texts.push_back({std::string(declaration.name), std::string(declaration.text)});
  const Declarations declared = load_declarations(texts);
  const fs::path folder = fs::path(FLOW_SOURCE_DIR) / "docs/generated";
  for (const GeneratedPage& page : generated_pages(declared.library)) {
    if (std::getenv("FLOW_UPDATE") != nullptr && read_text(folder / page.file) != page.text)
      std::ofstream(folder / page.file, std::ios::binary) << page.text;
    EXPECT_TRUE(read_text(folder / page.file) == page.text)
        << page.file << " is old; refresh with: build/release/flow-docgen docs/generated (or FLOW_UPDATE=1)";
  }
}

}  // namespace
}  // namespace flow::test
