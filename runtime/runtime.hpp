// Runs that survive. The Runtime waits for triggers, starts runs for their events, makes the calls the runs
// ask for, and writes everything down first: an intent is durable before its call goes out, an outcome before
// the run goes on. What it promises, and how each crash point keeps the promise: docs/runtime.md.
//
//   auto runtime = Runtime(store, clock, random, executor, *engine, options, &observer);
//   runtime.deploy("contoso", module_bytes);   // each flow of it, for this tenant
//   runtime.recover();                         // once, before the first turn
//   runtime.run();                             // until stop() was called from another thread; then drains
//
// It is one event loop. Everything but what says so belongs to the thread that drives it; the executor may
// answer from any thread. An Error from the loop means the store failed: nothing was done that is not
// durable, and a new Runtime on the same store goes on. A test drives the loop itself: run_until_idle(),
// advance the clock to next_wake_us(), repeat.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "runtime/breaker.hpp"
#include "runtime/control.hpp"
#include "runtime/deployment.hpp"
#include "runtime/engine.hpp"
#include "runtime/executor.hpp"
#include "runtime/observer.hpp"
#include "runtime/poller.hpp"
#include "runtime/protections.hpp"
#include "runtime/question.hpp"
#include "runtime/question_mail.hpp"
#include "runtime/reconfiguration.hpp"
#include "runtime/retry.hpp"
#include "runtime/start_request.hpp"
#include "runtime/store.hpp"

namespace flow {

struct RuntimeOptions {
  // For a process that carries out one run: what it does not wait for starts nothing.
  enum class WaitsFor : std::uint8_t { Everything, PollsAndRequests, Requests };
  WaitsFor waits_for = WaitsFor::Everything;
  std::int64_t poll_interval_us = 0;  // 0: each trigger's own
  std::int64_t look_back_us = 0;      // how far before now the first poll of a new trigger reads
  std::int64_t call_deadline_us = 30'000'000;
  std::int64_t answer_grace_us =
      15'000'000;  // beyond the deadline an executor that stays silent is given up on
  // So long after it went out, longer if it has a longer `timeout`, a call may still be carried out, whatever
  // became of the connection or the process that made it. Nobody is asked before whether it was.
  std::int64_t settle_after_us = 30'000'000;
  std::int64_t drain_us = 30'000'000;  // how long stop() waits for calls that are out
  // Between two questions how far an awaited action is.
  std::int64_t shortest_progress_us = 5'000'000;
  std::int64_t longest_progress_us = 60'000'000;
  RetryPolicy retry;
  BreakerSettings breaker;
  PollSettings poll;
  std::int64_t poll_backoff_us = 5'000'000;            // after a failed poll; doubles …
  std::int64_t longest_poll_backoff_us = 300'000'000;  // … up to this
  std::int64_t cleanup_us = 300'000'000;  // how long a run beyond its deadline may undo and clean up
  std::uint32_t events_per_turn = 64;     // so that a full page does not hold up the calls of those before it
  std::int64_t sleep_from_us = 5'000'000;  // a run that waits for longer leaves memory meanwhile
  std::uint32_t runs_in_memory = 10'000;   // beyond, events and stored runs wait their turn
  std::uint32_t calls_in_flight = 256;
  // How long the answer of a read may serve equal ones of the tenant. 0: only those that are under way with
  // it.
  std::int64_t reuse_reads_us = 5'000'000;
  std::uint32_t recoveries_without_progress = 3;  // then a run is parked: it may be what ends the process
  // Which of an operation's routes the tenant's configuration has chosen, for its quota. Empty: the first.
  std::function<std::size_t(const std::string& tenant, const Operation& operation)> chosen_route;
  // For a backtest: no flow acts, notifies or asks anyone, as if each said `dry run`; flows that flows call
  // are carried out all the same. And when the next poll is made, in place of every so often.
  bool performs_nothing = false;
  std::function<std::int64_t(std::int64_t now_us)> next_poll_us;
  Protections protections;               // what no flow may act on
  std::int64_t keep_us = 0;              // how long runs are kept that ended; 0 is for ever
  std::int64_t keep_audit_us = 0;        // the same of rows of the audit trail
  bool can_be_answered = true;           // by people and messages; else a flow that waits for them is refused
  AnswerLinks links;                     // in the mails to people who are asked
  std::uint32_t requests_per_turn = 64;  // that were asked for from outside
  // For tests only: ends the process by SIGKILL right before (odd) or right after (even) commit number
  // (crash_at_append + 1) / 2 of this Runtime. 0 is never.
  std::uint64_t crash_at_append = 0;
};

class Runtime {
 public:
  // All of them must outlive the runtime; `observer` may be null.
  Runtime(Store& store, const Clock& clock, Random& random, Executor& executor, Engine& engine,
          RuntimeOptions options = {}, RuntimeObserver* observer = nullptr);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  // Stores the module and lets each of its flows have the tenant's events from the next poll on. A flow of
  // the same name is replaced; its runs go on with the module they began with. `settings_json` has the values
  // of the module's settings, for runs from now on. Gives the module's hash. The error names a setting that
  // is missing or wrong, or what of the module this runtime cannot serve. A flow that is for other tenants is
  // left out, and the observer is told.
  Result<std::string> deploy(const std::string& tenant, std::string_view module_bytes,
                             std::string_view settings_json = "{}");
  // The same for all that a start serves, going on from what was live: what changes is noted in the store.
  Status deploy(const DeploySet& set);
  // Notes which runs of the store are unfinished; they are taken up as the loop turns. Deploying is not
  // needed for that.
  Status recover();

