// What must hold of a store and of what the world knows, whatever happened before.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/store.hpp"
#include "tenant.hpp"

namespace flow::test {

// What was told to somebody, and therefore has to stay true.
struct Promises {
  std::map<std::string, std::vector<std::string>> entries;  // of journals, by run: payloads; empty: not told
  std::map<std::string, std::vector<std::int64_t>> times;   // of the world, when they were told
  std::map<std::string, std::string> runs;                  // by the key of the request that started them
  std::map<std::string, std::string> answers;               // by question
  std::set<std::pair<std::string, std::string>> messages;   // run and key
};

// What has to be there when all has come to rest.
struct Expected {
  std::set<std::pair<std::string, std::string>> events;  // flow and key: each has exactly one run
  bool is_clock_steady = true;                           // never set
  bool is_clock_never_ahead = true;                      // at most set back
};

using Problems = std::vector<std::string>;

// Right after a crash, on what the disk kept. `vfs` and `path` name a store that nothing has open.
void check_disk(const std::string& vfs, const std::string& path, const Promises& promises,
                Problems& problems);

// When all has come to rest.
void check_events(const std::vector<RunRow>& runs, const Expected& expected, Problems& problems);
void check_promises(Store& store, const Promises& promises, Problems& problems);
void check_ends(Store& store, const std::vector<RunRow>& runs, Problems& problems);
void check_deeds(Store& store, const std::vector<RunRow>& runs, const Tenant& tenant, Problems& problems);
void check_guardrails(Store& store, const std::vector<RunRow>& runs, const Expected& expected,
                      const Promises& promises, const Tenant& tenant, Problems& problems);

// lease_invariants.cpp
inline constexpr const char* kProtectedEnding = "7";  // of the IDs of machines that nothing may act on
void check_leases(Store& store, const std::vector<RunRow>& runs, const Expected& expected,
                  const Tenant& tenant, Problems& problems);
void check_shadows(const std::vector<RunRow>& runs, const Tenant& tenant, Problems& problems);
void check_protected(const std::vector<RunRow>& runs, const Tenant& tenant, Problems& problems);
void check_trail(Store& store, Problems& problems);  // after each crash, too
void check_audited(Store& store, const std::vector<RunRow>& runs, const Tenant& tenant, Problems& problems);

}  // namespace flow::test
