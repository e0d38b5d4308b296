#include "stdlib/executor/template.hpp"

#include <gtest/gtest.h>

namespace flow {
namespace {

using Kind = Template::Kind;

Template text(std::string value) {
  return {.kind = Kind::Text, .text = std::move(value)};
}
Template param(std::string name, std::vector<std::string> fields = {}) {
  return {.kind = Kind::Param, .text = std::move(name), .names = std::move(fields)};
}
Template concat(std::vector<Template> parts) {
  return {.kind = Kind::Concat, .children = std::move(parts)};
}

struct Templates : testing::Test {
  JsonValue arguments =
      *parse_json(R"({"machine":"a b/c","count":3,"flag":true,"none":null,"one":"x","many":["x","y"],
      "html":{"$html":"<p>"},"kql":{"$kql":"T | take 1"},"secret":{"$secret":"slack"},"deep":{"a":{"b":7}},"big":18446744073709551615,"real":1.5})");
  std::map<std::string, std::string> settings{{"mail.sender", "soc@x"}};
  TemplateScope scope{
      .arguments = &arguments, .settings = &settings, .connector = "mail", .call_key = "run-1/2"};

  std::string json(const Template& node) const { return to_json(evaluate(node, scope)); }
};

TEST_F(Templates, LeavesGiveTheirValues) {
  EXPECT_EQ(json({}), "null");
  EXPECT_EQ(json({.kind = Kind::Bool, .number = 1}), "true");
  EXPECT_EQ(json({.kind = Kind::Int, .number = -5}), "-5");
  EXPECT_EQ(json({.kind = Kind::Float, .real = 0.5}), "0.5");
  EXPECT_EQ(json(text("a\"b")), "\"a\\\"b\"");
  EXPECT_EQ(json(param("count")), "3");
  EXPECT_EQ(json(param("big")), "18446744073709551615");
  EXPECT_EQ(json(param("real")), "1.5");
  EXPECT_EQ(json(param("missing")), "null");
  EXPECT_EQ(json(param("deep", {"a", "b"})), "7");
  EXPECT_EQ(json(param("deep", {"x", "b"})), "null");
  EXPECT_EQ(json({.kind = Kind::Setting, .text = "sender"}), "\"soc@x\"");
  EXPECT_EQ(json({.kind = Kind::Setting, .text = "other"}), "null");
  EXPECT_EQ(json({.kind = Kind::CallKey}), "\"run-1/2\"");
}

TEST_F(Templates, MarkedTextIsPlainText) {
  EXPECT_EQ(json(param("html")), "\"<p>\"");
  EXPECT_EQ(json(param("kql")), "\"T | take 1\"");
}

TEST_F(Templates, NullMembersAreLeftOut) {
  EXPECT_EQ(json({.kind = Kind::Object,
                  .names = {"a", "b", "c"},
                  .children = {param("none"), param("count"), param("missing")}}),
            "{\"b\":3}");
}

TEST_F(Templates, ASingleValueCountsAsAListOfOne) {
  const Template element{.kind = Kind::Object, .names = {"address"}, .children = {{.kind = Kind::Item}}};
  EXPECT_EQ(json({.kind = Kind::ForEach, .children = {param("one"), element}}), R"([{"address":"x"}])");
  EXPECT_EQ(json({.kind = Kind::ForEach, .children = {param("many"), element}}),
            R"([{"address":"x"},{"address":"y"}])");
  EXPECT_EQ(json({.kind = Kind::ForEach, .children = {param("none"), element}}), "null");
}

TEST_F(Templates, ConcatJoinsTexts) {
  EXPECT_EQ(json(concat({text("n="), param("count"), text(" "), param("flag"), param("none")})),
            "\"n=3 true\"");
}

TEST_F(Templates, IfFollowsTypesAndTruth) {
  const auto is = [](const char* name, TypeId type) {
    return Template{.kind = Kind::IsType, .text = name, .type = type};
  };
  const auto choose = [&](Template condition) {
    return json({.kind = Kind::If, .children = {std::move(condition), text("yes"), text("no")}});
  };
  EXPECT_EQ(choose(is("html", kHtmlType)), "\"yes\"");
  EXPECT_EQ(choose(is("one", kHtmlType)), "\"no\"");
  EXPECT_EQ(choose(is("one", kStringType)), "\"yes\"");
  EXPECT_EQ(choose(is("html", kStringType)), "\"no\"");
  EXPECT_EQ(choose(is("kql", kKqlType)), "\"yes\"");
  EXPECT_EQ(choose(is("missing", kStringType)), "\"no\"");
  EXPECT_EQ(choose(param("flag")), "\"yes\"");
  EXPECT_EQ(choose(param("none")), "\"no\"");
}

TEST_F(Templates, PathHolesAreEncoded) {
  EXPECT_EQ(*evaluate_path(concat({text("/api/machines/"), param("machine"), text("/isolate")}), scope),
            "/api/machines/a%20b%2Fc/isolate");
}

TEST_F(Templates, HolesThatWouldChangeThePathAreRefused) {
  arguments = *parse_json(R"({"empty":"","dot":".","dots":"..","fine":"..."})");
  for (const char* name : {"empty", "dot", "dots", "missing"}) {
    const auto path = evaluate_path(concat({text("/a/"), param(name), text("/b")}), scope);
    ASSERT_FALSE(path.has_value()) << name;
    EXPECT_NE(path.error().message.find(name), std::string::npos) << path.error().message;
  }
  EXPECT_TRUE(evaluate_path(concat({text("/a/"), param("fine")}), scope).has_value());
  const auto setting =
      evaluate_path(concat({text("/users/"), {.kind = Kind::Setting, .text = "mailbox"}}), scope);
  EXPECT_EQ(setting.error().message, "setting `mail.mailbox` has no value, and the request's path needs one");
}

TEST_F(Templates, SecretsAreRevealedOnlyAtTheEnd) {
  JsonValue value = evaluate({.kind = Kind::List, .children = {param("secret"), text("x")}}, scope);
  EXPECT_EQ(to_json(value), R"([{"$secret":"slack"},"x"])");
  EXPECT_FALSE(reveal(value, nullptr).has_value());
  ASSERT_TRUE(reveal(value, [](const std::string& name) -> Result<std::string> {
                return name + "-value";
              }).has_value());
  EXPECT_EQ(to_json(value), R"(["slack-value","x"])");
}

TEST(Completions, SeeTheResult) {
  const Template arguments{
      .kind = Kind::Object, .names = {"id", "m"}, .children = {param("result", {"id"}), param("machine")}};
  EXPECT_EQ(*completion_arguments(arguments, R"({"machine":"m1"})", R"({"id":"action-1"})", "k"),
            R"({"id":"action-1","m":"m1"})");
  EXPECT_FALSE(completion_arguments(arguments, "[]", "{}", "k").has_value());
}

TEST(Json, PartsKeepTheirText) {
  EXPECT_EQ(*json_part("{ \"value\" : [ 1.50, {\"a\" : \"x y\"} ], \"b\":2}", "value"),
            R"([1.50,{"a":"x y"}])");
  EXPECT_EQ(*json_part(" [ 1 , 2 ] ", ""), "[1,2]");
  EXPECT_EQ(*json_part("{\"a\":1}", "value"), "null");
  EXPECT_EQ(*json_part("{\"a\":null}", "a"), "null");
  for (const std::string& bad :
       {std::string("{\"value\":[1}"), std::string("{\"value\":1} x"), std::string(200'000, '['),
        std::string("\xff\xfe{\0}\0", 6), std::string("{\"value\":{\"a\":99999999999999999999}}"),
        std::string("{\"value\":[{\"a\":1},{\"a"), std::string()})
    EXPECT_FALSE(json_part(bad, "value").has_value()) << bad.substr(0, 30);
  EXPECT_FALSE(json_part("[1]", "value").has_value());
}

TEST(Json, OneBadElementDoesNotHideTheOthers) {
  EXPECT_EQ(*json_part(R"({"value":[{"a":"x\ud83d.exe"},{"a":"\\ud83d \ud83d\udd12\udd12"}]})", "value"),
            R"([{"a":"x\ufffd.exe"},{"a":"\\ud83d \ud83d\udd12\ufffd"}])");
  EXPECT_EQ(*json_part("{\"value\":[\"\xc3\x28\",1]}", "value"), "[\"\xef\xbf\xbd(\",1]");
  EXPECT_EQ(*json_part(R"({"value":[{"a":99999999999999999999},{"a":1}]})", "value"),
            R"([{"a":99999999999999999999},{"a":1}])");
}

}  // namespace
}  // namespace flow
