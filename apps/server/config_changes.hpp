// What differs between two configurations, by keys, and what of it a service takes over while it runs
// (reload.def).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apps/server/config.hpp"

namespace flow {

enum class TakenOver : std::uint8_t { Now, Deploy, Restart };

struct ReloadRule {
  std::string_view keys;  // as `store.*`
  TakenOver when = TakenOver::Restart;
  std::string_view words;
};
std::span<const ReloadRule> reload_rules();
TakenOver taken_over(std::string_view key);

struct ConfigChanges {
  std::vector<std::string> now, deploy, restart;  // keys, as `tenants.contoso.mail.sender`
  std::vector<std::string> new_tenants;           // their names; `now` has each as `tenants.NAME`
  bool empty() const { return now.empty() && deploy.empty() && restart.empty(); }
};
ConfigChanges config_changes(const Config& before, const Config& after);

// What is in force once `after` has been read: all of it but what needs a restart, which stays as it was
// before.
Config merged(const Config& before, Config after, const ConfigChanges& changes);

}  // namespace flow
