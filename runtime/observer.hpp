// Looking on: the runtime tells an observer what became true, after the commit that made it so and on the
// loop's thread. Observers must be quick and must not call back into the runtime.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "runtime/journal.hpp"
#include "runtime/store.hpp"

namespace flow {

struct PollReport {
  std::string tenant;
  std::string trigger;
  std::uint32_t events = 0;  // on the page
  std::uint32_t fresh = 0;   // not seen before
  std::uint32_t unusable = 0;
};

struct HealthEvent {
  enum class Kind : std::uint8_t {
    PollFailed,  // it is tried again
    PollRecovered,
    EventUnusable,  // left out; the others go on
    Throttled,      // a quota group rests
    RunParked,
    FrozenUnusable,  // the run goes on from its journal, which takes longer
    StoreFailed,     // the loop ends
    PersonNotTold,   // of a question; it stands
    FiringsMissed,   // more than are caught up
    LeaseOverdue,    // what was leased is not undone in time; the message says whether it is tried again
    NotForTenant,    // a flow was not deployed: it says which tenants it is for
    HeldBack,   // a flow's file was not deployed: somebody has gone back from this version, or withdrew it
    HostRests,  // too many calls in a row failed: those to come wait
    HostIsBack,
  };
  Kind kind = Kind::PollFailed;
  std::string tenant;
  std::string subject;  // trigger, quota group, run, flow or connector
  std::string message;
};

std::string_view health_kind_name(HealthEvent::Kind kind);  // for programs: `poll_failed`

// Since the start of the process.
struct Counters {
  std::uint64_t polls = 0;
  std::uint64_t polls_failed = 0;
  std::uint64_t events_seen = 0;   // elements of pages
  std::uint64_t events_fresh = 0;  // not seen before
  std::uint64_t events_unusable = 0;
  std::uint64_t events_too_old = 0;
  std::uint64_t skipped_at_once = 0;  // (event, flow) pairs whose condition was false without asking anyone
  std::uint64_t runs_started = 0;
  std::uint64_t runs_recovered = 0;
  std::map<RunState, std::uint64_t> runs_over;  // by how, Parked included
  std::map<std::string, std::uint64_t> calls;   // by operation, each attempt
  std::map<std::string, std::uint64_t> faults;  // by kind, each attempt
  std::uint64_t reads_shared = 0;               // answered by the call of another run
  std::uint64_t questions_shared = 0;           // how far a call is, told by a list for several
  std::uint64_t retries = 0;
  std::uint64_t settled = 0;  // in-doubt calls about which we asked
  std::uint64_t commits = 0;
};

class RuntimeObserver {
 public:
  virtual ~RuntimeObserver() = default;
  virtual void run_started(const RunRow&) {}
  virtual void run_recovered(const RunRow&) {}
  // One entry of a run's journal, as it was committed. Asked once: whether they are to be told at all.
  virtual bool wants_steps() const { return true; }
  virtual void run_step(const RunRow&, const JournalRow&) {}
  virtual void run_ended(const RunRow&) {}               // over or parked: see its state
  virtual void question_asked(const QuestionRow&) {}     // people, or a message
  virtual void question_answered(const QuestionRow&) {}  // by one of them
  virtual void deployed(const DeploymentRow&) {}         // any change to what is live
  virtual void polled(const PollReport&) {}
  virtual void health(const HealthEvent&) {}
  virtual void told() {}  // all that one commit made true
};

}  // namespace flow
