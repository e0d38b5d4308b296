// The rest of Defender: what the lists say of each other, and how requests that are wrong are refused.
#include <gtest/gtest.h>

#include <set>

#include "tests/unit/sim/tenant_fixture.hpp"

namespace flow::sim {
namespace {

std::string indicator(const std::string& value, const std::string& more = "") {
  return R"({"indicatorValue":")" + value + R"(","indicatorType":"IpAddress","action":"Block","title":"t",)" +
         more + R"("description":"d"})";
}

TEST(Inventory, ListsAgreeWithEachOther) {
  TestTenant t;
  const Json::List rows = t.defender("GET", "/api/vulnerabilities/machinesVulnerabilities").value();
  ASSERT_FALSE(rows.empty());
  const std::string cve(rows[0]["cveId"].text());
  std::set<std::string> devices;
  for (const Json& row : rows)
    if (row["cveId"].text() == cve) devices.emplace(row["machineId"].text());
  const Json one = t.defender("GET", "/api/vulnerabilities/" + cve).json;
  EXPECT_EQ(one["exposedMachines"].integer(), static_cast<std::int64_t>(devices.size()));
  const Json::List exposed = t.defender("GET", "/api/vulnerabilities/" + cve + "/machineReferences").value();
  EXPECT_EQ(exposed.size(), devices.size());
  const std::string device(rows[0]["machineId"].text());
  bool is_listed = false;
  for (const Json& weakness : t.defender("GET", "/api/machines/" + device + "/vulnerabilities").value())
    is_listed = is_listed || weakness["id"].text() == cve;
  EXPECT_TRUE(is_listed);
  const std::string software =
      std::string(rows[0]["productVendor"].text()) + "-_-" + std::string(rows[0]["productName"].text());
  const Json product = t.defender("GET", "/api/Software/" + software).json;
  const Json advice = t.defender("GET", "/api/recommendations/va-_-" + software).json;
  EXPECT_EQ(product["exposedMachines"].integer(), advice["exposedMachinesCount"].integer());
  std::int64_t installations = 0;
  for (const Json& version : t.defender("GET", "/api/Software/" + software + "/distributions").value())
    installations += version["installations"].integer();
  EXPECT_EQ(installations,
            static_cast<std::int64_t>(
                t.defender("GET", "/api/Software/" + software + "/machineReferences").value().size()));
  EXPECT_EQ(t.defender("GET", "/api/vulnerabilities/CVE-1").code(), "ResourceNotFound");
  EXPECT_EQ(t.filter("vulnerabilities", "cvssV3 ge 9.5").status, 200);
  EXPECT_EQ(t.filter("vulnerabilities", "cvssV3 ge 'high'").code(), "ODataError");
  EXPECT_EQ(t.filter("vulnerabilities", "exposedMachines gt 1").code(), "ODataError");
  EXPECT_EQ(t.defender("GET", "/api/vulnerabilities?$top=8001").code(), "ODataError");
}

TEST(Inventory, SurvivesAndFollowsTheDevices) {
  TestTenant a, b;
  EXPECT_EQ(a.sim("GET", "inventory").whole.body, b.sim("GET", "inventory").whole.body);
  a.sim("POST", "machines", R"({"computerDnsName":"new.corp.example.com","osPlatform":"Linux"})");
  EXPECT_EQ(a.sim("GET", "inventory").json["total"].integer(),
            b.sim("GET", "inventory").json["total"].integer() + 1);
}

TEST(Exports, ComeInPagesAndFiles) {
  TestTenant t;
  const std::string path = "/api/machines/SoftwareInventoryByMachine";
  const std::size_t all = t.defender("GET", path).value().size();
  const Answered first = t.defender("GET", path + "?pageSize=" + std::to_string(all - 3));
  EXPECT_EQ(first.value().size(), all - 3);
  const std::string next(first.json["@odata.nextLink"].text());
  ASSERT_NE(next.find("$skiptoken="), std::string::npos);
  const Answered last = t.defender("GET", next.substr(next.find("/api/")));
  EXPECT_EQ(last.value().size(), 3u);
  EXPECT_TRUE(last.json["@odata.nextLink"].is_null());
  for (const char* wrong : {"?pageSize=0", "?pageSize=200001", "?pageSize=x", "?$skiptoken=999999999"})
    EXPECT_EQ(t.defender("GET", path + wrong).code(), "BadRequest") << wrong;
  EXPECT_EQ(t.defender("GET", path + "?$filter=a").code(), "ODataError");

  const Answered files = t.defender("GET", "/api/machines/SoftwareInventoryExport?sasValidHours=2");
  const std::string link(files.json["exportFiles"].items().at(0).text());
  const std::string target = link.substr(link.find("/downloads/"));
  const Answered content = t.ask("GET", target);
  EXPECT_EQ(content.status, 200);
  EXPECT_EQ(content.whole.body.substr(0, 2), "\x1f\x8b");
  t.pass_seconds(2 * 3600 + 1);
  EXPECT_EQ(t.ask("GET", target).status, 403);
  EXPECT_EQ(t.ask("GET", "/downloads/never").status, 403);
  EXPECT_EQ(t.defender("GET", "/api/machines/SoftwareInventoryExport?sasValidHours=7").status, 401)
      << "the hour is over";
  t.defender_token.clear();
  EXPECT_EQ(t.defender("GET", "/api/machines/SoftwareInventoryExport?sasValidHours=7").code(), "BadRequest");
  const std::string changes = "/api/machines/SoftwareVulnerabilityChangesByMachine";
  EXPECT_EQ(t.defender("GET", changes).code(), "MissingRequiredParameter");
  EXPECT_EQ(t.defender("GET", changes + "?sinceTime=2020-01-01T00:00:00Z").code(), "BadRequest");
  EXPECT_EQ(t.defender("GET", changes + "?sinceTime=soon").code(), "BadRequest");
}

TEST(Quotas, OfExportsAndOfHours) {
  TestTenant t;
  for (int i = 0; i < 5; ++i)
    ASSERT_EQ(t.defender("GET", "/api/machines/SoftwareInventoryExport").status, 200);
  EXPECT_EQ(t.defender("GET", "/api/machines/SoftwareInventoryExport").status, 429);
  EXPECT_EQ(t.defender("GET", "/api/machines/SoftwareVulnerabilitiesExport").status, 200) << "its own";
  const std::string start = "/api/machines/" + t.machine() + "/startInvestigation";
  for (int i = 0; i < 50; ++i) ASSERT_EQ(t.defender("POST", start, R"({"Comment":"c"})").status, 201) << i;
  const Answered refused = t.defender("POST", start, R"({"Comment":"c"})");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.whole.header("Retry-After"), "3600");
}

TEST(Indicators, AreUpdatedByTypeAndValue) {
  TestTenant t;
  const Answered made =
      t.defender("POST", "/api/indicators", indicator("198.51.100.1", R"("application":"a",)"));
  ASSERT_EQ(made.status, 200) << made.whole.body;
  const Answered again = t.defender("POST", "/api/indicators",
                                    indicator("198.51.100.1", R"("severity":"High","application":"b",)"));
  EXPECT_EQ(again.json["id"].text(), made.json["id"].text());
  EXPECT_EQ(again.json["severity"].text(), "High");
  EXPECT_EQ(again.json["application"].text(), "a") << "only taken on creation";
  EXPECT_EQ(t.filter("indicators", "generateAlert eq false and indicatorType eq 'ipaddress'").value().size(),
            1u);
  EXPECT_EQ(t.filter("indicators", "generateAlert eq 'no'").code(), "ODataError");
  EXPECT_EQ(t.defender("DELETE", "/api/indicators/" + std::string(made.json["id"].text())).status, 204);
  EXPECT_EQ(t.defender("DELETE", "/api/indicators/" + std::string(made.json["id"].text())).code(),
            "ResourceNotFound");
}

TEST(Indicators, WrongOnesAreRefused) {
  TestTenant t;
  const auto code = [&](const std::string& body) {
    return t.defender("POST", "/api/indicators", body).code();
  };
  EXPECT_EQ(code(indicator("198.51.100.0/24")), "InvalidIpAddress");
  EXPECT_EQ(code(indicator("198.51.100.1", R"("expirationTime":"2020-01-01T00:00:00Z",)")), "InvalidInput");
  EXPECT_EQ(code(indicator("198.51.100.1", R"("generateAlert":"yes",)")), "InvalidRequestBody");
  EXPECT_EQ(code(indicator("198.51.100.1", R"("Severity":"High",)")), "InvalidRequestBody");
  EXPECT_EQ(
      code(
          R"({"indicatorValue":"aa","indicatorType":"FileSha1","action":"Block","title":"t","description":"d"})"),
      "InvalidHashValue");
  EXPECT_EQ(
      code(
          R"({"indicatorValue":"a.example","indicatorType":"DomainName","action":"BlockAndRemediate","title":"t","description":"d"})"),
      "InvalidInput");
  EXPECT_EQ(
      code(
          R"({"indicatorValue":"a.example","indicatorType":"DomainName","action":"Audit","title":"t","description":"d"})"),
      "InvalidInput");
  EXPECT_EQ(code(R"({"indicatorValue":"a.example"})"), "MissingRequiredParameter");
  EXPECT_EQ(code("["), "InvalidRequestBody");
  const Answered some =
      t.defender("POST", "/api/indicators/import",
                 R"({"Indicators":[)" + indicator("198.51.100.1") + "," + indicator("nowhere") + "]}");
  ASSERT_EQ(some.status, 200);
  EXPECT_FALSE(some.value()[0]["isFailed"].boolean());
  EXPECT_TRUE(some.value()[1]["isFailed"].boolean());
  std::string many = R"({"Indicators":[{})";
  for (int i = 0; i < 500; ++i) many += ",{}";
  EXPECT_EQ(t.defender("POST", "/api/indicators/import", many + "]}").code(), "MaximumBatchSizeExceeded");
  EXPECT_EQ(t.defender("POST", "/api/indicators/BatchDelete", R"({"IndicatorIds":["x"]})").code(),
            "BadRequest");
  EXPECT_EQ(t.defender("POST", "/api/indicators/BatchDelete", R"({"IndicatorIds":["99"]})").code(),
            "ResourceNotFound");
  EXPECT_EQ(t.defender("POST", "/api/indicators/BatchDelete", R"({"IndicatorIds":["1"]})").status, 204);
}

TEST(Indicators, ExpireAreLimitedAndBelongToTheirApp) {
  TestTenant t;
  ASSERT_EQ(t.sim("POST", "config", R"({"quota":false})").status, 200);
  for (int call = 0; call < 30; ++call) {
    std::string body = R"({"Indicators":[)";
    for (int i = 0; i < 500; ++i) {
      const int number = call * 500 + i;
      body += (i > 0 ? "," : "") +
              indicator("10." + std::to_string(number / 65536) + "." + std::to_string(number / 256 % 256) +
                        "." + std::to_string(number % 256));
    }
    ASSERT_EQ(t.defender("POST", "/api/indicators/import", body + "]}").status, 200);
  }
  EXPECT_EQ(t.defender("POST", "/api/indicators", indicator("198.51.100.1")).code(), "BadRequest");
  EXPECT_EQ(t.defender("POST", "/api/indicators", indicator("10.0.0.0")).status, 200) << "an update fits";
  t.sim("POST", "reset");
  t.sim("POST", "indicators", indicator("198.51.100.2", R"("expirationTime":"2026-11-19T00:00:00Z",)"));
  EXPECT_EQ(t.defender("GET", "/api/indicators").value().size(), 1u);
  t.sim("POST", "config", R"({"roles":["Ti.ReadWrite"]})");
  t.defender_token.clear();
  EXPECT_TRUE(t.defender("GET", "/api/indicators").value().empty()) << "made by somebody else";
  t.pass_seconds(3 * 86'400);
  EXPECT_TRUE(t.sim("GET", "indicators").value().empty());
}

std::string form(const std::string& parts) {
  return parts + "--x--\r\n";
}
std::string part(const std::string& name, const std::string& content, const std::string& more = "") {
  return "--x\r\nContent-Disposition: form-data; name=\"" + name + "\"" + more + "\r\n\r\n" + content +
         "\r\n";
}

TEST(Library, TakesListsAndDeletesFiles) {
  TestTenant t;
  const auto upload = [&](const std::string& body) {
    if (t.defender_token.empty()) t.defender_token = t.token();
    return t.ask("POST", "/api/libraryfiles", body, t.defender_token, "multipart/form-data; boundary=x");
  };
  const std::string file = part("file", "Get-Process\r\n-x", "; filename=\"a.ps1\"");
  const Answered made = upload(form(file + part("Description", "list")));
  ASSERT_EQ(made.status, 200) << made.whole.body;
  EXPECT_EQ(made.json["fileName"].text(), "a.ps1");
  EXPECT_EQ(made.json["sha256"].text().size(), 64u);
  EXPECT_EQ(upload(form(file)).code(), "BadRequest") << "is there already";
  EXPECT_EQ(upload(form(file + part("OverrideIfExists", "true"))).status, 200);
  for (const std::string& wrong :
       {std::string("x"), std::string("--x"), std::string("--x\r\n"), form(""),
        std::string("--x\r\n\r\n\r\n--x--"), part("file", "c", "; filename=\"b\""), form(part("File", "c")),
        form(part("file", "c", "; filename=\"a/b\"")),
        form(part("file", "c", "; filename=\"b\"") + part("HasParameters", "perhaps"))})
    EXPECT_EQ(upload(wrong).code(), "BadRequest") << wrong;
  EXPECT_EQ(t.defender("POST", "/api/libraryfiles", "{}").code(), "BadRequest");
  EXPECT_EQ(t.defender("GET", "/api/libraryfiles").value().size(), 1u);
  EXPECT_EQ(t.defender("DELETE", "/api/libraryfiles/A.ps1").status, 204);
  EXPECT_EQ(t.defender("DELETE", "/api/libraryfiles/A.ps1").code(), "ResourceNotFound");
}

constexpr char kScript[] =
    R"({"Comment":"c","Commands":[{"type":"RunScript","params":[{"key":"ScriptName","value":"a.ps1"}]},
        {"type":"GetFile","params":[{"key":"Path","value":"C:\\out.zip"}]}]})";

