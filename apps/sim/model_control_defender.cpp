// Pages below /sim about the rest of Defender: what the tenant holds, and what its next actions will come to.
#include <fmt/format.h>

#include <algorithm>

#include "apps/sim/control.hpp"
#include "apps/sim/device_inventory.hpp"
#include "apps/sim/scenario.hpp"
#include "apps/sim/sightings.hpp"
#include "apps/sim/ticks.hpp"

namespace flow::sim {
namespace {

HttpAnswer listed(Json::List list) {
  return json_answer(200, Json::object({{"value", Json(std::move(list))}}));
}

HttpAnswer show_indicators(State& state, const Json&, const Target&) {
  Json::List list;
  for (const auto& [id, indicator] : state.defender.indicators) list.push_back(indicator.json);
  return listed(std::move(list));
}

HttpAnswer post_indicators(State& state, const Json& body, const Target&) {
  for (const Json& given : body.is_list() ? body.items() : Json::List{body})
    if (const Status status = add_indicator(state, given, "portal"); !status)
      return refuse(400, status.error().message);
  return show_indicators(state, body, {});
}

HttpAnswer show_investigations(State& state, const Json&, const Target& target) {
  return json_answer(200,
                     last_entries(target, investigations_of(state), [](const Json& one) { return one; }));
}

HttpAnswer show_library(State& state, const Json&, const Target&) {
  Json::List list;
  for (const auto& [name, file] : state.defender.library) {
    Json shown = file.json;
    list.push_back(shown.set("bytes", file.content.size()));
  }
  return listed(std::move(list));
}

HttpAnswer show_inventory(State& state, const Json&, const Target& target) {
  return json_answer(
      200, last_entries(target, inventory(state).devices, [&](const DeviceInventory& device) {
        const Json& machine = state.machines[device.machine];
        Json installed = Json::list(), weak = Json::list(), users = Json::list();
        for (const Installation& one : device.installed)
          installed.add(products()[one.product].id + " " + products()[one.product].versions[one.version]);
        for (const std::size_t weakness : device.weak) weak.add(weaknesses()[weakness].cve);
        for (const std::string& account : accounts_on(state, machine)) users.add(account);
        return Json::object({{"machineId", machine["id"]},
                             {"computerDnsName", machine["computerDnsName"]},
                             {"software", installed},
                             {"vulnerabilities", weak},
                             {"users", users}});
      }));
}

HttpAnswer show_scans(State& state, const Json&, const Target&) {
  return listed(state.defender.scans);
}

HttpAnswer show_remediations(State& state, const Json&, const Target&) {
  return listed(state.defender.remediations);
}

HttpAnswer post_remediations(State& state, const Json& body, const Target&) {
  if (const Status status = check_keys(body, {"software"}, "a remediation activity"); !status)
    return refuse(400, status.error().message);
  const auto made = add_remediation(state, body["software"].text(), state.now_us());
  return made ? json_answer(200, *made) : refuse(400, made.error().message);
}

HttpAnswer show_quarantine(State& state, const Json&, const Target&) {
  Json::List list;
  for (const std::string& entry : state.quarantined) {
    const std::size_t slash = entry.find('/');
    list.push_back(Json::object({{"machineId", entry.substr(0, slash)}, {"sha1", entry.substr(slash + 1)}}));
  }
  return listed(std::move(list));
}

Json shown_plan(const PlannedOutcome& plan) {
  return Json::object({{"device", plan.machine_id.empty() ? Json() : Json(plan.machine_id)},
                       {"action", plan.type.empty() ? Json() : Json(plan.type)},
                       {"status", plan.status},
                       {"seconds", plan.seconds < 0 ? Json() : Json(plan.seconds)},
                       {"times", plan.times}});
}

HttpAnswer show_outcomes(State& state, const Json&, const Target&) {
  Json::List list;
  for (const PlannedOutcome& plan : state.defender.plans) list.push_back(shown_plan(plan));
  return listed(std::move(list));
}

HttpAnswer post_outcomes(State& state, const Json& body, const Target& target) {
  for (const Json& given : body.is_list() ? body.items() : Json::List{body})
    if (const Status status = add_outcome(state, given); !status) return refuse(400, status.error().message);
  return show_outcomes(state, body, target);
}

HttpAnswer delete_outcomes(State& state, const Json& body, const Target& target) {
  state.defender.plans.clear();
  return show_outcomes(state, body, target);
}

HttpAnswer show_users(State& state, const Json&, const Target&) {
  std::set<std::string> names;
  for (const Json& machine : state.machines)
    for (const std::string& account : accounts_on(state, machine)) names.insert(account);
  Json::List list;
  for (const std::string& name : names) list.push_back(user_json(state, name));
  return listed(std::move(list));
}

HttpAnswer show_scenario(State& state, const Json&, const Target&) {
  return json_answer(200, scenario_json(state));
}

HttpAnswer post_scenario(State& state, const Json& body, const Target&) {
  if (const Status status = begin_scenario(state, body); !status) return refuse(400, status.error().message);
  return json_answer(200, scenario_json(state));
}

constexpr ControlPage kControlDefenderPages[] = {
    {"GET", "indicators", show_indicators},
    {"POST", "indicators", post_indicators},
    {"GET", "investigations", show_investigations},
    {"GET", "library", show_library},
    {"GET", "inventory", show_inventory},
    {"GET", "scans", show_scans},
    {"GET", "remediations", show_remediations},
    {"POST", "remediations", post_remediations},
    {"GET", "quarantine", show_quarantine},
    {"GET", "outcomes", show_outcomes},
    {"POST", "outcomes", post_outcomes},
    {"DELETE", "outcomes", delete_outcomes},
    {"GET", "users", show_users},
    {"GET", "scenario", show_scenario},
    {"POST", "scenario", post_scenario},
};

}  // namespace

std::span<const ControlPage> defender_pages() {
  return kControlDefenderPages;
}

}  // namespace flow::sim
