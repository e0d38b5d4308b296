#include "stdlib/executor/credential.hpp"

#include <gtest/gtest.h>

#include "stdlib/executor/executor.hpp"
#include "tests/unit/stdlib/fakes.hpp"

namespace flow {
namespace {

using testing::Test;

Template text(std::string value) {
  return {.kind = Template::Kind::Text, .text = std::move(value)};
}
SecretProvider secret(std::string value) {
  return [value = std::move(value)] { return Result<std::string>(value); };
}

// One operation of a connector `tickets` that has this credential.
struct Credentials : Test {
  FakeClock clock;
  FakeTransport transport;
  TokenSource tokens{transport, clock};
  OperationExecutor executor{transport, tokens, clock};
  Module module;
  TenantAccess access{.tenant_id = "contoso", .client_id = "app", .client_secret = secret("app-secret")};
  ConnectorCredential given;

  void declare(Auth auth, std::string path = "/items", std::string base = "https://tickets.example") {
    module.connectors = {{.name = "tickets", .base = std::move(base), .auth = std::move(auth)}};
    Route route{
        .method = "GET", .path = text(std::move(path)), .headers = {{"Authorization", text("forged")}}};
    module.operations = {{.connector = "tickets",
                          .name = "list",
                          .effect = Effect::Read,
                          .result = kJsonType,
                          .routes = {route}}};
  }
  Outcome call() {
    access.credentials["tickets"] = given;
    executor.configure("contoso", access);
    Outcome got = Fault{.message = "not called"};
    executor.perform(
        {.tenant = "contoso", .module = &module, .operation = 0, .arguments = "{}", .key = "run/1"},
        [&](Outcome outcome) { got = std::move(outcome); });
    return got;
  }
  std::string said() {
    const Outcome outcome = call();
    const auto* fault = std::get_if<Fault>(&outcome);
    return fault == nullptr ? std::get<Returned>(outcome).json : fault->message;
  }
  std::string header(const std::string& name) const {
    std::string all;
    for (const auto& [each, value] : transport.requests.at(0).headers)
      if (each == name) all += value + "|";
    return all;
  }
  void SetUp() override {
    transport.answers = {response(200, "{}")};
    transport.tokens = {token_answer("token-one"), token_answer("token-two")};
  }
};

TEST_F(Credentials, AKeyStandsInItsHeaderBehindItsPrefix) {
  declare({.kind = Auth::Kind::Key, .header = "X-Api-Key", .prefix = "Token "});
  given.key = secret("k-123456");
  EXPECT_EQ(said(), "{}");
  EXPECT_EQ(header("X-Api-Key"), "Token k-123456|");
  EXPECT_EQ(transport.requests.at(0).url, "https://tickets.example/items");
}

TEST_F(Credentials, AKeyInTheAddressIsEncodedAndInNoMessage) {
  declare({.kind = Auth::Kind::Key, .query = "api_key"}, "/items");
  given.key = secret("k/1 2&3");
  transport.answers = {response(400, "bad request: /items?api_key=k%2F1%202%263 and k/1 2&3")};
  const std::string message = said();
  EXPECT_EQ(transport.requests.at(0).url, "https://tickets.example/items?api_key=k%2F1%202%263");
  EXPECT_EQ(message.find("k%2F1"), std::string::npos) << message;
  EXPECT_EQ(message.find("k/1 2"), std::string::npos) << message;
}

TEST_F(Credentials, AKeyInTheAddressIsNotInTheTransportsComplaint) {
  declare({.kind = Auth::Kind::Key, .query = "api_key"});
  given.key = secret("key-of-tickets");
  for (std::size_t before = 0; before < 450; before += 7) {  // wherever the message is cut off
    transport.answers = {TransportError{
        .kind = TransportError::Kind::Connect,
        .message = std::string(before, 'x') + " https://tickets.example/items?api_key=key-of-tickets"}};
    EXPECT_EQ(said().find("key-of"), std::string::npos);
  }
}

TEST_F(Credentials, UserAndPasswordReplaceWhatTheDeclarationForges) {
  declare({.kind = Auth::Kind::Basic});
  given.user = "flow";
  given.password = secret("pass word");
  transport.answers = {response(500, "you sent Basic ZmxvdzpwYXNzIHdvcmQ= and pass word")};
  const std::string message = said();
  EXPECT_EQ(header("Authorization"), "Basic ZmxvdzpwYXNzIHdvcmQ=|");
  EXPECT_EQ(message.find("Zmxvdz"), std::string::npos) << message;
  EXPECT_EQ(message.find("pass word"), std::string::npos) << message;
}

TEST_F(Credentials, ATokenThatWasMadeOnceIsABearer) {
  declare({.kind = Auth::Kind::Bearer});
  given.token = secret("xoxb-1-2-3");
  EXPECT_EQ(said(), "{}");
  EXPECT_EQ(header("Authorization"), "Bearer xoxb-1-2-3|");
}

TEST_F(Credentials, AHookIsItsWholeAddress) {
  declare({.kind = Auth::Kind::Url}, "/", "");
  given.url = secret("https://hooks.example/services/T0/B0/secret?sig=abc");
  transport.answers = {response(404, "no hook /services/T0/B0/secret?sig=abc")};
  const std::string message = said();
  EXPECT_EQ(transport.requests.at(0).url, "https://hooks.example/services/T0/B0/secret?sig=abc");
  EXPECT_EQ(message.find("secret"), std::string::npos) << message;
}

TEST_F(Credentials, ThePathNamesWhichHook) {
  declare({.kind = Auth::Kind::Url}, "/on%20call", "");
  given.url = secret("https://hooks.example/one");
  given.urls["on call"] = secret("https://hooks.example/two");
  EXPECT_EQ(said(), "{}");
  EXPECT_EQ(transport.requests.at(0).url, "https://hooks.example/two");
  declare({.kind = Auth::Kind::Url}, "/nobody", "");
  EXPECT_EQ(said(),
            "tickets.list was not sent: the configuration has no address `nobody` in the `urls` of connector "
            "`tickets`");
}

TEST_F(Credentials, OAuth2AsksTheServiceItself) {
  declare(
      {.kind = Auth::Kind::OAuth2, .scope = "read", .token = "https://tickets.example/oauth2/v2.0/token"});
  given.client_id = "client";
  given.client_secret = secret("client-secret");
  EXPECT_EQ(said(), "{}");
  EXPECT_EQ(header("Authorization"), "Bearer token-one|");
  EXPECT_EQ(transport.token_requests.at(0).body,
            "client_id=client&scope=read&client_secret=client-secret&grant_type=client_credentials");
}

TEST_F(Credentials, OAuth2TakesThePlaceOfAPasswordWhereTheConfigurationSaysSo) {
  declare({.kind = Auth::Kind::Basic});
  given.token_url = "/oauth_token.do";
  EXPECT_EQ(missing_settings(module.connectors[0], access), (std::vector<std::string>{"user", "password"}));
  access.credentials["tickets"] = given;
  EXPECT_EQ(missing_settings(module.connectors[0], access),
            (std::vector<std::string>{"client_id", "client_secret"}));
  given.client_id = "flow";
  given.client_secret = secret("client-secret-value");
  given.user = "left-over";
  transport.answers = {token_answer("oauth-token"), response(200, "[]")};
  EXPECT_EQ(said(), "[]");
  EXPECT_EQ(transport.requests.at(0).url, "https://tickets.example/oauth_token.do");
  EXPECT_EQ(transport.requests.at(0).body,
            "client_id=flow&client_secret=client-secret-value&grant_type=client_credentials");
  EXPECT_EQ(transport.requests.at(1).headers.back(),
            (std::pair<std::string, std::string>("Authorization", "Bearer oauth-token")));
  EXPECT_EQ(unused_settings(module.connectors[0], access), std::vector<std::string>{"user"});
}

TEST_F(Credentials, OAuth2WithARefreshTokenAndTheClientInTheHeader) {
  declare({.kind = Auth::Kind::OAuth2, .token = "/oauth2/v2.0/token"});
  given.client_id = "client";
  given.client_secret = secret("s:1");
  given.refresh_token = secret("refresh-me");
  given.is_client_in_header = true;
  EXPECT_EQ(said(), "{}");
  const HttpRequest& asked = transport.token_requests.at(0);
  EXPECT_EQ(asked.url, "https://tickets.example/oauth2/v2.0/token");
  EXPECT_EQ(asked.body, "refresh_token=refresh-me&grant_type=refresh_token");
  EXPECT_EQ(asked.headers.back(),
            (std::pair<std::string, std::string>("Authorization", "Basic Y2xpZW50OnMlM0Ex")));
}

TEST_F(Credentials, ARefusedTokenIsAskedForOnceMore) {
  declare({.kind = Auth::Kind::OAuth2, .token = "/oauth2/v2.0/token"});
  given.client_id = "client";
  given.client_secret = secret("client-secret");
  transport.answers = {response(401, ""), response(200, "[]")};
  EXPECT_EQ(said(), "[]");
  EXPECT_EQ(transport.token_requests.size(), 2u);
}

TEST_F(Credentials, TokensOfTwoTenantsAreTwo) {
  declare({.kind = Auth::Kind::OAuth2, .token = "/oauth2/v2.0/token"});
  given.client_id = "client";
  given.client_secret = secret("client-secret");
  said();
  access.tenant_id = "fabrikam";
  said();
  EXPECT_EQ(transport.token_requests.size(), 2u);
}

TEST_F(Credentials, NothingSecretGoesInTheClearToAnotherMachine) {
  declare({.kind = Auth::Kind::Bearer}, "/items", "http://tickets.example");
  given.token = secret("xoxb-1-2-3");
  EXPECT_EQ(said(),
            "tickets.list was not sent: credentials go to `https://` addresses only, and connector `tickets` "
            "has another");
  declare({.kind = Auth::Kind::OAuth2, .token = "/token"}, "/items", "http://127.0.0.1.evil.example");
  given.client_id = "client";
  given.client_secret = secret("client-secret");
  EXPECT_NE(said().find("credentials go to `https://` addresses only"), std::string::npos);
  EXPECT_TRUE(transport.requests.empty() && transport.token_requests.empty());
  declare({.kind = Auth::Kind::Bearer}, "/items", "http://127.0.0.1:8480");
  EXPECT_EQ(said(), "{}");
}

TEST_F(Credentials, WhatIsMissingIsSaidByItsNameInTheConfiguration) {
  struct Row {
    Auth auth;
    std::vector<std::string> missing;
  };
  for (const auto& [auth, missing] :
       {Row{{.kind = Auth::Kind::Basic}, {"base", "user", "password"}},
        Row{{.kind = Auth::Kind::Key, .header = "X"}, {"base", "key"}},
        Row{{.kind = Auth::Kind::Url}, {"url"}},
        Row{{.kind = Auth::Kind::OAuth2, .token = "/t"}, {"base", "client_id", "client_secret"}},
        Row{{.kind = Auth::Kind::None}, {"base"}}}) {
    declare(auth, "/", "");
    EXPECT_EQ(missing_settings(module.connectors[0], access), missing);
    EXPECT_NE(said().find("the configuration has no"), std::string::npos);
  }
  EXPECT_TRUE(transport.requests.empty());
  declare({.kind = Auth::Kind::Basic});
  access.credentials["tickets"] = {.key = secret("k")};
  EXPECT_EQ(unused_settings(module.connectors[0], access), std::vector<std::string>{"key"});
}

TEST_F(Credentials, ASecretThatWouldEndItsHeaderIsNotSent) {
  declare({.kind = Auth::Kind::Bearer});
  given.token = secret("first\r\nX-Evil: 1");
  EXPECT_EQ(said(),
            "tickets.list was not sent: the `token` of connector `tickets` holds a control character");
  given.token = [] { return Result<std::string>(error("environment variable TOKEN is not set")); };
  EXPECT_EQ(said(), "tickets.list was not sent: environment variable TOKEN is not set");
}

}  // namespace
}  // namespace flow
