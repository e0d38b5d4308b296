// What a person does to a run: cancels it, or lets one go on that failed or is parked. Each is planned as one
// batch from what the store has, so that it can be carried out by a running service or, while none runs, by
// the command line; the next start takes the run up.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "runtime/history.hpp"
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

// Ends a run that is not over, where it stands: nothing more is called, nothing is undone.
Result<Batch> plan_cancel(const RunHistory& history, const std::string& by, const std::string& reason,
                          std::int64_t now_us);

}  // namespace flow
