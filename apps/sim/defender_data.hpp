// What the Defender part of the tenant holds beside alerts, devices and machine actions.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "apps/sim/inventory.hpp"
#include "apps/sim/json.hpp"

namespace flow::sim {

inline constexpr std::size_t kMostIndicators = 15'000;
inline constexpr std::size_t kMostInvestigations = 20'000;  // the oldest goes
inline constexpr std::size_t kMostScanDefinitions = 1'000;
inline constexpr std::size_t kMostLibraryFiles = 1'000;
inline constexpr std::size_t kMostLibraryBytes = 20u << 20;  // of one file
inline constexpr std::size_t kMostDownloads = 10'000;        // links; the oldest goes
inline constexpr std::size_t kMostPlans = 1'000;

struct Investigation {
  Json json;
  std::int64_t ends_us = 0;
};

struct LibraryFile {
  Json json;
  std::string content;
};

struct Indicator {
  Json json;
  std::string created_by;       // client id of the app
  std::int64_t expires_us = 0;  // 0: never
};

// A link that was handed out: what it leads to is made when it is followed.
struct Download {
  std::string kind;       // `package`, `script`, `file` or `export`
  std::string argument;   // the action's id, or the export's name
  std::size_t index = 0;  // of the live response's command
  std::int64_t expires_us = 0;
};

// How the next machine actions that fit will go. Empty texts fit all.
struct PlannedOutcome {
  std::string machine_id, type;      // `Isolate`
  std::string status = "Succeeded";  // or Failed, TimeOut
  double seconds = -1;               // negative: as action_seconds says
  std::int64_t times = 1;
  std::string output, errors;  // of a script run by live response
  std::int64_t exit_code = 0;
  std::string content;  // of a file fetched by live response
};

// A user known beside those who sign in on made-up devices.
struct KnownUser {
  std::string name, domain;
  bool is_domain_admin = false;
  std::vector<std::string> machine_ids;
};

struct ScenarioEvent {
  std::int64_t at_us = 0;
  std::string kind;   // `alert`
  std::string alias;  // by which later events mean this alert; empty: none
  Json body;
  std::size_t index = 0;  // within the scenario's `events`
};

struct Scenario {
  std::string name, description;
  std::int64_t began_us = 0;          // 0: there is none
  std::deque<ScenarioEvent> to_come;  // by time
  Json::List happened;
  std::map<std::string, std::string> alerts;  // alias to id
};

struct DefenderData {
  Scenario scenario;
  Inventory inventory;                                  // of software and weaknesses, made from the devices
  std::uint64_t inventory_of = ~0ull;                   // State::machine_changes for which it was made
  std::deque<Investigation> investigations;             // by start
  std::map<std::int64_t, Indicator> indicators;         // by id
  std::map<std::string, std::int64_t> indicator_index;  // `type value` to id
  std::int64_t next_indicator = 1;
  std::map<std::string, LibraryFile> library;  // by lower-case name
  std::vector<Json> scans;                     // definitions
  std::map<std::string, Download> downloads;   // by the secret part of the link
  std::deque<std::string> download_order;
  std::vector<PlannedOutcome> plans;
  std::vector<KnownUser> users;
  std::vector<Json> remediations;  // by creation
};

}  // namespace flow::sim