TEST(LiveResponse, RunsCommandByCommandAndGivesResults) {
  TestTenant t;
  t.sim("POST", "scenario", R"({"library":[{"fileName":"a.ps1","content":"x"}],
      "outcomes":[{"action":"LiveResponse","output":"three files","exit_code":2,"seconds":40}]})");
  const std::string at = "/api/machines/" + t.machine() + "/runliveresponse";
  const Answered started = t.defender("POST", at, kScript);
  ASSERT_EQ(started.status, 201) << started.whole.body;
  EXPECT_EQ(t.defender("POST", at, kScript).code(), "ActiveRequestAlreadyExists");
  const std::string action = "/api/machineactions/" + std::string(started.json["id"].text());
  const auto status = [&](std::size_t i) {
    return std::string(t.defender("GET", action).json["commands"].items().at(i)["commandStatus"].text());
  };
  EXPECT_EQ(status(0), "Created");
  t.pass_seconds(25);
  EXPECT_EQ(status(0), "Executing");
  t.pass_seconds(7);
  EXPECT_EQ(status(0), "Completed");
  EXPECT_EQ(status(1), "Executing");
  const std::string result = action + "/GetLiveResponseResultDownloadLink(index=";
  EXPECT_EQ(t.defender("GET", result + "1)").code(), "ResourceNotFound") << "not yet";
  EXPECT_EQ(t.defender("GET", result + "x)").code(), "BadRequest");
  EXPECT_EQ(t.defender("GET", result + "7)").code(), "ResourceNotFound");
  const std::string link(t.defender("GET", result + "0)").json["value"].text());
  const Answered script = t.ask("GET", link.substr(link.find("/downloads/")));
  EXPECT_EQ(script.json["script_output"].text(), "three files");
  EXPECT_EQ(script.json["exit_code"].integer(), 2);
  t.pass_seconds(20);
  EXPECT_EQ(t.defender("GET", action).json["status"].text(), "Succeeded");
  t.pass_seconds(1800);
  EXPECT_EQ(t.ask("GET", link.substr(link.find("/downloads/"))).status, 403) << "expired";
}

