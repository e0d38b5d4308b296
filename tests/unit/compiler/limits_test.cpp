// What hostile and unlucky sources do to the compiler: never a crash, never a hang, always a diagnostic.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <set>

#include "compiler/parse/parse.hpp"
#include "tests/unit/compiler/golden.hpp"
#include "tests/unit/thoroughness.hpp"
#include "vm/bytecode/verify.hpp"

namespace flow::test {
namespace {

TEST(Limits, FlowsCallEachOtherSoDeep) {
  const auto chain = [](int depth) {
    std::string source;
    for (int i = 1; i < depth; ++i) source += fmt::format("flow f{} on call () do call f{}()\n", i, i + 1);
    return source + fmt::format("flow f{} on call () do log \"x\"\n", depth);
  };
  EXPECT_FALSE(compile({"chain.flow", chain(64)}, standard_library()).diagnostics.has_errors());
  EXPECT_TRUE(compile({"chain.flow", chain(65)}, standard_library()).diagnostics.has_errors());
}

// Only what holds the one before counts as nested.
TEST(Limits, CallsOfFlowsStandBehindEachOther) {
  std::string source = "flow f on call () do log \"x\"\nflow g on manual () do {\n";
  for (int i = 0; i < 400; ++i) source += "call f()\n";
  EXPECT_FALSE(compile({"many.flow", source + "}\n"}, standard_library()).diagnostics.has_errors());
}

Compilation compiled(std::string text) {
  return compile({"source.flow", std::move(text)}, standard_library());
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  out.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

std::set<std::string> codes(const Diagnostics& diagnostics) {
  std::set<std::string> out;
  for (const Diagnostic& diagnostic : diagnostics.all()) out.emplace(row(diagnostic.code).id);
  return out;
}

TEST(Limits, OptionalTypesStandBesideEachOther) {
  std::string source = "record Many { a0: Int?";
  for (int i = 1; i < 150; ++i) source += fmt::format(", a{}: Int?", i);
  EXPECT_TRUE(codes(compiled(source + " }\non alert.new do log \"x\"\n").diagnostics).empty());
}

// Each construct that holds itself, as text that opens and closes it once around something.
struct Construct {
  const char* name;
  const char* before;
  const char* open;
  const char* inner;
  const char* close;
  const char* after;
};
void PrintTo(const Construct& construct, std::ostream* out) {
  *out << construct.name;
}

constexpr Construct kConstructs[] = {
    {"parentheses", "on alert.new when ", "(", "true", ")", " do log title"},
    {"lists_in_lambdas", "on alert.new do { let x = ", "[[1].map(y => ", "1", ")]", "\nlog title }"},
    {"containing_in_lambdas", "on alert.new when ", "[1].filter(y => ", "true", ") contains 1",
     " do log title"},
    {"list_methods", "on alert.new do { let x = [1]\nlog \"{", "x.map(y => ", "x.length()", ")", "}\" }"},
    {"lists", "on alert.new do { let x = ", "[", "1", "]", "\nlog title }"},
    {"records", "on alert.new do { let x = ", "{ a: ", "1", " }", "\nlog title }"},
    {"computed_keys", "on alert.new do { let x = ", "{ [", "1", "]: 1 }", "\nlog title }"},
    {"not", "on alert.new when ", "not ", "true", "", " do log title"},
    {"minus", "on alert.new when 1 == ", "- ", "1", "", " do log title"},
    {"holes", "on alert.new do log ", "\"{", "title", "}\"", ""},
    {"html_holes", "on alert.new do mail(\"a@b.c\", title, ", "html\"{", "title", "}\"", ")"},
    {"lambdas", "on alert.new when machine.tags.any(", "t => machine.tags.any(", "t => true", ")",
     ") do log title"},
    {"calls", "on alert.new do log ", "f(", "title", ")", ""},
    {"named_arguments", "on alert.new do log ", "f(a: ", "title", ")", ""},
    {"indexes", "on alert.new do log title", "[", "0", "]", ""},
    {"blocks", "on alert.new do { ", "if true { ", "log title", " }", " }"},
    {"else_ifs", "on alert.new do ", "if title == \"x\" { log title } else ", "{ log title }", "", ""},
    {"if_expressions", "on alert.new do log ", "if title == \"x\" then title else ", "title", "", ""},
    {"conditions_of_if", "on alert.new do log ", "if ", "true", " then true else true", ""},
    {"types", "on alert.new do { let x: ", "List<", "Int", ">", " = 1\nlog title }"},
    {"optional_fields", "on alert.new do log relatedUser", "?.a", "", "", ""},
    {"fields", "on alert.new do log machine", ".a", "", "", ""},
    {"methods", "on alert.new do log title", ".lower()", "", "", ""},
    {"items", "on alert.new do log machine.tags", "[0]", "", "", ""},
    {"loops", "on alert.new do { ", "for _ in [1] { ", "log title", " }", " }"},
    {"loops_that_give_lists", "on alert.new do { let x = ", "for _ in [1] { yield ", "1", " }",
     "\nlog title }"},
    {"blocks_of_functions", "fn f() { ", "if true { ", "return", " }", " }\non alert.new do f()"},
    {"invokes", "fn f(n: Int) -> Int = n\non alert.new do log \"{", "f(", "1", ")", "}\""},
    {"values_of_functions", "on alert.new do log f(1)\nfn f(n: Int) -> Int = ", "(", "n", ")", ""},
    {"defaults", "on alert.new do log f()\nfn f(n: Int = ", "- ", "1", "", ") -> String = \"x\""},
    {"types_of_parameters", "on alert.new do log title\nfn f(n: ", "Map<String, ", "Int", ">", ") { }"},
    {"assigned", "on alert.new do { var x = 1\nx = ", "(", "1", ")", "\nlog \"{x}\" }"},
    {"assigned_entries", "on alert.new do { m", "[0]", " = 1", "", " }"},
};

std::string nested(const Construct& c, std::size_t depth) {
  return c.before + repeated(c.open, depth) + c.inner + repeated(c.close, depth) + c.after;
}

class Nesting : public testing::TestWithParam<Construct> {};

TEST_P(Nesting, IsReadToALimitAndRefusedBeyond) {
  const Compilation shallow = compiled(nested(GetParam(), 20));
  EXPECT_FALSE(codes(shallow.diagnostics).contains("F0002")) << rendered(shallow.diagnostics, shallow.files);
  for (const std::size_t depth : {400u, 10'000u, 100'000u}) {
    const Compilation deep = compiled(nested(GetParam(), depth));
    EXPECT_TRUE(codes(deep.diagnostics).contains("F0002"))
        << depth << '\n'
        << rendered(deep.diagnostics, deep.files).substr(0, 2000);
    EXPECT_LE(deep.diagnostics.errors(), 5u) << rendered(deep.diagnostics, deep.files).substr(0, 3000);
    EXPECT_FALSE(deep.module);
  }
}
INSTANTIATE_TEST_SUITE_P(Constructs, Nesting, testing::ValuesIn(kConstructs),
                         [](const auto& construct) { return std::string(construct.param.name); });

TEST_P(Nesting, IsNotFooledWhenNothingCloses) {
  const Construct& c = GetParam();
  EXPECT_TRUE(compiled(c.before + repeated(c.open, 100'000)).diagnostics.has_errors());
}

// Long, but not deep.
class Length : public testing::TestWithParam<const char*> {};

TEST_P(Length, TakesTimeInProportion) {
  const auto seconds = [](const std::string& text) {
    const auto begin = std::chrono::steady_clock::now();
    compiled(text);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  const std::string piece = GetParam();
  const auto source = [&](std::size_t times) {
    const auto bar = piece.find('|');
    const auto bar2 = piece.find('|', bar + 1);
    return piece.substr(0, bar) + repeated(piece.substr(bar + 1, bar2 - bar - 1), times) +
           piece.substr(bar2 + 1);
  };
  const double once = std::max(seconds(source(2'000)), 0.002);
  EXPECT_LT(seconds(source(40'000)), once * 20 * 8)
      << "twenty times the text may take a little more than twenty times";
}
INSTANTIATE_TEST_SUITE_P(
    Texts, Length,
    testing::Values(
        "on alert.new when 1 == 1| + 1| do log title", "on alert.new when true| and true| do log title",
        "on alert.new when true| or not true| do log title", "on alert.new do log title| ?? title|",
        "on alert.new do log title| + \"a\"|", "on alert.new do { |\nlet a = 1| }",
        "on alert.new do { |\nif true { log title }| }",
        "on alert.new do { |\nif machine.name != null { log title }| }", "on alert.new do log \"|{title}|\"",
        "on alert.new do log \"|a|\"", "|// comment\n|on alert.new do log ]",
        "on alert.new |/* a */| do log title", "|\n|on alert.new do log titel",
        "on alert.new do { | ; | log title }", "on alert.new do f(|1, |)", "on alert.new do f(|a: 1, |)",
        "on alert.new do isolate(|machineId, |)", "on alert.new do { var x = 0\n|x = x + 1\n| }",
        "on alert.new do { var x = machine.name\nif x != null { |x = x\n| } }",
        "on alert.new do { var x = machine.name\n|if x != null { x = null }\n| }",
        "on alert.new do { |for _ in range(9) { log title }\n| }",
        "on alert.new do { let x = for _ in [1] { |yield 1\n| }\nlog title }",
        "fn f(n: Int) -> Int = n\non alert.new do { |f(1)\n| }", "on alert.new do f(1)\nfn f(|a: Int, |) { }",
        "fn f() -> Int { |return 1\n| }\non alert.new do f()", "|fn f() = 1\n|on alert.new do f()",
        "on alert.new do { let x = { |\"a\": 1, | }\nlog title }",
        "on alert.new do { var m: Map<Int, Int> = {}\n|m[1] = 2\n| }",
        "on alert.new do { let x = [1]| + [1]| }", "on alert.new do log \"{[1]|.map(x => x)|}\"",
        "on alert.new do { |x = ]\n| }", "|fn |", "|fn f() = g()\nfn g() = f()\n|",
        "on alert.new do { |x += 1\n| }", "on alert.new do { x|[0]| = 1 }", "|on alert.new do log title\n|",
        "on alert.new do { |log ]\n| }", "|}|", "|\"|", "|on |", "|(|",
        "on alert.new when title in [|\"a\", |\"b\"] do log title", "connector a { |enum E { A }\n| }",
        "connector a { |read f() -> Int { GET \"/x\" }\n| }"));

TEST(Limits, OfFlowsWithLongNamesAndManyNames) {
  std::string names = "on alert.new do {\n", flows;
  for (int i = 0; i < 20'000; ++i) {
    names += "let a" + std::to_string(i) + " = 1\nlog a" + std::to_string(i) + "\n";
    flows += "flow f" + std::to_string(i) + " on alert.new do log title\n";
  }
  EXPECT_EQ(codes(compiled(names + "}").diagnostics), std::set<std::string>{"F0408"});
  EXPECT_FALSE(compiled(flows).diagnostics.has_errors());
  EXPECT_TRUE(compiled("on alert.new do log " + std::string(1'000'000, 'a')).diagnostics.has_errors());
}

// Names with dots in tests and policies are no part of one long chain.
TEST(Limits, NotOfNamesBehindEachOther) {
  const Compilation tested =
      compiled("on alert.new do isolate(machineId)\ntest \"x\" {\n" +
               repeated("given defender.isolate fails Throttled\n", 150) +
               repeated("expect defender.isolate(machineId) then defender.isolate\n", 150) +
               repeated("expect no mail.mail(\"a@b.zz\")\n", 150) + "}");
  EXPECT_TRUE(codes(tested.diagnostics).empty()) << rendered(tested.diagnostics, tested.files);
  std::string flows;
  for (int i = 0; i < 150; ++i)
    flows += "flow f" + std::to_string(i) +
             " on alert.new limit defender.isolate to 1 per 1h do isolate(machineId)\n";
  EXPECT_FALSE(codes(compiled(flows).diagnostics).contains("F0002"));
}

// Each function's result follows from the next one's; each calls all before it; each calls itself.
TEST(Limits, OfManyFunctions) {
  std::string chain, all, circles, calls = "on alert.new do {\n";
  for (int i = 0; i < 20'000; ++i) {
    const std::string n = std::to_string(i);
    chain += "fn f" + n + "() = f" + std::to_string(i + 1) + "()\n";
    circles += "fn f" + n + "() = f" + n + "()\n";
    all += "fn f" + n + "(n: Int) -> Int = n\n";
    calls += "f" + n + "(1)\n";
  }
  const std::string flow = "on alert.new do log \"{f0()}\"\n";
  EXPECT_EQ(codes(compiled(chain + "fn f20000() = 1\n" + flow).diagnostics), std::set<std::string>{});
  EXPECT_EQ(codes(compiled(circles + flow).diagnostics), std::set<std::string>{"F0308"});
  EXPECT_EQ(codes(compiled(all + calls + "}").diagnostics), std::set<std::string>{"F0502"});
}

TEST(Limits, OfEnums) {
  const auto with = [](int count) {
    std::string text = "enum E {";
    for (int i = 0; i < count; ++i) text += " V" + std::to_string(i) + ",";
    return codes(compiled(text + " }\nfn f(e: E) = e == V1\non alert.new do log \"{f(V0)}\"\n").diagnostics);
  };
  EXPECT_EQ(with(500), std::set<std::string>{});
  EXPECT_EQ(with(501), std::set<std::string>{"F0408"});
}

// Each is compared with all names there are; a text full of them is still refused at once.
TEST(Limits, OfNamesThatNobodyKnows) {
  std::string text = "on alert.new do {\n";
  for (int i = 0; text.size() < 1'000'000 / kEach; ++i)
    text += "    log \"{titel" + std::to_string(i) + "} {isolat(machineID)}\"\n";
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(compiled(text + "}\n").diagnostics.has_errors());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, kPatience);
}

TEST(Limits, AHundredMistakesAreEnough) {
  const Compilation many = compiled("on alert.new do {\n" + repeated("log ]\n", 5'000) + "}");
  EXPECT_EQ(many.diagnostics.errors(), kMaxSyntaxErrors + 1);
  EXPECT_TRUE(codes(many.diagnostics).contains("F0006"));
}

TEST(Limits, SourcesHaveALargestSize) {
  std::string text = "on alert.new do log title\n";
  const std::string good = text + std::string(kMaxSourceBytes - text.size(), ' ');
  EXPECT_FALSE(compiled(good).diagnostics.has_errors());
  EXPECT_EQ(codes(compiled(good + " ").diagnostics), (std::set<std::string>{"F0008"}));
}

TEST(Limits, EveryPrefixOfASourceIsAnswered) {
  const std::string text =
      read_text(std::filesystem::path(FLOW_SOURCE_DIR) / "tests/golden/parse/expressions.flow") +
      read_text(std::filesystem::path(FLOW_SOURCE_DIR) / "tests/golden/parse/functions_and_loops.flow") +
      read_text(std::filesystem::path(FLOW_SOURCE_DIR) / "tests/golden/types/maps.flow") +
      read_text(std::filesystem::path(FLOW_SOURCE_DIR) / "tests/golden/parse/connector.flow");
  for (std::size_t length = 0; length < text.size(); length += kEach) {
    const Compilation cut = compiled(text.substr(0, length));
    for (const Diagnostic& diagnostic : cut.diagnostics.all()) {
      EXPECT_FALSE(render_text(diagnostic, cut.files, true).empty());
      EXPECT_LE(diagnostic.span.begin, diagnostic.span.end);
      EXPECT_LE(diagnostic.span.end, std::max<std::size_t>(length, 1));
    }
  }
}

TEST(Limits, BytesOfEveryValueAreAnswered) {
  for (int byte = 0; byte < 256; ++byte)
    for (const std::string& around : {std::string("%"), std::string("on alert.new do log %title"),
                                      std::string("on alert.new do log \"%\""),
                                      std::string("on alert.new when title == \"x\" % do log title"),
                                      std::string("on alert.new do log \"\\%\"")}) {
      std::string text = around;
      text[text.find('%')] = static_cast<char>(byte);
      const Compilation compilation = compiled(text);
      rendered(compilation.diagnostics, compilation.files);
      EXPECT_TRUE(!compilation.module || verify(*compilation.module)) << text;
    }
}

TEST(StandardLibrary, IsWithoutMistakes) {
  EXPECT_GT(standard_library().operations.size(), 10u);
  EXPECT_NE(standard_library().trigger("alert.new"), nullptr);
}

}  // namespace
}  // namespace flow::test
