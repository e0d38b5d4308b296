#include <fmt/format.h>

#include <algorithm>

#include "apps/sim/defender_handlers.hpp"
#include "apps/sim/machine_actions.hpp"
#include "apps/sim/request_body.hpp"
#include "apps/sim/seeded_random.hpp"
#include "apps/sim/sightings.hpp"
#include "apps/sim/ticks.hpp"
#include "base/text.hpp"

namespace flow::sim {
namespace {

constexpr char kActionContext[] = "https://api.security.microsoft.com/api/$metadata#MachineActions";

const EntitySet& action_set() {
  using Kind = PropertyKind;
  static const EntitySet kSet{
      kActionContext,
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

bool runs_on(const ActionKind& kind, std::string_view platform) {
  return std::ranges::any_of(kind.platforms,
                             [&](const std::string& prefix) { return platform.starts_with(prefix); });
}

Json action_json(State& state, const ActionKind& kind, const Json& machine, const Json& body) {
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

// The first plan that fits the action, with one use less; else what the settings say.
PlannedOutcome take_plan(State& state, const MachineAction& action) {
  for (auto plan = state.defender.plans.begin(); plan != state.defender.plans.end(); ++plan) {
    const bool fits = (plan->machine_id.empty() || plan->machine_id == action.machine_id) &&
                      (plan->type.empty() || plan->type == action.type);
    if (!fits) continue;
    PlannedOutcome taken = *plan;
    if (--plan->times == 0) state.defender.plans.erase(plan);
    return taken;
  }
  PlannedOutcome usual;
  usual.status = state.action_outcome;
  return usual;
}

bool is_silent(const State& state, std::string_view machine_id) {
  const Json* machine = find_machine(state, machine_id);
  return machine == nullptr || (*machine)["healthStatus"].text() == "Inactive";
}

// Decides how an action goes, from the moment on at which its device takes it up.
void schedule(State& state, MachineAction& action) {
  action.plan = take_plan(state, action);
  const double seconds = action.plan.seconds < 0 ? state.options.action_seconds : action.plan.seconds;
  const auto length_us = static_cast<std::int64_t>(seconds * 1e6);
  action.waits_for_device = false;
  action.outcome = action.plan.status;
  action.starts_us = state.now_us() + length_us / 2;
  action.ends_us = state.now_us() + length_us;
}

void apply_effect(State& state, const MachineAction& action) {
  if (action.type == "Isolate") state.isolated.insert(action.machine_id);
  if (action.type == "Unisolate") state.isolated.erase(action.machine_id);
  if (action.type == "RestrictCodeExecution") state.restricted.insert(action.machine_id);
  if (action.type == "UnrestrictCodeExecution") state.restricted.erase(action.machine_id);
  if (action.type == "StopAndQuarantineFile")
    state.quarantined.insert(action.machine_id + "/" + action.detail);
  if (action.type != "Offboard") return;
  state.offboarded.insert(action.machine_id);
  if (Json* machine = mutable_machine(state, action.machine_id))
    machine->set("onboardingStatus", "CanBeOnboarded").set("healthStatus", "Inactive");
}

void finish(State& state, MachineAction& action) {
  action.is_final = true;
  if (action.type == "LiveResponse" && !action.waits_for_device) finish_commands(state, action);
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
  if (type == "Offboard") return "Machine.Offboard";
  if (type == "StopAndQuarantineFile") return "Machine.StopAndQuarantine";
  if (type == "LiveResponse") return "Machine.LiveResponse";
  if (type == "Isolate" || type == "Unisolate") return "Machine.Isolate";
  if (type == "RunAntiVirusScan") return "Machine.Scan";
  if (type == "CollectInvestigationPackage") return "Machine.CollectForensics";
  return "Machine.RestrictExecution";
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

MachineAction* find_action(State& state, const std::string& id) {
  const auto found = state.action_index.find(lower_ascii(id));
  return found != state.action_index.end() ? &state.actions[found->second] : nullptr;
}

bool is_busy(const State& state, std::string_view machine_id, std::string_view type) {
  return std::ranges::any_of(state.open_actions, [&](std::size_t at) {
    return state.actions[at].machine_id == machine_id && state.actions[at].type == type;
  });
}

std::optional<HttpAnswer> refused_action(State& state, const ActionKind& kind, const Json& machine) {
  const std::string_view platform = machine["osPlatform"].text();
  if (!runs_on(kind, platform))
    return bad_request(state, "OsPlatformNotSupported",
                       fmt::format("{} is not supported on {}", kind.type, platform));
  if (is_busy(state, machine["id"].text(), kind.type))
    return bad_request(state, "ActiveRequestAlreadyExists", "Action is already in progress");
  if (state.actions.size() < kMostActions) return std::nullopt;
  return defender_error(state, 500, "InternalServerError", "The tenant is full; POST /sim/reset empties it.");
}

MachineAction& start_action(State& state, const ActionKind& kind, const Json& machine, const Json& body) {
  MachineAction action;
  action.json = action_json(state, kind, machine, body);
  action.machine_id = std::string(machine["id"].text());
  action.type = kind.type;
  if (!kind.scope_field.empty())
    action.scope = body[kind.scope_field].is_text() ? body[kind.scope_field].text() : "Full";
  if (is_silent(state, action.machine_id)) {
    action.waits_for_device = true;
    action.outcome = "TimeOut";
    action.starts_us = action.ends_us = state.now_us() + kind.patience_us;
  } else {
    schedule(state, action);
  }
  state.action_index[std::string(action.json["id"].text())] = state.actions.size();
  state.open_actions.push_back(state.actions.size());
  state.actions.push_back(std::move(action));
  return state.actions.back();
}

HttpAnswer shown_action(int status, const MachineAction& action) {
  return json_answer(status, with_context(kActionContext, action.json));
}

namespace {

HttpAnswer submit(State& state, const Call& call, const ActionKind& kind) {
  const Json* machine = find_machine(state, call.id);
  if (machine == nullptr) return not_found(state, "Machine", call.id);
  Json body;
  if (auto refusal = read_body(state, call, kind.fields, body)) return *refusal;
  if (body["IsolationType"].text() == "Selective" && (*machine)["osPlatform"].text() == "Linux")
    return bad_request(state, "OsPlatformNotSupported", "Selective isolation is not supported on Linux");
  if (auto refusal = refused_action(state, kind, *machine)) return *refusal;
  return shown_action(201, start_action(state, kind, *machine, body));
}

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

HttpAnswer quarantine_file(State& state, const Call& call) {
  const ActionKind kind{"StopAndQuarantineFile", {kComment, {"Sha1", true}}, "", kClients};
  const Json* machine = find_machine(state, call.id);
  if (machine == nullptr) return not_found(state, "Machine", call.id);
  Json body;
  if (auto refusal = read_body(state, call, kind.fields, body)) return *refusal;
  const std::string sha1 = lower_ascii(body["Sha1"].text());
  if (!is_hash(sha1, 40))
    return bad_request(state, "InvalidHashValue", "'Sha1' must be a SHA-1, 40 hex digits.");
  if (auto refusal = refused_action(state, kind, *machine)) return *refusal;
  MachineAction& action = start_action(state, kind, *machine, body);
  action.detail = sha1;
  action.json.set("relatedFileInfo",
                  Json::object({{"fileIdentifier", sha1}, {"fileIdentifierType", "Sha1"}}));
  return shown_action(201, action);
}
HttpAnswer offboard(State& state, const Call& call) {
  HttpAnswer answer = submit(state, call, {"Offboard", {kComment}, "", kNewWindows});
  if (answer.status == 201) answer.status = 200;  // as the page has it
  return answer;
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
  return action != nullptr ? json_answer(200, with_context(kActionContext, action->json))
                           : no_action(state, call.id);
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
  return json_answer(200, with_context(kActionContext, action->json));
}

HttpAnswer get_package_uri(State& state, const Call& call) {
  const MachineAction* action = find_action(state, call.id);
  const bool is_ready = action != nullptr && action->type == "CollectInvestigationPackage" &&
                        action->json["status"].text() == "Succeeded";
  if (!is_ready) return no_action(state, call.id);
  // The API really wraps the value in quotation marks of its own.
  return json_answer(
      200, Json::object({{"@odata.context", defender_context("Edm.String")},
                         {"value", "\"" + download_link(state, call, {"package", call.id, 0, 0}) + "\""}}));
}

void advance_actions(State& state) {
  std::erase_if(state.open_actions, [&](std::size_t at) {
    MachineAction& action = state.actions[at];
    if (action.is_final) return true;
    const std::int64_t now = state.now_us();
    if (action.waits_for_device && now < action.ends_us && !is_silent(state, action.machine_id))
      schedule(state, action);
    if (now >= action.ends_us) {
      finish(state, action);
    } else if (now >= action.starts_us) {
      if (action.json["status"].text() == "Pending")
        action.json.set("status", "InProgress").set("lastUpdateDateTimeUtc", format_ticks(action.starts_us));
      if (action.type == "LiveResponse") advance_commands(state, action);
    }
    return action.is_final;
  });
}

}  // namespace flow::sim
