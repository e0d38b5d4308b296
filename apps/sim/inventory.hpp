// What is installed on the tenant's devices, and what follows from it: weaknesses, recommendations, missing
// updates, scores. All of it is a function of the devices alone: a device has the same software whenever it
// is asked, and every count in one list agrees with the rows of the others.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "apps/sim/json.hpp"

namespace flow::sim {

struct Product {
  std::string id;  // `contoso-_-browser`
  std::string vendor, name;
  std::string platforms;              // `windows`, `servers`, `unix` or `all`
  std::string end_of_support;         // of its oldest version; empty: none
  std::vector<std::string> versions;  // rising; the last is the recommended one
};

struct Weakness {
  std::string cve;
  std::size_t product = 0;
  std::size_t fixed_in = 0;  // index of the first version without it
  double cvss = 0;
  std::string severity;
  std::string exploit;  // an ExploitabilityLevel
  std::string kb;       // the update that fixes it, `9903101`; empty: a newer version does
  std::string published;
  std::string description;
};

struct Setting {   // of the device's configuration that is assessed
  std::string id;  // `scid-2001`
  std::string category, subcategory, name;
  std::int64_t impact = 0;
};

const std::vector<Product>& products();
const std::vector<Weakness>& weaknesses();
const std::vector<Setting>& settings();
const Product* find_product(std::string_view id);

struct Installation {
  std::size_t product = 0, version = 0;
};

// What one device has.
struct DeviceInventory {
  std::size_t machine = 0;  // index into the tenant's machines
  std::vector<Installation> installed;
  std::vector<std::size_t> weak;   // indices into weaknesses(), rising
  std::vector<bool> is_compliant;  // by index into settings()
};

struct Inventory {
  std::vector<DeviceInventory> devices;
  std::vector<std::size_t> exposed_to;       // devices, by index into weaknesses()
  std::vector<std::size_t> exposed_by;       // devices with a weakness, by product
  std::vector<std::size_t> installed;        // devices that have the product
  std::map<std::string, std::size_t> by_id;  // machine id to index into `devices`

  static Inventory of(const std::vector<Json>& machines);
};

// As the API shows them.
Json software_json(const Inventory& inventory, std::size_t product);
Json vulnerability_json(const Inventory& inventory, std::size_t weakness);
Json recommendation_json(const Inventory& inventory, std::size_t product);  // to update it
Json setting_recommendation_json(const Inventory& inventory, std::size_t setting);
Json update_json(const Inventory& inventory, std::string_view kb);
// One row for each weakness of each device.
Json machine_vulnerability_json(const Json& machine, const Installation& installation, std::size_t weakness);
// 0 … 100 of the devices whose group this is, or of all when it is empty; more is worse.
double exposure_score(const Inventory& inventory, const std::vector<Json>& machines, std::string_view group);
// Points reached by the devices' configuration; more is better.
double configuration_score(const Inventory& inventory);

// Stable over runs and machines of ours.
std::uint64_t stable_hash(std::string_view text);

}  // namespace flow::sim
