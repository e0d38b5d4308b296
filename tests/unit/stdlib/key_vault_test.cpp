// Secrets of Azure Key Vault: addresses, answers, and what is kept between fetches.
#include "stdlib/identity/key_vault.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "stdlib/identity/vault_secrets.hpp"
#include "tests/unit/stdlib/fakes.hpp"

namespace flow {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST(VaultAddress, GoesByTheCloudOfItsHost) {
  const auto scope = [](const char* written) { return vault_address(written, {})->scope; };
  EXPECT_EQ(scope("https://soc.vault.azure.net/secrets/jira"), "https://vault.azure.net/.default");
  EXPECT_EQ(scope("https://soc.vault.usgovcloudapi.net/secrets/jira/0a1b"),
            "https://vault.usgovcloudapi.net/.default");
  EXPECT_EQ(scope("https://soc.vault.azure.cn/secrets/jira"), "https://vault.azure.cn/.default");
  EXPECT_EQ(vault_address("https://vault.corp.example/secrets/jira", "api://vault/.default")->scope,
            "api://vault/.default");
}

TEST(VaultAddress, IsRefusedWhereTheTokenWouldGoElsewhere) {
  for (const char* wrong :
       {"https://evil.example/secrets/x", "https://soc-vault.azure.net/secrets/x",
        "https://soc.vault.azure.net.evil.example/secrets/x", "https://vault.azure.net/secrets/x"})
    EXPECT_THAT(vault_address(wrong, {}).error().message, HasSubstr("is no address of Azure Key Vault"))
        << wrong;
  for (const char* wrong :
       {"", "jira", "http://soc.vault.azure.net/secrets/x", "https://soc.vault.azure.net/secrets/",
        "https://soc.vault.azure.net/keys/x", "https://soc.vault.azure.net/secrets/a/b/c",
        "https://soc.vault.azure.net/secrets/a?b", "https://me@soc.vault.azure.net/secrets/a",
        "https://soc.vault.azure.net/secrets/a_b", "ftp://soc.vault.azure.net/secrets/a"})
    EXPECT_THAT(vault_address(wrong, {}).error().message, HasSubstr("/secrets/NAME`")) << wrong;
}

struct Vault : testing::Test {
  FakeClock clock;
  FakeTransport transport;
  TokenSource tokens{transport, clock};
  VaultAddress address = *vault_address("https://soc.vault.azure.net/secrets/jira", {});
  std::shared_ptr<VaultSecret> secret =
      std::make_shared<VaultSecret>(address, "tenants.a.connectors.jira.password");

  Vault() {
    secret->as = {.tenant = "t", .client_id = "c", .secret = [] { return Result<std::string>("s"); }};
    transport.tokens = {token_answer("vault-token")};
  }
  Status fetch() { return fetch_secrets({secret}, {transport, tokens, clock, "7.4"}); }
  std::string problem_of(int status, const std::string& body) {
    const auto read = read_vault_answer(address, response(status, body), clock.now);
    return read ? "no problem" : std::string(fault_name(read.error().kind)) + ": " + read.error().message;
  }
};

TEST_F(Vault, GivesWhatWasFetched) {
  EXPECT_THAT(secret->value().error().message, HasSubstr("not fetched yet"));
  transport.answers = {
      response(200, R"({"value":"pw","id":"x","attributes":{"enabled":true,"exp":1900000000}})")};
  ASSERT_TRUE(fetch());
  EXPECT_EQ(*secret->value(), "pw");
  EXPECT_EQ(secret->ends_us(), 1'900'000'000 * kSecondUs);
  const HttpRequest& sent = transport.requests.at(0);
  EXPECT_EQ(sent.method, "GET");
  EXPECT_EQ(sent.url, "https://soc.vault.azure.net/secrets/jira?api-version=7.4");
  EXPECT_THAT(sent.headers, testing::Contains(testing::Pair("Authorization", "Bearer vault-token")));
  EXPECT_THAT(transport.token_requests.at(0).body,
              HasSubstr("scope=https%3A%2F%2Fvault.azure.net%2F.default"));
}

TEST_F(Vault, KeepsAValueWhileTheVaultCannotBeReached) {
  transport.answers = {response(200, R"({"value":"pw"})"), response(503, "busy")};
  ASSERT_TRUE(fetch());
  const Status second = fetch();
  EXPECT_THAT(second.error().message,
              AllOf(HasSubstr("`tenants.a.connectors.jira.password`"), HasSubstr("answered 503")));
  EXPECT_EQ(transport.requests.size(), 4u) << "what may pass is tried three times";
  EXPECT_EQ(*secret->value(), "pw");
  transport.answers = {response(200, R"({"value":"new"})")};
  ASSERT_TRUE(fetch());
  EXPECT_EQ(*secret->value(), "new");
  EXPECT_EQ(secret->problem(), "");
}

TEST_F(Vault, GivesUpAValueThatTheVaultDisabledOrDeleted) {
  transport.answers = {
      response(200, R"({"value":"pw"})"),
      response(403, R"({"error":{"code":"Forbidden","message":"Operation get is not allowed )"
                    R"(on a disabled secret.","innererror":{"code":"SecretDisabled"}}})")};
  ASSERT_TRUE(fetch());
  EXPECT_FALSE(fetch());
  EXPECT_EQ(transport.requests.size(), 2u) << "asked once: that does not pass";
  EXPECT_THAT(secret->value().error().message, HasSubstr("the secret is disabled"));
}

