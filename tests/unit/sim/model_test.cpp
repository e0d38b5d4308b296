#include <gtest/gtest.h>

#include <set>

#include "apps/sim/made_up.hpp"
#include "apps/sim/ticks.hpp"
#include "apps/sim/url.hpp"
#include "tests/unit/sim/tenant_fixture.hpp"

namespace flow::sim {
namespace {

constexpr char kIsolate[] = R"({"Comment":"by flow","IsolationType":"Full"})";

TEST(Identity, TokenNamesItsRolesAndAudience) {
  TestTenant t;
  const std::string token = t.token();
  const std::size_t first = token.find('.'), second = token.rfind('.');
  const auto claims = parse_json(*base64_decoded(token.substr(first + 1, second - first - 1)));
  ASSERT_TRUE(claims);
  EXPECT_EQ((*claims)["aud"].text(), "https://api.securitycenter.microsoft.com");
  EXPECT_NE((*claims)["roles"].to_text().find("Machine.Isolate"), std::string::npos);
  EXPECT_EQ((*claims)["roles"].to_text().find("Mail.Send"), std::string::npos) << "that is Graph's";
}

TEST(Identity, RefusalsHaveAadstsShape) {
  TestTenant t;
  const auto refused = [&](const std::string& form) {
    return t.ask_token(form).json["error_codes"].to_text();
  };
  const std::string id = "grant_type=client_credentials&client_id=0b6e4d92-71c3-4f58-a1d7-3e90c5b2f846";
  const std::string scope = "&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default";
  EXPECT_EQ(refused(id + "&client_secret=wrong" + scope), "[7000215]");
  EXPECT_EQ(refused(id + scope), "[7000218]");
  EXPECT_EQ(refused("grant_type=client_credentials&client_id=x&client_secret=y" + scope), "[700016]");
  EXPECT_EQ(refused(id + "&client_secret=sim-secret&scope=https%3A%2F%2Fgraph.microsoft.com%2FMail.Send"),
            "[70011]");
  EXPECT_EQ(refused(id + "&client_secret=sim-secret&scope=https%3A%2F%2Fother.example%2F.default"),
            "[500011]");
  EXPECT_EQ(t.ask("POST", "/common/oauth2/v2.0/token").json["error_codes"].to_text(), "[9001023]");
  EXPECT_EQ(t.ask("POST", "/nowhere/oauth2/v2.0/token").json["error_codes"].to_text(), "[90002]");
  const Answered wrong = t.ask_token(id + "&client_secret=wrong" + scope);
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(wrong.json["error"].text(), "invalid_client");
  EXPECT_TRUE(wrong.json["error_description"].text().starts_with("AADSTS7000215: "));
}

TEST(Identity, SecretsOfAnyLettersAndBasicWork) {
  TenantOptions options;
  options.client_secret = "a8~Q+b/c=&%";
  TestTenant t(options);
  EXPECT_EQ(t.ask_token(
                 "grant_type=client_credentials&client_id=0b6e4d92-71c3-4f58-a1d7-3e90c5b2f846&client_secret="
                 "a8~Q%2Bb%2Fc%3D%26%25&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default")
                .status,
            200);
}

TEST(Permissions, MissingExpiredAndMisplacedTokensAreRefused) {
  TestTenant t;
  EXPECT_EQ(t.ask("GET", "/api/alerts").status, 401);
  EXPECT_EQ(t.ask("GET", "/api/alerts").code(), "Unauthorized");
  EXPECT_EQ(t.ask("GET", "/api/alerts", "", "a.b.c").status, 401);
  EXPECT_EQ(t.ask("GET", "/api/alerts", "", t.token("https://graph.microsoft.com")).status, 403);
  EXPECT_EQ(t.ask("GET", "/v1.0/users/a@b.example/messages", "", t.token()).code(),
            "InvalidAuthenticationToken");
  EXPECT_EQ(t.defender("GET", "/api/alerts").status, 200);
  t.pass_seconds(3600);
  EXPECT_EQ(t.defender("GET", "/api/alerts").status, 401);
}

TEST(Permissions, MissingRoleIsNamedWithThoseGranted) {
  TestTenant t;
  ASSERT_EQ(t.sim("POST", "config", R"({"roles":["Alert.Read.All"]})").status, 200);
  EXPECT_EQ(t.defender("GET", "/api/alerts").status, 200);
  const Answered refused = t.defender("POST", "/api/machines/" + t.machine() + "/isolate", kIsolate);
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(
      refused.message(),
      "Missing application roles. API required roles: Machine.Isolate, application roles: Alert.Read.All.");
}

TEST(Alerts, GivenFieldsWinAndTheRestIsComplete) {
  TestTenant t;
  const Answered injected =
      t.sim("POST", "alerts", R"({"severity":"High","title":"x","machineId":null,"assignedTo":null})");
  ASSERT_EQ(injected.status, 200) << injected.whole.body;
  const Json alert = injected.value().at(0);
  EXPECT_EQ(alert["severity"].text(), "High");
  EXPECT_TRUE(alert["machineId"].is_null());
  EXPECT_TRUE(alert["computerDnsName"].is_null()) << "a device without id has no name";
  EXPECT_EQ(alert["alertCreationTime"].text(), format_ticks(t.clock.now));
  for (const std::string& field : alert_fields()) EXPECT_NE(alert.find(field), nullptr) << field;
  const Answered read = t.defender("GET", "/api/v1.0/alerts/" + std::string(alert["id"].text()));
  EXPECT_EQ(read.json["title"].text(), "x");
  EXPECT_NE(read.json.find("@odata.context"), nullptr);
}

TEST(Alerts, WrongFieldsAreNamedWithASuggestion) {
  TestTenant t;
  EXPECT_EQ(t.sim("POST", "alerts", R"({"severty":"High"})").message(),
            "an alert has no `severty`; did you mean `severity`?");
  EXPECT_EQ(t.sim("POST", "alerts", R"({"severity":"Hihg"})").message(),
            "`Hihg` is no severity; did you mean `High`?");
  EXPECT_EQ(t.sim("POST", "alerts", R"({"alertCreationTime":"today"})").status, 400);
  EXPECT_EQ(t.sim("POST", "alerts", "[{},[]]").message(), "alert 2: an alert must be an object, not a list");
  EXPECT_EQ(t.sim("POST", "alerts", R"([{"id":"a"},{"id":"a"}])").message(),
            "alert 2: there is already an alert `a`");
  EXPECT_EQ(t.sim("GET", "alerts").value().size(), 0u) << "all or none";
  EXPECT_EQ(t.sim("POST", "alerts", "{").status, 400);
  EXPECT_EQ(t.sim("GET", "alert").message(), "there is no page /sim/alert; did you mean /sim/alerts?");
  EXPECT_EQ(t.sim("DELETE", "alerts").status, 405);
}

TEST(Alerts, EvidenceIsShownWhenExpanded) {
  TestTenant t;
  const std::string id(t.sim("POST", "alerts", "{}").value()[0]["id"].text());
  EXPECT_TRUE(t.defender("GET", "/api/alerts").value()[0]["evidence"].items().empty());
  EXPECT_FALSE(t.defender("GET", "/api/alerts?%24expand=evidence").value()[0]["evidence"].items().empty());
  EXPECT_FALSE(t.defender("GET", "/api/alerts/" + id).json["evidence"].items().empty());
  EXPECT_EQ(t.defender("GET", "/api/alerts?$expand=machine").code(), "ODataError");
}

TEST(Alerts, PagesMoveBySkipAndTop) {
  TestTenant t;
  for (int i = 0; i < 7; ++i) t.sim("POST", "alerts", R"({"id":"a)" + std::to_string(i) + "\"}");
  const auto ids = [&](const std::string& query) {
    std::string text;
    for (const Json& alert : t.defender("GET", "/api/alerts?" + query).value())
      text += std::string(alert["id"].text()) + " ";
    return text;
  };
  EXPECT_EQ(ids("$top=3"), "a6 a5 a4 ");
  EXPECT_EQ(ids("$top=3&$skip=6"), "a0 ");
  EXPECT_EQ(ids("$top=3&$skip=7"), "");
  EXPECT_EQ(ids("$top=2&$orderby=id"), "a0 a1 ");
  const Answered counted = t.defender("GET", "/api/alerts?$count=true&$top=1&$select=id");
  EXPECT_EQ(counted.json["@odata.count"].integer(), 7);
  EXPECT_EQ(counted.value()[0].to_text(), R"({"id":"a6"})");
  for (const char* bad : {"$top=10001", "$top=x", "$skip=-1", "$orderby=title", "$top=", "$foo=1"})
    EXPECT_EQ(t.defender("GET", std::string("/api/alerts?") + bad).code(), "ODataError") << bad;
}

TEST(Alerts, UpdatesKeepLetterCase) {
  TestTenant t;
  t.sim("POST", "alerts", R"({"id":"da1_-2"})");
  const Answered updated =
      t.defender("PATCH", "/api/alerts/da1_-2",
                 R"({"status":"Resolved","classification":"FalsePositive","comment":"no harm"})");
  ASSERT_EQ(updated.status, 200) << updated.whole.body;
  EXPECT_FALSE(updated.json["resolvedTime"].is_null());
  EXPECT_EQ(updated.json["comments"].items()[0]["comment"].text(), "no harm");
  EXPECT_EQ(t.defender("PATCH", "/api/alerts/da1_-2", R"({"Status":"New"})").code(), "InvalidRequestBody");
  EXPECT_EQ(t.defender("PATCH", "/api/alerts/da1_-2", R"({"status":"new"})").code(), "InvalidInput");
  EXPECT_EQ(t.defender("PATCH", "/api/alerts/da1_-2", "{}").code(), "InvalidRequestBody");
  EXPECT_EQ(t.defender("PATCH", "/api/alerts/nope", "{}").code(), "ResourceNotFound");
  const Answered batch =
      t.defender("POST", "/api/alerts/batchUpdate", R"({"alertIds":["da1_-2"],"status":"InProgress"})");
  EXPECT_EQ(batch.status, 200);
  EXPECT_EQ(batch.whole.body, "");
  EXPECT_EQ(t.defender("GET", "/api/alerts/da1_-2").json["status"].text(), "InProgress");
}

TEST(Machines, AreFoundByIdAndName) {
  TestTenant t;
  const std::string id = t.machine();
  const Answered by_id = t.defender("GET", "/api/machines/" + id);
  ASSERT_EQ(by_id.status, 200);
  const std::string name(by_id.json["computerDnsName"].text());
  EXPECT_EQ(t.defender("GET", "/api/machines/" + name).json["id"].text(), id);
  EXPECT_EQ(t.defender("GET", "/api/machines/0000").message(), "Machine 0000 was not found");
  t.sim("POST", "alerts",
        R"([{"machineId":")" + id + R"(","status":"Resolved"},{"machineId":")" + id +
            R"("},{"machineId":null}])");
  EXPECT_EQ(t.defender("GET", "/api/machines/" + id + "/alerts").value().size(), 2u);
  EXPECT_EQ(
      t.defender("GET", "/api/machines/" + id + "/alerts/$count?$filter=status%20ne%20'Resolved'").whole.body,
      "1");
}