TEST(LiveResponse, StopsAtTheFirstFailureAndChecksItsCommands) {
  TestTenant t;
  const std::string at = "/api/machines/" + t.machine() + "/runliveresponse";
  const std::string id(t.defender("POST", at, kScript).json["id"].text());
  t.pass_seconds(5);
  const Json failed = t.defender("GET", "/api/machineactions/" + id).json;
  EXPECT_EQ(failed["status"].text(), "Failed");
  EXPECT_EQ(failed["commands"].items()[0]["errors"].items()[0].text(), "The library has no file `a.ps1`");
  EXPECT_EQ(failed["commands"].items()[1]["commandStatus"].text(), "Created");
  const auto code = [&](const std::string& commands) {
    return t.defender("POST", at, R"({"Comment":"c","Commands":)" + commands + "}").code();
  };
  const std::string get = R"({"type":"GetFile","params":[{"key":"Path","value":"x"}]})";
  const std::string run = R"({"type":"RunScript","params":[{"key":"ScriptName","value":"x"}]})";
  EXPECT_EQ(code("[" + get + "," + run + "]"), "InvalidRequestBody") << "order";
  for (const char* wrong : {"[]", "{}", "[1]", R"([{"type":"Delete"}])", R"([{"type":"GetFile"}])",
                            R"([{"type":"GetFile","params":[{"key":"Args","value":"x"}]}])",
                            R"([{"type":"GetFile","params":[{"Key":"Path","value":"x"}]}])",
                            R"([{"type":"GetFile","params":"x"}])"})
    EXPECT_EQ(code(wrong), "InvalidRequestBody") << wrong;
}

