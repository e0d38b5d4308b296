// The inside of Runtime. One turn: take the answers that came in, fire what is due, start runs for polled
// events, let calls go that the quotas allow, commit all that this wrote at once, and only then send the
// calls and tell the observer. The parts of a turn stand in files of their own: calls.cpp (asking, sending,
// answers, retries), awaiting.cpp (how long-running actions end), system_calls.cpp (what the runtime answers
// itself), sleeping.cpp (runs that only wait, from memory to the store and back), polling.cpp (triggers to
// runs), recovery.cpp (stored runs to memory), loop.cpp (the turn itself).
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "runtime/inbox.hpp"
#include "runtime/limiter.hpp"
#include "runtime/run.hpp"
#include "runtime/run_id.hpp"
#include "runtime/runtime.hpp"

namespace flow {

class Runtime::Loop {
 public:
  Loop(Store& store, const Clock& clock, Random& random, Executor& executor, Engine& engine,
       RuntimeOptions options, RuntimeObserver* observer);

  Result<std::string> deploy(const std::string& tenant, std::string_view module_bytes,
                             std::string_view settings_json);
  Status recover();
  Status run();
  void stop() { inbox_->stop(); }
  Result<bool> step();
  Status run_until_idle(std::uint64_t turns);
  std::int64_t next_wake_us() const;
  Status drain(std::int64_t deadline_us);
  const Counters& counters() const { return counters_; }
  std::size_t runs_in_memory() const { return runs_.size(); }
  std::size_t calls_in_flight() const { return in_flight_; }

 private:
  // A call of a run or of a poll, from the moment it is wanted until its answer is taken.
  struct Pending {
    enum class Purpose : std::uint8_t { Perform, Settle, Progress, Poll };
    Purpose purpose = Purpose::Perform;
    std::string owner;         // the run's ID, or the key of the source
    std::uint32_t number = 0;  // of the run's call
    std::shared_ptr<const Module> module;
    OperationCall call;
    std::string bucket;
    bool is_sent = false;
    std::optional<Fault> doubt;  // Settle: the fault that raised the question; nothing after a crash
    std::uint32_t tries = 0;     // Settle, Progress: in a row without success
    std::optional<std::uint32_t> counts_as;  // the operation whose quota it uses, if not its own
  };
  struct Subscriber {
    std::string flow;
    std::string hash;
    std::shared_ptr<const Module> module;
    std::uint32_t index = 0;
    std::string settings;
    std::unique_ptr<RunMachine> machine;  // decides on event after event, until one begins a run and takes it
  };
  // One trigger of one tenant: a single poll feeds all its subscribers.
  struct Source {
    std::string tenant;
    std::string trigger;
    std::shared_ptr<const Module> module;  // of the subscriber deployed last: whose declaration is polled by
    const Trigger* declaration = nullptr;  // in `module`
    std::uint32_t operation = 0;           // in `module`
    std::vector<Subscriber> subscribers;
    EventFields fields;  // what they read of an event
    ParsedEvent event;   // the one being dispatched
    std::unique_ptr<Poller> poller;
    std::deque<PolledEvent> events;  // of the page read last, not yet dispatched
    bool has_page = false;           // a page is being worked through
    std::uint32_t failures = 0;
    PollReport report;
  };
  using Sources = std::map<std::string, Source>;

  // loop.cpp
  Status turn(bool& has_worked);
  void follow_clock(std::int64_t now_us);
  bool fire_timers(std::int64_t now_us);
  Status commit();
  Status commit_now(const Batch& batch);
  void after_commit(std::function<void()> notice);
  void at(std::int64_t time_us, std::function<void()> what) { timers_.emplace(time_us, std::move(what)); }
  Result<std::shared_ptr<const Module>> module_of(const std::string& hash);
  Run* run(const std::string& id);
  void collect(Run& run);     // moves what it wrote into the batch
  void settle_run(Run& run);  // after it went on: asks for its next calls, or lets go of it
  void health(HealthEvent::Kind kind, const std::string& tenant, const std::string& subject,
              std::string message);

