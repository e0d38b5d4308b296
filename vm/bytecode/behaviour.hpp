// What a flow does, as far as its code tells a person: under which conditions it starts, what it passes to
// calls that act, and for how long. `flow diff` compares it.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "vm/bytecode/module.hpp"

namespace flow {

struct Behaviour {
  struct Once {
    std::string key;             // `machineId`; in parentheses when it is computed
    std::int64_t window_us = 0;  // 0: not known
  };
  std::vector<Once> onces;
  std::set<std::string> protects;  // `protect machine.name matches "^dc"`
  // The calls that act, by operation: what each parameter is given (see known_values.hpp), the leases.
  std::map<std::string, std::map<std::string, std::set<std::string>>> arguments;
  std::map<std::string, std::set<std::int64_t>> leases;  // in microseconds; 0: for good
  // What is asked before the body is entered, `once` apart. `all_of`: each must hold; in any order then.
  std::vector<std::string> conditions;
  bool all_of = true;
  std::map<std::string, std::string> settings;  // those that the flow is given, by name: `Email = "a@b.com"`
  std::string code;  // of the flow and what it invokes: the same where both do the same in the same way
};

// Looks up every index with care: the module need not be verified.
Behaviour behaviour_of(const Module& module, const FlowCode& flow);

}  // namespace flow
