// Every row of a list appears in some golden file, or here with the reason why it cannot. An exemption that
// is no longer needed fails as well, so the lists below stay short.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "compiler/syntax/tree.hpp"
#include "grammar/words.hpp"
#include "tests/unit/compiler/golden.hpp"
#include "vm/bytecode/op_table.hpp"

namespace flow::test {
namespace {

namespace fs = std::filesystem;
using Exemptions = std::map<std::string, std::string>;

// All words of the golden files of `area` ("" for all) that end in `extension`.
std::set<std::string> words_in(const std::string& area, const std::string& extension) {
  std::set<std::string> words;
  for (const auto& entry :
       fs::recursive_directory_iterator(fs::path(FLOW_SOURCE_DIR) / "tests/golden" / area)) {
    if (entry.path().extension() != extension) continue;
    std::string word;
    for (const char c : read_text(entry.path()) + " ") {
      if (grammar::is_word_char(c)) {
        word += c;
      } else if (!word.empty()) {
        words.insert(std::exchange(word, {}));
      }
    }
  }
  return words;
}

void expect_covered(const std::vector<std::string>& rows, const std::set<std::string>& seen,
                    const Exemptions& exempt) {
  for (const std::string& row : rows)
    EXPECT_NE(seen.contains(row), exempt.contains(row))
        << row
        << (seen.contains(row) ? " is exempt but covered: remove the exemption"
                               : " appears in no golden file");
  for (const auto& [name, reason] : exempt)
    EXPECT_TRUE(std::ranges::find(rows, name) != rows.end()) << name << " is exempt but no row of the list";
}

TEST(GoldenCoverage, EveryDiagnosticIsShown) {
  const Exemptions exempt{
      {"F0006", "a hundred errors are no readable case; limits_test.cpp has it"},
      {"F0008", "needs a source of 16 MiB; limits_test.cpp has it"},
      {"F0606", "it depends on the day; analysis_test.cpp declares one"},
  };
  std::vector<std::string> rows;
  for (const CodeRow& code : all_codes()) rows.emplace_back(code.id);
  std::set<std::string> seen;
  for (const char* const area : {"check", "parse", "declare", "analyse"})
    seen.merge(words_in(area, ".expected"));
  expect_covered(rows, seen, exempt);
}

TEST(GoldenCoverage, EveryKeywordIsUsed) {
  std::vector<std::string> rows;
  for (const grammar::Keyword& keyword : grammar::kKeywords) rows.emplace_back(keyword.word);
  expect_covered(rows, words_in("", ".flow"), {});
}

TEST(GoldenCoverage, EveryInstructionIsEmitted) {
  const Exemptions exempt{
      {"EndBranch", "the machine's own"},
      {"MultiplySpan", "the checker knows no product of a duration"},
      {"DivideSpan", "the checker knows no quotient of a duration"},
      {"ModuloSpan", "the checker knows no remainder of a duration"},
  };
  std::vector<std::string> rows;
  for (const OpInfo& op : all_ops()) rows.emplace_back(op.name);
  expect_covered(rows, words_in("emit", ".expected"), exempt);
}

TEST(GoldenCoverage, EveryNodeIsParsed) {
  const std::vector<std::string> rows{
#define FLOW_NODE(name, children) #name,
#include "compiler/syntax/nodes.def"
#undef FLOW_NODE
  };
  expect_covered(rows, words_in("parse", ".expected"), {});
}

}  // namespace
}  // namespace flow::test
