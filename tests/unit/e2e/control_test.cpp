// `flow runs resume` and `flow runs cancel`, by the program itself.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/cli/exit_code.hpp"
#include "runtime/sqlite_store.hpp"
#include "scene.hpp"

namespace flow::e2e {
namespace {

using testing::HasSubstr;

TEST(Control, ARunThatWaitsIsCancelledAndNotTakenUpAgain) {
  Scene scene;
  Folder folder;
  const std::string file =
      folder.write("waits.flow", "on alert.new when severity == High do wait 2h; isolate(machineId)\n");
  {
    Process service("flow", scene.serve({file}));
    scene.inject(R"({"severity":"High"})");
    ASSERT_TRUE(eventually([&] { return !scene.runs().empty(); })) << service.out() << service.err();
    service.kill();
  }
  const std::string id = scene.runs().at(0).id;
  const Ended said = run_flow(
      {"runs", "cancel", id, "--store", scene.store(), "--by", "ana@contoso.com", "--reason", "a test"});
  EXPECT_EQ(said.exit_code, kSuccess) << said.err;
  const Ended shown = run_flow({"runs", "show", id, "--store", scene.store()});
  EXPECT_THAT(shown.out, HasSubstr("cancelled by ana@contoso.com: a test"));
  const Ended again = run_flow({"runs", "cancel", id, "--store", scene.store()});
  EXPECT_EQ(again.exit_code, kFlowWrong);
  EXPECT_THAT(again.err, HasSubstr("is over: stopped"));
  const Ended resumed = run_flow({"runs", "resume", id, "--store", scene.store()});
  EXPECT_THAT(resumed.err, HasSubstr("did not fail: it is stopped"));
}

// The same commands while a service has the store: it is asked by its API.
TEST(Control, AServiceThatRunsIsAsked) {
  Scene scene;
  const std::string url = fmt::format("http://127.0.0.1:{}", scene.tenant().port());
  const std::string flows = scene.folder().write(
      "flows.flow",
      "flow rests on manual () do { wait 2h }\nflow breaks on manual () do { fail \"no luck\" }\n");
  const std::string text = R"([http]
listen = "127.0.0.1:{}"
[api]
token_env = "TEST_API_TOKEN"
[tenants.sim]
tenant_id = "7d0c9b2e-3a51-4f6b-8e27-90b4d1c6a5f3"
client_id = "0b6e4d92-71c3-4f58-a1d7-3e90c5b2f846"
client_secret_env = "TEST_SECRET"
authority = "{}"
)";
  const std::vector<std::string> environment = {"TEST_API_TOKEN=api token", "TEST_SECRET=sim-secret"};
  const std::string config = scene.folder().write("flow.toml", fmt::format(fmt::runtime(text), 0, url));
  Process service("flow", {"serve", flows, "--config", config, "--store", scene.store()},
                  {.folder = {}, .environment = environment});
  const std::string before = "listening at http://127.0.0.1:";
  ASSERT_TRUE(eventually([&] { return service.out().find(before) != std::string::npos; })) << service.err();
  const std::string port = service.out().substr(service.out().find(before) + before.size(), 5);
  scene.folder().write("flow.toml", fmt::format(fmt::runtime(text), std::stoi(port), url));
  const auto flow = [&](Arguments words) {
    for (const std::string& word : {std::string("--config"), config, std::string("--store"), scene.store()})
      words.push_back(word);
    return run_flow(words, {.folder = {}, .environment = environment});
  };
  const auto run_of = [&](const std::string& name) {
    for (const RunRow& run : scene.runs())
      if (run.flow == name) return run.id;
    return std::string();
  };
  for (const char* name : {"rests", "breaks"})
    ASSERT_EQ(
        run_flow({"run", name, "--config", config}, {.folder = {}, .environment = environment}).exit_code,
        kSuccess);
  const std::string rests = run_of("rests"), breaks = run_of("breaks");
  const Ended cancelled = flow({"runs", "cancel", rests, "--by", "ana@contoso.com"});
  EXPECT_EQ(cancelled.exit_code, kSuccess) << cancelled.err;
  EXPECT_EQ(cancelled.out, "run " + rests + " is cancelled\n");
  const Ended again = flow({"runs", "cancel", rests});
  EXPECT_EQ(again.exit_code, kFlowWrong);
  EXPECT_THAT(again.err, HasSubstr("is over: stopped"));
  const Ended resumed = flow({"runs", "resume", "--failed", "--since", "2h"});
  EXPECT_EQ(resumed.exit_code, kFlowWrong);
  EXPECT_THAT(resumed.err, HasSubstr("failed in its own code, not in a call"));
  const Ended unknown = flow({"runs", "resume", "01NOSUCHRUN"});
  EXPECT_EQ(unknown.exit_code, kFlowWrong);
  EXPECT_THAT(unknown.err, HasSubstr("there is no run `01NOSUCHRUN`; `flow runs list` shows them"));
  const Ended retried = flow({"runs", "retry", breaks});
  EXPECT_EQ(retried.exit_code, kSuccess) << retried.err;
  EXPECT_THAT(retried.out, HasSubstr("repeats run " + breaks));
  const std::string newer = retried.out.substr(4, 26);
  EXPECT_THAT(run_flow({"runs", "show", newer, "--store", scene.store()}).out,
              HasSubstr("retry 1 of run " + breaks));
  EXPECT_THAT(run_flow({"runs", "show", breaks, "--store", scene.store()}).out,
              HasSubstr("retried as run " + newer));
  // What was repeated has acted again: only what its repetition left is repeated.
  ASSERT_TRUE(eventually([&] { return scene.runs().front().state == RunState::Failed; }));
  for (std::size_t runs = 4; runs < 6; ++runs) {
    EXPECT_EQ(flow({"runs", "retry", "--failed"}).exit_code, kSuccess);
    ASSERT_TRUE(eventually([&] {
      return scene.runs().size() == runs && scene.runs().front().state == RunState::Failed;
    })) << scene.runs().size();
  }
  const Ended listed = run_flow({"runs", "list", "--config", config, "--store", scene.store()},
                                {.folder = {}, .environment = environment});
  EXPECT_THAT(listed.out, HasSubstr(newer));
  const Ended full = Process("/bin/sh", {"-c", FLOW_BINARY_DIR "/flow runs list --json --store " +
                                                   scene.store() + " >/dev/full"})
                         .wait();
  EXPECT_EQ(full.exit_code, kWorldWrong);
  EXPECT_THAT(full.err, HasSubstr("No space left on device"));
  const Ended without = run_flow({"runs", "cancel", newer, "--store", scene.store()},
                                 {.folder = {}, .environment = environment});
  EXPECT_EQ(without.exit_code, kWorldWrong);
  EXPECT_THAT(without.err, HasSubstr("name its configuration with --config"));
}

TEST(Control, SaysWhatIsWrong) {
  Scene scene;
  const Ended none = run_flow({"runs", "resume", "--store", scene.store()});
  EXPECT_EQ(none.exit_code, kUsage);
  EXPECT_THAT(none.err, HasSubstr("name a run, or say --failed"));
  EXPECT_THAT(run_flow({"runs", "cancel", "01X", "--store", scene.store()}).err,
              HasSubstr("there is no such file"));
  ASSERT_TRUE(SqliteStore::open(scene.store()));
  EXPECT_THAT(run_flow({"runs", "resume", "01X", "--happened", "{", "--store", scene.store()}).err,
              HasSubstr("--happened takes the call's result as JSON"));
  EXPECT_THAT(run_flow({"runs", "retry", "01X", "--since", "2h", "--store", scene.store()}).err,
              HasSubstr("--flow, --tenant and --since go with --failed"));
  const Ended unknown = run_flow({"runs", "cancel", "01NOSUCHRUN", "--store", scene.store()});
  EXPECT_EQ(unknown.exit_code, kFlowWrong);
  EXPECT_THAT(unknown.err, HasSubstr("there is no run `01NOSUCHRUN`"));
  EXPECT_THAT(run_flow({"runs", "resume", "--failed", "--since", "2h", "--store", scene.store()}).out,
              HasSubstr("no runs"));
}

}  // namespace
}  // namespace flow::e2e
