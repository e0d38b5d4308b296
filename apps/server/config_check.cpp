// `flow config check`: whether the other commands could use the configuration.
#include <fmt/format.h>

#include "apps/cli/terminal.hpp"
#include "apps/server/config.hpp"
#include "apps/server/runtime_commands.hpp"

namespace flow {

int run_config_check(const std::string& file) {
  const Attempt<Config> config = load_config(file);
  if (!config) return complain(config.error().message), config.error().code;
  std::string tenants, rules;
  for (const TenantConfig& tenant : config->tenants) tenants += (tenants.empty() ? "" : ", ") + tenant.name;
  for (const ProtectedKind& kind : config->protections.kinds)
    for (const ProtectionRule& rule : kind.rules) rules += (rules.empty() ? "" : ", ") + rule.name;
  say(stdout, fmt::format("{}: no mistakes\n  tenants      {}\n  protections  {}\n", file, tenants,
                          rules.empty() ? "none" : rules));
  return kSuccess;
}

}  // namespace flow
