// The functions that answer the operations of defender_routes.def, one for each row, and the shapes that
// their answers share.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apps/sim/state.hpp"

namespace flow::sim {

#define FLOW_SIM_ROUTE(name, method, path, roles, per_minute, per_hour, run) \
  HttpAnswer run(State& state, const Call& call);
#include "apps/sim/defender_routes.def"
#undef FLOW_SIM_ROUTE

// `https://api.security.microsoft.com/api/$metadata#Alerts`
std::string defender_context(std::string_view set);
// Where the client reached the tenant, so that links lead back here: `http://127.0.0.1:8123`.
std::string own_url(const Call& call);
// An entity beside the context of its set.
HttpAnswer entity_answer(int status, std::string_view set, const Json& entity);
// A list under `value`, filtered and paged by the call's query; a query that the set does not know is a 400.
HttpAnswer list_answer(State& state, const Call& call, const EntitySet& set,
                       const std::vector<const Json*>& entities);
HttpAnswer list_answer(State& state, const Call& call, const EntitySet& set,
                       const std::vector<Json>& entities);
// A list without documented filters: `$top`, `$skip`, `$count` and `$select` are understood.
HttpAnswer plain_list(State& state, const Call& call, std::string_view set,
                      const std::vector<Json>& entities);
// 404 ResourceNotFound: `Machine 3f6a was not found`.
HttpAnswer not_found(State& state, std::string_view kind, std::string_view id);
HttpAnswer no_content();  // 204
// One entity as an answer of its own: with what says so before its members.
Json with_context(std::string_view context, const Json& entity);
HttpAnswer bad_request(State& state, std::string_view code, std::string_view message);

// The alerts, newest first, that `is_wanted`; evidence is left out, as in all lists.
template <class Wanted>
HttpAnswer alerts_where(State& state, const Call& call, const Wanted& is_wanted);
HttpAnswer answer_alerts(State& state, const Call& call, const std::vector<const Json*>& alerts);
HttpAnswer answer_machines(State& state, const Call& call, const std::vector<const Json*>& machines);

template <class Wanted>
HttpAnswer alerts_where(State& state, const Call& call, const Wanted& is_wanted) {
  std::vector<const Json*> found;
  for (auto alert = state.alerts.rbegin(); alert != state.alerts.rend(); ++alert)
    if (is_wanted(*alert)) found.push_back(&*alert);
  return answer_alerts(state, call, found);
}

// `id`, `computerDnsName`, `osPlatform`, `rbacGroupName` of a device.
Json machine_reference(const Json& machine);

}  // namespace flow::sim
