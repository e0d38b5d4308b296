// Which operation a request means: a method and a path against the patterns of all tables.
#include <set>

#include "apps/sim/defender_handlers.hpp"
#include "apps/sim/graph_data.hpp"
#include "apps/sim/hunting.hpp"
#include "apps/sim/mail_doubles.hpp"
#include "apps/sim/third_party.hpp"

namespace flow::sim {
namespace {

constexpr SimOperation kDefenderOperations[] = {
#define FLOW_SIM_ROUTE(name, method, path, roles, per_minute, per_hour, run) \
  {name, method, path, Audience::Defender, roles, per_minute, per_hour, run},
#include "apps/sim/defender_routes.def"
#undef FLOW_SIM_ROUTE
};

// A part of a path against a part of a pattern, as `find(timestamp={time},key='{ip}')`; what stands for the
// placeholders is appended to `captured`.
bool part_matches(std::string_view pattern, std::string_view text, std::vector<std::string>& captured) {
  for (;;) {
    const std::size_t open = pattern.find('{');
    const std::string_view fixed = pattern.substr(0, open);
    if (text.size() < fixed.size() || !equals_ignoring_case(fixed, text.substr(0, fixed.size())))
      return false;
    text.remove_prefix(fixed.size());
    if (open == std::string_view::npos) return text.empty();
    pattern.remove_prefix(pattern.find('}') + 1);
    const std::string_view after = pattern.substr(0, pattern.find('{'));
    const std::size_t end = after.empty() ? text.size() : text.find(after);
    if (end == 0 || end == std::string_view::npos) return false;
    captured.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

bool path_matches(std::string_view pattern, const std::vector<std::string>& segments,
                  std::vector<std::string>& captured) {
  captured.clear();
  std::size_t at = 0;
  while (!pattern.empty()) {
    pattern.remove_prefix(1);  // the slash
    const std::string_view part = pattern.substr(0, pattern.find('/'));
    pattern.remove_prefix(part.size());
    if (at == segments.size() || !part_matches(part, segments[at], captured)) return false;
    ++at;
  }
  return at == segments.size();
}

}  // namespace

const std::vector<std::span<const SimOperation>>& operation_tables() {
  static const std::vector<std::span<const SimOperation>> kTables = [] {
    std::vector<std::span<const SimOperation>> tables{
        kDefenderOperations,    hunting_operations(), graph_security_operations(),
        directory_operations(), draft_operations(),   gmail_operations(),
        acs_operations()};
    for (const std::span<const SimOperation> table : third_party_operations()) tables.push_back(table);
    tables.push_back(other_operations());
    return tables;
  }();
  return kTables;
}

const SimOperation* find_operation(std::string_view method, const std::vector<std::string>& segments,
                                   std::vector<std::string>& captured) {
  for (const std::span<const SimOperation> table : operation_tables())
    for (const SimOperation& operation : table)
      if (operation.method == method && path_matches(operation.pattern, segments, captured))
        return &operation;
  captured.clear();
  return nullptr;
}

const SimOperation* operation_named(std::string_view name) {
  for (const std::span<const SimOperation> table : operation_tables())
    for (const SimOperation& operation : table)
      if (operation.name == name) return &operation;
  return nullptr;
}

std::vector<std::string> split_roles(std::string_view roles) {
  std::vector<std::string> names;
  while (!roles.empty()) {
    names.emplace_back(roles.substr(0, roles.find(',')));
    roles.remove_prefix(std::min(roles.size(), names.back().size() + 1));
  }
  return names;
}

std::vector<std::string> roles_of(Audience audience) {
  std::set<std::string> names;
  for (const std::span<const SimOperation> table : operation_tables())
    for (const SimOperation& operation : table)
      if (operation.audience == audience)
        for (std::string& role : split_roles(operation.roles)) names.insert(std::move(role));
  return {names.begin(), names.end()};
}

std::vector<std::string> all_roles() {
  std::set<std::string> names;
  for (const std::span<const SimOperation> table : operation_tables())
    for (const SimOperation& operation : table)
      for (std::string& role : split_roles(operation.roles)) names.insert(std::move(role));
  return {names.begin(), names.end()};
}

std::vector<std::string> operation_names() {
  std::vector<std::string> names;
  for (const std::span<const SimOperation> table : operation_tables())
    for (const SimOperation& operation : table) names.emplace_back(operation.name);
  return names;
}

}  // namespace flow::sim
