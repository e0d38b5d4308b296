// The machine: runs one flow of a verified module for one event. It knows no clock, no disk, no network and
// no thread. The same module, event and outcomes give the same steps on every machine and build.
//
//   Machine machine(module, flow, limits);
//   Step step = machine.start(event_json);
//   while (auto* call = std::get_if<Call>(&step)) step = machine.resume(perform(*call));
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "vm/bytecode/call.hpp"
#include "vm/bytecode/module.hpp"

namespace flow {

struct Limits {
  // Instructions per run; one that looks at long texts or lists costs one more per 64 bytes.
  std::uint64_t fuel = 10'000'000;
  std::size_t heap_bytes = 64u << 20;  // per run
};

struct Ended {
  enum class How : std::uint8_t { Skipped, Finished, Stopped, Failed };
  How how = How::Finished;
  std::string reason;  // of Stopped
  Fault fault;         // of Failed
  std::uint32_t line = 0;
};
using Step = std::variant<Call, LogLine, Ended>;

class ParsedEvent;  // event.hpp

class Machine {
 public:
  // `module` must be verified and outlive the machine.
  Machine(const Module& module, std::uint32_t flow, Limits limits = {});
  ~Machine();
  Machine(Machine&&) noexcept;
  Machine& operator=(Machine&&) noexcept;

  // Begins the run. `event_json` is the JSON object the trigger found (for alert.new: the alert). A machine
  // can be started again, which forgets the run before and saves making a new one.
  Step start(std::string_view event_json);
  // The same from an event that was read for this flow among others, and may go when this returns.
  Step start(const ParsedEvent& event);
  // Answers the Call or (with Returned{"null"}) the LogLine handed out last. A Fault is raised where the run
  // waits.
  Step resume(const Outcome& outcome);

  bool in_body() const;  // whether the condition held (EnterBody was passed)
  std::uint64_t fuel_used() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace flow
