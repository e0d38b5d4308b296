// What differs between two versions of flow.toml, and what a service takes over of it while it runs.
#include "apps/server/config_changes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

namespace flow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kTenant = "[tenants.a]\ntenant_id = \"t\"\nclient_id = \"c\"\nclient_secret_env = \"S\"\n";

Config read(const std::string& text) {
  auto config = parse_config("flow.toml", text);
  EXPECT_TRUE(config) << config.error().message;
  return config ? *config : Config();
}

std::string page() {
  std::ifstream file(FLOW_SOURCE_DIR "/docs/configuration.md");
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(ConfigChanges, AreNamedByKeyAndByWhenTheyAreTakenOver) {
  const Config before = read("[http]\nlisten = \"127.0.0.1:1\"\n[params]\nsoc = \"a\"\n" + kTenant);
  const Config after = read(
      "[http]\nlisten = \"127.0.0.1:2\"\nurl = \"https://flow.contoso.com\"\n"
      "[params]\nsoc = \"b\"\n[store]\nkeep = \"30d\"\n" +
      kTenant);
  const ConfigChanges changes = config_changes(before, after);
  EXPECT_THAT(changes.now, ElementsAre("http.url", "store.keep"));
  EXPECT_THAT(changes.deploy, ElementsAre("params.soc"));
  EXPECT_THAT(changes.restart, ElementsAre("http.listen"));
}

TEST(ConfigChanges, ThereAreNoneWhereOnlyTheLayoutDiffers) {
  const Config before = read("[store]\nkeep = \"30d\"\n" + kTenant);
  const Config after = read("# a comment\n[store]\nkeep   =   \"30d\"\n\n" + kTenant);
  EXPECT_TRUE(config_changes(before, after).empty());
}

TEST(ConfigChanges, AKeyThatIsGoneIsOne) {
  const Config before = read("[egress]\nallow = [\"*\"]\n" + kTenant);
  EXPECT_THAT(config_changes(before, read(kTenant)).now, ElementsAre("egress.allow"));
}

TEST(ConfigChanges, ANewTenantIsNamedOnceAndInForce) {
  std::string other = kTenant;
  other.replace(other.find("tenants.a"), 9, "tenants.b");
  const ConfigChanges changes = config_changes(read(kTenant), read(kTenant + other));
  EXPECT_THAT(changes.now, ElementsAre("tenants.b"));
  EXPECT_THAT(changes.new_tenants, ElementsAre("b"));
  EXPECT_THAT(changes.restart, IsEmpty());
  const Config in_force = merged(read(kTenant), read(kTenant + other), changes);
  EXPECT_EQ(in_force.tenants.size(), 2u);
  EXPECT_TRUE(config_changes(in_force, read(kTenant + other)).empty());
}

TEST(ConfigChanges, ATenantThatIsGoneIsServedUntilTheRestart) {
  std::string other = kTenant;
  other.replace(other.find("tenants.a"), 9, "tenants.b");
  EXPECT_THAT(config_changes(read(kTenant + other), read(kTenant)).restart, ElementsAre("tenants.b"));
  const Config kept =
      merged(read(kTenant + other), read(kTenant), config_changes(read(kTenant + other), read(kTenant)));
  EXPECT_EQ(kept.tenants.size(), 2u);
  EXPECT_THAT(config_changes(kept, read(kTenant)).restart, ElementsAre("tenants.b")) << "and named again";
}

TEST(ConfigChanges, WhatNeedsARestartStaysAndIsNamedTheNextTimeAsWell) {
  const Config before = read("[http]\nlisten = \"127.0.0.1:1\"\n" + kTenant);
  const Config after = read("[http]\nlisten = \"127.0.0.1:2\"\nrespond_within = \"5s\"\n" + kTenant);
  const Config in_force = merged(before, after, config_changes(before, after));
  EXPECT_EQ(in_force.inbound.port, 1);
  EXPECT_EQ(in_force.inbound.respond_within_us, 5'000'000);
  const ConfigChanges again = config_changes(in_force, after);
  EXPECT_THAT(again.restart, ElementsAre("http.listen"));
  EXPECT_THAT(again.now, IsEmpty());
}

TEST(ConfigChanges, AccessIsThatOfTheNewFile) {
  const Config before = read(kTenant);
  const Config after = read(kTenant + "[tenants.a.mail]\nsender = \"soc@contoso.com\"\n");
  const Config in_force = merged(before, after, config_changes(before, after));
  EXPECT_EQ(in_force.tenants.front().access.settings.at("graph.sender"), "soc@contoso.com");
}

TEST(ConfigChanges, WhatNobodyKnowsNeedsARestart) {
  EXPECT_EQ(taken_over("nothing.of_the_kind"), TakenOver::Restart);
  EXPECT_EQ(taken_over("transport.library"), TakenOver::Restart);
  EXPECT_EQ(taken_over("tenants.a.client_secret_env"), TakenOver::Now);
}

// Each key of the page's large example has a row: one that is new must be thought about.
TEST(ConfigChanges, EveryKeyOfTheDocumentationIsThoughtOf) {
  const std::string text = page();
  const std::string begin = "```toml\n";
  const std::size_t at = text.find(begin, text.find("Everything, with a mail server")) + begin.size();
  const Config config = read(text.substr(at, text.find("```", at) - at));
  EXPECT_GT(config.written.size(), 30u);
  for (const auto& [key, value] : config.written) {
    const bool is_named = std::ranges::any_of(reload_rules(), [&](const ReloadRule& rule) {
      return rule.keys.ends_with('*') ? key.starts_with(rule.keys.substr(0, rule.keys.size() - 1))
                                      : key == rule.keys;
    });
    EXPECT_TRUE(is_named) << key << " has no row in apps/server/reload.def";
  }
}

TEST(ConfigChanges, TheDocumentationSaysTheSame) {
  const std::string text = page();
  for (const ReloadRule& rule : reload_rules())
    EXPECT_THAT(text, HasSubstr("| `" + std::string(rule.keys) + "` | " + std::string(rule.words) + " |"));
}

}  // namespace
}  // namespace flow