TEST_F(Vault, TakesANewTokenWhenTheFirstIsRefused) {
  transport.tokens = {token_answer("old"), token_answer("new")};
  transport.answers = {response(401, ""), response(200, R"({"value":"pw"})")};
  ASSERT_TRUE(fetch());
  EXPECT_THAT(transport.requests.at(1).headers,
              testing::Contains(testing::Pair("Authorization", "Bearer new")));
}

TEST_F(Vault, SaysWhatStandsInTheWay) {
  const auto forbidden = [](const char* inner, const char* message) {
    return std::string(R"({"error":{"code":"Forbidden","message":")") + message +
           R"(","innererror":{"code":")" + inner + R"("}}})";
  };
  EXPECT_THAT(
      problem_of(403, forbidden("ForbiddenByRbac", "Caller is not authorized.")),
      AllOf(HasSubstr("Forbidden: "), HasSubstr("Key Vault Secrets User"), HasSubstr("secrets/jira")));
  EXPECT_THAT(problem_of(403, forbidden("ForbiddenByFirewall", "Client address is not authorized.")),
              HasSubstr("network rules"));
  EXPECT_THAT(problem_of(403, "<html>"), HasSubstr("Key Vault Secrets User"));
  EXPECT_THAT(problem_of(404, R"({"error":{"code":"SecretNotFound","message":"gone"}})"),
              AllOf(HasSubstr("NotFound: "), HasSubstr("no such secret"), HasSubstr("(gone)")));
  EXPECT_THAT(problem_of(401, ""), HasSubstr("another tenant or cloud"));
  EXPECT_THAT(problem_of(429, ""), HasSubstr("Throttled: "));
  EXPECT_THAT(problem_of(302, ""), HasSubstr("InvalidResponse: "));
  EXPECT_THAT(problem_of(200, R"({"value":"shown","attributes":{"enabled":false}})"),
              AllOf(HasSubstr("is disabled"), Not(HasSubstr("shown"))));
  EXPECT_THAT(problem_of(200, R"({"value":""})"), HasSubstr("empty"));
  EXPECT_THAT(problem_of(200, R"({"id":"shown"})"), AllOf(HasSubstr("no `value`"), Not(HasSubstr("shown"))));
}

TEST_F(Vault, NamesWhyThereIsNoToken) {
  transport.tokens = {
      response(401, R"({"error":"invalid_client","error_description":"AADSTS7000215: wrong"})")};
  EXPECT_THAT(fetch().error().message,
              AllOf(HasSubstr("secrets/jira"), HasSubstr("no token for https://vault.azure.net/.default")));
}

}  // namespace
}  // namespace flow
