// Runs that are asked for over HTTP, of the real service on a real socket: hooks with signatures and tokens,
// flows that people start, and clients that mean no good.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/cli/exit_code.hpp"
#include "apps/server/credentials.hpp"
#include "scene.hpp"
#include "tests/unit/sim/raw_client.hpp"

namespace flow::e2e {
namespace {

using sim::RawClient;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;
using namespace std::chrono_literals;

constexpr const char* kFlows = R"(
record Ticket { id: Int, title: String }
flow take on webhook "tickets" (ticket: Ticket) when ticket.id > 0 do {
  log "{ticket.title} {headers["x-user"] ?? "-"} {headers["authorization"] ?? "-"} {headers["x-signature-256"] ?? "-"}"
  if ticket.id == 7 { respond 201, "made {ticket.id}" }
  if ticket.id == 8 { wait 1h }
}
flow plain on webhook "plain" (body: Json) do log "{body}"
flow triage on manual (machine: String, times: Int = 1) do log "{machine} {times}"
)";

class Inbound : public testing::Test {
 protected:
  void SetUp() override {
    const std::string url = fmt::format("http://127.0.0.1:{}", scene.tenant().port());
    config = fmt::format(R"([http]
listen = "127.0.0.1:{{}}"
respond_within = "2s"
body_bytes = 2048

[api]
token_env = "TEST_API_TOKEN"

[webhooks.tickets]
secret_env = "TEST_HOOK_SECRET"
delivery_header = "X-Delivery"

[webhooks.plain]
token_env = "TEST_HOOK_TOKEN"

[tenants.sim]
tenant_id = "7d0c9b2e-3a51-4f6b-8e27-90b4d1c6a5f3"
client_id = "0b6e4d92-71c3-4f58-a1d7-3e90c5b2f846"
client_secret_env = "TEST_SECRET"
authority = "{0}"

[tenants.sim.bases]
defender = "{0}"
graph = "{0}"
)",
                         url);
    flows = scene.folder().write("inbound.flow", kFlows);
    environment = {"TEST_API_TOKEN=api token", "TEST_HOOK_SECRET=hook secret", "TEST_HOOK_TOKEN=hook token",
                   "TEST_SECRET=sim-secret"};
    serve();
  }
  void serve() {
    const std::string file = scene.folder().write("flow.toml", fmt::format(fmt::runtime(config), port));
    service = std::make_unique<Process>("flow",
                                        Arguments{"serve", flows, "--config", file, "--store", scene.store()},
                                        ProcessOptions{.folder = {}, .environment = environment});
    ASSERT_TRUE(eventually([&] { return service->out().find("listening at") != std::string::npos; }))
        << service->err();
    const std::string said = service->out();
    const std::string before = "listening at http://127.0.0.1:";
    port = static_cast<std::uint16_t>(std::stoi(said.substr(said.find(before) + before.size())));
    scene.folder().write("flow.toml", fmt::format(fmt::runtime(config), port));  // for `flow run NAME`
  }
  std::string post(const std::string& path, const std::string& body, const std::string& headers) {
    RawClient client(port);
    client.send(
        fmt::format("POST {} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: {}\r\n{}\r\n{}",
                    path, body.size(), headers, body));
    return client.read_all();
  }
  std::string deliver(const std::string& body, const std::string& delivery) {
    return post("/hooks/tickets", body,
                fmt::format("X-Signature-256: sha256={}\r\nX-Delivery: {}\r\nX-User: ann\r\n",
                            hmac_sha256_hex("hook secret", body), delivery));
  }
  std::string start(const std::string& body, const std::string& token = "api token") {
    return post("/api/v1/flows/triage/runs", body, "Authorization: Bearer " + token + "\r\n");
  }
  std::vector<std::string> logs() {
    std::vector<std::string> texts;
    for (const RunRow& run : scene.runs())
      for (const RunStep& step : scene.steps(run.id))
        if (step.kind == EntryKind::Log) texts.push_back(step.text);
    return texts;
  }
  void expect_clean_end() {
    service->send(SIGTERM);
    const Ended ended = service->wait(20s);
    EXPECT_EQ(ended.exit_code, kSuccess) << ended.all();
  }

  Scene scene;
  std::string config, flows;
  std::vector<std::string> environment;
  std::unique_ptr<Process> service;
  std::uint16_t port = 0;
};

