// Automated investigations: those that alerts brought, and those that were started on a device; and alerts
// made from events, which start one by themselves.
#include <algorithm>

#include "apps/sim/defender_handlers.hpp"
#include "apps/sim/made_up.hpp"
#include "apps/sim/request_body.hpp"
#include "apps/sim/seeded_random.hpp"
#include "apps/sim/ticks.hpp"
#include "base/text.hpp"

namespace flow::sim {
namespace {

constexpr double kActionsLong = 30;  // an investigation takes so many times as long as a machine action

const EntitySet& investigation_set() {
  using Kind = PropertyKind;
  static const EntitySet kSet{
      defender_context("Investigations"),
      {{"startTime", Kind::Time},
       {"id", Kind::Text},
       {"state",
        Kind::Enum,
        {"Unknown", "Terminated", "SuccessfullyRemediated", "Benign", "Failed", "PartiallyRemediated",
         "Running", "PendingApproval", "PendingResource", "PartiallyInvestigated", "TerminatedByUser",
         "TerminatedBySystem", "Queued", "InnerFailure", "PreexistingAlert", "UnsupportedOs",
         "UnsupportedAlertType", "SuppressedAlert", "Disabled"}},
       {"machineId", Kind::Text},
       {"triggeringAlertId", Kind::Text}},
      "",
      10'000,
      "https://api.security.microsoft.com/api/investigations"};
  return kSet;
}

// The investigation that came with an alert; its state is the one the alert shows.
Json of_alert(const Json& alert) {
  const bool is_running = alert["investigationState"].text() == "Running";
  return Json::object({{"id", alert["investigationId"].to_text()},
                       {"startTime", alert["alertCreationTime"]},
                       {"endTime", is_running ? Json() : alert["lastUpdateTime"]},
                       {"cancelledBy", nullptr},
                       {"state", alert["investigationState"]},
                       {"statusDetails", nullptr},
                       {"machineId", alert["machineId"]},
                       {"computerDnsName", alert["computerDnsName"]},
                       {"triggeringAlertId", alert["id"]}});
}

std::vector<Json> all_investigations(const State& state) {
  std::vector<Json> all;
  for (auto own = state.defender.investigations.rbegin(); own != state.defender.investigations.rend(); ++own)
    all.push_back(own->json);
  for (auto alert = state.alerts.rbegin(); alert != state.alerts.rend(); ++alert)
    if ((*alert)["investigationId"].is_int()) all.push_back(of_alert(*alert));
  return all;
}

Json begin_investigation(State& state, const Json& machine) {
  Investigation started;
  started.json = Json::object({{"id", std::to_string(100'000 + below(*state.random, 900'000))},
                               {"startTime", format_ticks(state.now_us())},
                               {"endTime", nullptr},
                               {"cancelledBy", nullptr},
                               {"state", "Running"},
                               {"statusDetails", nullptr},
                               {"machineId", machine["id"]},
                               {"computerDnsName", machine["computerDnsName"]},
                               {"triggeringAlertId", nullptr}});
  started.ends_us =
      state.now_us() + static_cast<std::int64_t>(kActionsLong * state.options.action_seconds * 1e6);
  state.defender.investigations.push_back(started);
  if (state.defender.investigations.size() > kMostInvestigations) state.defender.investigations.pop_front();
  return started.json;
}

// The device and the body of a request to start one.
std::optional<HttpAnswer> read_start(State& state, const Call& call, const Json*& machine) {
  machine = find_machine(state, call.id);
  if (machine == nullptr) return not_found(state, "Machine", call.id);
  Json body;
  if (auto refusal = read_body(state, call, {{"Comment", true}}, body)) return refusal;
  const std::string_view platform = (*machine)["osPlatform"].text();
  static constexpr std::string_view kPlatforms[] = {"Windows10", "Windows11", "WindowsServer2019",
                                                    "WindowsServer2022"};
  if (std::ranges::find(kPlatforms, platform) == std::end(kPlatforms))
    return bad_request(state, "OsPlatformNotSupported",
                       "Automated investigation is not supported on " + std::string(platform));
  return std::nullopt;
}

const std::vector<std::string>& created_categories() {
  static const std::vector<std::string> kAll{
      "General",        "CommandAndControl",   "Collection",      "CredentialAccess",
      "DefenseEvasion", "Discovery",           "Exfiltration",    "Exploit",
      "Execution",      "InitialAccess",       "LateralMovement", "Malware",
      "Persistence",    "PrivilegeEscalation", "Ransomware",      "SuspiciousActivity"};
  return kAll;
}

// An open alert with this title on the device takes a new one up.
Json* open_alert(State& state, std::string_view machine_id, std::string_view title) {
  for (Json& alert : state.alerts)
    if (alert["machineId"].text() == machine_id && alert["title"].text() == title &&
        alert["status"].text() != "Resolved")
      return &alert;
  return nullptr;
}

}  // namespace

