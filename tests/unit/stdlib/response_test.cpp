#include "stdlib/executor/response.hpp"

#include <gtest/gtest.h>

#include "stdlib/http/answer.hpp"
#include "tests/unit/stdlib/fakes.hpp"

namespace flow {
namespace {

constexpr std::int64_t kNow = 1'791'882'900 * kSecondUs;

struct Answers : testing::Test {
  Operation operation{.connector = "defender", .name = "isolate", .effect = Effect::Act, .result = kJsonType};
  Route route{.permissions = {"Machine.Isolate"},
              .errors = {{.status = 400, .code = "ActiveRequestAlreadyExists", .kind = FaultKind::Conflict},
                         {.status = 400, .code = "already in progress", .kind = FaultKind::Conflict}}};

  Outcome outcome(int status, std::string body, HttpHeaders headers = {}) const {
    return outcome_of(response(status, std::move(body), std::move(headers)), operation, route, kNow);
  }
  Fault fault(int status, std::string body, HttpHeaders headers = {}) const {
    const Outcome result = outcome(status, std::move(body), std::move(headers));
    if (const auto* found = std::get_if<Fault>(&result)) return *found;
    ADD_FAILURE() << "no fault but " << std::get<Returned>(result).json;
    return {};
  }
  std::string returned(int status, std::string body) const {
    const Outcome result = outcome(status, std::move(body));
    if (const auto* found = std::get_if<Returned>(&result)) return found->json;
    return "fault: " + std::get<Fault>(result).message;
  }
};

std::string api_error(const std::string& code, const std::string& message) {
  return R"({"error":{"code":")" + code + R"(","message":")" + message + R"(","target":"f7b0"}})";
}

TEST_F(Answers, ResultsAreMinifiedAsTheyStand) {
  EXPECT_EQ(returned(201, "{ \"id\" : 1.50 }"), "{\"id\":1.50}");
  operation.result_member = "value";
  EXPECT_EQ(returned(200, "{\"@odata.context\":\"x\",\"value\":[ {\"id\":\"a\"} ]}"), "[{\"id\":\"a\"}]");
  operation.result = kNothingType;
  EXPECT_EQ(returned(202, ""), "null");
  EXPECT_EQ(returned(204, "whatever"), "null");
}

// What Gmail leaves out when it finds nothing is a list of nothing: a lookup that took it for no list would
// leave its call in doubt.
TEST_F(Answers, AMemberThatMayBeMissingIsAListOfNothing) {
  operation.result_member = "messages?";
  EXPECT_EQ(returned(200, R"({"messages":[{"id":"a"}],"resultSizeEstimate":1})"), R"([{"id":"a"}])");
  EXPECT_EQ(returned(200, R"({"resultSizeEstimate":0})"), "[]");
  EXPECT_EQ(returned(200, R"({"messages":null})"), "[]");
  EXPECT_EQ(fault(200, "no json").kind, FaultKind::InvalidResponse);
}

// As they came, also where they are no text and no JSON, or nothing at all.
TEST_F(Answers, BytesAreTheWholeBody) {
  operation.result = kBytesType;
  EXPECT_EQ(returned(200, std::string("PK\x03\x04\0\xff", 6)), "\"UEsDBAD/\"");
  EXPECT_EQ(returned(200, ""), "\"\"");
  EXPECT_EQ(fault(404, "gone").kind, FaultKind::NotFound);
  operation.result_member = "content";
  EXPECT_EQ(returned(200, R"({"content":"UEs="})"), "\"UEs=\"");
}

TEST_F(Answers, AResultThatIsMissingOrBrokenIsInvalid) {
  for (const std::string& body : {std::string(), std::string("<html>"), std::string(200'000, '[')}) {
    const Fault found = fault(200, body);
    EXPECT_EQ(found.kind, FaultKind::InvalidResponse);
    EXPECT_TRUE(found.maybe_executed) << "the server said that it was done";
    EXPECT_LT(found.message.size(), 500u);
  }
}

struct StatusCase {
  int status;
  const char* code;
  const char* message;
  FaultKind kind;
  bool maybe_executed;
};

TEST_F(Answers, EachRowOfTheErrorTableHasItsFault) {
  const StatusCase cases[] = {
      {400, "BadRequest", "x", FaultKind::BadRequest, false},
      {400, "ODataError", "x", FaultKind::BadRequest, false},
      {400, "InvalidInput", "x", FaultKind::BadRequest, false},
      {400, "InvalidRequestBody", "x", FaultKind::BadRequest, false},
      {400, "InvalidHashValue", "x", FaultKind::BadRequest, false},
      {400, "MaximumBatchSizeExceeded", "x", FaultKind::BadRequest, false},
      {400, "MissingRequiredParameter", "x", FaultKind::BadRequest, false},
      {400, "OsPlatformNotSupported", "x", FaultKind::BadRequest, false},
      {400, "ClientVersionNotSupported", "x", FaultKind::BadRequest, false},
      {400, "ActiveRequestAlreadyExists", "x", FaultKind::Conflict, false},
      {400, "activerequestalreadyexists", "x", FaultKind::Conflict, false},
      {400, "BadRequest", "Action is Already In Progress", FaultKind::Conflict, false},
      {401, "Unauthorized", "x", FaultKind::Unauthorized, false},
      {403, "Forbidden", "x", FaultKind::Forbidden, false},
      {403, "DisabledFeature", "x", FaultKind::Forbidden, false},
      {403, "DisallowedOperation", "x", FaultKind::Forbidden, false},
      {404, "NotFound", "x", FaultKind::NotFound, false},
      {404, "ResourceNotFound", "x", FaultKind::NotFound, false},
      {408, "", "x", FaultKind::Timeout, true},
      {409, "Conflict", "x", FaultKind::Conflict, false},
      {412, "ETag", "x", FaultKind::Conflict, false},
      {413, "TooLarge", "x", FaultKind::BadRequest, false},
      {423, "locked", "x", FaultKind::Conflict, false},
      {429, "TooManyRequests", "x", FaultKind::Throttled, false},
      {500, "InternalServerError", "x", FaultKind::Unavailable, true},
      {502, "", "x", FaultKind::Unavailable, true},
      {503, "", "x", FaultKind::Unavailable, true},
      {504, "", "x", FaultKind::Timeout, true},
      {302, "", "x", FaultKind::InvalidResponse, true},
      {307, "", "x", FaultKind::InvalidResponse, false},
      {418, "", "x", FaultKind::BadRequest, false},
      {599, "", "x", FaultKind::Unavailable, true},
  };
  for (const StatusCase& each : cases) {
    const Fault found = fault(each.status, api_error(each.code, each.message));
    EXPECT_EQ(found.kind, each.kind) << each.status << each.code;
    EXPECT_EQ(found.maybe_executed, each.maybe_executed) << each.status;
    EXPECT_EQ(found.status, each.status);
    EXPECT_EQ(found.code, each.code);
    EXPECT_NE(found.message.find("defender.isolate was answered " + std::to_string(each.status)),
              std::string::npos);
  }
  operation.effect = Effect::Read;
  EXPECT_FALSE(fault(500, "").maybe_executed) << "a read changes nothing";
}

TEST_F(Answers, FirstMatchingRuleWins) {
  route.errors = {{.status = 404, .code = "", .kind = FaultKind::Unavailable},
                  {.status = 0, .code = "Special", .kind = FaultKind::Protected},
                  {.status = 404, .code = "Special", .kind = FaultKind::Conflict}};
  EXPECT_EQ(fault(404, api_error("Special", "")).kind, FaultKind::Unavailable);
  EXPECT_EQ(fault(500, api_error("Special", "")).kind, FaultKind::Protected);
  EXPECT_EQ(fault(500, api_error("Other", "")).kind, FaultKind::Unavailable);
}

TEST_F(Answers, ThrottlingSaysWhenToComeBack) {
  const auto pause = [&](std::string body, HttpHeaders headers) {
    return fault(429, std::move(body), std::move(headers)).retry_after_us / kSecondUs;
  };
  EXPECT_EQ(pause("", {{"retry-after", "8"}}), 8);
  EXPECT_EQ(pause("", {{"Retry-After", "Tue, 13 Oct 2026 09:16:30 GMT"}}), 90);
  EXPECT_EQ(pause("", {{"Retry-After", "Tue, 13 Oct 2026 09:14:00 GMT"}}), 1);
  EXPECT_EQ(pause("", {{"Retry-After", "0"}}), 1);
  EXPECT_EQ(pause("", {{"Retry-After", "soon"}}), 60);
  EXPECT_EQ(pause("", {{"Retry-After", "99999999"}}), 86'400);
  EXPECT_EQ(pause(api_error("429",
                            "API calls quota exceeded! Maximum allowed 100 per 00:01:00 for the key X. You "
                            "can send requests again in 8 seconds."),
                  {}),
            8);
  EXPECT_EQ(pause(api_error("429", "wait a bit in vain"), {}), 60);
  EXPECT_EQ(pause("not json", {}), 60);
}

TEST_F(Answers, ForbiddenNamesWhatIsMissing) {
  const Fault found =
      fault(403, api_error("Forbidden",
                           "Missing application roles. API required roles: "
                           "Machine.Read.All,Machine.ReadWrite.All, application roles: Machine.Isolate."));
  EXPECT_NE(found.message.find("defender.isolate needs the permission Machine.Isolate"), std::string::npos)
      << found.message;
  EXPECT_NE(
      found.message.find(
          "the API asks for one of: Machine.Read.All,Machine.ReadWrite.All; the app has: Machine.Isolate"),
      std::string::npos)
      << found.message;
  route.permissions = {"A", "B"};
  EXPECT_NE(fault(403, "").message.find("needs the permission A or B"), std::string::npos);
}

TEST_F(Answers, ErrorBodiesOfAllShapesAreRead) {
  EXPECT_EQ(
      fault(
          400,
          R"({"error":{"code":"","message":"m","innererror":{"code":"Inner","innerError":{"code":"Deep"}}}})")
          .code,
      "Deep");
  EXPECT_EQ(fault(400, R"({"error":{"message":"m","innerError":{"date":"x"}}})").code, "");
  EXPECT_EQ(fault(400, R"({"odata.error":{"code":"O","message":{"lang":"en","value":"text"}}})").code, "O");
  EXPECT_NE(fault(400, R"({"odata.error":{"code":"O","message":{"value":"text"}}})").message.find("text"),
            std::string::npos);
  EXPECT_EQ(fault(400, R"({"error":"invalid_token","error_description":"d"})").code, "invalid_token");
  EXPECT_EQ(fault(400, R"({"Message":"Something"})").message, "defender.isolate was answered 400: Something");
  EXPECT_EQ(fault(400, R"({"error":{"code":7,"message":[]}})").code, "7");
  for (const char* body : {"", "null", "[]", "7", "\"x\"", "{\"error\":null}", "{\"error\":[]}",
                           "<html>\r\nX-Forged: yes\x1b[31m</html>"}) {
    const Fault found = fault(500, body);
    EXPECT_EQ(found.kind, FaultKind::Unavailable) << body;
    EXPECT_EQ(found.message.find_first_of("\r\n\x1b"), std::string::npos) << found.message;
  }
  EXPECT_LT(fault(500, std::string(100'000, 'x')).message.size(), 300u);
}

TEST(Excerpts, AreShortPlainAndHonest) {
  EXPECT_EQ(excerpt("a\r\nb\tc"), "a b c");
  EXPECT_EQ(excerpt("a\x1b[31m"), "a\\x1b[31m");
  EXPECT_EQ(excerpt("x\xe2\x80\xaey"), "x\xef\xbf\xbdy");
  EXPECT_EQ(excerpt("\xff"
                    "a"),
            "?a");
  EXPECT_EQ(excerpt(std::string(198, 'a') + "\xc3\xa9\xc3\xa9"), std::string(198, 'a') + "\xc3\xa9");
  EXPECT_EQ(excerpt(std::string(199, 'a') + "\xc3\xa9"), std::string(199, 'a'));
}

}  // namespace
}  // namespace flow
