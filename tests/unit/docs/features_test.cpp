// docs/features.md says which tests show each construct of the language; these look whether it is so.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "tests/unit/docs/samples.hpp"

namespace flow::test {
namespace {

namespace fs = std::filesystem;

const fs::path kPage = fs::path(FLOW_SOURCE_DIR) / "docs/features.md";

struct Link {
  std::string text;
  std::string target;
};

std::vector<Link> links_in(const std::string& cell) {
  std::vector<Link> links;
  for (std::size_t at = cell.find('['); at != std::string::npos; at = cell.find('[', at + 1)) {
    const std::size_t middle = cell.find("](", at), end = cell.find(')', at);
    if (middle == std::string::npos || end == std::string::npos) break;
    links.push_back({cell.substr(at + 1, middle - at - 1), cell.substr(middle + 2, end - middle - 2)});
  }
  return links;
}

struct Row {
  std::string construct, shown, refused;
};

std::vector<Row> rows() {
  std::vector<Row> rows;
  std::istringstream lines(read_text(kPage));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("| ") || line.starts_with("| Construct")) continue;
    const std::size_t first = line.find(" | "), second = line.find(" | ", first + 3);
    rows.push_back({line.substr(2, first - 2), line.substr(first + 3, second - first - 3),
                    line.substr(second + 3, line.size() - second - 5)});
  }
  return rows;
}

TEST(Features, HaveTestsThatAcceptAndTestsThatRefuse) {
  ASSERT_GT(rows().size(), 60u);
  for (const Row& row : rows()) {
    SCOPED_TRACE(row.construct);
    EXPECT_FALSE(links_in(row.shown).empty());
    EXPECT_FALSE(links_in(row.refused).empty());
    for (const Link& link : links_in(row.shown))
      EXPECT_FALSE(link.text.starts_with("fail_")) << link.text << " refuses";
  }
}

TEST(Features, LinkToWhatTheyName) {
  for (const Row& row : rows())
    for (const std::string& cell : {row.shown, row.refused})
      for (const Link& link : links_in(cell)) {
        const fs::path file = kPage.parent_path() / link.target;
        ASSERT_TRUE(fs::exists(file)) << row.construct << " links to " << link.target;
        const bool is_named =
            file.stem() == link.text || file.filename() == link.text ||
            (file.extension() == ".cpp" && read_text(file).find(link.text) != std::string::npos);
        EXPECT_TRUE(is_named) << "no " << link.text << " in " << link.target;
        const bool is_golden = link.target.find("/golden/") != std::string::npos;
        EXPECT_TRUE(!is_golden || fs::exists(fs::path(file).replace_extension(".expected"))) << link.target;
      }
}

// As headings become anchors: `## Triggers, and what is in scope`.
std::string anchor_of(const std::string& heading) {
  std::string anchor;
  for (const char c : heading.substr(heading.find(' ') + 1))
    if (c == ' ')
      anchor += '-';
    else if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-')
      anchor += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return anchor;
}

TEST(Features, LinkToChaptersOfTheLanguage) {
  std::string anchors = " ";
  std::istringstream lines(read_text(kPage.parent_path() / "language.md"));
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("##")) anchors += anchor_of(line) + " ";
  const std::string page = read_text(kPage);
  for (const Link& link : links_in(page)) {
    if (!link.target.starts_with("language.md#")) continue;
    const std::string anchor = link.target.substr(link.target.find('#') + 1);
    EXPECT_NE(anchors.find(" " + anchor + " "), std::string::npos) << link.target;
  }
}

TEST(Features, NameEachReservedWord) {
  const std::string page = read_text(kPage);
  std::string words = " ";  // between backticks
  bool is_code = false;
  for (const char c : page) {
    if (c == '`') is_code = !is_code;
    words += is_code && (std::isalnum(static_cast<unsigned char>(c)) != 0) ? c : ' ';
  }
  for (const char* const word : {
#define FLOW_KEYWORD(word, meaning) #word,
#include "grammar/keywords.def"
#undef FLOW_KEYWORD
       })
    EXPECT_NE(words.find(std::string(" ") + word + " "), std::string::npos) << "`" << word << "`";
}

}  // namespace
}  // namespace flow::test
