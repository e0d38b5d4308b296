// `[tenants.NAME.connectors.…]` of flow.toml beside the flows that need it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "apps/library/standard_library.hpp"
#include "apps/server/connector_check.hpp"
#include "tests/unit/several_files.hpp"

namespace flow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kTenant =
    "[tenants.a]\ntenant_id = \"t\"\nclient_id = \"c\"\nclient_secret_env = \"S\"\n";

constexpr const char* kFlow = R"(use desk
on alert.new when severity == High do open_ticket(title)
// --- desk.flow
connector tickets {
    auth basic
    act open_ticket(title: String) {
        by tickets { POST "/tickets" body { title: title } }
        by pager   { POST "/page" body { title: title } }
    }
}
connector pager { base "https://pager.example.com" auth key { header: "X-Key" } }
)";

Module module_of(const std::string& text) {
  const Compilation compiled = test::compile_files("a.flow", text, standard_library());
  EXPECT_TRUE(compiled.module) << "the sample has mistakes";
  return compiled.module.value_or(Module{});
}

struct Checked {
  Config config;
  std::string problem;
};
Checked check(const std::string& tables, const std::string& flow = kFlow) {
  const auto config = parse_config("flow.toml", kTenant + tables);
  if (!config) return {.config = {}, .problem = config.error().message};
  const Module module = module_of(flow);
  const Status checked = check_connectors(*config, {&module});
  return {*config, checked ? std::string() : checked.error().message};
}

TEST(ConnectorSettings, AreReadForAnyConnector) {
  ::setenv("FLOW_TEST_PASSWORD", "pass", 1);
  const Checked checked = check(R"(
[tenants.a.connectors.tickets]
base = "https://tickets.example.com"
user = "flow"
password = { env = "FLOW_TEST_PASSWORD" }
settings = { queue = "soc" }
[tenants.a.connectors.hooks]
url_file = "/nowhere"
urls = { soc = { env = "A" }, lead_env = "B" }
)");
  EXPECT_EQ(checked.problem, "");
  const TenantAccess& access = checked.config.tenants.at(0).access;
  EXPECT_EQ(access.bases.at("tickets"), "https://tickets.example.com");
  EXPECT_EQ(access.settings.at("tickets.queue"), "soc");
  EXPECT_EQ(access.credentials.at("tickets").password().value_or("none"), "pass");
  EXPECT_EQ(access.credentials.at("hooks").urls.size(), 2u);
  EXPECT_EQ(access.credentials.at("hooks").urls.count("lead"), 1u);
}

TEST(ConnectorSettings, WhatIsMissingIsSaid) {
  EXPECT_THAT(
      check("").problem,
      HasSubstr("tenant `a`: connector `tickets`, which tickets.open_ticket calls, needs `base`, `user` "
                "and `password` in `[tenants.a.connectors.tickets]`; a secret is named as "
                "`password_env = \"VARIABLE\"`"));
  EXPECT_THAT(check("[tenants.a.routes]\ntickets = \"pager\"\n").problem,
              HasSubstr("connector `pager`, which tickets.open_ticket calls, needs `key`"));
}

TEST(ConnectorSettings, RoutesAreChosenForAnyOperation) {
  for (const std::string said :
       {"[tenants.a.routes]\ntickets = \"pager\"\n", "[tenants.a.routes]\ntickets.open_ticket = \"pager\"\n",
        "[tenants.a.routes]\n\"tickets.open_ticket\" = \"pager\"\n",
        "[tenants.a.connectors.tickets]\nvia = \"pager\"\n"})
    EXPECT_EQ(check(said + "[tenants.a.connectors.pager]\nkey_env = \"K\"\n").problem, "") << said;
  EXPECT_THAT(
      check("[tenants.a.routes]\ntickets = \"pigeon\"\n").problem,
      HasSubstr("the configuration chooses route `pigeon` for tickets, which tickets.open_ticket does "
                "not have"));
}

TEST(ConnectorSettings, ContradictionsAreErrors) {
  EXPECT_THAT(
      check("[tenants.a.bases]\ntickets = \"https://a\"\n[tenants.a.connectors.tickets]\nbase = "
            "\"https://b\"\n")
          .problem,
      HasSubstr("`tenants.a.connectors.tickets` has `base`, which another table of the tenant says as well"));
  EXPECT_THAT(
      check("[tenants.a.routes]\nmail = \"smtp\"\n[tenants.a.mail]\nvia = \"graph\"\nsender = \"x\"\n")
          .problem,
      HasSubstr("chooses `graph` for `mail`"));
}

TEST(ConnectorSettings, SecretsAreNotInTheFile) {
  for (const char* said :
       {"password = \"pass\"", "password = { }", "password = { env = \"A\", file = \"B\" }",
        "password_env = \"A\"\npassword = { file = \"B\" }", "urls = { soc = \"https://x\" }",
        "password = { value = \"x\" }", "token = 5"}) {
    const std::string problem = check("[tenants.a.connectors.tickets]\n" + std::string(said) + "\n").problem;
    EXPECT_THAT(problem, testing::AnyOf(HasSubstr("a secret does not belong into the file"),
                                        HasSubstr("has both"), HasSubstr("unknown key `value`")))
        << said;
  }
}

TEST(ConnectorSettings, AMisspeltConnectorIsFound) {
  EXPECT_THAT(check("[tenants.a.connectors.tikets]\nbase = \"https://a\"\n").problem,
              HasSubstr("`[tenants.a.connectors.tikets]`: no flow has a connector `tikets`; did you mean "
                        "`tickets`?"));
  const auto config = parse_config("flow.toml", std::string(kTenant) + R"(
[tenants.a.connectors.elsewhere]
base = "https://a"
[tenants.a.connectors.tickets]
key_env = "A"
)");
  ASSERT_TRUE(config);
  const Module module = module_of(kFlow);
  EXPECT_THAT(unknown_connectors(*config, {&module}),
              ElementsAre("`[tenants.a.connectors.elsewhere]`: no flow has a connector `elsewhere`"));
  EXPECT_THAT(
      idle_settings(*config, {&module}),
      ElementsAre("`[tenants.a.connectors.tickets]`: `key` is not used, as the connector has `auth basic`"));
}

TEST(ConnectorSettings, FlowsOfDefenderNeedNoneOfIt) {
  EXPECT_EQ(check("", "on alert.new when severity == High do isolate(machineId)\n").problem, "");
}

}  // namespace
}  // namespace flow