TEST(Machines, TagsAreAddedAndFiltered) {
  TestTenant t;
  const std::string id = t.machine();
  ASSERT_EQ(t.defender("POST", "/api/machines/" + id + "/tags", R"({"Value":"x y","Action":"Add"})").status,
            200);
  const Answered found = t.filter("machines", "machineTags/any(tag: tag eq 'x y')");
  ASSERT_EQ(found.value().size(), 1u) << found.whole.body;
  EXPECT_EQ(found.value()[0]["id"].text(), id);
  EXPECT_FALSE(t.filter("machines", "machineTags/any(t: t eq 'VIP')").value().empty());
  t.defender("POST", "/api/machines/" + id + "/tags", R"({"Value":"x y","Action":"Remove"})");
  EXPECT_TRUE(t.filter("machines", "machineTags/any(tag: tag eq 'x y')").value().empty());
  EXPECT_EQ(t.defender("POST", "/api/machines/" + id + "/tags", R"({"value":"x","Action":"Add"})").code(),
            "MissingRequiredParameter");
  EXPECT_EQ(t.defender("POST", "/api/machines/" + id + "/tags", R"({"Value":"x","Action":"add"})").code(),
            "InvalidInput");
}

TEST(Actions, GoFromPendingToSucceeded) {
  TestTenant t;
  const std::string id = t.machine();
  const Answered started = t.defender("POST", "/api/machines/" + id + "/isolate", kIsolate);
  ASSERT_EQ(started.status, 201) << started.whole.body;
  EXPECT_EQ(started.json["status"].text(), "Pending");
  EXPECT_TRUE(started.json["scope"].is_null());
  const std::string action = "/api/machineactions/" + std::string(started.json["id"].text());
  t.pass_seconds(1);
  EXPECT_EQ(t.defender("GET", action).json["status"].text(), "InProgress");
  EXPECT_TRUE(t.sim("GET", "stats").json["isolated"].items().empty());
  t.pass_seconds(1);
  const Answered done = t.defender("GET", action);
  EXPECT_EQ(done.json["status"].text(), "Succeeded");
  EXPECT_EQ(done.json["scope"].text(), "Full");
  EXPECT_EQ(done.json["requestorComment"].text(), "by flow");
  EXPECT_EQ(t.sim("GET", "stats").json["isolated"].items().at(0)["id"].text(), id);
  t.defender("POST", "/api/machines/" + id + "/unisolate", R"({"Comment":"back"})");
  t.pass_seconds(2);
  EXPECT_TRUE(t.sim("GET", "stats").json["isolated"].items().empty());
}

