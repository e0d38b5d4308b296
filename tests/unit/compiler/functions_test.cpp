// The standard functions: what is declared and what carries it out are the same set, and every example of
// every declaration holds when it is run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "compiler/check/standard_functions.hpp"
#include "tests/unit/compiler/golden.hpp"
#include "tests/unit/compiler/running.hpp"
#include "vm/bytecode/op_table.hpp"
#include "vm/interp/natives.hpp"

namespace flow::test {
namespace {

using ::testing::HasSubstr;

std::string outcome(const std::string& example, bool optimise) {
  const std::string source =
      "on alert.new do { if " + example + " { stop \"it holds\" } else { stop \"it does not hold\" } }";
  return stop_reason(source, {.optimise = optimise});
}

TEST(StandardFunctions, EachExampleHolds) {
  std::size_t count = 0;
  for (const StandardFunction& function : standard_library().functions)
    for (const std::string& example : function.examples) {
      EXPECT_EQ(outcome(example, true), "it holds") << function.group << ".flow, " << example;
      EXPECT_EQ(outcome(example, false), "it holds") << function.group << ".flow, not optimised, " << example;
      ++count;
    }
  EXPECT_GT(count, 100u);
}

TEST(StandardFunctions, EachHasADocAndAnExample) {
  for (const StandardFunction& function : standard_library().functions) {
    EXPECT_FALSE(function.doc.empty()) << function.signature;
    EXPECT_FALSE(function.examples.empty()) << function.signature;
    EXPECT_FALSE(function.parameters.empty()) << function.signature;
  }
}

TEST(StandardFunctions, EachIsCarriedOutAndNothingElseIs) {
  std::set<std::string_view> declared;
  for (const StandardFunction& function : standard_library().functions) {
    declared.insert(function.key);
    EXPECT_NE(function_binding(function.key), nullptr)
        << function.key << " is declared and has no row in compiler/check/functions.def";
  }
  std::map<std::string_view, int> bound;
  for (const FunctionBinding& row : function_bindings()) {
    EXPECT_EQ(++bound[row.key], 1) << row.key << " has two rows";
    EXPECT_TRUE(declared.contains(row.key)) << row.key << " is declared nowhere";
  }
}

// Whether a value of the declared type is one that the native takes.
bool agrees(const NativeType& native, const TypePattern& declared, const TypeTable& types) {
  const TypePattern* pattern = &declared;
  const bool is_optional = pattern->kind == TypePattern::Kind::Optional;
  if (is_optional) pattern = &pattern->children[0];
  if (pattern->kind == TypePattern::Kind::Variable) return native.is_text_argument();  // Text
  if (pattern->kind == TypePattern::Kind::List) {
    const TypePattern& item = pattern->children[0];
    const bool has_nulls = item.kind == TypePattern::Kind::Optional;
    return native.is_list && native.may_be_null == has_nulls &&
           (has_nulls ? item.children[0].type : item.type) == native.type;
  }
  if (native.is_list || native.may_be_null != is_optional) return false;
  if (native.is_text_argument())
    return types.storage(pattern->type) == Storage::Text || types.is(pattern->type, TypeKind::Enum);
  return pattern->type == native.type;
}

TEST(StandardFunctions, NativesHaveTheDeclaredTypes) {
  const Library& library = standard_library();
  for (const StandardFunction& function : library.functions) {
    const FunctionBinding* binding = function_binding(function.key);
    if (binding == nullptr || binding->kind != CheckedMethod::Kind::Native) continue;
    const NativeInfo& row = *native_info(binding->native);
    ASSERT_EQ(function.parameters.size(), row.argument_count) << function.signature;
    for (std::size_t i = 0; i < row.argument_count; ++i)
      EXPECT_TRUE(agrees(row.arguments[i], function.parameters[i].type, library.types))
          << function.signature << ", parameter " << function.parameters[i].name;
    EXPECT_TRUE(agrees(row.result, function.result, library.types)) << function.signature << ", result";
  }
  EXPECT_TRUE(natives_that_do_not_fit().empty()) << natives_that_do_not_fit().front();
}

std::string mistake(const std::string& expression) {
  const Compilation compilation =
      compile({"m.flow", "on alert.new do { log \"{" + expression + "}\" }"}, standard_library());
  return rendered(compilation.diagnostics, compilation.files);
}

TEST(StandardFunctions, NamesOfOtherLanguagesAreKnown) {
  EXPECT_THAT(mistake("title.toLowerCase()"), HasSubstr("write `text.lower()`"));
  EXPECT_THAT(mistake("title.toUpper()"), HasSubstr("write `text.upper()`"));
  EXPECT_THAT(mistake("title.len()"), HasSubstr("write `text.length()`"));
  EXPECT_THAT(mistake("title.substr(1, 2)"), HasSubstr("write `text.substring(from, count)`"));
  EXPECT_THAT(mistake("evidence.size()"), HasSubstr("`list.length()`"));
  EXPECT_THAT(mistake("evidence.append(1)"), HasSubstr("`list + [item]`"));
  EXPECT_THAT(mistake("[1].includes(1)"), HasSubstr("`list.contains(item)`"));
  EXPECT_THAT(mistake("concat(title, title)"), HasSubstr("`a + b`"));
  EXPECT_THAT(mistake("formatDateTime(title)"), HasSubstr("`time.format("));
  EXPECT_THAT(mistake("string(1)"), HasSubstr("\"{value}\""));
  EXPECT_THAT(mistake("title.lowr()"), HasSubstr("did you mean `lower`?"));
}

TEST(StandardFunctions, LiteralsAreChecked) {
  EXPECT_THAT(mistake("0.fromUnix().format(\"HH\", in: \"Europe/Berlinn\")"),
              HasSubstr("did you mean `Europe/Berlin`?"));
  EXPECT_THAT(mistake("0.fromUnix().format(\"HH\", in: \"tokyo\")"), HasSubstr("did you mean `Asia/Tokyo`?"));
  EXPECT_THAT(mistake("0.fromUnix().format(\"yyy\")"), HasSubstr("is no pattern of a time"));
  EXPECT_THAT(mistake("title.findAll(\"(\")"), HasSubstr("is no regular expression"));
  EXPECT_THAT(mistake("\"10.0.0\".isPrivate()"), HasSubstr("is no IPv4 or IPv6 address"));
  EXPECT_THAT(mistake("table(evidence, columns: [\"fileNam\"]).plainText()"),
              HasSubstr("did you mean `fileName`?"));
}

}  // namespace
}  // namespace flow::test
