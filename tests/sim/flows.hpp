// The flows that a simulation draws from: between them, all that a run can wait for and every policy. Each
// exists in two versions, of which the second replaces the first while runs of that are under way.
#pragma once

#include <string>
#include <vector>

#include "runtime/protections.hpp"
#include "vm/bytecode/module.hpp"

namespace flow::test {

struct SimulatedFlow {
  enum class Start { Alert, Manual, Webhook, Schedule, Failure };
  std::string name;  // also the title of the alerts that it wants, and of its hook
  Start start = Start::Alert;
  std::vector<std::string> versions;  // texts, the first two of which differ in what they do
  std::vector<std::string> bytes;     // of their modules
  bool is_on_few_machines = false;    // its alerts are about the same few devices
};

// All of them, compiled once in this process.
const std::vector<SimulatedFlow>& simulated_flows();
// That nothing acts on a machine whose ID ends with 7.
const Protections& simulated_protections();

}  // namespace flow::test
