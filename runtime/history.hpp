// What happened, for people: a run with its steps, read from the store. Works on a store that a running
// service writes to (SqliteStore::open_read_only). The list of runs is Store::list_runs().
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/journal.hpp"
#include "runtime/store.hpp"

namespace flow {

struct RunStep {
  std::uint32_t sequence = 0;
  std::int64_t time_us = 0;
  EntryKind kind = EntryKind::Started;
  std::optional<std::uint32_t> call;  // Intent, Retry, Begun, Answered
  std::uint32_t attempt = 0;          // Intent
  std::string operation;              // of calls: `defender.isolate`
  std::string arguments;              // Intent: JSON
  std::string result;                 // Begun, Answered without a fault, Started (the event), Ended: JSON
  std::string settings;               // Started: JSON
  std::optional<Fault> fault;         // Answered, Retry, Ended
  std::int64_t not_before_us = 0;     // Retry
  bool is_settled = false;            // Answered
  AnsweredBy by = AnsweredBy::World;  // Answered
  std::string person;                 // Resumed, Cancelled, Started of a run that repeats another: who
  std::string text;  // Log; the reason of Parked, Ended and Cancelled; what is wrong with a damaged entry
  std::string how;   // Ended: `finished`
  std::uint32_t line = 0;    // 0 when the entry has none
  std::vector<Place> trace;  // Ended by a fault within functions: as Ended::trace
  bool is_damaged = false;
  bool is_void = false;  // a person let the run go on from before it
};
struct RunHistory {
  RunRow run;
  std::vector<RunStep> steps;
};

// Nothing when there is no such run. Damaged entries are shown as such; they make no error.
Result<std::optional<RunHistory>> show_run(Store& store, std::string_view id);

}  // namespace flow
