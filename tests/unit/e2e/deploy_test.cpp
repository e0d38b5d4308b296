// Versions of flows, with the real service: deployed while it runs, gone back from, kept over a restart, and
// the same while no service runs.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/cli/exit_code.hpp"
#include "scene.hpp"

namespace flow::e2e {
namespace {

using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

class Deploying : public testing::Test {
 protected:
  void SetUp() override { write("one"); }
  void write(const std::string& text) {
    flows = scene.folder().write("greet.flow", "flow hello on manual () do { log \"" + text + "\" }\n");
  }
  void configure() {
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
)",
                                                           port, scene.store(), scene.tenant().port()));
  }
  void serve(bool with_files) {
    configure();
    Arguments words{"serve", "--config", config};
    if (with_files) words.push_back(flows);
    service =
        std::make_unique<Process>("flow", words, ProcessOptions{.folder = {}, .environment = environment});
    const std::string before = "listening at http://127.0.0.1:";
    ASSERT_TRUE(eventually([&] { return service->out().find(before) != std::string::npos; }))
        << service->err();
    const std::string said = service->out();
    port = static_cast<std::uint16_t>(std::stoi(said.substr(said.find(before) + before.size())));
    configure();
  }
  void stop() {
    service->send(SIGTERM);
    const Ended ended = service->wait(20s);
    EXPECT_EQ(ended.exit_code, kSuccess) << ended.all();
  }
  Ended flow(Arguments words) {
    words.insert(words.end(), {"--config", config});
    return run_flow(words, ProcessOptions{.folder = {}, .environment = environment});
  }
  std::string said() {
    const std::size_t before = scene.runs().size();
    const Ended started = flow({"run", "hello"});
    EXPECT_EQ(started.exit_code, kSuccess) << started.all();
    EXPECT_TRUE(eventually([&] { return scene.all_over(before + 1); }));
    for (const RunRow& row : scene.runs())  // the newest first
      if (row.flow == "hello")
        for (const RunStep& step : scene.steps(row.id))
          if (step.kind == EntryKind::Log) return step.text;
    return "nothing";
  }

  Scene scene;
  std::string flows, config;
  std::vector<std::string> environment = {"TEST_API_TOKEN=api token", "TEST_SECRET=sim-secret"};
  std::unique_ptr<Process> service;
  std::uint16_t port = 0;
};

TEST_F(Deploying, ANewVersionIsTakenWhileTheServiceRunsAndGoneBackFrom) {
  serve(true);
  EXPECT_EQ(said(), "one");
  write("two");
  const Ended deployed = flow({"deploy", flows, "--by", "ann"});
  EXPECT_EQ(deployed.exit_code, kSuccess) << deployed.all();
  EXPECT_THAT(deployed.out, HasSubstr("sim: hello is live"));
  EXPECT_EQ(said(), "two");
  const Ended back = flow({"deploy", "--back", "hello", "--by", "bob"});
  EXPECT_THAT(back.out, HasSubstr("sim: hello is live again in the version before"));
  EXPECT_EQ(said(), "one");
  stop();
  serve(true);  // the file still has the second version
  EXPECT_TRUE(eventually([&] { return service->err().find("went back from") != std::string::npos; }))
      << service->err();
  EXPECT_EQ(said(), "one");
  const Ended listed = flow({"deployments", "list", "--all"});
  EXPECT_THAT(listed.out, HasSubstr("by ann"));
  EXPECT_THAT(listed.out, HasSubstr("by bob"));
  stop();
}

TEST_F(Deploying, WhileNoServiceRunsTheNextStartServesIt) {
  configure();
  const Ended deployed = flow({"deploy", flows});
  EXPECT_EQ(deployed.exit_code, kSuccess) << deployed.all();
  EXPECT_THAT(deployed.out, HasSubstr("the next start serves this"));
  serve(false);
  EXPECT_THAT(service->out(), HasSubstr("serving hello from greet for sim"));
  EXPECT_EQ(said(), "one");
  stop();
}

TEST_F(Deploying, AStartThatCannotListenChangesNothing) {
  serve(true);
  EXPECT_EQ(said(), "one");
  write("two");
  const std::string other = scene.folder().path("other.db");
  const Ended refused = flow({"serve", flows, "--store", other});
  EXPECT_EQ(refused.exit_code, kWorldWrong) << refused.all();
  EXPECT_THAT(refused.err, HasSubstr("cannot listen on"));
  EXPECT_THAT(run_flow({"audit", "export", "--store", other}).out, Not(HasSubstr("deployed")));
  stop();
}

TEST_F(Deploying, AShadowIsComparedWithWhatIsLive) {
  serve(true);
  write("two");
  EXPECT_EQ(flow({"deploy", flows, "--shadow"}).exit_code, kSuccess);
  EXPECT_EQ(said(), "one");
  const Ended compared = flow({"deployments", "compare", "hello"});
  EXPECT_EQ(compared.exit_code, kSuccess) << compared.all();
  EXPECT_THAT(compared.out, HasSubstr("the same on 1 events, different on 0"));
  EXPECT_THAT(flow({"deploy", "--end-shadow", "hello"}).out, HasSubstr("has no shadow any more"));
  stop();
}

TEST_F(Deploying, WhatIsWrongIsSaid) {
  serve(true);
  const auto fails_with = [&](const Arguments& words, int code, const std::string& text) {
    const Ended ended = flow(words);
    EXPECT_EQ(ended.exit_code, code) << ended.all();
    EXPECT_THAT(ended.err, HasSubstr(text));
  };
  fails_with({"deploy"}, kUsage, "name files to deploy, or say one of --back");
  fails_with({"deploy", flows, "--back", "hello"}, kUsage, "name files to deploy, or say one of --back");
  fails_with({"deploy", "--back", "helo"}, kUsage, "was never deployed; did you mean `hello`?");
  fails_with({"deploy", "--back", "hello"}, kUsage, "has no version before");
  fails_with({"deploy", "--withdraw", "hello", "--tenant", "smi"}, kUsage, "did you mean `sim`?");
  fails_with({"deployments", "compare", "hello"}, kFlowWrong, "has no shadow");
  const std::string hooked =
      scene.folder().write("hook.flow", "flow hooked on webhook \"door\" (x: Json) do { log \"x\" }\n");
  fails_with({"deploy", hooked}, kUsage, "it needs `[webhooks.door]`");
  EXPECT_EQ(said(), "one");
  stop();
  const Ended empty = run_flow({"serve", "--config", scene.folder().write("bare.toml", R"([store]
path = ")" + scene.folder().path("other.db") + R"("

[tenants.sim]
tenant_id = "7d0c9b2e-3a51-4f6b-8e27-90b4d1c6a5f3"
client_id = "0b6e4d92-71c3-4f58-a1d7-3e90c5b2f846"
client_secret_env = "TEST_SECRET"
)")},
                               ProcessOptions{.folder = {}, .environment = environment});
  EXPECT_NE(empty.exit_code, kSuccess);
  EXPECT_THAT(empty.err, HasSubstr("nothing is deployed in"));
}

}  // namespace
}  // namespace flow::e2e
