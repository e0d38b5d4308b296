// The assessments of the whole fleet: the rows of each export, which clients get in pages or as a file of
// lines.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apps/sim/state.hpp"

namespace flow::sim {

struct Export {
  std::string_view rows_path;   // last part of the path that gives pages; empty: only files
  std::string_view files_path;  // last part of the path that gives links to files; empty: only pages
  std::string_view context;
  int most_hours;  // that a link may be valid
  std::vector<Json> (*rows)(State&);
};
// By the last part of a path, without regard to case; null when there is none.
const Export* export_at(std::string_view part);

// All rows of the export with this files_path, a JSON object a line.
std::string export_lines(State& state, std::string_view files_path);

// exports_inventory.cpp, exports_devices.cpp
std::vector<Json> configuration_rows(State& state);
std::vector<Json> software_rows(State& state);
std::vector<Json> weakness_rows(State& state);
std::vector<Json> other_software_rows(State& state);
std::vector<Json> extension_rows(State& state);
std::vector<Json> certificate_rows(State& state);
std::vector<Json> hardware_rows(State& state);
std::vector<Json> baseline_rows(State& state);
std::vector<Json> antivirus_rows(State& state);  // in the form of GET /api/deviceavinfo

// When the data of the exports was made: every six hours.
std::int64_t generated_us(const State& state);
// `2026-11-20 08:14:22.1043315`
std::string export_time(std::int64_t time_us);
inline constexpr char kBaselineProfile[] = "3b6f9d40-6a18-4f5e-a7b3-2c8d1e0f9a64";

}  // namespace flow::sim
