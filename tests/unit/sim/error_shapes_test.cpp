// A failure that was asked for is told as the service tells it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/sim/tenant_fixture.hpp"

namespace flow::sim {
namespace {

struct Shape {
  const char* method;
  const char* target;
  int status;
  const char* body;  // what stands for ids and times is cut off: the beginning of the answer
};

class Shapes : public testing::TestWithParam<Shape> {};

TEST_P(Shapes, AreThoseOfTheService) {
  const Shape& shape = GetParam();
  TestTenant t;
  const std::string path = std::string(shape.target).substr(0, std::string(shape.target).find('?'));
  t.sim("POST", "faults",
        Json::object(
            {{"match", std::string(shape.method) + " " + path}, {"status", shape.status}, {"message", "m"}})
            .to_text());
  const Answered answered = t.ask(shape.method, shape.target, "{}");
  EXPECT_EQ(answered.status, shape.status);
  EXPECT_THAT(answered.whole.body, testing::StartsWith(shape.body));
}

const std::string kArm =
    "/subscriptions/s/resourceGroups/g/providers/Microsoft.OperationalInsights/workspaces/w/providers/"
    "Microsoft.SecurityInsights/incidents";

INSTANTIATE_TEST_SUITE_P(
    All, Shapes,
    testing::Values(
        Shape{"GET", "/api/alerts", 429, R"({"error":{"code":"TooManyRequests","message":"m","target":")"},
        Shape{"GET", "/v1.0/security/alerts_v2", 503,
              R"({"error":{"code":"serviceNotAvailable","message":"m","innerError":{)"},
        Shape{"POST", "/v1.0/users/a@b.c/messages/1/send", 504, R"({"error":{"code":"GatewayTimeout")"},
        Shape{"PUT", "/uploads/1", 500, R"({"error":{"code":"InternalServerError")"},
        Shape{"POST", "/x.example.com/oauth2/v2.0/token", 503,
              R"({"error":"temporarily_unavailable","error_description":"AADSTS90033: m Trace ID:)"},
        Shape{"POST", "/x.example.com/oauth2/v2.0/token", 429,
              R"({"error":"temporarily_unavailable","error_description":"AADSTS90055: m)"},
        Shape{"GET", "/metadata/identity/oauth2/token", 500,
              R"({"error":"internal_failure","error_description":"m"})"},
        Shape{"POST", "/token", 429, R"({"error":"rate_limit_exceeded","error_description":"m"})"},
        Shape{
            "POST", "/gmail/v1/users/me/messages/send", 429,
            R"({"error":{"code":429,"message":"m","errors":[{"domain":"usageLimits","reason":"userRateLimitExceeded","message":"m"}],"status":"RESOURCE_EXHAUSTED"}})"},
        Shape{
            "POST", "/gmail/v1/users/me/messages/send", 503,
            R"({"error":{"code":503,"message":"m","errors":[{"domain":"global","reason":"backendError","message":"m"}],"status":"UNAVAILABLE"}})"},
        Shape{"POST", "/emails:send", 429, R"({"error":{"code":"TooManyRequests","message":"m"}})"},
        Shape{"POST", "/teams/soc", 429, R"({"error":{"code":"WorkflowTriggerIsThrottled","message":"m"}})"},
        Shape{"POST", "/api/chat.postMessage", 429, R"({"ok":false,"error":"ratelimited"})"},
        Shape{"POST", "/slack/soc", 429, "rate_limited"},
        Shape{"POST", "/api/now/table/incident", 429,
              R"({"error":{"message":"Rate limit exceeded","detail":"m"},"status":"failure"})"},
        Shape{"POST", "/rest/api/3/issue", 503, R"({"errorMessages":["m"],"errors":{}})"},
        Shape{"GET", kArm.c_str(), 500, R"({"error":{"code":"InternalServerError","message":"m"}})"},
        Shape{
            "POST", "/v1/workspaces/w/query", 429,
            R"({"error":{"code":"ThrottledError","message":"m","innererror":{"code":"ThrottledError","message":"m"}}})"},
        Shape{"GET", "/secrets/x", 403, R"({"error":{"code":"AuthorizationFailed","message":"m"}})"},
        Shape{"GET", "/echo/x", 500, R"({"error":"m"})"}));

TEST(ErrorShapes, ACodeThatWasSaidIsTheServices) {
  TestTenant t;
  t.sim("POST", "faults", R"([{"match":"POST /slack/soc","status":410,"code":"gone"},
      {"match":"POST */token","status":401,"code":"7000222"}])");
  EXPECT_EQ(t.ask("POST", "/slack/soc", "{}").whole.body, "gone");
  EXPECT_THAT(std::string(t.ask_token("").json["error_description"].text()),
              testing::HasSubstr("AADSTS7000222"));
}

// Nor is a refusal without a token.
TEST(ErrorShapes, WithoutATokenEachServiceRefusesInItsOwnWords) {
  TestTenant t;
  EXPECT_EQ(t.ask("GET", "/secrets/x?api-version=7.4").code(), "AuthenticationFailed");
  EXPECT_EQ(t.ask("POST", "/v1/workspaces/w/query", "{}").code(), "AuthorizationRequiredError");
  EXPECT_EQ(t.ask("GET", "/api/alerts").code(), "Unauthorized");
  EXPECT_EQ(t.ask("GET", "/v1.0/users/a@b.c/messages").code(), "InvalidAuthenticationToken");
}

}  // namespace
}  // namespace flow::sim
