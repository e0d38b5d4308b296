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
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "runtime/engine.hpp"
#include "runtime/frozen.hpp"
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
  // The same for a run that was asleep, whose machine was restored; `frozen` is what it was then, and
  // `journal` has the entries from `sequence` on. An Error is a reason to replay the whole journal.
  Status thaw(const FrozenRun& frozen, std::uint32_t sequence, const std::vector<JournalRow>& journal,
              std::int64_t now_us);

  // Of an awaited call: what it gave, and by when that which it began must have ended (kNever: at any time).
  struct Begun {
    std::string result;
    std::int64_t since_us = 0;
    std::int64_t until_us = 0;
  };
  struct Frozen {
    std::string bytes;
    std::uint32_t sequence = 0;
  };
  // A call under way. With branches a run has several of them at once.
  struct Waiting {
    Call call;
    std::uint32_t attempts = 0;
    std::uint32_t failures = 0;      // faults of it
    std::int64_t sent_us = 0;        // when its last attempt went out
    std::int64_t not_before_us = 0;  // of its next attempt
    std::int64_t due_us = 0;         // when the runtime answers it, once that is set
    bool in_doubt = false;           // an attempt went out and nothing is known of it
    std::optional<Begun> begun;      // it was carried out; its end is waited for
    bool has_timer = false;          // somebody will answer it when it is due
    bool is_held = false;            // people are asked first whether it may be made
  };
  // By number; nullptr for one that was answered, or is wanted by nobody any more, as everything is when the
  // run is over or parked.
  const Waiting* waiting(std::uint32_t number) const;
  // Calls that the run came to since this was asked the last time, and still waits for, in their order.
  std::vector<std::uint32_t> take_wanted();
  std::vector<std::uint32_t> under_way() const;  // the numbers of all calls that are
  const Operation& operation(std::uint32_t number) const;
  std::string call_key(std::uint32_t number) const;  // idempotency key
  // Calls that waited for somebody, or were held, and do not any more, since this was asked the last time.
  std::vector<std::uint32_t> take_unwanted() { return std::exchange(unwanted_, {}); }
  std::vector<std::uint32_t> without_timer() const;  // calls that are due at a time, and nobody looks after

  // When nothing but times is waited for, the first of them: the run may sleep until then. kNever when it
  // waits for what no time brings.
  std::optional<std::int64_t> may_sleep_until() const;
  // What thaw() and the machine need, and how much of the journal that stands for; nothing when the machine
  // cannot be frozen. What was written must be taken (take_unsaved()) before.
  std::optional<Frozen> freeze() const;
  void note_due(std::uint32_t number, std::int64_t due_us);  // it is over at another time than was said
  void note_timer(std::uint32_t number) { told_of(number).has_timer = true; }
  void note_held(std::uint32_t number, bool is_held) { told_of(number).is_held = is_held; }

  // The following are of calls that are under way.
  void note_attempt(std::uint32_t number, std::int64_t now_us, std::int64_t due_us = 0);  // it goes out
  void note_retry(std::uint32_t number, std::optional<Fault> fault, std::int64_t not_before_us,
                  std::int64_t now_us);
  void note_begun(std::uint32_t number, std::string result, std::int64_t until_us, std::int64_t now_us);
  void answer(std::uint32_t number, const Outcome& outcome, bool is_settled, std::int64_t now_us,
              AnsweredBy by = AnsweredBy::World);
  void park(std::string reason, std::int64_t now_us);

  // Tells this stay in memory from those before, if any: what was set up for one of them must not meet this.
  void set_life(std::uint64_t life) { life_ = life; }
  std::uint64_t life() const { return life_; }
  bool was_frozen() const { return was_frozen_; }  // the store has a frozen state of it
  void note_frozen() { was_frozen_ = true; }
  bool is_over() const { return row_.state != RunState::Running; }
  // Of a run that goes on: why it does not move; empty when it does.
  void set_reason(std::string reason) { row_.reason = std::move(reason); }
  const RunRow& row() const { return row_; }
  const Ended& ended() const { return ended_; }
  const std::shared_ptr<const Module>& module() const { return module_; }
  const std::string& settings() const { return settings_; }  // that it began with
  const Policies& policies() const { return policies_; }

  // The entries written since the last call.
  std::vector<JournalRow> take_unsaved();
  // What of them belongs into the audit trail, with the operation that it is about.
  struct Audited {
    AuditRow row;
    std::uint32_t operation = 0;
  };
  std::vector<Audited> take_audited() { return std::exchange(audited_, {}); }

 private:
  // What the journal knows of one call that it has an intent of.
  struct Recorded {
    IntentEntry intent;
    std::int64_t sent_us = 0;
    std::uint32_t failures = 0;
    std::int64_t not_before_us = 0;
    std::optional<Begun> begun;
    bool in_doubt = false;
  };
  void append(const Entry& entry, std::int64_t now_us);
  void append(EntryKind kind, std::string payload, std::int64_t now_us);
  void append_of(std::uint32_t number, const Entry& entry, std::int64_t now_us);  // of a call under way
  Status read(const std::vector<JournalRow>& journal, std::uint32_t sequence);
  Status read(const Entry& entry, std::int64_t time_us);
  Status read(const ResumedEntry& resumed);
  void give_recorded_answers(std::int64_t now_us);
  Status go_on_as_recorded(std::int64_t now_us);
  void advance(std::optional<Step> step, std::int64_t now_us);
  std::optional<Step> pass_log(const LogLine& line, std::int64_t now_us);
  void wait_for(const Call& call);
  void drop(std::uint32_t number);
  std::optional<std::string> mismatch(const Call& call, const IntentEntry& intent) const;
  Waiting& told_of(std::uint32_t number);
  void end(const Ended& ended, std::int64_t now_us);

  RunRow row_;
  std::shared_ptr<const Module> module_;
  const Policies& policies_;  // of its flow, in the module
  std::unique_ptr<RunMachine> machine_;
  std::string settings_ = "{}";
  std::vector<JournalRow> unsaved_;
  std::vector<Audited> audited_;
  std::uint32_t next_sequence_ = 0;

  std::map<std::uint32_t, Waiting> waiting_;  // by number
  std::vector<std::uint32_t> wanted_, unwanted_;
  std::uint32_t calls_ = 0;  // that the machine made so far
  bool has_entered_ = false;
  bool was_frozen_ = false;
  std::uint64_t life_ = 0;
  Ended ended_;

  // Only while replaying; empty afterwards.
  std::map<std::uint32_t, Recorded> recorded_calls_;
  std::vector<OutcomeEntry> recorded_answers_;  // in the journal's order, which decides how the run went
  std::map<std::uint32_t, std::string> recorded_logs_;
  StartedEntry started_;
  std::string replay_problem_;
};

}  // namespace flow
