// Bodies that are no JSON: `body data as "image/png"` and lists that go as one text.
#include <gtest/gtest.h>

#include "base/base64.hpp"
#include "stdlib/executor/request.hpp"
#include "stdlib/json/json.hpp"

namespace flow {
namespace {

using Kind = Template::Kind;

struct Bodies : testing::Test {
  Operation operation{.connector = "desk", .name = "put", .effect = Effect::Act};
  Connector connector{.name = "desk", .base = "https://desk.example"};
  Route route{.method = "PUT", .path = {.kind = Kind::Text, .text = "/files"}};
  TenantAccess access;
  Redaction redaction;

  // The request with `data` for an argument, or why there is none.
  Result<HttpRequest> request(const std::string& data) {
    const auto arguments = parse_json("{\"data\":" + data + "}");
    return http_request({operation, route, connector, access, *arguments, "r/1", 0}, redaction);
  }
  void goes_as(BodyForm form, const std::string& type) {
    route.body = Template{.kind = Kind::Param, .text = "data"};
    route.body_form = form;
    route.content_type = type;
  }
  static std::string type_of(const HttpRequest& request) {
    std::string types;
    for (const auto& [name, value] : request.headers)
      if (name == "Content-Type") types += (types.empty() ? "" : ", ") + value;
    return types;
  }
};

TEST_F(Bodies, BytesGoAsTheyAre) {
  goes_as(BodyForm::Bytes, "image/png");
  const std::string bytes("\x89PNG\r\n\0\xff", 8);
  const auto made = request("\"" + base64_of(bytes) + "\"");
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->body, bytes);
  EXPECT_EQ(type_of(*made), "image/png");
  EXPECT_EQ(request("\"\"")->body, "");
  EXPECT_EQ(request("\"no base64!\"").error().message, "the body is no Base64");
}

TEST_F(Bodies, TextsGoWithoutQuotes) {
  goes_as(BodyForm::Text, "text/plain; charset=utf-8");
  const auto made = request(R"("line \"one\"\nzwei: ü")");
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->body, "line \"one\"\nzwei: ü");
  EXPECT_EQ(type_of(*made), "text/plain; charset=utf-8");
  EXPECT_EQ(request(R"({"$html":"<p>x</p>"})")->body, "<p>x</p>");
  EXPECT_EQ(request("7")->body, "7");
}

// A parameter that is null is no body, and a body that is not there has no type.
TEST_F(Bodies, MayBeLeftOut) {
  for (const BodyForm form : {BodyForm::Bytes, BodyForm::Text, BodyForm::Json}) {
    goes_as(form, "image/png");
    const auto made = request("null");
    ASSERT_TRUE(made);
    EXPECT_EQ(made->body, "");
    EXPECT_EQ(type_of(*made), "");
  }
}

TEST_F(Bodies, HaveTheGreatestSizeThatIsDeclared) {
  goes_as(BodyForm::Bytes, "image/png");
  route.most_bytes = 3;
  EXPECT_TRUE(request("\"" + base64_of("abc") + "\""));
  EXPECT_FALSE(request("\"" + base64_of("abcd") + "\""));
}

// `tags: tags.join(",")`
TEST_F(Bodies, ListsGoAsOneTextWhereTheyAreJoined) {
  const Template joined{.kind = Kind::Join, .text = ",", .children = {{.kind = Kind::Param, .text = "data"}}};
  route.body = Template{.kind = Kind::Object, .names = {"tags"}, .children = {joined}};
  route.query = {{"tags", joined}};
  const auto body = [&](const std::string& data) { return request(data)->body; };
  EXPECT_EQ(body(R"(["a","b c"])"), R"({"tags":"a,b c"})");
  EXPECT_EQ(body(R"(["a"])"), R"({"tags":"a"})");
  EXPECT_EQ(body("[1,2.5,true]"), R"({"tags":"1,2.5,true"})");
  EXPECT_EQ(body("\"one\""), R"({"tags":"one"})");
  EXPECT_EQ(body("[]"), "{}") << "nothing is not an empty text";
  EXPECT_EQ(body("null"), "{}");
  EXPECT_EQ(request(R"(["a","b&c"])")->url, "https://desk.example/files?tags=a%2Cb%26c");
  EXPECT_EQ(request("[]")->url, "https://desk.example/files");
}

}  // namespace
}  // namespace flow
