// The machine: runs one flow of a program for one event. It knows no clock, no disk, no network and
// no thread. The same module, event and outcomes give the same steps on every machine and build.
//
//   Machine machine(program, flow, limits);
//   Step step = machine.start(event_json);
//   while (auto* call = std::get_if<Call>(&step)) step = machine.resume(perform(*call));
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "vm/bytecode/call.hpp"
#include "vm/interp/program.hpp"

namespace flow {

// Of each run. Reaching one ends or faults this run and touches no other.
struct Limits {
  // An upper bound of instructions: going back in a loop costs the instructions jumped over, invoking a
  // function costs its size, starting the flow costs its size; what looks at long texts or lists costs one
  // more per 64 bytes. Fault OutOfFuel, which no handler takes.
  std::uint64_t fuel = 10'000'000;
  std::size_t heap_bytes = 64u << 20;  // values that can still be used; fault OutOfMemory, as OutOfFuel
  std::size_t stack_bytes = 1u << 20;  // 16 a register; fault OutOfStack
  std::size_t text_bytes = 16u << 20;  // of one text; fault TooLarge
  std::size_t list_items = 1'000'000;  // of one list or map; fault TooLarge
  // What the run makes itself is held to these two; what comes from outside, to the heap.

  // Use of the heap at which garbage is first looked for; 0 looks at each allocation, which only a test
  // wants.
  std::size_t collect_from_bytes = 4u << 20;
};

// Where a run is or was, in its author's terms.
struct Place {
  std::string routine;  // name of the flow or function
  std::uint32_t line = 0;

  bool operator==(const Place&) const = default;
};

struct Ended {
  enum class How : std::uint8_t { Skipped, Finished, Stopped, Failed };
  How how = How::Finished;
  std::string reason;  // of Stopped
  Fault fault;         // of Failed
  std::uint32_t line = 0;
  // Of Failed: where it went wrong, then who had invoked that. The last is the flow; of a deep recursion the
  // outer functions are left out.
  std::vector<Place> trace;
  std::string result;  // of Finished: the flow's result as JSON; empty when it has none
};
using Step = std::variant<Call, LogLine, Ended>;

class ParsedEvent;  // event.hpp
class Watcher;      // watch.hpp
struct Position;    // watch.hpp
struct Moment;      // watch.hpp

class Machine {
 public:
  // `program` must outlive the machine.
  Machine(const Program& program, std::uint32_t flow, Limits limits = {});
  ~Machine();
  Machine(Machine&&) noexcept;
  Machine& operator=(Machine&&) noexcept;

  // Begins the run. `event_json` is the JSON object the trigger found (for alert.new: the alert). A machine
  // can be started again, which forgets the run before and saves making a new one.
  // `settings_json` has the values of the module's settings (settings.hpp).
  Step start(std::string_view event_json, std::string_view settings_json = "{}");
  // The same from an event that was read for this flow among others, and may go when this returns.
  Step start(const ParsedEvent& event, std::string_view settings_json = "{}");
  // Answers the Call or (with Returned{"null"}) the LogLine handed out last. A Fault is raised where the run
  // waits.
  Step resume(const Outcome& outcome);

  // With branches, more than one call can be under way. Between two answers: what another branch has to say
  // that waits for nothing, or nothing when all wait.
  std::optional<Step> next();
  // Answers any of the calls (log lines) that are under way, by its number. Gives what follows, or nothing
  // when all wait. A run's story depends on the order of its answers and on nothing else.
  std::optional<Step> answer_call(std::uint32_t number, const Outcome& outcome);
  std::optional<Step> answer_log(std::uint32_t number);
  // Calls under way whose answers nobody wants any more, since the last time this was asked; ask before
  // taking a snapshot. Their answers, and those to log lines of branches that were ended, change nothing.
  std::vector<std::uint32_t> take_cancelled();

  // While the run waits: each Call and LogLine it waits for.
  std::vector<Step> pending() const;
  // While the run waits: all it needs to go on elsewhere, later, in another build (snapshot.hpp).
  // `module_key` is whatever tells its module from others; restoring compares it.
  std::string snapshot(std::uint64_t module_key = 0) const;
  // The machine as it was when it waited. With the same limits it does what it would have done. The error
  // says what is wrong with the bytes, whoever made them.
  static Result<Machine> restore(const Program& program, std::uint32_t flow, Limits limits,
                                 std::string_view snapshot, std::uint64_t module_key = 0);

  bool in_body() const;  // whether the condition held (EnterBody was passed)
  std::uint64_t fuel_used() const;

  // From its next start() or resume() on this watcher is told what the machine does; nullptr: nobody. The
  // watcher must outlive that.
  void watch(Watcher* watcher);
  // Where the run stands: at the instruction that is about to be executed, that waits, or that was the last.
  // The run must have been started.
  Position position() const;
  Moment moment(std::size_t value_bytes) const;  // values are cut at some such size
  std::vector<Place> where() const;              // innermost first

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace flow
