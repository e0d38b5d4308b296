// Looking after the file of a store, while a service runs on it or not: whether it is sound, a copy of it,
// and bringing it up to today's version.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace flow {

inline constexpr std::size_t kMostFindings = 100;
struct StoreReport {
  int version = 0;
  std::uint64_t runs = 0, entries = 0, modules = 0, audit_rows = 0;
  // What is wrong, each for a person; kMostFindings at most. Empty: the file is sound, and so is all that we
  // know of what is in it.
  std::vector<std::string> findings;
};
// Reads all of it. Of an older version only the file itself is looked at. The Error is for what is no store
// or cannot be opened.
Result<StoreReport> check_store(const std::string& path);

// A copy of one moment, also while a service writes. `to` must not exist; what is there at the end is whole
// and was checked, or there is nothing.
Status backup_store(const std::string& path, const std::string& to);

struct Migration {
  int from = 0, to = 0;
  std::string backup;  // the copy of before; empty when nothing was to be done
};
// Needs the store for itself. Refuses a newer version.
Result<Migration> migrate_store(const std::string& path);

}  // namespace flow
