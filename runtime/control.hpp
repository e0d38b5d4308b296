// What a person does to a run: cancels it, lets one go on that failed or is parked, or has one repeated. Each
// is planned as one batch from what the store has. A running service carries it out in its next turn
// (Runtime::control()); while none runs, control_in_store() does, and the next start takes the run up. The
// rules are the same.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "runtime/history.hpp"
#include "runtime/run_id.hpp"
#include "runtime/store.hpp"
#include "vm/bytecode/module.hpp"

namespace flow {

struct ResumeRequest {
  // What became of the call that nobody knows the fate of, which is why a run is parked.
  enum class Fate : std::uint8_t {
    Unknown,       // ask again, as after a crash
    Happened,      // it is not made again; `result` is what it gave
    DidNotHappen,  // it is made now
  };
  Fate fate = Fate::Unknown;
  std::string result = "null";  // Happened: JSON
  std::string by;               // who says so, for the journal
};

// Lets the run go on. One that failed goes back to the call whose fault ended it, and makes that again; what
// it did behind it does not count any more. The Error says why that cannot be: the run is not over, it ended
// well, it failed in its own code, or it has acted since (its undoing, for one), which going back would not
// undo.
Result<Batch> plan_resume(const RunHistory& history, const Module& module, const ResumeRequest& request,
                          std::int64_t now_us);

// Ends a run that is not over, where it stands: nothing more is called, nothing is undone, and what it has
// `asked` people and waits for is withdrawn.
Result<Batch> plan_cancel(const RunHistory& history, const std::vector<QuestionRow>& asked,
                          const std::string& by, const std::string& reason, std::int64_t now_us);

struct ControlRequest {
  enum class What : std::uint8_t {
    Resume,
    Cancel,
    Retry,  // a new run for the same event: rerun.hpp
  };
  What what = What::Resume;
  std::string run;
  ResumeRequest resume;  // Resume; `by` always
  std::string reason;    // Cancel: for the journal
};
struct ControlReply {
  enum class How : std::uint8_t {
    Done,      // it is durable
    NotFound,  // there is no such run
    Refused,   // that cannot be done to it: `problem`
    Stopping,  // this process ends
  };
  How how = How::Stopping;
  std::string problem;  // for a person; empty when Done
  std::string run;      // Done: the run itself; of Retry the new one
};
// Called once, on the loop's thread or on the asker's. Must be quick and must not call back into the runtime.
using ControlDone = std::function<void(ControlReply)>;

inline constexpr std::size_t kMaxControlText = 500;  // bytes of who and why

// What the request comes to, by the store alone. Done: `batch` is to be committed.
struct ControlPlan {
  ControlReply reply;
  Batch batch;
};
Result<ControlPlan> plan_control(Store& store, const ControlRequest& request, RunIds& ids,
                                 std::int64_t now_us);

// The same, carried out on a store that no runtime has open.
Result<ControlReply> control_in_store(Store& store, const ControlRequest& request, RunIds& ids,
                                      std::int64_t now_us);

}  // namespace flow
