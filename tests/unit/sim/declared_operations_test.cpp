// Every operation of Defender that is declared, asked of the pretend tenant as the executor would ask it:
// with the least permission that the declaration names, and made-up arguments. The answer must be a value of
// the declared type.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "apps/library/standard_library.hpp"
#include "stdlib/executor/request.hpp"
#include "stdlib/executor/response.hpp"
#include "stdlib/json/json.hpp"
#include "tests/unit/sim/tenant_fixture.hpp"
#include "vm/interp/json_read.hpp"

namespace flow::sim {
namespace {

constexpr char kBase[] = "http://tenant";

// Not answered here, and why.
const std::map<std::string, std::string>& exempt() {
  static const std::map<std::string, std::string> kAll{
      {"run_advanced_query", "hunting is tested with its query language"},
      {"get_advanced_query_schema", "hunting is tested with its query language"},
      {"list_incidents", "of Defender XDR, another API"},
      {"run_xdr_query", "of Defender XDR, another API"},
      {"run_xdr_hunting_query", "of Defender XDR, another API"}};
  return kAll;
}

// Lists that may be empty: nothing of the kind has happened.
const std::set<std::string>& may_be_empty() {
  static const std::set<std::string> kAll{"list_alert_domains", "list_scan_sessions"};
  return kAll;
}

// A tenant in which there is one of everything, and its names.
struct Scene {
  explicit Scene(const std::string& operation) : t(TenantOptions{.has_quota = false}) {
    machine = weak_machine(t);
    const std::string user = R"({"name":"m.ortega","devices":[")" + machine + R"("]})";
    t.sim("POST", "machines",
          R"({"id":")" + machine + R"(","machineTags":["VIP"],"lastIpAddress":"10.1.2.3"})");
    alert =
        t.sim("POST", "alerts",
              R"([{"machineId":")" + machine +
                  R"(","investigationId":80001,"relatedUser":{"userName":"m.ortega","domainName":"EXAMPLE"},
                      "evidence":[{"entityType":"File","sha1":")" +
                  sha1 + R"(","sha256":")" + std::string(64, 'b') +
                  R"(","fileName":"a.exe","filePath":"C:\\Windows"},
                      {"entityType":"Ip","ipAddress":"198.51.100.7"},{"entityType":"Url","url":"http://bad.example.net/u"}]}])")
            .value()[0]["id"]
            .text();
    const std::string at = "/api/machines/" + machine;
    t.sim("POST", "scenario",
          R"({"users":[)" + user + R"(],"library":[{"fileName":"triage.ps1","content":"dir"}]})");
    package = id_of(t.defender("POST", at + "/collectInvestigationPackage", R"({"Comment":"c"})"));
    response = id_of(t.defender(
        "POST", at + "/runliveresponse",
        R"({"Comment":"c","Commands":[{"type":"RunScript","params":[{"key":"ScriptName","value":"triage.ps1"}]}]})"));
    t.pass_seconds(5);
    if (operation == "cancel_machine_action")
      running = id_of(t.defender("POST", at + "/collectInvestigationPackage", R"({"Comment":"c"})"));
    indicator =
        id_of(t.defender("POST", "/api/indicators", R"({"indicatorValue":"198.51.100.9","indicatorType":
        "IpAddress","action":"Block","title":"t","description":"d"})"));
    agent = t.defender("GET", "/api/DeviceAuthenticatedScanAgents").value()[0]["machineId"].text();
    scan = id_of(t.defender("POST", "/api/DeviceAuthenticatedScanDefinitions",
                            R"({"scanType":"Network","scanName":
        "s","isActive":true,"target":"10.0.0.1","targetType":"Ip","intervalInHours":4,"scannerAgent":{"machineId":")" +
                                agent + R"("},
        "scanAuthenticationParams":{"type":"CommunityString","communityString":"x"}})"));
    remediation = t.defender("GET", "/api/remediationtasks").value()[0]["id"].text();
  }

  // One that reports and lacks an update.
  static std::string weak_machine(TestTenant& t) {
    for (const Json& row :
         t.filter("vulnerabilities/machinesVulnerabilities", "fixingKbId eq '9904011'").value()) {
      const Json machine = t.defender("GET", "/api/machines/" + std::string(row["machineId"].text())).json;
      if (machine["osPlatform"].text() == "Windows11" && machine["healthStatus"].text() == "Active")
        return std::string(machine["id"].text());
    }
    return {};
  }

  static std::string id_of(const Answered& answered) {
    EXPECT_LT(answered.status, 300) << answered.whole.body;
    return std::string(answered.json["id"].text());
  }

  TestTenant t;
  std::string machine, alert, package, response, running, indicator, agent, scan, remediation;
  std::string sha1 = std::string(40, 'a');
};

