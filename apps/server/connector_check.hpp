// Whether the configuration has what the connectors of flows need: an address where none is declared, and the
// credential that the declaration asks for. Said before anything runs, for each tenant, as it would be too
// late at the first call.
#pragma once

#include <string>
#include <vector>

#include "apps/server/config.hpp"
#include "base/result.hpp"
#include "runtime/store.hpp"
#include "vm/bytecode/module.hpp"

namespace flow {

using ModuleList = std::vector<const Module*>;

// What one tenant lacks for one connector.
struct MissingSettings {
  std::string tenant, connector;
  std::vector<std::string> settings;  // as `base`, `password`
  std::string used_by;                // one operation that needs it, as `tickets.open_ticket`
  std::string text() const;
};

// By the routes that the configuration chooses; each connector once. A route that it chooses and the
// operation does not have is an error.
Result<std::vector<MissingSettings>> missing_settings_of(const TenantConfig& tenant, const Module& module);

// Which tables `[tenants.NAME.connectors.…]` and choices of routes are of no connector of these modules, nor
// of one that comes with Flow: one line for each.
std::vector<std::string> unknown_connectors(const Config& config, const ModuleList& modules);
// Settings of a connector that it has no use for: one line for each.
std::vector<std::string> idle_settings(const Config& config, const ModuleList& modules);

// What is live for some tenant, or a shadow there.
Result<std::vector<Module>> live_modules(Store& store);
ModuleList listed(const std::vector<Module>& modules);

// All that is missing for these files, secrets that they declare as well, as one error. A table of a
// connector that nobody knows is one too when it looks like a known one misspelt.
Status check_connectors(const Config& config, const ModuleList& modules);

}  // namespace flow