TEST(Actions, WaitForDevicesThatComeBack) {
  TestTenant t;
  const std::string id = t.machine();
  const auto health = [&](const std::string& value) {
    t.sim("POST", "machines", R"({"id":")" + id + R"(","healthStatus":")" + value + "\"}");
  };
  health("Inactive");
  const std::string scan(
      t.defender("POST", "/api/machines/" + id + "/runAntiVirusScan", R"({"Comment":"c","ScanType":"Full"})")
          .json["id"]
          .text());
  const std::string session(
      t.defender("POST", "/api/machines/" + id + "/runliveresponse", kScript).json["id"].text());
  t.pass_seconds(2 * 3600 + 1);
  t.defender_token.clear();
  EXPECT_EQ(t.defender("GET", "/api/machineactions/" + session).json["status"].text(), "TimeOut")
      << "after two hours";
  EXPECT_EQ(t.defender("GET", "/api/machineactions/" + scan).json["status"].text(), "Pending");
  health("Active");
  t.pass_seconds(0);
  t.sim("GET", "stats");
  t.pass_seconds(3);
  EXPECT_EQ(t.defender("GET", "/api/machineactions/" + scan).json["status"].text(), "Succeeded");
}

TEST(Actions, QuarantineAndOffboardChangeTheDevice) {
  TestTenant t;
  const std::string id = t.machine(), at = "/api/machines/" + id;
  const std::string sha1(40, 'A');
  EXPECT_EQ(t.defender("POST", at + "/StopAndQuarantineFile", R"({"Comment":"c","Sha1":"aa"})").code(),
            "InvalidHashValue");
  EXPECT_EQ(
      t.defender("POST", at + "/StopAndQuarantineFile", R"({"Comment":"c","Sha1":")" + sha1 + "\"}").status,
      201);
  EXPECT_EQ(t.defender("POST", at + "/offboard", "{}").code(), "MissingRequiredParameter");
  EXPECT_EQ(t.defender("POST", at + "/offboard", R"({"Comment":"sold"})").status, 200);
  t.pass_seconds(3);
  EXPECT_EQ(t.sim("GET", "quarantine").value().at(0)["machineId"].text(), id);
  EXPECT_EQ(t.defender("GET", at).json["onboardingStatus"].text(), "CanBeOnboarded");
  EXPECT_EQ(
      t.defender("POST", "/api/machines/" + t.machine("macOS") + "/offboard", R"({"Comment":"c"})").code(),
      "OsPlatformNotSupported");
}

