// Routes whose service carries out later what it has accepted: `then GET … when status`.
#include <gtest/gtest.h>

#include <future>

#include "stdlib/executor/executor.hpp"
#include "stdlib/executor/second_requests.hpp"
#include "tests/unit/stdlib/fakes.hpp"

namespace flow {
namespace {

using Kind = Template::Kind;

Module mails() {
  Module module;
  module.connectors = {{.name = "acs", .base = "https://acs.example"}};
  Route route{
      .method = "POST",
      .path = {.kind = Kind::Text, .text = "/emails:send"},
      .errors = {{.status = 200, .code = "Suppressed", .kind = FaultKind::NotFound},
                 {.status = 200, .code = "", .kind = FaultKind::BadRequest}},
      .crash = CrashRule{.kind = CrashRule::Kind::Repeat},
      .then = FollowUp{.method = "GET",
                       .path = {.kind = Kind::Concat,
                                .children = {{.kind = Kind::Text, .text = "/emails/operations/"},
                                             {.kind = Kind::Param, .text = "result", .names = {"id"}}}},
                       .when = "status"}};
  module.operations = {{.connector = "acs",
                        .name = "mail",
                        .effect = Effect::Notify,
                        .result = kNothingType,
                        .routes = {route}}};
  return module;
}

const HttpResult kAccepted = response(202, R"({"id":"o-1","status":"Running","error":null})");
const HttpResult kRunning = response(200, R"({"id":"o-1","status":"Running","error":null})");
const HttpResult kSucceeded = response(200, R"({"id":"o-1","status":"Succeeded","error":null})");

struct LongOperations : testing::Test {
  FakeClock clock;
  FakeTransport transport;
  TokenSource tokens{transport, clock};
  OperationExecutor executor{transport, tokens, clock};
  const Module module = mails();

  void SetUp() override { executor.configure("contoso", {}); }
  Outcome perform(std::int64_t deadline_us = 30'000'000) {
    std::promise<Outcome> got;
    executor.perform({.tenant = "contoso",
                      .module = &module,
                      .operation = 0,
                      .arguments = "{}",
                      .key = "r/1",
                      .deadline_us = deadline_us},
                     [&](Outcome outcome) { got.set_value(std::move(outcome)); });
    return got.get_future().get();
  }
  Fault fault() {
    const Outcome outcome = perform();
    if (const auto* found = std::get_if<Fault>(&outcome)) return *found;
    ADD_FAILURE() << "no fault";
    return {};
  }
};

TEST_F(LongOperations, AreAskedAboutUntilTheyAreOver) {
  transport.answers = {kAccepted, kRunning, kSucceeded};
  EXPECT_TRUE(std::holds_alternative<Returned>(perform()));
  ASSERT_EQ(transport.requests.size(), 3u);
  EXPECT_EQ(transport.requests[1].method + " " + transport.requests[1].url,
            "GET https://acs.example/emails/operations/o-1");
  EXPECT_EQ(transport.requests[1].body, "");
}

TEST_F(LongOperations, EndAsTheErrorThatTheServiceNames) {
  transport.answers = {
      kAccepted,
      response(200, R"({"status":"Failed","error":{"code":"Suppressed","message":"nobody left"}})")};
  const Fault named = fault();
  EXPECT_EQ(named.kind, FaultKind::NotFound);
  EXPECT_EQ(named.code, "Suppressed");
  EXPECT_NE(named.message.find("nobody left"), std::string::npos);
  EXPECT_FALSE(named.maybe_executed);
  transport.answers = {kAccepted,
                       response(200, R"({"status":"Failed","error":{"code":"Other","message":"m"}})")};
  EXPECT_EQ(fault().kind, FaultKind::BadRequest);
  transport.answers = {kAccepted, response(200, R"({"status":"Canceled","error":null})")};
  const Fault cancelled = fault();
  EXPECT_EQ(cancelled.kind, FaultKind::BadRequest);
  EXPECT_NE(cancelled.message.find("ended as Canceled"), std::string::npos);
}

// The crash rule then says how it goes on: here it is made again, under the same name.
TEST_F(LongOperations, ThatTakeTooLongAreInDoubt) {
  transport.answers = {kAccepted, kRunning};
  const Outcome outcome = perform(300'000);
  EXPECT_EQ(std::get<Fault>(outcome).kind, FaultKind::Timeout);
  EXPECT_TRUE(std::get<Fault>(outcome).maybe_executed);
  transport.answers = {kAccepted, response(503, "")};
  const Fault failed = fault();
  EXPECT_EQ(failed.kind, FaultKind::Unavailable);
  EXPECT_TRUE(failed.maybe_executed);
}

TEST_F(LongOperations, ARefusalAtOnceIsCertain) {
  transport.answers = {response(400, R"({"error":{"code":"BadRequest","message":"m"}})")};
  const Fault refused = fault();
  EXPECT_EQ(refused.kind, FaultKind::BadRequest);
  EXPECT_FALSE(refused.maybe_executed);
  EXPECT_EQ(transport.requests.size(), 1u);
}

TEST(LongOperationStates, AreReadWithoutRegardToCase) {
  EXPECT_TRUE(progress_in(R"({"status":"succeeded"})", "status").is_good);
  EXPECT_TRUE(progress_in(R"({"status":"Cancelled"})", "status").is_over);
  for (const char* body : {R"({"status":"NotStarted"})", R"({"status":7})", "{}", "no json", ""}) {
    EXPECT_FALSE(progress_in(body, "status").is_over) << body;
    EXPECT_FALSE(progress_in(body, "status").is_good) << body;
  }
}

}  // namespace
}  // namespace flow
