// Tokens by other proofs than a secret.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "stdlib/identity/cloud.hpp"
#include "stdlib/identity/device_code.hpp"
#include "stdlib/identity/managed_identity.hpp"
#include "stdlib/identity/token_source.hpp"
#include "tests/unit/stdlib/fakes.hpp"

namespace flow {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

SecretProvider secret(std::string value) {
  return [value = std::move(value)] { return Result<std::string>(value); };
}

struct Identities : testing::Test {
  FakeClock clock;
  FakeTransport transport;
  TokenSource source{transport, clock};
  TokenRequest request{
      .tenant = "contoso.example", .client_id = "client", .scope = "https://graph.example/.default"};

  TokenResult get() {
    TokenResult got = tl::unexpected(Fault{.message = "not called"});
    source.get(request, [&](TokenResult result) { got = std::move(result); });
    return got;
  }
  std::string got() {
    const TokenResult result = get();
    return result ? *result : std::string(fault_name(result.error().kind)) + ": " + result.error().message;
  }
  std::map<std::string, std::string> environment;
  std::string door() {
    const auto made = managed_identity_door(identity, [&](const std::string& name) {
      const auto found = environment.find(name);
      return found == environment.end() ? std::nullopt : std::optional(found->second);
    });
    if (!made) return made.error().message;
    request.door = std::make_shared<const TokenDoor>(*made);
    return "made";
  }
  ManagedIdentity identity;
};

TEST_F(Identities, AnAssertionTakesThePlaceOfTheSecret) {
  transport.tokens = {token_answer("one")};
  request.assertion = [](const AssertionFor& what) -> Result<std::string> {
    return "jwt-for-" + what.client_id + "-at-" + what.audience;
  };
  EXPECT_EQ(got(), "one");
  EXPECT_EQ(
      transport.token_requests.at(0).body,
      "client_id=client&scope=https%3A%2F%2Fgraph.example%2F.default&client_assertion_type="
      "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer&client_assertion="
      "jwt-for-client-at-https%3A%2F%2Flogin.microsoftonline.com%2Fcontoso.example%2Foauth2%2Fv2.0%2Ftoken"
      "&grant_type=client_credentials");
}

TEST_F(Identities, AnAssertionThatTheEndpointQuotesIsNotTold) {
  request.assertion = [](const AssertionFor&) { return Result<std::string>("the-assertion-itself"); };
  transport.tokens = {response(
      401, R"({"error":"invalid_client","error_description":"AADSTS700027: bad: the-assertion-itself"})")};
  EXPECT_THAT(got(), Not(HasSubstr("the-assertion-itself")));
}

TEST_F(Identities, TheMetadataServiceGivesAMachinesToken) {
  EXPECT_EQ(door(), "made");
  transport.answers = {
      response(200, R"({"access_token":"one","expires_in":"86399","expires_on":"1","token_type":"Bearer"})")};
  EXPECT_EQ(got(), "one");
  const HttpRequest& sent = transport.requests.at(0);
  EXPECT_EQ(sent.method, "GET");
  EXPECT_EQ(sent.url,
            "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource="
            "https%3A%2F%2Fgraph.example");
  EXPECT_EQ(sent.headers.back(), (std::pair<std::string, std::string>("Metadata", "true")));
  clock.now += 80'000 * kSecondUs;
  EXPECT_EQ(got(), "one") << "kept for as long as it is good";
}

TEST_F(Identities, AServiceSaysWhereItsTokensAre) {
  environment = {{"IDENTITY_ENDPOINT", "http://127.0.0.1:41/msi/token/"},
                 {"IDENTITY_HEADER", "header-value"}};
  identity.object_id = "o-1";
  EXPECT_EQ(door(), "made");
  const std::int64_t ends = clock.now / kSecondUs + 7200;
  transport.answers = {response(200, fmt::format(R"({{"access_token":"one","expires_on":"{}"}})", ends)),
                       response(200, R"({"access_token":"two"})")};
  EXPECT_EQ(got(), "one");
  EXPECT_THAT(
      transport.requests.at(0).url,
      EndsWith("/msi/token/?api-version=2019-08-01&principal_id=o-1&resource=https%3A%2F%2Fgraph.example"));
  EXPECT_EQ(transport.requests.at(0).headers.back(),
            (std::pair<std::string, std::string>("X-IDENTITY-HEADER", "header-value")));
  clock.now += 6800 * kSecondUs;
  EXPECT_EQ(got(), "one");
  clock.now += 500 * kSecondUs;
  EXPECT_EQ(got(), "two");
}

TEST_F(Identities, OlderServicesAndUnsupportedOnes) {
  environment = {{"MSI_ENDPOINT", "http://127.0.0.1:41/msi"}, {"MSI_SECRET", "old-secret"}};
  identity.client_id = "c-1";
  EXPECT_EQ(door(), "made");
  EXPECT_EQ(request.door->url, "http://127.0.0.1:41/msi?api-version=2017-09-01&clientid=c-1");
  EXPECT_EQ(request.door->header, "secret");
  identity = {.object_id = "o"};
  EXPECT_THAT(door(), HasSubstr("by client_id only"));
  environment = {{"IDENTITY_ENDPOINT", "http://localhost:40342/metadata/identity/oauth2/token"}};
  identity = {.client_id = "c"};
  EXPECT_THAT(door(), HasSubstr("Azure Arc has one identity"));
  identity = {.client_id = "c", .object_id = "o"};
  EXPECT_THAT(door(), HasSubstr("by one of"));
}

// The agent of Azure Arc names a file that only those can read who may have a token.
TEST_F(Identities, AnAgentOfArcIsAnsweredWithItsKeyFile) {
  const std::string folder = testing::TempDir() + "flow-arc";
  std::filesystem::create_directories(folder);
  std::ofstream(folder + "/one.key") << "key-of-the-agent\n";
  environment = {{"IDENTITY_ENDPOINT", "http://127.0.0.1:40342/metadata/identity/oauth2/token"},
                 {"IMDS_ENDPOINT", "http://127.0.0.1:40342"}};
  identity.key_folder = folder;
  EXPECT_EQ(door(), "made");
  const auto challenge = [](const std::string& realm) {
    return response(401, "", {{"Www-Authenticate", "Basic realm=" + realm}});
  };
  transport.answers = {challenge(folder + "/one.key"),
                       response(200, R"({"access_token":"one","expires_in":"3600"})")};
  EXPECT_EQ(got(), "one");
  ASSERT_EQ(transport.requests.size(), 2u);
  EXPECT_EQ(
      transport.requests[0].url,
      "http://127.0.0.1:40342/metadata/identity/oauth2/token?api-version=2020-06-01&resource=https%3A%2F%2F"
      "graph.example");
  const std::pair<std::string, std::string> answer("Authorization", "Basic key-of-the-agent");
  EXPECT_THAT(transport.requests[0].headers, Not(testing::Contains(answer)));
  EXPECT_THAT(transport.requests[1].headers, testing::Contains(answer));
  EXPECT_THAT(transport.requests[1].headers,
              testing::Contains(std::pair<std::string, std::string>("Metadata", "true")));
  for (const std::string& realm : {folder + "/../flow-arc/one.key", std::string("/etc/passwd"),
                                   folder + "/one.txt", folder + "-other/one.key", std::string()}) {
    clock.now += 7200 * kSecondUs;
    transport.answers = {challenge(realm)};
    EXPECT_THAT(got(), HasSubstr("names no key file within")) << realm;
  }
  clock.now += 7200 * kSecondUs;
  transport.answers = {challenge(folder + "/none.key")};
  EXPECT_THAT(got(), HasSubstr("must belong to the agent's group"));
  clock.now += 7200 * kSecondUs;
  transport.answers = {challenge(folder + "/one.key"), response(401, "no key-of-the-agent")};
  EXPECT_THAT(got(), Not(HasSubstr("key-of-the-agent"))) << "it is answered once";
}

TEST_F(Identities, RefusalsOfTheMachinesDoor) {
  struct Row {
    int status;
    const char* body;
    const char* said;
  };
  EXPECT_EQ(door(), "made");
  for (const auto& [status, body, said] :
       {Row{400, R"({"error":"invalid_request","error_description":"Identity not found"})",
            "Unauthorized: no token for https://graph.example/.default: this machine has no managed "
            "identity"},
        Row{404, "", "Unavailable: "}, Row{410, "", "Unavailable: "}, Row{429, "", "Throttled: "},
        Row{500, "", "Unavailable: "}, Row{200, R"({"access_token":""})", "InvalidResponse: "}}) {
    transport.answers = {response(status, body)};
    clock.now += 600 * kSecondUs;
    EXPECT_THAT(got(), HasSubstr(said)) << status;
  }
}

TEST_F(Identities, TheTokenOfOneIdentityIsTheAssertionOfAnother) {
  auto runner = std::make_shared<TokenRequest>();
  runner->scope = "api://AzureADTokenExchange/.default";
  runner->door = std::make_shared<const TokenDoor>(TokenDoor{.url = "https://builds.example/token?x=1",
                                                             .resource_name = "audience",
                                                             .header = "Authorization",
                                                             .header_value = secret("runner-token"),
                                                             .header_prefix = "Bearer ",
                                                             .member = "value"});
  request.assertion_from = runner;
  transport.answers = {response(200, R"({"value":"outside-jwt"})")};
  transport.tokens = {token_answer("one")};
  EXPECT_EQ(got(), "one");
  EXPECT_EQ(transport.requests.at(0).url,
            "https://builds.example/token?x=1&audience=api%3A%2F%2FAzureADTokenExchange");
  EXPECT_EQ(transport.requests.at(0).headers.back().second, "Bearer runner-token");
  EXPECT_THAT(transport.token_requests.at(0).body, HasSubstr("&client_assertion=outside-jwt&"));
}

TEST_F(Identities, WithoutTheOtherIdentityThereIsNoToken) {
  auto runner = std::make_shared<TokenRequest>();
  runner->scope = "api://AzureADTokenExchange/.default";
  runner->door = std::make_shared<const TokenDoor>(
      TokenDoor{.url = "https://builds.example/token", .resource_name = "audience"});
  request.assertion_from = runner;
  transport.answers = {response(403, "no")};
  EXPECT_THAT(got(), HasSubstr("no token for https://graph.example/.default, as there is no assertion: "));
  EXPECT_TRUE(transport.token_requests.empty());
}

TEST_F(Identities, APersonsRefreshTokenIsReplacedByTheNewest) {
  std::vector<std::string> kept;
  request.refresh_token = secret("refresh-one");
  request.renewed = [&](const std::string& token) { kept.push_back(token); };
  transport.tokens = {
      response(200, R"({"access_token":"one","expires_in":100,"refresh_token":"refresh-two"})"),
      response(200, R"({"access_token":"two","expires_in":100})"),
      response(400, R"({"error":"invalid_grant","error_description":"AADSTS700082: expired"})"),
      response(200, R"({"access_token":"three","expires_in":100})")};
  EXPECT_EQ(got(), "one");
  EXPECT_EQ(kept, std::vector<std::string>{"refresh-two"});
  clock.now += 200 * kSecondUs;
  EXPECT_EQ(got(), "two");
  EXPECT_THAT(transport.token_requests.at(0).body, HasSubstr("refresh_token=refresh-one"));
  EXPECT_THAT(transport.token_requests.at(1).body, HasSubstr("refresh_token=refresh-two"));
  clock.now += 200 * kSecondUs;
  EXPECT_THAT(got(), HasSubstr("Unauthorized"));
  clock.now += 200 * kSecondUs;
  EXPECT_EQ(got(), "three") << "somebody signed in again";
  EXPECT_THAT(transport.token_requests.at(3).body, HasSubstr("refresh_token=refresh-one"));
}

TEST(DeviceCodes, AreShownAndPolled) {
  const DeviceLogin login{
      .authority = "https://login.example/", .tenant = "contoso", .client_id = "app", .scope = "a b"};
  const HttpRequest asked = device_code_request(login);
  EXPECT_EQ(asked.url, "https://login.example/contoso/oauth2/v2.0/devicecode");
  EXPECT_EQ(asked.body, "client_id=app&scope=a+b");
  const auto prompt = read_device_prompt(
      login,
      response(
          200,
          R"({"device_code":"GMM","user_code":"HKQ2-7XPL","verification_uri":"https://microsoft.com/devicelogin","expires_in":900,"interval":5})"),
      0);
  ASSERT_TRUE(prompt);
  EXPECT_EQ(prompt->user_code, "HKQ2-7XPL");
  EXPECT_EQ(prompt->interval_us, 5 * kSecondUs);
  EXPECT_EQ(prompt->ends_us, 900 * kSecondUs);
  EXPECT_EQ(
      device_token_request(login, *prompt).body,
      "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&client_id=app&device_code=GMM");
  const auto answer = [&](int status, const std::string& body) {
    return read_device_tokens(login, response(status, body), 0);
  };
  EXPECT_FALSE(std::get<DevicePending>(answer(400, R"({"error":"authorization_pending"})")).slows_down);
  EXPECT_TRUE(std::get<DevicePending>(answer(400, R"({"error":"slow_down"})")).slows_down);
  EXPECT_EQ(std::get<DeviceTokens>(answer(200, R"({"access_token":"a","refresh_token":"r"})")).refresh_token,
            "r");
  EXPECT_THAT(std::get<Fault>(answer(400, R"({"error":"authorization_declined"})")).message,
              HasSubstr("declined"));
  EXPECT_THAT(std::get<Fault>(answer(400, R"({"error":"expired_token"})")).message, HasSubstr("in time"));
  EXPECT_THAT(std::get<Fault>(answer(200, R"({"access_token":"a"})")).message, HasSubstr("offline_access"));
}

TEST(DeviceCodes, HostileAnswersAreRefused) {
  const DeviceLogin login{
      .authority = "https://login.example", .tenant = "contoso", .client_id = "app", .scope = "a"};
  for (const char* body :
       {"", "[]", "{}", R"({"device_code":"a","user_code":"b","verification_uri":"http://evil.example"})",
        R"({"device_code":"a","user_code":"b\u001b[2J","verification_uri":"https://x.example"})",
        R"({"device_code":"a b","user_code":"b","verification_uri":"https://x.example"})",
        R"({"device_code":"a","user_code":"b","verification_uri":"https://user:pw@x.example"})"})
    EXPECT_FALSE(read_device_prompt(login, response(200, body), 0)) << body;
  const auto endless = read_device_prompt(
      login,
      response(
          200,
          R"({"device_code":"a","user_code":"b","verification_uri":"https://x.example","expires_in":999999999999,"interval":999999999999})"),
      0);
  ASSERT_TRUE(endless);
  EXPECT_EQ(endless->interval_us, 60 * kSecondUs);
  EXPECT_EQ(endless->ends_us, 3600 * kSecondUs);
}

TEST(Clouds, AreThoseOfTheReference) {
  EXPECT_EQ(find_cloud("usgov")->authority, "https://login.microsoftonline.us");
  EXPECT_EQ(find_cloud("dod")->graph, "https://dod-graph.microsoft.us");
  EXPECT_EQ(find_cloud("gcc")->defender, "https://api-gcc.securitycenter.microsoft.us");
  EXPECT_TRUE(find_cloud("china")->defender.empty());
  EXPECT_EQ(find_cloud("moon"), nullptr);
}

}  // namespace
}  // namespace flow