TEST(Machines, AreFoundByAddressAndTag) {
  TestTenant t;
  const std::string id = t.machine();
  t.sim("POST", "machines", R"({"id":")" + id + R"(","lastIpAddress":"10.9.9.9","machineTags":["VIP-1"]})");
  const std::string now = format_time_us(t.clock.now);
  const auto find = [&](const std::string& rest) { return t.defender("GET", "/api/machines/" + rest); };
  EXPECT_EQ(find("findbyip(ip='10.9.9.9',timestamp=" + now + ")").value().size(), 1u);
  EXPECT_TRUE(find("findbyip(ip='10.9.9.8',timestamp=" + now + ")").value().empty());
  EXPECT_EQ(find("find(timestamp=" + now + ",key='10.9.9.9')").value().size(), 1u);
  EXPECT_EQ(find("find(timestamp=" + now + ",key='10.9.9.8')").code(), "ResourceNotFound");
  EXPECT_EQ(find("findbyip(ip='10.9.9.9',timestamp=2026-01-01T00:00:00Z)").code(), "BadRequest");
  EXPECT_EQ(find("findbyip(ip='10.9.9',timestamp=" + now + ")").code(), "InvalidIpAddress");
  EXPECT_EQ(find("findbyip(ip='10.9.9.9',timestamp=then)").code(), "BadRequest");
  EXPECT_EQ(find("findbyip(ip=,timestamp=)").code(), "ResourceNotFound");
  EXPECT_EQ(find("findbytag?tag=VIP-1").value().size(), 1u);
  EXPECT_EQ(find("findbytag?tag=VIP-&useStartsWithFilter=true").value().size(), 1u);
  EXPECT_EQ(find("findbytag").code(), "MissingRequiredParameter");
  EXPECT_EQ(find("findbytag?tag=a&useStartsWithFilter=2").code(), "BadRequest");
  std::string many = R"({"Value":"x","Action":"Add","MachineIds":["a")";
  for (int i = 0; i < 500; ++i) many += ",\"a\"";
  const std::string bulk = "/api/machines/AddOrRemoveTagForMultipleMachines";
  EXPECT_EQ(t.defender("POST", bulk, many + "]}").code(), "MaximumBatchSizeExceeded");
  EXPECT_EQ(t.defender("POST", bulk, R"({"Value":"x","Action":"Add","MachineIds":["a"]})").code(),
            "ResourceNotFound");
  EXPECT_EQ(t.defender("POST", bulk, R"({"Value":"x","Action":"Put","MachineIds":["a"]})").code(),
            "InvalidInput");
  EXPECT_EQ(t.defender("POST", "/api/machines/" + id + "/setDeviceValue", R"({"DeviceValue":"High"})")
                .json["deviceValue"]
                .text(),
            "High");
}