TEST(Actions, OfOneKindExcludeEachOther) {
  TestTenant t;
  const std::string path = "/api/machines/" + t.machine();
  EXPECT_EQ(t.defender("POST", path + "/isolate", kIsolate).status, 201);
  const Answered busy = t.defender("POST", path + "/isolate", kIsolate);
  EXPECT_EQ(busy.status, 400);
  EXPECT_EQ(busy.code(), "ActiveRequestAlreadyExists");
  EXPECT_EQ(t.defender("POST", path + "/runAntiVirusScan", R"({"Comment":"c","ScanType":"Quick"})").status,
            201);
  const Answered open = t.filter("machineactions", "status eq 'Pending' and type eq 'Isolate'");
  EXPECT_EQ(open.value().size(), 1u);
  t.pass_seconds(2);
  EXPECT_EQ(t.defender("POST", path + "/isolate", kIsolate).status, 201);
}

TEST(Actions, BodiesAndPlatformsAreChecked) {
  TestTenant t;
  const std::string path = "/api/machines/" + t.machine();
  EXPECT_EQ(t.defender("POST", path + "/isolate", R"({"comment":"c"})").code(), "MissingRequiredParameter");
  EXPECT_EQ(t.defender("POST", path + "/isolate", R"({"Comment":"c","isolationType":"Full"})").code(),
            "InvalidRequestBody");
  EXPECT_EQ(t.defender("POST", path + "/isolate", R"({"Comment":"c","IsolationType":"full"})").code(),
            "InvalidInput");
  EXPECT_EQ(t.defender("POST", path + "/isolate", "{").code(), "InvalidRequestBody");
  EXPECT_EQ(t.defender("POST", path + "/isolate", "").code(), "InvalidRequestBody");
  EXPECT_EQ(t.defender("POST", "/api/machines/" + t.machine("Linux") + "/restrictCodeExecution",
                       R"({"Comment":"c"})")
                .code(),
            "OsPlatformNotSupported");
  EXPECT_EQ(t.defender("POST", "/api/machines/ffff/isolate", kIsolate).code(), "ResourceNotFound");
}

