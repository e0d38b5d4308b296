// What starts a run, whatever it was that brought the event: the loop's begin_run() (starting.cpp) takes
// these. A run is unique per tenant, flow, trigger and key, so that what comes twice starts once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/engine.hpp"

namespace flow {

// What the rows of runs that it starts say: `defender.alert.new`, `manual`.
std::string run_trigger(const Trigger& trigger);

// One flow of one tenant, as it was deployed last.
struct Subscriber {
  std::string tenant;
  std::string flow;
  std::string hash;  // of the module
  std::shared_ptr<const Module> module;
  std::uint32_t index = 0;              // of the flow in the module
  std::string settings;                 // JSON object
  std::unique_ptr<RunMachine> machine;  // decides on event after event, until one begins a run and takes it

  const FlowCode& code() const { return module->flows[index]; }
  const Trigger& trigger() const { return module->triggers[code().trigger]; }
};

struct Beginning {
  std::string trigger;  // `defender.alert.new`, `cron`
  std::string key;
  std::string_view event;               // JSON object
  const ParsedEvent* parsed = nullptr;  // the same, when it was read for several flows
  bool may_be_refused = false;          // somebody waits to be told that the flow cannot take this event
  // Somebody has asked for the run: it is kept when the condition is false.
  bool keeps_skipped = false;
  std::function<void(const std::string& run)> on_begun;  // before the run does anything
};

struct Begun {
  enum class How : std::uint8_t {
    Started,
    Known,    // what has this key had started one already: `run`
    Skipped,  // the condition is false without asking anyone; no run is kept
    Refused,  // the event lacks or mistypes what the flow reads: `problem`; no run is kept
  };
  How how = How::Started;
  std::string run;
  std::string problem;
};

}  // namespace flow