TEST(Sightings, StatisticsComeFromEvidence) {
  TestTenant t;
  const std::string sha1(40, 'c'), machine = t.machine();
  t.sim("POST", "alerts",
        R"({"machineId":")" + machine + R"(","relatedUser":{"userName":"eve","domainName":"X"},"evidence":[
      {"entityType":"Process","sha1":")" +
            sha1 + R"(","fileName":"bad.exe"},
      {"entityType":"Url","url":"https://a.bad.example.net:8/x"},{"entityType":"Ip","ipAddress":"2001:db8::1"}]})");
  EXPECT_EQ(t.defender("GET", "/api/files/" + sha1 + "/stats").json["organizationPrevalence"].integer(), 1);
  EXPECT_EQ(t.defender("GET", "/api/files/" + sha1 + "/machines").value().at(0)["id"].text(), machine);
  EXPECT_EQ(t.defender("GET", "/api/files/" + std::string(40, 'd')).code(), "ResourceNotFound");
  EXPECT_TRUE(t.defender("GET", "/api/files/" + std::string(40, 'd') + "/alerts").value().empty());
  EXPECT_EQ(t.defender("GET", "/api/files/zz").code(), "InvalidHashValue");
  EXPECT_EQ(t.defender("GET", "/api/domains/bad.example.net/stats").json["organizationPrevalence"].integer(),
            1);
  EXPECT_EQ(t.defender("GET", "/api/domains/ad.example.net/stats").json["organizationPrevalence"].integer(),
            0);
  EXPECT_EQ(t.defender("GET", "/api/domains/nodots/stats").code(), "InvalidDomainName");
  EXPECT_EQ(t.defender("GET", "/api/ips/2001:db8::1/alerts").value().size(), 1u);
  EXPECT_EQ(t.defender("GET", "/api/ips/300.1.1.1/stats").code(), "InvalidIpAddress");
  for (const char* wrong : {"0", "721", "x", ""})
    EXPECT_EQ(t.defender("GET", "/api/ips/10.0.0.1/stats?lookBackHours=" + std::string(wrong)).code(),
              "BadRequest")
        << wrong;
  EXPECT_EQ(t.defender("GET", "/api/users/eve/alerts").value().size(), 1u);
  EXPECT_EQ(t.sim("POST", "alerts", R"({"evidence":[{"entityType":"Proces"}]})").message(),
            "`Proces` is no entityType of evidence; did you mean `Process`?");
}

