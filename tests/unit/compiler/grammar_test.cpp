// The grammar itself: it makes progress, it has one list of words with its page for readers, and the examples
// fit it.
#include <gtest/gtest.h>

#include <set>
#include <tao/pegtl/contrib/analyze.hpp>

#include "compiler/parse/parse.hpp"
#include "grammar/rules.hpp"
#include "tests/unit/compiler/golden.hpp"
#include "tests/unit/thoroughness.hpp"

// What the two rules that are written out as code do, for analyze(): a word takes something, blanks may be
// none.
namespace TAO_PEGTL_NAMESPACE {
template <typename Name, bool Free>
struct analyze_traits<Name, flow::grammar::word_rule<Free>> : analyze_any_traits<> {};
template <typename Name>
struct analyze_traits<Name, flow::grammar::qualified_name> : analyze_any_traits<> {};
template <typename Name>
struct analyze_traits<Name, flow::grammar::ws> : analyze_opt_traits<> {};
}  // namespace TAO_PEGTL_NAMESPACE

namespace flow::test {
namespace {

namespace fs = std::filesystem;

struct endless : tao::pegtl::star<grammar::ws> {};

TEST(Grammar, EveryLoopMakesProgress) {
  EXPECT_EQ(tao::pegtl::analyze<grammar::file>(1), 0u);
  EXPECT_NE(tao::pegtl::analyze<endless>(-1), 0u) << "an endless loop is found";
}

// Words between double quotes.
std::set<std::string> terminals(const std::string& page) {
  std::set<std::string> words;
  for (std::size_t open = page.find('"'); open != std::string::npos; open = page.find('"', open + 1)) {
    std::size_t end = open + 1;
    while (end < page.size() && grammar::is_word_char(page[end])) ++end;
    if (end < page.size() && page[end] == '"' && end > open + 1)
      words.insert(page.substr(open + 1, end - open - 1));
  }
  return words;
}

TEST(Grammar, PageForReadersHasEachReservedWord) {
  const std::set<std::string> words = terminals(read_text(fs::path(FLOW_SOURCE_DIR) / "grammar/flow.ebnf"));
  for (const grammar::Keyword& keyword : grammar::kKeywords)
    EXPECT_TRUE(words.contains(std::string(keyword.word))) << keyword.word;
  // Each word of the page is one of the rules: as a keyword, or quoted letter by letter as `'b', 'a', 's',
  // 'e'` or "base".
  std::string rules;
  for (const auto& entry : fs::directory_iterator(fs::path(FLOW_SOURCE_DIR) / "grammar/rules"))
    rules += read_text(entry.path());
  for (const std::string& word : words) {
    std::string letters;
    for (const char c : word) letters += std::string(letters.empty() ? "'" : ", '") + c + "'";
    EXPECT_TRUE(grammar::is_keyword(word) || rules.find('"' + word + '"') != std::string::npos ||
                rules.find(letters) != std::string::npos || word.size() == 1)
        << '`' << word << "` is in flow.ebnf and in no rule";
  }
}

TEST(Grammar, EveryExampleCompilesWithoutAWord) {
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(FLOW_SOURCE_DIR) / "examples")) {
    if (entry.path().extension() != ".flow") continue;
    // Those of several files, and those with tests, are compiled where both are read: tests/unit/testing.
    if (fs::relative(entry.path(), fs::path(FLOW_SOURCE_DIR) / "examples").has_parent_path()) continue;
    const Compilation compilation =
        compile({entry.path().filename().string(), read_text(entry.path())}, standard_library());
    EXPECT_EQ(rendered(compilation.diagnostics, compilation.files), "") << entry.path();
  }
}

// Texts near those of the golden files: a word left out, written twice, or changed for another.
TEST(Grammar, NeighboursOfGoldenFilesAreAnswered) {
  std::uint64_t state = 1;
  const auto below = [&](std::size_t bound) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::size_t>(state >> 33) % bound;
  };
  for (const GoldenCase& golden : golden_cases()) {
    std::vector<std::string> words(1);
    for (const char c : read_text(golden.source)) {
      if (!grammar::is_word_char(c) || (!words.back().empty() && !grammar::is_word_char(words.back().back())))
        words.emplace_back();
      words.back() += c;
    }
    if (words.size() < 2 || words.size() > 2'000) continue;
    for (std::size_t i = 0; i < 60; i += kEach) {
      std::vector<std::string> changed = words;
      for (std::size_t times = 1 + below(3); times > 0; --times) {
        const std::size_t at = below(changed.size()), other = below(changed.size());
        switch (below(4)) {
          case 0: changed[at].clear(); break;
          case 1: changed[at] += changed[at]; break;
          case 2: std::swap(changed[at], changed[other]); break;
          default: changed[at] = changed[other];
        }
      }
      std::string text;
      for (const std::string& word : changed) text += word;
      const Shown shown = show(golden.area, "changed.flow", text);
      EXPECT_EQ(shown.text.find("does not verify"), std::string::npos) << text << '\n' << shown.text;
    }
  }
}

}  // namespace
}  // namespace flow::test