std::string quoted(const std::string& text) {
  return Json(text).to_text();
}

// What stands for a parameter of this name, whatever its type; empty: its type decides.
std::string argument_by_name(const Scene& scene, const std::string& operation, const std::string& name) {
  if (operation == "get_package_uri") return quoted(scene.package);
  if (operation == "get_live_response_link" && name == "action") return quoted(scene.response);
  if (operation == "cancel_machine_action") return quoted(scene.running);
  if (operation.find("network_scan") != std::string::npos) {
    if (name == "machine") return quoted(scene.agent);
    if (name == "scan") return quoted(scene.scan);
    if (name == "scans") return "[" + quoted(scene.scan) + "]";
  }
  if (operation == "delete_library_file") return quoted("triage.ps1");
  if (name == "eventTime") return quoted(format_time_us(scene.t.clock.now - 60'000'000));
  if (name == "since") return quoted(format_time_us(scene.t.clock.now - 13 * 86'400'000'000));
  static const std::map<std::string, std::string> kFixed{{"user", "m.ortega"},
                                                         {"domain", "bad.example.net"},
                                                         {"ip", "198.51.100.7"},
                                                         {"cve", "CVE-2026-90151"},
                                                         {"software", "microsoft-_-windows"},
                                                         {"recommendation", "va-_-microsoft-_-windows"},
                                                         {"tag", "VIP"},
                                                         {"reportId", "17"},
                                                         {"script", "triage.ps1"},
                                                         {"path", "C:\\Temp\\a.txt"}};
  if (operation.starts_with("find_machine") && name == "ip") return quoted("10.1.2.3");
  if (operation == "submit_indicator") {
    if (name == "value") return quoted("198.51.100.10");
    if (name == "type") return quoted("IpAddress");
    if (name == "action") return quoted("Block");
  }
  if (name == "indicators" && operation == "import_indicators")
    return R"([{"indicatorValue":"198.51.100.11","indicatorType":"IpAddress","action":"Block","title":"t","description":"d"}])";
  if (name == "commands") return R"([{"type":"GetFile","params":[{"key":"Path","value":"C:\\a"}]}])";
  if (name == "indicator") return quoted(scene.indicator);
  if (name == "indicators") return "[" + quoted(scene.indicator) + "]";
  if (name == "investigation") return quoted("80001");
  if (name == "activity") return quoted(scene.remediation);
  if (name == "agent") return quoted(scene.agent);
  if (name == "scan") return quoted(scene.scan);
  if (name == "scans" || name == "sessions") return "[" + quoted(scene.scan) + "]";
  if (name == "file" && operation.find("library") != std::string::npos) return quoted("triage.ps1");
  const auto fixed = kFixed.find(name);
  return fixed != kFixed.end() ? quoted(fixed->second) : "";
}

std::string argument_of_type(const Scene& scene, const TypeTable& types, TypeId type) {
  type = types.without_null(type);
  const std::string name = types.name(type);
  if (types.is(type, TypeKind::List)) return "[" + argument_of_type(scene, types, types[type].element) + "]";
  if (types.is(type, TypeKind::Enum)) return quoted(types.enumeration(type).values.front());
  if (types.is(type, TypeKind::Union)) return argument_of_type(scene, types, types.members(type).front());
  if (name == "MachineId") return quoted(scene.machine);
  if (name == "AlertId") return quoted(scene.alert);
  if (name == "ActionId") return quoted(scene.package);
  if (name == "Sha1") return quoted(scene.sha1);
  if (name == "Sha256") return quoted(std::string(64, 'b'));
  if (name == "Ip") return quoted("198.51.100.7");
  if (name == "Domain") return quoted("bad.example.net");
  if (name == "Url") return quoted("https://bad.example.net/u");
  if (name == "Time") return quoted(format_time_us(scene.t.clock.now - 60'000'000));
  if (name == "Int") return "4";
  if (name == "Float") return "4.5";
  if (name == "Bool") return "true";
  return quoted("text");
}

std::string arguments_of(const Scene& scene, const Library& library, const Operation& operation) {
  std::string json = "{";
  for (const Parameter& parameter : operation.parameters) {
    std::string value = parameter.default_json;
    if (parameter.name == "comment" && value == "null") value = quoted("text");
    if (value.empty()) value = argument_by_name(scene, operation.name, parameter.name);
    if (value.empty()) value = argument_of_type(scene, library.types, parameter.type);
    json += (json.size() > 1 ? "," : "") + quoted(parameter.name) + ":" + value;
  }
  return json + "}";
}

HttpResponse carry_out(Scene& scene, const HttpRequest& request, const std::string& token) {
  HttpQuestion question{request.method, request.url.substr(sizeof kBase - 1), request.headers, request.body};
  question.headers.emplace_back("Authorization", "Bearer " + token);
  HttpAnswer answer = scene.t.tenant.handle(question);
  HttpHeaders headers = answer.headers;
  headers.emplace_back("Content-Type", answer.content_type);
  return {.status = answer.status, .headers = headers, .body = answer.body};
}

class DeclaredOperation : public ::testing::TestWithParam<std::string> {};

std::vector<std::string> declared() {
  std::vector<std::string> names;
  for (const Operation& operation : standard_library().operations)
    if (operation.connector == "defender" && !exempt().contains(operation.name))
      names.push_back(operation.name);
  return names;
}

TEST_P(DeclaredOperation, IsAnsweredWithItsType) {
  const Library& library = standard_library();
  const Operation& operation = *library.operation("defender", GetParam());
  Scene scene(operation.name);
  const Route& route = operation.routes.front();
  ASSERT_FALSE(route.permissions.empty());
  ASSERT_EQ(scene.t.sim("POST", "config", R"({"roles":[)" + quoted(route.permissions.front()) + "]}").status,
            200);
  TenantAccess access;
  access.bases["defender"] = kBase;
  const std::string text = arguments_of(scene, library, operation);
  const auto arguments = flow::parse_json(text);
  ASSERT_TRUE(arguments) << text;
  Redaction redaction;
  const auto request = http_request(
      {operation, route, library.connectors[route.connector], access, *arguments, "run/1"}, redaction);
  ASSERT_TRUE(request) << request.error().message;
  const HttpResponse response = carry_out(scene, *request, scene.t.token());
  const Outcome outcome = outcome_of(response, operation, route, scene.t.clock.now);
  ASSERT_TRUE(std::holds_alternative<Returned>(outcome)) << text << "\n" << response.status << response.body;
  const std::string& json = std::get<Returned>(outcome).json;
  if (operation.result == kNothingType) return;
  Heap heap(64u << 20);
  Slot slot;
  const auto problem = read_json(json, library.types, operation.result, "result", heap, slot);
  EXPECT_FALSE(problem) << problem->message << "\n" << json.substr(0, 400);
  if (library.types.is(operation.result, TypeKind::List) && !may_be_empty().contains(operation.name)) {
    EXPECT_NE(json, "[]") << text;
  }
}

INSTANTIATE_TEST_SUITE_P(Defender, DeclaredOperation, ::testing::ValuesIn(declared()),
                         [](const auto& name) { return name.param; });

// An exemption that names nothing declared here hides a mistake, when all the others are declared.
TEST(DeclaredOperations, AreManyMore) {
  EXPECT_GE(declared().size(), 25u);
}

}  // namespace
}  // namespace flow::sim
