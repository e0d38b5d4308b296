#include "apps/sim/inventory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "apps/sim/seeded_random.hpp"

namespace flow::sim {
namespace {

std::string product_id(std::string_view vendor, std::string_view name) {
  return fmt::format("{}-_-{}", vendor, name);
}

bool is_for(const Product& product, std::string_view platform) {
  const bool is_windows = platform.starts_with("Windows");
  if (product.platforms == "windows") return is_windows;
  if (product.platforms == "servers") return platform.starts_with("WindowsServer") || platform == "Linux";
  if (product.platforms == "unix") return !is_windows;
  return true;
}

// Half of the installations are as they should be, a third one step behind.
std::size_t version_of(Random& random, const Product& product) {
  const std::size_t roll = below(random, 100);
  const std::size_t last = product.versions.size() - 1;
  return roll < 50 ? last : roll < 83 ? last - 1 : 0;
}

DeviceInventory inventory_of(const Json& machine, std::size_t index) {
  DeviceInventory device;
  device.machine = index;
  SeededRandom random(stable_hash(machine["id"].text()));
  for (std::size_t i = 0; i < products().size(); ++i) {
    const Product& product = products()[i];
    const bool is_there = product.vendor == "microsoft" || chance(random, 55);
    const std::size_t version = version_of(random, product);
    if (!is_there || !is_for(product, machine["osPlatform"].text())) continue;
    device.installed.push_back({i, version});
    for (std::size_t w = 0; w < weaknesses().size(); ++w)
      if (weaknesses()[w].product == i && version < weaknesses()[w].fixed_in) device.weak.push_back(w);
  }
  std::ranges::sort(device.weak);
  for (std::size_t i = 0; i < settings().size(); ++i) device.is_compliant.push_back(chance(random, 72));
  return device;
}

double rounded(double value, double step) {
  return std::round(value / step) * step;
}

std::size_t weaknesses_of(const Inventory& inventory, std::size_t product) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < weaknesses().size(); ++i)
    if (weaknesses()[i].product == product && inventory.exposed_to[i] > 0) ++count;
  return count;
}

bool has_public_exploit(const Inventory& inventory, std::size_t product) {
  for (std::size_t i = 0; i < weaknesses().size(); ++i)
    if (weaknesses()[i].product == product && inventory.exposed_to[i] > 0 &&
        weaknesses()[i].exploit != "NoExploit")
      return true;
  return false;
}

double worst_score(const Inventory& inventory, std::size_t product) {
  double worst = 0;
  for (std::size_t i = 0; i < weaknesses().size(); ++i)
    if (weaknesses()[i].product == product && inventory.exposed_to[i] > 0)
      worst = std::max(worst, weaknesses()[i].cvss);
  return worst;
}

double impact_of(const Inventory& inventory, std::size_t product) {
  if (inventory.devices.empty()) return 0;
  const double share =
      static_cast<double>(inventory.exposed_by[product]) / static_cast<double>(inventory.devices.size());
  return rounded(share * worst_score(inventory, product), 0.01);
}

}  // namespace

const std::vector<Product>& products() {
  static const std::vector<Product> kAll{
#define FLOW_SIM_PRODUCT(vendor, name, where, end, oldest, middle, latest) \
  Product{product_id(vendor, name), vendor, name, where, end, {oldest, middle, latest}},
#define FLOW_SIM_WEAKNESS(...)
#define FLOW_SIM_SETTING(...)
#include "apps/sim/inventory_catalogue.def"
#undef FLOW_SIM_PRODUCT
#undef FLOW_SIM_WEAKNESS
#undef FLOW_SIM_SETTING
  };
  return kAll;
}

const std::vector<Weakness>& weaknesses() {
  static const std::vector<Weakness> kAll{
#define FLOW_SIM_PRODUCT(...)
#define FLOW_SIM_WEAKNESS(cve, product, fixed_in, cvss, severity, exploit, kb, published, description) \
  Weakness{cve,        static_cast<std::size_t>(find_product(product) - products().data()),            \
           fixed_in,   cvss,                                                                           \
           severity,   exploit,                                                                        \
           kb,         published,                                                                      \
           description},
#define FLOW_SIM_SETTING(...)
#include "apps/sim/inventory_catalogue.def"
#undef FLOW_SIM_PRODUCT
#undef FLOW_SIM_WEAKNESS
#undef FLOW_SIM_SETTING
  };
  return kAll;
}