TEST_F(Inbound, ADeliveryIsSignedStartsOnceAndShowsNoSecret) {
  const std::string first = deliver(R"({"id":1,"title":"Door"})", "d1");
  ASSERT_THAT(first, StartsWith("HTTP/1.1 202 ")) << first;
  const RunRow run = scene.runs().at(0);
  EXPECT_THAT(first, HasSubstr(R"({"run":")" + run.id + "\"}")) << "it is durable when it is told";
  EXPECT_EQ(run.key, "d1");
  const std::string again = deliver(R"({"id":1,"title":"Door"})", "d1");
  EXPECT_THAT(again, AllOf(StartsWith("HTTP/1.1 202 "), HasSubstr(run.id), HasSubstr(R"("isKnown":true)")));
  EXPECT_THAT(deliver(R"({"id":0,"title":"Door"})", "d2"),
              AllOf(StartsWith("HTTP/1.1 200 "), HasSubstr(R"({"run":null})")));
  EXPECT_TRUE(eventually([&] { return scene.all_over(1); }));
  EXPECT_THAT(logs(), testing::ElementsAre("Door ann - -"));
  EXPECT_THAT(scene.steps(run.id).at(0).result, testing::Not(HasSubstr("sha256=")));
  expect_clean_end();
}

TEST_F(Inbound, TheFlowMayRespond) {
  EXPECT_THAT(deliver(R"({"id":7,"title":"Door"})", "d7"),
              AllOf(StartsWith("HTTP/1.1 201 "), HasSubstr("text/plain"), HasSubstr("\r\n\r\nmade 7")));
  EXPECT_THAT(deliver(R"({"id":8,"title":"Door"})", "d8"), StartsWith("HTTP/1.1 202 ")) << "in two seconds";
  expect_clean_end();
}

TEST_F(Inbound, WhoMayNotIsTurnedAwayAndStartsNothing) {
  const std::string body = R"({"id":1,"title":"Door"})";
  const auto refused = [&](const std::string& path, const std::string& headers, const char* status) {
    EXPECT_THAT(post(path, body, headers), StartsWith(std::string("HTTP/1.1 ") + status))
        << path << " " << headers;
  };
  refused("/hooks/tickets", "", "401");
  refused("/hooks/tickets", "X-Signature-256: sha256=00\r\nX-Delivery: d\r\n", "401");
  refused("/hooks/tickets",
          "X-Signature-256: " + hmac_sha256_hex("another secret", body) + "\r\nX-Delivery: d\r\n", "401");
  refused("/hooks/tickets", "X-Signature-256: " + hmac_sha256_hex("hook secret", body) + "\r\n", "400");
  refused("/hooks/plain", "", "401");
  refused("/hooks/plain", "Authorization: Bearer hook\r\n", "401");
  refused("/hooks/plain", "Authorization: Basic hook token\r\n", "401");
  refused("/hooks/nobody", "", "404");
  refused("/hooks/%", "", "400");
  refused("/api/v1/flows/triage/runs", "Authorization: Bearer hook token\r\n", "401");
  refused("/api/v1/flows//runs", "", "404");
  refused("/", "", "404");
  EXPECT_TRUE(scene.runs().empty());
  expect_clean_end();
}