  // From any thread: a run is to begin. `done` is told when it is durable, or why there is none; a flow that
  // says `respond` within the request's time answers by that.
  void start(StartRequest request, StartDone done);
  // From any thread: somebody answers a question, or sends a message to a run. `done` is told what became of
  // it, of what is recorded when it is durable.
  void answer(AnswerRequest request, AnswerDone done);
  void send(MessageRequest request, MessageDone done);
  // From any thread: a person lets a run go on, or ends one. `done` is told when that is durable, or why not.
  void control(ControlRequest request, ControlDone done);
  // From any thread: a change to what is live. It is checked as a whole, done at once for the events from
  // then on, and told when it is durable.
  void change_deployment(DeployRequest request, DeployDone done);
  // Several in one turn, all or none, as one change for several tenants. Those that have nothing to change,
  // because they never had the flow or it is not live, are left out, unless that is so of all.
  void change_deployment(std::vector<DeployRequest> requests, DeployDone done);

  // From any thread: another configuration takes the place of the one before, for all that is asked for from
  // then on; calls that are out end as they began. It is checked first, done at once, and told when it is
  // durable that it was.
  void reconfigure(Reconfiguration wanted, ReconfigureDone done);

  // From any thread: what was counted and measured, as Prometheus reads it (metrics.def), told in the loop's
  // next turn; empty when it takes no requests any more.
  void metrics(std::function<void(std::string)> done);
  // From any thread. run() turns at least once a second, whatever there is to do.
  std::uint64_t turns() const;
  // From any thread: stored runs are taken up, and each poll was tried at least once; and it does not stop.
  bool is_ready() const;

  // Until stop(): works, and sleeps when there is nothing to do. Drains before it returns.
  Status run();
  // From any thread, not from a signal handler. Later calls change nothing.
  void stop();

  // One turn: everything that is ready at clock.now_us(), one commit, then the calls. False when there was
  // nothing.
  Result<bool> step();
  // Turns until nothing is ready; `turns` is a limit, beyond which it gives an Error.
  Status run_until_idle(std::uint64_t turns = 1'000'000);
  // When the next turn has something to do if nobody answers before; kNever when only answers can change
  // anything.
  std::int64_t next_wake_us() const;
  // Stops polling and new calls, takes the answers that come until `deadline_us` (by the clock), commits, and
  // marks the store as closed in good order. Part of run().
  Status drain(std::int64_t deadline_us);

  const Counters& counters() const;
  std::size_t runs_in_memory() const;
  std::size_t calls_in_flight() const;

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace flow
