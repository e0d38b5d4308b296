// `[egress]` of flow.toml.
#include <gtest/gtest.h>

#include "apps/server/config.hpp"

namespace flow {
namespace {

constexpr const char* kTenant =
    "[tenants.a]\ntenant_id = \"t\"\nclient_id = \"c\"\nclient_secret_env = \"S\"\n";

std::string problem(const std::string& table) {
  const auto config = parse_config("flow.toml", table + kTenant);
  return config ? std::string() : config.error().message;
}

TEST(EgressTable, SaysWhereRequestsMayGo) {
  const auto config = parse_config(
      "flow.toml", std::string("[egress]\nallow = [\"https://api.example.com/v1/\", \"*.contoso.com\"]\n"
                               "private = [\"10.1.0.0/16\"]\n") +
                       kTenant);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_FALSE(config->egress.refusal("https://api.example.com/v1/x"));
  EXPECT_FALSE(config->egress.refusal("https://a.contoso.com/"));
  EXPECT_TRUE(config->egress.refusal("https://example.com/"));
  EXPECT_TRUE(config->egress.may_connect("10.1.2.3"));
  EXPECT_FALSE(config->egress.may_connect("10.2.2.3"));
}

TEST(EgressTable, NothingIsAllowedWithoutIt) {
  const auto config = parse_config("flow.toml", kTenant);
  ASSERT_TRUE(config);
  EXPECT_TRUE(config->egress.allows_nothing());
}

TEST(EgressTable, MistakesAreToldWithTheirLine) {
  EXPECT_EQ(problem("[egress]\nallow = \"https://x/\"\n"),
            "flow.toml: line 2: `allow` must be a list of texts in quotes");
  EXPECT_EQ(problem("[egress]\nallow = [\"ftp://x/\"]\n"),
            "flow.toml: line 2: `ftp://x/` is nothing that requests can go to: the URL does not begin with "
            "https:// or http://");
  EXPECT_EQ(problem("[egress]\nallow = []\nprivate = [\"10.0.0.0/40\"]\n"),
            "flow.toml: line 3: `10.0.0.0/40`: a network of such addresses has 0 to 32 bits");
  EXPECT_EQ(problem("[egress]\nalow = []\n"),
            "flow.toml: line 2: unknown key `alow` in `egress`; did you mean `allow`?");
}

}  // namespace
}  // namespace flow