TEST_F(Inbound, BadBodiesGetAClearAnswer) {
  EXPECT_THAT(deliver("{", "d1"), AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("no well-formed JSON")));
  EXPECT_THAT(deliver(R"({"id":"one","title":"Door"})", "d1"),
              AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("payload.id")));
  EXPECT_THAT(deliver(std::string(1500, '['), "d1"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(deliver("\"" + std::string(4000, 'x') + "\"", "d1"), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(deliver("[1] [2]", "d1"), StartsWith("HTTP/1.1 400 "));
  EXPECT_TRUE(scene.runs().empty());
  expect_clean_end();
}

TEST_F(Inbound, ATokenSufficesForAHookThatSaysSo) {
  const std::string authorization = "Authorization: Bearer hook token\r\n";
  EXPECT_THAT(post("/hooks/plain", "[1]", authorization), StartsWith("HTTP/1.1 202 "));
  EXPECT_THAT(post("/hooks/plain", "[1]", authorization), StartsWith("HTTP/1.1 202 "));
  EXPECT_EQ(scene.runs().size(), 2u) << "nothing tells the deliveries apart but the time";
  expect_clean_end();
}

TEST_F(Inbound, SlowAndSilentClientsHarmNobody) {
  std::vector<std::unique_ptr<RawClient>> slow;
  for (int i = 0; i < 50; ++i) {
    slow.push_back(std::make_unique<RawClient>(port));
    slow.back()->send(i % 2 == 0 ? "POST /hooks/tickets HTTP/1.1\r\nHost: h\r\n"
                                 : "POST /hooks/tickets HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n{");
  }
  EXPECT_THAT(deliver(R"({"id":1,"title":"Door"})", "d1"), StartsWith("HTTP/1.1 202 "));
  {
    RawClient impatient(port);  // leaves while the run is under way
    const std::string body = R"({"id":8,"title":"Door"})";
    impatient.send(
        fmt::format("POST /hooks/tickets HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\nX-Signature-256: "
                    "{}\r\nX-Delivery: d8\r\n\r\n{}",
                    body.size(), hmac_sha256_hex("hook secret", body), body));
  }
  EXPECT_TRUE(eventually([&] { return scene.runs().size() == 2; })) << "it counts all the same";
  EXPECT_THAT(deliver(R"({"id":2,"title":"Door"})", "d2"), StartsWith("HTTP/1.1 202 "));
  expect_clean_end();
}

TEST_F(Inbound, PeopleStartFlows) {
  EXPECT_THAT(start(R"({"arguments":{"machine":"m1"},"key":"k"})"), StartsWith("HTTP/1.1 202 "));
  EXPECT_THAT(start(R"({"arguments":{"machine":"m1"},"key":"k"})"), HasSubstr(R"("isKnown":true)"));
  EXPECT_THAT(
      start(R"({"arguments":{}})"),
      AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("the argument `machine` is missing: it is a String")));
  EXPECT_THAT(start(R"({"argumnets":{}})"), AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("unknown member")));
  EXPECT_THAT(start(R"({"arguments":{"machine":"m"},"tenant":"contoso"})"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(start("{}", "wrong"), StartsWith("HTTP/1.1 401 "));
  EXPECT_THAT(post("/api/v1/flows/take/runs", "{}", "Authorization: Bearer api token\r\n"),
              StartsWith("HTTP/1.1 404 "));
  const std::string file = scene.folder().path("flow.toml");
  const ProcessOptions options{.folder = {}, .environment = environment};
  const Ended ran =
      run_flow({"run", "triage", "--config", file, "--arg", "machine=007", "--arg", "times=3"}, options);
  EXPECT_EQ(ran.exit_code, kSuccess) << ran.all();
  EXPECT_THAT(ran.out, StartsWith("started run 0"));
  const Ended wrong = run_flow({"run", "triag", "--config", file}, options);
  EXPECT_EQ(wrong.exit_code, kUsage);
  EXPECT_THAT(wrong.err, HasSubstr("did you mean `triage`?"));
  EXPECT_TRUE(eventually([&] { return scene.all_over(2); }));
  EXPECT_THAT(logs(), testing::ElementsAre("007 3", "m1 1"));
  expect_clean_end();
}

TEST_F(Inbound, WhatWasToldSurvivesAKill) {
  std::vector<std::string> told;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 10; ++i) {
      const std::string answer = deliver(R"({"id":1,"title":"Door"})", fmt::format("r{}-{}", round, i));
      const std::size_t at = answer.find(R"({"run":")");
      ASSERT_NE(at, std::string::npos) << answer;
      told.push_back(answer.substr(at + 8, 26));
    }
    service->kill();
    port = 0;
    ASSERT_NO_FATAL_FAILURE(serve());
  }
  std::vector<std::string> stored;
  for (const RunRow& run : scene.runs()) stored.push_back(run.id);
  EXPECT_THAT(stored, testing::UnorderedElementsAreArray(told));
  EXPECT_TRUE(eventually([&] { return scene.all_over(30); }));
  expect_clean_end();
}

TEST_F(Inbound, AHookWithoutConfigurationOrFlowIsRefused) {
  expect_clean_end();
  const std::string file = scene.folder().path("flow.toml");
  const std::string none =
      scene.folder().write("none.flow", "flow other on webhook \"other\" (body: Json) do log \"x\"\n");
  const Ended ended = run_flow({"serve", flows, none, "--config", file, "--store", scene.store()},
                               {.folder = {}, .environment = environment});
  EXPECT_EQ(ended.exit_code, kWorldWrong);
  EXPECT_THAT(ended.err, HasSubstr("it needs `[webhooks.other]`"));
}

// In this process, without a service.
TEST(RunByHand, CarriesAFlowOutWithItsArguments) {
  Scene scene;
  const std::string file =
      scene.folder().write("by-hand.flow", std::string(kFlows) +
                                               "flow tells on run.failed do log \"told\"\n"
                                               "flow breaks on manual () do fail \"no luck\"\n"
                                               "flow ticks on every 1s do log \"tick\"\n");
  const Arguments tenant{"--sim", "--sim-port", std::to_string(scene.tenant().port())};
  const auto run = [&](Arguments words) {
    words.insert(words.begin(), {"run", file});
    words.insert(words.end(), tenant.begin(), tenant.end());
    return run_flow(words);
  };
  const Ended ran = run({"--flow", "triage", "--arg", "machine=007"});
  EXPECT_EQ(ran.exit_code, kSuccess) << ran.all();
  EXPECT_THAT(ran.out, HasSubstr("says: 007 1"));
  const Ended failed = run({"--flow", "breaks"});
  EXPECT_EQ(failed.exit_code, kFlowWrong) << failed.all();
  EXPECT_THAT(failed.out, HasSubstr("says: told"));
  EXPECT_THAT(run({}).err, HasSubstr("choose one with --flow: triage, breaks"));
  const Ended missing = run({"--flow", "triage"});
  EXPECT_EQ(missing.exit_code, kUsage);
  EXPECT_THAT(missing.err, HasSubstr("the argument `machine` is missing: it is a String"));
  EXPECT_THAT(run({"--flow", "triage", "--arg", "machine"}).err, HasSubstr("write `--arg name=value`"));
}

}  // namespace
}  // namespace flow::e2e
