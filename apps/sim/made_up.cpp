#include "apps/sim/made_up.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "apps/sim/seeded_random.hpp"
#include "apps/sim/ticks.hpp"
#include "base/text.hpp"

namespace flow::sim {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kDay = 86'400 * kSecond;

struct AlertTemplate {
  const char* category;
  const char* severity;
  const char* source;
  const char* technique;
  const char* program;
  const char* title;
  const char* description;
};
constexpr AlertTemplate kTemplates[] = {
#define FLOW_SIM_ALERT(category, severity, source, technique, program, title, description) \
  {#category, #severity, #source, technique, program, title, description},
#include "apps/sim/alert_templates.def"
#undef FLOW_SIM_ALERT
};

struct Department {
  const char* prefix;
  const char* group;
  const char* tag;
};
constexpr Department kDepartments[] = {{"fin", "Finance laptops", "finance"}, {"hr", "People", "hr"},
                                       {"eng", "Engineering", "engineering"}, {"sal", "Sales", "sales"},
                                       {"ops", "Operations", "operations"},   {"exe", "Executives", "board"}};

struct Platform {
  const char* os;
  const char* kind;  // part of the device's name
  const char* version;
  int build;
};
constexpr Platform kPlatforms[] = {{"Windows11", "lt", "24H2", 26100},
                                   {"Windows11", "lt", "23H2", 22631},
                                   {"Windows11", "pc", "24H2", 26100},
                                   {"Windows10", "pc", "22H2", 19045},
                                   {"Windows10", "lt", "22H2", 19045},
                                   {"WindowsServer2019", "srv", "1809", 17763},
                                   {"WindowsServer2022", "srv", "21H2", 20348},
                                   {"macOS", "mac", "15.1", 0},
                                   {"Linux", "lnx", "12.8", 0},
                                   {"Windows11", "lt", "24H2", 26100}};

constexpr const char* kPeople[] = {"m.ortega",  "a.lindqvist", "j.okafor", "s.haddad",
                                   "p.novak",   "l.moreau",    "t.tanaka", "r.castillo",
                                   "e.schmidt", "d.iyer",      "k.murphy", "n.petrov"};
constexpr const char* kThreatFamilies[] = {"Korvalt", "Mirepil", "Dusanto", "Quellor", "Braskit"};

std::string letter_mac(Random& random) {
  std::string mac = hex_digits(random, 12);
  std::ranges::transform(mac, mac.begin(),
                         [](char c) { return c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c; });
  return mac;
}

Json addresses(Random& random, const std::string& address) {
  return Json::List{Json::object({{"ipAddress", address},
                                  {"macAddress", letter_mac(random)},
                                  {"type", "Ethernet"},
                                  {"operationalStatus", "Up"}}),
                    Json::object({{"ipAddress", "::1"},
                                  {"macAddress", nullptr},
                                  {"type", "SoftwareLoopback"},
                                  {"operationalStatus", "Up"}})};
}

Json tags_of(Random& random, const Department& department) {
  Json tags = Json::list();
  const bool is_board = std::string_view(department.prefix) == "exe";
  if (is_board || chance(random, 5)) tags.add("VIP");
  if (chance(random, 70)) tags.add(department.tag);
  if (chance(random, 8)) tags.add("test-ring");
  return tags;
}

// Active mostly; what is not onboarded reports nothing.
const char* health_of(Random& random) {
  const std::size_t roll = below(random, 100);
  return roll < 95 ? "Active" : roll < 98 ? "Inactive" : "ImpairedCommunication";
}

Json evidence_skeleton(std::string_view type, std::int64_t at_us) {
  Json item = Json::object({{"entityType", type}, {"evidenceCreationTime", format_ticks(at_us)}});
  for (const char* name : {"sha1",
                           "sha256",
                           "fileName",
                           "filePath",
                           "processId",
                           "processCommandLine",
                           "processCreationTime",
                           "parentProcessId",
                           "parentProcessCreationTime",
                           "parentProcessFileName",
                           "parentProcessFilePath",
                           "ipAddress",
                           "url",
                           "registryKey",
                           "registryHive",
                           "registryValueType",
                           "registryValue",
                           "accountName",
                           "domainName",
                           "userSid",
                           "aadUserId",
                           "userPrincipalName"})
    item.set(name, nullptr);
  return item.set("detectionStatus", "Detected");
}

void add_user(Json& item, Random& random, const std::string& person) {
  item.set("accountName", person).set("domainName", "EXAMPLE");
  item.set("userSid", fmt::format("S-1-5-21-1004336348-1177238915-682003330-{}", 1000 + below(random, 9000)));
  item.set("aadUserId", guid(random)).set("userPrincipalName", person + "@example.com");
}

Json process_evidence(Random& random, const AlertTemplate& what, const std::string& person,
                      std::int64_t now_us) {
  Json item = evidence_skeleton("Process", now_us);
  const bool is_system = chance(random, 40);
  item.set("sha1", hex_digits(random, 40))
      .set("sha256", hex_digits(random, 64))
      .set("fileName", what.program);
  item.set("filePath",
           is_system ? "C:\\Windows\\System32" : "C:\\Users\\" + person + "\\AppData\\Local\\Temp");
  item.set("processId", 400 + below(random, 20'000));
  item.set("processCommandLine", fmt::format("{} --run {}", what.program, hex_digits(random, 8)));
  item.set("processCreationTime", format_ticks(now_us - 3 * kMinute));
  item.set("parentProcessId", 400 + below(random, 20'000));
  item.set("parentProcessCreationTime", format_ticks(now_us - 5 * kMinute));
  item.set("parentProcessFileName", "cmd.exe").set("parentProcessFilePath", "C:\\Windows\\System32");
  add_user(item, random, person);
  return item;
}

Json network_evidence(Random& random, std::int64_t now_us) {
  const std::string address = fmt::format("198.51.100.{}", 1 + below(random, 254));
  if (chance(random, 50)) {
    Json item = evidence_skeleton("Ip", now_us);
    return item.set("ipAddress", address);
  }
  Json item = evidence_skeleton("Url", now_us);
  return item.set("url", "http://" + hex_digits(random, 10) + ".example.net/u");
}

Json evidence_of(Random& random, const AlertTemplate& what, const std::string& person, std::int64_t now_us) {
  Json evidence = Json::list();
  if (what.program[0] != '\0') evidence.add(process_evidence(random, what, person, now_us));
  if (what.program[0] == '\0' || chance(random, 30)) {
    Json user = evidence_skeleton("User", now_us);
    add_user(user, random, person);
    evidence.add(std::move(user));
  }
  if (std::string_view(what.category) == "CommandAndControl" || chance(random, 15))
    evidence.add(network_evidence(random, now_us));
  return evidence;
}

// `T1003.001` is shown with its parent.
Json techniques(std::string_view technique) {
  Json list = Json::list();
  if (technique.find('.') != std::string_view::npos) list.add(technique.substr(0, technique.find('.')));
  list.add(technique);
  return list;
}

std::string alert_id(Random& random, std::int64_t now_us) {
  constexpr std::int64_t kTicksTo1970 = 621'355'968'000'000'000;
  const auto second = static_cast<std::int32_t>(random.next());
  return fmt::format("da{}_{}", kTicksTo1970 + now_us * 10 + static_cast<std::int64_t>(below(random, 10)),
                     second);
}

// Nothing when no device is Active.
const Json* active_machine(Random& random, const std::vector<Json>& machines) {
  for (int tries = 0; tries < 50 && !machines.empty(); ++tries) {
    const Json& machine = machines[below(random, machines.size())];
    if (machine["healthStatus"].text() == "Active") return &machine;
  }
  return nullptr;
}

void set_threat(Json& alert, Random& random, const AlertTemplate& what) {
  if (std::string_view(what.source) != "WindowsDefenderAv") return;
  const std::string family = pick(random, kThreatFamilies);
  alert.set("threatFamilyName", family);
  alert.set("threatName",
            fmt::format("Trojan:Win32/{}.{}", family, static_cast<char>('A' + below(random, 26))));
}

}  // namespace

std::vector<std::string> people() {
  return {std::begin(kPeople), std::end(kPeople)};
}

Json make_machine(Random& random, std::int64_t now_us) {
  const Department& department = pick(random, kDepartments);
  const Platform& platform = pick(random, kPlatforms);
  const bool is_windows = platform.build != 0;
  const std::size_t number = 1 + below(random, 9999);
  const std::string address = fmt::format("10.40.{}.{}", below(random, 60), 1 + below(random, 254));
  Json machine = Json::object({{"id", hex_digits(random, 40)}});
  machine.set("mergedIntoMachineId", nullptr).set("isPotentialDuplication", false).set("isExcluded", false);
  machine.set("exclusionReason", nullptr);
  machine.set("computerDnsName",
              fmt::format("{}-{}-{:04}.{}", department.prefix, platform.kind, number, kDomain));
  machine.set("firstSeen", format_ticks(now_us - static_cast<std::int64_t>(30 + below(random, 600)) * kDay));
  machine.set("lastSeen", format_ticks(now_us - static_cast<std::int64_t>(below(random, 86'400)) * kSecond));
  machine.set("osPlatform", platform.os).set("osVersion", nullptr).set("osProcessor", "x64");
  machine.set("version", platform.version).set("lastIpAddress", address);
  machine.set("lastExternalIpAddress", fmt::format("203.0.113.{}", 1 + below(random, 254)));
  machine.set("agentVersion",
              is_windows ? Json(fmt::format("10.8807.{}.{}", platform.build, 4000 + below(random, 400)))
                         : Json("101.24092.0002"));
  machine.set("osBuild", is_windows ? Json(platform.build) : Json()).set("healthStatus", health_of(random));
  static constexpr const char* kLevels[] = {"None", "Low", "Low", "Medium", "High"};
  machine.set("deviceValue", std::string_view(department.prefix) == "exe" ? "High" : "Normal");
  machine.set("rbacGroupId", 11 + static_cast<int>(&department - kDepartments))
      .set("rbacGroupName", department.group);
  machine.set("riskScore", pick(random, kLevels)).set("exposureLevel", pick(random, kLevels));
  machine.set("isAadJoined", is_windows).set("aadDeviceId", is_windows ? Json(guid(random)) : Json());
  machine.set("machineTags", tags_of(random, department)).set("defenderAvStatus", "Updated");
  machine.set("onboardingStatus", "Onboarded").set("osArchitecture", "64-bit");
  machine.set("managedBy", is_windows ? "Intune" : "Unknown").set("managedByStatus", "Unknown");
  machine.set("ipAddresses", addresses(random, address)).set("vmMetadata", nullptr);
  return machine;
}

std::vector<Json> make_machines(Random& random, std::size_t count, std::int64_t now_us) {
  std::vector<Json> machines;
  while (machines.size() < count) {
    Json machine = make_machine(random, now_us);
    const bool is_taken = std::ranges::any_of(machines, [&](const Json& other) {
      return other["computerDnsName"].text() == machine["computerDnsName"].text();
    });
    if (!is_taken) machines.push_back(std::move(machine));
  }
  return machines;
}

void put_on_machine(Json& alert, const Json& machine) {
  alert.set("machineId", machine["id"]);
  alert.set("computerDnsName", machine["computerDnsName"]);
  alert.set("rbacGroupName", machine["rbacGroupName"]);
}

Json make_alert(Random& random, const std::vector<Json>& machines, const std::string& tenant_id,
                std::int64_t now_us) {
  const AlertTemplate& what = pick(random, kTemplates);
  const std::string person = pick(random, kPeople);
  const Json* machine = chance(random, 4) ? nullptr : active_machine(random, machines);
  const bool is_investigated = chance(random, 70);
  const std::int64_t first_us = now_us - static_cast<std::int64_t>(20 + below(random, 280)) * kSecond;
  Json alert = Json::object({{"id", alert_id(random, now_us)}});
  alert.set("incidentId", 40'000 + below(random, 20'000));
  alert.set("investigationId", is_investigated ? Json(80'000 + below(random, 20'000)) : Json());
  alert.set("assignedTo", nullptr).set("severity", what.severity).set("status", "New");
  alert.set("classification", nullptr).set("determination", nullptr);
  alert.set("investigationState", is_investigated ? "Running" : "UnsupportedAlertType");
  alert.set("detectionSource", what.source).set("detectorId", guid(random)).set("category", what.category);
  alert.set("threatFamilyName", nullptr).set("threatName", nullptr);
  set_threat(alert, random, what);
  alert.set("title", what.title).set("description", what.description);
  alert.set("alertCreationTime", format_ticks(now_us)).set("firstEventTime", format_ticks(first_us));
  alert.set("lastEventTime", format_ticks(first_us + 2 * kSecond))
      .set("lastUpdateTime", format_ticks(now_us));
  alert.set("resolvedTime", nullptr);
  put_on_machine(alert, machine != nullptr ? *machine : Json());
  alert.set("aadTenantId", tenant_id).set("mitreTechniques", techniques(what.technique));
  alert.set("relatedUser",
            chance(random, 80) ? Json::object({{"userName", person}, {"domainName", "EXAMPLE"}}) : Json());
  alert.set("loggedOnUsers", Json::list()).set("comments", Json::list());
  alert.set("evidence", evidence_of(random, what, person, now_us));
  return alert;
}

std::vector<std::int64_t> arrivals_of_a_day(Random& random, std::size_t count) {
  static constexpr std::size_t kWeights[24] = {2, 1,  1,  1,  1,  2, 4, 8, 14, 16, 15, 12,
                                               8, 11, 14, 15, 12, 9, 6, 5, 4,  4,  3,  2};
  std::size_t total = 0;
  for (const std::size_t weight : kWeights) total += weight;
  std::vector<std::int64_t> offsets;
  while (offsets.size() < count) {
    std::size_t roll = below(random, total);
    std::size_t hour = 0;
    while (roll >= kWeights[hour]) roll -= kWeights[hour++];
    const std::int64_t at = static_cast<std::int64_t>(hour * 3600 + below(random, 3600)) * kSecond;
    // One intrusion shows as several alerts within minutes.
    const std::size_t burst = chance(random, 4) ? 3 + below(random, 6) : 1;
    for (std::size_t i = 0; i < burst && offsets.size() < count; ++i)
      offsets.push_back(std::min(at + static_cast<std::int64_t>(below(random, 180) * i) * kSecond, kDay - 1));
  }
  std::ranges::sort(offsets);
  return offsets;
}

const std::vector<std::string>& severities() {
  static const std::vector<std::string> kAll{"UnSpecified", "Informational", "Low", "Medium", "High"};
  return kAll;
}
const std::vector<std::string>& alert_statuses() {
  static const std::vector<std::string> kAll{"Unknown", "New", "InProgress", "Resolved"};
  return kAll;
}
const std::vector<std::string>& classifications() {
  static const std::vector<std::string> kAll{"TruePositive", "InformationalExpectedActivity",
                                             "FalsePositive"};
  return kAll;
}
const std::vector<std::string>& determinations() {
  static const std::vector<std::string> kAll{"MultiStagedAttack",
                                             "MaliciousUserActivity",
                                             "CompromisedUser",
                                             "Malware",
                                             "Phishing",
                                             "UnwantedSoftware",
                                             "SecurityTesting",
                                             "LineOfBusinessApplication",
                                             "ConfirmedActivity",
                                             "ConfirmedUserActivity",
                                             "Clean",
                                             "NotMalicious",
                                             "InsufficientData",
                                             "Other"};
  return kAll;
}

namespace {
std::vector<std::string> names_of(const Json& entity) {
  std::vector<std::string> names;
  for (const Member& member : entity.members()) names.push_back(member.name);
  return names;
}
}  // namespace

std::vector<std::string> alert_fields() {
  SeededRandom random(1);
  return names_of(make_alert(random, {}, "", 0));
}
std::vector<std::string> machine_fields() {
  SeededRandom random(1);
  return names_of(make_machine(random, 0));
}

}  // namespace flow::sim
