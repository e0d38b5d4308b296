// Several files as one tree: nodes keep their texts, places and mistakes go back to their files.
#include "compiler/syntax/join.hpp"

#include <gtest/gtest.h>

#include "compiler/parse/parse.hpp"

namespace flow::test {
namespace {

Tree parsed(const std::string& name, const std::string& text, std::uint32_t file) {
  Diagnostics diagnostics;
  Tree tree = parse(std::make_shared<const SourceFile>(name, text), file, diagnostics);
  EXPECT_FALSE(diagnostics.has_errors());
  return tree;
}

struct Join : testing::Test {
  const std::string first = "// one\nfn one() = 1\n", second = "\n\n  /// Two.\n  fn two() = 2";
  const Tree tree = join({parsed("one.flow", first, 0), parsed("two.flow", second, 1)});
};

TEST_F(Join, EachPartIsTheTreeOfItsFile) {
  ASSERT_EQ(tree.parts.size(), 2u);
  EXPECT_EQ(tree.root, tree.parts[0].root);
  const NodeId one = tree.kid(tree.parts[0].root, 0), two = tree.kid(tree.parts[1].root, 0);
  EXPECT_EQ(tree.text(one), "fn one() = 1");
  EXPECT_EQ(tree.text(two), "fn two() = 2");
  EXPECT_EQ(tree.text(tree.kid(two, 0)), "two");
  EXPECT_EQ(tree.doc_above(two), "Two.");
  EXPECT_EQ(tree.doc_above(one), "");
}

TEST_F(Join, PlacesAreThoseOfTheFile) {
  const NodeId two = tree.kid(tree.parts[1].root, 0);
  EXPECT_EQ(tree.line(tree.kid(tree.parts[0].root, 0)), 2u);
  EXPECT_EQ(tree.position(two).line, 4u);
  EXPECT_EQ(tree.position(two).column, 3u);
}

TEST_F(Join, MistakesGoBackToTheirFiles) {
  const NodeId one = tree.kid(tree.parts[0].root, 0), two = tree.kid(tree.parts[1].root, 0);
  Diagnostics diagnostics;
  diagnostics.report(Code::DuplicateName, tree.file, tree.span(two), "twice")
      .label(tree.span(one), "first")
      .fix(tree.span(tree.kid(two, 0)), "three", "rename");
  diagnostics.report(Code::SyntaxError, 1, {1, 2}, "of a file by itself");
  to_parts(tree, diagnostics);
  const Diagnostic& moved = diagnostics.all()[0];
  EXPECT_EQ(moved.file, 1u);
  EXPECT_EQ(second.substr(moved.span.begin, moved.span.end - moved.span.begin), "fn two() = 2");
  EXPECT_EQ(moved.labels[0].file, 0u);
  EXPECT_EQ(moved.labels[0].span.begin, first.find("fn"));
  EXPECT_EQ(second.substr(moved.fixes[0].span.begin, 3), "two");
  EXPECT_EQ(diagnostics.all()[1].file, 1u);
  EXPECT_EQ(diagnostics.all()[1].span, (Span{1, 2}));
}

}  // namespace
}  // namespace flow::test
