// A run is its journal. Entries are stored as JSON objects that a person can read; a reader skips members it
// does not know, so that a newer minor version's journal still replays. Kinds and their numbers: entries.def.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/fault.hpp"
#include "base/result.hpp"
#include "vm/bytecode/call.hpp"
#include "vm/interp/machine.hpp"

namespace flow {

inline constexpr int kJournalVersion = 2;

enum class EntryKind : std::uint8_t {
#define FLOW_ENTRY(number, name, since, meaning) name = number,
#include "runtime/entries.def"
#undef FLOW_ENTRY
};
std::string_view entry_name(EntryKind kind);                   // `Started`
std::optional<EntryKind> entry_numbered(std::int64_t number);  // nothing when no row has this number

struct StartedEntry {
  std::string event;            // JSON object
  std::string settings = "{}";  // JSON object: values of the module's settings that were given
  std::string by;               // of a run that repeats another: who asked for it
};
struct IntentEntry {
  std::uint32_t call = 0;     // Call::number
  std::uint32_t attempt = 1;  // from 1
  std::string operation;      // `defender.isolate`
  std::string arguments;      // JSON object
  std::uint32_t line = 0;
  bool is_fetch = false;
  std::int64_t due_us = 0;  // of what the runtime answers at a time: when; 0 for all else
};
struct RetryEntry {
  std::uint32_t call = 0;
  std::optional<Fault> fault;  // why; nothing when a crash, not an answer, is the reason
  std::int64_t not_before_us = 0;
};
// Who answered a call. All but World are policies, which answer in its place: the call was not made, or, of
// Deadline, not waited for any longer.
enum class AnsweredBy : std::uint8_t { World, DryRun, Skip, Limit, Deadline };
std::string_view answered_by_name(AnsweredBy by);  // as journals have it: `dry run`; empty for World

struct OutcomeEntry {
  std::uint32_t call = 0;
  Outcome outcome;
  bool is_settled = false;  // learnt afterwards, by asking whether the call had happened
  AnsweredBy by = AnsweredBy::World;
};
struct BegunEntry {
  std::uint32_t call = 0;
  std::string result;  // what the call gave: JSON
  std::int64_t since_us = 0;
  std::int64_t until_us = 0;  // it must have ended by then; kNever when no time was set
};
struct LogEntry {
  std::uint32_t number = 0;
  std::string text;
  std::uint32_t line = 0;
};
struct EnteredEntry {};
struct RecoveredEntry {};
struct ParkedEntry {
  std::string reason;
};
struct EndedEntry {
  Ended ended;
};
struct ResumedEntry {
  std::uint32_t from = 0;             // entries with this sequence and more, up to this one, do not count
  std::optional<std::uint32_t> call;  // that is made again, with all its tries
  bool in_doubt = false;              // whether that call may have happened
  std::int64_t at_us = 0;
  std::string by;
};
struct CancelledEntry {
  std::string by;
  std::string reason;
};
using Entry = std::variant<StartedEntry, IntentEntry, RetryEntry, OutcomeEntry, LogEntry, EnteredEntry,
                           RecoveredEntry, ParkedEntry, EndedEntry, BegunEntry, ResumedEntry, CancelledEntry>;

std::string cancel_reason(const std::string& by, const std::string& reason);  // for a person

EntryKind kind_of(const Entry& entry);
// The entry's payload. JSON texts inside (event, arguments, results) must be well formed: see is_json().
std::string encode_entry(const Entry& entry);
// The error names the kind and the member that is missing or damaged.
Result<Entry> decode_entry(EntryKind kind, std::string_view payload);

std::string_view how_name(Ended::How how);  // `finished`
std::optional<Ended::How> how_named(std::string_view name);

}  // namespace flow
