// `http(…)`: what is sent, where it may not go, and what comes back.
#include "stdlib/executor/egress_call.hpp"

#include <gtest/gtest.h>

#include "stdlib/executor/executor.hpp"
#include "stdlib/executor/response.hpp"
#include "stdlib/json/json.hpp"
#include "tests/unit/stdlib/fakes.hpp"

namespace flow {
namespace {

SecretProvider secret(std::string value) {
  return [value = std::move(value)] { return Result<std::string>(value); };
}

struct EgressCalls : testing::Test {
  FakeClock clock;
  FakeTransport ours, guarded;
  TokenSource tokens{ours, clock};
  OperationExecutor executor{ours, tokens, clock};
  Module module;
  TenantAccess access{.tenant_id = "contoso", .client_id = "app", .client_secret = secret("app-secret")};

  void SetUp() override {
    module.connectors = {{.name = "http"},
                         {.name = "desk",
                          .base = "https://desk.example.com/api",
                          .auth = {.kind = Auth::Kind::Key, .header = "X-Key"}},
                         {.name = "chat", .auth = {.kind = Auth::Kind::Url}}};
    for (const Effect effect : {Effect::Read, Effect::Act})
      module.operations.push_back({.connector = "http",
                                   .name = effect == Effect::Read ? "get" : "send",
                                   .effect = effect,
                                   .result = kJsonType,
                                   .routes = {Route{.protocol = Protocol::Egress}}});
    access.credentials["desk"].key = secret("desk-key-1");
    access.secret = [](const std::string& name) -> Result<std::string> { return "secret-" + name; };
    guarded.answers = {
        response(200, "{\"a\":1}", {{"Content-Type", "application/json"}, {"X-A", "1"}, {"x-a", "2"}})};
    open({"*.example.com"});
  }
  void open(const std::vector<std::string>& allow) {
    executor.open({.third = nullptr, .guarded = &guarded}, *Egress::make(allow, {}));
  }
  Outcome call(std::uint32_t operation, const std::string& arguments) {
    executor.configure("contoso", access);
    Outcome got = Fault{.message = "not called"};
    executor.perform({.tenant = "contoso",
                      .module = &module,
                      .operation = operation,
                      .arguments = arguments,
                      .key = "run/1"},
                     [&](Outcome outcome) { got = std::move(outcome); });
    return got;
  }
  std::string said(std::uint32_t operation, const std::string& arguments) {
    const Outcome outcome = call(operation, arguments);
    const auto* const fault = std::get_if<Fault>(&outcome);
    return fault == nullptr ? std::get<Returned>(outcome).json : fault->message;
  }
  std::string header(const std::string& name) const {
    std::string all;
    for (const auto& [each, value] : guarded.requests.at(0).headers)
      if (each == name) all += value + "|";
    return all;
  }
};

TEST_F(EgressCalls, AnAnswerIsStatusHeadersTextAndJson) {
  EXPECT_EQ(
      said(0, R"({"method":"GET","url":"https://api.example.com/x"})"),
      R"({"status":200,"headers":{"content-type":"application/json","x-a":"1, 2"},"text":"{\"a\":1}","json":{"a":1}})");
  EXPECT_TRUE(ours.requests.empty());
  EXPECT_TRUE(ours.token_requests.empty());
  EXPECT_EQ(guarded.requests.at(0).max_response_bytes, kLongestEgressAnswer);
  EXPECT_EQ(header("Authorization"), "");
}

TEST_F(EgressCalls, AnswersThatOnlySayNoAreAnswers) {
  guarded.answers = {response(404, "no \xff"), response(302, "", {{"Location", "https://evil.org/"}}),
                     response(503, "later")};
  EXPECT_EQ(said(0, R"({"method":"GET","url":"https://api.example.com/x"})"),
            "{\"status\":404,\"headers\":{},\"text\":\"no \xef\xbf\xbd\",\"json\":null}");
  EXPECT_EQ(said(0, R"({"method":"GET","url":"https://api.example.com/x"})"),
            R"({"status":302,"headers":{"location":"https://evil.org/"},"text":"","json":null})");
  const Outcome down = call(0, R"({"method":"GET","url":"https://api.example.com/x"})");
  EXPECT_EQ(std::get<Fault>(down).kind, FaultKind::Unavailable);
}

TEST_F(EgressCalls, ABodyIsATextOrJson) {
  call(
      1,
      R"({"method":"POST","url":"https://api.example.com/","body":"a=b","headers":{"content-type":"application/x-www-form-urlencoded"}})");
  EXPECT_EQ(guarded.requests.at(0).body, "a=b");
  EXPECT_EQ(header("content-type") + header("Content-Type"), "application/x-www-form-urlencoded|");
  call(1, R"({"method":"POST","url":"https://api.example.com/","body":{"a":[1]}})");
  EXPECT_EQ(guarded.requests.at(1).body, "{\"a\":[1]}");
}

TEST_F(EgressCalls, WhatIsNotListedIsNotSent) {
  const Outcome outcome = call(0, R"({"method":"GET","url":"https://evil.org/"})");
  EXPECT_EQ(std::get<Fault>(outcome).kind, FaultKind::Forbidden);
  EXPECT_EQ(std::get<Fault>(outcome).message,
            "http.get was not sent: https://evil.org is not on the egress list: `allow` in `[egress]` of the "
            "configuration");
  open({});
  EXPECT_EQ(said(0, R"({"method":"GET","url":"https://api.example.com/"})"),
            "http.get was not sent: no address may be reached: `[egress]` of the configuration allows none");
  EXPECT_TRUE(guarded.requests.empty());
}

// What the compiler has seen to, a module may not say.
TEST_F(EgressCalls, AReadDoesNotAct) {
  EXPECT_EQ(said(0, R"({"method":"DELETE","url":"https://api.example.com/"})"),
            "http.get was not sent: `DELETE` does more than read");
  EXPECT_EQ(said(1, R"({"method":"TRACE","url":"https://api.example.com/"})"),
            "http.send was not sent: `TRACE` is no method of a request");
}

TEST_F(EgressCalls, SecretsStandInHeadersAndInNoAnswer) {
  guarded.answers = {response(200, "you sent secret-intel", {{"Echo", "secret-intel"}})};
  const std::string answer =
      said(0, R"({"method":"GET","url":"https://api.example.com/","secrets":{"X-Key":{"$secret":"intel"}}})");
  EXPECT_EQ(header("X-Key"), "secret-intel|");
  EXPECT_EQ(answer.find("secret-intel"), std::string::npos) << answer;
}

TEST_F(EgressCalls, ACredentialGoesToItsOwnMachine) {
  EXPECT_EQ(
      said(0, R"({"method":"GET","url":"https://api.example.com/x","auth":"desk"})"),
      "http.get was not sent: the credential of connector `desk` goes to the address of that connector only, "
      "https://desk.example.com/api");
  EXPECT_TRUE(guarded.requests.empty());
  call(0, R"({"method":"GET","url":"https://desk.example.com/other","auth":"desk"})");
  EXPECT_EQ(header("X-Key"), "desk-key-1|");
  EXPECT_EQ(said(0, R"({"method":"GET","url":"https://api.example.com/x","auth":"chat"})"),
            "http.get was not sent: the credential of connector `chat` is an address: it goes with no other");
  EXPECT_EQ(said(0, R"({"method":"GET","url":"https://api.example.com/x","auth":"nobody"})"),
            "http.get was not sent: the module has no connector `nobody` whose credential could go along");
}

TEST_F(EgressCalls, ANameThatLeadsInsideDoesNotResolve) {
  guarded.answers = {TransportError{.kind = TransportError::Kind::Resolve,
                                    .message = "a.example.com: the name does not resolve"}};
  EXPECT_EQ(said(0, R"({"method":"GET","url":"https://a.example.com/"})"),
            "http.get: a.example.com: the name does not resolve to an address that may be reached");
}

// Slack and others answer 200 whatever happens.
TEST(AnswersOfOneHundredPercent, NameTheirErrorInTheBody) {
  Operation post{.connector = "slack", .name = "post_message", .effect = Effect::Notify, .result = kJsonType};
  const Route route{.errors = {{.status = 200, .code = "channel_not_found", .kind = FaultKind::NotFound},
                               {.status = 200, .kind = FaultKind::BadRequest}}};
  const auto kind = [&](const std::string& body) {
    const Outcome outcome = outcome_of(response(200, body), post, route, 0);
    const auto* const fault = std::get_if<Fault>(&outcome);
    return fault == nullptr ? std::string("none") : std::string(fault_name(fault->kind));
  };
  EXPECT_EQ(kind(R"({"ok":true,"channel":"C1","ts":"1.2"})"), "none");
  EXPECT_EQ(kind(R"({"ok":true,"error":null})"), "none");
  EXPECT_EQ(kind(R"({"ok":false,"error":"channel_not_found"})"), "NotFound");
  EXPECT_EQ(kind(R"({"ok":false,"error":"msg_too_long"})"), "BadRequest");
}

TEST(AnswersOfOneHundredPercent, WhatIsSoAlreadyIsNoError) {
  const Operation add{
      .connector = "graph", .name = "add_group_member", .effect = Effect::Act, .result = kNothingType};
  const Route route{.errors = {{.status = 400, .code = "references already exist", .is_success = true}}};
  const std::string said =
      R"({"error":{"code":"Request_BadRequest","message":"One or more added object references already exist for …"}})";
  EXPECT_TRUE(std::holds_alternative<Returned>(outcome_of(response(400, said), add, route, 0)));
  EXPECT_TRUE(std::holds_alternative<Fault>(
      outcome_of(response(400, R"({"error":{"code":"x","message":"y"}})"), add, route, 0)));
}

TEST(Rows, OfATableHaveTheNamesOfItsColumns) {
  const Operation query{.connector = "loganalytics",
                        .name = "query",
                        .effect = Effect::Read,
                        .result = kJsonType,
                        .result_member = "rows of tables"};
  const auto said = [&](const std::string& body) {
    const Outcome outcome = outcome_of(response(200, body), query, Route{}, 0);
    const auto* const fault = std::get_if<Fault>(&outcome);
    return fault == nullptr ? std::get<Returned>(outcome).json : fault->message;
  };
  EXPECT_EQ(
      said(
          R"({"tables":[{"name":"PrimaryResult","columns":[{"name":"A","type":"string"},{"name":"B","type":"long"}],"rows":[["x",1],[null,2]]}]})"),
      R"([{"A":"x","B":1},{"A":null,"B":2}])");
  EXPECT_EQ(said(R"({"tables":[]})"),
            "loganalytics.query was answered 200, but it has no table: {\"tables\":[]}");
}

}  // namespace
}  // namespace flow
