// Vulnerabilities, software, recommendations and missing updates: what the devices' inventory says of them.
#include <algorithm>
#include <set>

#include "apps/sim/defender_handlers.hpp"
#include "apps/sim/device_inventory.hpp"
#include "base/text.hpp"

namespace flow::sim {
namespace {

const EntitySet& vulnerability_set() {
  using Kind = PropertyKind;
  static const EntitySet kSet{defender_context("Vulnerabilities"),
                              {{"id", Kind::Text},
                               {"name", Kind::Text},
                               {"description", Kind::Text},
                               {"cvssV3", Kind::Decimal},
                               {"publishedOn", Kind::Time},
                               {"severity", Kind::Enum, {"Low", "Medium", "High", "Critical"}},
                               {"updatedOn", Kind::Time}},
                              "",
                              8'000,
                              "https://api.security.microsoft.com/api/vulnerabilities"};
  return kSet;
}

const EntitySet& machine_vulnerability_set() {
  using Kind = PropertyKind;
  static const EntitySet kSet{
      defender_context("Collection(microsoft.windowsDefenderATP.api.PublicAssetVulnerabilityDto)"),
      {{"id", Kind::Text},
       {"cveId", Kind::Text},
       {"machineId", Kind::Text},
       {"fixingKbId", Kind::Text},
       {"productName", Kind::Text},
       {"productVersion", Kind::Text},
       {"severity", Kind::Enum, {"Low", "Medium", "High", "Critical"}},
       {"productVendor", Kind::Text}},
      "",
      10'000,
      "https://api.security.microsoft.com/api/vulnerabilities/machinesVulnerabilities"};
  return kSet;
}

const EntitySet& recommendation_set() {
  using Kind = PropertyKind;
  static const EntitySet kSet{
      defender_context("Recommendations"),
      {{"id", Kind::Text},
       {"productName", Kind::Text},
       {"vendor", Kind::Text},
       {"recommendedVersion", Kind::Text},
       {"recommendationCategory",
        Kind::Enum,
        {"Accounts", "Application", "Network", "OS", "SecurityControls"}},
       {"subCategory", Kind::Text},
       {"severityScore", Kind::Decimal},
       {"remediationType", Kind::Enum, {"ConfigurationChange", "Update", "Upgrade", "Uninstall"}},
       {"recommendedProgram", Kind::Text},
       {"recommendedVendor", Kind::Text},
       {"status", Kind::Enum, {"Active", "Exception"}}},
      "",
      10'000,
      "https://api.security.microsoft.com/api/recommendations"};
  return kSet;
}

const EntitySet& software_set() {
  static const EntitySet kSet{
      defender_context("Software"),
      {{"id", PropertyKind::Text}, {"name", PropertyKind::Text}, {"vendor", PropertyKind::Text}},
      "",
      10'000,
      "https://api.security.microsoft.com/api/Software"};
  return kSet;
}

std::size_t index_of(const Product& product) {
  return static_cast<std::size_t>(&product - products().data());
}

std::optional<std::size_t> weakness_named(std::string_view cve) {
  for (std::size_t i = 0; i < weaknesses().size(); ++i)
    if (equals_ignoring_case(weaknesses()[i].cve, cve)) return i;
  return std::nullopt;
}

const Product* recommended_product(std::string_view id) {
  return id.starts_with("va-_-") ? find_product(id.substr(5)) : nullptr;
}

std::optional<std::size_t> recommended_setting(std::string_view id) {
  if (!id.starts_with("sca-_-")) return std::nullopt;
  const auto found = std::ranges::find(settings(), id.substr(6), &Setting::id);
  if (found == settings().end()) return std::nullopt;
  return static_cast<std::size_t>(found - settings().begin());
}

// The devices that `is_wanted`, as references.
template <class Wanted>
HttpAnswer references(State& state, const Call& call, const Wanted& is_wanted) {
  std::vector<Json> found;
  for (const DeviceInventory& device : inventory(state).devices)
    if (is_wanted(device)) found.push_back(machine_reference(state.machines[device.machine]));
  return plain_list(state, call, "MachineReferences", found);
}

bool is_weak_in(const DeviceInventory& device, std::size_t product) {
  return std::ranges::any_of(device.weak, [&](std::size_t w) { return weaknesses()[w].product == product; });
}

bool has_product(const DeviceInventory& device, std::size_t product) {
  return std::ranges::find(device.installed, product, &Installation::product) != device.installed.end();
}

std::vector<Json> vulnerabilities_of(State& state, const Product& product) {
  std::vector<Json> found;
  const Inventory& all = inventory(state);
  for (std::size_t i = 0; i < weaknesses().size(); ++i)
    if (weaknesses()[i].product == index_of(product) && all.exposed_to[i] > 0)
      found.push_back(vulnerability_json(all, i));
  return found;
}

std::vector<Json> updates_of(State& state, const std::vector<std::size_t>& weak) {
  std::set<std::string> kbs;
  for (const std::size_t weakness : weak)
    if (!weaknesses()[weakness].kb.empty()) kbs.insert(weaknesses()[weakness].kb);
  std::vector<Json> found;
  for (const std::string& kb : kbs) found.push_back(update_json(inventory(state), kb));
  return found;
}

}  // namespace

const Inventory& inventory(State& state) {
  if (state.defender.inventory_of != state.machine_changes) {
    state.defender.inventory = Inventory::of(state.machines);
    state.defender.inventory_of = state.machine_changes;
  }
  return state.defender.inventory;
}

const DeviceInventory* device_inventory(State& state, std::string_view id_or_name) {
  const Json* machine = find_machine(state, id_or_name);
  if (machine == nullptr) return nullptr;
  const Inventory& all = inventory(state);
  const auto found = all.by_id.find(std::string((*machine)["id"].text()));
  return found != all.by_id.end() ? &all.devices[found->second] : nullptr;
}

HttpAnswer list_vulnerabilities(State& state, const Call& call) {
  std::vector<Json> found;
  for (std::size_t i = 0; i < weaknesses().size(); ++i)
    found.push_back(vulnerability_json(inventory(state), i));
  return list_answer(state, call, vulnerability_set(), found);
}

HttpAnswer get_vulnerability(State& state, const Call& call) {
  const auto weakness = weakness_named(call.id);
  if (!weakness) return not_found(state, "Vulnerability", call.id);
  return entity_answer(200, "Vulnerabilities", vulnerability_json(inventory(state), *weakness));
}

HttpAnswer list_vulnerable_machines(State& state, const Call& call) {
  const auto weakness = weakness_named(call.id);
  if (!weakness) return not_found(state, "Vulnerability", call.id);
  return references(state, call, [&](const DeviceInventory& device) {
    return std::ranges::binary_search(device.weak, *weakness);
  });
}

HttpAnswer list_machines_vulnerabilities(State& state, const Call& call) {
  std::vector<Json> rows;
  for (const DeviceInventory& device : inventory(state).devices)
    for (const std::size_t weakness : device.weak)
      rows.push_back(machine_vulnerability_json(state.machines[device.machine],
                                                *installation_of(device, weakness), weakness));
  return list_answer(state, call, machine_vulnerability_set(), rows);
}

const Installation* installation_of(const DeviceInventory& device, std::size_t weakness) {
  const auto found =
      std::ranges::find(device.installed, weaknesses()[weakness].product, &Installation::product);
  return found != device.installed.end() ? &*found : nullptr;
}

HttpAnswer list_recommendations(State& state, const Call& call) {
  std::vector<Json> found;
  const Inventory& all = inventory(state);
  for (std::size_t i = 0; i < products().size(); ++i)
    if (all.exposed_by[i] > 0) found.push_back(recommendation_json(all, i));
  for (std::size_t i = 0; i < settings().size(); ++i) found.push_back(setting_recommendation_json(all, i));
  return list_answer(state, call, recommendation_set(), found);
}

HttpAnswer get_recommendation(State& state, const Call& call) {
  if (const Product* product = recommended_product(call.id))
    return entity_answer(200, "Recommendations", recommendation_json(inventory(state), index_of(*product)));
  if (const auto setting = recommended_setting(call.id))
    return entity_answer(200, "Recommendations", setting_recommendation_json(inventory(state), *setting));
  return not_found(state, "Recommendation", call.id);
}

HttpAnswer get_recommended_software(State& state, const Call& call) {
  const Product* product = recommended_product(call.id);
  if (product == nullptr) return not_found(state, "Software of recommendation", call.id);
  return entity_answer(200, "Analytics.Contracts.PublicAPI.PublicProductDto",
                       software_json(inventory(state), index_of(*product)));
}

HttpAnswer list_recommended_machines(State& state, const Call& call) {
  const Product* product = recommended_product(call.id);
  const auto setting = recommended_setting(call.id);
  if (product == nullptr && !setting) return not_found(state, "Recommendation", call.id);
  return references(state, call, [&](const DeviceInventory& device) {
    return product != nullptr ? is_weak_in(device, index_of(*product)) : !device.is_compliant[*setting];
  });
}

HttpAnswer list_recommended_vulnerabilities(State& state, const Call& call) {
  const Product* product = recommended_product(call.id);
  if (product == nullptr && !recommended_setting(call.id)) return not_found(state, "Recommendation", call.id);
  return plain_list(state, call, "Vulnerabilities",
                    product != nullptr ? vulnerabilities_of(state, *product) : std::vector<Json>{});
}

HttpAnswer list_software(State& state, const Call& call) {
  std::vector<Json> found;
  const Inventory& all = inventory(state);
  for (std::size_t i = 0; i < products().size(); ++i)
    if (all.installed[i] > 0) found.push_back(software_json(all, i));
  return list_answer(state, call, software_set(), found);
}

HttpAnswer get_software(State& state, const Call& call) {
  const Product* product = find_product(call.id);
  if (product == nullptr) return not_found(state, "Software", call.id);
  return entity_answer(200, "Software", software_json(inventory(state), index_of(*product)));
}

HttpAnswer list_distributions(State& state, const Call& call) {
  const Product* product = find_product(call.id);
  if (product == nullptr) return not_found(state, "Software", call.id);
  std::vector<Json> found;
  for (std::size_t version = 0; version < product->versions.size(); ++version) {
    std::int64_t installations = 0, open = 0;
    for (const DeviceInventory& device : inventory(state).devices)
      for (const Installation& installation : device.installed)
        installations += installation.product == index_of(*product) && installation.version == version;
    for (const Weakness& weakness : weaknesses())
      open += weakness.product == index_of(*product) && version < weakness.fixed_in;
    found.push_back(Json::object({{"version", product->versions[version]},
                                  {"installations", installations},
                                  {"vulnerabilities", open}}));
  }
  return plain_list(state, call, "Distributions", found);
}

HttpAnswer list_software_machines(State& state, const Call& call) {
  const Product* product = find_product(call.id);
  if (product == nullptr) return not_found(state, "Software", call.id);
  return references(state, call,
                    [&](const DeviceInventory& device) { return has_product(device, index_of(*product)); });
}

HttpAnswer list_software_vulnerabilities(State& state, const Call& call) {
  const Product* product = find_product(call.id);
  if (product == nullptr) return not_found(state, "Software", call.id);
  return plain_list(state, call, "Vulnerabilities", vulnerabilities_of(state, *product));
}

HttpAnswer list_software_updates(State& state, const Call& call) {
  const Product* product = find_product(call.id);
  if (product == nullptr) return not_found(state, "Software", call.id);
  std::vector<std::size_t> weak;
  for (std::size_t i = 0; i < weaknesses().size(); ++i)
    if (weaknesses()[i].product == index_of(*product)) weak.push_back(i);
  return plain_list(state, call, "PublicProductFixDto", updates_of(state, weak));
}

HttpAnswer list_machine_software(State& state, const Call& call) {
  const DeviceInventory* device = device_inventory(state, call.id);
  if (device == nullptr) return not_found(state, "Machine", call.id);
  std::vector<Json> found;
  for (const Installation& installation : device->installed)
    found.push_back(software_json(inventory(state), installation.product));
  return plain_list(state, call, "Software", found);
}

HttpAnswer list_machine_vulnerabilities(State& state, const Call& call) {
  const DeviceInventory* device = device_inventory(state, call.id);
  if (device == nullptr) return not_found(state, "Machine", call.id);
  std::vector<Json> found;
  for (const std::size_t weakness : device->weak)
    found.push_back(vulnerability_json(inventory(state), weakness));
  return plain_list(state, call, "Vulnerabilities", found);
}

HttpAnswer list_machine_recommendations(State& state, const Call& call) {
  const DeviceInventory* device = device_inventory(state, call.id);
  if (device == nullptr) return not_found(state, "Machine", call.id);
  std::vector<Json> found;
  for (std::size_t i = 0; i < products().size(); ++i)
    if (is_weak_in(*device, i)) found.push_back(recommendation_json(inventory(state), i));
  for (std::size_t i = 0; i < settings().size(); ++i)
    if (!device->is_compliant[i]) found.push_back(setting_recommendation_json(inventory(state), i));
  return plain_list(state, call, "Recommendations", found);
}

HttpAnswer list_machine_updates(State& state, const Call& call) {
  const DeviceInventory* device = device_inventory(state, call.id);
  if (device == nullptr) return not_found(state, "Machine", call.id);
  return plain_list(state, call, "PublicProductFixDto", updates_of(state, device->weak));
}

}  // namespace flow::sim