TEST(Alerts, AreMadeFromEventsAndMerge) {
  TestTenant t;
  const auto body = [&](const std::string& machine, const std::string& severity) {
    return R"({"machineId":")" + machine +
           R"(","reportId":"1","eventTime":"2026-11-17T10:00:00.1234567Z","severity":")" + severity +
           R"(","category":"Execution","title":"t","description":"d","recommendedAction":"r"})";
  };
  const std::string path = "/api/alerts/CreateAlertByReference", machine = t.machine();
  const Answered made = t.defender("POST", path, body(machine, "High"));
  ASSERT_EQ(made.status, 200) << made.whole.body;
  EXPECT_EQ(t.defender("POST", path, body(machine, "Low")).json["id"].text(), made.json["id"].text());
  EXPECT_EQ(
      t.defender("GET", "/api/investigations/" + std::string(made.json["id"].text())).json["state"].text(),
      "Running");
  EXPECT_EQ(t.defender("POST", path, body("nobody", "High")).code(), "ResourceNotFound");
  EXPECT_EQ(t.defender("POST", path, body(machine, "Informational")).code(), "InvalidInput");
  EXPECT_EQ(t.defender("POST", path, R"({"machineId":1})").code(), "MissingRequiredParameter");
}

TEST(Scans, AreDefinedChangedAndDeleted) {
  TestTenant t;
  const std::string agent(
      t.defender("GET", "/api/DeviceAuthenticatedScanAgents").value().at(0)["machineId"].text());
  const auto body = [&](const std::string& hours, const std::string& by) {
    return R"({"scanType":"Network","scanName":"s","isActive":true,"target":"10.0.0.1","targetType":"Ip","intervalInHours":)" +
           hours + R"(,"scannerAgent":{"machineId":")" + by +
           R"("},"scanAuthenticationParams":{"type":"CommunityString","communityString":"secret"}})";
  };
  const std::string path = "/api/DeviceAuthenticatedScanDefinitions";
  const Answered made = t.defender("POST", path, body("4", agent));
  ASSERT_EQ(made.status, 200) << made.whole.body;
  EXPECT_EQ(made.whole.body.find("secret"), std::string::npos);
  EXPECT_EQ(t.defender("POST", path, body("0", agent)).code(), "InvalidInput");
  EXPECT_EQ(t.defender("POST", path, body("\"4\"", agent)).code(), "InvalidRequestBody");
  EXPECT_EQ(t.defender("POST", path, body("4", "x")).code(), "InvalidInput");
  const std::string id(made.json["id"].text());
  EXPECT_EQ(t.defender("PATCH", path + "/" + id, body("8", agent)).json["intervalInHours"].integer(), 8);
  EXPECT_EQ(t.defender("PATCH", path + "/none", body("8", agent)).code(), "ResourceNotFound");
  EXPECT_EQ(t.defender("POST", path + "/GetScanHistoryByScanDefinitionId",
                       R"({"ScanDefinitionIds":[")" + id + "\"]}")
                .value()
                .size(),
            1u);
  EXPECT_EQ(t.defender("POST", path + "/BatchDelete", R"({"ScanDefinitionIds":[")" + id + "\"]}").status,
            200);
  EXPECT_TRUE(t.defender("GET", path).value().empty());
}

TEST(Posture, PagesOfTwentyAndScores) {
  TestTenant t;
  const Answered health = t.defender("GET", "/api/deviceavinfo");
  EXPECT_EQ(health.value().size(), 20u);
  const std::string next(health.json["@odata.nextLink"].text());
  ASSERT_NE(next.find("/api/"), std::string::npos);
  EXPECT_EQ(t.defender("GET", next.substr(next.find("/api/"))).value().size(), 20u);
  EXPECT_EQ(t.filter("deviceavinfo", "rbacGroupName eq 'x'").code(), "ODataError");
  const double score = t.defender("GET", "/api/exposureScore").json["score"].number();
  EXPECT_GT(score, 0);
  EXPECT_LE(score, 100);
  EXPECT_EQ(t.filter("remediationtasks", "status eq 'Completed'").value().size(), 1u);
  EXPECT_EQ(t.sim("POST", "remediations", R"({"software":"none"})").status, 400);
  EXPECT_EQ(t.sim("POST", "remediations", R"({"software":"contoso-_-browser"})").status, 200);
}

}  // namespace
}  // namespace flow::sim
