// What the configuration says of requests from outside, and how they are told apart, without a network.
#include "apps/server/inbound.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/server/credentials.hpp"

namespace flow {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kTenant =
    "[tenants.a]\ntenant_id = \"t\"\nclient_id = \"c\"\nclient_secret_env = \"S\"\n";

Result<Config> parsed(const std::string& text) {
  return parse_config("flow.toml", text + kTenant);
}
std::string mistake(const std::string& text) {
  const auto config = parsed(text);
  return config ? "" : config.error().message;
}

TEST(InboundConfiguration, SaysWhatListensAndWhoMay) {
  const auto config = parsed(R"(
[http]
listen = "[::1]:8480"
url = "https://flow.contoso.com/soc//"
link_key_env = "K"
respond_within = "5s"
[api]
token_env = "T"
[webhooks."my.hook"]
secret_file = "/run/s"
delivery_header = "X-Id"
)");
  ASSERT_TRUE(config) << config.error().message;
  const InboundConfig& inbound = config->inbound;
  EXPECT_EQ(inbound.address, "::1");
  EXPECT_EQ(inbound.port, 8480);
  EXPECT_EQ(inbound.respond_within_us, 5'000'000);
  EXPECT_EQ(inbound.body_bytes, 1u << 20);
  EXPECT_EQ(inbound.url, "https://flow.contoso.com/soc") << "what stands behind it begins with a /";
  EXPECT_TRUE(inbound.link_key);
  EXPECT_TRUE(inbound.api_token);
  ASSERT_TRUE(inbound.hooks.contains("my.hook"));
  EXPECT_EQ(inbound.hooks.at("my.hook").tenant, "a") << "the only one";
  EXPECT_EQ(inbound.hooks.at("my.hook").signature_header, "X-Signature-256");
  EXPECT_EQ(parsed("")->inbound.address, "") << "nothing listens";
}

TEST(InboundConfiguration, MistakesAreToldOf) {
  const std::string http = "[http]\nlisten = \"127.0.0.1:1\"\n";
  for (const char* address :
       {"127.0.0.1", ":80", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:8a", "127.0.0.1:-1"})
    EXPECT_THAT(mistake(std::string("[http]\nlisten = \"") + address + "\"\n"),
                HasSubstr("`http.listen` must be"));
  for (const char* url : {"flow.contoso.com", "https://", "https://a b", "https://a?b", "javascript:x"})
    EXPECT_THAT(mistake(http + "url = \"" + url + "\"\n"), HasSubstr("`http.url` must be"));
  EXPECT_THAT(mistake("[http]\n"), HasSubstr("needs `listen`"));
  EXPECT_THAT(mistake(http + "respond_within = \"2m\"\n"), HasSubstr("at most a minute"));
  EXPECT_THAT(mistake("[api]\ntoken_env = \"T\"\n"), HasSubstr("need `[http]` with `listen`"));
  EXPECT_THAT(mistake(http + "[api]\n"), HasSubstr("needs `token_env` or `token_file`"));
  EXPECT_THAT(mistake(http + "[api]\ntoken = \"T\"\n"), HasSubstr("a secret does not belong into the file"));
  EXPECT_THAT(mistake(http + "[webhooks.h]\n"), HasSubstr("`webhooks.h` needs either `secret_env`"));
  EXPECT_THAT(mistake(http + "[webhooks.h]\ntoken_env = \"T\"\nsecret_env = \"S\"\n"),
              HasSubstr("needs either"));
  EXPECT_THAT(mistake(http + "[webhooks.h]\ntoken_env = \"T\"\nheader = \"X\"\n"),
              HasSubstr("unknown key `header`"));
  EXPECT_THAT(mistake(http + "[webhooks.h]\ntoken_env = \"T\"\ntenant = \"b\"\n"),
              HasSubstr("there is no tenant `b`"));
  const std::string second = "[tenants.b]\ntenant_id = \"t\"\nclient_id = \"c\"\nclient_secret_env = \"S\"\n";
  EXPECT_THAT(mistake(http + "[webhooks.h]\ntoken_env = \"T\"\n" + second), HasSubstr("needs `tenant`"));
}

TEST(Credentials, SignaturesAreHmacSha256) {
  // RFC 4231, test case 2.
  EXPECT_EQ(hmac_sha256_hex("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  const std::string right = hmac_sha256_hex("key", "body");
  EXPECT_TRUE(is_signed_by("key", "body", right));
  EXPECT_TRUE(is_signed_by("key", "body", "SHA256=" + right));
  EXPECT_FALSE(is_signed_by("key", "bodz", right));
  EXPECT_FALSE(is_signed_by("kez", "body", right));
  EXPECT_FALSE(is_signed_by("key", "body", ""));
  EXPECT_FALSE(is_signed_by("key", "body", right.substr(1)));
  EXPECT_FALSE(is_signed_by("", "body", hmac_sha256_hex("", "body"))) << "no key signs nothing";
}

TEST(Credentials, TokensAreComparedWhole) {
  EXPECT_TRUE(is_same_secret("token", "token"));
  EXPECT_FALSE(is_same_secret("token", "tokens"));
  EXPECT_FALSE(is_same_secret("Token", "token"));
  EXPECT_FALSE(is_same_secret("", "")) << "an empty secret is none";
  EXPECT_EQ(bearer_token("Bearer  t"), "t");
  EXPECT_EQ(bearer_token("bearer t"), "t");
  EXPECT_EQ(bearer_token("Basic t"), "");
  EXPECT_EQ(bearer_token("Bearer"), "");
}

class StandingClock final : public Clock {
 public:
  std::int64_t now_us() const override { return 1'000'000; }
};

struct Asked {
  InboundConfig config;
  StandingClock clock;
  std::vector<StartRequest> requests;
  StartAnswer answer{.how = StartAnswer::How::Started, .run = "R", .problem = {}, .body = {}};

  HttpAnswer ask(HttpQuestion question, std::vector<std::string> tenants = {"a"}) {
    const Inbound inbound(config, std::move(tenants), clock,
                          [&](StartRequest request, const StartDone& done) {
                            requests.push_back(std::move(request));
                            done(answer);
                          });
    HttpAnswer given;
    inbound.handle(question, [&](HttpAnswer reply) { given = std::move(reply); });
    return given;
  }
};

SecretProvider secret(std::string value) {
  return [value]() -> Result<std::string> { return value; };
}

TEST(InboundRequests, HeadersThatProveWhoAsksAreKeptBack) {
  Asked asked;
  asked.config.hooks["h"] = {
      .tenant = "a", .secret = secret("s"), .token = {}, .signature_header = "X-Sig", .delivery_header = {}};
  HttpQuestion question{.method = "POST",
                        .target = "/hooks/h?x=1",
                        .headers = {{"X-Sig", hmac_sha256_hex("s", "[]")},
                                    {"Cookie", "c"},
                                    {"AUTHORIZATION", "Bearer t"},
                                    {"X-A", "1"},
                                    {"x-a", "2"},
                                    {"X-B", "\"\xff"}},
                        .body = "[]"};
  EXPECT_EQ(asked.ask(question).status, 202);
  ASSERT_EQ(asked.requests.size(), 1u);
  EXPECT_EQ(asked.requests[0].event,
            "{\"payload\":[],\"headers\":{\"x-a\":\"1, 2\",\"x-b\":\"\\\"\xef\xbf\xbd\"}}");
  EXPECT_THAT(asked.requests[0].key, testing::StartsWith("1970-01-01T00:00:01Z "));
  question.method = "GET";
  EXPECT_EQ(asked.ask(question).status, 405);
}

TEST(InboundRequests, ASecretThatCannotBeReadLetsNobodyIn) {
  Asked asked;
  asked.config.api_token = []() -> Result<std::string> { return error("it is not there"); };
  const HttpQuestion question{.method = "POST",
                              .target = "/api/v1/flows/f/runs",
                              .headers = {{"Authorization", "Bearer "}},
                              .body = "{}"};
  EXPECT_EQ(asked.ask(question).status, 401);
  asked.config.api_token = nullptr;
  EXPECT_EQ(asked.ask(question).status, 404) << "the API is off";
  EXPECT_TRUE(asked.requests.empty());
}

TEST(InboundRequests, PeopleSayForWhichTenant) {
  Asked asked;
  asked.config.api_token = secret("t");
  HttpQuestion question{.method = "POST",
                        .target = "/api/v1/flows/my%20flow/runs",
                        .headers = {{"Authorization", "Bearer t"}},
                        .body = R"({"arguments":{"n":1},"written":{"m":"x y"},"key":"k"})"};
  EXPECT_EQ(asked.ask(question, {"a", "b"}).status, 400);
  EXPECT_EQ(asked.ask(question).status, 202);
  ASSERT_EQ(asked.requests.size(), 1u);
  EXPECT_EQ(asked.requests[0].name, "my flow");
  EXPECT_EQ(asked.requests[0].tenant, "a");
  EXPECT_EQ(asked.requests[0].event, R"({"n":1})");
  EXPECT_EQ(asked.requests[0].written.at("m"), "x y");
  question.body = "";
  EXPECT_EQ(asked.ask(question).status, 202);
  question.body = "[]";
  EXPECT_EQ(asked.ask(question).status, 400);
}

TEST(InboundRequests, EachOutcomeHasItsAnswer) {
  using How = StartAnswer::How;
  const auto answer = [](How how, int status = 0, std::string body = {}) {
    return http_answer({.how = how, .run = "R", .problem = "why", .status = status, .body = std::move(body)});
  };
  EXPECT_EQ(answer(How::Started).body, R"({"run":"R"})");
  EXPECT_EQ(answer(How::Known).body, R"({"run":"R","isKnown":true})");
  EXPECT_EQ(answer(How::Skipped).status, 200);
  EXPECT_EQ(answer(How::NotFound).status, 404);
  EXPECT_EQ(answer(How::Refused).body, R"({"error":{"code":"BadRequest","message":"why"}})");
  EXPECT_EQ(answer(How::Busy).status, 503);
  EXPECT_EQ(answer(How::Stopping).header("Retry-After"), "5");
  EXPECT_EQ(answer(How::Responded, 201, R"({"a":1})").content_type, "application/json");
  EXPECT_THAT(answer(How::Responded, 201, "text").content_type, StartsWith("text/plain"));
}

}  // namespace
}  // namespace flow
