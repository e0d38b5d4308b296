// Devices found by address and tag, and changes to several or to their value.
#include <algorithm>

#include "apps/sim/defender_handlers.hpp"
#include "apps/sim/request_body.hpp"
#include "apps/sim/sightings.hpp"
#include "apps/sim/ticks.hpp"
#include "base/calendar.hpp"
#include "base/text.hpp"

namespace flow::sim {
namespace {

constexpr std::size_t kMostTagged = 500;

bool has_address(const Json& machine, std::string_view ip) {
  return equals_ignoring_case(machine["lastIpAddress"].text(), ip) ||
         std::ranges::any_of(machine["ipAddresses"].items(), [&](const Json& address) {
           return equals_ignoring_case(address["ipAddress"].text(), ip);
         });
}

// A device that reports is taken to have its addresses all the time.
bool was_there(const State& state, const Json& machine, std::int64_t from_us, std::int64_t until_us) {
  const auto first = parse_ticks(machine["firstSeen"].text()), last = parse_ticks(machine["lastSeen"].text());
  if (!first || !last) return false;
  const std::int64_t last_us = machine["healthStatus"].text() == "Active" ? state.now_us() : *last / 10;
  return *first / 10 <= until_us && last_us >= from_us;
}

struct Place {
  std::string ip;
  std::int64_t time_us = 0;
};

std::optional<HttpAnswer> read_place(State& state, const std::string& ip, const std::string& time,
                                     Place& place) {
  if (!is_ip(ip)) return bad_request(state, "InvalidIpAddress", "'" + ip + "' is no IP address.");
  const auto ticks = parse_ticks(time);
  if (!ticks) return bad_request(state, "BadRequest", "'" + time + "' is no time as 2026-11-20T08:14:22Z.");
  place = {ip, *ticks / 10};
  if (place.time_us < state.now_us() - 30 * kDayUs)
    return bad_request(state, "BadRequest", "The timestamp must lie within the past 30 days.");
  return std::nullopt;
}

std::vector<const Json*> machines_at(const State& state, const Place& place, std::int64_t around_us) {
  std::vector<const Json*> machines;
  for (const Json& machine : state.machines)
    if (has_address(machine, place.ip) &&
        was_there(state, machine, place.time_us - around_us, place.time_us + around_us))
      machines.push_back(&machine);
  return machines;
}

}  // namespace

HttpAnswer find_machines_by_ip(State& state, const Call& call) {
  Place place;
  if (auto refusal = read_place(state, call.captured[0], call.captured[1], place)) return *refusal;
  return answer_machines(state, call, machines_at(state, place, 15 * kMinuteUs));
}

HttpAnswer find_machine_info(State& state, const Call& call) {
  Place place;
  if (auto refusal = read_place(state, call.captured[1], call.captured[0], place)) return *refusal;
  const std::vector<const Json*> machines = machines_at(state, place, 16 * kMinuteUs);
  if (machines.empty()) return not_found(state, "Machine with address", place.ip);
  return answer_machines(state, call, machines);
}

HttpAnswer find_machines_by_tag(State& state, const Call& call) {
  const std::string tag = call.target.parameter("tag").value_or("");
  if (tag.empty())
    return bad_request(state, "MissingRequiredParameter", "Required parameter 'tag' is missing.");
  const std::string starts = call.target.parameter("useStartsWithFilter").value_or("false");
  if (starts != "true" && starts != "false")
    return bad_request(state, "BadRequest",
                       "useStartsWithFilter must be true or false, not '" + starts + "'.");
  std::vector<const Json*> machines;
  for (const Json& machine : state.machines)
    if (std::ranges::any_of(machine["machineTags"].items(), [&](const Json& own) {
          return starts == "true" ? own.text().starts_with(tag) : own.text() == tag;
        }))
      machines.push_back(&machine);
  return answer_machines(state, call, machines);
}

HttpAnswer tag_machines(State& state, const Call& call) {
  Json body;
  const std::vector<BodyField> fields{
      {"Value", true}, {"Action", true, {"Add", "Remove"}}, {"MachineIds", true, {}, true}};
  if (auto refusal = read_body(state, call, fields, body)) return *refusal;
  const Json::List& ids = body["MachineIds"].items();
  if (ids.size() > kMostTagged)
    return bad_request(state, "MaximumBatchSizeExceeded", "At most 500 machines can be tagged in one call.");
  for (const Json& id : ids)
    if (find_machine(state, id.text()) == nullptr) return not_found(state, "Machine", id.text());
  std::vector<const Json*> machines;
  for (const Json& id : ids) {
    Json* machine = mutable_machine(state, id.text());
    change_tag(*machine, body["Value"].text(), body["Action"].text() == "Add");
    machines.push_back(machine);
  }
  return answer_machines(state, call, machines);
}

HttpAnswer set_device_value(State& state, const Call& call) {
  Json* machine = mutable_machine(state, call.id);
  if (machine == nullptr) return not_found(state, "Machine", call.id);
  Json body;
  if (auto refusal = read_body(state, call, {{"DeviceValue", true, {"Normal", "Low", "High"}}}, body))
    return *refusal;
  machine->set("deviceValue", body["DeviceValue"]);
  return entity_answer(200, "Machines", *machine);
}

}  // namespace flow::sim
