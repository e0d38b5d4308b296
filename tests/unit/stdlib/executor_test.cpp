#include "stdlib/executor/executor.hpp"

#include <gtest/gtest.h>

#include "tests/unit/stdlib/fakes.hpp"

namespace flow {
namespace {

using Kind = Template::Kind;

Template text(std::string value) {
  return {.kind = Kind::Text, .text = std::move(value)};
}
Template param(std::string name) {
  return {.kind = Kind::Param, .text = std::move(name)};
}
Template concat(std::vector<Template> parts) {
  return {.kind = Kind::Concat, .children = std::move(parts)};
}
Template object(std::vector<std::string> names, std::vector<Template> children) {
  return {.kind = Kind::Object, .names = std::move(names), .children = std::move(children)};
}

enum Index : std::uint32_t { kIsolate, kFindAction, kMail, kHook };

Module sample_module() {
  Module module;
  module.connectors = {{.name = "defender",
                        .base = "https://api.example",
                        .auth = {.kind = Auth::Kind::Entra, .scope = "https://scope.example/.default"}},
                       {.name = "mail",
                        .base = "https://graph.example",
                        .auth = {.kind = Auth::Kind::Entra, .scope = "https://graph.example/.default"}},
                       {.name = "hook", .base = "https://hook.example"}};
  Route isolate{.method = "POST",
                .path = concat({text("/api/machines/"), param("machine"), text("/isolate")}),
                .query = {{"$filter", param("filter")}, {"x", param("none")}},
                .headers = {{"X-Note", param("note")}},
                .body = object({"Comment"}, {concat({param("comment"), text(" "), {.kind = Kind::CallKey}})}),
                .permissions = {"Machine.Isolate"},
                .crash = CrashRule{.kind = CrashRule::Kind::Lookup,
                                   .operation = "find_action",
                                   .arguments = object({"machine"}, {param("machine")}),
                                   .field = "requestorComment"}};
  Route find{.method = "GET",
             .path = concat({text("/api/machineactions")}),
             .query = {{"$filter", param("machine")}}};
  Route graph{.name = "graph",
              .connector = 1,
              .method = "POST",
              .path = text("/sendMail"),
              .body = object({"subject"}, {param("subject")})};
  Route smtp{.name = "smtp",
             .connector = 1,
             .protocol = Protocol::Smtp,
             .body = object({"to", "subject", "text"}, {param("to"), param("subject"), param("body")})};
  Route hook{.connector = 2,
             .method = "POST",
             .path = text("/x"),
             .headers = {{"X-Key", param("key")}},
             .body = object({"token"}, {param("key")})};
  module.operations = {
      {.connector = "defender",
       .name = "isolate",
       .effect = Effect::Act,
       .result = kJsonType,
       .routes = {isolate}},
      {.connector = "defender",
       .name = "find_action",
       .effect = Effect::Read,
       .result = kJsonType,
       .result_member = "value",
       .routes = {find}},
      {.connector = "mail",
       .name = "send",
       .effect = Effect::Notify,
       .result = kNothingType,
       .routes = {graph, smtp}},
      {.connector = "hook", .name = "call", .effect = Effect::Act, .result = kJsonType, .routes = {hook}}};
  return module;
}

struct Execution : testing::Test {
  FakeClock clock;
  FakeTransport transport;
  FakeMail mail;
  TokenSource tokens{transport, clock};
  OperationExecutor executor{transport, tokens, clock, &mail};
  const Module module = sample_module();
  int calls = 0;