HttpAnswer list_investigations(State& state, const Call& call) {
  return list_answer(state, call, investigation_set(), all_investigations(state));
}

HttpAnswer get_investigation(State& state, const Call& call) {
  for (const Json& investigation : all_investigations(state))
    if (investigation["id"].text() == call.id || investigation["triggeringAlertId"].text() == call.id)
      return entity_answer(200, "Investigations", investigation);
  return not_found(state, "Investigation", call.id);
}

HttpAnswer start_investigation(State& state, const Call& call) {
  const Json* machine = nullptr;
  if (auto refusal = read_start(state, call, machine)) return *refusal;
  return entity_answer(201, "Investigations", begin_investigation(state, *machine));
}

HttpAnswer initiate_investigation(State& state, const Call& call) {
  const Json* machine = nullptr;
  if (auto refusal = read_start(state, call, machine)) return *refusal;
  return json_answer(200, Json::object({{"@odata.context", defender_context("Edm.String")},
                                        {"value", begin_investigation(state, *machine)["id"]}}));
}

HttpAnswer create_alert(State& state, const Call& call) {
  Json body;
  const std::vector<BodyField> fields{{"machineId", true},
                                      {"reportId", true},
                                      {"eventTime", true},
                                      {"severity", true, {"Low", "Medium", "High"}},
                                      {"category", true, created_categories()},
                                      {"title", true},
                                      {"description", true},
                                      {"recommendedAction", true}};
  if (auto refusal = read_body(state, call, fields, body)) return *refusal;
  if (!parse_ticks(body["eventTime"].text()))
    return bad_request(state, "InvalidRequestBody",
                       "'eventTime' must be the exact time of the event, as 2026-11-20T08:14:22.1043315Z.");
  const Json* machine = find_machine(state, body["machineId"].text());
  if (machine == nullptr)
    return defender_error(state, 404, "ResourceNotFound",
                          "There is no event with this machineId, reportId and eventTime");
  if (Json* open = open_alert(state, (*machine)["id"].text(), body["title"].text())) {
    open->set("lastEventTime", body["eventTime"]).set("lastUpdateTime", format_ticks(state.now_us()));
    return entity_answer(200, "Alerts", *open);
  }
  Json given = Json::object({{"severity", body["severity"]},
                             {"category", body["category"]},
                             {"title", body["title"]},
                             {"description", body["description"]},
                             {"machineId", (*machine)["id"]},
                             {"firstEventTime", body["eventTime"]},
                             {"lastEventTime", body["eventTime"]},
                             {"detectionSource", "CustomerTI"},
                             {"investigationState", "Running"},
                             {"threatName", nullptr},
                             {"threatFamilyName", nullptr}});
  given.set("investigationId", 100'000 + below(*state.random, 900'000));
  auto alert = complete_alert(state, given);
  if (!alert) return bad_request(state, "InvalidRequestBody", alert.error().message);
  const Json made = *alert;
  if (const Status status = add_alert(state, std::move(*alert)); !status)
    return defender_error(state, 500, "InternalServerError", status.error().message);
  return entity_answer(200, "Alerts", made);
}

void advance_investigations(State& state) {
  for (Investigation& investigation : state.defender.investigations) {
    if (state.now_us() < investigation.ends_us || !investigation.json["endTime"].is_null()) continue;
    investigation.json.set("state", "Benign").set("endTime", format_ticks(investigation.ends_us));
  }
}

std::vector<Json> investigations_of(const State& state) {
  return all_investigations(state);
}

}  // namespace flow::sim
