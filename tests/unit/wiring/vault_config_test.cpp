// Secrets in key vaults, and secrets of flows, in flow.toml.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/server/config.hpp"
#include "apps/server/secret_check.hpp"

namespace flow {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr const char* kTenant = R"([tenants.a]
tenant_id = "a"
client_id = "c"
client_secret_env = "S"
)";
constexpr const char* kAnother = R"([tenants.b]
tenant_id = "b"
client_id = "d"
client_secret_env = "S"
)";
constexpr const char* kJira =
    "[tenants.a.connectors.jira]\npassword_keyvault = \"https://soc.vault.azure.net/secrets/jira\"\n";

Result<Config> read(const std::string& text) {
  return parse_config("flow.toml", text);
}
std::string problem(const std::string& text) {
  const auto config = read(text);
  return config ? "no problem" : config.error().message;
}

TEST(VaultSettings, StandWhereverASecretMay) {
  const auto config = read(std::string("[http]\nlisten = \"127.0.0.1:8480\"\n[api]\n"
                                       "token_keyvault = \"https://soc.vault.azure.net/secrets/api\"\n") +
                           kTenant + kJira + R"([tenants.a.connectors.slack.urls]
soc = { keyvault = "https://soc.vault.azure.net/secrets/slack/0a1b" }
[tenants.a.secrets]
intel_keyvault = "https://soc.vault.azure.net/secrets/intel"
other_env = "OTHER"
)");
  ASSERT_TRUE(config) << config.error().message;
  std::vector<std::string> places;
  for (const auto& secret : config->vaults.secrets) {
    places.push_back(secret->place());
    EXPECT_EQ(secret->as.tenant, "a");
    EXPECT_EQ(secret->as.client_id, "c");
  }
  EXPECT_THAT(places, testing::UnorderedElementsAre("api.token", "tenants.a.connectors.jira.password",
                                                    "tenants.a.connectors.slack.urls.soc",
                                                    "tenants.a.secrets.intel"));
  const TenantAccess& access = config->tenants[0].access;
  EXPECT_THAT(access.credentials.at("jira").password().error().message, HasSubstr("not fetched yet"));
  config->vaults.secrets.at(1)->keep({.value = "pw"});
  EXPECT_EQ(*access.credentials.at("jira").password(), "pw");
  EXPECT_THAT(access.secret("intel").error().message, HasSubstr("secret `intel`: it was not fetched yet"));
  EXPECT_THAT(access.secret("nobody").error().message, HasSubstr("`[tenants.a.secrets]` has no `nobody`"));
}

TEST(VaultSettings, AreOpenedByACredentialFromElsewhere) {
  const std::string inside =
      "[tenants.a]\ntenant_id = \"a\"\nclient_id = \"c\"\n"
      "client_secret_keyvault = \"https://soc.vault.azure.net/secrets/app\"\n";
  EXPECT_THAT(problem(inside), AllOf(HasSubstr("`tenants.a.client_secret` is in a key vault"),
                                     HasSubstr("`[keyvault.managed_identity]`")));
  EXPECT_THAT(problem("[app]\nclient_id = \"c\"\nclient_secret_keyvault = "
                      "\"https://soc.vault.azure.net/secrets/app\"\n[tenants.a]\ntenant_id = \"a\"\n"),
              HasSubstr("`app.client_secret` is in a key vault"));
  const auto config = read("[keyvault.managed_identity]\nclient_id = \"identity\"\n" + inside);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_TRUE(config->vaults.secrets.at(0)->as.door);
  EXPECT_THAT(problem("[keyvault]\ntenant_id = \"t\"\nclient_id = \"c\"\n"
                      "client_secret_keyvault = \"https://soc.vault.azure.net/secrets/app\"\n" +
                      inside),
              HasSubstr("`keyvault.client_secret` cannot be in a key vault"));
}

TEST(VaultSettings, OfNoTenantNeedToKnowWhoAsks) {
  const std::string api =
      "[http]\nlisten = \"127.0.0.1:8480\"\n[api]\n"
      "token_keyvault = \"https://soc.vault.azure.net/secrets/api\"\n";
  EXPECT_EQ(problem(api + kTenant), "no problem");
  EXPECT_THAT(problem(api + kTenant + kAnother),
              HasSubstr("of several tenants none is the one that opens it"));
  const auto config = read(
      "[keyvault]\ntenant_id = \"t\"\nclient_id = \"v\"\nclient_secret_env = \"V\"\n"
      "cloud = \"usgov\"\nrefresh = \"1m\"\napi_version = \"7.5\"\n" +
      api + kTenant + kAnother);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->vaults.secrets.at(0)->as.client_id, "v");
  EXPECT_EQ(config->vaults.secrets.at(0)->as.authority, "https://login.microsoftonline.us");
  EXPECT_EQ(config->vaults.options.refresh_us, 60'000'000);
  EXPECT_EQ(config->vaults.options.api_version, "7.5");
}

TEST(VaultSettings, SayWhatIsWrong) {
  EXPECT_THAT(problem(std::string(kTenant) + "[tenants.a.connectors.jira]\npassword_keyvault = \"jira\"\n"),
              AllOf(HasSubstr("`tenants.a.connectors.jira`"), HasSubstr("`password`"),
                    HasSubstr("https://VAULT.vault.azure.net/secrets/NAME")));
  EXPECT_THAT(problem(std::string(kTenant) + kJira + "password_env = \"P\"\n"),
              HasSubstr("has both `password_env` and `password_keyvault`"));
  EXPECT_THAT(problem(std::string(kTenant) + "[tenants.a.connectors.jira]\npassword = \"secret\"\n"),
              HasSubstr("`password_keyvault = \"https://…\"`"));
  EXPECT_THAT(problem(std::string("[keyvault]\nrefresh = \"1s\"\n") + kTenant), HasSubstr("\"10s\" or more"));
  EXPECT_THAT(problem(std::string("[keyvault]\nrefesh = \"1m\"\n") + kTenant),
              HasSubstr("did you mean `refresh`"));
  EXPECT_THAT(problem(std::string("[keyvault]\nclient_id = \"c\"\n") + kTenant), HasSubstr("a credential"));
  EXPECT_EQ(problem(std::string("[keyvault]\nscope = \"api://v/.default\"\n") + kTenant +
                    "[tenants.a.connectors.jira]\npassword_keyvault = \"https://v.example/secrets/jira\"\n"),
            "no problem");
}

TEST(FlowSecrets, AreMissedBeforeAnythingRuns) {
  Module module;
  module.source_name = "intel.flow";
  module.settings.push_back({.name = "intel", .is_secret = true});
  const auto missing = [&](const std::string& more) {
    const auto config = read(kTenant + more);
    EXPECT_TRUE(config) << config.error().message;
    std::string names;
    for (const MissingSecret& each : missing_secrets(*config, config->tenants[0], module))
      names += each.text();
    return names;
  };
  EXPECT_THAT(missing(""), AllOf(HasSubstr("`[tenants.a.secrets]` has none of that name"),
                                 HasSubstr("`intel_keyvault = \"https://…\"`")));
  EXPECT_EQ(missing("[tenants.a.secrets]\nintel_env = \"I\"\n"), "");
  EXPECT_THAT(missing("[params.intel]\nintel = \"shared\"\n[tenants.a.secrets]\nintel_env = \"I\"\n"),
              HasSubstr("a secret `shared`"));
  EXPECT_EQ(missing("[params]\nintel = \"shared\"\n[tenants.a.secrets]\nshared_env = \"I\"\n"), "");
}

}  // namespace
}  // namespace flow
