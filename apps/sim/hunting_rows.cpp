#include "apps/sim/hunting_rows.hpp"

#include <fmt/format.h>

#include "apps/sim/device_inventory.hpp"
#include "apps/sim/made_up.hpp"
#include "apps/sim/seeded_random.hpp"
#include "apps/sim/state.hpp"
#include "apps/sim/ticks.hpp"
#include "base/calendar.hpp"

namespace flow::sim {
namespace {

constexpr std::size_t kDevicesWithEvents = 300;

// Of the id, so that a device does the same in every tenant that has it.
SeededRandom random_of(std::string_view text) {
  std::uint64_t seed = 0xcbf29ce484222325u;
  for (const char c : text) seed = (seed ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return SeededRandom(seed);
}

struct Program {
  const char* file;
  const char* folder;
  const char* arguments;
  const char* parent;
};
constexpr Program kWindowsPrograms[] = {
    {"powershell.exe", R"(C:\Windows\System32\WindowsPowerShell\v1.0)", "-NoProfile -File inventory.ps1",
     "explorer.exe"},
    {"svchost.exe", R"(C:\Windows\System32)", "-k netsvcs -p", "services.exe"},
    {"msedge.exe", R"(C:\Program Files (x86)\Microsoft\Edge\Application)", "--profile-directory=Default",
     "explorer.exe"},
    {"winword.exe", R"(C:\Program Files\Microsoft Office\root\Office16)", "/n report.docx", "explorer.exe"},
    {"outlook.exe", R"(C:\Program Files\Microsoft Office\root\Office16)", "", "explorer.exe"},
    {"cmd.exe", R"(C:\Windows\System32)", "/c whoami", "explorer.exe"},
    {"teams.exe", R"(C:\Program Files\WindowsApps\MSTeams)", "", "explorer.exe"},
};
constexpr Program kOtherPrograms[] = {
    {"bash", "/usr/bin", "-c ls", "sshd"},
    {"python3", "/usr/bin", "backup.py", "cron"},
    {"curl", "/usr/bin", "-s https://updates.example.org/list", "bash"},
};
constexpr const char* kSites[] = {"login.microsoftonline.com", "updates.example.org",
                                  "intranet.corp.example.com", "files.example.net", "news.example.org"};

Json base_row(const Json& machine, std::int64_t time_us, std::uint64_t report) {
  return Json::object({{"Timestamp", format_ticks(time_us)},
                       {"DeviceId", machine["id"]},
                       {"DeviceName", machine["computerDnsName"]},
                       {"ReportId", static_cast<std::int64_t>(report % 1'000'000)}});
}

void add_process(Json& row, const Program& program, SeededRandom& random, const std::string& person) {
  row.set("FileName", program.file);
  const bool is_windows = program.folder[0] == 'C';
  row.set("FolderPath", std::string(program.folder) + (is_windows ? "\\" : "/") + program.file);
  SeededRandom of_file = random_of(program.file);
  row.set("SHA1", hex_digits(of_file, 40))
      .set("SHA256", hex_digits(of_file, 64))
      .set("MD5", hex_digits(of_file, 32));
  row.set("FileSize", 10'000 + below(of_file, 4'000'000)).set("ProcessId", 400 + below(random, 20'000));
  row.set("ProcessCommandLine",
          fmt::format("{}{}{}", program.file, program.arguments[0] != '\0' ? " " : "", program.arguments));
  row.set("AccountName", person).set("AccountDomain", "example").set("AccountUpn", person + "@example.com");
}

void add_initiator(Json& row, std::string_view file, std::string_view command, SeededRandom& random,
                   const std::string& person) {
  row.set("InitiatingProcessFileName", file).set("InitiatingProcessCommandLine", command);
  row.set("InitiatingProcessId", 400 + below(random, 20'000));
  row.set("InitiatingProcessAccountName", person);
}

void insert_round(HuntingTables& tables, const Json& machine, SeededRandom& random, const std::string& person,
                  std::int64_t time_us) {
  const bool is_windows = machine["osPlatform"].text().starts_with("Windows");
  const Program& program = is_windows ? pick(random, kWindowsPrograms) : pick(random, kOtherPrograms);
  Json process = base_row(machine, time_us, random.next()).set("ActionType", "ProcessCreated");
  add_process(process, program, random, person);
  process.set("ProcessIntegrityLevel", is_windows ? Json("Medium") : Json());
  process.set("ProcessCreationTime", format_ticks(time_us)).set("LogonId", below(random, 1'000'000));
  add_initiator(process, program.parent, program.parent, random, person);
  tables.insert("DeviceProcessEvents", process);

  Json network = base_row(machine, time_us + 2'000'000, random.next());
  network.set("ActionType", chance(random, 92) ? "ConnectionSuccess" : "ConnectionFailed");
  network.set("RemoteIP", fmt::format("203.0.113.{}", 1 + below(random, 254))).set("RemotePort", 443);
  network.set("RemoteUrl", pick(random, kSites)).set("LocalIP", machine["lastIpAddress"]);
  network.set("LocalPort", 49'152 + below(random, 16'000)).set("Protocol", "Tcp");
  network.set("LocalIPType", "Private").set("RemoteIPType", "Public");
  network.set("InitiatingProcessSHA1", process["SHA1"])
      .set("InitiatingProcessFolderPath", process["FolderPath"]);
  add_initiator(network, program.file, process["ProcessCommandLine"].text(), random, person);
  tables.insert("DeviceNetworkEvents", network);

  if (chance(random, 60)) {
    Json file = base_row(machine, time_us + 3'000'000, random.next());
    const std::string name = fmt::format("report-{}.docx", hex_digits(random, 4));
    file.set("ActionType", chance(random, 70) ? "FileCreated" : "FileModified").set("FileName", name);
    file.set("FolderPath", is_windows ? fmt::format(R"(C:\Users\{}\Documents\{})", person, name)
                                      : fmt::format("/home/{}/{}", person, name));
    file.set("SHA1", hex_digits(random, 40))
        .set("SHA256", hex_digits(random, 64))
        .set("FileSize", below(random, 900'000));
    add_initiator(file, program.file, process["ProcessCommandLine"].text(), random, person);
    tables.insert("DeviceFileEvents", file);
  }
  if (chance(random, 50)) {
    Json logon = base_row(machine, time_us - 60'000'000, random.next());
    const bool is_good = chance(random, 90);
    logon.set("ActionType", is_good ? "LogonSuccess" : "LogonFailed")
        .set("LogonType", chance(random, 70) ? "Interactive" : "Network");
    logon.set("AccountName", person).set("AccountDomain", "example").set("Protocol", "Kerberos");
    logon.set("FailureReason", is_good ? Json() : Json("InvalidUserNameOrPassword"));
    logon.set("IsLocalAdmin", chance(random, 10)).set("RemoteIP", machine["lastIpAddress"]);
    tables.insert("DeviceLogonEvents", logon);
    Json identity = Json::object({{"Timestamp", logon["Timestamp"]}, {"ActionType", logon["ActionType"]}});
    identity.set("Application", "Active Directory")
        .set("LogonType", logon["LogonType"])
        .set("Protocol", "Kerberos");
    identity.set("FailureReason", logon["FailureReason"])
        .set("AccountName", person)
        .set("AccountDomain", "example");
    identity.set("AccountUpn", person + "@example.com").set("DeviceName", machine["computerDnsName"]);
    identity.set("OSPlatform", machine["osPlatform"]).set("IPAddress", machine["lastIpAddress"]);
    tables.insert("IdentityLogonEvents", identity);
  }
  if (is_windows && chance(random, 30)) {
    Json registry =
        base_row(machine, time_us + 4'000'000, random.next()).set("ActionType", "RegistryValueSet");
    registry.set("RegistryKey", R"(HKEY_CURRENT_USER\Software\Microsoft\Windows\CurrentVersion\Explorer)");
    registry.set("RegistryValueName", "LastVisited").set("RegistryValueData", hex_digits(random, 8));
    registry.set("RegistryValueType", "String");
    add_initiator(registry, program.file, process["ProcessCommandLine"].text(), random, person);
    tables.insert("DeviceRegistryEvents", registry);
  }
}

// A mail to the person, now and then with a bad link in it.
void insert_mail(HuntingTables& tables, SeededRandom& random, const std::string& person,
                 std::int64_t time_us) {
  const bool is_bad = chance(random, 15);
  const std::string id = guid(random),
                    domain = is_bad ? hex_digits(random, 8) + ".example.net" : "example.org";
  Json mail = Json::object({{"Timestamp", format_ticks(time_us)}, {"NetworkMessageId", id}});
  mail.set("InternetMessageId", "<" + hex_digits(random, 24) + "@" + domain + ">");
  mail.set("SenderFromAddress", "news@" + domain).set("SenderMailFromAddress", "news@" + domain);
  mail.set("SenderFromDomain", domain).set("SenderMailFromDomain", domain).set("SenderDisplayName", "News");
  mail.set("SenderIPv4", fmt::format("198.51.100.{}", 1 + below(random, 254)));
  mail.set("RecipientEmailAddress", person + "@example.com")
      .set("Subject", is_bad ? "Your mailbox is full" : "Weekly news");
  mail.set("EmailDirection", "Inbound")
      .set("DeliveryAction", is_bad && chance(random, 60) ? "Blocked" : "Delivered");
  mail.set("DeliveryLocation", mail["DeliveryAction"].text() == "Blocked" ? "Quarantine" : "Inbox/folder");
  mail.set("ThreatTypes", is_bad ? Json("Phish") : Json())
      .set("UrlCount", 1)
      .set("AttachmentCount", is_bad ? 1 : 0);
  tables.insert("EmailEvents", mail);
  const std::string url = "https://" + domain + "/" + hex_digits(random, 6);
  tables.insert("EmailUrlInfo", Json::object({{"Timestamp", mail["Timestamp"]},
                                              {"NetworkMessageId", id},
                                              {"Url", url},
                                              {"UrlDomain", domain},
                                              {"UrlLocation", "Body"}}));
  if (!is_bad) return;
  tables.insert("EmailAttachmentInfo", Json::object({{"Timestamp", mail["Timestamp"]},
                                                     {"NetworkMessageId", id},
                                                     {"SenderFromAddress", mail["SenderFromAddress"]},
                                                     {"RecipientEmailAddress", mail["RecipientEmailAddress"]},
                                                     {"FileName", "invoice.html"},
                                                     {"FileType", "html"},
                                                     {"SHA256", hex_digits(random, 64)},
                                                     {"ThreatTypes", "Phish"}}));
  if (mail["DeliveryAction"].text() != "Delivered") return;
  tables.insert("UrlClickEvents", Json::object({{"Timestamp", format_ticks(time_us + 600'000'000)},
                                                {"Url", url},
                                                {"ActionType", "ClickAllowed"},
                                                {"AccountUpn", person + "@example.com"},
                                                {"Workload", "Email"},
                                                {"NetworkMessageId", id},
                                                {"IsClickedThrough", false}}));
}

std::string_view service_source(std::string_view detection) {
  if (detection.find("Office") != std::string_view::npos) return "Microsoft Defender for Office 365";
  return "Microsoft Defender for Endpoint";
}

std::string join_lists(const Json& list) {
  return list.is_list() ? list.to_text() : "";
}

// The row of one piece of evidence, and the event on the device that it tells of.
void insert_evidence(HuntingTables& tables, const Json& alert, const Json& item, Json row,
                     const Json* machine) {
  row.set("EntityType", item["entityType"]).set("EvidenceRole", "Related");
  const auto copy = [&](const char* to, const char* from) {
    if (!item[from].is_null()) row.set(to, item[from]);
  };
  copy("FileName", "fileName");
  copy("FolderPath", "filePath");
  copy("SHA1", "sha1");
  copy("SHA256", "sha256");
  copy("RemoteIP", "ipAddress");
  copy("RemoteUrl", "url");
  copy("AccountName", "accountName");
  copy("AccountDomain", "domainName");
  copy("AccountSid", "userSid");
  copy("AccountObjectId", "aadUserId");
  copy("AccountUpn", "userPrincipalName");
  copy("ProcessCommandLine", "processCommandLine");
  copy("RegistryKey", "registryKey");
  copy("RegistryValueData", "registryValue");
  tables.insert("AlertEvidence", row);
  if (machine == nullptr) return;
  SeededRandom random = random_of(std::string(alert["id"].text()) + std::string(item["entityType"].text()));
  Json event = base_row(*machine, 0, random.next()).set("Timestamp", alert["firstEventTime"]);
  const std::string_view kind = item["entityType"].text();
  if (kind == "Process" || kind == "File") {
    event.set("ActionType", kind == "Process" ? "ProcessCreated" : "FileCreated");
    for (const char* name : {"FileName", "FolderPath", "SHA1", "SHA256"}) event.set(name, row[name]);
    if (kind == "Process") {
      event.set("ProcessId", item["processId"]).set("ProcessCommandLine", item["processCommandLine"]);
      event.set("ProcessCreationTime", item["processCreationTime"]);
      for (const char* name : {"AccountName", "AccountDomain", "AccountSid", "AccountUpn"})
        event.set(name, row[name]);
      event.set("InitiatingProcessFileName", item["parentProcessFileName"]);
      event.set("InitiatingProcessFolderPath", item["parentProcessFilePath"]);
      event.set("InitiatingProcessId", item["parentProcessId"]);
    }
    tables.insert(kind == "Process" ? "DeviceProcessEvents" : "DeviceFileEvents", event);
  } else if (kind == "Ip" || kind == "Url") {
    event.set("ActionType", "ConnectionSuccess")
        .set("RemoteIP", item["ipAddress"])
        .set("RemoteUrl", item["url"]);
    event.set("RemotePort", 443).set("Protocol", "Tcp").set("LocalIP", (*machine)["lastIpAddress"]);
    tables.insert("DeviceNetworkEvents", event);
  }
}

}  // namespace

Json device_row(const State& state, const Json& machine) {
  Json row = Json::object({{"Timestamp", format_ticks(state.now_us())}, {"DeviceId", machine["id"]}});
  SeededRandom random = random_of(machine["id"].text());
  const std::vector<std::string> all = people();
  Json users = Json::list();
  users.add(Json::object({{"UserName", all[below(random, all.size())]}, {"DomainName", "EXAMPLE"}}));
  row.set("DeviceName", machine["computerDnsName"]).set("ClientVersion", machine["agentVersion"]);
  row.set("PublicIP", machine["lastExternalIpAddress"]).set("OSArchitecture", machine["osArchitecture"]);
  row.set("OSPlatform", machine["osPlatform"])
      .set("OSBuild", machine["osBuild"])
      .set("OSVersionInfo", machine["version"]);
  row.set("IsAzureADJoined", machine["isAadJoined"]).set("AadDeviceId", machine["aadDeviceId"]);
  row.set("LoggedOnUsers", users.to_text()).set("MachineGroup", machine["rbacGroupName"]);
  row.set("DeviceManualTags", machine["machineTags"].to_text()).set("DeviceDynamicTags", "[]");
  row.set("ExposureLevel", machine["exposureLevel"]).set("SensorHealthState", machine["healthStatus"]);
  row.set("OnboardingStatus", machine["onboardingStatus"]).set("IsExcluded", machine["isExcluded"]);
  row.set("AssetValue", machine["deviceValue"]).set("MergedToDeviceId", machine["mergedIntoMachineId"]);
  const bool is_server = machine["osPlatform"].text().find("Server") != std::string_view::npos;
  row.set("DeviceType", is_server ? "Server" : "Workstation").set("DeviceCategory", "Endpoint");
  return row.set("ReportId", static_cast<std::int64_t>(random.next() % 1'000'000));
}

void insert_device_events(HuntingTables& tables, const Json& machine, std::size_t index,
                          std::int64_t began_us) {
  if (index >= kDevicesWithEvents) return;
  SeededRandom random = random_of(machine["id"].text());
  const std::vector<std::string> all = people();
  const std::string person = all[below(random, all.size())];  // who is logged on, as in DeviceInfo
  for (int round = 0; round < 12; ++round) {
    const std::int64_t spread = 14 * kHourUs;
    insert_round(tables, machine, random, person,
                 began_us - round * spread - static_cast<std::int64_t>(below(random, spread)));
  }
  insert_mail(tables, random, person, began_us - static_cast<std::int64_t>(below(random, 160 * kHourUs)));
  Json adapter = base_row(machine, began_us, random.next()).set("NetworkAdapterType", "Ethernet");
  adapter.set("NetworkAdapterStatus", "Up")
      .set("MacAddress",
           machine["ipAddresses"].items().empty() ? Json() : machine["ipAddresses"].items()[0]["macAddress"]);
  tables.insert("DeviceNetworkInfo", adapter.set("IPAddresses", machine["ipAddresses"].to_text()));
}

void insert_inventory(HuntingTables& tables, State& state) {
  for (const DeviceInventory& device : inventory(state).devices) {
    const Json& machine = state.machines[device.machine];
    const auto row_of = [&](const Installation& installation) {
      const Product& product = products()[installation.product];
      Json row = Json::object({{"DeviceId", machine["id"]}, {"DeviceName", machine["computerDnsName"]}});
      row.set("OSPlatform", machine["osPlatform"]).set("OSVersion", machine["version"]);
      row.set("OSArchitecture", machine["osArchitecture"]).set("SoftwareVendor", product.vendor);
      return row.set("SoftwareName", product.name)
          .set("SoftwareVersion", product.versions[installation.version]);
    };
    for (const Installation& installation : device.installed)
      tables.insert("DeviceTvmSoftwareInventory", row_of(installation));
    for (const std::size_t index : device.weak) {
      const Weakness& weakness = weaknesses()[index];
      const Installation* installation = installation_of(device, index);
      if (installation == nullptr) continue;
      Json row = row_of(*installation).set("CveId", weakness.cve);
      row.set("VulnerabilitySeverityLevel", weakness.severity)
          .set("RecommendedSecurityUpdateId", weakness.kb);
      tables.insert("DeviceTvmSoftwareVulnerabilities", row);
    }
  }
}

void insert_alert(HuntingTables& tables, const State& state, const Json& alert) {
  const std::string_view detection = alert["detectionSource"].text();
  Json info = Json::object(
      {{"Timestamp", alert["firstEventTime"]}, {"AlertId", alert["id"]}, {"Title", alert["title"]}});
  Json evidence = info;
  info.set("Category", alert["category"])
      .set("Severity", alert["severity"])
      .set("ServiceSource", service_source(detection));
  info.set("DetectionSource", detection).set("AttackTechniques", join_lists(alert["mitreTechniques"]));
  tables.insert("AlertInfo", info.set("MachineGroup", alert["rbacGroupName"]));

  evidence.set("Categories", Json(Json::List{alert["category"]}).to_text());
  evidence.set("AttackTechniques", info["AttackTechniques"]).set("ServiceSource", info["ServiceSource"]);
  evidence.set("DetectionSource", detection)
      .set("Severity", alert["severity"])
      .set("DeviceId", alert["machineId"]);
  evidence.set("DeviceName", alert["computerDnsName"]).set("ThreatFamily", alert["threatFamilyName"]);
  const Json* machine =
      alert["machineId"].is_text() ? find_machine(state, alert["machineId"].text()) : nullptr;
  if (alert["machineId"].is_text()) {
    Json device = evidence;
    tables.insert("AlertEvidence", device.set("EntityType", "Machine").set("EvidenceRole", "Impacted"));
  }
  for (const Json& item : alert["evidence"].items()) insert_evidence(tables, alert, item, evidence, machine);

  Json security =
      Json::object({{"TimeGenerated", alert["alertCreationTime"]}, {"DisplayName", alert["title"]}});
  security.set("AlertName", alert["title"])
      .set("AlertSeverity", alert["severity"])
      .set("Description", alert["description"]);
  security.set("ProviderName", "MDATP").set("VendorName", "Microsoft").set("VendorOriginalId", alert["id"]);
  SeededRandom random = random_of(alert["id"].text());
  security.set("SystemAlertId", guid(random))
      .set("AlertType", alert["detectorId"])
      .set("StartTime", alert["firstEventTime"]);
  security.set("EndTime", alert["lastEventTime"])
      .set("ProductName", info["ServiceSource"])
      .set("Status", "New");
  security.set("CompromisedEntity", alert["computerDnsName"]).set("Tactics", alert["category"]);
  tables.insert("SecurityAlert",
                security.set("Techniques", info["AttackTechniques"]).set("Type", "SecurityAlert"));
}

}  // namespace flow::sim
