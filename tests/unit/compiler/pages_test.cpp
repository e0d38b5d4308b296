// docs/diagnostics: one page a code, whose first example produces the code and whose last one does not.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "tests/unit/compiler/golden.hpp"
#include "tests/unit/several_files.hpp"

namespace flow::test {
namespace {

namespace fs = std::filesystem;

const fs::path kPages = fs::path(FLOW_SOURCE_DIR) / "docs/diagnostics";

std::vector<std::string> examples(const std::string& page) {
  static constexpr std::string_view kOpen = "\n```flow\n", kClose = "\n```\n";
  std::vector<std::string> out;
  for (std::size_t at = page.find(kOpen); at != std::string::npos; at = page.find(kOpen, at + 1)) {
    const std::size_t begin = at + kOpen.size(), end = page.find(kClose, begin);
    if (end == std::string::npos) break;
    out.push_back(page.substr(begin, end - begin) + "\n");
  }
  return out;
}

// Files that only declare connectors are loaded as declarations, all others are compiled.
Diagnostics diagnostics_of(const std::string& text) {
  Compilation compilation = compile_files("example.flow", text, standard_library());
  const auto kids = compilation.tree.kids(compilation.tree.root);
  const bool declares = !kids.empty() && std::ranges::all_of(kids, [&](NodeId kid) {
    return compilation.tree.kind(kid) == NodeKind::Connector;
  });
  return declares ? load_declarations({{"example.flow", text}}).diagnostics : compilation.diagnostics;
}

bool has(const Diagnostics& diagnostics, Code code) {
  return std::ranges::any_of(diagnostics.all(), [&](const Diagnostic& d) { return d.code == code; });
}

class Page : public testing::TestWithParam<CodeRow> {};

TEST_P(Page, HoldsWhatItSays) {
  const std::map<Code, std::string> no_example{
      {Code::InvalidUtf8, "a page is UTF-8 itself"},
      {Code::HiddenDirection, "what nobody sees makes no example"},
      {Code::TooManyErrors, "a hundred mistakes make no example"},
      {Code::SourceTooLarge, "16 MiB make no example"},
      {Code::Retiring, "no operation that comes with Flow is retired now"},
      {Code::Retired, "no operation that comes with Flow is retired now"},
      {Code::NoGuardrail, "only strict checks tell it"},
  };
  const CodeRow& code = GetParam();
  const std::string page = read_text(kPages / (std::string(code.id) + ".md"));
  EXPECT_EQ(page.substr(0, page.find('\n')),
            "# " + std::string(code.id) + " " + std::string(code.name) + ": " + std::string(code.title));
  const std::vector<std::string> shown = examples(page);
  ASSERT_GE(shown.size(), 2u) << "an example that produces the code, and a mended one";
  const Diagnostics first = diagnostics_of(shown.front()), last = diagnostics_of(shown.back());
  EXPECT_NE(has(first, code.code), no_example.contains(code.code))
      << "the first example produces " << code.id << ", unless it is exempt";
  EXPECT_TRUE(last.all().empty()) << "the last example has no mistake, but: "
                                  << (last.all().empty() ? "" : last.all()[0].message);
}
INSTANTIATE_TEST_SUITE_P(Codes, Page, testing::ValuesIn(all_codes()),
                         [](const auto& code) { return std::string(code.param.id); });

TEST(Pages, HaveACodeEach) {
  for (const auto& entry : fs::directory_iterator(kPages)) {
    const auto codes = all_codes();
    EXPECT_TRUE(std::ranges::any_of(
        codes, [&](const CodeRow& code) { return entry.path().filename() == std::string(code.id) + ".md"; }))
        << entry.path().filename() << " is the page of no code";
  }
}

}  // namespace
}  // namespace flow::test
