// Rows about extensions, certificates, hardware, baselines and the state of the antivirus.
#include <fmt/format.h>

#include "apps/sim/device_inventory.hpp"
#include "apps/sim/exports.hpp"
#include "apps/sim/seeded_random.hpp"
#include "apps/sim/ticks.hpp"
#include "base/calendar.hpp"

namespace flow::sim {
namespace {

SeededRandom random_of(const Json& machine, std::string_view what) {
  return SeededRandom(stable_hash(std::string(machine["id"].text()) + "/" + std::string(what)));
}

std::string upper_hex(Random& random, std::size_t digits) {
  std::string text = hex_digits(random, digits);
  for (char& c : text)
    if (c >= 'a') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

struct Extension {
  const char* id;
  const char* name;
  const char* risk;
  const char* permission;
};
constexpr Extension kExtensions[] = {
    {"aapocclcgogkmnckokdopfmhonfmgoek", "Slides Helper", "Low", "storage"},
    {"bmnlcjabgnpnenekpadlanbbkooimhnj", "Coupon Finder", "High", "tabs"},
    {"cjpalhdlnbpafiamejdnhcphjbkeiagm", "Ad Blocker", "Medium", "webRequest"},
    {"dbepggeogbaibhgnhhndojpepiihcmeb", "Keyboard Navigation", "Low", "tabs"}};

std::string true_or_false(bool value) {
  return value ? "True" : "False";
}

}  // namespace

std::vector<Json> extension_rows(State& state) {
  std::vector<Json> rows;
  for (const Json& machine : state.machines) {
    SeededRandom random = random_of(machine, "extensions");
    for (const Extension& extension : kExtensions) {
      if (!chance(random, 30)) continue;
      Json permission =
          Json::object({{"Id", extension.permission}, {"IsRequired", true}, {"Risk", extension.risk}});
      rows.push_back(
          Json::object({{"DeviceId", machine["id"]},
                        {"DeviceName", machine["computerDnsName"]},
                        {"RbacGroupId", machine["rbacGroupId"]},
                        {"RbacGroupName", machine["rbacGroupName"]},
                        {"InstallationTime", machine["firstSeen"]},
                        {"BrowserName", "contoso-_-browser"},
                        {"ExtensionId", extension.id},
                        {"ExtensionName", extension.name},
                        {"ExtensionDescription", std::string(extension.name) + " for the browser"},
                        {"ExtensionVersion", fmt::format("{}.{}", 1 + below(random, 5), below(random, 20))},
                        {"ExtensionRisk", extension.risk},
                        {"IsActivated", chance(random, 80)},
                        {"Permissions", Json::List{std::move(permission)}}}));
    }
  }
  return rows;
}

std::vector<Json> certificate_rows(State& state) {
  std::vector<Json> rows;
  for (const Json& machine : state.machines) {
    SeededRandom random = random_of(machine, "certificates");
    const bool is_own = chance(random, 20);
    const std::int64_t ends_us =
        generated_us(state) + (static_cast<std::int64_t>(below(random, 500)) - 40) * kDayUs;
    const auto name = [](std::string_view common) {
      return Json::object({{"CommonName", common}, {"Organization", "Example Corp"}});
    };
    rows.push_back(Json::object(
        {{"deviceId", machine["id"]},
         {"deviceName", machine["computerDnsName"]},
         {"thumbprint", hex_digits(random, 40)},
         {"path", "LocalMachine\\My"},
         {"signatureAlgorithm", "sha256RSA"},
         {"keyLength", chance(random, 90) ? 2048 : 1024},
         {"notAfter", format_ticks(ends_us)},
         {"notBefore", format_ticks(ends_us - 730 * kDayUs)},
         {"subjectType", "EndEntity"},
         {"serialNumber", upper_hex(random, 32)},
         {"subjectObject", name(machine["computerDnsName"].text())},
         {"issuerObject", name(is_own ? machine["computerDnsName"].text() : "Example Issuing CA")},
         {"keyUsageArray", Json::List{Json("Digital Signature"), Json("Key Encipherment")}},
         {"extendedKeyUsageArray", Json::List{Json("Server Authentication")}},
         {"isSelfSigned", is_own},
         {"rbacGroupId", machine["rbacGroupId"]},
         {"rbacGroupName", machine["rbacGroupName"]}}));
  }
  return rows;
}

std::vector<Json> hardware_rows(State& state) {
  static constexpr const char* kMakers[] = {"Fabrikam", "Contoso", "Litware"};
  std::vector<Json> rows;
  for (const Json& machine : state.machines) {
    SeededRandom random = random_of(machine, "hardware");
    for (const char* component : {"Bios", "Processor"})
      rows.push_back(Json::object({{"deviceId", machine["id"]},
                                   {"rbacGroupId", machine["rbacGroupId"]},
                                   {"rbacGroupName", machine["rbacGroupName"]},
                                   {"deviceName", machine["computerDnsName"]},
                                   {"componentType", component},
                                   {"manufacturer", pick(random, kMakers)},
                                   {"componentName", fmt::format("{} {}", component, 100 + below(random, 9))},
                                   {"componentVersion", fmt::format("1.{}.0", below(random, 30))},
                                   {"additionalFields", "{}"}}));
  }
  return rows;
}

std::vector<Json> baseline_rows(State& state) {
  std::vector<Json> rows;
  const std::string time = format_ticks(generated_us(state));
  for (const DeviceInventory& device : inventory(state).devices) {
    const Json& machine = state.machines[device.machine];
    for (std::size_t i = 0; i < settings().size(); ++i) {
      const bool is_compliant = device.is_compliant[i];
      rows.push_back(Json::object(
          {{"id", fmt::format("{}_{}_{}", machine["id"].text(), kBaselineProfile, settings()[i].id)},
           {"configurationId", settings()[i].id},
           {"deviceId", machine["id"]},
           {"deviceName", machine["computerDnsName"]},
           {"profileId", kBaselineProfile},
           {"osPlatform", machine["osPlatform"]},
           {"osVersion", machine["version"]},
           {"rbacGroupId", machine["rbacGroupId"]},
           {"rbacGroupName", machine["rbacGroupName"]},
           {"isApplicable", true},
           {"isCompliant", is_compliant},
           {"dataCollectionTimeOffset", time},
           {"complianceCalculationTimeOffset", time},
           {"recommendedValue", Json::List{Json("Enabled")}},
           {"currentValue", Json::List{Json(is_compliant ? "Enabled" : "Disabled")}},
           {"source", Json::List{Json("registry")}}}));
    }
  }
  return rows;
}

std::vector<Json> antivirus_rows(State& state) {
  std::vector<Json> rows;
  const std::int64_t made_us = generated_us(state);
  for (const Json& machine : state.machines) {
    SeededRandom random = random_of(machine, "antivirus");
    const bool is_windows = machine["osPlatform"].text().starts_with("Windows");
    const bool is_current = chance(random, 88);
    const std::string updated = format_ticks(made_us - (is_current ? 1 : 9) * kDayUs);
    const std::string kind = is_windows                                ? "windows"
                             : machine["osPlatform"].text() == "macOS" ? "mac"
                                                                       : "linux";
    Json row = Json::object({{"id", machine["id"]},
                             {"machineId", machine["id"]},
                             {"computerDnsName", machine["computerDnsName"]},
                             {"osKind", kind},
                             {"osPlatform", machine["osPlatform"]},
                             {"osVersion", machine["version"]},
                             {"avMode", chance(random, 94) ? "Active" : "Passive"},
                             {"avSignatureVersion", is_current ? "1.421.226.0" : "1.419.11.0"},
                             {"avEngineVersion", "1.1.24090.11"},
                             {"avPlatformVersion", "4.18.24090.11"},
                             {"lastSeenTime", machine["lastSeen"]}});
    row.set("quickScanResult", "Completed").set("quickScanError", "").set("quickScanTime", updated);
    row.set("fullScanResult", "Unknown").set("fullScanError", "").set("fullScanTime", nullptr);
    row.set("dataRefreshTimestamp", format_ticks(made_us)).set("avEngineUpdateTime", updated);
    row.set("avSignatureUpdateTime", updated).set("avPlatformUpdateTime", updated);
    row.set("avIsSignatureUpToDate", true_or_false(is_current)).set("avIsEngineUpToDate", "True");
    row.set("avIsPlatformUpToDate", "True").set("avSignaturePublishTime", updated);
    rows.push_back(
        row.set("rbacGroupName", machine["rbacGroupName"]).set("rbacGroupId", machine["rbacGroupId"]));
  }
  return rows;
}

}  // namespace flow::sim
