// Columns of hunting queries as records.
#include "import/hunting_rows.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/library/standard_library.hpp"
#include "compiler/parse/parse.hpp"

namespace flow::importer {
namespace {

using testing::HasSubstr;

std::vector<HuntQuery> queries(const std::string& text) {
  Diagnostics diagnostics;
  const Tree tree = parse(std::make_shared<const SourceFile>("night.flow", text), 0, diagnostics);
  EXPECT_FALSE(diagnostics.has_errors());
  return hunt_queries(tree);
}

TEST(HuntQueries, AreThoseOfTheFlowsWithoutTheirTests) {
  const auto found = queries(R"(flow night_watch
on hunt(kql"A | where X == \"y\"") every 1h
do {
    let more = hunt(kql"B | take 5")
    let again = hunt(kql"B | take 5")
    let one = hunt(kql"C | where D == {row.name as String}")
}

fn wide() -> Kql = kql"""
    D // all
    | project E
"""

test "given" {
    given hunt(kql"Z") returns []
    expect stopped
}
)");
  ASSERT_EQ(found.size(), 4u);
  EXPECT_EQ(found[0].text, "A | where X == \"y\"");
  EXPECT_EQ(found[0].owner, "night_watch");
  EXPECT_EQ(found[0].line, 2u);
  EXPECT_EQ(found[1].text, "B | take 5");
  EXPECT_TRUE(found[2].has_holes);
  EXPECT_EQ(found[3].owner, "wide");
  EXPECT_THAT(found[3].text, HasSubstr("| project E"));
}

TEST(HuntQueries, AreProbedOnALineOfTheirOwn) {
  EXPECT_EQ(probe_of("A | project B; // why\n"), "A | project B; // why\n| take 0");
  EXPECT_EQ(probe_of("A ;\n"), "A\n| take 0");
}

TEST(HuntColumns, AreReadInEitherCase) {
  const auto columns = hunt_columns(R"([{"Name":"A","Type":"SByte"},{"name":"b","type":"Int64","more":1}])");
  ASSERT_TRUE(columns) << columns.error().message;
  EXPECT_EQ(columns->at(0).name + columns->at(0).type, "ASByte");
  EXPECT_EQ(columns->at(1).name + columns->at(1).type, "bInt64");
  for (const char* wrong : {"", "{}", "[]", "[1]", R"([{"type":"Int64"}])"})
    EXPECT_FALSE(hunt_columns(wrong)) << wrong;
}

TEST(HuntRows, BecomeRecordsThatCompile) {
  const HuntQuery query{.text = "A", .line = 2, .owner = "night_watch", .has_holes = false};
  const std::vector<HuntColumn> columns = {{"Timestamp", "DateTime"},
                                           {"DeviceId", "String"},
                                           {"count_", "Int64"},
                                           {"Score", "Double"},
                                           {"IsOn", "Boolean"},
                                           {"Local", "SByte"},
                                           {"AdditionalFields", "Object"},
                                           {"match", "System.String"},
                                           {"Device \"name\"", "String"},
                                           {"$x", "String"}};
  const auto text = rows_text({{query, columns}, {query, columns}}, "flows/night-watch.flow");
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_THAT(*text, testing::StartsWith(std::string(kRowsMark)));
  EXPECT_THAT(*text, HasSubstr("/// A row of the query at line 2 of night-watch.flow."));
  EXPECT_THAT(*text, HasSubstr("record NightWatchRow {"));
  EXPECT_THAT(*text, HasSubstr("record NightWatchRow2 {"));
  EXPECT_THAT(*text, HasSubstr("Timestamp: Time?"));
  EXPECT_THAT(*text, HasSubstr("Local: Json?"));
  EXPECT_THAT(*text, HasSubstr("match_: String? from \"match\""));
  EXPECT_THAT(*text, HasSubstr("from \"Device \\\"name\\\"\""));
  EXPECT_EQ(*text, *rows_text({{query, columns}, {query, columns}}, "flows/night-watch.flow"));
}

}  // namespace
}  // namespace flow::importer
