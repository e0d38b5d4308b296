// Changing part of what an API takes as a whole: a GET, then the same with the call's words over it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stdlib/executor/executor.hpp"
#include "stdlib/executor/overlay.hpp"
#include "tests/unit/stdlib/fakes.hpp"

namespace flow {
namespace {

using Kind = Template::Kind;
using testing::HasSubstr;

std::string over(const char* below, const char* above) {
  return to_json(laid_over(*parse_json(below), *parse_json(above)));
}

TEST(Overlay, TakesTheCallsWordsAndKeepsTheRest) {
  EXPECT_EQ(over(R"({"etag":"1","properties":{"title":"t","status":"New"}})",
                 R"({"properties":{"status":"Closed"}})"),
            R"({"etag":"1","properties":{"title":"t","status":"Closed"}})");
  EXPECT_EQ(over(R"({"a":1})", R"({"b":{"c":2}})"), R"({"a":1,"b":{"c":2}})");
  EXPECT_EQ(over(R"({"a":null})", R"({"a":{"c":2}})"), R"({"a":{"c":2}})");
}

TEST(Overlay, WhatIsFurtherWithinIsOneValue) {
  EXPECT_EQ(
      over(R"({"properties":{"owner":{"id":"1","email":"a"}}})", R"({"properties":{"owner":{"email":"b"}}})"),
      R"({"properties":{"owner":{"email":"b"}}})");
}

TEST(Overlay, ListsGetWhatTheyLack) {
  EXPECT_EQ(over(R"({"p":{"labels":[{"name":"x","type":"User"}]}})",
                 R"({"p":{"labels":[{"name":"x"},{"name":"y"}]}})"),
            R"({"p":{"labels":[{"name":"x","type":"User"},{"name":"y"}]}})");
  EXPECT_EQ(over(R"({"l":[1]})", R"({"l":[]})"), R"({"l":[1]})");
  EXPECT_EQ(over(R"({"l":null})", R"({"l":[1]})"), R"({"l":[1]})");
}

struct Change : testing::Test {
  FakeClock clock;
  FakeTransport transport;
  TokenSource tokens{transport, clock};
  OperationExecutor executor{transport, tokens, clock};
  Module module;
  int asked_again = 0;

  Change() {
    module.connectors = {{.name = "api", .base = "https://api.example"}};
    const auto text = [](std::string value) {
      return Template{.kind = Kind::Text, .text = std::move(value)};
    };
    const Template status{.kind = Kind::Param, .text = "status"};
    Route route{.method = "GET",
                .path = text("/things/1"),
                .query = {{"api-version", text("2")}},
                .body = Template{.kind = Kind::Object, .names = {"status"}, .children = {status}},
                .errors = {{.status = 412, .kind = FaultKind::Conflict}},
                .crash = CrashRule{.kind = CrashRule::Kind::Repeat},
                .then = FollowUp{.method = "PUT", .path = text("/things/1")}};
    module.operations = {{.connector = "api",
                          .name = "update",
                          .effect = Effect::Act,
                          .parameters = {{.name = "status", .type = kStringType}},
                          .result = kJsonType,
                          .routes = {route}}};
    executor.configure("contoso", {});
  }
  std::string perform() {
    Outcome got = Fault{.message = "not called"};
    executor.perform({.tenant = "contoso",
                      .module = &module,
                      .operation = 0,
                      .arguments = R"({"status":"Closed"})",
                      .key = "k",
                      .asks_again = [this] { ++asked_again; }},
                     [&](Outcome outcome) { got = std::move(outcome); });
    if (const auto* returned = std::get_if<Returned>(&got)) return returned->json;
    const Fault& fault = std::get<Fault>(got);
    return std::string(fault_name(fault.kind)) + (fault.maybe_executed ? ", may have happened" : "");
  }
};

TEST_F(Change, ReadsFirstAndSendsTheRestBack) {
  transport.answers = {response(200, R"({"etag":"\"7\"","title":"t","status":"New"})"),
                       response(200, R"({"etag":"\"8\"","title":"t","status":"Closed"})")};
  EXPECT_EQ(perform(), R"({"etag":"\"8\"","title":"t","status":"Closed"})");
  ASSERT_EQ(transport.requests.size(), 2u);
  EXPECT_EQ(transport.requests[0].method + " " + transport.requests[0].url,
            "GET https://api.example/things/1?api-version=2");
  EXPECT_EQ(transport.requests[0].body, "");
  EXPECT_EQ(transport.requests[1].method + " " + transport.requests[1].url,
            "PUT https://api.example/things/1?api-version=2");
  EXPECT_EQ(transport.requests[1].body, R"({"etag":"\"7\"","title":"t","status":"Closed"})");
  EXPECT_EQ(asked_again, 1) << "the quota counts both";
}

TEST_F(Change, ThatWasNotReadDidNotHappen) {
  transport.answers = {
      TransportError{.kind = TransportError::Kind::Timeout, .message = "late", .maybe_executed = true}};
  EXPECT_EQ(perform(), "Timeout");
  transport.answers = {response(404, "{}")};
  EXPECT_EQ(perform(), "NotFound");
  transport.answers = {response(200, "[]")};
  EXPECT_EQ(perform(), "InvalidResponse");
}

TEST_F(Change, ThatIsOutMayHaveHappened) {
  transport.answers = {
      response(200, "{}"),
      TransportError{.kind = TransportError::Kind::Timeout, .message = "late", .maybe_executed = true}};
  EXPECT_EQ(perform(), "Timeout, may have happened");
  transport.answers = {response(200, "{}"), response(412, "{}")};
  EXPECT_EQ(perform(), "Conflict");
}

}  // namespace
}  // namespace flow
