// Graph's alerts, incidents, people, groups and risk.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/sim/tenant_fixture.hpp"

namespace flow::sim {
namespace {

using ::testing::HasSubstr;

struct GraphTenant : TestTenant {
  std::string alert(const std::string& given = R"({"severity": "High"})") {
    return std::string(sim("POST", "alerts", given).value().at(0)["id"].text());
  }
  std::string user(const std::string& name = "m.ortega") {
    return std::string(graph("GET", "/v1.0/users/" + name + "@example.com").json["id"].text());
  }
};

TEST(GraphAlerts, AreDefendersInAnotherShape) {
  GraphTenant tenant;
  const std::string id = tenant.alert(R"({"severity": "High", "machineId": ")" + tenant.machine() + R"("})");
  tenant.alert(R"({"severity": "Low"})");
  const Answered one = tenant.graph("GET", "/v1.0/security/alerts_v2/" + id);
  ASSERT_EQ(one.status, 200);
  EXPECT_EQ(one.json["severity"].text(), "high");
  EXPECT_EQ(one.json["status"].text(), "new");
  EXPECT_TRUE(one.json["incidentId"].is_text());
  EXPECT_EQ(one.json["evidence"].items().at(0)["mdeDeviceId"].text(), tenant.machine());
  EXPECT_EQ(tenant.graph("GET", "/v1.0/security/alerts_v2?$filter=" + percent_encoded("severity eq 'high'"))
                .value()
                .size(),
            1u);
  const Answered first = tenant.graph("GET", "/v1.0/security/alerts_v2?$top=1&$count=true");
  EXPECT_EQ(first.json["@odata.count"].integer(), 2);
  EXPECT_EQ(tenant.graph("GET", "/v1.0/security/alerts_v2?$filter=title%20eq%20'x'").status, 400);
  EXPECT_EQ(tenant.graph("GET", "/v1.0/security/alerts_v2/none").status, 404);
}

TEST(GraphAlerts, AreChangedAndCommentedOn) {
  GraphTenant tenant;
  const std::string path = "/v1.0/security/alerts_v2/" + tenant.alert();
  const Answered changed = tenant.graph(
      "PATCH", path,
      R"({"status": "inProgress", "classification": "truePositive", "assignedTo": "soc@example.com"})");
  ASSERT_EQ(changed.status, 200);
  EXPECT_EQ(changed.json["status"].text(), "inProgress");
  EXPECT_EQ(changed.json["classification"].text(), "truePositive");
  EXPECT_EQ(tenant.sim("GET", "alerts").value().at(0)["status"].text(), "InProgress");
  EXPECT_EQ(tenant.graph("PATCH", path, R"({"title": "x"})").status, 400);
  EXPECT_EQ(tenant.graph("PATCH", path, R"({"status": "done"})").status, 400);
  EXPECT_EQ(tenant.graph("PATCH", path, "{}").status, 400);
  const Answered commented = tenant.graph("POST", path + "/comments", R"({"comment": "seen"})");
  EXPECT_EQ(commented.value().at(0)["comment"].text(), "seen");
}

TEST(GraphIncidents, GatherAlerts) {
  GraphTenant tenant;
  tenant.alert(R"({"incidentId": 924, "severity": "High"})");
  tenant.alert(R"({"incidentId": 924, "severity": "Low"})");
  const Answered all = tenant.graph("GET", "/v1.0/security/incidents?$expand=alerts");
  ASSERT_EQ(all.value().size(), 1u);
  EXPECT_EQ(all.value()[0]["alerts"].items().size(), 2u);
  EXPECT_EQ(tenant.graph("GET", "/v1.0/security/incidents").value()[0].find("alerts"), nullptr);
  const Answered changed =
      tenant.graph("PATCH", "/v1.0/security/incidents/924",
                   R"({"status": "Resolved", "customTags": ["VIP"], "classification": "falsePositive"})");
  ASSERT_EQ(changed.status, 200);
  EXPECT_EQ(changed.json["status"].text(), "resolved");
  EXPECT_EQ(changed.json["customTags"].items().size(), 1u);
  EXPECT_EQ(tenant.graph("GET", "/v1.0/security/incidents?$filter=status%20eq%20'resolved'").value().size(),
            1u);
  EXPECT_EQ(tenant.graph("POST", "/v1.0/security/incidents/924/comments", R"({"comment": "seen"})").status,
            200);
  EXPECT_EQ(tenant.graph("GET", "/v1.0/security/incidents/1").status, 404);
}

TEST(GraphPeople, AreDisabledAndSignedOut) {
  GraphTenant tenant;
  const std::string path = "/v1.0/users/" + tenant.user();
  EXPECT_EQ(tenant.graph("PATCH", path, R"({"accountEnabled": false})").status, 204);
  EXPECT_FALSE(tenant.graph("GET", path + "?$select=accountEnabled").json["accountEnabled"].boolean());
  EXPECT_EQ(tenant.graph("PATCH", path, R"({"accountEnabled": "no"})").status, 400);
  EXPECT_TRUE(tenant.graph("POST", path + "/revokeSignInSessions").json["value"].boolean());
  EXPECT_EQ(tenant.graph("GET", "/v1.0/users/nobody@example.com").code(), "Request_ResourceNotFound");
  EXPECT_EQ(tenant.graph("GET", path + "/manager").status, 404);  // the first has nobody above
  EXPECT_EQ(tenant.graph("GET", "/v1.0/users/a.lindqvist@example.com/manager").json["id"].text(),
            tenant.user());
}

TEST(GraphPeople, HaveGroupsAndRisk) {
  GraphTenant tenant;
  const std::string user = tenant.user(), group = "/v1.0/groups/7d0c9b2e-3a51-4f6b-8e27-90b4d1c6a5f3/members";
  const std::string reference =
      R"({"@odata.id": "https://graph.microsoft.com/v1.0/directoryObjects/)" + user + R"("})";
  EXPECT_EQ(tenant.graph("POST", group + "/$ref", reference).status, 204);
  EXPECT_THAT(tenant.graph("POST", group + "/$ref", reference).message(),
              HasSubstr("added object references already exist"));
  EXPECT_EQ(tenant.graph("GET", group).value().at(0)["id"].text(), user);
  EXPECT_EQ(tenant.graph("DELETE", group + "/" + user + "/$ref").status, 204);
  EXPECT_EQ(tenant.graph("DELETE", group + "/" + user + "/$ref").status, 404);
  const std::string risky = "/v1.0/identityProtection/riskyUsers";
  EXPECT_EQ(tenant.graph("POST", risky + "/confirmCompromised", R"({"userIds": [")" + user + R"("]})").status,
            204);
  EXPECT_EQ(tenant.graph("GET", risky + "/" + user).json["riskState"].text(), "confirmedCompromised");
  EXPECT_GE(tenant.graph("GET", risky + "?$filter=riskLevel%20eq%20'high'").value().size(), 1u);
  EXPECT_EQ(tenant.graph("POST", risky + "/dismiss", R"({"userIds": [")" + user + R"("]})").status, 204);
  EXPECT_EQ(tenant.graph("GET", risky + "/" + user).json["riskState"].text(), "dismissed");
  EXPECT_EQ(tenant.graph("POST", risky + "/dismiss", R"({"userIds": []})").status, 400);
}

}  // namespace
}  // namespace flow::sim
