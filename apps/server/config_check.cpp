// `flow config check`: whether the other commands could use the configuration, and what it lacks for the
// flows that are deployed.
#include <fmt/format.h>

#include <filesystem>

#include "apps/cli/terminal.hpp"
#include "apps/server/config.hpp"
#include "apps/server/connector_check.hpp"
#include "apps/server/runtime_commands.hpp"
#include "runtime/sqlite_store.hpp"

namespace flow {
namespace {

Attempt<int> check(const std::string& file) {
  FLOW_TRY(const Config config, load_config(file));
  std::vector<Module> modules;
  if (std::filesystem::exists(config.store)) {
    FLOW_TRY(const std::unique_ptr<SqliteStore> store, SqliteStore::open_read_only(config.store));
    FLOW_TRY(modules, live_modules(*store));
  }
  FLOW_TRY_STATUS(check_connectors(config, listed(modules)));
  std::string tenants, rules, notes;
  for (const TenantConfig& tenant : config.tenants) tenants += (tenants.empty() ? "" : ", ") + tenant.name;
  for (const ProtectedKind& kind : config.protections.kinds)
    for (const ProtectionRule& rule : kind.rules) rules += (rules.empty() ? "" : ", ") + rule.name;
  for (const std::string& line : unknown_connectors(config, listed(modules)))
    notes += "  note: " + line + "\n";
  for (const std::string& line : idle_settings(config, listed(modules))) notes += "  note: " + line + "\n";
  say(stdout, fmt::format("{}: no mistakes\n  tenants      {}\n  protections  {}\n{}", file, tenants,
                          rules.empty() ? "none" : rules, notes));
  return static_cast<int>(kSuccess);
}

}  // namespace

int run_config_check(const std::string& file) {
  const Attempt<int> checked = check(file);
  if (!checked) return complain(checked.error().message), checked.error().code;
  return *checked;
}

}  // namespace flow
