// What a source declares beside its flows: what records, conversions and Json do when they run, with and
// without the optimiser, and where modules come from.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "compiler/syntax/file_name.hpp"
#include "tests/unit/compiler/golden.hpp"
#include "tests/unit/compiler/running.hpp"
#include "tests/unit/several_files.hpp"

namespace flow::test {
namespace {

struct Sample {
  const char* name;
  const char* source;
  const char* reason;  // with which the flow stops, or what happens instead
};
void PrintTo(const Sample& sample, std::ostream* out) {
  *out << sample.name;
}

constexpr Sample kSamples[] = {
    {"record_with_defaults",
     "record P { a: Int, b: String = \"b\", c: List<Int> = [1, 2], d: Int? }\n"
     "fn f(p: P) = \"{p.a} {p.b} {p.c.sum()} {p.d ?? 9}\"\n"
     "on alert.new do stop \"{f({ a: 1 })} {f(P { c: [], b: \"x\", a: 2, d: 3 })}\"",
     "1 b 3 9 2 x 0 3"},
    {"fields_are_evaluated_as_they_are_written",
     "record P { a: Int, b: Int, unread: Int }\n"
     "on alert.new do { let zero = 0\n let p = P { b: 2, a: 1, unread: 10 / (zero + 5) }\n stop \"{p.a} "
     "{p.b}\" }",
     "1 2"},
    {"what_nothing_reads_is_evaluated",
     "record P { a: Int, unread: Int }\n"
     "on alert.new do { let zero = 0\n let p = P { a: 1, unread: 1 / zero }\n stop \"{p.a}\" }",
     "source\nfailed in line 3: a division by zero\n"},
    {"record_in_list_and_map",
     "record P { a: Int }\n"
     "on alert.new do { let l: List<P> = [{ a: 1 }, P { a: 2 }]\n let m: Map<String, P> = { x: { a: 3 } }\n"
     "stop \"{l.map(p => p.a).sum()} {m[\"x\"]?.a}\" }",
     "3 3"},
    {"records_are_values",
     "record P { m: Map<String, Int> }\n"
     "on alert.new do { var m = { a: 1 }\n let p = P { m: m }\n m[\"a\"] = 2\n stop \"{p.m[\"a\"]} "
     "{m[\"a\"]}\" }",
     "1 2"},
    {"records_hold_their_own_type",
     "record S { n: Int, next: S? }\n"
     "fn sum(s: S?) -> Int { if s == null { return 0 }\n return s.n + sum(s.next) }\n"
     "on alert.new do stop \"{sum({ n: 1, next: { n: 2, next: S { n: 4 } } })}\"",
     "7"},
    {"enums_compare",
     "ordered enum L { Low, Mid, Top }\n"
     "fn next(l: L) = if l == Low then L.Mid else Top\n"
     "on alert.new do stop \"{next(Low)} {next(Low) >= Mid} {next(Mid) > Mid} {L.Low in [Mid, Top]}\"",
     "Mid true true false"},
    {"settings_have_defaults",
     "record P { a: Int, b: String from \"bee\" = \"b\" }\n"
     "param n: Int = -3\nparam d: Duration = 1h30m\nparam l: List<Email> = [\"a@b.cc\"]\nparam p: P = { a: 1 "
     "}\n"
     "param m: Map<String, Float> = { x: 1 }\nparam none: Int?\n"
     "fn twice() = n * 2\nfn more(x: Int) = twice() + x + p.a\n"
     "on alert.new do stop \"{more(1)} {d} {l.length()} {p.b} {m[\"x\"]} {none ?? 5}\"",
     "-4 1h30m 1 b 1 5"},
    {"settings_in_branches",
     "param n: Int = 2\nparam m: Int = 3\nfn f(x: Int) = x * m\n"
     "on alert.new do { let l = for x in [1, 2] at most 2 at once { yield f(x) + n }\n stop \"{l.sum()}\" }",
     "13"},
    {"errors_stay_behind_a_test",
     "on alert.new do {\n fail \"first\" }\n"
     "on error e { let k: Json = { b: \"x\" }\n if k.b is Int { log \"no\" } }",
     "source\nfailed in line 2: first\n"},
    {"setting_hides_what_the_trigger_gives", "param title: Int = 4\non alert.new do stop \"{title + 1}\"",
     "5"},
    {"setting_is_known_not_to_be_null",
     "param t: String? = \"x\"\nfn f() -> Int { if t == null { return 0 }\n return t.length() }\n"
     "on alert.new do stop \"{f()}\"",
     "1"},
    {"json_in_place",
     "on alert.new do { let x: String? = null\n"
     "let j: Json = { a: 1, \"b c\": [true, null, x, 1.5, \"t\"], [\"k\"]: {}, d: [] }\n stop \"{j}\" }",
     "{\"a\":1,\"b c\":[true,null,null,1.5,\"t\"],\"k\":{},\"d\":[]}"},
    {"json_parts",
     "on alert.new do { let j: Json = { a: [1, { b: \"x\" }], n: null }\n"
     "stop \"{j.a[1].b} {j.a[7]} {j.n} {j[\"a\"][0]} {j.a.b.c} {j.n == null}\" }",
     "\"x\" (unknown) (unknown) 1 (unknown) true"},
    {"json_of_values",
     "record P { a: Int from \"A\", l: AlertSeverity, t: Duration }\n"
     "fn f(j: Json) = \"{j}\"\n"
     "on alert.new do stop \"{f(P { a: 1, l: High, t: 5m })} {f([1, 2])} {f(\"x\")} {f(2 > 1)} {f({ x: [] "
     "})}\"",
     "{\"A\":1,\"l\":\"High\",\"t\":\"5m\"} [1,2] \"x\" true {\"x\":[]}"},
    {"json_to_record",
     "record P { a: Int from \"A\", b: List<String>, c: Email?, unread: Int }\n"
     "on alert.new do { let j: Json = { A: 1, b: [\"x\", \"y\"], unread: 2, more: 3 }\n let p = j as P\n"
     "stop \"{p.a} {p.b.join(\",\")} {p.c == null}\" }",
     "1 x,y true"},
    {"json_that_lacks_a_member_takes_its_default",
     "enum L { Low, High }\n"
     "record P { a: Int = 3, b: List<String> = [\"x\"], c: L = High, d: Duration = 5m, e: Int? = 4, f: "
     "Int?,\n"
     " g: Map<String, Int> = { k: 1 }, h: Json = { i: [1] }, j: List<P> = [], n: Int from \"N\" = -7,\n"
     " r: Float = 1.5, t: Bytes = \"AQI=\" }\n"
     "fn f(p: P) = \"{p.a} {p.b.join(\",\")} {p.c} {p.d} {p.e ?? 9} {p.f ?? 9} {p.g[\"k\"] ?? 9} {p.h} \"\n"
     " + \"{p.j.length()} {p.n} {p.r} {p.t}\"\n"
     "on alert.new do { let none: Json = {}\n let some: Json = { a: 1, e: null, j: [{}], N: 2 }\n"
     "stop \"{f(none as P)} / {f(some as P)} {none is P}\" }",
     "3 x High 5m 4 9 1 {\"i\":[1]} 0 -7 1.5 AQI= / 1 x High 5m 9 9 1 {\"i\":[1]} 1 2 1.5 AQI= true"},
    {"a_default_stands_for_no_null",
     "record P { a: Int = 3 }\n"
     "on alert.new do { let j: Json = { a: null }\n stop \"{(j as P).a}\" }",
     "source\nfailed in line 3: at .a: expected Int, found null\n"},
    {"bytes_are_values",
     "on alert.new do { let b = \"Flöw\".toBytes()\n let c: Bytes = \"RmzDtnc=\"\n let m = { k: b }\n"
     "let j: Json = { b: b }\n let text = \"/-A\"\n"
     "stop \"{b} {b == c} {b in [c]} {b.length()} {b.hex()} {b.text() ?? \"none\"} {b.slice(2, 4).hex()} \"\n"
     " + \"{m[\"k\"] == c} {j} {(j.b as Bytes) == b} {text as Bytes} {\"?\" is Bytes} {b as String}\" }",
     "RmzDtnc= true true 5 466cc3b677 Flöw c3b6 true {\"b\":\"RmzDtnc=\"} true /+A= false RmzDtnc="},
    {"bytes_of_what_is_none", "on alert.new do { let t = \"a b!\"\n stop \"{t as Bytes}\" }",
     "source\nfailed in line 2: \"a b!\" is no Base64\n"},
    {"json_that_is_none_names_the_place",
     "record P { list: List<Int> }\n"
     "on alert.new do { let j: Json = { list: [1, \"x\"] }\n stop \"{(j as P).list.sum()}\" }",
     "source\nfailed in line 3: at .list[1]: expected Int, found text\n"},
    {"field_that_nothing_reads_is_checked",
     "record P { a: Int, unread: Int }\n"
     "on alert.new do { let j: Json = { a: 1 }\n stop \"{j is P} {(j as P).a}\" }",
     "source\nfailed in line 3: at .unread: it is missing\n"},
    {"is_asks",
     "on alert.new do { let j: Json = { a: 1, t: \"x@y.zz\" }\n let t = \"no mail\"\n let n: Int? = null\n"
     "stop \"{j.a is Int} {j.a is String} {j.t is Email} {j.b is Int} {t is Email} {n is Int} {not "
     "(t is Url)}\" }",
     "true false true false false false true"},
    {"is_within_conditions",
     "on alert.new do { let j: Json = { a: 1 }\n var n = 0\n"
     "if j.a is Int and j.a as Int > 0 { n = n + 1 }\n if j.b is Int or j.a is Int { n = n + 2 }\n"
     "let list = [\"x@y.zz\", \"no\"].filter(t => t is Email)\n stop \"{n} {list.length()}\" }",
     "3 1"},
    {"as_for_texts",
     "enum L { Low, High }\n"
     "on alert.new do { let t = \"high\"\n let e: String? = null\n let m = \"x@y.zz\"\n let mail = m as "
     "Email\n"
     "stop \"{t as L} {e as Email? == null} {mail as String} {L.Low as String} {3 as Float / 2}\" }",
     "High true x@y.zz Low 1.5"},
    {"as_that_fails_says_why", "on alert.new do { let t = \"x\"\n stop \"{t as Email}\" }",
     "source\nfailed in line 2: \"x\" is no Email: it has no `@`\n"},
    {"one_or_many",
     "fn f(x: String or List<String> = \"d\", n: Int = 1) = \"{x.join(\"+\")}{n}\"\n"
     "on alert.new do stop \"{f()} {f(\"a\")} {f([\"a\", \"b\"], 2)} {f(n: 3, x: \"c\")}\"",
     "d1 a1 a+b2 c3"},
    {"modules",
     "use words\nuse \"lib/more.flow\" as m\n"
     "on alert.new do stop \"{words.twice(\"a\")} {m.Kind.B} {m.p({ n: 4 })} {words.sep} {m.P { n: 2 }.n}\"\n"
     "// --- words.flow\n"
     "use \"lib/more.flow\"\nparam sep: String = \"-\"\nfn own() = sep\n"
     "fn twice(t: String) = t + own() + t + \"{more.p({ n: 1 })}\"\n"
     "// --- lib/more.flow\n"
     "enum Kind { A, B }\nrecord P { n: Int, k: Kind = B }\nfn p(of: P) = \"{of.n}{of.k}\"\n",
     "a-a1B B 4B - 2"},
};

class Declarations : public testing::TestWithParam<Sample> {};

TEST_P(Declarations, RunAsTheyAreWritten) {
  const Compilation compilation = compile_files("source.flow", GetParam().source, standard_library());
  ASSERT_FALSE(compilation.diagnostics.has_errors()) << rendered(compilation.diagnostics, compilation.files);
  for (const bool optimise : {true, false}) {
    std::string lines = transcript(compilation, {.optimise = optimise}, 1);
    static constexpr std::string_view kStopped = "source\nstopped: ";
    if (lines.starts_with(kStopped))
      lines = lines.substr(kStopped.size(), lines.size() - kStopped.size() - 1);
    EXPECT_EQ(lines, GetParam().reason) << (optimise ? "optimised" : "not optimised");
  }
}
INSTANTIATE_TEST_SUITE_P(All, Declarations, testing::ValuesIn(kSamples),
                         [](const auto& sample) { return std::string(sample.param.name); });

TEST(Modules, AreReadOnceInTheOrderOfTheText) {
  std::vector<std::string> asked;
  const ModuleLoader loader = [&](const ModuleRequest& request) -> std::variant<FoundModule, MissingModule> {
    asked.push_back(std::string(request.from) + " " + std::string(request.module));
    const std::string text = request.module == "b" ? "use c\nfn f() = c.f()" : "fn f() = 1";
    return FoundModule{.id = std::string(request.module),
                       .source = {std::string(request.module) + ".flow", text}};
  };
  const Compilation compilation = compile({"a.flow", "use b\nuse c\non alert.new do log \"{b.f()} {c.f()}\""},
                                          standard_library(), loader, "a");
  EXPECT_TRUE(compilation.diagnostics.all().empty()) << rendered(compilation.diagnostics, compilation.files);
  EXPECT_THAT(asked, testing::ElementsAre("a.flow b", "a.flow c", "b.flow c"));
  EXPECT_EQ(compilation.files.size(), 3u);
  ASSERT_TRUE(compilation.module);
  EXPECT_EQ(compilation.module->functions.size(), 2u);
}

TEST(Modules, AreNamedInFunctionsUnlikeEachOther) {
  const Compilation compilation = compile_files(
      "source.flow",
      "use \"a/words.flow\" as a\nuse \"b/words.flow\" as b\non alert.new do log \"{a.f(1)} {b.f(2)}\"\n"
      "// --- a/words.flow\nfn f(n: Int) = n\n// --- b/words.flow\nfn f(n: Int) = n\n",
      standard_library());
  ASSERT_TRUE(compilation.module) << rendered(compilation.diagnostics, compilation.files);
  std::vector<std::string> names;
  for (const FunctionCode& function : compilation.module->functions) names.push_back(function.name);
  EXPECT_THAT(names, testing::ElementsAre("words.f", "words_1.f"));
}

TEST(Modules, ExtendTheLibraryByTheirConnectors) {
  const std::string source =
      "use things\non alert.new do log \"{things.greeting()} {get_thing(\"x\").size}\"\n"
      "// --- things.flow\n"
      "connector thing_shop {\n    base \"https://things.example.com\"\n"
      "    record Thing { size: Int }\n"
      "    /// One thing.\n    read get_thing(id: String) -> Thing { GET \"/things/{id}\" }\n}\n"
      "fn greeting() = \"hello\"\n";
  const Compilation compilation = compile_files("source.flow", source, standard_library());
  ASSERT_TRUE(compilation.module) << rendered(compilation.diagnostics, compilation.files);
  EXPECT_EQ(compilation.module->operations.size(), 4u) << "get_thing, and what the trigger needs";
  EXPECT_FALSE(standard_library().operation_names.contains("get_thing"));
}

TEST(Files, GiveFlowsNamesThatAreNames) {
  EXPECT_EQ(name_from_file("lib/isolate-high.flow"), "isolate_high");
  EXPECT_EQ(name_from_file("gr\xc3\xb6\xc3\x9f"
                           "er.flow"),
            "gr__er");
  EXPECT_EQ(name_from_file("1bad.flow"), "flow_1bad");
  EXPECT_EQ(name_from_file(".flow"), "_flow");
}

TEST(Modules, CanBeCheckedByThemselves) {
  const auto checked = [](const char* text) {
    return compile({"lib.flow", text}, standard_library(), {}, {}, {}, Purpose::Check);
  };
  for (const char* const text : {"fn twice(n: Int) = n * 2", "record Row { name: String }",
                                 "param soc: Email = \"soc@contoso.com\"", "enum Level { Low, High }"}) {
    const Compilation compilation = checked(text);
    EXPECT_TRUE(compilation.diagnostics.all().empty())
        << rendered(compilation.diagnostics, compilation.files);
    EXPECT_TRUE(compile({"lib.flow", text}, standard_library()).diagnostics.has_errors()) << "nothing runs";
  }
  EXPECT_TRUE(checked("fn twice(n: Int) = m * 2").diagnostics.has_errors());
  EXPECT_TRUE(checked("// Nothing yet.").diagnostics.has_errors());
  EXPECT_TRUE(checked("test \"one\" { expect 1 == 1 }").diagnostics.has_errors());
}

TEST(Modules, AreLimited) {
  const ModuleLoader endless = [](const ModuleRequest& request) -> std::variant<FoundModule, MissingModule> {
    const std::string next = "m" + std::to_string(std::stoi(std::string(request.module).substr(1)) + 1);
    return FoundModule{.id = std::string(request.module),
                       .source = {std::string(request.module) + ".flow", "use " + next + "\nfn f() = 1"}};
  };
  const Compilation compilation =
      compile({"a.flow", "use m1\non alert.new do log \"{m1.f()}\""}, standard_library(), endless, "a");
  EXPECT_EQ(compilation.files.size(), 256u);
  ASSERT_EQ(compilation.diagnostics.errors(), 1u);
  EXPECT_EQ(compilation.diagnostics.all().back().message,
            "a program has at most 256 files of 64 MiB together");
}

}  // namespace
}  // namespace flow::test
