// A pretend world for the runtime: a clock that stands still until told, chance from a seed, a scripted
// machine in place of the real one, an API with alerts and machines that counts what is done to it, and a
// store that fails at a chosen commit.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "runtime/history.hpp"
#include "runtime/limiter.hpp"
#include "runtime/runtime.hpp"
#include "runtime/sqlite_store.hpp"

namespace flow::test {

inline constexpr std::int64_t kSecondUs = 1'000'000;
inline constexpr std::int64_t kMinuteUs = 60 * kSecondUs;
// What every call but the poll gives: enough of a machine and of an action.
inline constexpr const char* kAnswer = R"({"id":"2e0d9b74-a381-49aa-8c15-f7b01c526d3e","machineTags":[]})";
inline constexpr std::int64_t kStartUs = 1'795'000'000 * kSecondUs;

class FakeClock final : public Clock {
 public:
  std::int64_t now_us() const override { return now; }
  std::int64_t now = kStartUs;
};

class FakeRandom final : public Random {
 public:
  explicit FakeRandom(std::uint64_t seed = 1) : engine_(seed) {}
  std::uint64_t next() override { return engine_(); }

 private:
  std::mt19937_64 engine_;
};

// A module of one flow on `defender.alert.new` with the operations that the script below calls.
std::shared_ptr<const Module> isolate_module(const std::string& flow = "isolate", Quota quota = {});

// Plays, for every flow and event: skip unless the severity is High; read the machine; log; isolate; notify;
// end. A fault that comes back ends the run as failed. Module bytes are the flow's name; `!name` does not
// load.
class ScriptEngine final : public Engine {
 public:
  Result<std::shared_ptr<const Module>> load(std::string_view bytes) override;
  std::unique_ptr<RunMachine> machine(const Module& module, std::uint32_t flow) override;

  Quota quota;
  std::string filter;               // poll_filter of the modules that load() gives
  std::vector<std::string> expand;  // poll_expand of them
  Policies policies;                // of the flows of these modules; operations: 2 isolate, 3 mail
  bool cleans_up = false;           // a fault in the body makes it send one more mail, as `on error` would
  std::string argument_suffix;      // makes the machine call with other arguments than before
  std::uint64_t machines = 0;
};

// The API. Answers at once unless told otherwise.
class FakeWorld final : public Executor {
 public:
  explicit FakeWorld(const FakeClock& clock) : clock_(clock) {}
  void perform(OperationCall call, std::function<void(Outcome)> done) override;
  void progress(OperationCall call, std::string result, std::function<void(Outcome)> done) override;
  void progress_of_several(std::vector<BegunCall> calls, std::function<void(Outcome)> done) override;
  void settle(OperationCall call, std::function<void(Settlement)> done) override;

  // On the machine `m-<id>`, if no other is said.
  void add_alert(const std::string& id, std::int64_t created_us, const std::string& severity = "High",
                 const std::string& machine = {});
  std::uint64_t count(const std::string& operation) const;  // calls carried out
  std::uint64_t most_per_key(const std::string& operation) const;

  // Called before each call; what it returns replaces the answer (and the effect is then left out).
  std::function<std::optional<Outcome>(const std::string& operation, const OperationCall& call)> interfere;
  // What the next question about an awaited call is answered; by default that it has succeeded.
  std::function<Outcome(const OperationCall& call, const std::string& result)> progress_of;
  std::uint64_t progress_asked = 0;
  // What one question about several is answered; by default a list of what each would have been.
  std::function<Outcome(const std::vector<BegunCall>& calls)> progress_of_all;
  std::vector<std::size_t> lists_asked;  // about how many, each time
  // When set, settle() gives this; otherwise the truth.
  std::function<std::optional<Settlement>(const OperationCall& call)> interfere_settle;
  bool is_holding = false;  // keeps answers back until release()
  void release();

  std::vector<std::string> pages_asked;  // arguments of polls
  std::string page_override;             // raw answer to polls when not empty
  std::map<std::string, std::map<std::string, std::uint64_t>> carried_out;  // operation, key: how often
  std::uint64_t settles = 0;
  std::vector<std::int64_t> call_times;  // of everything performed

 private:
  struct Alert {
    std::string id;
    std::int64_t created_us = 0;
    std::string json;
  };
  std::string page(const OperationCall& call) const;

