// One run in memory: a machine, and the journal that says where it is. A Run does nothing by itself: it is
// told what happened, goes as far as it can, and keeps the entries it wrote until they are taken and
// committed. What it waits for is then asked for by the loop (loop.hpp), which must not do so before the
// entries are durable.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "runtime/engine.hpp"
#include "runtime/journal.hpp"
#include "runtime/store.hpp"

namespace flow {

// A run whose journal grows beyond this is parked: no flow means to say or do so much.
inline constexpr std::uint32_t kMaxJournalEntries = 20'000;

class Run {
 public:
  Run(RunRow row, std::shared_ptr<const Module> module, std::unique_ptr<RunMachine> machine);

  // Begins a new run with its event and its settings. The machine was started with it, and this is its first
  // step.
  void start(std::string_view event, std::string_view settings, Step first, std::int64_t now_us);
  // Takes up a stored run. An Error is why it cannot go on: the journal is damaged, or the module does not do
  // today what the journal says it did. Then only park() may follow.
  Status replay(const std::vector<JournalRow>& journal, std::int64_t now_us);

  // The call the machine waits for; nothing when the run is over or parked.
  const Call* waiting() const { return waiting_ ? &*waiting_ : nullptr; }
  const Operation& operation() const { return module_->operations[waiting_->operation]; }
  // An attempt went out and nothing is known of it.
  bool in_doubt() const { return in_doubt_; }
  std::uint32_t failures() const { return failures_; }           // faults of the call waited for
  std::int64_t not_before_us() const { return not_before_us_; }  // of its next attempt
  std::string call_key() const;                                  // idempotency key of the call waited for

  void note_attempt(std::int64_t now_us);  // the call waited for is about to go out
  void note_retry(std::optional<Fault> fault, std::int64_t not_before_us, std::int64_t now_us);
  void answer(const Outcome& outcome, bool is_settled, std::int64_t now_us);
  void park(std::string reason, std::int64_t now_us);

  bool is_over() const { return row_.state != RunState::Running; }
  const RunRow& row() const { return row_; }
  const Ended& ended() const { return ended_; }
  const std::shared_ptr<const Module>& module() const { return module_; }

  // The entries written since the last call.
  std::vector<JournalRow> take_unsaved();

 private:
  // What the journal knows of one call.
  struct Recorded {
    std::optional<IntentEntry> intent;
    std::optional<OutcomeEntry> answer;
    std::uint32_t failures = 0;
    std::int64_t not_before_us = 0;
    bool in_doubt = false;
  };
  void append(const Entry& entry, std::int64_t now_us);
  Status read(const std::vector<JournalRow>& journal);
  Status read(const Entry& entry);
  void advance(Step step, std::int64_t now_us);
  std::optional<Step> pass_log(const LogLine& line, std::int64_t now_us);
  std::optional<Step> pass_call(const Call& call);
  std::optional<std::string> mismatch(const Call& call, const IntentEntry& intent) const;
  void wait_for(const Call& call);
  void end(const Ended& ended, std::int64_t now_us);

  RunRow row_;
  std::shared_ptr<const Module> module_;
  std::unique_ptr<RunMachine> machine_;
  std::vector<JournalRow> unsaved_;
  std::uint32_t next_sequence_ = 0;

  std::optional<Call> waiting_;
  std::uint32_t attempts_ = 0;
  std::uint32_t failures_ = 0;
  std::int64_t not_before_us_ = 0;
  bool in_doubt_ = false;
  bool has_entered_ = false;
  Ended ended_;

  // Only while replaying; empty afterwards.
  std::map<std::uint32_t, Recorded> recorded_calls_;
  std::map<std::uint32_t, std::string> recorded_logs_;
  StartedEntry started_;
  std::string replay_problem_;
};

}  // namespace flow
