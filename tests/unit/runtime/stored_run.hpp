// A run as the store holds it, in a file: its row, a member a line, then its journal, an entry a line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/store.hpp"

namespace flow::test {

struct StoredRun {
  RunRow row;
  std::vector<JournalRow> journal;
};

std::string to_text(const StoredRun& run);
StoredRun stored_run_from(const std::string& text);  // checks that it is one

// The run as it was when only so many of its entries were written: under way.
StoredRun cut_after(StoredRun run, std::size_t entries);

// What its journal says, a line for each entry; without times and what else may be another the next time.
std::string told(const StoredRun& run, std::string_view module_bytes);
// Of that only what the run itself did, whatever became of the process: no attempts, retries, recoveries.
// The calls come last, each once.
std::string story(const StoredRun& run, std::string_view module_bytes);

// Into an empty store, with the module of these bytes.
void put(Store& store, const StoredRun& run, std::string_view module_bytes);
StoredRun take(Store& store, const std::string& id);

}  // namespace flow::test
