// The posture of the fleet: scores, remediation activities, baselines, browser permissions, state of the
// antivirus.
#include <fmt/format.h>

#include <algorithm>

#include "apps/sim/defender_handlers.hpp"
#include "apps/sim/device_inventory.hpp"
#include "apps/sim/exports.hpp"
#include "apps/sim/seeded_random.hpp"
#include "apps/sim/ticks.hpp"
#include "base/calendar.hpp"

namespace flow::sim {
namespace {

constexpr std::size_t kMostRemediations = 1'000;

const EntitySet& remediation_set() {
  using Kind = PropertyKind;
  static const EntitySet kSet{defender_context("RemediationTasks"),
                              {{"createdOn", Kind::Time}, {"status", Kind::Enum, {"Active", "Completed"}}},
                              "",
                              10'000,
                              "https://api.security.microsoft.com/api/remediationtasks"};
  return kSet;
}

const EntitySet& profile_set() {
  using Kind = PropertyKind;
  static const EntitySet kSet{defender_context("BaselineProfiles"),
                              {{"id", Kind::Text},
                               {"name", Kind::Text},
                               {"operatingSystem", Kind::Text},
                               {"operatingSystemVersion", Kind::Text},
                               {"status", Kind::Bool},
                               {"settingsNumber", Kind::Number},
                               {"passedDevices", Kind::Number},
                               {"totalDevices", Kind::Number}},
                              "",
                              10'000,
                              "https://api.security.microsoft.com/api/baselineProfiles"};
  return kSet;
}

const EntitySet& baseline_set() {
  using Kind = PropertyKind;
  static const EntitySet kSet{
      defender_context("BaselineConfigurations"),
      {{"id", Kind::Text}, {"category", Kind::Text}, {"name", Kind::Text}, {"cce", Kind::Text}},
      "",
      10'000,
      "https://api.security.microsoft.com/api/baselineConfigurations"};
  return kSet;
}

const EntitySet& antivirus_set() {
  using Kind = PropertyKind;
  static const EntitySet kSet = [] {
    EntitySet set{defender_context("DeviceAvInfo"),
                  {},
                  "",
                  10'000,
                  "https://api.security.microsoft.com/api/deviceavinfo",
                  20};
    for (const char* name :
         {"machineId", "computerDnsName", "osKind", "osPlatform", "osVersion", "avMode", "avSignatureVersion",
          "avEngineVersion", "avPlatformVersion", "quickScanResult", "quickScanError", "fullScanResult",
          "fullScanError", "avIsSignatureUpToDate", "avIsEngineUpToDate", "avIsPlatformUpToDate"})
      set.properties.push_back({name, Kind::Text});
    set.properties.push_back({"rbacGroupId", Kind::Number});
    return set;
  }();
  return kSet;
}

Json score_json(const State& state, double score, Json group) {
  return Json::object(
      {{"time", format_ticks(generated_us(state))}, {"score", score}, {"rbacGroupName", std::move(group)}});
}

Json* find_remediation(State& state, std::string_view id) {
  const auto found = std::ranges::find_if(state.defender.remediations,
                                          [&](const Json& one) { return one["id"].text() == id; });
  return found != state.defender.remediations.end() ? &*found : nullptr;
}

std::size_t index_of(const Product& product) {
  return static_cast<std::size_t>(&product - products().data());
}

}  // namespace

HttpAnswer get_exposure_score(State& state, const Call&) {
  return entity_answer(200, "ExposureScore",
                       score_json(state, exposure_score(inventory(state), state.machines, ""), nullptr));
}

HttpAnswer list_exposure_scores(State& state, const Call& call) {
  std::set<std::string> groups;
  for (const Json& machine : state.machines)
    if (machine["rbacGroupName"].is_text()) groups.emplace(machine["rbacGroupName"].text());
  std::vector<Json> scores;
  for (const std::string& group : groups)
    scores.push_back(score_json(state, exposure_score(inventory(state), state.machines, group), group));
  return plain_list(state, call, "ExposureScore", scores);
}

HttpAnswer get_configuration_score(State& state, const Call&) {
  return entity_answer(200, "ConfigurationScore",
                       Json::object({{"time", format_ticks(generated_us(state))},
                                     {"score", configuration_score(inventory(state))}}));
}

// An activity that asks for the product to be updated on the devices that are exposed by it.
Result<Json> add_remediation(State& state, std::string_view software, std::int64_t created_us) {
  const Product* product = find_product(software);
  if (product == nullptr) return error(fmt::format("`{}` is no software of this tenant", software));
  if (state.defender.remediations.size() >= kMostRemediations)
    return error("the tenant is full (1000 remediation activities)");
  const Json advice = recommendation_json(inventory(state), index_of(*product));
  SeededRandom random(stable_hash(fmt::format("{} {}", software, created_us)));
  const std::string created = format_ticks(created_us);
  Json activity = Json::object({{"id", guid(random)},
                                {"title", advice["recommendationName"]},
                                {"createdOn", created},
                                {"requesterId", guid(random)},
                                {"requesterEmail", "soc@example.com"},
                                {"status", "Active"},
                                {"statusLastModifiedOn", created},
                                {"description", "Bring the software to the version that is recommended."},
                                {"relatedComponent", advice["relatedComponent"]},
                                {"targetDevices", advice["exposedMachinesCount"]},
                                {"rbacGroupNames", Json::list()},
                                {"fixedDevices", 0},
                                {"requesterNotes", nullptr},
                                {"dueOn", format_ticks(created_us + 14 * kDayUs)},
                                {"category", "Software"},
                                {"productivityImpactRemediationType", nullptr},
                                {"priority", advice["severityScore"].number() >= 8 ? "High" : "Medium"},
                                {"completionMethod", nullptr},
                                {"completerId", nullptr},
                                {"completerEmail", nullptr},
                                {"scid", nullptr},
                                {"type", "Update"},
                                {"productId", product->id},
                                {"vendorId", product->vendor},
                                {"nameId", product->name},
                                {"recommendedVersion", product->versions.back()},
                                {"recommendedVendor", nullptr},
                                {"recommendedProgram", nullptr},
                                {"recommendationReference", advice["id"]}});
  state.defender.remediations.push_back(activity);
  return activity;
}

// What a tenant has been busy with when it is started.
void fill_remediations(State& state) {
  std::int64_t days = 9;
  for (const char* software : {"adatum-_-archiver", "contoso-_-browser", "litware-_-runtime"})
    static_cast<void>(add_remediation(state, software, state.now_us() - (days -= 2) * kDayUs));
  if (state.defender.remediations.empty()) return;
  Json& done = state.defender.remediations.front();
  done.set("status", "Completed")
      .set("completionMethod", "Automatic")
      .set("fixedDevices", done["targetDevices"]);
}

HttpAnswer list_remediations(State& state, const Call& call) {
  std::vector<const Json*> newest;
  for (auto one = state.defender.remediations.rbegin(); one != state.defender.remediations.rend(); ++one)
    newest.push_back(&*one);
  return list_answer(state, call, remediation_set(), newest);
}

HttpAnswer get_remediation(State& state, const Call& call) {
  const Json* found = find_remediation(state, call.id);
  return found != nullptr ? entity_answer(200, "RemediationTasks", *found)
                          : not_found(state, "Remediation activity", call.id);
}

HttpAnswer list_remediation_machines(State& state, const Call& call) {
  const Json* found = find_remediation(state, call.id);
  if (found == nullptr) return not_found(state, "Remediation activity", call.id);
  const Product* product = find_product((*found)["productId"].text());
  std::vector<Json> machines;
  for (const DeviceInventory& device : inventory(state).devices)
    if (std::ranges::any_of(device.weak, [&](std::size_t weakness) {
          return product != nullptr && weaknesses()[weakness].product == index_of(*product);
        }))
      machines.push_back(machine_reference(state.machines[device.machine]));
  return plain_list(state, call, "MachineReferences", machines);
}

HttpAnswer list_extension_permissions(State& state, const Call& call) {
  static const std::vector<Json> kPermissions{
      Json::object({{"key", "storage"},
                    {"permissionName", "Storage"},
                    {"description", "Keeps data of its own in the browser."}}),
      Json::object({{"key", "tabs"},
                    {"permissionName", "Tabs"},
                    {"description", "Sees the addresses and titles of open pages."}}),
      Json::object({{"key", "webRequest"},
                    {"permissionName", "Web requests"},
                    {"description", "Sees and changes what pages load."}})};
  return plain_list(state, call, "BrowserExtensionPermissions", kPermissions);
}

HttpAnswer list_baseline_profiles(State& state, const Call& call) {
  std::int64_t passed = 0;
  for (const DeviceInventory& device : inventory(state).devices)
    passed += std::ranges::find(device.is_compliant, false) == device.is_compliant.end();
  const std::string made = "2026-01-12T09:00:00.0000000Z";
  const std::vector<Json> profiles{
      Json::object({{"id", kBaselineProfile},
                    {"name", "Office devices"},
                    {"description", "What every device of the offices must have."},
                    {"benchmark", "Example benchmark"},
                    {"version", "1.0.0"},
                    {"operatingSystem", "Windows 11"},
                    {"operatingSystemVersion", "24H2"},
                    {"status", true},
                    {"complianceLevel", "Level 1"},
                    {"settingsNumber", settings().size()},
                    {"createdBy", "soc@example.com"},
                    {"lastUpdatedBy", nullptr},
                    {"createdOnTimestampUTC", made},
                    {"lastUpdateTimestampUTC", made},
                    {"passedDevices", passed},
                    {"totalDevices", state.machines.size()}})};
  return list_answer(state, call, profile_set(), profiles);
}

HttpAnswer list_baseline_configurations(State& state, const Call& call) {
  std::vector<Json> configurations;
  for (const Setting& setting : settings())
    configurations.push_back(Json::object({{"id", setting.id},
                                           {"uniqueId", "example-" + setting.id},
                                           {"benchmarkName", "Example benchmark"},
                                           {"benchmarkVersion", "1.0.0"},
                                           {"name", setting.name},
                                           {"description", setting.name + "."},
                                           {"category", setting.category},
                                           {"complianceLevels", Json::List{Json("Level 1")}},
                                           {"cce", "CCE-" + setting.id.substr(5)},
                                           {"rationale", "Attackers look for devices without it."},
                                           {"remediation", "Set it by policy."},
                                           {"recommendedValue", Json::List{Json("Enabled")}},
                                           {"source", Json::List{Json("registry")}},
                                           {"isCustom", false}}));
  return list_answer(state, call, baseline_set(), configurations);
}

HttpAnswer list_antivirus_health(State& state, const Call& call) {
  return list_answer(state, call, antivirus_set(), antivirus_rows(state));
}

}  // namespace flow::sim