  // calls.cpp
  void ask(Pending pending);
  void ask_for(Run& run, std::uint32_t number);  // a call it waits for, when its time has come
  void ask_now(const Run& run, std::uint32_t number);
  void ask_whether(Run& run, std::uint32_t number, std::optional<Fault> doubt, std::uint32_t tries);
  Run* waiting_run(const std::string& id, std::uint32_t number);
  Pending pending_for(const Run& run, std::uint32_t number) const;
  RetryPolicy policy_of(const Run& run, std::uint32_t number) const;
  bool release_calls(std::int64_t now_us);
  void send_calls();
  bool take_answers();
  void give_up_on_silent_calls(std::int64_t now_us);
  void take(std::uint64_t ticket, const std::variant<Outcome, Settlement>& what);
  void take_outcome(Run& run, const Pending& pending, Outcome outcome);
  void take_settlement(Run& run, const Pending& pending, const Settlement& settlement);
  void retry(Run& run, std::uint32_t number, const Fault& fault);
  void finish_call(Run& run, std::uint32_t number, const Outcome& outcome, bool is_settled);
  void park(Run& run, std::string reason);
  void note_throttled(const Pending& pending, const Fault& fault);
  const Quota& quota_of(const Pending& pending) const;

  // awaiting.cpp: calls whose answer is how that ended which they began
  static bool is_still_to_end(const Run& run, std::uint32_t number, const Outcome& outcome);
  void begin_following(Run& run, std::uint32_t number, std::string result);
  void follow(const Run& run, std::uint32_t number);
  void ask_progress_later(const Run& run, std::uint32_t number, std::uint32_t refusals);
  void take_progress(Run& run, const Pending& pending, const Outcome& outcome);

  // system_calls.cpp: what the runtime answers by itself
  void answer_here(Run& run, std::uint32_t number);
  void set_timer(Run& run, std::uint32_t number);
  void answer_when_due(const std::string& id, std::uint32_t number, std::int64_t due_us);
  Outcome once(const Run& run, std::string_view arguments, std::int64_t now_us);
  std::string uuid();

  // polling.cpp
  Status subscribe(const std::string& tenant, const std::string& hash,
                   const std::shared_ptr<const Module>& module, std::uint32_t flow,
                   std::string_view settings_json);
  Result<Source*> source_for(const std::string& tenant, const std::shared_ptr<const Module>& module,
                             const Trigger& trigger, std::uint32_t operation);
  void poll(const std::string& key);
  void ask_for_page(Source& source, std::string arguments);
  void take_page(Source& source, const Outcome& outcome);
  static std::string flows_of(const Source& source);
  void fail_poll(Source& source, const Fault& fault);
  Status dispatch_events(bool& has_worked);
  Status dispatch(Source& source, PolledEvent event);
  Status begin_run(const Source& source, Subscriber& subscriber, const PolledEvent& event);
  void finish_page(Source& source);
  static PollShape shape_of(const Source& source);
  static std::string source_key(const std::string& tenant, const std::string& trigger);

  // sleeping.cpp
  void put_to_sleep(std::int64_t now_us);
  Status wake_due(std::int64_t now_us, bool& has_worked);
  Status wake(const std::vector<RunRow>& rows);

  // recovery.cpp
  Status recover_some(bool& has_worked);
  Status take_up(RunRow row);
  Result<std::unique_ptr<Run>> thaw(const RunRow& row, const std::shared_ptr<const Module>& module,
                                    std::uint32_t flow);
  void take_up_replayed(Run& run);
  void park_unread(const RunRow& row, std::uint32_t sequence, std::string reason);

  Store& store_;
  const Clock& clock_;
  Random& random_;
  Executor& executor_;
  Engine& engine_;
  RuntimeOptions options_;
  RuntimeObserver* observer_;

  RunIds ids_;
  std::shared_ptr<Inbox> inbox_;
  Limiter limiter_;
  Counters counters_;
  std::multimap<std::int64_t, std::function<void()>> timers_;
  std::int64_t last_turn_us_ = 0;
  Sources sources_;
  std::string next_source_;  // whose events are dispatched first in the next turn
  std::map<std::string, std::shared_ptr<const Module>> modules_;  // by hash
  std::unordered_map<std::string, std::unique_ptr<Run>> runs_;    // by ID

  std::uint64_t next_ticket_ = 1;
  std::unordered_map<std::uint64_t, Pending> pending_;
  std::multimap<std::int64_t, std::uint64_t> silent_at_;  // when to give up on which ticket
  std::size_t in_flight_ = 0;

  Batch batch_;
  std::vector<std::uint64_t> sends_;            // calls whose intents are in the batch
  std::vector<std::function<void()>> notices_;  // for the observer, once the batch is durable

  std::set<std::string> drowsy_;  // runs that wait for a time and have no timer yet
  std::int64_t next_sleeper_us_ = kNever;

  bool is_recovering_ = false;
  bool was_closed_ = true;  // the process before this one ended in good order
  std::string recovered_to_;
  bool is_draining_ = false;
};

}  // namespace flow
