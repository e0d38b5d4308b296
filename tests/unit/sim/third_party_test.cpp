// The doubles of Teams, Slack, ServiceNow, Jira, Sentinel, Log Analytics, Key Vault and any other service.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/sim/tenant_fixture.hpp"

namespace flow::sim {
namespace {

using ::testing::HasSubstr;

struct Services : TestTenant {
  Answered login(const std::string& method, const std::string& target, const std::string& body = {},
                 const std::string& header = "Basic Zmxvdzpwdw==") {
    HttpQuestion question{
        method, target, {{"Content-Type", "application/json"}, {"Authorization", header}}, body};
    Answered answered;
    answered.whole = tenant.handle(question);
    answered.status = answered.whole.status;
    if (auto json = parse_json(answered.whole.body)) answered.json = std::move(*json);
    return answered;
  }
};

std::string card(const std::string& content) {
  return R"({"type":"message","attachments":[{"contentType":"application/vnd.microsoft.card.adaptive","content":)" +
         content + "}]}";
}

TEST(TeamsDouble, ChecksCards) {
  Services services;
  const std::string good =
      R"({"type":"AdaptiveCard","version":"1.4","body":[{"type":"TextBlock","text":"x"}],"actions":[]})";
  EXPECT_EQ(services.ask("POST", "/teams/soc", card(good)).status, 202);
  EXPECT_EQ(services.ask("POST", "/workflows/1/triggers/manual/paths/invoke?sig=x", card(good)).status, 202);
  EXPECT_EQ(services.sim("GET", "teams").value().size(), 2u);
  EXPECT_THAT(services
                  .ask("POST", "/teams/soc",
                       card(R"({"type":"AdaptiveCard","version":"1.4","body":[{"type":"TextBlok"}]})"))
                  .message(),
              HasSubstr("'TextBlok' is no element"));
  services.pass_seconds(2);
  EXPECT_EQ(services
                .ask("POST", "/teams/soc",
                     card(R"({"type":"AdaptiveCard","version":"1.4","actions":[{"type":"Action.Submit"}]})"))
                .status,
            400);
  EXPECT_EQ(services.ask("POST", "/teams/soc", R"({"text":"x"})").status, 400);
  EXPECT_EQ(services.ask("POST", "/teams/no-such", card(good)).status, 404);
  services.pass_seconds(2);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(services.ask("POST", "/teams/soc", card(good)).status, 202);
  EXPECT_EQ(services.ask("POST", "/teams/soc", card(good)).status, 429);
}

TEST(SlackDouble, SaysNotOkWith200) {
  Services services;
  const auto post = [&](const std::string& body) {
    return services.login("POST", "/api/chat.postMessage", body, "Bearer xoxb-1");
  };
  EXPECT_TRUE(post(R"({"channel":"C01","text":"x"})").json["ok"].boolean());
  EXPECT_EQ(post(R"({"channel":"C01","text":"x"})").status, 429);
  EXPECT_EQ(post(R"({"channel":"no-such","text":"x"})").json["error"].text(), "channel_not_found");
  EXPECT_EQ(post(R"({"channel":"C02"})").json["error"].text(), "no_text");
  EXPECT_EQ(services.ask("POST", "/api/chat.postMessage", "{}").json["error"].text(), "not_authed");
  EXPECT_EQ(services.ask("POST", "/services/T1/B1/s3", R"({"text":"x"})").whole.body, "ok");
  EXPECT_EQ(services.ask("POST", "/services/T1/B1/no-such", R"({"text":"x"})").whole.body, "no_service");
  EXPECT_EQ(services.sim("GET", "slack").value().size(), 2u);
}

TEST(ServiceNowDouble, KeepsIncidents) {
  Services services;
  const Answered made =
      services.login("POST", "/api/now/table/incident",
                     R"({"short_description":"x","correlation_id":"flow-1","caller_id":"bot"})");
  ASSERT_EQ(made.status, 201);
  const std::string id(made.json["result"]["sys_id"].text());
  EXPECT_TRUE(made.json["result"]["caller_id"].is_object());
  EXPECT_EQ(
      services
          .login("GET", "/api/now/table/incident?sysparm_query=correlation_id%3Dflow-1&sysparm_fields=number")
          .json["result"]
          .items()
          .size(),
      1u);
  EXPECT_TRUE(services.login("GET", "/api/now/table/incident?sysparm_query=correlation_id%3Dflow-2")
                  .json["result"]
                  .items()
                  .empty());
  EXPECT_EQ(services.login("PATCH", "/api/now/table/incident/" + id, R"({"state":"6"})")
                .json["result"]["state"]
                .text(),
            "6");
  EXPECT_EQ(services.login("GET", "/api/now/table/incident/none").status, 404);
  EXPECT_EQ(services.ask("GET", "/api/now/table/incident").status, 401);
}

TEST(JiraDouble, KeepsIssues) {
  Services services;
  const std::string fields = R"("project":{"key":"SOC"},"issuetype":{"name":"Task"},"labels":["flow-1"])";
  const Answered made =
      services.login("POST", "/rest/api/3/issue", R"({"fields":{"summary":"x",)" + fields + "}}");
  ASSERT_EQ(made.status, 201);
  const std::string issue = "/rest/api/3/issue/" + std::string(made.json["key"].text());
  EXPECT_NE(services.login("POST", "/rest/api/3/issue", "{\"fields\":{" + fields + "}}")
                .json["errors"]
                .find("summary"),
            nullptr);
  EXPECT_EQ(
      services.login("POST", "/rest/api/3/search/jql", R"({"jql":"labels = \"flow-1\" AND project = SOC"})")
          .json["issues"]
          .items()
          .size(),
      1u);
  EXPECT_EQ(services.login("POST", "/rest/api/3/search/jql", R"({"jql":"text ~ x"})").status, 400);
  EXPECT_EQ(services.login("POST", issue + "/comment", R"({"body":{"type":"doc","version":1,"content":[]}})")
                .status,
            201);
  EXPECT_EQ(services.login("GET", issue + "/transitions").json["transitions"].items().size(), 3u);
  EXPECT_EQ(services.login("POST", issue + "/transitions", R"({"transition":{"id":"31"}})").status, 204);
  EXPECT_EQ(services.login("GET", issue).json["fields"]["status"]["name"].text(), "Done");
  EXPECT_EQ(services.login("GET", "/rest/api/3/issue/SOC-999").status, 404);
}

TEST(SentinelDouble, ClosesCommentsAndChecksEtags) {
  Services services;
  services.sim("POST", "alerts", R"({"incidentId": 924, "machineId": ")" + services.machine() + R"("})");
  const std::string token = services.token("https://management.azure.com");
  const std::string base =
      "/subscriptions/s/resourceGroups/g/providers/Microsoft.OperationalInsights/workspaces/w/providers/"
      "Microsoft.SecurityInsights/incidents";
  const std::string version = "?api-version=2023-02-01";
  const Answered all = services.ask("GET", base + version, "", token);
  ASSERT_EQ(all.value().size(), 1u);
  const std::string one = base + "/" + std::string(all.value()[0]["name"].text());
  const std::string etag(all.value()[0]["etag"].text());
  const std::string properties =
      R"("properties":{"title":"x","severity":"High","status":"Closed","classification":"Undetermined"})";
  std::string current = Json::object({{"etag", etag}}).to_text();
  current.back() = ',';
  EXPECT_EQ(services.ask("PUT", one + version, current + properties + "}", token).status, 200);
  EXPECT_EQ(services.ask("PUT", one + version, R"({"etag":"\"old\"",)" + properties + "}", token).status,
            412);
  EXPECT_EQ(services
                .ask("PUT", one + version,
                     R"({"properties":{"title":"x","severity":"High","status":"Closed"}})", token)
                .status,
            400);
  EXPECT_EQ(services.ask("PUT", one + "/comments/c1" + version, R"({"properties":{"message":"seen"}})", token)
                .status,
            201);
  EXPECT_EQ(services.ask("PUT", one + "/comments/c1" + version, R"({"properties":{"message":"seen"}})", token)
                .status,
            200);
  EXPECT_EQ(services.ask("GET", one + "/comments" + version, "", token).value().size(), 1u);
  EXPECT_EQ(services.ask("POST", one + "/entities" + version, "", token)
                .json["entities"]
                .items()
                .at(0)["kind"]
                .text(),
            "Host");
  EXPECT_EQ(services.ask("GET", base, "", token).status, 400);
  EXPECT_EQ(services.ask("GET", base + version).status, 401);
}