  TenantAccess access() {
    return {.tenant_id = "contoso",
            .client_id = "client",
            .client_secret = [] { return Result<std::string>("client-secret-value"); },
            .settings = {{"mail.sender", "soc@contoso.example"}},
            .secret = [](const std::string& name) -> Result<std::string> {
              if (name == "hook") return std::string("hook-secret \"value\"");
              return error("secret `" + name + "` is not configured");
            },
            .smtp = SmtpServer{.host = "127.0.0.1", .login = SmtpServer::Login::Password, .user = "soc"},
            .smtp_password = [] { return Result<std::string>("smtp-password-value"); }};
  }
  void SetUp() override {
    executor.configure("contoso", access());
    transport.tokens = {token_answer("token-one"), token_answer("token-two"), token_answer("token-three")};
    transport.answers = {response(201, "{\"id\":\"a1\"}")};
  }
  OperationRequest request(std::uint32_t operation, std::string arguments) const {
    return {.tenant = "contoso",
            .module = &module,
            .operation = operation,
            .arguments = std::move(arguments),
            .key = "run-7/3"};
  }
  Outcome perform(std::uint32_t operation, std::string arguments) {
    Outcome got = Fault{.message = "not called"};
    executor.perform(request(operation, std::move(arguments)), [&](Outcome outcome) {
      got = std::move(outcome);
      ++calls;
    });
    return got;
  }
  Fault fault(std::uint32_t operation, std::string arguments) {
    const Outcome outcome = perform(operation, std::move(arguments));
    if (const auto* found = std::get_if<Fault>(&outcome)) return *found;
    return {.kind = FaultKind::Failed, .message = "returned " + std::get<Returned>(outcome).json};
  }
  CallFinding settle(std::uint32_t operation, std::string arguments) {
    CallFinding got = CallUnknown{};
    executor.settle(request(operation, std::move(arguments)),
                    [&](CallFinding finding) { got = std::move(finding); });
    return got;
  }
};

constexpr const char* kIsolateArguments = R"({"machine":"m 1","comment":"because","filter":"a eq 'b'"})";

TEST_F(Execution, AnOperationBecomesOneRequest) {
  const Outcome outcome = perform(kIsolate, kIsolateArguments);
  ASSERT_TRUE(std::holds_alternative<Returned>(outcome)) << std::get<Fault>(outcome).message;
  EXPECT_EQ(std::get<Returned>(outcome).json, "{\"id\":\"a1\"}");
  ASSERT_EQ(transport.requests.size(), 1u);
  const HttpRequest& sent = transport.requests[0];
  EXPECT_EQ(sent.method, "POST");
  EXPECT_EQ(sent.url, "https://api.example/api/machines/m%201/isolate?$filter=a%20eq%20%27b%27");
  EXPECT_EQ(sent.body, "{\"Comment\":\"because run-7/3\"}");
  HttpResponse as_response{.headers = sent.headers};
  EXPECT_EQ(as_response.header("Authorization"), "Bearer token-one");
  EXPECT_EQ(as_response.header("Content-Type"), "application/json");
  EXPECT_EQ(as_response.header("X-Note"), "");
}

TEST_F(Execution, ConfigurationMovesBasesAndScopes) {
  TenantAccess moved = access();
  moved.bases["defender"] = "http://127.0.0.1:9/";
  moved.scopes["defender"] = "https://gov.example/.default";
  executor.configure("contoso", moved);
  perform(kIsolate, kIsolateArguments);
  EXPECT_TRUE(transport.requests.at(0).url.starts_with("http://127.0.0.1:9/api/machines/"));
  EXPECT_NE(transport.token_requests.at(0).body.find("gov.example"), std::string::npos);
}

TEST_F(Execution, ARefusedTokenIsReplacedOnce) {
  transport.answers = {response(401, "{}"), response(201, "{\"id\":\"a2\"}")};
  EXPECT_TRUE(std::holds_alternative<Returned>(perform(kIsolate, kIsolateArguments)));
  EXPECT_EQ(transport.requests.size(), 2u);
  EXPECT_EQ(transport.token_requests.size(), 2u);
  transport.answers = {response(401, "{}")};
  EXPECT_EQ(fault(kIsolate, kIsolateArguments).kind, FaultKind::Unauthorized);
  EXPECT_EQ(transport.requests.size(), 4u) << "a second refusal ends it";
  EXPECT_EQ(calls, 2);
}

TEST_F(Execution, TransportErrorsKeepWhatIsKnown) {
  using Error = TransportError;
  const std::pair<Error, FaultKind> cases[] = {
      {{.kind = Error::Kind::Timeout, .message = "m", .maybe_executed = true}, FaultKind::Timeout},
      {{.kind = Error::Kind::Connect, .message = "m"}, FaultKind::Unavailable},
      {{.kind = Error::Kind::Resolve, .message = "m"}, FaultKind::Unavailable},
      {{.kind = Error::Kind::Tls, .message = "m"}, FaultKind::Unavailable},
      {{.kind = Error::Kind::Closed, .message = "m", .maybe_executed = true}, FaultKind::Unavailable},
      {{.kind = Error::Kind::TooLarge, .message = "m", .maybe_executed = true}, FaultKind::InvalidResponse},
      {{.kind = Error::Kind::Malformed, .message = "m", .maybe_executed = true}, FaultKind::InvalidResponse},
      {{.kind = Error::Kind::Refused, .message = "m"}, FaultKind::BadRequest},
      {{.kind = Error::Kind::Cancelled, .message = "m", .maybe_executed = true}, FaultKind::Cancelled}};
  for (const auto& [error, kind] : cases) {
    transport.answers = {error};
    const Fault found = fault(kIsolate, kIsolateArguments);
    EXPECT_EQ(found.kind, kind);
    EXPECT_EQ(found.maybe_executed, error.maybe_executed);
    EXPECT_EQ(found.message, "defender.isolate: m");
  }
}

TEST_F(Execution, CallsThatCannotBeMadeAreNotSent) {
  for (const char* arguments :
       {R"({"machine":"","comment":"c"})", R"({"machine":"..","comment":"c"})", R"({"comment":"c"})",
        R"({"machine":"m","comment":"c","note":"a\r\nX-Evil: 1"})", "[]", "{", ""}) {
    const Fault found = fault(kIsolate, arguments);
    EXPECT_EQ(found.kind, FaultKind::BadRequest) << arguments << found.message;
    EXPECT_FALSE(found.maybe_executed);
  }
  EXPECT_TRUE(transport.requests.empty());
  OperationRequest stranger = request(kIsolate, "{}");
  stranger.tenant = "fabrikam";
  executor.perform(stranger,
                   [](Outcome outcome) { EXPECT_EQ(std::get<Fault>(outcome).kind, FaultKind::BadRequest); });
}

TEST_F(Execution, RoutesAreChosenByConfiguration) {
  const char* arguments = R"({"to":["a@x.example","b@x.example"],"subject":"s","body":"b"})";
  transport.answers = {response(202, "")};
  EXPECT_TRUE(std::holds_alternative<Returned>(perform(kMail, arguments)));
  EXPECT_EQ(transport.requests.at(0).url, "https://graph.example/sendMail");
  TenantAccess by_smtp = access();
  by_smtp.routes["mail"] = "smtp";
  executor.configure("contoso", by_smtp);
  EXPECT_TRUE(std::holds_alternative<Returned>(perform(kMail, arguments)));
  ASSERT_EQ(mail.jobs.size(), 1u);
  const SmtpJob& job = mail.jobs[0];
  EXPECT_EQ(job.message.from, "soc@contoso.example");
  EXPECT_EQ(job.message.to, (std::vector<std::string>{"a@x.example", "b@x.example"}));
  EXPECT_EQ(job.message.text, "b");
  EXPECT_EQ(job.message.key, "run-7/3");
  EXPECT_EQ(job.message.date_us, clock.now);
  EXPECT_EQ(job.credential, "smtp-password-value");
  by_smtp.routes["mail.send"] = "pigeon";
  executor.configure("contoso", by_smtp);
  EXPECT_NE(fault(kMail, arguments).message.find("route `pigeon`"), std::string::npos);
}

TEST_F(Execution, SmtpCanUseATokenAndReplacesItOnce) {
  TenantAccess by_smtp = access();
  by_smtp.routes["mail"] = "smtp";
  by_smtp.smtp->login = SmtpServer::Login::Bearer;
  by_smtp.smtp_scope = "https://outlook.example/.default";
  executor.configure("contoso", by_smtp);
  mail.result = tl::unexpected(Fault{.kind = FaultKind::Unauthorized, .message = "535"});
  EXPECT_EQ(fault(kMail, R"({"to":"a@x.example","subject":"s","body":"b"})").kind, FaultKind::Unauthorized);
  ASSERT_EQ(mail.jobs.size(), 2u);
  EXPECT_EQ(mail.jobs[0].credential, "token-one");
  EXPECT_EQ(mail.jobs[1].credential, "token-two");
}

TEST_F(Execution, SecretsEnterTheRequestAndNothingElse) {
  const char* arguments = R"({"key":{"$secret":"hook"}})";
  std::string everything;
  const auto hear = [&](const Outcome& outcome) {
    if (const auto* returned = std::get_if<Returned>(&outcome))
      everything += returned->json;
    else
      everything += std::get<Fault>(outcome).message + std::get<Fault>(outcome).code;
    everything += "\n";
  };
  const std::string echo = "client-secret-value token-one smtp-password-value hook-secret \\\"value\\\"";
  const std::string echoed = "{\"error\":{\"code\":\"" + echo + "\",\"message\":\"" + echo + "\"}}";
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  for (const int status : {200, 400, 403, 429, 500}) {
    transport.answers = {response(status, echoed)};
    transport.tokens = {token_answer("token-one")};
    hear(perform(kHook, arguments));
    const Outcome isolated = perform(kIsolate, kIsolateArguments);
    // Only what this exchange carried can be known to be secret here: the token, not another call's.
    const auto* returned = std::get_if<Returned>(&isolated);
    EXPECT_EQ((returned != nullptr ? returned->json : std::get<Fault>(isolated).message).find("token-one"),
              std::string::npos);
  }
  transport.answers = {TransportError{.message = "hook-secret \"value\" in a message"}};
  hear(perform(kHook, arguments));
  hear(perform(kHook, R"({"key":{"$secret":"unknown"}})"));
  everything += testing::internal::GetCapturedStderr() + testing::internal::GetCapturedStdout();
  EXPECT_EQ(everything.find("hook-secret"), std::string::npos) << everything;
  EXPECT_NE(everything.find("secret `unknown` is not configured"), std::string::npos);
  const HttpRequest& sent = transport.requests.at(0);
  EXPECT_EQ(sent.body, "{\"token\":\"hook-secret \\\"value\\\"\"}");
  EXPECT_EQ(HttpResponse{.headers = sent.headers}.header("X-Key"), "hook-secret \"value\"");
  EXPECT_EQ(HttpResponse{.headers = sent.headers}.header("Authorization"), "");
}

TEST_F(Execution, LookupFindsTheCallByItsKey) {
  transport.answers = {response(
      200,
      R"({"value":[{"id":"1","requestorComment":"x run-7/30"},{"id":"2","requestorComment":"because run-7/3"}]})")};
  const CallFinding found = settle(kIsolate, kIsolateArguments);
  ASSERT_TRUE(std::holds_alternative<CallHappened>(found));
  EXPECT_EQ(std::get<CallHappened>(found).json, R"({"id":"2","requestorComment":"because run-7/3"})");
  EXPECT_EQ(transport.requests.at(0).url, "https://api.example/api/machineactions?$filter=m%201");
  for (const char* other :
       {R"({"value":[]})", R"({"value":[{"requestorComment":"run-7/31"},{"requestorComment":null},7]})"}) {
    transport.answers = {response(200, other)};
    EXPECT_TRUE(std::holds_alternative<CallDidNotHappen>(settle(kIsolate, kIsolateArguments))) << other;
  }
}

// isolate goes on until get_action says so; of several, list_actions.
struct ExecutionOfSeveral : Execution {
  Module with_list = sample_module();
  void SetUp() override {
    Execution::SetUp();
    with_list.operations[kIsolate].completes = Completion{
        .operation = "get_action",
        .arguments = object({"action"}, {{.kind = Kind::Param, .text = "result", .names = {"id"}}}),
        .field = "status",
        .final_values = {"Succeeded"}};
    const Template each = concat({text("'"), {.kind = Kind::Item, .text = "each"}, text("'")});
    const Template all{.kind = Kind::Join,
                       .text = ",",
                       .children = {{.kind = Kind::ForEach, .children = {param("action"), each}}}};
    with_list.operations.push_back(
        {.connector = "defender",
         .name = "get_action",
         .parameters = {{.name = "action", .type = kStringType}},
         .result = kJsonType,
         .routes = {{.method = "GET", .path = concat({text("/api/machineactions/"), param("action")})}},
         .several = Several{.operation = "list_actions",
                            .arguments = object({"filter"}, {concat({text("id in ("), all, text(")")})}),
                            .at_most = 40,
                            .field = "id"}});
    with_list.operations.push_back({.connector = "defender",
                                    .name = "list_actions",
                                    .result = kJsonType,
                                    .result_member = "value",
                                    .routes = {{.method = "GET",
                                                .path = text("/api/machineactions"),
                                                .query = {{"$filter", param("filter")}}}}});
  }
  Outcome ask(const std::vector<std::string>& results) {
    std::vector<BegunRequest> begun;
    for (const std::string& result : results) {
      begun.push_back({request(kIsolate, kIsolateArguments), result});
      begun.back().request.module = &with_list;
    }
    Outcome got = Fault{.message = "not called"};
    executor.progress_of_several(std::move(begun), [&](Outcome outcome) {
      got = std::move(outcome);
      ++calls;
    });
    return got;
  }
  std::string told(const std::vector<std::string>& results) {
    const Outcome outcome = ask(results);
    const auto* const returned = std::get_if<Returned>(&outcome);
    return returned != nullptr ? returned->json : std::get<Fault>(outcome).message;
  }
};

TEST_F(ExecutionOfSeveral, OneListTellsOfAllInTheirOrder) {
  transport.answers = {response(
      200,
      R"({"value":[{"id":"b","status":"Failed"},{"ID":"a","status":"Pending"},{"id":"x"},{"id":null},7]})")};
  EXPECT_EQ(told({R"({"id":"a"})", R"({"id":"gone"})", R"({"id":"b"})", R"({"id":null})", "null"}),
            R"([{"ID":"a","status":"Pending"},null,{"id":"b","status":"Failed"},null,null])");
  EXPECT_EQ(calls, 1);
  ASSERT_EQ(transport.requests.size(), 1u);
  EXPECT_EQ(transport.requests[0].url,
            "https://api.example/api/machineactions?$filter=id%20in%20%28%27a%27%2C%27gone%27%2C%27b%27%29");
}

TEST_F(ExecutionOfSeveral, WhatCannotBeAListIsAFault) {
  for (const char* answer : {R"({"value":{"id":"a"}})", R"({"value":null})", "no json"}) {
    transport.answers = {response(200, answer)};
    EXPECT_TRUE(std::holds_alternative<Fault>(ask({R"({"id":"a"})"}))) << answer;
  }
  transport.answers = {response(400, R"({"error":{"code":"ODataError","message":"no `in` here"}})")};
  EXPECT_EQ(std::get<Fault>(ask({R"({"id":"a"})"})).kind, FaultKind::BadRequest);
  const std::size_t sent = transport.requests.size();
  EXPECT_NE(told({"null", "[]"}).find("nothing names what is asked for"), std::string::npos);
  with_list.operations.back().name = "gone";
  EXPECT_NE(told({R"({"id":"a"})"}).find("the module lacks list_actions"), std::string::npos);
  EXPECT_EQ(transport.requests.size(), sent) << "nothing of this was sent";
}

TEST_F(ExecutionOfSeveral, QuotesInAnIdEndNoLiteral) {
  transport.answers = {response(200, R"({"value":[]})")};
  EXPECT_EQ(told({R"({"id":"a' or 'b"})", R"({"id":"c"})"}), "[null,null]");
  EXPECT_NE(transport.requests[0].url.find("%28%27a%27%27%20or%20%27%27b%27%2C%27c%27%29"), std::string::npos)
      << transport.requests[0].url;
}

TEST_F(Execution, AFailedLookupIsToldWithWhetherAskingAgainHelps) {
  const auto asked = [this](HttpResponse answer) {
    transport.answers = {std::move(answer)};
    const CallFinding finding = settle(kIsolate, kIsolateArguments);
    return std::holds_alternative<CallUnknown>(finding) ? std::get<CallUnknown>(finding).fault
                                                        : Fault{.message = "known"};
  };
  EXPECT_EQ(asked(response(503, "")).kind, FaultKind::Unavailable);
  EXPECT_EQ(asked(response(504, "")).kind, FaultKind::Timeout);
  EXPECT_EQ(asked(response(403, "")).kind, FaultKind::InDoubt);
  EXPECT_EQ(asked(response(200, "no JSON")).kind, FaultKind::InvalidResponse);
  const Fault throttled = asked(response(429, "", {{"Retry-After", "9"}}));
  EXPECT_EQ(throttled.kind, FaultKind::Throttled);
  EXPECT_EQ(throttled.retry_after_us, 9 * kSecondUs);
  EXPECT_TRUE(throttled.maybe_executed);
  EXPECT_NE(throttled.message.find("the lookup failed: "), std::string::npos);
}

TEST_F(Execution, WithoutARuleReadsRepeatAndTheRestAsks) {
  EXPECT_TRUE(std::holds_alternative<CallDidNotHappen>(settle(kFindAction, "{}")));
  EXPECT_TRUE(std::holds_alternative<CallUnknown>(settle(kMail, "{}")));
  EXPECT_TRUE(transport.requests.empty());
}

}  // namespace
}  // namespace flow
