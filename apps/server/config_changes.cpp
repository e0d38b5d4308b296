#include "apps/server/config_changes.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <utility>

namespace flow {
namespace {

constexpr std::array kRules = {
#define FLOW_RELOAD(keys, when, words) ReloadRule{keys, TakenOver::when, words},
#include "apps/server/reload.def"
#undef FLOW_RELOAD
};

constexpr std::string_view kTenants = "tenants.";

bool is_named_by(std::string_view key, std::string_view keys) {
  return keys.ends_with('*') ? key.starts_with(keys.substr(0, keys.size() - 1)) : key == keys;
}

std::set<std::string> names(const Config& config) {
  std::set<std::string> all;
  for (const TenantConfig& tenant : config.tenants) all.insert(tenant.name);
  return all;
}

bool is_of(std::string_view key, std::string_view tenant) {
  key.remove_prefix(std::min(key.size(), kTenants.size()));
  return key.starts_with(tenant) && key.substr(tenant.size()).starts_with('.');
}

}  // namespace

std::span<const ReloadRule> reload_rules() {
  return kRules;
}

TakenOver taken_over(std::string_view key) {
  const auto rule =
      std::ranges::find_if(kRules, [&](const ReloadRule& each) { return is_named_by(key, each.keys); });
  return rule == kRules.end() ? TakenOver::Restart : rule->when;
}

ConfigChanges config_changes(const Config& before, const Config& after) {
  ConfigChanges changes;
  std::vector<std::string> gone, keys;
  std::ranges::set_difference(names(before), names(after), std::back_inserter(gone));
  std::ranges::set_difference(names(after), names(before), std::back_inserter(changes.new_tenants));
  for (const std::string& tenant : gone) changes.restart.push_back("tenants." + tenant);
  for (const std::string& tenant : changes.new_tenants) changes.now.push_back("tenants." + tenant);
  for (const auto& [key, value] : before.written)
    if (const auto now = after.written.find(key); now == after.written.end() || now->second != value)
      keys.push_back(key);
  for (const auto& [key, value] : after.written)
    if (!before.written.contains(key)) keys.push_back(key);
  std::ranges::sort(keys);
  for (std::string& key : keys) {
    const auto is_of_it = [&](const std::string& tenant) { return is_of(key, tenant); };
    if (key.starts_with(kTenants) &&
        (std::ranges::any_of(gone, is_of_it) || std::ranges::any_of(changes.new_tenants, is_of_it)))
      continue;
    switch (taken_over(key)) {
      case TakenOver::Now: changes.now.push_back(std::move(key)); break;
      case TakenOver::Deploy: changes.deploy.push_back(std::move(key)); break;
      case TakenOver::Restart: changes.restart.push_back(std::move(key)); break;
    }
  }
  return changes;
}

Config merged(const Config& before, Config after, const ConfigChanges& changes) {
  after.store = before.store;
  after.http_library = before.http_library;
  after.transport = before.transport;
  after.inbound.address = before.inbound.address;
  after.inbound.port = before.inbound.port;
  after.inbound.body_bytes = before.inbound.body_bytes;
  after.inbound.link_key = before.inbound.link_key;
  const std::set<std::string> kept = names(after);
  for (const TenantConfig& tenant : before.tenants)
    if (!kept.contains(tenant.name)) after.tenants.push_back(tenant);
  for (const auto& secret : before.vaults.secrets)  // of those that stay until the restart
    if (!secret->tenant.empty() && !kept.contains(secret->tenant)) after.vaults.secrets.push_back(secret);
  // So that the next time it is named again.
  for (const std::string& key : changes.restart) {
    const auto is_meant = [&](const auto& each) {
      return each.first == key || each.first.starts_with(key + ".");
    };
    std::erase_if(after.written, is_meant);
    std::ranges::copy_if(before.written, std::inserter(after.written, after.written.end()), is_meant);
  }
  return after;
}

}  // namespace flow