  const FakeClock& clock_;
  std::vector<Alert> alerts_;
  std::vector<std::function<void()>> held_;
};

// Fails commit number `fail_at` (from 1) and all after it, before or after writing it: what a process sees
// that dies.
class FailingStore : public Store {
 public:
  FailingStore(Store& inner, std::uint64_t fail_at, bool is_written)
      : inner_(inner), fail_at_(fail_at), is_written_(is_written) {}
  Status commit(const Batch& batch) override;
  Result<std::optional<std::string>> module(std::string_view hash) override { return inner_.module(hash); }
  Result<std::optional<RunRow>> run(std::string_view id) override { return inner_.run(id); }
  Result<std::optional<std::string>> run_of(std::string_view a, std::string_view b, std::string_view c,
                                            std::string_view d) override {
    return inner_.run_of(a, b, c, d);
  }
  Result<std::vector<JournalRow>> journal(std::string_view run, std::uint32_t from) override {
    return inner_.journal(run, from);
  }
  Result<std::vector<RunRow>> sleepers(std::int64_t until_us, std::uint32_t limit) override {
    return inner_.sleepers(until_us, limit);
  }
  Result<std::optional<std::int64_t>> next_wake_us() override { return inner_.next_wake_us(); }
  Result<std::optional<SleepRow>> frozen(std::string_view run) override { return inner_.frozen(run); }
  Result<std::uint32_t> journal_length(std::string_view run) override { return inner_.journal_length(run); }
  Result<std::vector<RunRow>> unfinished_runs(std::string_view after, std::uint32_t limit) override {
    return inner_.unfinished_runs(after, limit);
  }
  Result<std::vector<RunRow>> open_leases(std::string_view tenant, std::string_view flow) override {
    return inner_.open_leases(tenant, flow);
  }
  Result<std::vector<RunRow>> list_runs(const RunFilter& filter) override { return inner_.list_runs(filter); }
  Result<std::optional<CursorRow>> cursor(std::string_view a, std::string_view b) override {
    return inner_.cursor(a, b);
  }
  Result<bool> is_seen(std::string_view a, std::string_view b, std::string_view c) override {
    return inner_.is_seen(a, b, c);
  }
  Result<std::optional<StateRow>> last_state(std::string_view a, std::string_view b,
                                             std::string_view c) override {
    return inner_.last_state(a, b, c);
  }
  Result<std::int64_t> once_until(std::string_view a, std::string_view b, std::string_view c) override {
    return inner_.once_until(a, b, c);
  }
  Result<std::vector<CountedCallRow>> counted_calls(std::string_view a, std::string_view b,
                                                    std::string_view c, std::int64_t after_us) override {
    return inner_.counted_calls(a, b, c, after_us);
  }
  Result<std::vector<SentRow>> sent_calls(std::int64_t from) override { return inner_.sent_calls(from); }
  Result<std::vector<RestRow>> rests(std::int64_t after_us) override { return inner_.rests(after_us); }
  Result<std::optional<QuestionRow>> question(std::string_view id) override { return inner_.question(id); }
  Result<std::vector<QuestionRow>> list_questions(const QuestionFilter& filter) override {
    return inner_.list_questions(filter);
  }
  Result<std::vector<TellingRow>> untold(std::string_view after, std::int64_t person,
                                         std::uint32_t limit) override {
    return inner_.untold(after, person, limit);
  }
  Result<std::vector<TellingRow>> tellings(std::string_view id) override { return inner_.tellings(id); }
  Result<std::optional<MessageRow>> next_message(std::string_view run, std::string_view name,
                                                 std::uint32_t after) override {
    return inner_.next_message(run, name, after);
  }
  Result<bool> has_message(std::string_view run, std::string_view key) override {
    return inner_.has_message(run, key);
  }
  Result<MessageCounts> message_counts(std::string_view run) override { return inner_.message_counts(run); }
  Result<std::vector<DeploymentRow>> deployments(std::string_view a, std::string_view b) override {
    return inner_.deployments(a, b);
  }
  Result<std::optional<std::string>> meta(std::string_view key) override { return inner_.meta(key); }
  Result<std::vector<AuditLine>> audit(std::uint64_t after, std::uint32_t limit) override {
    return inner_.audit(after, limit);
  }
  Status tidy() override { return inner_.tidy(); }
  Result<Pruned> prune_runs(const PruneOrder& order) override { return inner_.prune_runs(order); }
  Result<std::uint32_t> prune_modules(const std::vector<std::string>& needed) override {
    return inner_.prune_modules(needed);
  }
  Result<std::uint32_t> prune_audit(std::int64_t before_us, std::uint32_t limit,
                                    std::int64_t now_us) override {
    return inner_.prune_audit(before_us, limit, now_us);
  }
  std::uint64_t commits = 0;

 private:
  Store& inner_;
  std::uint64_t fail_at_;
  bool is_written_;
};

class RecordingObserver final : public RuntimeObserver {
 public:
  void run_started(const RunRow& run) override { started.push_back(run); }
  void run_step(const RunRow&, const JournalRow& row) override { steps.push_back(row); }
  void run_ended(const RunRow& run) override { ended.push_back(run); }
  void polled(const PollReport& report) override { polls.push_back(report); }
  void health(const HealthEvent& event) override { events.push_back(event); }
  std::uint64_t count(HealthEvent::Kind kind) const {
    std::uint64_t n = 0;
    for (const HealthEvent& event : events) n += event.kind == kind;
    return n;
  }

  std::vector<RunRow> started, ended;
  std::vector<JournalRow> steps;
  std::vector<PollReport> polls;
  std::vector<HealthEvent> events;
};

// All of it together, with a store in memory. A test replaces what it is about.
struct Bench {
  explicit Bench(std::uint64_t seed = 1);
  // A new process on the same store (or on `other_store`): deploys, recovers. False when the store failed.
  bool boot(RuntimeOptions options = {}, Store* other_store = nullptr);
  void idle() { ASSERT_TRUE(runtime->run_until_idle()); }
  // Lets simulated time pass, with everything that happens meanwhile.
  void pass(std::int64_t duration_us);
  std::vector<RunRow> runs();
  RunHistory history(const std::string& id);

  FakeClock clock;
  FakeRandom random;
  FakeWorld world{clock};
  ScriptEngine engine;
  RecordingObserver observer;
  std::unique_ptr<SqliteStore> store;
  std::vector<std::string> flows{"isolate"};
  std::int64_t settle_after_us = 0;  // this world carries a call out at once or never
  std::unique_ptr<Runtime> runtime;
};

// A folder that is gone after the test.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  std::string file(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

// What the limiter lets go, all of it wanted.
std::vector<std::uint64_t> released(Limiter& limiter, std::int64_t now_us, std::size_t room);

Fault fault_of(FaultKind kind, bool maybe_executed = false, std::int64_t retry_after_us = 0);

}  // namespace flow::test
