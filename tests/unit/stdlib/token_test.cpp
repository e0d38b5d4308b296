#include "stdlib/identity/token_source.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "stdlib/identity/token_exchange.hpp"
#include "tests/unit/stdlib/fakes.hpp"

namespace flow {
namespace {

constexpr const char* kSecret = "a8~Q+b/c=d&e%f g";

struct Tokens : testing::Test {
  FakeClock clock;
  FakeTransport transport;
  TokenSource source{transport, clock};
  int secrets_asked = 0;

  TokenRequest request() {
    return {.tenant = "contoso.example",
            .client_id = "client",
            .scope = "https://graph.example/.default",
            .secret = [this]() -> Result<std::string> {
              ++secrets_asked;
              return std::string(kSecret);
            }};
  }
  TokenResult get() {
    TokenResult got = tl::unexpected(Fault{.message = "not called"});
    source.get(request(), [&](TokenResult result) { got = std::move(result); });
    return got;
  }
  std::string got() {
    const TokenResult result = get();
    return result ? *result : fault_name(result.error().kind).data() + (": " + result.error().message);
  }
};

TEST_F(Tokens, AreAskedForAsTheEndpointWants) {
  transport.tokens = {token_answer("one")};
  EXPECT_EQ(got(), "one");
  const HttpRequest& sent = transport.token_requests.at(0);
  EXPECT_EQ(sent.method, "POST");
  EXPECT_EQ(sent.url, "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token");
  EXPECT_EQ(
      sent.body,
      "client_id=client&scope=https%3A%2F%2Fgraph.example%2F.default&client_secret=a8~Q%2Bb%2Fc%3Dd%26e%25f+g"
      "&grant_type=client_credentials");
}

TEST_F(Tokens, FormEncodingMatchesTheVector) {
  EXPECT_EQ(form_encoded(kSecret), "a8~Q%2Bb%2Fc%3Dd%26e%25f+g");
}

TEST_F(Tokens, AnErrorPageThatQuotesTheRequestDoesNotShowTheSecret) {
  for (std::size_t before = 0; before < 500; ++before) {  // wherever the message is cut off
    transport.tokens = {response(
        403, std::string(before, 'x') + " client_secret=" + form_encoded(kSecret) + "&or=" + kSecret)};
    clock.now += 60 * kSecondUs;
    const std::string said = got();
    EXPECT_EQ(said.find("a8~Q"), std::string::npos) << said;
  }
}

TEST_F(Tokens, AreKeptUntilShortlyBeforeTheirEnd) {
  transport.tokens = {token_answer("one"), token_answer("two")};
  EXPECT_EQ(got(), "one");
  clock.now += 3290 * kSecondUs;
  EXPECT_EQ(got(), "one");
  EXPECT_EQ(transport.token_requests.size(), 1u);
  EXPECT_EQ(secrets_asked, 1);
  clock.now += 11 * kSecondUs;  // within five minutes of the end: still good, renewed behind
  EXPECT_EQ(got(), "one");
  EXPECT_EQ(transport.token_requests.size(), 2u);
  EXPECT_EQ(got(), "two");
}

TEST_F(Tokens, ShortOnesAreRenewedAtHalfTime) {
  transport.tokens = {token_answer("one", 100), token_answer("two", 100)};
  EXPECT_EQ(got(), "one");
  clock.now += 49 * kSecondUs;
  EXPECT_EQ(got(), "one");
  EXPECT_EQ(transport.token_requests.size(), 1u);
  clock.now += 2 * kSecondUs;
  EXPECT_EQ(got(), "one");
  EXPECT_EQ(got(), "two");
}

TEST_F(Tokens, AFailedRenewalKeepsTheOldOneWhileItIsGood) {
  transport.tokens = {token_answer("one"), response(503, "busy"), token_answer("two")};
  EXPECT_EQ(got(), "one");
  clock.now += 3400 * kSecondUs;
  EXPECT_EQ(got(), "one");
  EXPECT_EQ(got(), "one");
  EXPECT_EQ(transport.token_requests.size(), 2u) << "a failed renewal is not repeated at once";
  clock.now += 31 * kSecondUs;
  EXPECT_EQ(got(), "one");
  EXPECT_EQ(got(), "two");
}

TEST_F(Tokens, OneExchangeServesAllWhoWait) {
  transport.holds = true;
  transport.tokens = {token_answer("one")};
  std::vector<std::string> got_all;
  for (int i = 0; i < 10; ++i)
    source.get(request(), [&](TokenResult result) { got_all.push_back(result ? *result : "fault"); });
  EXPECT_EQ(transport.token_requests.size(), 1u);
  EXPECT_TRUE(got_all.empty());
  transport.release();
  EXPECT_EQ(got_all, std::vector<std::string>(10, "one"));
}

TEST_F(Tokens, ManyThreadsMakeOneExchange) {
  transport.tokens = {token_answer("one")};
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      for (int k = 0; k < 100; ++k)
        source.get(request(), [&](TokenResult result) { good += result && *result == "one"; });
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 800);
  EXPECT_EQ(transport.token_requests.size(), 1u);
}

TEST_F(Tokens, AreDroppedOnceWhenAnApiRefusesThem) {
  transport.tokens = {token_answer("one"), token_answer("two"), token_answer("three")};
  EXPECT_EQ(got(), "one");
  source.invalidate(request(), "one");
  EXPECT_EQ(got(), "two");
  source.invalidate(request(), "one");  // the news comes late: "two" is not what was refused
  EXPECT_EQ(got(), "two");
}

TEST_F(Tokens, AreForgottenWhereTheCredentialIsAnother) {
  transport.tokens = {token_answer("one"), token_answer("two")};
  EXPECT_EQ(got(), "one");
  source.forget("fabrikam.example");
  EXPECT_EQ(got(), "one") << "another tenant's";
  source.forget("contoso.example", "tickets");
  EXPECT_EQ(got(), "one") << "another service's";
  source.forget("contoso.example");
  EXPECT_EQ(got(), "two");
}

TEST_F(Tokens, WhatIsUnderWayWhenTheyAreForgottenIsForThoseWhoWait) {
  transport.holds = true;
  transport.tokens = {token_answer("one"), token_answer("two")};
  std::vector<std::string> got_all;
  const auto ask = [&] {
    source.get(request(), [&](TokenResult result) { got_all.push_back(result ? *result : "fault"); });
  };
  ask();
  source.forget("contoso.example");
  ask();
  transport.release();
  transport.release();
  EXPECT_EQ(got_all, (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(got(), "two");
}

TEST_F(Tokens, OtherScopesAndTenantsHaveTheirOwn) {
  transport.tokens = {token_answer("one"), token_answer("two"), token_answer("three")};
  EXPECT_EQ(got(), "one");
  TokenRequest other = request();
  other.scope = "https://other.example/.default";
  source.get(other, [](TokenResult result) { EXPECT_EQ(*result, "two"); });
  other.tenant = "fabrikam.example";
  source.get(other, [](TokenResult result) { EXPECT_EQ(*result, "three"); });
}

TEST_F(Tokens, RefusalsAreRememberedForAMoment) {
  transport.tokens = {
      response(401, R"({"error":"invalid_client","error_description":"AADSTS7000215: Invalid."})"),
      token_answer("one")};
  EXPECT_FALSE(get().has_value());
  EXPECT_FALSE(get().has_value());
  EXPECT_EQ(transport.token_requests.size(), 1u);
  clock.now += 6 * kSecondUs;
  EXPECT_EQ(got(), "one");
}

TEST_F(Tokens, FailuresThatMayPassAreRememberedShorter) {
  transport.tokens = {response(503, ""), token_answer("one")};
  EXPECT_FALSE(get().has_value());
  EXPECT_FALSE(get().has_value());
  EXPECT_EQ(transport.token_requests.size(), 1u);
  clock.now += 2 * kSecondUs;
  EXPECT_EQ(got(), "one");
}

TEST_F(Tokens, NoSecretIsAFaultWithoutAnExchange) {
  TokenRequest bare = request();
  bare.secret = [] { return error("secret `defender` is not in the configured source"); };
  source.get(bare, [](TokenResult result) {
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().kind, FaultKind::Unauthorized);
    EXPECT_NE(result.error().message.find("secret `defender`"), std::string::npos);
  });
  EXPECT_TRUE(transport.token_requests.empty());
}

struct ErrorCase {
  int status;
  const char* body;
  FaultKind kind;
  const char* says;
};

TEST_F(Tokens, ErrorsNameWhatToDo) {
  const ErrorCase cases[] = {
      {401,
       R"({"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided. Trace ID: t","error_codes":[7000215],"trace_id":"1d3b"})",
       FaultKind::Unauthorized, "the client secret is wrong"},
      {401,
       R"({"error":"invalid_client","error_description":"AADSTS7000222: expired","error_codes":[7000222]})",
       FaultKind::Unauthorized, "has expired"},
      {400, R"({"error":"unauthorized_client","error_codes":[700016]})", FaultKind::Unauthorized,
       "not known in this tenant"},
      {400, R"({"error":"invalid_request","error_description":"AADSTS90002: Tenant 'x' not found."})",
       FaultKind::Unauthorized, "tenant was not found"},
      {400, R"({"error":"invalid_scope","error_description":"AADSTS70011: bad"})", FaultKind::BadRequest,
       "scope"},
      {400, R"({"error":"invalid_grant","error_description":"AADSTS65001: consent"})", FaultKind::Forbidden,
       "consent"},
      {400, R"({"error":"invalid_grant","error_description":"AADSTS53003: blocked"})", FaultKind::Forbidden,
       "Conditional Access"},
      {400, R"({"error":"invalid_request","error_description":"AADSTS50196: loop"})", FaultKind::Throttled,
       "too often"},
      {400, R"({"error":"something_new","error_description":"AADSTS99999999: new"})",
       FaultKind::InvalidResponse, "something_new"},
      {400, R"({"error":"invalid_client"})", FaultKind::Unauthorized, "invalid_client"},
      {429, R"({"error":"temporarily_unavailable"})", FaultKind::Throttled, "temporarily_unavailable"},
      {503, "<html>busy</html>", FaultKind::Unavailable, "busy"},
      {200, "{}", FaultKind::InvalidResponse, "no usable access_token"},
      {200, R"({"access_token":"a\r\nX: y"})", FaultKind::InvalidResponse, "no usable access_token"},
  };
  for (const ErrorCase& each : cases) {
    clock.now += 600 * kSecondUs;
    transport.tokens = {response(each.status, each.body)};
    const TokenResult result = get();
    ASSERT_FALSE(result.has_value()) << each.body;
    EXPECT_EQ(result.error().kind, each.kind) << each.body;
    EXPECT_NE(result.error().message.find(each.says), std::string::npos) << result.error().message;
    EXPECT_FALSE(result.error().maybe_executed);
  }
}

TEST_F(Tokens, SecretsAreTakenOutOfWhatTheServerSays) {
  transport.tokens = {response(
      400, std::string("{\"error\":\"invalid_client\",\"error_description\":\"you sent ") + kSecret + "\"}")};
  const TokenResult result = get();
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().message.find(kSecret), std::string::npos) << result.error().message;
}

}  // namespace
}  // namespace flow
