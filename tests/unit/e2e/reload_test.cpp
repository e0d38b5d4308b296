// flow.toml read anew by the real service: asked for by the command and by SIGHUP, refused when it is broken.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/cli/exit_code.hpp"
#include "scene.hpp"

namespace flow::e2e {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

const std::string kMachine = "1111111111111111111111111111111111111111";

class Reloading : public testing::Test {
 protected:
  void SetUp() override {
    flows = scene.folder().write(
        "cut.flow", "flow cut_later on manual (device: MachineId) do { wait(2s)  isolate(device) }\n");
    configure();
    service = std::make_unique<Process>("flow", Arguments{"serve", "--config", config, flows},
                                        ProcessOptions{.folder = {}, .environment = environment});
    const std::string before = "listening at http://127.0.0.1:";
    ASSERT_TRUE(eventually([&] { return service->out().find(before) != std::string::npos; }))
        << service->err();
    const std::string said = service->out();
    port = static_cast<std::uint16_t>(std::stoi(said.substr(said.find(before) + before.size())));
    configure();
  }
  // The service was started with port 0, and is asked at the one that it got.
  void configure(const std::string& more = {}) {
    config = scene.folder().write("flow.toml", fmt::format(R"([http]
listen = "127.0.0.1:{0}"

[api]
token_env = "TEST_API_TOKEN"

[store]
path = "{1}"

[tenants.sim]
tenant_id = "7d0c9b2e-3a51-4f6b-8e27-90b4d1c6a5f3"
client_id = "0b6e4d92-71c3-4f58-a1d7-3e90c5b2f846"
client_secret_env = "TEST_SECRET"
authority = "http://127.0.0.1:{2}"

[tenants.sim.bases]
defender = "http://127.0.0.1:{2}"

{3})",
                                                           port, scene.store(), scene.tenant().port(), more));
  }
  Ended flow(Arguments words) {
    words.insert(words.end(), {"--config", config});
    return run_flow(words, ProcessOptions{.folder = {}, .environment = environment});
  }
  std::string audit() { return run_flow({"audit", "export", "--store", scene.store()}).out; }

  Scene scene;
  std::string flows, config;
  std::vector<std::string> environment = {"TEST_API_TOKEN=api token", "TEST_SECRET=sim-secret"};
  std::unique_ptr<Process> service;
  std::uint16_t port = 0;
};

TEST_F(Reloading, AProtectionHoldsForTheNextActOfARunThatWaits) {
  const Ended started = flow({"run", "cut_later", "--arg", "device=" + kMachine});
  ASSERT_EQ(started.exit_code, kSuccess) << started.all();
  configure("[protect.act]\nfreeze = 'operation == \"defender.isolate\"'\n");
  const Ended reloaded = flow({"reload", "--by", "ann"});
  EXPECT_EQ(reloaded.exit_code, kSuccess) << reloaded.all();
  EXPECT_THAT(reloaded.out,
              AllOf(HasSubstr("protect.act.freeze: in force"), HasSubstr("http.listen: needs a restart")));
  ASSERT_TRUE(eventually([&] { return scene.all_over(1); }));
  EXPECT_EQ(scene.runs().front().fault, "Protected");
  EXPECT_THAT(scene.runs().front().reason, HasSubstr("act.freeze"));
  EXPECT_EQ(scene.requests("machines.isolate"), 0);
  EXPECT_THAT(audit(), AllOf(HasSubstr("reloaded"), HasSubstr("protect.act.freeze"), HasSubstr("by ann")));
  EXPECT_THAT(service->out(), HasSubstr("configuration read anew, by ann"));
}

TEST_F(Reloading, ABrokenFileIsRefusedWithItsLineAndTheOldOneStays) {
  configure("[protect.act]\nfreeze = 'operation == \"defender.isolate\"'\n");
  ASSERT_EQ(flow({"reload"}).exit_code, kSuccess);
  configure("[protect.act]\nfreeze = 'operatoin == \"defender.isolate\"'\n");
  const Ended refused = flow({"reload"});
  EXPECT_EQ(refused.exit_code, kWorldWrong);
  EXPECT_THAT(refused.err, HasSubstr("operatoin"));
  service->send(SIGHUP);
  EXPECT_TRUE(eventually([&] { return service->err().find("is not taken over") != std::string::npos; }));
  EXPECT_THAT(service->err(), AllOf(HasSubstr("operatoin"), HasSubstr("flow.toml:")));
  flow({"run", "cut_later", "--arg", "device=" + kMachine});  // its own reading of the file fails, too
  configure("[polll]\nevery = \"1s\"\n");
  service->send(SIGHUP);
  EXPECT_TRUE(eventually([&] { return service->err().find("`polll`") != std::string::npos; }));
  EXPECT_TRUE(service->is_running());
  configure();
  ASSERT_EQ(flow({"run", "cut_later", "--arg", "device=" + kMachine}).exit_code, kSuccess);
  ASSERT_TRUE(eventually([&] { return scene.all_over(1); }));
  EXPECT_EQ(scene.runs().front().fault, "Protected") << "by the file that was in force last";
}

