// Graph's alerts and incidents: the same alerts as Defender's, in Graph's shape.
#include <algorithm>

#include "apps/sim/defender_handlers.hpp"
#include "apps/sim/graph_data.hpp"
#include "apps/sim/made_up.hpp"
#include "apps/sim/ticks.hpp"
#include "base/text.hpp"

namespace flow::sim {
namespace {

constexpr char kGraph[] = "https://graph.microsoft.com";
using Kind = PropertyKind;

EntitySet set_of(const char* name, std::vector<std::string> texts, std::string expandable, std::size_t most) {
  EntitySet set;
  set.context = std::string(kGraph) + "/v1.0/$metadata#security/" + name;
  for (const char* time : {"createdDateTime", "lastUpdateDateTime"})
    set.properties.push_back({time, Kind::Time});
  for (std::string& text : texts) set.properties.push_back({std::move(text), Kind::Enum});
  set.properties.push_back({"assignedTo", Kind::Text});
  set.expandable = std::move(expandable);
  set.most = most;
  set.base_url = std::string(kGraph) + "/v1.0/security/" + name;
  return set;
}
const EntitySet& alert_set() {
  static const EntitySet kSet = set_of(
      "alerts_v2", {"classification", "determination", "severity", "serviceSource", "status"}, "", 1'000);
  return kSet;
}
const EntitySet& incident_set() {
  static const EntitySet kSet =
      set_of("incidents", {"classification", "determination", "severity", "status"}, "alerts", 50);
  return kSet;
}

// `InProgress` is `inProgress` here, and the other way round.
Json camel(const Json& value) {
  if (!value.is_text() || value.text().empty()) return value;
  std::string text(value.text());
  text[0] = lower_ascii(text.substr(0, 1))[0];
  return text;
}
// The value of the list that the client means, whatever its letters' case; empty when there is none.
std::string meant(const Json& value, const std::vector<std::string>& values) {
  for (const std::string& known : values)
    if (equals_ignoring_case(known, value.text())) return known;
  return "";
}
Json or_unknown(const Json& value) {
  return value.is_null() ? Json("unknown") : camel(value);
}

Json device_evidence(const Json& machine, const Json& created) {
  Json item = Json::object({{"@odata.type", "#microsoft.graph.security.deviceEvidence"}});
  const std::string_view name = machine["computerDnsName"].text();
  item.set("createdDateTime", created).set("verdict", "unknown").set("remediationStatus", "none");
  item.set("roles", Json::list())
      .set("detailedRoles", Json(Json::List{"PrimaryDevice"}))
      .set("tags", Json::list());
  item.set("mdeDeviceId", machine["id"])
      .set("azureAdDeviceId", machine["aadDeviceId"])
      .set("deviceDnsName", name);
  item.set("hostName", std::string(name.substr(0, name.find('.')))).set("osPlatform", machine["osPlatform"]);
  item.set("osBuild", machine["osBuild"])
      .set("version", machine["version"])
      .set("healthStatus", camel(machine["healthStatus"]));
  item.set("riskScore", camel(machine["riskScore"])).set("rbacGroupId", machine["rbacGroupId"]);
  item.set("rbacGroupName", machine["rbacGroupName"]).set("onboardingStatus", "onboarded");
  item.set("defenderAvStatus", "updated").set("ipInterfaces", Json(Json::List{machine["lastIpAddress"]}));
  return item.set("loggedOnUsers", Json::list()).set("vmMetadata", nullptr);
}

Json account_of(const Json& item) {
  return Json::object({{"accountName", item["accountName"]},
                       {"domainName", item["domainName"]},
                       {"userSid", item["userSid"]},
                       {"azureAdUserId", item["aadUserId"]},
                       {"userPrincipalName", item["userPrincipalName"]},
                       {"displayName", item["accountName"]}});
}
Json file_of(const Json& item) {
  return Json::object({{"sha1", item["sha1"]},
                       {"sha256", item["sha256"]},
                       {"fileName", item["fileName"]},
                       {"filePath", item["filePath"]}});
}

// Null for kinds that Graph does not show.
Json graph_evidence(const Json& item, const Json& machine_id) {
  Json shown = Json::object({{"@odata.type", nullptr}, {"createdDateTime", item["evidenceCreationTime"]}});
  shown.set("verdict", "suspicious").set("remediationStatus", "none").set("roles", Json::list());
  const auto typed = [&](const char* type) -> Json& {
    return shown.set("@odata.type", std::string("#microsoft.graph.security.") + type);
  };
  const std::string_view kind = item["entityType"].text();
  if (kind == "Process") {
    typed("processEvidence")
        .set("processId", item["processId"])
        .set("parentProcessId", item["parentProcessId"]);
    shown.set("processCommandLine", item["processCommandLine"])
        .set("processCreationDateTime", item["processCreationTime"]);
    shown.set("detectionStatus", camel(item["detectionStatus"])).set("mdeDeviceId", machine_id);
    return shown.set("imageFile", file_of(item)).set("userAccount", account_of(item));
  }
  if (kind == "File")
    return typed("fileEvidence").set("fileDetails", file_of(item)).set("mdeDeviceId", machine_id);
  if (kind == "User") return typed("userEvidence").set("userAccount", account_of(item));
  if (kind == "Ip") return typed("ipEvidence").set("ipAddress", item["ipAddress"]);
  if (kind == "Url") return typed("urlEvidence").set("url", item["url"]);
  return {};
}

std::string_view source_of(std::string_view detection) {
  return detection.find("Office") != std::string_view::npos ? "microsoftDefenderForOffice365"
                                                            : "microsoftDefenderForEndpoint";
}

HttpAnswer no_such(State& state, std::string_view id) {
  return graph_error(state, 404, "ResourceNotFound", "Could not find '" + std::string(id) + "'.");
}

// The body of a change, its enums as Defender spells them; `refused` says what is wrong.
Json read_change(const Call& call, const std::vector<std::string>& extra, std::string& refused) {
  const auto body = parse_json(call.question.body);
  if (!body || !body->is_object() || body->members().empty()) {
    refused = "The request body is no JSON object with something to change.";
    return {};
  }
  Json change = Json::object();
  for (const Member& member : body->members()) {
    if (member.name.starts_with("@")) continue;
    std::string value(member.value.text());
    if (member.name == "classification") value = meant(member.value, classifications());
    if (member.name == "determination") value = meant(member.value, determinations());
    const bool is_known = member.name == "status" || member.name == "assignedTo" ||
                          member.name == "classification" || member.name == "determination" ||
                          std::ranges::find(extra, member.name) != extra.end();
    if (!is_known) refused = "The property '" + member.name + "' cannot be changed.";
    const bool is_enum = member.name == "classification" || member.name == "determination";
    const bool is_reset = equals_ignoring_case(member.value.text(), "unknown");
    if (is_enum && value.empty() && !is_reset)
      refused = "'" + std::string(member.value.text()) + "' is no value of '" + member.name + "'.";
    if (!refused.empty()) return {};
    change.set(member.name, is_enum ? (is_reset ? Json() : Json(value)) : member.value);
  }
  return change;
}

HttpAnswer list_graph_alerts(State& state, const Call& call) {
  std::vector<Json> alerts;
  for (auto alert = state.alerts.rbegin(); alert != state.alerts.rend(); ++alert)
    alerts.push_back(graph_alert(state, *alert));
  return graph_list(state, call, alert_set(), alerts);
}

HttpAnswer get_graph_alert(State& state, const Call& call) {
  const Json* alert = find_alert(state, call.id);
  return alert != nullptr ? json_answer(200, graph_alert(state, *alert)) : no_such(state, call.id);
}

HttpAnswer update_graph_alert(State& state, const Call& call) {
  Json* alert = find_alert(state, call.id);
  if (alert == nullptr) return no_such(state, call.id);
  std::string refused;
  Json change = read_change(call, {}, refused);
  if (refused.empty() && change.find("status") != nullptr) {
    const std::string status = meant(change["status"], alert_statuses());
    if (status.empty()) refused = "'" + std::string(change["status"].text()) + "' is no status of an alert.";
    change.set("status", status);
  }
  if (!refused.empty()) return graph_error(state, 400, "BadRequest", refused);
  change_alert(state, *alert, change, state.options.client_id);
  return json_answer(200, graph_alert(state, *alert));
}

std::string comment_in(const Call& call) {
  const auto body = parse_json(call.question.body);
  return body ? std::string((*body)["comment"].text()) : "";
}

HttpAnswer comment_on_alert(State& state, const Call& call) {
  Json* alert = find_alert(state, call.id);
  if (alert == nullptr) return no_such(state, call.id);
  const std::string comment = comment_in(call);
  if (comment.empty()) return graph_error(state, 400, "BadRequest", "The comment is missing.");
  change_alert(state, *alert, Json::object({{"comment", comment}}), state.options.client_id);
  return json_answer(200, Json::object({{"value", graph_alert(state, *alert)["comments"]}}));
}

Json* incident_change(State& state, const std::string& id) {
  for (const Json& alert : state.alerts)
    if (std::to_string(alert["incidentId"].integer()) == id) return &graph_data(state).incidents[id];
  return nullptr;
}

Json incident_named(State& state, const std::string& id) {
  for (const Json& incident : incidents_of(state))
    if (incident["id"].text() == id) return incident;
  return {};
}

Json without_alerts(Json incident) {
  Json shown = Json::object();
  for (const Member& member : incident.members())
    if (member.name != "alerts") shown.set(member.name, member.value);
  return shown;
}

HttpAnswer list_incidents(State& state, const Call& call) {
  return graph_list(state, call, incident_set(), incidents_of(state));
}

HttpAnswer get_incident(State& state, const Call& call) {
  const Json incident = incident_named(state, call.id);
  if (incident.is_null()) return no_such(state, call.id);
  const bool expands = call.target.parameter("$expand").value_or("").starts_with("alerts");
  return json_answer(200, expands ? incident : without_alerts(incident));
}

HttpAnswer update_incident(State& state, const Call& call) {
  Json* own = incident_change(state, call.id);
  if (own == nullptr) return no_such(state, call.id);
  std::string refused;
  const Json change = read_change(call, {"customTags", "resolvingComment"}, refused);
  static const std::vector<std::string> kStatuses{"active", "inProgress", "resolved"};
  std::string status;
  if (refused.empty() && change.find("status") != nullptr) {
    status = meant(change["status"], kStatuses);
    if (status.empty())
      refused = "'" + std::string(change["status"].text()) + "' is no status that an incident can be given.";
  }
  if (!refused.empty()) return graph_error(state, 400, "BadRequest", refused);
  for (const Member& member : change.members()) own->set(member.name, or_unknown(member.value));
  if (!status.empty()) own->set("status", status);
  for (const char* text : {"assignedTo", "resolvingComment", "customTags"})
    if (change.find(text) != nullptr) own->set(text, change[text]);
  own->set("lastUpdateDateTime", format_ticks(state.now_us())).set("lastModifiedBy", state.options.client_id);
  return json_answer(200, without_alerts(incident_named(state, call.id)));
}

HttpAnswer comment_on_incident(State& state, const Call& call) {
  Json* own = incident_change(state, call.id);
  if (own == nullptr) return no_such(state, call.id);
  const std::string comment = comment_in(call);
  if (comment.empty()) return graph_error(state, 400, "BadRequest", "The comment is missing.");
  Json comments = (*own)["comments"];
  comments.add(Json::object({{"comment", comment},
                             {"createdByDisplayName", state.options.client_id},
                             {"createdDateTime", format_ticks(state.now_us())}}));
  own->set("comments", comments);
  return json_answer(200, Json::object({{"value", comments}}));
}

constexpr char kReadAlerts[] = "SecurityAlert.Read.All,SecurityAlert.ReadWrite.All";
constexpr char kReadIncidents[] = "SecurityIncident.Read.All,SecurityIncident.ReadWrite.All";
constexpr SimOperation kGraphSecurityOperations[] = {
    {"graph.alerts.list", "GET", "/v1.0/security/alerts_v2", Audience::Graph, kReadAlerts, 150, 0,
     list_graph_alerts},
    {"graph.alerts.get", "GET", "/v1.0/security/alerts_v2/{id}", Audience::Graph, kReadAlerts, 150, 0,
     get_graph_alert},
    {"graph.alerts.update", "PATCH", "/v1.0/security/alerts_v2/{id}", Audience::Graph,
     "SecurityAlert.ReadWrite.All", 150, 0, update_graph_alert},
    {"graph.alerts.comment", "POST", "/v1.0/security/alerts_v2/{id}/comments", Audience::Graph,
     "SecurityAlert.ReadWrite.All", 150, 0, comment_on_alert},
    {"graph.incidents.list", "GET", "/v1.0/security/incidents", Audience::Graph, kReadIncidents, 150, 0,
     list_incidents},
    {"graph.incidents.get", "GET", "/v1.0/security/incidents/{id}", Audience::Graph, kReadIncidents, 150, 0,
     get_incident},
    {"graph.incidents.update", "PATCH", "/v1.0/security/incidents/{id}", Audience::Graph,
     "SecurityIncident.ReadWrite.All", 150, 0, update_incident},
    {"graph.incidents.comment", "POST", "/v1.0/security/incidents/{id}/comments", Audience::Graph,
     "SecurityIncident.ReadWrite.All", 150, 0, comment_on_incident},
};

}  // namespace

HttpAnswer empty_answer(int status) {
  HttpAnswer answer;
  answer.status = status;
  answer.content_type.clear();
  return answer;
}

HttpAnswer graph_list(State& state, const Call& call, const EntitySet& set,
                      const std::vector<Json>& entities) {
  std::vector<const Json*> pointers;
  for (const Json& entity : entities) pointers.push_back(&entity);
  auto body = query_entities(set, call.target.query, pointers, [&](const Json& entity, bool expanded) {
    return expanded || set.expandable.empty() ? entity : without_alerts(entity);
  });
  if (!body) return graph_error(state, 400, "BadRequest", body.error().message);
  const std::string_view next = (*body)["@odata.nextLink"].text();
  if (next.starts_with(kGraph) && !call.question.header("Host").empty())
    body->set("@odata.nextLink", own_url(call) + std::string(next.substr(sizeof kGraph - 1)));
  return json_answer(200, *body);
}

Json graph_alert(const State& state, const Json& alert) {
  const std::string id(alert["id"].text());
  Json shown =
      Json::object({{"@odata.type", "#microsoft.graph.security.alert"}, {"id", id}, {"providerAlertId", id}});
  shown.set("incidentId", std::to_string(alert["incidentId"].integer()))
      .set("status", camel(alert["status"]));
  shown.set("severity", camel(alert["severity"])).set("classification", or_unknown(alert["classification"]));
  shown.set("determination", or_unknown(alert["determination"]))
      .set("serviceSource", source_of(alert["detectionSource"].text()));
  shown.set("detectionSource", camel(alert["detectionSource"]))
      .set("productName", "Microsoft Defender for Endpoint");
  shown.set("detectorId", alert["detectorId"])
      .set("alertPolicyId", nullptr)
      .set("tenantId", state.options.tenant_id);
  shown.set("title", alert["title"]).set("description", alert["description"]).set("recommendedActions", "");
  shown.set("category", alert["category"]).set("categories", Json(Json::List{alert["category"]}));
  shown.set("assignedTo", alert["assignedTo"])
      .set("alertWebUrl", "https://security.microsoft.com/alerts/" + id);
  shown.set("incidentWebUrl",
            "https://security.microsoft.com/incidents/" + std::string(shown["incidentId"].text()));
  shown.set("actorDisplayName", nullptr).set("threatDisplayName", alert["threatName"]);
  shown.set("threatFamilyName", alert["threatFamilyName"]).set("mitreTechniques", alert["mitreTechniques"]);
  shown.set("investigationState", camel(alert["investigationState"])).set("systemTags", Json::list());
  shown.set("customDetails", Json::object()).set("additionalData", Json::object());
  shown.set("createdDateTime", alert["alertCreationTime"]).set("lastUpdateDateTime", alert["lastUpdateTime"]);
  shown.set("resolvedDateTime", alert["resolvedTime"]).set("firstActivityDateTime", alert["firstEventTime"]);
  shown.set("lastActivityDateTime", alert["lastEventTime"]);
  Json comments = Json::list(), evidence = Json::list();
  for (const Json& comment : alert["comments"].items())
    comments.add(Json::object({{"comment", comment["comment"]},
                               {"createdByDisplayName", comment["createdBy"]},
                               {"createdDateTime", comment["createdTime"]}}));
  const Json* machine = find_machine(state, alert["machineId"].text());
  if (machine != nullptr) evidence.add(device_evidence(*machine, alert["alertCreationTime"]));
  for (const Json& item : alert["evidence"].items())
    if (Json one = graph_evidence(item, alert["machineId"]); !one.is_null()) evidence.add(std::move(one));
  return shown.set("comments", std::move(comments)).set("evidence", std::move(evidence));
}

std::vector<Json> incidents_of(State& state) {
  std::vector<Json> incidents;
  std::map<std::string, std::size_t> by_id;
  for (auto alert = state.alerts.rbegin(); alert != state.alerts.rend(); ++alert) {
    const Json shown = graph_alert(state, *alert);
    const std::string id(shown["incidentId"].text());
    const auto [place, is_new] = by_id.try_emplace(id, incidents.size());
    if (is_new) {
      Json incident = Json::object({{"id", id}, {"displayName", shown["title"]}, {"description", nullptr}});
      incident.set("summary", nullptr).set("status", "active").set("severity", shown["severity"]);
      incident.set("classification", "unknown").set("determination", "unknown").set("assignedTo", nullptr);
      incident.set("redirectIncidentId", nullptr).set("incidentWebUrl", shown["incidentWebUrl"]);
      incident.set("tenantId", state.options.tenant_id).set("createdDateTime", shown["createdDateTime"]);
      incident.set("lastUpdateDateTime", shown["lastUpdateDateTime"])
          .set("lastModifiedBy", "Microsoft 365 Defender");
      incident.set("resolvingComment", nullptr).set("priorityScore", 50).set("customTags", Json::list());
      incident.set("systemTags", Json::list()).set("comments", Json::list()).set("alerts", Json::list());
      incidents.push_back(std::move(incident));
    }
    Json& incident = incidents[place->second];
    Json alerts = incident["alerts"];
    alerts.add(shown);
    incident.set("alerts", std::move(alerts)).set("createdDateTime", shown["createdDateTime"]);
  }
  for (Json& incident : incidents) {
    const auto own = graph_data(state).incidents.find(std::string(incident["id"].text()));
    if (own == graph_data(state).incidents.end()) continue;
    for (const Member& member : own->second.members()) incident.set(member.name, member.value);
  }
  return incidents;
}

std::span<const SimOperation> graph_security_operations() {
  return kGraphSecurityOperations;
}

}  // namespace flow::sim
