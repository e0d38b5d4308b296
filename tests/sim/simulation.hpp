// One world from one seed: the runtime with its machine and its SQLite store on a disk that fails, a tenant
// that answers late, twice, wrongly or not at all, people who answer questions, clients who ask again until
// they are told, new versions of flows, a clock that is set, and processes that die at any write. Hours pass
// in a moment, and the same seed gives the same world to the byte. What must hold is checked while it goes on
// and when all has come to rest (invariants.hpp).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "faulty_disk.hpp"
#include "tenant.hpp"

namespace flow::test {

struct SimulationOptions {
  std::uint64_t seed = 1;
  std::uint64_t until = 0;  // ends after so many steps; 0: when all has come to rest
  bool is_told = false;     // writes to standard output what happens
};

struct SimulationCounts {
  std::uint64_t seeds = 0, steps = 0, runs = 0, entries = 0;
  std::int64_t simulated_us = 0;
  std::uint64_t power_losses = 0, kills = 0, store_failures = 0, failed_starts = 0, graceful_ends = 0;
  std::uint64_t deploys = 0, reloads = 0, clock_settings = 0, resumed = 0;
  std::uint64_t events = 0, requests = 0, answers = 0, messages = 0;
  std::uint64_t leases = 0, shadows = 0;           // runs
  std::map<std::string, std::uint64_t> runs_over;  // by state
  DiskCounts disk;
  TenantCounts tenant;
  SimulationCounts& operator+=(const SimulationCounts& other);
};

struct SimulationResult {
  std::vector<std::string> problems;  // none: all that must hold did
  std::uint64_t step = 0;             // at which the first of them was seen
  std::string journal;                // SHA-256 of all the store has and all the tenant did
  SimulationCounts counts;
};

SimulationResult simulate(const SimulationOptions& options);

// `120 seeds, 1,340 simulated hours, …`, over several lines.
std::string summary(const SimulationCounts& counts);

}  // namespace flow::test
