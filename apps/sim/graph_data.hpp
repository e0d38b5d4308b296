// The part of Graph that is about security and people: incidents made from alerts, users, groups, risk.
#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "apps/sim/control.hpp"
#include "apps/sim/state.hpp"

namespace flow::sim {

struct GraphData {
  std::map<std::string, Json> incidents;  // what was changed of an incident, by id
  std::vector<Json> users;                // with `manager`, an id
  std::map<std::string, Json> risks;      // by user id
  std::map<std::string, std::set<std::string>>
      groups;  // user ids by group id; a group comes with its first member
};

GraphData& graph_data(State& state);
// By id, by UPN, or by an id that an alert's evidence has for the account; null when there is none.
Json* find_user(State& state, std::string_view id_or_name);
Json graph_alert(const State& state, const Json& alert);
// Newest first, made of the alerts that share an incident.
std::vector<Json> incidents_of(State& state);
// The page of `entities` that the query asks for, or Graph's 400.
HttpAnswer graph_list(State& state, const Call& call, const EntitySet& set,
                      const std::vector<Json>& entities);
HttpAnswer empty_answer(int status = 204);

std::span<const SimOperation> graph_security_operations();
std::span<const SimOperation> directory_operations();
std::span<const ControlPage> graph_pages();

}  // namespace flow::sim
