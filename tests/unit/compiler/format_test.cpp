// The formatter, over every text of Flow in the tree: it changes no word, and what it has laid out stays as
// it is.
#include "compiler/format/format.hpp"

#include <gtest/gtest.h>

#include "compiler/parse/parse.hpp"
#include "tests/unit/compiler/golden.hpp"

namespace flow::test {
namespace {

namespace fs = std::filesystem;

Tree read(const std::string& text, Diagnostics& diagnostics) {
  return parse(std::make_shared<const SourceFile>("source.flow", text), 0, diagnostics);
}

TEST(Format, ChangesNoWordOfAnyText) {
  std::size_t texts = 0;
  for (const char* const folder : {"tests/golden", "examples", "stdlib"})
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(FLOW_SOURCE_DIR) / folder)) {
      if (entry.path().extension() != ".flow") continue;
      Diagnostics diagnostics;
      const Tree tree = read(read_text(entry.path()), diagnostics);
      if (diagnostics.has_errors()) continue;
      ++texts;
      const Result<std::string> once = format(tree);
      ASSERT_TRUE(once.has_value()) << entry.path();
      const Tree again = read(*once, diagnostics);
      EXPECT_EQ(outline(again), outline(tree)) << entry.path();
      const Result<std::string> twice = format(again);
      ASSERT_TRUE(twice.has_value()) << entry.path();
      EXPECT_EQ(*twice, *once) << entry.path();
    }
  EXPECT_GT(texts, 200u);
}

TEST(Format, ExamplesAreLaidOut) {
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(FLOW_SOURCE_DIR) / "examples")) {
    if (entry.path().extension() != ".flow") continue;
    Diagnostics diagnostics;
    const std::string text = read_text(entry.path());
    const Result<std::string> laid_out = format(read(text, diagnostics));
    ASSERT_TRUE(laid_out.has_value()) << entry.path();
    EXPECT_EQ(*laid_out, text) << entry.path();
  }
}

}  // namespace
}  // namespace flow::test
