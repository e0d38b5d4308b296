// Authenticated scans of the network: devices that scan, what they are told to scan, and what came of it.
#include <fmt/format.h>

#include <algorithm>

#include "apps/sim/defender_handlers.hpp"
#include "apps/sim/request_body.hpp"
#include "apps/sim/seeded_random.hpp"
#include "apps/sim/ticks.hpp"
#include "base/calendar.hpp"
#include "base/text.hpp"

namespace flow::sim {
namespace {

constexpr std::size_t kMostAgents = 3;

Json agent_of(const State& state, const Json& machine) {
  SeededRandom random(stable_hash(std::string(machine["id"].text()) + "/scanner"));
  return Json::object({{"id", fmt::format("{}_{}", guid(random), machine["id"].text())},
                       {"machineId", machine["id"]},
                       {"machineName", machine["computerDnsName"]},
                       {"computerDnsName", machine["computerDnsName"]},
                       {"lastSeen", format_ticks(state.now_us() - kHourUs / 4)},
                       {"assignedApplicationId", guid(random)},
                       {"scannerSoftwareVersion", "7.9.0.0"},
                       {"lastCommandExecutionTimestamp", format_ticks(state.now_us() - kHourUs / 2)},
                       {"mdeClientVersion", machine["agentVersion"]}});
}

// The first devices with Windows that report have the scanner.
std::vector<Json> agents(const State& state) {
  std::vector<Json> found;
  for (const Json& machine : state.machines)
    if (found.size() < kMostAgents && machine["osPlatform"].text().starts_with("Windows") &&
        machine["healthStatus"].text() == "Active")
      found.push_back(agent_of(state, machine));
  return found;
}

const std::vector<BodyField>& scan_fields() {
  static const std::vector<BodyField> kFields{
      {"scanType", true, {"Network"}},
      {"scanName", true},
      {"isActive", true, {}, false, BodyKind::Bool},
      {"target", true},
      {"targetType", true, {"Ip", "Hostname"}},
      {"intervalInHours", true, {}, false, BodyKind::Number},
      {"scannerAgent", true, {}, false, BodyKind::Object},
      {"scanAuthenticationParams", false, {}, false, BodyKind::Object}};
  return kFields;
}

// The agent that the body names, or the refusal.
std::optional<HttpAnswer> read_scan(State& state, const Call& call, Json& body, Json& agent) {
  if (auto refusal = read_body(state, call, scan_fields(), body)) return refusal;
  if (body["intervalInHours"].integer() < 1)
    return bad_request(state, "InvalidInput", "'intervalInHours' must be 1 or more.");
  const std::string_view machine_id = body["scannerAgent"]["machineId"].text();
  for (Json& candidate : agents(state))
    if (candidate["machineId"].text() == machine_id) agent = std::move(candidate);
  if (agent.is_null())
    return bad_request(state, "InvalidInput", fmt::format("'{}' is no scanner's machineId.", machine_id));
  return std::nullopt;
}

void fill_scan(Json& scan, const Json& body, Json agent) {
  for (const char* name : {"scanType", "scanName", "isActive", "target", "targetType", "intervalInHours"})
    scan.set(name, body[name]);
  // Secrets go in, and never come out again.
  if (body["scanAuthenticationParams"].is_object()) {
    Json shown = body["scanAuthenticationParams"];
    for (const char* name : {"communityString", "authPassword", "privPassword"})
      if (shown.find(name) != nullptr) shown.set(name, nullptr);
    scan.set("scanAuthenticationParams", std::move(shown));
  }
  scan.set("scannerAgent", std::move(agent));
}

Json* find_scan(State& state, std::string_view id) {
  const auto found = std::ranges::find_if(
      state.defender.scans, [&](const Json& scan) { return equals_ignoring_case(scan["id"].text(), id); });
  return found != state.defender.scans.end() ? &*found : nullptr;
}

// A definition's only session has the definition's id with another last part.
std::string session_of(const Json& scan) {
  return std::string(scan["id"].text().substr(0, 23)) + "-5e5510000000";
}

}  // namespace

HttpAnswer list_scan_agents(State& state, const Call& call) {
  return plain_list(state, call, "DeviceAuthenticatedScanAgents", agents(state));
}

HttpAnswer get_scan_agent(State& state, const Call& call) {
  for (const Json& agent : agents(state))
    if (agent["id"].text() == call.id || agent["machineId"].text() == call.id)
      return entity_answer(200, "DeviceAuthenticatedScanAgents", agent);
  return not_found(state, "Scan agent", call.id);
}

HttpAnswer list_scans(State& state, const Call& call) {
  return plain_list(state, call, "DeviceAuthenticatedScanDefinitions", state.defender.scans);
}

HttpAnswer add_scan(State& state, const Call& call) {
  Json body, agent;
  if (auto refusal = read_scan(state, call, body, agent)) return *refusal;
  if (!body["scanAuthenticationParams"].is_object())
    return bad_request(
        state, "MissingRequiredParameter",
        "Required parameter 'scanAuthenticationParams' is missing (names are case-sensitive).");
  if (state.defender.scans.size() >= kMostScanDefinitions)
    return bad_request(state, "BadRequest", "There are 1000 scan definitions already.");
  Json scan = Json::object({{"id", guid(*state.random)},
                            {"orgId", state.options.tenant_id},
                            {"createdBy", state.options.client_id}});
  fill_scan(scan, body, std::move(agent));
  scan.set("latestScan", Json::object({{"status", "Success"},
                                       {"failureReason", nullptr},
                                       {"executionDateTime", format_ticks(state.now_us())}}));
  scan.set("advancedActiveConfiguration", nullptr);
  state.defender.scans.push_back(scan);
  return entity_answer(200, "DeviceAuthenticatedScanDefinitions", scan);
}

HttpAnswer update_scan(State& state, const Call& call) {
  Json* scan = find_scan(state, call.id);
  if (scan == nullptr) return not_found(state, "Scan definition", call.id);
  Json body, agent;
  if (auto refusal = read_scan(state, call, body, agent)) return *refusal;
  fill_scan(*scan, body, std::move(agent));
  return entity_answer(200, "DeviceAuthenticatedScanDefinitions", *scan);
}

HttpAnswer delete_scans(State& state, const Call& call) {
  Json body;
  if (auto refusal = read_body(state, call, {{"ScanDefinitionIds", true, {}, true}}, body)) return *refusal;
  for (const Json& id : body["ScanDefinitionIds"].items())
    if (find_scan(state, id.text()) == nullptr) return not_found(state, "Scan definition", id.text());
  for (const Json& id : body["ScanDefinitionIds"].items())
    std::erase_if(state.defender.scans,
                  [&](const Json& scan) { return equals_ignoring_case(scan["id"].text(), id.text()); });
  HttpAnswer answer;
  answer.content_type.clear();
  return answer;
}

HttpAnswer list_scans_of_definitions(State& state, const Call& call) {
  Json body;
  if (auto refusal = read_body(state, call, {{"ScanDefinitionIds", true, {}, true}}, body)) return *refusal;
  std::vector<Json> history;
  for (const Json& id : body["ScanDefinitionIds"].items())
    if (const Json* scan = find_scan(state, id.text()))
      history.push_back(Json::object({{"ScanDefinitionIds", (*scan)["id"]},
                                      {"LastScanned", (*scan)["latestScan"]["executionDateTime"]},
                                      {"ScanStatus", "Success"},
                                      {"ScannerId", (*scan)["scannerAgent"]["id"]}}));
  return plain_list(state, call, "Collection(microsoft.windowsDefenderATP.api.ScanHistory)", history);
}

HttpAnswer list_scans_of_sessions(State& state, const Call& call) {
  Json body;
  if (auto refusal = read_body(state, call, {{"SessionIds", true, {}, true}}, body)) return *refusal;
  std::vector<Json> history;
  for (const Json& id : body["SessionIds"].items())
    for (const Json& scan : state.defender.scans)
      if (session_of(scan) == id.text())
        history.push_back(Json::object({{"orgId", state.options.tenant_id},
                                        {"ScanDefinitionIds", scan["id"]},
                                        {"SessionIds", id},
                                        {"NumberOfSuccessfullyScannedTargets", 1},
                                        {"NumberOfTargets", 1},
                                        {"ScanStatus", "Success"},
                                        {"LastScanned", scan["latestScan"]["executionDateTime"]},
                                        {"ListScannedTargets", Json::list()}}));
  return plain_list(state, call, "Collection(microsoft.windowsDefenderATP.api.ScanSession)", history);
}

}  // namespace flow::sim
