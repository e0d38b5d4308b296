#include "apps/sim/odata.hpp"

#include <gtest/gtest.h>

namespace flow::sim {
namespace {

const std::vector<Property> kProperties{
    {"name", PropertyKind::Text},  {"level", PropertyKind::Enum, {"Low", "High"}},
    {"at", PropertyKind::Time},    {"count", PropertyKind::Number},
    {"tags", PropertyKind::Texts}, {"props", PropertyKind::Objects}};

bool matches(const std::string& filter, const std::string& entity) {
  const auto parsed = Filter::parse(filter, kProperties);
  EXPECT_TRUE(parsed) << filter << ": " << (parsed ? "" : parsed.error().message);
  return parsed && parsed->matches(*parse_json(entity));
}
std::string problem(const std::string& filter) {
  const auto parsed = Filter::parse(filter, kProperties);
  return parsed ? "" : parsed.error().message;
}

TEST(OData, ComparesTextsEnumsTimesNumbersAndNull) {
  EXPECT_TRUE(matches("name eq 'it''s'", R"({"name":"it's"})"));
  EXPECT_FALSE(matches("name eq 'A'", R"({"name":"a"})"));
  EXPECT_TRUE(matches("level eq 'high'", R"({"level":"High"})"));
  EXPECT_TRUE(matches("count ge 5 and count lt 7", R"({"count":5})"));
  EXPECT_TRUE(matches("name eq null", R"({"name":null})"));
  EXPECT_TRUE(matches("name ne 'x'", R"({"name":null})"));
  EXPECT_FALSE(matches("count gt 1", R"({"count":null})"));
}

TEST(OData, TimesCompareToTheSeventhDigit) {
  const char* entity = R"({"at":"2026-11-20T08:14:22.1043315Z"})";
  EXPECT_TRUE(matches("at ge 2026-11-20T08:14:22.1043315Z", entity));
  EXPECT_FALSE(matches("at gt 2026-11-20T08:14:22.1043315Z", entity));
  EXPECT_TRUE(matches("at gt 2026-11-20T08:14:22.1043314Z", entity));
  EXPECT_TRUE(matches("at lt 2026-11-20T10:00:00+01:00", entity));
}

TEST(OData, AndBindsTighterThanOr) {
  EXPECT_TRUE(matches("count eq 1 or count eq 2 and name eq 'x'", R"({"count":1,"name":"y"})"));
  EXPECT_FALSE(matches("(count eq 1 or count eq 2) and name eq 'x'", R"({"count":1,"name":"y"})"));
  EXPECT_TRUE(matches("not (count eq 2) and not startswith(name,'z')", R"({"count":1,"name":"y"})"));
  EXPECT_TRUE(matches("level in ('Low','High')", R"({"level":"Low"})"));
  EXPECT_TRUE(matches("contains(name,'b') and endswith(name,'c')", R"({"name":"abc"})"));
}

TEST(OData, AnyLooksIntoCollections) {
  EXPECT_TRUE(matches("tags/any(t: t eq 'vip')", R"({"tags":["a","vip"]})"));
  EXPECT_FALSE(matches("tags/any(t: t eq 'vip')", R"({"tags":[]})"));
  EXPECT_TRUE(matches("tags/any(t:startswith(t,'v')) or count eq 3", R"({"tags":["vip"]})"));
  const char* entity = R"({"props":[{"id":"x","value":"2"},{"id":"y","value":"1"}]})";
  EXPECT_TRUE(matches("props/any(p: p/id eq 'y' and p/value eq '1')", entity));
  EXPECT_FALSE(matches("props/any(p: p/id eq 'x' and p/value eq '1')", entity));
}

TEST(OData, SaysWhatIsWrong) {
  EXPECT_EQ(problem("nam eq 'x'"),
            "The property 'nam' cannot be used in $filter or $orderby. Did you mean 'name'?");
  EXPECT_EQ(problem("level eq 'Medium'"), "'Medium' is no value of 'level'.");
  EXPECT_EQ(problem("at ge '2026-11-20T08:14:22Z'"),
            "'at' is compared with a time without quotes, not with '2026-11-20T08:14:22Z'.");
  EXPECT_EQ(problem("name eq x"), "'name' is compared with a text in single quotes, not with x.");
  EXPECT_EQ(problem("tags eq 'x'"), "'tags' is a collection: use tags/any(x: x eq '…').");
  EXPECT_EQ(problem("name eq"),
            "Syntax error at position 7 in $filter: expected a value but found `the end`.");
  for (const char* bad : {"",
                          " ",
                          "name",
                          "name eq 'x",
                          "name eq 'x' and",
                          "(name eq 'x'",
                          "name eq 'x')",
                          "eq eq eq",
                          "count eq 1.5",
                          "count eq 99999999999999999999",
                          "name gt null",
                          "foo(name,'x')",
                          "at in ()",
                          "startswith(count,'1')",
                          "tags/any(t: name eq 'x')",
                          "tags/any()",
                          "props/any(p: p eq 'x')",
                          "tags/any(t: tags/any(u: u eq 'x'))",
                          "name == 'x'",
                          "name eq 'x' 'y'",
                          "\xff",
                          "name eq 'x' or or"})
    EXPECT_NE(problem(bad), "") << bad;
}

TEST(OData, DepthLengthAndTermsAreLimited) {
  EXPECT_EQ(problem(std::string(60, '(') + "count eq 1" + std::string(60, ')')), "");
  EXPECT_EQ(problem(std::string(64, '(') + "count eq 1" + std::string(64, ')')),
            "The $filter is nested more than 64 levels deep.");
  EXPECT_NE(problem(std::string(3'999, '(')), "");
  std::string nots;
  for (int i = 0; i < 500; ++i) nots += "not ";
  EXPECT_EQ(problem(nots + "count eq 1"), "The $filter is nested more than 64 levels deep.");
  std::string many = "count eq 1";
  for (int i = 0; i < 400; ++i) many += " or count eq 1";
  EXPECT_EQ(problem(many), "The $filter has more than 500 terms.");
  EXPECT_EQ(problem("name eq '" + std::string(9'000, 'x') + "'"),
            "The $filter is longer than 8000 characters.");
}

}  // namespace
}  // namespace flow::sim
