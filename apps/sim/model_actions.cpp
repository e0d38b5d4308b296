#include <fmt/format.h>

#include <algorithm>

#include "apps/sim/request_body.hpp"
#include "apps/sim/seeded_random.hpp"
#include "apps/sim/ticks.hpp"
#include "base/text.hpp"

namespace flow::sim {
namespace {

constexpr char kContext[] = "https://api.security.microsoft.com/api/$metadata#MachineActions";
constexpr std::int64_t kOfflineUs = 3 * 86'400'000'000;  // so long a device that does not report is retried

const EntitySet& action_set() {
  using Kind = PropertyKind;
  static const EntitySet kSet{
      kContext,
      {{"id", Kind::Text},
       {"status", Kind::Enum, {"Pending", "InProgress", "Succeeded", "Failed", "TimeOut", "Cancelled"}},
       {"machineId", Kind::Text},
       {"type",
        Kind::Enum,
        {"RunAntiVirusScan", "Offboard", "LiveResponse", "CollectInvestigationPackage", "Isolate",
         "Unisolate", "StopAndQuarantineFile", "RestrictCodeExecution", "UnrestrictCodeExecution"}},
       {"requestor", Kind::Text},
       {"creationDateTimeUtc", Kind::Time}},
      "",
      10'000,
      "https://api.security.microsoft.com/api/machineactions"};
  return kSet;
}

Json single(const Json& action) {
  Json shown = Json::object({{"@odata.context", std::string(kContext) + "/$entity"}});
  for (const Member& member : action.members()) shown.set(member.name, member.value);
  return shown;
}

// What one kind of action asks for.
struct Kind {
  std::string type;
  std::vector<BodyField> fields;
  std::string scope_field;             // of the body; empty: no scope
  std::vector<std::string> platforms;  // prefixes of osPlatform it works on
};

bool runs_on(const Kind& kind, std::string_view platform) {
  return std::ranges::any_of(kind.platforms,
                             [&](const std::string& prefix) { return platform.starts_with(prefix); });
}

bool is_busy(const State& state, std::string_view machine_id, const std::string& type) {
  return std::ranges::any_of(state.open_actions, [&](std::size_t at) {
    return state.actions[at].machine_id == machine_id && state.actions[at].type == type;
  });
}

Json action_json(State& state, const Kind& kind, const Json& machine, const Json& body) {
  const std::string now = format_ticks(state.now_us());
  return Json::object({{"id", guid(*state.random)},
                       {"type", kind.type},
                       {"title", nullptr},
                       {"requestor", state.options.client_id},
                       {"requestorComment", body["Comment"]},
                       {"status", "Pending"},
                       {"machineId", machine["id"]},
                       {"computerDnsName", machine["computerDnsName"]},
                       {"creationDateTimeUtc", now},
                       {"lastUpdateDateTimeUtc", now},
                       {"cancellationRequestor", nullptr},
                       {"cancellationComment", nullptr},
                       {"cancellationDateTimeUtc", nullptr},
                       {"errorHResult", 0},
                       {"scope", nullptr},
                       {"externalId", nullptr},
                       {"requestSource", "PublicApi"},
                       {"relatedFileInfo", nullptr},
                       {"commands", Json::list()},
                       {"troubleshootInfo", nullptr}});
}

HttpAnswer start_action(State& state, const Kind& kind, const Json& machine, const Json& body) {
  if (state.actions.size() >= kMostActions)
    return defender_error(state, 500, "InternalServerError",
                          "The tenant is full; POST /sim/reset empties it.");
  MachineAction action;
  action.json = action_json(state, kind, machine, body);
  action.machine_id = std::string(machine["id"].text());
  action.type = kind.type;
  if (!kind.scope_field.empty())
    action.scope = body[kind.scope_field].is_text() ? body[kind.scope_field].text() : "Full";
  action.outcome = state.action_outcome;
  const auto length_us = static_cast<std::int64_t>(state.options.action_seconds * 1e6);
  action.starts_us = state.now_us() + length_us / 2;
  action.ends_us = state.now_us() + length_us;
  if (machine["healthStatus"].text() == "Inactive") {  // waits for a device that never comes
    action.starts_us = action.ends_us = state.now_us() + kOfflineUs;
    action.outcome = "TimeOut";
  }
  state.action_index[std::string(action.json["id"].text())] = state.actions.size();
  state.open_actions.push_back(state.actions.size());
  state.actions.push_back(std::move(action));
  return json_answer(201, single(state.actions.back().json));
}

HttpAnswer submit(State& state, const Call& call, const Kind& kind) {
  const Json* machine = find_machine(state, call.id);
  if (machine == nullptr)
    return defender_error(state, 404, "ResourceNotFound", "Machine " + call.id + " was not found");
  Json body;
  if (auto refusal = read_body(state, call, kind.fields, body)) return *refusal;
  const std::string_view platform = (*machine)["osPlatform"].text();
  const bool is_selective = body["IsolationType"].text() == "Selective";
  if (!runs_on(kind, platform) || (is_selective && platform == "Linux"))
    return defender_error(state, 400, "OsPlatformNotSupported",
                          fmt::format("{} is not supported on {}", kind.type, platform));
  if (is_busy(state, (*machine)["id"].text(), kind.type))
    return defender_error(state, 400, "ActiveRequestAlreadyExists", "Action is already in progress");
  return start_action(state, kind, *machine, body);
}

void apply_effect(State& state, const MachineAction& action) {
  if (action.type == "Isolate") state.isolated.insert(action.machine_id);
  if (action.type == "Unisolate") state.isolated.erase(action.machine_id);
  if (action.type == "RestrictCodeExecution") state.restricted.insert(action.machine_id);
  if (action.type == "UnrestrictCodeExecution") state.restricted.erase(action.machine_id);
}

void finish(State& state, MachineAction& action) {
  action.is_final = true;
  action.json.set("status", action.outcome).set("lastUpdateDateTimeUtc", format_ticks(action.ends_us));
  if (action.outcome == "Succeeded") {
    if (!action.scope.empty()) action.json.set("scope", action.scope);
    apply_effect(state, action);
  } else if (action.outcome == "Failed") {
    action.json.set("errorHResult", -2147467259).set("troubleshootInfo", "The device reported a failure.");
  }
}

// The permission that the kind of action needs is also the one to cancel it.
std::string_view role_of(const std::string& type) {
  if (type == "Isolate" || type == "Unisolate") return "Machine.Isolate";
  if (type == "RunAntiVirusScan") return "Machine.Scan";
  if (type == "CollectInvestigationPackage") return "Machine.CollectForensics";
  return "Machine.RestrictExecution";
}

MachineAction* find_action(State& state, const std::string& id) {
  const auto found = state.action_index.find(lower_ascii(id));
  return found != state.action_index.end() ? &state.actions[found->second] : nullptr;
}

HttpAnswer no_action(State& state, const std::string& id) {
  return defender_error(state, 404, "ResourceNotFound", "Machine action " + id + " was not found");
}

const std::vector<std::string> kNewWindows{"Windows10", "Windows11", "WindowsServer2019",
                                           "WindowsServer2022"};
const std::vector<std::string> kClients{"Windows10", "Windows11"};
const std::vector<std::string> kMost{"Windows", "macOS", "Linux"};
const BodyField kComment{"Comment", true};

}  // namespace

HttpAnswer isolate(State& state, const Call& call) {
  const BodyField type{"IsolationType", false, {"Full", "Selective", "UnManagedDevice"}};
  return submit(state, call, {"Isolate", {kComment, type}, "IsolationType", kMost});
}
HttpAnswer unisolate(State& state, const Call& call) {
  return submit(state, call, {"Unisolate", {kComment}, "", kMost});
}
HttpAnswer restrict_code(State& state, const Call& call) {
  return submit(state, call, {"RestrictCodeExecution", {kComment}, "", kNewWindows});
}
HttpAnswer unrestrict_code(State& state, const Call& call) {
  return submit(state, call, {"UnrestrictCodeExecution", {kComment}, "", kNewWindows});
}
HttpAnswer scan(State& state, const Call& call) {
  const BodyField type{"ScanType", true, {"Quick", "Full"}};
  return submit(state, call, {"RunAntiVirusScan", {kComment, type}, "ScanType", kMost});
}
HttpAnswer collect_package(State& state, const Call& call) {
  return submit(state, call, {"CollectInvestigationPackage", {kComment}, "", kClients});
}

HttpAnswer list_actions(State& state, const Call& call) {
  std::vector<const Json*> actions;
  for (auto action = state.actions.rbegin(); action != state.actions.rend(); ++action)
    actions.push_back(&action->json);
  const auto body = query_entities(action_set(), call.target.query, actions,
                                   [](const Json& action, bool) { return action; });
  if (!body) return defender_error(state, 400, "ODataError", body.error().message);
  return json_answer(200, *body);
}

HttpAnswer get_action(State& state, const Call& call) {
  const MachineAction* action = find_action(state, call.id);
  return action != nullptr ? json_answer(200, single(action->json)) : no_action(state, call.id);
}

HttpAnswer cancel_action(State& state, const Call& call) {
  MachineAction* action = find_action(state, call.id);
  if (action == nullptr) return no_action(state, call.id);
  const std::string_view role = role_of(action->type);
  if (std::ranges::find(call.token->roles, role) == call.token->roles.end())
    return defender_error(
        state, 403, "Forbidden",
        fmt::format("Missing application roles. API required roles: {}, application roles: {}.", role,
                    fmt::join(call.token->roles, ",")));
  Json body;
  if (auto refusal = read_body(state, call, {kComment}, body)) return *refusal;
  if (action->is_final) return defender_error(state, 400, "BadRequest", "The action has already ended");
  const std::string now = format_ticks(state.now_us());
  action->is_final = true;
  action->json.set("status", "Cancelled").set("lastUpdateDateTimeUtc", now);
  action->json.set("cancellationRequestor", state.options.client_id)
      .set("cancellationComment", body["Comment"]);
  action->json.set("cancellationDateTimeUtc", now);
  advance_actions(state);
  return json_answer(200, single(action->json));
}

HttpAnswer get_package_uri(State& state, const Call& call) {
  const MachineAction* action = find_action(state, call.id);
  const bool is_ready = action != nullptr && action->type == "CollectInvestigationPackage" &&
                        action->json["status"].text() == "Succeeded";
  if (!is_ready) return no_action(state, call.id);
  // The API really wraps the value in quotation marks of its own.
  return json_answer(
      200, Json::object({{"@odata.context", "https://api.security.microsoft.com/api/$metadata#Edm.String"},
                         {"value", "\"https://packages.example.net/" + call.id + ".zip\""}}));
}

void advance_actions(State& state) {
  std::erase_if(state.open_actions, [&](std::size_t at) {
    MachineAction& action = state.actions[at];
    if (!action.is_final && state.now_us() >= action.ends_us)
      finish(state, action);
    else if (!action.is_final && state.now_us() >= action.starts_us &&
             action.json["status"].text() == "Pending")
      action.json.set("status", "InProgress").set("lastUpdateDateTimeUtc", format_ticks(action.starts_us));
    return action.is_final;
  });
}

}  // namespace flow::sim
