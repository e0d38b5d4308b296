#include "apps/server/connector_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "apps/library/standard_library.hpp"
#include "apps/server/needed_operations.hpp"
#include "apps/server/secret_check.hpp"
#include "base/text.hpp"
#include "runtime/deployment.hpp"
#include "stdlib/executor/request.hpp"
#include "vm/bytecode/encode.hpp"

namespace flow {
namespace {

bool is_secret(const std::string& setting) {
  return setting != "base" && setting != "user" && setting != "client_id";
}

std::vector<std::string> known_connectors(const ModuleList& modules) {
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  };
  for (const Connector& connector : standard_library().connectors) add(connector.name);
  for (const Module* module : modules)
    for (const Connector& connector : module->connectors) add(connector.name);
  return names;
}

// Every connector that the tenant's tables name, with the place that names it.
std::vector<std::pair<std::string, std::string>> named_connectors(const Config& config,
                                                                  const TenantConfig& tenant) {
  std::vector<std::pair<std::string, std::string>> named;
  for (const char* const table : {"bases", "scopes"}) {
    const std::string prefix = fmt::format("tenants.{}.{}.", tenant.name, table);
    for (auto at = config.written.lower_bound(prefix); at != config.written.end(); ++at) {
      if (!at->first.starts_with(prefix)) break;
      named.emplace_back(at->first.substr(prefix.size()),
                         fmt::format("`[tenants.{}.{}]`", tenant.name, table));
    }
  }
  for (const auto& [name, credential] : tenant.access.credentials)
    named.emplace_back(name, fmt::format("`[tenants.{}.connectors.{}]`", tenant.name, name));
  for (const auto& [what, route] : tenant.access.routes)
    named.emplace_back(what.substr(0, what.find('.')),
                       fmt::format("the route of `{}` for tenant `{}`", what, tenant.name));
  return named;
}

}  // namespace

std::string MissingSettings::text() const {
  std::string line =
      fmt::format("tenant `{}`: connector `{}`, which {} calls, needs", tenant, connector, used_by);
  for (std::size_t i = 0; i < settings.size(); ++i)
    line += fmt::format("{} `{}`", i == 0 ? "" : i + 1 < settings.size() ? "," : " and", settings[i]);
  line += fmt::format(" in `[tenants.{}.connectors.{}]`", tenant, connector);
  const auto secret = std::ranges::find_if(settings, is_secret);
  if (secret != settings.end())
    line += fmt::format("; a secret is named as `{}_env = \"VARIABLE\"` or `{}_file = \"PATH\"`", *secret,
                        *secret);
  return line;
}

Result<std::vector<MissingSettings>> missing_settings_of(const TenantConfig& tenant, const Module& module) {
  std::vector<MissingSettings> missing;
  std::set<std::uint32_t> seen;
  for (const FlowCode& flow : module.flows) {
    FLOW_TRY(const std::vector<const Operation*> operations, needed_operations(module, flow, tenant.access));
    for (const Operation* operation : operations) {
      if (operation->routes.empty()) continue;
      FLOW_TRY(const Route* const route, chosen_route(*operation, tenant.access));
      if (route->protocol != Protocol::Http || !seen.insert(route->connector).second) continue;
      const Connector& connector = module.connectors.at(route->connector);
      if (std::vector<std::string> settings = missing_settings(connector, tenant.access); !settings.empty())
        missing.push_back({tenant.name, connector.name, std::move(settings), operation->full_name()});
    }
  }
  return missing;
}

std::vector<std::string> unknown_connectors(const Config& config, const ModuleList& modules) {
  const std::vector<std::string> known = known_connectors(modules);
  std::vector<std::string> lines;
  for (const TenantConfig& tenant : config.tenants)
    for (const auto& [name, place] : named_connectors(config, tenant)) {
      if (std::ranges::find(known, name) != known.end()) continue;
      const auto near = nearest_name(name, known);
      lines.push_back(fmt::format("{}: no flow has a connector `{}`{}", place, name,
                                  near ? fmt::format("; did you mean `{}`?", *near) : ""));
    }
  return lines;
}

std::vector<std::string> idle_settings(const Config& config, const ModuleList& modules) {
  std::set<std::string> lines;
  for (const TenantConfig& tenant : config.tenants)
    for (const Module* module : modules)
      for (const Connector& connector : module->connectors)
        for (const std::string& setting : unused_settings(connector, tenant.access))
          lines.insert(fmt::format(
              "`[tenants.{}.connectors.{}]`: `{}` is not used, as the connector has `auth {}`", tenant.name,
              connector.name, setting, auth_name(auth_of(connector, tenant.access).kind)));
  return {lines.begin(), lines.end()};
}

Result<std::vector<Module>> live_modules(Store& store) {
  FLOW_TRY(const std::vector<DeploymentRow> rows, live_deployments(store));
  std::set<std::string> seen;
  std::vector<Module> modules;
  for (const DeploymentRow& row : rows) {
    if (!seen.insert(row.module).second) continue;
    FLOW_TRY(const auto bytes, store.module(row.module));
    if (!bytes) return error(fmt::format("the store has no module `{}` of `{}`", row.module, row.file));
    FLOW_TRY(Module module, decode(*bytes));
    modules.push_back(std::move(module));
  }
  return modules;
}

ModuleList listed(const std::vector<Module>& modules) {
  ModuleList list;
  for (const Module& module : modules) list.push_back(&module);
  return list;
}

Status check_connectors(const Config& config, const ModuleList& modules) {
  std::vector<std::string> lines;
  for (const std::string& line : unknown_connectors(config, modules))
    if (line.ends_with('?')) lines.push_back(line);
  for (const Module* module : modules)
    for (const TenantConfig& tenant : config.tenants) {
      for (const MissingSecret& each : missing_secrets(config, tenant, *module)) lines.push_back(each.text());
      FLOW_TRY(const auto missing, missing_settings_of(tenant, *module));
      for (const MissingSettings& each : missing) {
        std::string line = each.text();
        if (std::ranges::find(lines, line) == lines.end()) lines.push_back(std::move(line));
      }
    }
  if (lines.empty()) return {};
  return error(fmt::format("{}", fmt::join(lines, "\n  ")));
}

}  // namespace flow