TEST(Actions, CancelFailAndWaitForTheAbsent) {
  TestTenant t;
  const std::string id = t.machine();
  const auto start = [&] {
    return std::string(t.defender("POST", "/api/machines/" + id + "/isolate", kIsolate).json["id"].text());
  };
  const std::string first = start();
  EXPECT_EQ(t.defender("POST", "/api/machineactions/" + first + "/cancel", R"({"Comment":"stop"})")
                .json["status"]
                .text(),
            "Cancelled");
  EXPECT_EQ(t.defender("POST", "/api/machineactions/" + first + "/cancel", R"({"Comment":"stop"})").code(),
            "BadRequest");
  t.sim("POST", "config", R"({"action_outcome":"Failed"})");
  const std::string second = start();
  t.pass_seconds(3);
  EXPECT_EQ(t.defender("GET", "/api/machineactions/" + second).json["status"].text(), "Failed");
  t.sim("POST", "machines", R"({"id":")" + id + R"(","healthStatus":"Inactive"})");
  const std::string third = start();
  t.pass_seconds(600);
  EXPECT_EQ(t.defender("GET", "/api/machineactions/" + third).json["status"].text(), "Pending");
  t.pass_seconds(3 * 86'400);
  t.defender_token.clear();
  EXPECT_EQ(t.defender("GET", "/api/machineactions/" + third).json["status"].text(), "TimeOut");
}

TEST(Quotas, MinuteAndHourHold) {
  TestTenant t;
  for (int i = 0; i < 100; ++i) ASSERT_EQ(t.defender("GET", "/api/alerts?$top=1").status, 200) << i;
  const Answered refused = t.defender("GET", "/api/machines?$top=1");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.code(), "429");
  EXPECT_EQ(refused.whole.header("Retry-After"), "60");
  EXPECT_EQ(refused.message(),
            "API calls quota exceeded! Maximum allowed 100 per 00:01:00 for the key "
            "Destination+TenantID+AppID. You can send requests again in 60 seconds.");
  EXPECT_EQ(refused.json["error"]["target"].text(), "7d0c9b2e-3a51-4f6b-8e27-90b4d1c6a5f3");
  t.pass_seconds(60);
  EXPECT_EQ(t.defender("GET", "/api/alerts?$top=1").status, 200);
  t.sim("POST", "config", R"({"quota":false})");
  for (int i = 0; i < 300; ++i) ASSERT_EQ(t.defender("GET", "/api/alerts?$top=1").status, 200) << i;
  t.sim("POST", "config", R"({"quota":true,"per_minute":1000,"per_hour":401})");
  t.pass_seconds(61);
  EXPECT_EQ(t.defender("GET", "/api/alerts?$top=1").status, 429) << "401 within the hour";
}

