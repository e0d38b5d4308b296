#include "apps/sim/scenario_events.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "apps/sim/made_up.hpp"
#include "apps/sim/request_body.hpp"
#include "apps/sim/scenario.hpp"
#include "apps/sim/ticks.hpp"
#include "base/text.hpp"

namespace flow::sim {
namespace {

Status check_object(const Json& given, const std::vector<std::string>& keys, std::string_view what) {
  if (!given.is_object()) return error(fmt::format("{} must be an object, not {}", what, given.kind()));
  return check_keys(given, keys, what);
}

Result<Json*> device_named(State& state, const Json& name) {
  Json* machine = mutable_machine(state, name.text());
  if (machine != nullptr) return machine;
  std::vector<std::string> names;
  for (const Json& one : state.machines) names.emplace_back(one["computerDnsName"].text());
  const auto near = nearest_name(name.text(), names);
  return error(
      fmt::format("there is no device `{}`{}", name.text(), near ? "; did you mean `" + *near + "`?" : ""));
}

Status raise_alert(State& state, const ScenarioEvent& event) {
  Json given = event.body;
  if (given.is_object()) {
    const std::string time = format_ticks(event.at_us);
    if (given.find("alertCreationTime") == nullptr) given.set("alertCreationTime", time);
    for (const char* name : {"computerDnsName", "machineId"})
      if (given[name].is_text()) FLOW_TRY_STATUS(device_named(state, given[name]));
  }
  FLOW_TRY(Json alert, complete_alert(state, given));
  if (!event.alias.empty()) {
    if (state.defender.scenario.alerts.contains(event.alias))
      return error(fmt::format("two alerts are named `{}`", event.alias));
    state.defender.scenario.alerts[event.alias] = std::string(alert["id"].text());
  }
  return add_alert(state, std::move(alert));
}

Status change_by_analyst(State& state, const ScenarioEvent& event) {
  const Json& given = event.body;
  FLOW_TRY_STATUS(check_object(
      given,
      {"alert", "by", "status", "assignedTo", "classification", "determination", "comment", "severity"},
      "an update"));
  const std::string name(given["alert"].text());
  const auto alias = state.defender.scenario.alerts.find(name);
  Json* alert = find_alert(state, alias != state.defender.scenario.alerts.end() ? alias->second : name);
  if (alert == nullptr) return error(fmt::format("there is no alert `{}` by then", name));
  const std::vector<BodyField> fields{{"alert", true},
                                      {"by"},
                                      {"status", false, {"New", "InProgress", "Resolved"}},
                                      {"assignedTo"},
                                      {"classification", false, classifications()},
                                      {"determination", false, determinations()},
                                      {"severity", false, severities()},
                                      {"comment"}};
  if (const auto problem = body_problem(fields, given)) return error(problem->message);
  if (given["severity"].is_text()) alert->set("severity", given["severity"]);
  change_alert(state, *alert, given,
               given["by"].is_text() ? std::string(given["by"].text()) : "analyst@example.com");
  return {};
}

Status change_device(State& state, const ScenarioEvent& event) {
  const Json& given = event.body;
  if (!given.is_object()) return error(fmt::format("a device must be an object, not {}", given.kind()));
  Json changed = given;
  if (given.find("id") == nullptr && given.find("computerDnsName") != nullptr)
    if (const Json* known = find_machine(state, given["computerDnsName"].text()))
      changed.set("id", (*known)["id"]);
  FLOW_TRY(Json machine, complete_machine(state, changed));
  return add_machine(state, std::move(machine));
}

Status go_offline(State& state, const ScenarioEvent& event) {
  FLOW_TRY_STATUS(check_object(event.body, {"device", "for"}, "an offline period"));
  FLOW_TRY(Json* const machine, device_named(state, event.body["device"]));
  machine->set("healthStatus", "Inactive").set("lastSeen", format_ticks(event.at_us));
  if (event.body.find("for") == nullptr) return {};
  const auto length_us = parse_duration_us(event.body["for"].text());
  if (!length_us) return error("`for` must be a duration, as `30m`");
  ScenarioEvent back;
  back.at_us = event.at_us + *length_us;
  back.kind = "online";
  back.index = event.index;
  back.body = Json::object({{"device", event.body["device"]}});
  auto& to_come = state.defender.scenario.to_come;
  to_come.insert(std::ranges::upper_bound(to_come, back.at_us, {}, &ScenarioEvent::at_us), back);
  return {};
}

Status come_online(State& state, const ScenarioEvent& event) {
  FLOW_TRY_STATUS(check_object(event.body, {"device"}, "an online event"));
  FLOW_TRY(Json* const machine, device_named(state, event.body["device"]));
  machine->set("healthStatus", "Active").set("lastSeen", format_ticks(event.at_us));
  return {};
}

Status add_fault(State& state, const ScenarioEvent& event) {
  const HttpAnswer answer = add_faults(state, event.body);
  if (answer.status == 200) return {};
  const auto body = parse_json(answer.body);
  return error(body ? std::string((*body)["error"]["message"].text()) : "this is no fault");
}

Status start_day(State& state, const ScenarioEvent& event) {
  FLOW_TRY_STATUS(check_object(event.body, {"alerts", "for"}, "a day"));
  const std::int64_t alerts = event.body["alerts"].integer();
  const auto length_us = parse_duration_us(event.body["for"].text());
  if (alerts < 1 || alerts > 50'000) return error("`alerts` must be a number from 1 to 50000");
  if (!length_us || *length_us <= 0) return error("`for` must be a duration, as `8h`");
  for (const std::int64_t offset_us : arrivals_of_a_day(*state.random, static_cast<std::size_t>(alerts)))
    state.arriving.push_back(event.at_us + static_cast<std::int64_t>(static_cast<double>(offset_us) / 86.4e9 *
                                                                     static_cast<double>(*length_us)));
  std::ranges::sort(state.arriving);
  return {};
}

struct EventKind {
  const char* name;
  Status (*happen)(State&, const ScenarioEvent&);
};
constexpr EventKind kKinds[] = {
    {"alert", raise_alert},
    {"update", change_by_analyst},
    {"device", change_device},
    {"offline", go_offline},
    {"online", come_online},
    {"outcome", [](State& state, const ScenarioEvent& event) { return add_outcome(state, event.body); }},
    {"fault", add_fault},
    {"settings", [](State& state, const ScenarioEvent& event) { return configure(state, event.body); }},
    {"indicator",
     [](State& state, const ScenarioEvent& event) { return add_indicator(state, event.body, "portal"); }},
    {"remediation",
     [](State& state, const ScenarioEvent& event) -> Status {
       FLOW_TRY_STATUS(check_object(event.body, {"software"}, "a remediation activity"));
       FLOW_TRY_STATUS(add_remediation(state, event.body["software"].text(), event.at_us));
       return {};
     }},
    {"day", start_day},
};

Status read_outcome_numbers(const Json& given, PlannedOutcome& plan) {
  if (const Json* seconds = given.find("seconds")) {
    if (!seconds->is_number() || !(seconds->number() >= 0) || seconds->number() > 604'800)
      return error("`seconds` must be a number from 0 to 604800");
    plan.seconds = seconds->number();
  }
  if (const Json* times = given.find("times")) {
    if (!times->is_int() || times->integer() < 1) return error("`times` must be a whole number above 0");
    plan.times = times->integer();
  }
  if (const Json* code = given.find("exit_code")) {
    if (!code->is_int()) return error("`exit_code` must be a whole number");
    plan.exit_code = code->integer();
  }
  return {};
}

}  // namespace

const std::vector<std::string>& event_kinds() {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> names;
    for (const EventKind& kind : kKinds) names.emplace_back(kind.name);
    return names;
  }();
  return kNames;
}

Status happen(State& state, const ScenarioEvent& event) {
  for (const EventKind& kind : kKinds)
    if (event.kind == kind.name) return kind.happen(state, event);
  return error("there is no event `" + event.kind + "`");
}

Status add_outcome(State& state, const Json& given) {
  FLOW_TRY_STATUS(check_object(
      given, {"device", "action", "status", "seconds", "times", "output", "errors", "exit_code", "content"},
      "an outcome"));
  static const std::vector<std::string> kTypes{"RunAntiVirusScan",
                                               "Offboard",
                                               "LiveResponse",
                                               "CollectInvestigationPackage",
                                               "Isolate",
                                               "Unisolate",
                                               "StopAndQuarantineFile",
                                               "RestrictCodeExecution",
                                               "UnrestrictCodeExecution"};
  const std::vector<BodyField> fields{{"device"},
                                      {"action", false, kTypes},
                                      {"status", false, {"Succeeded", "Failed", "TimeOut"}},
                                      {"seconds", false, {}, false, BodyKind::Any},
                                      {"times", false, {}, false, BodyKind::Any},
                                      {"exit_code", false, {}, false, BodyKind::Any},
                                      {"output"},
                                      {"errors"},
                                      {"content"}};
  if (const auto problem = body_problem(fields, given)) return error(problem->message);
  PlannedOutcome plan;
  if (given["device"].is_text()) {
    FLOW_TRY(const Json* const machine, device_named(state, given["device"]));
    plan.machine_id = std::string((*machine)["id"].text());
  }
  plan.type = std::string(given["action"].text());
  if (given["status"].is_text()) plan.status = std::string(given["status"].text());
  plan.output = std::string(given["output"].text());
  plan.errors = std::string(given["errors"].text());
  plan.content = std::string(given["content"].text());
  FLOW_TRY_STATUS(read_outcome_numbers(given, plan));
  if (state.defender.plans.size() >= kMostPlans) return error("there are 1000 planned outcomes already");
  state.defender.plans.push_back(std::move(plan));
  return {};
}

}  // namespace flow::sim
