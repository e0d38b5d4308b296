// The documentation cannot rot: each sample compiles, or says the one thing that the page claims.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "compiler/compile.hpp"
#include "stdlib/declarations/declarations.hpp"
#include "tests/unit/docs/samples.hpp"
#include "tests/unit/several_files.hpp"

namespace flow::test {
namespace {

std::vector<NamedText> standard_texts() {
  std::vector<NamedText> texts;
  for (const Declaration& declaration : declarations())
    texts.push_back({std::string(declaration.name), std::string(declaration.text)});
  return texts;
}

const Library& standard_library() {
  static const Declarations loaded = load_declarations(standard_texts());
  return loaded.library;
}

std::string shown(const Diagnostics& diagnostics, const Files& files) {
  std::string out;
  for (const Diagnostic& diagnostic : diagnostics.all()) out += render_text(diagnostic, files, false) + "\n";
  return out;
}

void expect_compiles(const Sample& sample) {
  const Compilation compilation = compile_files("sample.flow", sample.text, standard_library());
  EXPECT_FALSE(compilation.diagnostics.has_errors()) << shown(compilation.diagnostics, compilation.files);
}

void expect_only(const Sample& sample, const std::string& code) {
  const Compilation compilation = compile_files("sample.flow", sample.text, standard_library());
  std::set<std::string> codes;
  for (const Diagnostic& diagnostic : compilation.diagnostics.all())
    codes.insert(std::string(row(diagnostic.code).id));
  EXPECT_EQ(codes, std::set{code}) << shown(compilation.diagnostics, compilation.files);
}

// Beside the standard library, which it may name.
void expect_declares(const Sample& sample) {
  std::vector<NamedText> texts = standard_texts();
  texts.push_back({"sample.flow", sample.text});
  const Declarations declared = load_declarations(texts);
  EXPECT_TRUE(declared.diagnostics.all().empty()) << shown(declared.diagnostics, declared.files);
}

TEST(DocumentationSamples, DoWhatTheirPagesSay) {
  constexpr std::string_view kError = "flow-error ";
  for (const auto& page : pages())
    for (const Sample& sample : samples(page)) {
      SCOPED_TRACE(sample.place);
      if (sample.kind == "flow")
        expect_compiles(sample);
      else if (sample.kind == "flow-connector")
        expect_declares(sample);
      else if (sample.kind.starts_with(kError))
        expect_only(sample, sample.kind.substr(kError.size()));
      else
        EXPECT_FALSE(sample.kind.starts_with("flow"))
            << "`" << sample.kind << "` is no kind of sample that a test knows";
    }
}

TEST(Examples, HaveNoMistakesAndNoWarnings) {
  int examples = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(FLOW_SOURCE_DIR) / "examples")) {
    if (entry.path().extension() != ".flow") continue;
    ++examples;
    SCOPED_TRACE(entry.path().filename());
    const Compilation compilation =
        compile({entry.path().filename().string(), read_text(entry.path())}, standard_library());
    EXPECT_TRUE(compilation.diagnostics.all().empty()) << shown(compilation.diagnostics, compilation.files);
  }
  EXPECT_GT(examples, 0);
}

}  // namespace
}  // namespace flow::test