TEST_F(Reloading, ByAHangup) {
  configure("[protect.act]\nfreeze = 'operation == \"defender.isolate\"'\n\n[log]\nformat = \"json\"\n");
  service->send(SIGHUP);
  EXPECT_TRUE(eventually([&] { return service->out().find("\"reloaded\"") != std::string::npos; }))
      << service->out() << service->err();
  EXPECT_THAT(service->out(), HasSubstr("log.format, protect.act.freeze")) << "in the form that it asks for";
  configure();
  EXPECT_EQ(flow({"run", "cut_later", "--arg", "device=" + kMachine}).exit_code, kSuccess);
  ASSERT_TRUE(eventually([&] { return scene.all_over(1); }));
  EXPECT_EQ(scene.runs().front().fault, "Protected");
  EXPECT_THAT(audit(), HasSubstr("SIGHUP (signal)"));
}

TEST_F(Reloading, TheTokenOfTheApiIsAnotherFromThenOn) {
  environment.push_back("OTHER_TOKEN=another token");
  EXPECT_EQ(flow({"reload"}).exit_code, kSuccess);
  // The service has no such variable: nobody is let in any more.
  std::string text = read_all(config);
  text.replace(text.find("TEST_API_TOKEN"), 14, "OTHER_TOKEN");
  scene.folder().write("flow.toml", text);
  service->send(SIGHUP);
  EXPECT_TRUE(eventually([&] { return service->out().find("api.token_env") != std::string::npos; }));
  const Ended refused = flow({"reload"});
  EXPECT_NE(refused.exit_code, kSuccess);
}

TEST_F(Reloading, WhatIsLiveMustBeServed) {
  const std::string hooked =
      scene.folder().write("hook.flow", "flow h on webhook \"x\" (payload: Json) do { log \"h\" }\n");
  configure("[webhooks.x]\ntoken_env = \"TEST_SECRET\"\n");
  ASSERT_EQ(flow({"reload"}).exit_code, kSuccess) << "the hook comes first, then its flow";
  const Ended deployed = flow({"deploy", hooked});
  ASSERT_EQ(deployed.exit_code, kSuccess) << deployed.all();
  configure();
  const Ended refused = flow({"reload"});
  EXPECT_NE(refused.exit_code, kSuccess);
  EXPECT_THAT(refused.err, HasSubstr("`[webhooks.x]`"));
}

TEST_F(Reloading, ANewTenantIsServedByTheSameFiles) {
  const std::string text = read_all(config);
  std::string other = text.substr(text.find("[tenants.sim]"));
  for (std::size_t at = 0; (at = other.find("tenants.sim", at)) != std::string::npos;)
    other.replace(at, 11, "tenants.fabrikam");
  configure(other);
  const Ended reloaded = flow({"reload", "--by", "ann"});
  EXPECT_EQ(reloaded.exit_code, kSuccess) << reloaded.all();
  EXPECT_THAT(reloaded.out, HasSubstr("tenants.fabrikam: in force"));
  EXPECT_TRUE(eventually([&] {
    return flow({"deployments", "list"}).out.find("fabrikam") != std::string::npos;
  }));
  const Ended started = flow({"run", "cut_later", "--tenant", "fabrikam", "--arg", "device=" + kMachine});
  ASSERT_EQ(started.exit_code, kSuccess) << started.all();
  ASSERT_TRUE(eventually([&] { return scene.all_over(1); }));
  EXPECT_EQ(scene.runs().front().tenant, "fabrikam");
  EXPECT_EQ(scene.requests("machines.isolate"), 1);
  configure();
  EXPECT_THAT(flow({"reload"}).out, HasSubstr("tenants.fabrikam: needs a restart"));
}

TEST_F(Reloading, NothingIsWrittenWhenNothingHasChanged) {
  ASSERT_EQ(flow({"reload"}).exit_code, kSuccess);
  const Ended again = flow({"reload", "--json"});
  EXPECT_EQ(again.out, "{\"changed\":[],\"atDeploy\":[],\"needRestart\":[\"http.listen\"]}\n");
  EXPECT_THAT(audit(), Not(HasSubstr("reloaded")));
}

}  // namespace
}  // namespace flow::e2e