TEST(Quotas, TightOperationsHaveTheirOwn) {
  TestTenant t;
  const auto update = [&] {
    return t.defender("POST", "/api/alerts/batchUpdate", R"({"alertIds":[],"status":"New"})").status;
  };
  for (int i = 0; i < 10; ++i) EXPECT_EQ(update(), 200);
  EXPECT_EQ(update(), 429);
  EXPECT_EQ(t.defender("GET", "/api/alerts").status, 200);
}

TEST(GraphMail, IsStoredAndFoundByItsKey) {
  TestTenant t;
  const std::string property =
      R"({"id":"String {66f5a359-4659-4830-9070-00047ec6ac6e} Name FlowKey","value":"run/3"})";
  const auto send = [&](const std::string& extra) {
    return t.graph(
        "POST", "/v1.0/users/soc%40example.com/sendMail",
        R"({"message":{"subject":"Isolated","body":{"contentType":"HTML","content":"<p>x</p>"},"toRecipients":[{"emailAddress":{"address":"lead@example.com"}}],"singleValueExtendedProperties":[)" +
            property + "]}" + extra + "}");
  };
  const std::string search =
      "/v1.0/users/soc@example.com/messages?$filter=" +
      percent_encoded(
          "singleValueExtendedProperties/any(p: p/id eq 'String "
          "{66f5a359-4659-4830-9070-00047ec6ac6e} Name FlowKey' and p/value eq 'run/3')");
  EXPECT_EQ(t.graph("GET", search).value().size(), 0u);
  EXPECT_EQ(send(R"(,"saveToSentItems":false)").status, 202);
  EXPECT_EQ(t.graph("GET", search).value().size(), 0u);
  const Answered sent = send("");
  EXPECT_EQ(sent.status, 202);
  EXPECT_EQ(sent.whole.body, "");
  const Answered found = t.graph("GET", search + "&$expand=singleValueExtendedProperties");
  ASSERT_EQ(found.value().size(), 1u) << found.whole.body;
  EXPECT_EQ(found.value()[0]["isDraft"].boolean(), false);
  EXPECT_EQ(found.value()[0]["singleValueExtendedProperties"].items()[0]["value"].text(), "run/3");
  const auto mails = t.sim("GET", "mails").value();
  ASSERT_EQ(mails.size(), 2u);
  EXPECT_EQ(mails[0]["via"].text(), "graph");
  EXPECT_EQ(mails[0]["to"].to_text(), R"(["lead@example.com"])");
}

