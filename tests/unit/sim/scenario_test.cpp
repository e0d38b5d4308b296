#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "apps/sim/json_place.hpp"
#include "tests/unit/sim/tenant_fixture.hpp"

namespace flow::sim {
namespace {

TEST(Scenarios, HappenInTheirTime) {
  TestTenant t;
  const Answered begun = t.sim("POST", "scenario", R"({"name":"s",
    "devices":[{"computerDnsName":"a.corp.example.com","osPlatform":"Windows11"}],
    "users":[{"name":"eve","devices":["a.corp.example.com"]}],
    "outcomes":[{"device":"a.corp.example.com","action":"Isolate","status":"Failed","times":1}],
    "events":[{"at":"10m","update":{"alert":"one","status":"Resolved","by":"ann","comment":"done"}},
              {"at":"1m","as":"one","alert":{"computerDnsName":"a.corp.example.com","severity":"High"}},
              {"at":"2m","offline":{"device":"a.corp.example.com","for":"5m"}}]})");
  ASSERT_EQ(begun.status, 200) << begun.message();
  EXPECT_TRUE(t.sim("GET", "alerts").value().empty());
  t.pass_seconds(61);
  const Json alert = t.sim("GET", "alerts").value().at(0);
  EXPECT_EQ(alert["alertCreationTime"].text().substr(0, 19),
            format_time_us(t.clock.now - 1'000'000).substr(0, 19));
  const std::string at = "/api/machines/" + std::string(alert["machineId"].text());
  EXPECT_EQ(t.defender("GET", at + "/logonusers").value().at(0)["accountName"].text(), "eve");
  const std::string first(t.defender("POST", at + "/isolate", R"({"Comment":"c"})").json["id"].text());
  t.pass_seconds(3);
  EXPECT_EQ(t.defender("GET", "/api/machineactions/" + first).json["status"].text(), "Failed");
  t.pass_seconds(60);
  const std::string second(t.defender("POST", at + "/isolate", R"({"Comment":"c"})").json["id"].text());
  t.pass_seconds(200);
  EXPECT_EQ(t.defender("GET", "/api/machineactions/" + second).json["status"].text(), "Pending") << "offline";
  t.pass_seconds(120);
  t.sim("GET", "stats");
  t.pass_seconds(3);
  EXPECT_EQ(t.defender("GET", "/api/machineactions/" + second).json["status"].text(), "Succeeded");
  t.pass_seconds(300);
  const Json later = t.sim("GET", "alerts").value().at(0);
  EXPECT_EQ(later["status"].text(), "Resolved");
  EXPECT_EQ(later["comments"].items().at(0)["createdBy"].text(), "ann");
  const Json story = t.sim("GET", "scenario").json;
  EXPECT_EQ(story["happened"].items().size(), 4u);
  EXPECT_TRUE(story["to_come"].items().empty());
  EXPECT_EQ(story["alerts"]["one"].text(), alert["id"].text());
}

TEST(Scenarios, MistakesAreNamedAndChangeNothing) {
  TestTenant t;
  const std::string before = t.sim("GET", "machines").whole.body;
  const auto problem = [&](const std::string& json) { return t.sim("POST", "scenario", json).message(); };
  EXPECT_EQ(problem("[]"), "a scenario must be an object, not a list");
  EXPECT_EQ(problem(R"({"event":[]})"), "a scenario has no `event`; did you mean `events`?");
  EXPECT_EQ(problem(R"({"events":{}})"), "events: must be a list, not an object");
  EXPECT_EQ(problem(R"({"events":[{"at":"soon","alert":{}}]})"),
            "events[0]: an event needs `at`, a duration since the beginning as `90s` or `1h30m`");
  EXPECT_EQ(problem(R"({"events":[{"at":"1s"}]})").substr(0, 30), "events[0]: an event needs one ");
  EXPECT_EQ(problem(R"({"events":[{"at":"1s","alert":{},"update":{}}]})"),
            "events[0]: an event holds one thing, not `alert` and `update`");
  EXPECT_EQ(problem(R"({"events":[{"at":"1s","alrt":{}}]})"),
            "events[0]: an event has no `alrt`; did you mean `alert`?");
  EXPECT_EQ(
      problem(
          R"({"devices":[{"computerDnsName":"n.example"}],"events":[{"at":"1s","alert":{"severity":"Hihg"}}]})"),
      "events[0].alert: `Hihg` is no severity; did you mean `High`?");
  EXPECT_EQ(problem(R"({"events":[{"at":"2s","alert":{},"as":"x"},{"at":"1s","update":{"alert":"x"}}]})"),
            "events[1].update: there is no alert `x` by then");
  EXPECT_EQ(problem(R"({"events":[{"at":"2s","offline":{"device":"nowhere"}}]})").substr(0, 54),
            "events[0].offline: there is no device `nowhere`");
  EXPECT_EQ(problem(R"({"users":[{"name":"a","devices":["nowhere"]}]})"),
            "users[0]: there is no device `nowhere`");
  EXPECT_EQ(problem(R"({"outcomes":[{"status":"Cancelled"}]})"),
            "outcomes[0]: 'Cancelled' is no value of 'status'. Accepted: Succeeded, Failed, TimeOut.");
  EXPECT_EQ(problem(R"({"settings":{"quotas":true}})"),
            "settings: the configuration has no `quotas`; did you mean `quota`?");
  EXPECT_EQ(problem(R"({"events":[{"at":"2s","fault":{"match":"x"}}]})").substr(0, 24),
            "events[0].fault: `match`");
  EXPECT_EQ(t.sim("GET", "machines").whole.body, before);
}

TEST(Scenarios, FilesAreToldWithLineAndColumn) {
  TestTenant t;
  const auto loaded = [&](const char* text) {
    const Status status = t.tenant.load_scenario(text);
    return status ? std::string() : status.error().message;
  };
  EXPECT_EQ(loaded("{\n  \"events\": [\n    {\"at\": \"1s\", \"alert\": {\"severity\": \"x\"}}\n  ]\n}")
                .substr(0, 25),
            "3:27: events[0].alert: `x");
  EXPECT_EQ(loaded("{\n  \"events\": [,]\n}").substr(0, 6), "2:14: ");
  EXPECT_EQ(loaded("").substr(0, 5), "1:1: ");
  EXPECT_EQ(loaded(R"({"name": "quiet"})"), "");
}

TEST(Scenarios, PlacesOfBrokenTextsEnd) {
  for (const char* text :
       {"", "{", "[", "{\"a\"", "{\"a\":", "[1,", "\"", "\"\\", "nul", "{\"a\" 1}", "[1 2]", "]", "{,}", "-"})
    EXPECT_TRUE(first_mistake(text)) << text;
  for (const char* text : {"{}", " [1, {\"a\": [null, \"x\\\"\"]}] ", "-1.5e3", "\"\""})
    EXPECT_FALSE(first_mistake(text)) << text;
  EXPECT_EQ(place_of("{\"a\": [1,\n {\"b\": 2}]}", {"a", "[1]", "b"}).line, 2u);
  EXPECT_EQ(place_of("{\"a\": 1}", {"zz", "[3]"}).column, 1u);
}

TEST(Scenarios, ExamplesPlayToTheirEnd) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(FLOW_SOURCE_DIR "/examples/scenarios")) {
    if (entry.path().extension() != ".json") continue;
    std::ifstream file(entry.path());
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    TestTenant t;
    const Status status = t.tenant.load_scenario(text);
    ASSERT_TRUE(status) << entry.path() << ":" << status.error().message;
    for (int minute = 0; minute < 90; ++minute) {
      t.pass_seconds(60);
      t.sim("GET", "stats");
    }
    const Json story = t.sim("GET", "scenario").json;
    EXPECT_TRUE(story["to_come"].items().empty());
    for (const Json& event : story["happened"].items())
      EXPECT_TRUE(event["error"].is_null()) << event.to_text();
    EXPECT_FALSE(t.sim("GET", "alerts").value().empty());
    ++count;
  }
  EXPECT_EQ(count, 3);
}

