// Routes that send more than one request: a draft that is sent, large parts in pieces, mails as bodies.
#include <gtest/gtest.h>

#include "base/base64.hpp"
#include "stdlib/executor/executor.hpp"
#include "stdlib/identity/azure_signature.hpp"
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
Template result_id() {
  return {.kind = Kind::Param, .text = "result", .names = {"id"}};
}
Template item(std::string field) {
  return {.kind = Kind::Item, .names = {std::move(field)}};
}
Template concat(std::vector<Template> parts) {
  return {.kind = Kind::Concat, .children = std::move(parts)};
}
Template object(std::vector<std::string> names, std::vector<Template> children) {
  return {.kind = Kind::Object, .names = std::move(names), .children = std::move(children)};
}

enum Index : std::uint32_t { kMail, kFind };

Module drafts() {
  Module module;
  module.connectors = {{.name = "graph", .base = "https://graph.example"}};
  Route draft{
      .method = "POST",
      .path = text("/messages"),
      .body = object({"subject", "files"},
                     {param("subject"), {.kind = Kind::ForEach, .children = {param("files"), item("name")}}}),
      .crash = CrashRule{.kind = CrashRule::Kind::Lookup, .operation = "find", .arguments = object({}, {})},
      .most_bytes = 1000,
      .upload = Upload{.list = "files",
                       .content = "content",
                       .from_bytes = 100,
                       .path = concat({text("/messages/"), result_id(), text("/session")}),
                       .body = object({"name", "size"}, {item("name"), item("size")}),
                       .discard = concat({text("/messages/"), result_id()})},
      .then = FollowUp{.method = "POST",
                       .path = concat({text("/messages/"), result_id(), text("/send")}),
                       .when = "isDraft"},
      .allowed = {{.parameter = "from", .one = "sender", .many = "senders"}}};
  Route find{.method = "GET", .path = text("/messages")};
  const auto parameter = [](const char* name) { return Parameter{.name = name, .type = kJsonType}; };
  module.operations = {{.connector = "graph",
                        .name = "mail",
                        .effect = Effect::Notify,
                        .parameters = {parameter("subject"), parameter("files"), parameter("from")},
                        .result = kNothingType,
                        .routes = {draft}},
                       {.connector = "graph",
                        .name = "find",
                        .effect = Effect::Read,
                        .result = kJsonType,
                        .result_member = "value",
                        .routes = {find}}};
  return module;
}

struct Drafts : testing::Test {
  FakeClock clock;
  FakeTransport transport;
  TokenSource tokens{transport, clock};
  OperationExecutor executor{transport, tokens, clock};
  const Module module = drafts();

  void SetUp() override {
    TenantAccess access;
    access.settings = {{"graph.sender", "soc@contoso.example"},
                       {"graph.senders", "ir@contoso.example it@contoso.example"}};
    executor.configure("contoso", std::move(access));
  }
  OperationRequest request(std::string arguments) const {
    return {.tenant = "contoso",
            .module = &module,
            .operation = kMail,
            .arguments = std::move(arguments),
            .key = "r/1"};
  }
  Outcome perform(std::string arguments) {
    Outcome got = Fault{.message = "not called"};
    executor.perform(request(std::move(arguments)), [&](Outcome outcome) { got = std::move(outcome); });
    return got;
  }
  CallFinding settle(std::string arguments) {
    CallFinding got = CallUnknown{};
    executor.settle(request(std::move(arguments)), [&](CallFinding finding) { got = std::move(finding); });
    return got;
  }
  std::vector<std::string> asked() const {
    std::vector<std::string> out;
    for (const HttpRequest& each : transport.requests) out.push_back(each.method + " " + each.url.substr(21));
    return out;
  }
};

const HttpResult kDraft = response(201, R"({"id":"d=1","isDraft":true})");
const HttpResult kSent = response(202, "");

TEST_F(Drafts, AreWrittenAndThenSent) {
  transport.answers = {kDraft, kSent};
  EXPECT_TRUE(std::holds_alternative<Returned>(perform(R"({"subject":"s"})")));
  EXPECT_EQ(asked(), (std::vector<std::string>{"POST /messages", "POST /messages/d%3D1/send"}));
}

TEST_F(Drafts, ARefusalOfTheFirstRequestIsCertain) {
  transport.answers = {response(503, "")};
  const auto outcome = perform(R"({"subject":"s"})");
  EXPECT_EQ(std::get<Fault>(outcome).kind, FaultKind::Unavailable);
  EXPECT_EQ(asked().size(), 1u);
}

// It is not known whether the draft went out, so it is looked for, and not written again.
TEST_F(Drafts, WhatFailsBehindTheDraftIsInDoubt) {
  transport.answers = {kDraft, response(429, "")};
  const auto outcome = perform(R"({"subject":"s"})");
  EXPECT_EQ(std::get<Fault>(outcome).kind, FaultKind::Throttled);
  EXPECT_TRUE(std::get<Fault>(outcome).maybe_executed);
  transport.answers = {kDraft, response(403, "")};
  EXPECT_FALSE(std::get<Fault>(perform(R"({"subject":"s"})")).maybe_executed) << "it will never go out";
}

