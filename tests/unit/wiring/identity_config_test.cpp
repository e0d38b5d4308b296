// `[app]`, `cloud` and the credentials of tenants in flow.toml.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/server/config.hpp"

namespace flow {
namespace {

using testing::HasSubstr;

Result<Config> read(const std::string& text) {
  return parse_config("flow.toml", text);
}

TEST(IdentitySettings, ManyTenantsShareOneApp) {
  const auto config = read(R"(
[app]
client_id = "shared"
client_secret_env = "S"
cloud = "usgov"
[tenants.a]
tenant_id = "a"
[tenants.b]
tenant_id = "b"
client_id = "own"
client_secret_env = "T"
cloud = "global"
[tenants.c]
tenant_id = "c"
[tenants.c.managed_identity]
client_id = "identity"
)");
  ASSERT_TRUE(config) << config.error().message;
  const TenantAccess &a = config->tenants[0].access, &b = config->tenants[1].access,
                     &c = config->tenants[2].access;
  EXPECT_EQ(a.client_id, "shared");
  EXPECT_EQ(a.authority, "https://login.microsoftonline.us");
  EXPECT_EQ(b.client_id, "own");
  EXPECT_EQ(b.authority, "https://login.microsoftonline.com");
  EXPECT_TRUE(b.bases.empty());
  EXPECT_TRUE(c.door);
  EXPECT_FALSE(c.client_secret);
  EXPECT_EQ(config->tenants[2].identity.kind, CredentialKind::ManagedIdentity);
}

TEST(IdentitySettings, ACloudSetsAddressesAndScopesTogether) {
  const auto config = read(R"(
[tenants.a]
tenant_id = "a"
client_id = "c"
client_secret_env = "S"
cloud = "dod"
[tenants.a.bases]
defender = "https://eu.example"
)");
  ASSERT_TRUE(config) << config.error().message;
  const TenantAccess& access = config->tenants[0].access;
  EXPECT_EQ(access.bases.at("graph"), "https://dod-graph.microsoft.us");
  EXPECT_EQ(access.scopes.at("graph"), "https://dod-graph.microsoft.us/.default");
  EXPECT_EQ(access.bases.at("defender"), "https://eu.example") << "what is said stays";
  EXPECT_EQ(access.scopes.at("defender"), "https://api-gov.securitycenter.microsoft.us/.default");
}

TEST(IdentitySettings, FederationTakesFilesDoorsAndIdentities) {
  const auto with = [](const std::string& table) {
    return read("[tenants.a]\ntenant_id = \"a\"\nclient_id = \"c\"\n[tenants.a.federation]\n" + table);
  };
  EXPECT_TRUE(with("token_file = \"/var/run/token\"\n")->tenants[0].access.assertion);
  const auto door = with("url = \"https://builds.example/token\"\nurl_token_env = \"T\"\n");
  ASSERT_TRUE(door) << door.error().message;
  EXPECT_EQ(door->tenants[0].access.assertion_from->door->member, "value");
  EXPECT_EQ(door->tenants[0].access.assertion_from->scope, "api://AzureADTokenExchange/.default");
  EXPECT_TRUE(with("[tenants.a.federation.managed_identity]\n")->tenants[0].access.assertion_from);
  EXPECT_THAT(with("url = \"http://builds.example/token\"\n").error().message, HasSubstr("https://"));
  EXPECT_THAT(with("token_file = \"a\"\nurl = \"https://b\"\n").error().message, HasSubstr("needs one of"));
  EXPECT_THAT(with("tokn_file = \"a\"\n").error().message, HasSubstr("needs one of"));
}

}  // namespace
}  // namespace flow
