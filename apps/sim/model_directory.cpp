// People, groups and risk in Graph.
#include <algorithm>

#include "apps/sim/defender_handlers.hpp"
#include "apps/sim/graph_data.hpp"
#include "apps/sim/made_up.hpp"
#include "apps/sim/seeded_random.hpp"
#include "apps/sim/ticks.hpp"
#include "base/text.hpp"

namespace flow::sim {
namespace {

constexpr char kDirectoryContext[] = "https://graph.microsoft.com/v1.0/$metadata#";
constexpr std::size_t kMostRiskyAtOnce = 60;

// The id is made of the name, so that a person is the same in every tenant.
std::string user_id(std::string_view account) {
  SeededRandom random(stable_hash(account));
  return guid(random);
}

Json make_user(const std::string& account, std::int64_t now_us) {
  Json user = Json::object({{"id", user_id(account)}, {"userPrincipalName", account + "@example.com"}});
  std::string shown = account;
  for (std::size_t i = 0; i < shown.size(); ++i)
    if ((i == 0 || shown[i - 1] == ' ' || shown[i - 1] == '.') && shown[i] >= 'a' && shown[i] <= 'z')
      shown[i] = static_cast<char>(shown[i] - 'a' + 'A');
  user.set("displayName", shown).set("mail", account + "@example.com").set("jobTitle", "Analyst");
  user.set("department", "Operations").set("officeLocation", "Lisbon").set("mobilePhone", nullptr);
  user.set("accountEnabled", true).set("userType", "Member").set("onPremisesSyncEnabled", nullptr);
  user.set("createdDateTime", format_ticks(now_us - 400LL * 86'400'000'000));
  return user.set("signInSessionsValidFromDateTime", format_ticks(now_us - 90LL * 86'400'000'000));
}

HttpAnswer no_resource(State& state, std::string_view id) {
  return graph_error(
      state, 404, "Request_ResourceNotFound",
      "Resource '" + std::string(id) +
          "' does not exist or one of its queried reference-property objects are not present.");
}

Json selected_user(const Call& call, const Json& user) {
  const std::string names = call.target.parameter("$select").value_or("");
  Json shown = Json::object({{"@odata.context", std::string(kDirectoryContext) + "users/$entity"}});
  for (const Member& member : user.members()) {
    if (member.name == "manager") continue;
    const bool is_named = ("," + names + ",").find("," + member.name + ",") != std::string::npos;
    if (names.empty() || is_named) shown.set(member.name, member.value);
  }
  return shown;
}

HttpAnswer get_user(State& state, const Call& call) {
  const Json* user = find_user(state, call.id);
  return user != nullptr ? json_answer(200, selected_user(call, *user)) : no_resource(state, call.id);
}

HttpAnswer get_manager(State& state, const Call& call) {
  const Json* user = find_user(state, call.id);
  const Json* manager = user != nullptr ? find_user(state, (*user)["manager"].text()) : nullptr;
  return manager != nullptr ? json_answer(200, selected_user(call, *manager)) : no_resource(state, "manager");
}

HttpAnswer update_user(State& state, const Call& call) {
  Json* user = find_user(state, call.id);
  if (user == nullptr) return no_resource(state, call.id);
  const auto body = parse_json(call.question.body);
  if (!body || !body->is_object() || body->members().empty())
    return graph_error(state, 400, "Request_BadRequest",
                       "The request body is no JSON object with something to change.");
  for (const Member& member : body->members()) {
    if (member.name == "accountEnabled" ? member.value.is_bool() : member.name == "passwordProfile") continue;
    if (member.name == "accountEnabled")
      return graph_error(state, 400, "Request_BadRequest", "'accountEnabled' must be true or false.");
    if (user->find(member.name) == nullptr || member.name == "id")
      return graph_error(state, 400, "Request_BadRequest", "Invalid property '" + member.name + "'.");
  }
  if ((*user)["onPremisesSyncEnabled"].boolean())
    return graph_error(
        state, 400, "Request_BadRequest",
        "Unable to update the specified properties for on-premises mastered Directory Sync objects.");
  for (const Member& member : body->members())
    if (member.name != "passwordProfile") user->set(member.name, member.value);
  return empty_answer();
}

HttpAnswer revoke_sessions(State& state, const Call& call) {
  Json* user = find_user(state, call.id);
  if (user == nullptr) return no_resource(state, call.id);
  user->set("signInSessionsValidFromDateTime", format_ticks(state.now_us()));
  return json_answer(200, Json::object({{"@odata.context", std::string(kDirectoryContext) + "Edm.Boolean"},
                                        {"value", true}}));
}

HttpAnswer check_groups(State& state, const Call& call) {
  const Json* user = find_user(state, call.id);
  if (user == nullptr) return no_resource(state, call.id);
  const auto body = parse_json(call.question.body);
  if (!body || !(*body)["groupIds"].is_list())
    return graph_error(state, 400, "Request_BadRequest", "'groupIds' must be a list.");
  Json found = Json::list();
  for (const Json& id : (*body)["groupIds"].items()) {
    const auto group = graph_data(state).groups.find(std::string(id.text()));
    const bool is_member =
        group != graph_data(state).groups.end() && group->second.contains(std::string((*user)["id"].text()));
    if (is_member) found.add(id);
  }
  return json_answer(
      200, Json::object({{"@odata.context", std::string(kDirectoryContext) + "Collection(Edm.String)"},
                         {"value", found}}));
}

HttpAnswer list_members(State& state, const Call& call) {
  std::vector<Json> members;
  for (const std::string& id : graph_data(state).groups[call.id])
    if (const Json* user = find_user(state, id)) {
      Json member = Json::object({{"@odata.type", "#microsoft.graph.user"}});
      for (const char* name : {"id", "displayName", "userPrincipalName", "mail"})
        member.set(name, (*user)[name]);
      members.push_back(std::move(member));
    }
  EntitySet set;
  set.context = std::string(kDirectoryContext) + "directoryObjects";
  set.most = 999;
  set.base_url = "https://graph.microsoft.com/v1.0/groups/" + call.id + "/members";
  return graph_list(state, call, set, members);
}

HttpAnswer add_member(State& state, const Call& call) {
  const auto body = parse_json(call.question.body);
  const std::string reference(body ? (*body)["@odata.id"].text() : "");
  const std::size_t slash = reference.rfind('/');
  if (slash == std::string::npos)
    return graph_error(state, 400, "Request_BadRequest",
                       "'@odata.id' must be the address of a directory object.");
  const Json* user = find_user(state, reference.substr(slash + 1));
  if (user == nullptr) return no_resource(state, reference.substr(slash + 1));
  if (!graph_data(state).groups[call.id].insert(std::string((*user)["id"].text())).second)
    return graph_error(state, 400, "Request_BadRequest",
                       "One or more added object references already exist for the following modified "
                       "properties: 'members'.");
  return empty_answer();
}

HttpAnswer remove_member(State& state, const Call& call) {
  const Json* user = find_user(state, call.target.segments[4]);
  auto& members = graph_data(state).groups[call.id];
  if (user == nullptr || members.erase(std::string((*user)["id"].text())) == 0)
    return no_resource(state, call.target.segments[4]);
  return empty_answer();
}

Json risk_of(State& state, const Json& user) {
  const std::string id(user["id"].text());
  auto [risk, is_new] = graph_data(state).risks.try_emplace(id);
  if (is_new) {
    SeededRandom random(stable_hash(id));
    const bool is_risky = chance(random, 30);
    risk->second = Json::object({{"id", id}, {"isDeleted", false}, {"isProcessing", false}});
    risk->second.set("riskLevel", is_risky ? "medium" : "none")
        .set("riskState", is_risky ? "atRisk" : "none");
    risk->second.set("riskDetail", "none").set("riskLastUpdatedDateTime", user["createdDateTime"]);
    risk->second.set("userDisplayName", user["displayName"])
        .set("userPrincipalName", user["userPrincipalName"]);
  }
  return risk->second;
}

HttpAnswer list_risky(State& state, const Call& call) {
  using Kind = PropertyKind;
  static const EntitySet kSet{std::string(kDirectoryContext) + "identityProtection/riskyUsers",
                              {{"riskLevel", Kind::Enum},
                               {"riskState", Kind::Enum},
                               {"userPrincipalName", Kind::Text},
                               {"riskLastUpdatedDateTime", Kind::Time}},
                              "",
                              500,
                              "https://graph.microsoft.com/v1.0/identityProtection/riskyUsers"};
  std::vector<Json> risky;
  for (const Json& user : graph_data(state).users)
    if (Json risk = risk_of(state, user); risk["riskState"].text() != "none")
      risky.push_back(std::move(risk));
  return graph_list(state, call, kSet, risky);
}

HttpAnswer get_risky(State& state, const Call& call) {
  const Json* user = find_user(state, call.id);
  return user != nullptr ? json_answer(200, risk_of(state, *user)) : no_resource(state, call.id);
}

HttpAnswer set_risk(State& state, const Call& call, const char* level, const char* risk_state,
                    const char* detail) {
  const auto body = parse_json(call.question.body);
  const Json ids = body ? (*body)["userIds"] : Json();
  if (!ids.is_list() || ids.items().empty() || ids.items().size() > kMostRiskyAtOnce)
    return graph_error(state, 400, "BadRequest", "'userIds' must be a list of 1 to 60 ids.");
  for (const Json& id : ids.items())
    if (find_user(state, id.text()) == nullptr) return no_resource(state, id.text());
  for (const Json& id : ids.items()) {
    const Json user = *find_user(state, id.text());
    static_cast<void>(risk_of(state, user));
    Json& risk = graph_data(state).risks[std::string(user["id"].text())];
    risk.set("riskLevel", level).set("riskState", risk_state).set("riskDetail", detail);
    risk.set("riskLastUpdatedDateTime", format_ticks(state.now_us()));
  }
  return empty_answer();
}
HttpAnswer confirm_compromised(State& state, const Call& call) {
  return set_risk(state, call, "high", "confirmedCompromised", "adminConfirmedUserCompromised");
}
HttpAnswer dismiss_risk(State& state, const Call& call) {
  return set_risk(state, call, "none", "dismissed", "adminDismissedAllRiskForUser");
}

// Any 36 characters are a device's object id; what is done to it shows in /sim/directory.
HttpAnswer update_device(State& state, const Call& call) {
  const auto body = parse_json(call.question.body);
  if (call.id.size() != 36) return no_resource(state, call.id);
  if (!body || !(*body)["accountEnabled"].is_bool())
    return graph_error(state, 400, "Request_BadRequest", "'accountEnabled' must be true or false.");
  return empty_answer();
}

HttpAnswer show_directory(State& state, const Json&, const Target&) {
  Json users = Json::list(), groups = Json::object();
  for (const Json& user : graph_data(state).users) {
    Json shown = user;
    users.add(shown.set("risk", risk_of(state, user)["riskState"]));
  }
  for (const auto& [id, members] : graph_data(state).groups)
    groups.set(id, Json::texts({members.begin(), members.end()}));
  return json_answer(200, Json::object({{"value", users}, {"groups", groups}}));
}

HttpAnswer show_incidents(State& state, const Json&, const Target& target) {
  return json_answer(
      200, last_entries(target, incidents_of(state), [](const Json& incident) { return incident; }));
}

constexpr char kDisable[] = "User.EnableDisableAccount.All,User.ReadWrite.All";
constexpr char kRisk[] = "IdentityRiskyUser.Read.All,IdentityRiskyUser.ReadWrite.All";
constexpr SimOperation kDirectoryOperations[] = {
    {"graph.users.get", "GET", "/v1.0/users/{id}", Audience::Graph, "User.Read.All,User.ReadWrite.All", 0, 0,
     get_user},
    {"graph.users.update", "PATCH", "/v1.0/users/{id}", Audience::Graph, kDisable, 0, 0, update_user},
    {"graph.users.manager", "GET", "/v1.0/users/{id}/manager", Audience::Graph,
     "User.Read.All,User.ReadWrite.All", 0, 0, get_manager},
    {"graph.users.revokeSignInSessions", "POST", "/v1.0/users/{id}/revokeSignInSessions", Audience::Graph,
     "User.RevokeSessions.All,User.ReadWrite.All,Directory.ReadWrite.All", 0, 0, revoke_sessions},
    {"graph.users.checkMemberGroups", "POST", "/v1.0/users/{id}/checkMemberGroups", Audience::Graph,
     "GroupMember.Read.All,GroupMember.ReadWrite.All", 0, 0, check_groups},
    {"graph.groups.members", "GET", "/v1.0/groups/{id}/members", Audience::Graph,
     "GroupMember.Read.All,GroupMember.ReadWrite.All", 0, 0, list_members},
    {"graph.groups.addMember", "POST", "/v1.0/groups/{id}/members/$ref", Audience::Graph,
     "GroupMember.ReadWrite.All", 0, 0, add_member},
    {"graph.groups.removeMember", "DELETE", "/v1.0/groups/{id}/members/{user}/$ref", Audience::Graph,
     "GroupMember.ReadWrite.All", 0, 0, remove_member},
    {"graph.riskyUsers.confirmCompromised", "POST", "/v1.0/identityProtection/riskyUsers/confirmCompromised",
     Audience::Graph, "IdentityRiskyUser.ReadWrite.All", 0, 0, confirm_compromised},
    {"graph.riskyUsers.dismiss", "POST", "/v1.0/identityProtection/riskyUsers/dismiss", Audience::Graph,
     "IdentityRiskyUser.ReadWrite.All", 0, 0, dismiss_risk},
    {"graph.riskyUsers.list", "GET", "/v1.0/identityProtection/riskyUsers", Audience::Graph, kRisk, 0, 0,
     list_risky},
    {"graph.riskyUsers.get", "GET", "/v1.0/identityProtection/riskyUsers/{id}", Audience::Graph, kRisk, 0, 0,
     get_risky},
    {"graph.devices.update", "PATCH", "/v1.0/devices/{id}", Audience::Graph, "Device.ReadWrite.All", 0, 0,
     update_device},
};

constexpr ControlPage kDirectoryPages[] = {{"GET", "directory", show_directory},
                                           {"GET", "incidents", show_incidents}};

}  // namespace

GraphData& graph_data(State& state) {
  if (state.graph == nullptr) {
    state.graph = std::make_shared<GraphData>();
    for (const std::string& account : people())
      state.graph->users.push_back(make_user(account, state.now_us()));
    // The first leads all others, and has nobody above.
    for (std::size_t i = 1; i < state.graph->users.size(); ++i)
      state.graph->users[i].set("manager", state.graph->users[0]["id"]);
  }
  return *state.graph;
}

Json* find_user(State& state, std::string_view given) {
  std::string wanted(given);
  for (const Json& alert : state.alerts)
    for (const Json& item : alert["evidence"].items())
      if (!given.empty() && item["aadUserId"].text() == given) wanted = item["userPrincipalName"].text();
  for (Json& user : graph_data(state).users)
    if (equals_ignoring_case(user["id"].text(), wanted) ||
        equals_ignoring_case(user["userPrincipalName"].text(), wanted))
      return &user;
  return nullptr;
}

std::span<const SimOperation> directory_operations() {
  return kDirectoryOperations;
}
std::span<const ControlPage> graph_pages() {
  return kDirectoryPages;
}

}  // namespace flow::sim