TEST_F(Drafts, TheLookupSendsADraftAndLeavesWhatIsSent) {
  transport.answers = {response(200, R"({"value":[]})")};
  EXPECT_TRUE(std::holds_alternative<CallDidNotHappen>(settle("{}")));
  transport.requests.clear();
  transport.answers = {response(200, R"({"value":[{"id":"d1","isDraft":false}]})")};
  EXPECT_TRUE(std::holds_alternative<CallHappened>(settle("{}")));
  EXPECT_EQ(asked().size(), 1u);
  transport.requests.clear();
  transport.answers = {response(200, R"({"value":[{"id":"d1","isDraft":true}]})"), kSent};
  EXPECT_TRUE(std::holds_alternative<CallHappened>(settle("{}")));
  EXPECT_EQ(asked(), (std::vector<std::string>{"GET /messages", "POST /messages/d1/send"}));
  // Gone between the two requests: whoever asks again finds it sent.
  transport.answers = {response(200, R"({"value":[{"id":"d1","isDraft":true}]})"), response(404, "")};
  const CallFinding gone = settle("{}");
  EXPECT_TRUE(may_retry(std::get<CallUnknown>(gone).fault.kind));
}

TEST_F(Drafts, LargePartsGoInPiecesWithoutTheCredential) {
  const std::string bytes(4'000'000, 'x');
  transport.answers = {kDraft, response(201, R"({"uploadUrl":"https://upload.example/u?sig=secret-part"})"),
                       response(200, "{}"), response(201, ""), kSent};
  const std::string arguments =
      R"({"subject":"s","files":[{"name":"small","content":"eA=="},{"name":"big","content":")" +
      base64_of(bytes) + "\"}]}";
  EXPECT_TRUE(std::holds_alternative<Returned>(perform(arguments)));
  ASSERT_EQ(transport.requests.size(), 5u);
  EXPECT_EQ(transport.requests[0].body, R"({"subject":"s","files":["small"]})");
  EXPECT_EQ(transport.requests[1].body, R"({"name":"big","size":4000000})");
  EXPECT_EQ(transport.requests[2].url, "https://upload.example/u?sig=secret-part");
  EXPECT_EQ(transport.requests[2].body.size() + transport.requests[3].body.size(), bytes.size());
  std::string ranges;
  for (const auto& [name, value] : transport.requests[3].headers)
    if (name == "Content-Range") ranges = value;
  EXPECT_EQ(ranges, "bytes 3276800-3999999/4000000");
  // In doubt, nobody knows how much has arrived: the draft goes, and all is made anew.
  transport.requests.clear();
  transport.answers = {response(200, R"({"value":[{"id":"d1","isDraft":true}]})"), response(204, "")};
  EXPECT_TRUE(std::holds_alternative<CallDidNotHappen>(settle(arguments)));
  EXPECT_EQ(asked(), (std::vector<std::string>{"GET /messages", "DELETE /messages/d1"}));
}

TEST_F(Drafts, HostileAnswersEndInAFault) {
  const std::string big =
      R"({"files":[{"name":"big","content":")" + base64_of(std::string(300, 'x')) + "\"}]}";
  for (const char* session : {R"({"uploadUrl":"http://inner.example/u"})", R"({"uploadUrl":7})", "[]", "",
                              R"({"uploadUrl":"https://x.example/\r\nX: y"})"}) {
    transport.answers = {kDraft, response(201, session)};
    EXPECT_TRUE(std::holds_alternative<Fault>(perform(big))) << session;
  }
  for (const char* draft : {"[]", "", "{", "7"}) {
    transport.answers = {response(201, draft)};
    const auto outcome = perform("{}");
    ASSERT_TRUE(std::holds_alternative<Fault>(outcome)) << draft;
    EXPECT_TRUE(std::get<Fault>(outcome).maybe_executed) << draft;
  }
  transport.answers = {response(201, R"({"isDraft":true})")};
  EXPECT_TRUE(std::holds_alternative<Fault>(perform("{}"))) << "a draft without an ID";
}

TEST_F(Drafts, WhatIsTooLargeSaysSo) {
  const auto outcome = perform("{\"subject\":\"" + std::string(2000, 's') + "\"}");
  EXPECT_NE(std::get<Fault>(outcome).message.find("0.0 MB at most"), std::string::npos)
      << std::get<Fault>(outcome).message;
  EXPECT_TRUE(transport.requests.empty());
}

TEST_F(Drafts, OnlyAllowedSendersSend) {
  for (const char* good :
       {R"({"from":null})", R"({"from":"SOC@contoso.example"})", R"({"from":"it@contoso.example"})"}) {
    transport.answers = {kDraft, kSent};
    EXPECT_TRUE(std::holds_alternative<Returned>(perform(good))) << good;
  }
  for (const char* bad :
       {R"({"from":"ceo@contoso.example"})", R"({"from":"ir@contoso.example it@contoso.example"})",
        R"({"from":""})", R"({"from":" "})"}) {
    transport.requests.clear();
    const auto outcome = perform(bad);
    ASSERT_TRUE(std::holds_alternative<Fault>(outcome)) << bad;
    EXPECT_NE(std::get<Fault>(outcome).message.find("`senders`"), std::string::npos);
    EXPECT_TRUE(transport.requests.empty());
  }
}

// The vector of the reference.
TEST(AzureSignature, IsTheVendors) {
  const auto made = azure_signature({.method = "POST",
                                     .target = "/emails:send?api-version=2023-03-31",
                                     .host = "fabrikam.europe.communication.azure.com",
                                     .body = R"({"senderAddress":"soc@notify.fabrikam.example"})",
                                     .now_us = 1'791'882'900'000'000},
                                    "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(made->date, "Tue, 13 Oct 2026 09:15:00 GMT");
  EXPECT_EQ(made->content_hash, "jMNSPTGTXKHG3kCuY9867ZwNLRDCDLbPF9/81n9OiFA=");
  EXPECT_TRUE(made->authorization.ends_with("&Signature=xLT/qJdgfO/TXDFITIT4k9LQ+9JC/OLi5BQJIg7N/Uk="))
      << made->authorization;
  EXPECT_FALSE(azure_signature({}, "no base 64!").has_value());
}

}  // namespace
}  // namespace flow
