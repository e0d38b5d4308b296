// What a service tells of itself while it runs: /health, /ready, /metrics, the log as JSON; and `flow why`.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "apps/cli/exit_code.hpp"
#include "runtime/json_text.hpp"
#include "runtime/sqlite_store.hpp"
#include "scene.hpp"
#include "tests/unit/sim/raw_client.hpp"

namespace flow::e2e {
namespace {

using sim::RawClient;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kConfig = R"([http]
listen = "127.0.0.1:0"
[metrics]
access = "open"
[log]
format = "json"
[poll]
every = "1s"
look_back = "1h"
[tenants.sim]
tenant_id = "7d0c9b2e-3a51-4f6b-8e27-90b4d1c6a5f3"
client_id = "0b6e4d92-71c3-4f58-a1d7-3e90c5b2f846"
client_secret_env = "TEST_SECRET"
authority = "{0}"
[tenants.sim.bases]
defender = "{0}"
graph = "{0}"
)";

TEST(Watching, AServiceTellsHowItDoesAndWhyAFlowDidNotRun) {
  Scene scene;
  const std::string url = fmt::format("http://127.0.0.1:{}", scene.tenant().port());
  const std::string config = scene.folder().write("flow.toml", fmt::format(fmt::runtime(kConfig), url));
  const std::string flows =
      scene.folder().write("flows.flow",
                           "flow cuts on alert.new when severity == High do isolate(machineId)\n"
                           "flow notes on alert.new do log \"seen\"\n");
  const ProcessOptions options{.folder = {}, .environment = {"TEST_SECRET=sim-secret"}};
  Process service("flow", {"serve", flows, "--config", config, "--store", scene.store()}, options);
  const std::string before = R"("event":"listening","message":"http://127.0.0.1:)";
  ASSERT_TRUE(eventually([&] { return service.out().find(before) != std::string::npos; })) << service.err();
  const std::string said = service.out();
  const auto port = static_cast<std::uint16_t>(std::stoi(said.substr(said.find(before) + before.size())));
  const auto ask = [&](const std::string& path) {
    RawClient client(port);
    client.send(fmt::format("GET {} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", path));
    return client.read_all();
  };
  EXPECT_THAT(ask("/health"), StartsWith("HTTP/1.1 200 "));
  ASSERT_TRUE(eventually([&] { return ask("/ready").starts_with("HTTP/1.1 200 "); }));
  const std::string alert(scene.inject(R"({"severity":"Low"})")["id"].text());
  ASSERT_TRUE(eventually([&] { return scene.all_over(1); })) << service.err();
  const std::string metrics = ask("/metrics");
  EXPECT_THAT(metrics,
              AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr("text/plain; version=0.0.4"),
                    HasSubstr("flow_runs_ended_total{tenant=\"sim\",flow=\"notes\",state=\"finished\"} 1\n"),
                    HasSubstr("flow_store_bytes ")));
  std::filesystem::remove(flows);  // the store is all that it needs
  const Ended why = run_flow({"why", alert, "--store", scene.store()});
  EXPECT_EQ(why.exit_code, kSuccess) << why.err;
  EXPECT_THAT(why.out, HasSubstr("cuts did not run: its condition is false\n  line 1: severity == High\n"
                                 "    severity is \"Low\"\n"));
  EXPECT_THAT(why.out, HasSubstr("notes ran: run "));
  const Ended fetched = run_flow(
      {"why", alert, "--store", scene.store(), "--flow", "cuts", "--config", config, "--json"}, options);
  EXPECT_THAT(fetched.out,
              AllOf(HasSubstr(R"("verdict":"false")"), HasSubstr(R"("values":{"severity":"Low"})")))
      << fetched.err;
  service.send(SIGTERM);
  EXPECT_EQ(service.wait(std::chrono::seconds(20)).exit_code, kSuccess);
  std::istringstream lines(service.out());
  for (std::string line; std::getline(lines, line);) EXPECT_TRUE(is_json(line)) << line;
}

TEST(Why, SaysWhatIsWrong) {
  Scene scene;
  EXPECT_EQ(run_flow({"why"}).exit_code, kUsage);
  const Ended none = run_flow({"why", "da1", "--store", scene.store()});
  EXPECT_EQ(none.exit_code, kWorldWrong);
  EXPECT_THAT(none.err, HasSubstr("there is no such file"));
  const std::string event = scene.folder().write("event.json", "[1]");
  ASSERT_TRUE(SqliteStore::open(scene.store()));
  const Ended empty = run_flow({"why", "da1", "--store", scene.store(), "--event", event});
  EXPECT_EQ(empty.exit_code, kUsage);
  EXPECT_THAT(empty.err, HasSubstr("knows of no flow that waits for alerts"));
  EXPECT_THAT(run_flow({"runs", "why", "01NOSUCHRUN", "--store", scene.store()}).err,
              HasSubstr("there is no run `01NOSUCHRUN`"));
}

}  // namespace
}  // namespace flow::e2e
