// Hunting in the tenant's own tables by its three doors: what they hold, and what the doors answer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/sim/tenant_fixture.hpp"

namespace flow::sim {
namespace {

using ::testing::HasSubstr;

std::string body(const std::string& query, const std::string& timespan = "") {
  Json json = Json::object({{"Query", query}});
  if (!timespan.empty()) json.set("Timespan", timespan);
  return json.to_text();
}

struct Hunters : TestTenant {
  Answered by_graph(const std::string& query, const std::string& timespan = "") {
    return graph("POST", "/v1.0/security/runHuntingQuery", body(query, timespan));
  }
  Answered by_defender(const std::string& query) {
    return defender("POST", "/api/advancedqueries/run", body(query));
  }
  std::int64_t count(const std::string& query) {
    const Answered answered = by_graph(query + " | count");
    EXPECT_EQ(answered.status, 200) << answered.message();
    return answered.json["results"].items().at(0)["Count"].integer();
  }
};

TEST(Hunting, AnswersInEachDoorsShape) {
  Hunters tenant;
  const Answered graph = tenant.by_graph("DeviceInfo | take 1 | project Timestamp, DeviceId, IsExcluded");
  ASSERT_EQ(graph.status, 200);
  EXPECT_EQ(
      graph.json["schema"].to_text(),
      R"([{"name":"Timestamp","type":"DateTime"},{"name":"DeviceId","type":"String"},{"name":"IsExcluded","type":"SByte"}])");
  EXPECT_EQ(graph.json["results"].items().at(0)["Timestamp@odata.type"].text(), "#DateTimeOffset");
  const Answered old = tenant.by_defender("DeviceInfo | take 1 | project DeviceId");
  ASSERT_EQ(old.status, 200);
  EXPECT_EQ(old.json["Schema"].to_text(), R"([{"Name":"DeviceId","Type":"String"}])");
  EXPECT_EQ(old.json["Results"].items().size(), 1u);
  EXPECT_NE(old.json.find("Stats"), nullptr);
  const std::string token = tenant.token("https://api.security.microsoft.com");
  EXPECT_EQ(tenant.ask("POST", "/api/advancedhunting/run", body("EmailEvents | take 1"), token).status, 200);
  EXPECT_EQ(tenant.by_graph("DeviceInfo | take 0").json["schema"].items().size(), 29u);
}

// Devices are told when one of them has changed, and every quarter of an hour; rows from outside stay.
TEST(Hunting, DevicesAreToldAnewWhenTheyHaveChanged) {
  Hunters tenant;
  const std::string id = tenant.machine();
  const std::string tagged = "DeviceInfo | where DeviceManualTags has 'Hunted'";
  const auto told = [&] {
    return tenant.by_graph("DeviceInfo | summarize max(Timestamp)").json["results"].to_text();
  };
  EXPECT_EQ(tenant.count(tagged), 0);
  const std::string first = told();
  tenant.pass_seconds(60);
  EXPECT_EQ(told(), first);
  tenant.defender("POST", "/api/machines/" + id + "/tags", R"({"Value":"Hunted","Action":"Add"})");
  EXPECT_EQ(tenant.count(tagged), 1);
  EXPECT_NE(told(), first);
  tenant.sim("POST", "machines", R"({"computerDnsName":"vip-02.corp.example.com","machineTags":["Hunted"]})");
  EXPECT_EQ(tenant.count(tagged), 2);
  const std::string second = told();
  tenant.pass_seconds(901);
  EXPECT_NE(told(), second);
  tenant.sim("POST", "tables/DeviceInfo", R"([{"DeviceName":"outside","DeviceManualTags":"Hunted"}])");
  EXPECT_EQ(tenant.count(tagged), 3);
  tenant.pass_seconds(901);
  EXPECT_EQ(tenant.count(tagged), 3);
}

TEST(Hunting, RowsAgreeWithDevicesAndAlerts) {
  Hunters tenant;
  const Json alert =
      tenant.sim("POST", "alerts", R"({"machineId": ")" + tenant.machine() + R"("})").value().at(0);
  const std::string id(alert["id"].text());
  EXPECT_EQ(tenant.count("AlertInfo | where AlertId == '" + id + "'"), 1);
  EXPECT_EQ(tenant.count("AlertEvidence | where AlertId == '" + id + "'"),
            static_cast<std::int64_t>(alert["evidence"].items().size()) + 1);
  for (const Json& item : alert["evidence"].items()) {
    if (item["entityType"].text() != "Process") continue;
    EXPECT_EQ(tenant.count("DeviceProcessEvents | where SHA1 == '" + std::string(item["sha1"].text()) + "'"),
              1);
  }
  EXPECT_EQ(tenant.count("DeviceInfo"), 200);
  EXPECT_EQ(tenant.count("DeviceProcessEvents | join kind=leftanti DeviceInfo on DeviceId"), 0);
  EXPECT_GT(tenant.count("DeviceProcessEvents | where Timestamp > ago(1d)"), 0);
  EXPECT_GT(tenant.count("DeviceTvmSoftwareVulnerabilities | join kind=inner DeviceInfo on DeviceId"), 0);
  EXPECT_EQ(tenant.count("DeviceTvmSoftwareVulnerabilities | join kind=leftanti DeviceTvmSoftwareInventory "
                         "on DeviceId, SoftwareName"),
            0);
  EXPECT_EQ(tenant.count("UrlClickEvents | join kind=leftanti EmailUrlInfo on NetworkMessageId"), 0);
  EXPECT_LT(
      tenant.by_graph("DeviceProcessEvents | count", "P1D").json["results"].items()[0]["Count"].integer(),
      tenant.count("DeviceProcessEvents"));
}

TEST(Hunting, TheSameSeedGivesTheSameRows) {
  Hunters one, other;
  const std::string query = "union withsource=T * | summarize count() by T | sort by T asc";
  EXPECT_EQ(one.by_graph(query).whole.body, other.by_graph(query).whole.body);
}

TEST(Hunting, RowsComeFromOutsideToo) {
  Hunters tenant;
  const std::string row =
      R"({"Timestamp": "2026-11-18T11:00:00Z", "DeviceName": "vip", "ReportId": 7, "AdditionalFields": {"a": [1]}})";
  EXPECT_EQ(tenant.sim("POST", "tables/DeviceEvents", "[" + row + "," + row + "]").status, 200);
  EXPECT_EQ(tenant.count("DeviceEvents | where DeviceName == 'vip' and AdditionalFields.a[0] == 1"), 2);
  EXPECT_EQ(tenant.sim("GET", "tables/DeviceEvents").json["total"].integer(), 2);
  EXPECT_THAT(tenant.sim("POST", "tables/DeviceEvents", R"({"DeviceNam": 1})").message(),
              HasSubstr("did you mean `DeviceName`?"));
  EXPECT_THAT(tenant.sim("POST", "tables/DeviceEvents", R"({"ReportId": "x"})").message(),
              HasSubstr("must be a long"));
  EXPECT_THAT(tenant.sim("POST", "tables/DeviceEvent", "[]").message(),
              HasSubstr("did you mean `DeviceEvents`?"));
  EXPECT_EQ(tenant.sim("POST", "alerts", R"({"evidence": [7]})").status, 400);
  EXPECT_EQ(
      tenant
          .sim("POST", "alerts", R"({"evidence": [{"entityType": "Process", "processId": "x", "sha1": 5}]})")
          .status,
      200);
  EXPECT_GT(tenant.count("AlertEvidence"), 0);  // what does not fit a column is left out
}

TEST(Hunting, RefusalsSayWhatAndWhere) {
  Hunters tenant;
  const Answered wrong = tenant.by_graph("DeviceInfo | where DeviceNam == 'x'");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(wrong.code(), "BadRequest");
  EXPECT_THAT(wrong.message(), HasSubstr("named 'DeviceNam'; did you mean 'DeviceName'? (line [1,20])"));
  EXPECT_NE(wrong.json["error"]["innerError"].find("request-id"), nullptr);
  EXPECT_EQ(tenant.by_defender("EmailEvents").status, 400);  // only devices and alerts
  EXPECT_EQ(tenant.graph("POST", "/v1.0/security/runHuntingQuery", "{}").status, 400);
  EXPECT_EQ(tenant.graph("POST", "/v1.0/security/runHuntingQuery", "no json").status, 400);
  EXPECT_EQ(tenant.by_graph("DeviceInfo", "last week").status, 400);
  tenant.sim("POST", "config", R"({"roles": ["SecurityAlert.Read.All"]})");
  const std::string poor = tenant.token("https://graph.microsoft.com");
  EXPECT_EQ(tenant.ask("POST", "/v1.0/security/runHuntingQuery", body("DeviceInfo"), poor).status, 403);
}

TEST(Hunting, CallsHaveQuotas) {
  Hunters tenant;
  for (int i = 0; i < 45; ++i) ASSERT_EQ(tenant.by_graph("print 1").status, 200);
  EXPECT_EQ(tenant.by_graph("print 1").status, 429);
  for (int i = 0; i < 45; ++i) ASSERT_EQ(tenant.by_defender("print 1").status, 200);
  EXPECT_EQ(tenant.by_defender("print 1").status, 429);
  EXPECT_FALSE(tenant.by_defender("print 1").whole.header("Retry-After").empty());
  tenant.pass_seconds(61);
  EXPECT_EQ(tenant.by_graph("print 1").status, 200);
}

TEST(Hunting, TheOldApiEndsWithoutData) {
  Hunters tenant;
  tenant.clock.now = 1'801'440'000'000'000;  // 2027-02-01
  tenant.defender_token.clear();
  const Answered late = tenant.by_defender("DeviceInfo | project DeviceId");
  EXPECT_EQ(late.status, 200);
  EXPECT_EQ(late.json["Schema"].items().size(), 1u);
  EXPECT_TRUE(late.json["Results"].items().empty());
  EXPECT_GT(tenant.count("DeviceInfo"), 0);
}

}  // namespace
}  // namespace flow::sim
