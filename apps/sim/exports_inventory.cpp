// Rows about software, weaknesses and configuration.
#include <fmt/format.h>

#include "apps/sim/device_inventory.hpp"
#include "apps/sim/exports.hpp"
#include "apps/sim/seeded_random.hpp"
#include "apps/sim/ticks.hpp"
#include "base/calendar.hpp"

namespace flow::sim {
namespace {

Json device_row(const Json& machine) {
  return Json::object({{"deviceId", machine["id"]},
                       {"rbacGroupId", machine["rbacGroupId"]},
                       {"rbacGroupName", machine["rbacGroupName"]},
                       {"deviceName", machine["computerDnsName"]},
                       {"osPlatform", machine["osPlatform"]}});
}

// Always the same for one thing on one device, up to a hundred days ago.
std::string first_seen(const State& state, std::string_view what) {
  return export_time(generated_us(state) - static_cast<std::int64_t>(1 + stable_hash(what) % 100) * kDayUs);
}

std::string registry_path(const Product& product) {
  return fmt::format("HKEY_LOCAL_MACHINE\\SOFTWARE\\Uninstall\\{}", product.id);
}
std::string disk_path(const Json& machine, const Product& product) {
  return machine["osPlatform"].text().starts_with("Windows")
             ? fmt::format("C:\\Program Files\\{}\\{}", product.vendor, product.name)
             : fmt::format("/opt/{}/{}", product.vendor, product.name);
}

Json paths(std::string path) {
  return Json::List{Json(std::move(path))};
}

Json text_or(std::string_view text, std::string_view otherwise) {
  return text.empty() ? Json(otherwise) : Json(text);
}

}  // namespace

std::int64_t generated_us(const State& state) {
  constexpr std::int64_t kSixHoursUs = 6 * 3'600'000'000;
  return state.now_us() / kSixHoursUs * kSixHoursUs;
}

std::string export_time(std::int64_t time_us) {
  std::string text = format_ticks(time_us);
  text.pop_back();
  text[10] = ' ';
  return text;
}

std::vector<Json> configuration_rows(State& state) {
  std::vector<Json> rows;
  for (const DeviceInventory& device : inventory(state).devices) {
    const Json& machine = state.machines[device.machine];
    for (std::size_t i = 0; i < settings().size(); ++i) {
      Json row = device_row(machine);
      row.set("osVersion", machine["version"]).set("timestamp", export_time(generated_us(state)));
      row.set("configurationId", settings()[i].id).set("configurationCategory", settings()[i].category);
      row.set("configurationSubcategory", settings()[i].subcategory);
      row.set("configurationImpact", settings()[i].impact).set("isCompliant", bool{device.is_compliant[i]});
      row.set("isApplicable", true).set("isExpectedUserImpact", false);
      row.set("configurationName", settings()[i].name);
      row.set("recommendationReference", "sca-_-" + settings()[i].id);
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

std::vector<Json> software_rows(State& state) {
  std::vector<Json> rows;
  for (const DeviceInventory& device : inventory(state).devices) {
    const Json& machine = state.machines[device.machine];
    for (const Installation& installation : device.installed) {
      const Product& product = products()[installation.product];
      std::int64_t weak = 0;
      for (const std::size_t weakness : device.weak)
        weak += weaknesses()[weakness].product == installation.product;
      const bool ends = installation.version == 0 && !product.end_of_support.empty();
      Json row = device_row(machine);
      row.set("softwareVendor", product.vendor).set("softwareName", product.name);
      row.set("softwareVersion", product.versions[installation.version]).set("numberOfWeaknesses", weak);
      row.set("diskPaths", paths(disk_path(machine, product)));
      row.set("registryPaths", machine["osPlatform"].text().starts_with("Windows")
                                   ? paths(registry_path(product))
                                   : Json::list());
      row.set("softwareFirstSeenTimestamp", first_seen(state, machine["id"].text()));
      row.set("endOfSupportStatus", ends ? Json("EOS Version") : Json("None"));
      row.set("endOfSupportDate", ends ? Json(product.end_of_support) : Json());
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

std::vector<Json> weakness_rows(State& state) {
  std::vector<Json> rows;
  for (const DeviceInventory& device : inventory(state).devices) {
    const Json& machine = state.machines[device.machine];
    for (const std::size_t index : device.weak) {
      const Weakness& weakness = weaknesses()[index];
      const Product& product = products()[weakness.product];
      const std::string& version = product.versions[installation_of(device, index)->version];
      const std::string update = weakness.kb.empty() ? "" : "Security update KB" + weakness.kb;
      Json row = Json::object(
          {{"id", fmt::format("{}_{}_{}_{}", machine["id"].text(), product.id, version, weakness.cve)}});
      const Json about = device_row(machine);
      for (const Member& member : about.members()) row.set(member.name, member.value);
      row.set("osVersion", machine["version"]).set("osArchitecture", "x64");
      row.set("softwareVendor", product.vendor).set("softwareName", product.name);
      row.set("softwareVersion", version).set("cveId", weakness.cve).set("cvssScore", weakness.cvss);
      row.set("vulnerabilitySeverityLevel", weakness.severity);
      row.set("recommendedSecurityUpdate", text_or(update, "Update to " + product.versions.back()));
      row.set("recommendedSecurityUpdateId", weakness.kb.empty() ? Json() : Json(weakness.kb));
      row.set("recommendedSecurityUpdateUrl",
              weakness.kb.empty() ? Json() : Json("https://catalog.example.net/" + weakness.kb));
      row.set("diskPaths", paths(disk_path(machine, product))).set("registryPaths", Json::list());
      row.set("firstSeenTimestamp", first_seen(state, row["id"].text()));
      row.set("lastSeenTimestamp", export_time(generated_us(state)));
      row.set("exploitabilityLevel", weakness.exploit).set("recommendationReference", "va-_-" + product.id);
      row.set("securityUpdateAvailable", true);
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

std::vector<Json> other_software_rows(State& state) {
  static constexpr const char* kNames[] = {"Payroll Client", "Label Printer", "Lab Balance", "Door Control"};
  std::vector<Json> rows;
  for (const Json& machine : state.machines) {
    SeededRandom random(stable_hash(std::string(machine["id"].text()) + "/own"));
    if (!chance(random, 60)) continue;
    Json row = device_row(machine);
    row.set("softwareVendor", "Example Corp").set("softwareName", pick(random, kNames));
    row.set("softwareVersion", fmt::format("{}.{}", 1 + below(random, 4), below(random, 10)));
    row.set("softwareLastSeenTimestamp", export_time(generated_us(state))).set("registryPath", nullptr);
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace flow::sim