TEST(Speed, IsThatOfTheTenantsClock) {
  TestTenant t(TenantOptions{.speed = 60});
  const Answered token = t.ask_token(
      "grant_type=client_credentials&client_id=0b6e4d92-71c3-4f58-a1d7-3e90c5b2f846&client_secret=sim-secret&"
      "scope="
      "https%3A%2F%2Fapi.securitycenter.microsoft.com%2F.default");
  EXPECT_EQ(token.json["expires_in"].integer(), 60) << "an hour of the tenant";
  const std::string id(t.defender("POST", "/api/machines/" + t.machine() + "/isolate", R"({"Comment":"c"})")
                           .json["id"]
                           .text());
  t.pass_seconds(0.05);
  EXPECT_EQ(t.defender("GET", "/api/machineactions/" + id).json["status"].text(), "Succeeded")
      << "two seconds";
  for (int i = 0; i < 100; ++i) t.defender("GET", "/api/alerts?$top=1");
  EXPECT_EQ(t.defender("GET", "/api/alerts?$top=1").whole.header("Retry-After"), "1");
  t.pass_seconds(1);
  EXPECT_EQ(t.defender("GET", "/api/alerts?$top=1").status, 200);
  t.pass_seconds(60);
  EXPECT_EQ(t.defender("GET", "/api/alerts?$top=1").status, 401);
  const std::string before = t.sim("GET", "stats").json["time"].to_text();
  EXPECT_EQ(t.sim("POST", "config", R"({"speed":1})").status, 200);
  EXPECT_EQ(t.sim("GET", "stats").json["time"].to_text().substr(0, 21), before.substr(0, 21))
      << "time does not jump";
  for (const char* wrong : {"0.5", "3601", "\"2\"", "null"})
    EXPECT_EQ(t.sim("POST", "config", std::string(R"({"speed":)") + wrong + "}").status, 400) << wrong;
}

}  // namespace
}  // namespace flow::sim