TEST(GraphMail, IsValidated) {
  TestTenant t;
  const auto code = [&](const std::string& body) {
    return t.graph("POST", "/v1.0/users/a@example.com/sendMail", body).code();
  };
  const std::string to = R"("toRecipients":[{"emailAddress":{"address":"b@example.com"}}])";
  EXPECT_EQ(code("{}"), "ErrorInvalidRequest");
  EXPECT_EQ(code("{"), "RequestBodyRead");
  EXPECT_EQ(code(R"({"message":{"subject":"x"}})"), "ErrorInvalidRecipients");
  EXPECT_EQ(code(R"({"message":{"toRecipients":[{"emailAddress":{"address":"no address"}}]}})"),
            "ErrorInvalidRecipients");
  EXPECT_EQ(code(R"({"message":{"subjekt":"x",)" + to + "}}"), "RequestBodyRead");
  EXPECT_EQ(code(R"({"message":{"internetMessageHeaders":[{"name":"From","value":"x"}],)" + to + "}}"),
            "InvalidInternetMessageHeader");
  EXPECT_EQ(t.graph("POST", "/v1.0/users/nobody/sendMail", "{}").code(), "ErrorInvalidUser");
}

TEST(Faults, RefuseBeforeOrSpoilAfterExecution) {
  TestTenant t;
  const std::string path = "/api/machines/" + t.machine() + "/isolate";
  ASSERT_EQ(t.sim("POST", "faults",
                  R"({"match":"POST /api/machines/*/isolate","status":503,"times":2,"retry_after":3})")
                .status,
            200);
  EXPECT_EQ(t.defender("POST", path, kIsolate).status, 503);
  EXPECT_EQ(t.defender("POST", path, kIsolate).whole.header("Retry-After"), "3");
  EXPECT_EQ(t.sim("GET", "actions").value().size(), 0u);
  t.sim("POST", "faults", R"({"match":"POST *","reset":"before"})");
  EXPECT_EQ(t.defender("POST", path, kIsolate).whole.wire, Wire::Reset);
  EXPECT_EQ(t.sim("GET", "actions").value().size(), 0u);
  t.sim("POST", "faults", R"({"match":"POST *","reset":"after","delay_ms":5})");
  const Answered lost = t.defender("POST", path, kIsolate);
  EXPECT_EQ(lost.whole.wire, Wire::Reset);
  EXPECT_EQ(lost.whole.delay_ms, 5);
  EXPECT_EQ(t.sim("GET", "actions").value().size(), 1u) << "executed, the answer lost";
  t.sim(
      "POST", "faults",
      R"([{"match":"GET *","body":"empty"},{"match":"GET *","body":"endless"},{"match":"GET *","body":"malformed"}])");
  EXPECT_EQ(t.defender("GET", "/api/alerts").whole.body, "");
  EXPECT_EQ(t.defender("GET", "/api/alerts").whole.wire, Wire::Endless);
  EXPECT_FALSE(parse_json(t.defender("GET", "/api/alerts").whole.body));
  EXPECT_EQ(t.defender("GET", "/api/alerts").status, 200);
  EXPECT_EQ(t.sim("POST", "faults", R"({"match":"GET *","stauts":500})").message(),
            "a fault has no `stauts`; did you mean `status`?");
  EXPECT_EQ(t.sim("POST", "faults", R"({"match":"GET *","body":"endles"})").status, 400);
  EXPECT_EQ(t.sim("POST", "faults", R"({"match":"GET *"})").status, 400);
  EXPECT_EQ(t.sim("DELETE", "faults").value().size(), 0u);
}

TEST(Day, ArrivesInItsTime) {
  TestTenant t;
  ASSERT_EQ(t.sim("POST", "day", R"({"alerts":240,"seconds":60})").status, 200);
  t.pass_seconds(30);
  const std::size_t half = t.sim("GET", "alerts").value().size();
  EXPECT_GT(half, 60u);
  EXPECT_LT(half, 200u);
  t.pass_seconds(31);
  const auto alerts = t.sim("GET", "alerts").value();
  EXPECT_EQ(alerts.size(), 240u);
  std::set<std::string> ids;
  std::size_t without_device = 0;
  for (const Json& alert : alerts) {
    ids.insert(std::string(alert["id"].text()));
    without_device += alert["machineId"].is_null() ? 1 : 0;
    EXPECT_EQ(alert["alertCreationTime"].text().size(), 28u) << "seven digits";
  }
  EXPECT_EQ(ids.size(), 240u);
  EXPECT_GT(without_device, 0u);
  EXPECT_EQ(t.sim("POST", "day", R"({"alerts":0})").status, 400);
  EXPECT_EQ(t.sim("POST", "day", R"({"seconds":-1})").status, 400);
  EXPECT_EQ(t.sim("POST", "day", R"({"alert":1})").status, 400);
}

TEST(Control, StatsRequestsConfigAndReset) {
  TestTenant t;
  t.defender("GET", "/api/alerts");
  t.defender("GET", "/api/alerts/none");
  const Answered requests = t.sim("GET", "requests?last=1");
  EXPECT_EQ(requests.value().size(), 1u);
  EXPECT_EQ(requests.value()[0]["status"].integer(), 404);
  EXPECT_EQ(requests.json["counts"]["alerts.list 200"].integer(), 1);
  const Answered stats = t.sim("GET", "stats");
  EXPECT_EQ(stats.json["operations"]["alerts.get"]["executed"].integer(), 0);
  EXPECT_EQ(stats.json["quota"]["groups"]["defender"]["last_minute"].integer(), 2);
  EXPECT_EQ(t.sim("POST", "config", R"({"roles":["Machine.Isolat"]})").message(),
            "`Machine.Isolat` is no role that this tenant knows; did you mean `Machine.Isolate`?");
  EXPECT_EQ(t.sim("POST", "config", R"({"per_minute":5,"token_seconds":0})").status, 400);
  EXPECT_EQ(t.sim("GET", "config").json["per_minute"].integer(), 100) << "all or none";
  t.sim("POST", "alerts", "{}");
  EXPECT_EQ(t.sim("POST", "reset").status, 200);
  EXPECT_EQ(t.sim("GET", "stats").json["alerts"].integer(), 0);
  EXPECT_EQ(t.defender("GET", "/api/machines?$top=1").value().size(), 1u) << "tokens and machines stay";
}

TEST(Control, LoadsAlertFiles) {
  TestTenant t;
  EXPECT_TRUE(t.tenant.load_alerts(R"({"value":[{"id":"a","severity":"Low"}]})"));
  EXPECT_TRUE(t.tenant.load_alerts("[{},{}]"));
  EXPECT_EQ(t.sim("GET", "alerts").value().size(), 3u);
  EXPECT_EQ(t.tenant.load_alerts("{}").error().message,
            "alerts must be a JSON array, or an object whose `value` is one");
  EXPECT_EQ(t.tenant.load_alerts(R"([{"id":"b"},{"id":"a"}])").error().message,
            "alert 2: there is already an alert `a`");
  EXPECT_FALSE(t.tenant.load_alerts("nonsense"));
}

TEST(MadeUp, SameSeedSameTenant) {
  TestTenant a, b;
  EXPECT_EQ(a.sim("GET", "machines").whole.body, b.sim("GET", "machines").whole.body);
  EXPECT_EQ(a.sim("POST", "alerts", "{}").whole.body, b.sim("POST", "alerts", "{}").whole.body);
}

TEST(MadeUp, StrangeRequestsEndInAnswers) {
  TestTenant t;
  for (const char* target : {"", "x", "/", "//", "/api", "/api/", "/api/%zz", "/api/alerts?%", "/sim",
                             "/sim/", "/v1.0/x", "/%00", "/api/alerts?$filter="})
    EXPECT_GE(t.ask("GET", target).status, 400) << target;
  EXPECT_EQ(t.defender("GET", "/API/Alerts/").status, 200) << "paths are not case-sensitive";
  EXPECT_EQ(t.defender("GET", "/api/nothing").code(), "NotFound");
  const std::string deep(5'000, '[');
  EXPECT_EQ(t.sim("POST", "alerts", deep).status, 400);
}

}  // namespace
}  // namespace flow::sim
