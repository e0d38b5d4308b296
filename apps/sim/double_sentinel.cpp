// Microsoft Sentinel by Azure Resource Manager: incidents made from the tenant's, comments, entities. A
// change whose etag is an old one is refused.
#include <algorithm>

#include "apps/sim/graph_data.hpp"
#include "apps/sim/made_up.hpp"
#include "apps/sim/seeded_random.hpp"
#include "apps/sim/third_party.hpp"
#include "apps/sim/ticks.hpp"
#include "base/text.hpp"

namespace flow::sim {
namespace {

constexpr char kIncidents[] =
    "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.OperationalInsights/workspaces/"
    "{workspace}/"
    "providers/Microsoft.SecurityInsights/incidents";
constexpr std::size_t kPlaceOfId = 11;  // of the path's segments

HttpAnswer wrong(int status, const char* code, const std::string& message) {
  return json_answer(status, Json::object({{"error", Json::object({{"code", code}, {"message", message}})}}));
}

std::optional<HttpAnswer> refused(const Call& call) {
  if (call.target.parameter("api-version").value_or("").empty())
    return wrong(400, "MissingApiVersionParameter",
                 "The api-version query parameter (?api-version=) is required for all requests.");
  return std::nullopt;
}

std::string new_etag(State& state) {
  return "\"" + guid(*state.random) + "\"";
}

std::string capitalised(std::string_view text) {
  std::string result(text);
  if (!result.empty() && result[0] >= 'a' && result[0] <= 'z')
    result[0] = static_cast<char>(result[0] - 'a' + 'A');
  return result;
}

Json no_owner() {
  return Json::object(
      {{"objectId", nullptr}, {"email", nullptr}, {"assignedTo", nullptr}, {"userPrincipalName", nullptr}});
}

// What the service writes itself; in a request it is let pass, as what is read may be sent back.
bool is_read_only(std::string_view property) {
  constexpr std::string_view kNames[] = {"incidentNumber",      "incidentUrl",  "createdTimeUtc",
                                         "lastModifiedTimeUtc", "providerName", "providerIncidentId",
                                         "additionalData"};
  return std::ranges::find(kNames, property) != std::end(kNames);
}

// Each incident of the tenant is one here too, made when it is first looked for.
std::map<std::string, Json>& incidents(State& state, const Call& call) {
  std::map<std::string, Json>& own = third_party(state).sentinel;
  std::string path = call.target.path.substr(0, call.target.path.find("/incidents"));
  for (const Json& incident : incidents_of(state)) {
    SeededRandom random(stable_hash(incident["id"].text()));
    const std::string name = guid(random);
    if (own.contains(name) || own.size() >= kMostEntries) continue;
    Json properties = Json::object({{"title", incident["displayName"]}, {"description", ""}});
    properties.set("severity", capitalised(incident["severity"].text())).set("status", "New");
    properties.set("incidentNumber", incident["id"].text().size() < 10
                                         ? Json(std::stol(std::string(incident["id"].text())))
                                         : Json());
    properties.set("incidentUrl", "https://portal.azure.com/#asset/" + name).set("labels", Json::list());
    properties.set("owner", no_owner());
    properties.set("createdTimeUtc", incident["createdDateTime"])
        .set("lastModifiedTimeUtc", incident["lastUpdateDateTime"]);
    properties.set("providerName", "Microsoft XDR").set("providerIncidentId", incident["id"]);
    properties.set("additionalData",
                   Json::object({{"alertsCount", incident["alerts"].items().size()}, {"commentsCount", 0}}));
    own[name] = Json::object({{"id", path + "/incidents/" + name},
                              {"name", name},
                              {"etag", "\"" + guid(random) + "\""},
                              {"type", "Microsoft.SecurityInsights/Incidents"},
                              {"properties", properties}});
  }
  return own;
}

const std::string& name_in(const Call& call) {
  return call.target.segments[kPlaceOfId];
}
HttpAnswer no_incident(const Call& call) {
  return wrong(404, "NotFound", "Incident '" + name_in(call) + "' does not exist");
}

// What callers see: without the comments, which are asked for apart.
Json shown(const Json& incident) {
  Json view = Json::object();
  for (const Member& member : incident.members())
    if (member.name != "comments") view.set(member.name, member.value);
  return view;
}

HttpAnswer list(State& state, const Call& call) {
  if (auto answer = refused(call)) return *answer;
  using Kind = PropertyKind;
  EntitySet set{"",
                {{"properties/severity", Kind::Enum},
                 {"properties/status", Kind::Enum},
                 {"properties/createdTimeUtc", Kind::Time},
                 {"properties/lastModifiedTimeUtc", Kind::Time},
                 {"properties/providerIncidentId", Kind::Text}},
                "",
                1'000,
                "https://management.azure.com" + call.target.path};
  // Filters name members of `properties` by path.
  std::vector<Json> flat;
  for (const auto& [name, incident] : incidents(state, call)) {
    Json entity = shown(incident);
    for (const Property& property : set.properties)
      entity.set(property.name, incident["properties"][property.name.substr(11)]);
    flat.push_back(std::move(entity));
  }
  std::vector<const Json*> pointers;
  for (const Json& entity : flat) pointers.push_back(&entity);
  Pairs query;
  for (const auto& [name, value] : call.target.query)
    if (name.starts_with("$")) query.emplace_back(name, value);
  const auto body = query_entities(set, query, pointers, [](const Json& entity, bool) {
    Json view = Json::object();
    for (const Member& member : entity.members())
      if (member.name.find('/') == std::string::npos) view.set(member.name, member.value);
    return view;
  });
  if (!body) return wrong(400, "BadRequest", body.error().message);
  return json_answer(200, Json::object({{"value", (*body)["value"]}}));
}

HttpAnswer get(State& state, const Call& call) {
  if (auto answer = refused(call)) return *answer;
  const auto& all = incidents(state, call);
  const auto found = all.find(name_in(call));
  return found != all.end() ? json_answer(200, shown(found->second)) : no_incident(call);
}

std::string wrong_properties(const Json& properties) {
  const auto is_one_of = [&](const char* name, std::initializer_list<std::string_view> values,
                             bool is_required) {
    const Json& value = properties[name];
    return value.is_null() ? !is_required : std::ranges::find(values, value.text()) != values.end();
  };
  if (properties["title"].text().empty()) return "'properties.title' is required.";
  if (!is_one_of("severity", {"High", "Medium", "Low", "Informational"}, true))
    return "'properties.severity' is not valid.";
  if (!is_one_of("status", {"New", "Active", "Closed"}, true)) return "'properties.status' is not valid.";
  if (!is_one_of("classification", {"Undetermined", "TruePositive", "BenignPositive", "FalsePositive"},
                 properties["status"].text() == "Closed"))
    return "'properties.classification' is required for a closed incident.";
  return "";
}

HttpAnswer put(State& state, const Call& call) {
  if (auto answer = refused(call)) return *answer;
  const auto body = parse_json(call.question.body);
  if (!body || !body->is_object()) return wrong(400, "BadRequest", "The request body is no JSON object.");
  if (const std::string problem = wrong_properties((*body)["properties"]); !problem.empty())
    return wrong(400, "BadRequest", problem);
  std::map<std::string, Json>& all = incidents(state, call);
  const bool is_new = !all.contains(name_in(call));
  if (is_new && all.size() >= kMostEntries) return wrong(400, "BadRequest", "There are too many incidents.");
  std::string_view etag = call.question.header("If-Match");
  if (etag.empty() || etag == "*") etag = etag.empty() ? (*body)["etag"].text() : "";
  Json& incident = all[name_in(call)];
  if (!is_new && !etag.empty() && etag != incident["etag"].text())
    return wrong(412, "PreconditionFailed",
                 "Newer instance of the incident exists: the etag does not match.");
  const std::string now = format_ticks(state.now_us());
  if (is_new) {
    incident = Json::object({{"id", call.target.path},
                             {"name", name_in(call)},
                             {"etag", ""},
                             {"type", "Microsoft.SecurityInsights/Incidents"}});
    incident.set("properties", Json::object({{"incidentNumber", third_party(state).next_number++},
                                             {"createdTimeUtc", now}}));
  }
  // An incident is set as a whole: what callers may say and do not say is no more.
  Json properties = Json::object({{"labels", Json::list()}, {"owner", no_owner()}});
  for (const Member& member : incident["properties"].members())
    if (is_read_only(member.name)) properties.set(member.name, member.value);
  for (const Member& member : (*body)["properties"].members())
    if (!is_read_only(member.name)) properties.set(member.name, member.value);
  if (const std::string_view name = properties["owner"]["userPrincipalName"].text(); !name.empty())
    properties.set("owner", Json::object({{"objectId", nullptr},
                                          {"email", name},
                                          {"assignedTo", name.substr(0, name.find('@'))},
                                          {"userPrincipalName", name}}));
  incident.set("properties", properties.set("lastModifiedTimeUtc", now)).set("etag", new_etag(state));
  return json_answer(is_new ? 201 : 200, shown(incident));
}

HttpAnswer put_comment(State& state, const Call& call) {
  if (auto answer = refused(call)) return *answer;
  auto& all = incidents(state, call);
  const auto found = all.find(name_in(call));
  if (found == all.end()) return no_incident(call);
  const auto body = parse_json(call.question.body);
  const std::string message(body ? (*body)["properties"]["message"].text() : "");
  if (message.empty() || message.size() > 30'000)
    return wrong(400, "BadRequest", "'properties.message' must have 1 to 30000 characters.");
  const std::string& name = call.target.segments[kPlaceOfId + 2];
  Json comments = Json::list();
  bool is_new = true;
  for (const Json& comment : found->second["comments"].items())
    if (comment["name"].text() != name)
      comments.add(comment);
    else
      is_new = false;
  Json comment = Json::object({{"id", call.target.path},
                               {"name", name},
                               {"etag", new_etag(state)},
                               {"type", "Microsoft.SecurityInsights/Incidents/Comments"}});
  comment.set("properties", Json::object({{"message", message},
                                          {"createdTimeUtc", format_ticks(state.now_us())},
                                          {"author", Json::object({{"name", state.options.client_id}})}}));
  comments.add(comment);
  found->second.set("comments", std::move(comments));
  return json_answer(is_new ? 201 : 200, comment);
}

HttpAnswer list_comments(State& state, const Call& call) {
  if (auto answer = refused(call)) return *answer;
  auto& all = incidents(state, call);
  const auto found = all.find(name_in(call));
  if (found == all.end()) return no_incident(call);
  return json_answer(200, Json::object({{"value", Json(found->second["comments"].items())}}));
}

Json entity(const char* kind, Json properties) {
  return Json::object({{"type", "Microsoft.SecurityInsights/Entities"},
                       {"kind", kind},
                       {"properties", std::move(properties)}});
}

HttpAnswer list_entities(State& state, const Call& call) {
  if (auto answer = refused(call)) return *answer;
  const auto& all = incidents(state, call);
  const auto found = all.find(name_in(call));
  if (found == all.end()) return no_incident(call);
  Json entities = Json::list();
  for (const Json& alert : state.alerts) {
    if (std::to_string(alert["incidentId"].integer()) !=
        found->second["properties"]["providerIncidentId"].text())
      continue;
    const std::string host(alert["computerDnsName"].text());
    const std::string name = host.substr(0, host.find('.'));
    if (!host.empty())
      entities.add(entity(
          "Host", Json::object({{"hostName", name},
                                {"friendlyName", name},
                                {"additionalData",
                                 Json::object({{"MdatpDeviceId", alert["machineId"]}, {"FQDN", host}})}})));
    for (const Json& item : alert["evidence"].items()) {
      if (item["entityType"].text() == "User")
        entities.add(entity("Account", Json::object({{"accountName", item["accountName"]},
                                                     {"aadUserId", item["aadUserId"]},
                                                     {"friendlyName", item["accountName"]}})));
      if (item["entityType"].text() == "Ip")
        entities.add(entity(
            "Ip", Json::object({{"address", item["ipAddress"]}, {"friendlyName", item["ipAddress"]}})));
    }
  }
  return json_answer(200, Json::object({{"entities", entities}, {"metaData", Json::list()}}));
}

HttpAnswer list_alerts(State& state, const Call& call) {
  if (auto answer = refused(call)) return *answer;
  const auto& all = incidents(state, call);
  const auto found = all.find(name_in(call));
  if (found == all.end()) return no_incident(call);
  const std::string path = call.target.path.substr(0, call.target.path.find("/incidents"));
  Json alerts = Json::list();
  for (const Json& alert : state.alerts) {
    if (std::to_string(alert["incidentId"].integer()) !=
        found->second["properties"]["providerIncidentId"].text())
      continue;
    SeededRandom random(stable_hash(alert["id"].text()));
    const std::string name = guid(random);
    Json properties = Json::object({{"systemAlertId", name}, {"alertDisplayName", alert["title"]}});
    properties.set("description", alert["description"]).set("severity", alert["severity"]);
    properties.set("status", alert["status"]).set("providerAlertId", alert["id"]);
    properties.set("productName", "Microsoft Defender Advanced Threat Protection")
        .set("vendorName", "Microsoft");
    properties.set("compromisedEntity", alert["computerDnsName"])
        .set("tactics", Json(Json::List{alert["category"]}));
    properties.set("timeGenerated", alert["alertCreationTime"]);
    alerts.add(Json::object({{"id", path + "/entities/" + name},
                             {"name", name},
                             {"type", "Microsoft.SecurityInsights/Entities"},
                             {"kind", "SecurityAlert"},
                             {"properties", properties}}));
  }
  return json_answer(200, Json::object({{"value", alerts}}));
}

constexpr char kOne[] =
    "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.OperationalInsights/workspaces/"
    "{workspace}/"
    "providers/Microsoft.SecurityInsights/incidents/{incident}";
constexpr char kComments[] =
    "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.OperationalInsights/workspaces/"
    "{workspace}/"
    "providers/Microsoft.SecurityInsights/incidents/{incident}/comments";
constexpr char kOneComment[] =
    "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.OperationalInsights/workspaces/"
    "{workspace}/"
    "providers/Microsoft.SecurityInsights/incidents/{incident}/comments/{comment}";
constexpr char kEntities[] =
    "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.OperationalInsights/workspaces/"
    "{workspace}/"
    "providers/Microsoft.SecurityInsights/incidents/{incident}/entities";
constexpr char kAlerts[] =
    "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.OperationalInsights/workspaces/"
    "{workspace}/"
    "providers/Microsoft.SecurityInsights/incidents/{incident}/alerts";
// A role of Azure, granted on the workspace and not in the token: the audience is all that is looked at.
constexpr SimOperation kSentinelOperations[] = {
    {"sentinel.incidents.list", "GET", kIncidents, Audience::Arm, "", 0, 0, list},
    {"sentinel.incidents.get", "GET", kOne, Audience::Arm, "", 0, 0, get},
    {"sentinel.incidents.put", "PUT", kOne, Audience::Arm, "", 0, 0, put},
    {"sentinel.comments.list", "GET", kComments, Audience::Arm, "", 0, 0, list_comments},
    {"sentinel.comments.put", "PUT", kOneComment, Audience::Arm, "", 0, 0, put_comment},
    {"sentinel.entities", "POST", kEntities, Audience::Arm, "", 0, 0, list_entities},
    {"sentinel.alerts", "POST", kAlerts, Audience::Arm, "", 0, 0, list_alerts},
};

}  // namespace

std::span<const SimOperation> sentinel_operations() {
  return kSentinelOperations;
}

}  // namespace flow::sim