const std::vector<Setting>& settings() {
  static const std::vector<Setting> kAll{
#define FLOW_SIM_PRODUCT(...)
#define FLOW_SIM_WEAKNESS(...)
#define FLOW_SIM_SETTING(id, category, subcategory, impact, name) \
  Setting{id, category, subcategory, name, impact},
#include "apps/sim/inventory_catalogue.def"
#undef FLOW_SIM_PRODUCT
#undef FLOW_SIM_WEAKNESS
#undef FLOW_SIM_SETTING
  };
  return kAll;
}

const Product* find_product(std::string_view id) {
  const auto found = std::ranges::find(products(), id, &Product::id);
  return found != products().end() ? &*found : nullptr;
}

Inventory Inventory::of(const std::vector<Json>& machines) {
  Inventory inventory;
  inventory.exposed_to.resize(weaknesses().size());
  inventory.exposed_by.resize(products().size());
  inventory.installed.resize(products().size());
  for (std::size_t i = 0; i < machines.size(); ++i) {
    DeviceInventory device = inventory_of(machines[i], i);
    std::set<std::size_t> exposed;
    for (const std::size_t weakness : device.weak) {
      ++inventory.exposed_to[weakness];
      exposed.insert(weaknesses()[weakness].product);
    }
    for (const std::size_t product : exposed) ++inventory.exposed_by[product];
    for (const Installation& installation : device.installed) ++inventory.installed[installation.product];
    inventory.by_id[std::string(machines[i]["id"].text())] = inventory.devices.size();
    inventory.devices.push_back(std::move(device));
  }
  return inventory;
}

Json software_json(const Inventory& inventory, std::size_t product) {
  return Json::object({{"id", products()[product].id},
                       {"name", products()[product].name},
                       {"vendor", products()[product].vendor},
                       {"weaknesses", weaknesses_of(inventory, product)},
                       {"publicExploit", has_public_exploit(inventory, product)},
                       {"activeAlert", false},
                       {"exposedMachines", inventory.exposed_by[product]},
                       {"impactScore", impact_of(inventory, product)}});
}

Json vulnerability_json(const Inventory& inventory, std::size_t index) {
  const Weakness& weakness = weaknesses()[index];
  const bool is_public = weakness.exploit != "NoExploit";
  Json types = Json::list(), uris = Json::list();
  if (is_public) {
    types.add("Remote");
    uris.add("https://exploits.example.net/" + weakness.cve);
  }
  const std::string time = weakness.published + "T00:00:00Z";
  return Json::object(
      {{"id", weakness.cve},
       {"name", weakness.cve},
       {"description", weakness.description},
       {"severity", weakness.severity},
       {"cvssV3", weakness.cvss},
       {"cvssVector", "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H"},
       {"exposedMachines", inventory.exposed_to[index]},
       {"publishedOn", time},
       {"updatedOn", time},
       {"publicExploit", is_public},
       {"exploitVerified", weakness.exploit == "ExploitIsVerified" || weakness.exploit == "ExploitIsInKit"},
       {"exploitInKit", weakness.exploit == "ExploitIsInKit"},
       {"exploitTypes", types},
       {"exploitUris", uris},
       {"cveSupportability", "Supported"},
       {"epss", is_public ? 0.41 : 0.003}});
}

Json recommendation_json(const Inventory& inventory, std::size_t index) {
  const Product& product = products()[index];
  return Json::object({{"id", "va-_-" + product.id},
                       {"productName", product.name},
                       {"recommendationName", fmt::format("Update {} {}", product.vendor, product.name)},
                       {"weaknesses", weaknesses_of(inventory, index)},
                       {"vendor", product.vendor},
                       {"recommendedVersion", product.versions.back()},
                       {"recommendedVendor", ""},
                       {"recommendedProgram", ""},
                       {"recommendationCategory", "Application"},
                       {"subCategory", ""},
                       {"severityScore", worst_score(inventory, index)},
                       {"publicExploit", has_public_exploit(inventory, index)},
                       {"activeAlert", false},
                       {"associatedThreats", Json::list()},
                       {"remediationType", "Update"},
                       {"status", "Active"},
                       {"configScoreImpact", 0.0},
                       {"exposureImpact", impact_of(inventory, index)},
                       {"totalMachineCount", inventory.installed[index]},
                       {"exposedMachinesCount", inventory.exposed_by[index]},
                       {"nonProductivityImpactedAssets", 0},
                       {"relatedComponent", fmt::format("{} {}", product.vendor, product.name)},
                       {"hasUnpatchableCve", false},
                       {"tags", Json::list()},
                       {"exposedCriticalDevices", 0}});
}

