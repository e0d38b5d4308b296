#include <fmt/format.h>

#include <algorithm>

#include "apps/sim/defender_handlers.hpp"
#include "apps/sim/made_up.hpp"
#include "apps/sim/request_body.hpp"
#include "apps/sim/ticks.hpp"
#include "base/text.hpp"

namespace flow::sim {
namespace {

constexpr char kMachineContext[] = "https://api.security.microsoft.com/api/$metadata#Machines";

const EntitySet& machine_set() {
  using Kind = PropertyKind;
  static const EntitySet kSet{
      kMachineContext,
      {{"computerDnsName", Kind::Text},
       {"id", Kind::Text},
       {"version", Kind::Text},
       {"deviceValue", Kind::Enum, {"Normal", "Low", "High"}},
       {"aadDeviceId", Kind::Text},
       {"machineTags", Kind::Texts},
       {"lastSeen", Kind::Time},
       {"exposureLevel", Kind::Enum, {"None", "Low", "Medium", "High"}},
       {"onboardingStatus", Kind::Enum, {"Onboarded", "CanBeOnboarded", "Unsupported", "InsufficientInfo"}},
       {"lastIpAddress", Kind::Text},
       {"healthStatus",
        Kind::Enum,
        {"Active", "Inactive", "ImpairedCommunication", "NoSensorData", "NoSensorDataImpairedCommunication",
         "Unknown"}},
       {"osPlatform", Kind::Enum},
       {"riskScore", Kind::Enum, {"None", "Informational", "Low", "Medium", "High"}},
       {"rbacGroupId", Kind::Number}},
      "",
      10'000,
      "https://api.security.microsoft.com/api/machines"};
  return kSet;
}

HttpAnswer no_machine(State& state, const std::string& id) {
  return defender_error(state, 404, "ResourceNotFound", "Machine " + id + " was not found");
}

}  // namespace

Json* mutable_machine(State& state, std::string_view id_or_name) {
  ++state.device_changes;
  return const_cast<Json*>(find_machine(state, id_or_name));
}

const Json* find_machine(const State& state, std::string_view id_or_name) {
  const auto found = state.machine_index.find(lower_ascii(id_or_name));
  return found != state.machine_index.end() ? &state.machines[found->second] : nullptr;
}

HttpAnswer list_machines(State& state, const Call& call) {
  // The documented answer, where others give an empty list.
  if (state.machines.empty()) return defender_error(state, 404, "NotFound", "There are no recent machines");
  return list_answer(state, call, machine_set(), state.machines);
}

HttpAnswer answer_machines(State& state, const Call& call, const std::vector<const Json*>& machines) {
  return list_answer(state, call, machine_set(), machines);
}

HttpAnswer get_machine(State& state, const Call& call) {
  const Json* machine = find_machine(state, call.id);
  return machine != nullptr ? json_answer(200, with_context(kMachineContext, *machine))
                            : no_machine(state, call.id);
}

HttpAnswer update_machine(State& state, const Call& call) {
  Json* machine = mutable_machine(state, call.id);
  if (machine == nullptr) return no_machine(state, call.id);
  Json body;
  const std::vector<BodyField> fields{{"machineTags", false, {}, true},
                                      {"deviceValue", false, {"Normal", "Low", "High"}}};
  if (auto refusal = read_body(state, call, fields, body)) return *refusal;
  for (const Member& member : body.members()) machine->set(member.name, member.value);
  return json_answer(200, with_context(kMachineContext, *machine));
}

void change_tag(Json& machine, std::string_view tag, bool is_added) {
  Json tags = Json::list();
  for (const Json& old : machine["machineTags"].items())
    if (old.text() != tag) tags.add(old);
  if (is_added) tags.add(tag);
  machine.set("machineTags", std::move(tags));
}

HttpAnswer tag_machine(State& state, const Call& call) {
  Json* machine = mutable_machine(state, call.id);
  if (machine == nullptr) return no_machine(state, call.id);
  Json body;
  if (auto refusal = read_body(state, call, {{"Value", true}, {"Action", true, {"Add", "Remove"}}}, body))
    return *refusal;
  change_tag(*machine, body["Value"].text(), body["Action"].text() == "Add");
  return json_answer(200, with_context(kMachineContext, *machine));
}

Result<Json> complete_machine(State& state, const Json& given) {
  if (!given.is_object()) return error(fmt::format("a machine must be an object, not {}", given.kind()));
  FLOW_TRY_STATUS(check_keys(given, machine_fields(), "a machine"));
  for (const char* name : {"id", "computerDnsName"})
    if (given.find(name) != nullptr && given[name].text().empty())
      return error(fmt::format("`{}` must be a text", name));
  for (const char* name : {"machineTags", "ipAddresses"})
    if (given.find(name) != nullptr && !given[name].is_list())
      return error(fmt::format("`{}` must be a list", name));
  Json machine = make_machine(*state.random, state.now_us());
  if (const Json* known = find_machine(state, given["id"].text()))
    machine = *known;
  else
    machine.set("healthStatus", "Active");
  for (const Member& member : given.members()) machine.set(member.name, member.value);
  return machine;
}

Status add_machine(State& state, Json machine) {
  ++state.machine_changes;
  ++state.device_changes;
  const std::string id = lower_ascii(machine["id"].text());
  const std::string name = lower_ascii(machine["computerDnsName"].text());
  const auto known = state.machine_index.find(id);
  const auto named = state.machine_index.find(name);
  if (named != state.machine_index.end() &&
      (known == state.machine_index.end() || known->second != named->second))
    return error("there is already a machine `" + name + "`");
  if (known != state.machine_index.end()) {
    Json& old = state.machines[known->second];
    state.machine_index.erase(lower_ascii(old["computerDnsName"].text()));
    if (!name.empty()) state.machine_index[name] = state.machine_index[id];
    old = std::move(machine);
    return {};
  }
  if (state.machines.size() >= kMostMachines) return error("the tenant is full (20000 machines)");
  state.machine_index[id] = state.machines.size();
  if (!name.empty()) state.machine_index[name] = state.machines.size();
  state.machines.push_back(std::move(machine));
  return {};
}

}  // namespace flow::sim
