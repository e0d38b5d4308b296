// The operators of the hunting language: what each gives, and what it refuses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/sim/seeded_random.hpp"
#include "tests/unit/sim/kql_fixture.hpp"

namespace flow::kql::test {
namespace {

using ::testing::HasSubstr;

TEST(Kql, FiltersProjectsAndSorts) {
  EXPECT_EQ(told("Numbers | where N > 5 | project Name, N"), "six 6\nseven 7");
  EXPECT_EQ(told("Numbers | where Even and N between (2 .. 4) | project N"), "2\n4");
  EXPECT_EQ(told("Numbers | filter Name in ('one', 'two') or N == 7 | project N"), "1\n2\n7");
  EXPECT_EQ(told("Numbers | top 2 by N | project N"), "7\n6");
  EXPECT_EQ(told("Numbers | sort by Even asc, N desc | project N | take 3"), "7\n5\n3");
  EXPECT_EQ(told("Numbers | order by Name asc | limit 2 | project Name"), "five\nfour");
  EXPECT_EQ(told("Numbers | where N < 2 | extend Twice = N * 2, N = N + 10 | project N, Twice"),
            "10 0\n11 2");
  EXPECT_EQ(told("Numbers | take 0"), "");
}

TEST(Kql, ChoosesColumns) {
  EXPECT_EQ(columns("Numbers"), "N:long Name:string Even:bool");
  EXPECT_EQ(columns("Numbers | project-away N*"), "Even:bool");
  EXPECT_EQ(columns("Numbers | project-keep E*, N"), "N:long Even:bool");
  EXPECT_EQ(columns("Numbers | project-reorder Even"), "Even:bool N:long Name:string");
  EXPECT_EQ(columns("Numbers | project-rename Number = N"), "Number:long Name:string Even:bool");
  EXPECT_EQ(columns("Numbers | project tolower(Name), bin(N, 2), N / 2.0"),
            "Column1:string N:long Column2:real");
  EXPECT_EQ(columns("DeviceEvents | project Fields.list[0]"), "Fields_list:dynamic");
  EXPECT_EQ(told("Numbers | getschema | project ColumnName, ColumnType"), "N long\nName string\nEven bool");
}

TEST(Kql, Summarizes) {
  EXPECT_EQ(told("Numbers | summarize count() by Even"), "True 4\nFalse 4");
  EXPECT_EQ(told("Numbers | count"), "8");
  EXPECT_EQ(
      told("Numbers | summarize Total = sum(N), avg(N), min(Name), max(N), countif(Even), dcount(Even)"),
      "28 3.5 five 7 4 2");
  EXPECT_EQ(
      columns("Numbers | summarize Total = sum(N), avg(N), countif(Even), make_set(Name) by Even, bin(N, 4)"),
      "Even:bool N:long Total:long avg_N:real countif_:long set_Name:dynamic");
  EXPECT_EQ(told("Numbers | summarize make_set(Even), make_list(N, 3)"), "[true,false] [0,1,2]");
  EXPECT_EQ(told("Numbers | summarize arg_max(N, Name) by Even"), "True 6 six\nFalse 7 seven");
  EXPECT_EQ(columns("Numbers | summarize arg_max(N, *) by Even"), "Even:bool N:long Name:string");
  EXPECT_EQ(told("Numbers | summarize arg_min(N, *) by Even"), "True 0 zero\nFalse 1 one");
  EXPECT_EQ(told("Numbers | summarize Span = max(N) - min(N), round(avg(N), 0)"), "7 4.0");
  EXPECT_EQ(told("Numbers | summarize percentile(N, 50), take_any(Name)"), "3 zero");
  EXPECT_EQ(told("Numbers | where N > 99 | summarize count()"), "0");
  EXPECT_EQ(told("Numbers | where N > 99 | summarize count() by Even"), "");
  EXPECT_EQ(told("Numbers | distinct Even"), "True\nFalse");
  EXPECT_EQ(told("Numbers | summarize by Even"), "True\nFalse");
}

TEST(Kql, Joins) {
  const std::string small =
      "let A = datatable(K: string, X: long)['a', 1, 'a', 2, 'b', 3];"
      "let B = datatable(K: string, Y: long)['a', 10, 'a', 20, 'c', 30];";
  EXPECT_EQ(told(small + "A | join B on K"), "a 1 a 10\na 1 a 20");  // innerunique
  EXPECT_EQ(told(small + "A | join kind=inner B on K | count"), "4");
  EXPECT_EQ(told(small + "A | join kind=leftouter B on K | where X == 3"), "b 3  ");
  EXPECT_EQ(told(small + "A | join kind=leftanti B on K"), "b 3");
  EXPECT_EQ(told(small + "A | join kind=leftsemi B on K"), "a 1\na 2");
  EXPECT_EQ(told(small + "A | join kind=rightanti B on K"), "c 30");
  EXPECT_EQ(told(small + "A | join kind=fullouter B on K | count"), "6");
  EXPECT_EQ(columns(small + "A | join kind=inner (B | project-rename Key = K) on $left.K == $right.Key"),
            "K:string X:long Key:string Y:long");
  EXPECT_EQ(columns(small + "A | join kind=inner B on K"), "K:string X:long K1:string Y:long");
  EXPECT_THAT(told(small + "A | join B on X"), HasSubstr("the right side has no column 'X'"));
  EXPECT_THAT(told(small + "A | join kind=inne B on K"), HasSubstr("did you mean 'inner'?"));
}

TEST(Kql, Unites) {
  EXPECT_EQ(told("union Numbers, Numbers | count"), "16");
  EXPECT_EQ(told("Numbers | union (Numbers | where N == 1) | count"), "9");
  EXPECT_EQ(told("union withsource=T Device* | summarize count() by T"), "DeviceEvents 8\nDeviceInfo 8");
  EXPECT_EQ(columns("union DeviceInfo, DeviceEvents"),
            "DeviceId:string Name:string Timestamp:datetime Fields:dynamic");
  EXPECT_EQ(columns("union kind=inner DeviceInfo, DeviceEvents"), "DeviceId:string");
  EXPECT_EQ(told("union isfuzzy=true Numbers, NoSuchTable | count"), "8");
  EXPECT_EQ(told("Device* | count"), "16");
}

TEST(Kql, ExpandsLists) {
  EXPECT_EQ(told("DeviceEvents | take 1 | mv-expand Item = Fields.list | project Item"), "a\nb");
  EXPECT_EQ(columns("DeviceEvents | mv-expand Item = Fields.list to typeof(string) | project Item"),
            "Item:string");
  EXPECT_EQ(told("print L = dynamic([1, 2, 3]) | mv-expand L limit 2"), "1\n2");
  EXPECT_EQ(told("print A = dynamic([1, 2]), B = dynamic(['x']) | mv-expand A, B"), "1 x\n2 ");
  EXPECT_EQ(told("print L = dynamic([]) | mv-expand L | count"), "1");
}

TEST(Kql, RemembersWhatLetNames) {
  EXPECT_EQ(told("let least = 6; let Big = Numbers | where N >= least; Big | project N"), "6\n7");
  EXPECT_EQ(told("let Names = dynamic(['one', 'six']); Numbers | where Name in (Names) | project N"), "1\n6");
  EXPECT_EQ(told("let Evens = Numbers | where Even | project Name; Numbers | where Name !in (Evens) | count"),
            "4");
  EXPECT_EQ(told("let M = toscalar(Numbers | summarize max(N)); Numbers | where N == M | project Name"),
            "seven");
  EXPECT_EQ(told("let T = materialize(Numbers | where N < 2); union T, T | count"), "4");
  EXPECT_EQ(told("Numbers | where Name in ((Numbers | where N == 3 | project Name)) | count").substr(0, 5),
            "Query");
  EXPECT_EQ(told("Numbers | where N in (Numbers | where N < 2) | count"), "2");
}

TEST(Kql, SeesOnlyTheTimeAskedFor) {
  const auto count = [](const std::string& window) {
    const auto parsed = parse_window(window, kNow);
    if (!parsed) return parsed.error().message;
    return to_text((*run_query("DeviceEvents | count", tables(), *parsed, kNow)->rows[0])[0]);
  };
  EXPECT_EQ(count("PT3H"), "4");
  EXPECT_EQ(count("P1D"), "8");
  EXPECT_EQ(count("2026-11-18T08:00:00Z/2026-11-18T09:30:00Z"), "2");
  EXPECT_EQ(count("2026-11-18T09:00:00Z/PT2H"), "2");
  EXPECT_EQ(count("PT1H/2026-11-18T09:00:00Z"), "1");
  EXPECT_THAT(count("yesterday"), HasSubstr("is no time span"));
  EXPECT_EQ(told("DeviceEvents | where Timestamp > ago(90m) | count"), "2");
  EXPECT_EQ(told("DeviceEvents | where Timestamp between (ago(2h) .. 1h) | count"), "2");
}

struct Wrong {
  const char* query;
  const char* message;
};

TEST(Kql, SaysWhatIsWrongAndWhere) {
  const Wrong all[] = {
      {"", "a tabular statement"},
      {"Numbers | where", "at the end on line [1,16]: expected an expression"},
      {"Numbers | where N >", "expected an expression"},
      {"Numbers\n| wher N > 1", "at 'wher' on line [2,3]: did you mean 'where'?"},
      {"Numbers | make-series count()", "the operator 'make-series' is not supported"},
      {"Number", "table or column expression named 'Number'; did you mean 'Numbers'?"},
      {"Numbers | where Nmae == 'x'", "'where' operator: Failed to resolve scalar expression named 'Nmae'"},
      {"Numbers | where Nmae == 'x'",
       "did you mean 'Name'? (line [1,17]). Fix semantic errors in your query."},
      {"Numbers | where Name > 5", "Cannot compare values of types string and long"},
      {"Numbers | where N", "the condition must be of type bool, not long"},
      {"Numbers | where Name == 'x", "the text has no end"},
      {"Numbers | where Name == 'a\\qb'", "this escape is not known"},
      {"Numbers | where N == 7x", "neither a number nor a span"},
      {"Numbers | extend X = tolwer(Name)", "Unknown function: 'tolwer'; did you mean 'tolower'?"},
      {"Numbers | extend X = tolower(N)", "argument 1 must be of type string, not long"},
      {"Numbers | extend X = substring(Name)", "expects at least 2 arguments, 1 given"},
      {"Numbers | extend X = count()", "stands in summarize only"},
      {"Numbers | summarize sum(Name)", "sum() takes numbers, not string"},
      {"Numbers | summarize N", "Failed to resolve scalar expression named 'N'"},
      {"DeviceEvents | summarize count() by Fields", "group key is of dynamic type"},
      {"Numbers | where Name.x == 1", "a value of type string has no members"},
      {"Numbers | where Name matches regex '('", "the regular expression is not valid"},
      {"Numbers | mv-expand Name", "expected to have dynamic type, not string"},
      {"Numbers | take 'x'", "the number of rows must be of type long"},
      {"Numbers; Numbers", "a query has one tabular statement"},
      {".show tables", "control commands are not allowed"},
      {"Numbers | where N == datetime(yesterday)", "this is no time"},
      {"print dynamic({)", "this is no JSON"},
      {"Numbers | project A = N, A = N", "a column named 'A' already exists"},
      {"print case(true, 1)", "function expects"},
      {"print iff(true, 1, 'x')", "have different types"},
  };
  for (const Wrong& wrong : all) EXPECT_THAT(told(wrong.query), HasSubstr(wrong.message)) << wrong.query;
}

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

TEST(Kql, EndsWhatWouldNotEnd) {
  const Limits limits{.steps = 2'000'000, .bytes = 32u << 20};
  const std::string range = "range X from 1 to 1000000000 step 1";
  EXPECT_THAT(told(range + " | count", limits), HasSubstr("lacks memory"));
  EXPECT_THAT(told("let T = range X from 1 to 5000 step 1 | extend K = 1; T | join kind=inner T on K | count",
                   limits),
              HasSubstr("lacks memory"));
  std::string doubling = "let T0 = Numbers;";
  for (int i = 1; i < 40; ++i) {
    const std::string last = "T" + std::to_string(i - 1);
    doubling += "let T" + std::to_string(i) + " = union " + last + ", " + last + ";";
  }
  EXPECT_THAT(told(doubling + "T39 | count", limits), HasSubstr("E_LOW_MEMORY"));
  std::string growing = "let s0 = 'xxxxxxxx';";
  for (int i = 1; i < 40; ++i) {
    const std::string last = "s" + std::to_string(i - 1);
    growing += "let s" + std::to_string(i) + " = strcat(" + last + ", " + last + ");";
  }
  EXPECT_THAT(told(growing + "print strlen(s39)", limits), HasSubstr("lacks memory"));
  EXPECT_THAT(told("print " + repeated("(", 200) + "1" + repeated(")", 200)), HasSubstr("parentheses deep"));
  EXPECT_THAT(told("print 1" + repeated("+1", 5'000)), HasSubstr("is more than 200 deep"));
  EXPECT_THAT(told("Numbers" + repeated("|take 1", 5'000)), HasSubstr("more than 500 operators"));
  EXPECT_EQ(told("print true" + repeated(" or false", 5'000)), "True");
  EXPECT_THAT(told(std::string(200'000, ' ')), HasSubstr("longer than"));
  const auto cut = run_query("range X from 1 to 20 step 1", tables(), {}, kNow, {.result_rows = 7});
  ASSERT_TRUE(cut);
  EXPECT_EQ(cut->rows.size(), 7u);
  EXPECT_TRUE(cut->is_cut);
  EXPECT_THAT(told("range X from 1 to 20000 step 1", {.result_bytes = 1'000}), HasSubstr("TOO_LARGE"));
}

// What holds of any query, tried on made-up conditions.
std::string condition(sim::SeededRandom& random, int depth) {
  if (depth > 0 && sim::chance(random, 60)) {
    static const char* const kWords[] = {" and ", " or "};
    return "(" + condition(random, depth - 1) + sim::pick(random, kWords) + condition(random, depth - 1) +
           ")";
  }
  static const char* const kTerms[] = {"N > 3",
                                       "N % 3 == 1",
                                       "Name has 'one'",
                                       "Even",
                                       "not(Even)",
                                       "Name contains 'e'",
                                       "N in (1, 2, 6)",
                                       "Name startswith 's'",
                                       "N between (2 .. 5)",
                                       "strlen(Name) == 4",
                                       "Name matches regex '^t'",
                                       "N != 5"};
  return sim::pick(random, kTerms);
}

TEST(Kql, HoldsWhatAnyQueryMust) {
  sim::SeededRandom random(11);
  const auto number = [](const std::string& query) { return std::stol(told(query)); };
  for (int i = 0; i < 200; ++i) {
    const std::string p = condition(random, 3), q = condition(random, 2);
    SCOPED_TRACE(p + " / " + q);
    const std::string where = "Numbers | where " + p;
    EXPECT_EQ(number(where + " | count"), number("Numbers | summarize countif(" + p + ")"));
    EXPECT_EQ(number(where + " | count") + number("Numbers | where not(" + p + ") | count"), 8);
    EXPECT_EQ(told(where + " | where " + q), told("Numbers | where (" + p + ") and (" + q + ")"));
    EXPECT_EQ(told(where + " | sort by N asc"),
              told("Numbers | sort by N desc | where " + p + " | sort by N asc"));
    EXPECT_EQ(number(where + " | join kind=inner (Numbers) on N | count"), number(where + " | count"));
    EXPECT_EQ(number(where + " | join kind=leftanti (Numbers | where " + q + ") on N | count"),
              number(where + " | where not(" + q + ") | count"));
    EXPECT_EQ(number("union (" + where + "), (Numbers | where " + q + ") | distinct N | count"),
              number("Numbers | where (" + p + ") or (" + q + ") | count"));
    EXPECT_EQ(told(where + " | top 3 by N asc"), told(where + " | sort by N asc | take 3"));
    EXPECT_EQ(told(where + " | summarize sum(N)"),
              told(where + " | summarize S = sum(N) by Even | summarize sum(S)"));
  }
}

}  // namespace
}  // namespace flow::kql::test