Json setting_recommendation_json(const Inventory& inventory, std::size_t index) {
  const Setting& setting = settings()[index];
  const auto exposed = static_cast<std::size_t>(std::ranges::count_if(
      inventory.devices, [&](const DeviceInventory& device) { return !device.is_compliant[index]; }));
  const bool is_controls = setting.category == "Security controls";
  return Json::object(
      {{"id", "sca-_-" + setting.id},
       {"productName", setting.subcategory},
       {"recommendationName", setting.name},
       {"weaknesses", 1},
       {"vendor", ""},
       {"recommendedVersion", ""},
       {"recommendedVendor", ""},
       {"recommendedProgram", ""},
       {"recommendationCategory", is_controls ? Json("SecurityControls") : Json(setting.category)},
       {"subCategory", setting.subcategory},
       {"severityScore", static_cast<double>(setting.impact)},
       {"publicExploit", false},
       {"activeAlert", false},
       {"associatedThreats", Json::list()},
       {"remediationType", "ConfigurationChange"},
       {"status", "Active"},
       {"configScoreImpact", static_cast<double>(setting.impact)},
       {"exposureImpact", 0.0},
       {"totalMachineCount", inventory.devices.size()},
       {"exposedMachinesCount", exposed},
       {"nonProductivityImpactedAssets", 0},
       {"relatedComponent", setting.subcategory},
       {"hasUnpatchableCve", false},
       {"tags", Json::list()},
       {"exposedCriticalDevices", 0}});
}

Json update_json(const Inventory& inventory, std::string_view kb) {
  std::size_t fixes = 0, missed_on = 0;
  Json names = Json::list();
  for (std::size_t i = 0; i < weaknesses().size(); ++i) {
    if (weaknesses()[i].kb != kb) continue;
    if (fixes++ == 0) names.add(products()[weaknesses()[i].product].name);
    missed_on = std::max(missed_on, inventory.exposed_to[i]);
  }
  return Json::object({{"id", kb},
                       {"name", "Security update KB" + std::string(kb)},
                       {"osBuild", nullptr},
                       {"productsNames", names},
                       {"url", "https://catalog.example.net/" + std::string(kb)},
                       {"machineMissedOn", missed_on},
                       {"cveAddressed", fixes}});
}

Json machine_vulnerability_json(const Json& machine, const Installation& installation, std::size_t index) {
  const Weakness& weakness = weaknesses()[index];
  const Product& product = products()[installation.product];
  const std::string& version = product.versions[installation.version];
  return Json::object({{"id", fmt::format("{}-_-{}-_-{}-_-{}-_-{}", machine["id"].text(), weakness.cve,
                                          product.id, version, weakness.kb)},
                       {"cveId", weakness.cve},
                       {"machineId", machine["id"]},
                       {"fixingKbId", weakness.kb.empty() ? Json() : Json(weakness.kb)},
                       {"productName", product.name},
                       {"productVendor", product.vendor},
                       {"productVersion", version},
                       {"severity", weakness.severity}});
}

double exposure_score(const Inventory& inventory, const std::vector<Json>& machines, std::string_view group) {
  double sum = 0;
  std::size_t count = 0;
  for (const DeviceInventory& device : inventory.devices) {
    if (!group.empty() && machines[device.machine]["rbacGroupName"].text() != group) continue;
    ++count;
    double worst = 0;
    for (const std::size_t weakness : device.weak) worst = std::max(worst, weaknesses()[weakness].cvss);
    sum += worst * 10;
  }
  return count == 0 ? 0 : rounded(sum / static_cast<double>(count), 0.1);
}

double configuration_score(const Inventory& inventory) {
  double sum = 0;
  for (const DeviceInventory& device : inventory.devices)
    for (std::size_t i = 0; i < settings().size(); ++i)
      if (device.is_compliant[i]) sum += static_cast<double>(settings()[i].impact);
  return inventory.devices.empty() ? 0 : rounded(sum / static_cast<double>(inventory.devices.size()), 0.1);
}

std::uint64_t stable_hash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

}  // namespace flow::sim