TEST(AzureDoubles, AnswerQueriesAndSecrets) {
  Services services;
  const std::string logs = services.token("https://api.loganalytics.io");
  const Answered answered =
      services.ask("POST", "/v1/workspaces/w/query", R"x({"query":"print A = 1, B = dynamic([1])"})x", logs);
  EXPECT_EQ(
      answered.json["tables"].items().at(0).to_text(),
      R"({"name":"PrimaryResult","columns":[{"name":"A","type":"long"},{"name":"B","type":"dynamic"}],"rows":[[1,"[1]"]]})");
  EXPECT_EQ(services.ask("POST", "/v1/workspaces/w/query", R"({"query":"Nope"})", logs).status, 400);
  EXPECT_EQ(services.ask("POST", "/v1/workspaces/w/query", "no json", logs).status, 400);
  const std::string vault = services.token("https://vault.azure.net");
  EXPECT_EQ(services.ask("GET", "/secrets/flow-secret?api-version=7.4", "", vault).json["value"].text(),
            "s3cret-of-the-vault");
  EXPECT_EQ(services.ask("GET", "/secrets/none?api-version=7.4", "", vault).status, 404);
  EXPECT_EQ(services.ask("GET", "/secrets/flow-secret?api-version=7.4").status, 401);
  const auto version = [&](const std::string& id) {
    return services.ask("GET", "/secrets/flow-secret/" + id + "?api-version=7.4", "", vault).status;
  };
  EXPECT_EQ(version("4387e9f3d6e14c459867679a90fd0f79"), 200);
  EXPECT_EQ(version("0a1b"), 404);
  services.sim("POST", "secrets",
               R"({"off":{"value":"x","enabled":false},"shut":{"value":"x","allowed":false},
                                      "old":{"value":"x","exp":1600000000}})");
  const auto inner = [&](const std::string& name) {
    const Answered got = services.ask("GET", "/secrets/" + name + "?api-version=7.4", "", vault);
    return std::to_string(got.status) + " " + std::string(got.json["error"]["innererror"]["code"].text());
  };
  EXPECT_EQ(inner("off"), "403 SecretDisabled");
  EXPECT_EQ(inner("shut"), "403 ForbiddenByRbac");
  EXPECT_EQ(
      services.ask("GET", "/secrets/old?api-version=7.4", "", vault).json["attributes"]["exp"].integer(),
      1'600'000'000);
}

TEST(EchoDouble, ShowsWhatCame) {
  Services services;
  const Answered echoed = services.login("POST", "/echo/a?x=1", R"({"n":1})");
  EXPECT_EQ(echoed.json["query"]["x"].text(), "1");
  EXPECT_EQ(echoed.json["body"]["n"].integer(), 1);
  EXPECT_EQ(echoed.json["headers"]["authorization"].text(), "(hidden)");
  EXPECT_EQ(services.ask("GET", "/status/503").status, 503);
  EXPECT_EQ(services.ask("GET", "/reputation/198.51.100.7").status, 401);
}

}  // namespace
}  // namespace flow::sim
