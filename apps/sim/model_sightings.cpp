// Files, domains, addresses and users: their statistics, and the alerts and devices they were seen with.
#include <charconv>
#include <optional>

#include "apps/sim/defender_handlers.hpp"
#include "apps/sim/sightings.hpp"
#include "base/calendar.hpp"
#include "base/text.hpp"

namespace flow::sim {
namespace {

constexpr std::size_t kMostDomainMachines = 500;

// From when on to look, by `lookBackHours`; 30 days when it is left out. Nothing with `refusal` set when it
// is wrong.
std::optional<std::int64_t> look_back(State& state, const Call& call, HttpAnswer& refusal) {
  int hours = 720;
  if (const auto text = call.target.parameter("lookBackHours")) {
    const auto read = std::from_chars(text->data(), text->data() + text->size(), hours);
    if (read.ec != std::errc() || read.ptr != text->data() + text->size() || hours < 1 || hours > 720) {
      refusal = bad_request(state, "BadRequest",
                            "lookBackHours must be a number from 1 to 720, not '" + *text + "'.");
      return std::nullopt;
    }
  }
  return state.now_us() - hours * kHourUs;
}

Json time_or_null(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

// Null when the value is well formed, else the 400 that the API gives.
std::optional<HttpAnswer> refused(State& state, Sighted kind, const std::string& value) {
  if (kind == Sighted::File && !is_hash(value, 40) && !is_hash(value, 64))
    return bad_request(state, "InvalidHashValue", "'" + value + "' is no SHA-1 and no SHA-256.");
  if (kind == Sighted::Domain && !is_domain(value))
    return bad_request(state, "InvalidDomainName", "'" + value + "' is no domain name.");
  if (kind == Sighted::Ip && !is_ip(value))
    return bad_request(state, "InvalidIpAddress", "'" + value + "' is no IP address.");
  return std::nullopt;
}

HttpAnswer statistics(State& state, const Call& call, Sighted kind, const char* name) {
  if (auto refusal = refused(state, kind, call.id)) return *refusal;
  HttpAnswer refusal;
  const auto since = look_back(state, call, refusal);
  if (!since) return refusal;
  const Sighting sighting = seen(state, kind, call.id, *since);
  return json_answer(200, Json::object({{"@odata.context", defender_context("InOrgStats")},
                                        {name, call.id},
                                        {"organizationPrevalence", sighting.machine_ids.size()},
                                        {"orgFirstSeen", time_or_null(sighting.first)},
                                        {"orgLastSeen", time_or_null(sighting.last)}}));
}

HttpAnswer related_alerts(State& state, const Call& call, Sighted kind) {
  if (auto refusal = refused(state, kind, call.id)) return *refusal;
  return alerts_where(state, call, [&](const Json& alert) { return names(alert, kind, call.id); });
}

HttpAnswer machines_by_id(State& state, const Call& call, const std::set<std::string>& ids,
                          std::size_t most) {
  std::vector<const Json*> machines;
  for (const std::string& id : ids)
    if (const Json* machine = find_machine(state, id); machine != nullptr && machines.size() < most)
      machines.push_back(machine);
  return answer_machines(state, call, machines);
}

bool is_sha1(State& state, const std::string& value, HttpAnswer& refusal) {
  if (is_hash(value, 40)) return true;
  refusal = bad_request(state, "InvalidHashValue", "'" + value + "' is no SHA-1.");
  return false;
}

}  // namespace

HttpAnswer get_file(State& state, const Call& call) {
  if (auto refusal = refused(state, Sighted::File, call.id)) return *refusal;
  const Sighting sighting = seen(state, Sighted::File, call.id, 0);
  if (sighting.evidence == nullptr) return not_found(state, "File", call.id);
  return entity_answer(200, "Files", file_json(state, *sighting.evidence));
}

HttpAnswer get_file_stats(State& state, const Call& call) {
  if (auto refusal = refused(state, Sighted::File, call.id)) return *refusal;
  HttpAnswer refusal;
  const auto since = look_back(state, call, refusal);
  if (!since) return refusal;
  const Sighting sighting = seen(state, Sighted::File, call.id, *since);
  if (sighting.evidence == nullptr) return not_found(state, "File", call.id);
  const Json file = file_json(state, *sighting.evidence);
  Json top = Json::list();
  for (const std::string& name : sighting.file_names) top.add(name);
  return json_answer(200, Json::object({{"@odata.context", defender_context("InOrgFileStats")},
                                        {"sha1", file["sha1"]},
                                        {"organizationPrevalence", sighting.machine_ids.size()},
                                        {"orgFirstSeen", time_or_null(sighting.first)},
                                        {"orgLastSeen", time_or_null(sighting.last)},
                                        {"globallyPrevalence", file["globalPrevalence"]},
                                        {"globalFirstObserved", file["globalFirstObserved"]},
                                        {"globalLastObserved", file["globalLastObserved"]},
                                        {"topFileNames", top}}));
}

HttpAnswer list_file_alerts(State& state, const Call& call) {
  HttpAnswer refusal;
  return is_sha1(state, call.id, refusal) ? related_alerts(state, call, Sighted::File) : refusal;
}

HttpAnswer list_file_machines(State& state, const Call& call) {
  HttpAnswer refusal;
  if (!is_sha1(state, call.id, refusal)) return refusal;
  return machines_by_id(state, call, seen(state, Sighted::File, call.id, 0).machine_ids, kMostMachines);
}

HttpAnswer get_domain_stats(State& state, const Call& call) {
  return statistics(state, call, Sighted::Domain, "host");
}

HttpAnswer list_domain_alerts(State& state, const Call& call) {
  return related_alerts(state, call, Sighted::Domain);
}

HttpAnswer list_domain_machines(State& state, const Call& call) {
  if (auto refusal = refused(state, Sighted::Domain, call.id)) return *refusal;
  return machines_by_id(state, call, seen(state, Sighted::Domain, call.id, 0).machine_ids,
                        kMostDomainMachines);
}

HttpAnswer get_ip_stats(State& state, const Call& call) {
  return statistics(state, call, Sighted::Ip, "ipAddress");
}

HttpAnswer list_ip_alerts(State& state, const Call& call) {
  return related_alerts(state, call, Sighted::Ip);
}

HttpAnswer list_user_alerts(State& state, const Call& call) {
  return related_alerts(state, call, Sighted::User);
}

HttpAnswer list_user_machines(State& state, const Call& call) {
  std::vector<const Json*> machines;
  for (const Json& machine : state.machines)
    for (const std::string& account : accounts_on(state, machine))
      if (equals_ignoring_case(account, call.id)) machines.push_back(&machine);
  return answer_machines(state, call, machines);
}

HttpAnswer list_logon_users(State& state, const Call& call) {
  const Json* machine = find_machine(state, call.id);
  if (machine == nullptr) return not_found(state, "Machine", call.id);
  std::vector<Json> users;
  for (const std::string& account : accounts_on(state, *machine)) users.push_back(user_json(state, account));
  return plain_list(state, call, "Users", users);
}

HttpAnswer list_alert_domains(State& state, const Call& call) {
  const Json* alert = find_alert(state, call.id);
  return alert != nullptr ? plain_list(state, call, "Domains", domains_of(*alert))
                          : not_found(state, "Alert", call.id);
}

HttpAnswer list_alert_ips(State& state, const Call& call) {
  const Json* alert = find_alert(state, call.id);
  return alert != nullptr ? plain_list(state, call, "Ips", ips_of(*alert))
                          : not_found(state, "Alert", call.id);
}

HttpAnswer list_alert_files(State& state, const Call& call) {
  const Json* alert = find_alert(state, call.id);
  return alert != nullptr ? plain_list(state, call, "Files", files_of(state, *alert))
                          : not_found(state, "Alert", call.id);
}

HttpAnswer get_alert_user(State& state, const Call& call) {
  const Json* alert = find_alert(state, call.id);
  if (alert == nullptr) return not_found(state, "Alert", call.id);
  const std::string_view account = (*alert)["relatedUser"]["userName"].text();
  if (account.empty())
    return defender_error(state, 404, "ResourceNotFound", "Alert " + call.id + " has no related user");
  return entity_answer(200, "Users", user_json(state, account));
}

}  // namespace flow::sim
