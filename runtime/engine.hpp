// What the runtime needs of the virtual machine, as an interface: tests put a scripted machine here,
// everything else the real one (vm_engine()).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "vm/bytecode/module.hpp"
#include "vm/interp/event.hpp"
#include "vm/interp/machine.hpp"

namespace flow {

// One run's machine; the contract is that of Machine.
class RunMachine {
 public:
  virtual ~RunMachine() = default;
  virtual Step start(std::string_view event_json, std::string_view settings_json) = 0;
  // The same for an event that was read for all the flows that get it, this machine's among them.
  virtual Step start_from(const ParsedEvent& event, std::string_view settings_json) {
    return start(event.json(), settings_json);
  }
  virtual Step resume(const Outcome& outcome) = 0;
  // As of Machine. A machine without branches has one call under way and does without.
  virtual std::optional<Step> next() { return std::nullopt; }
  virtual std::optional<Step> answer_call(std::uint32_t, const Outcome& outcome) { return resume(outcome); }
  virtual std::optional<Step> answer_log(std::uint32_t) { return resume(Returned{"null"}); }
  virtual std::vector<std::uint32_t> take_cancelled() { return {}; }
  virtual bool in_body() const = 0;
  // While every branch waits for a call: all the machine needs to go on elsewhere; nothing from one that
  // cannot be frozen. Engine::restore() takes it back.
  virtual std::optional<std::string> freeze() const { return std::nullopt; }
  virtual std::vector<Call> under_way() const { return {}; }  // the calls it waits for, by number
};

class Engine {
 public:
  virtual ~Engine() = default;
  // Decodes and verifies.
  virtual Result<std::shared_ptr<const Module>> load(std::string_view bytes) = 0;
  // Machines that are made or restored from now on are bound by these limits.
  virtual void limit(const Limits& limits) { static_cast<void>(limits); }
  // `module` came from load() and outlives the machine.
  virtual std::unique_ptr<RunMachine> machine(const Module& module, std::uint32_t flow) = 0;
  // A machine as it was when it was frozen. The error says what is wrong with the bytes.
  virtual Result<std::unique_ptr<RunMachine>> restore(const Module& module, std::uint32_t flow,
                                                      std::string_view frozen) {
    static_cast<void>(module), static_cast<void>(flow), static_cast<void>(frozen);
    return error("this engine freezes no machine");
  }
};

// The real one, with these limits for each run.
std::unique_ptr<Engine> vm_engine(Limits limits = {});

}  // namespace flow
