// How to look at a run while it goes: a Watcher is told before each instruction, and asks the machine where
// it is. A watched machine has a loop of its own (watched_loop.cpp), which does the same and takes the same
// fuel and memory; the loop of all other runs knows nothing of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "vm/bytecode/module.hpp"

namespace flow {

class Watcher {
 public:
  virtual ~Watcher() = default;
  // The machine is about to execute the instruction at its position(). It must not be told to do anything.
  virtual void before_instruction() = 0;
};

struct Position {
  const Routine* routine = nullptr;  // of the program's module; nullptr when all branches wait
  std::uint32_t pc = 0;
  std::size_t depth = 0;     // functions under way in this fiber
  std::uint32_t fiber = 0;   // fibers.hpp; numbers of those that ended are used again
  std::uint32_t line = 0;    // from 1
  std::uint32_t column = 0;  // from 1; 0 when the module does not say
  std::uint32_t part = 0;    // which entry of the line table covers it: the same for one statement
};

struct NamedValue {
  std::string name;
  std::string value;  // by shown_value()

  bool operator==(const NamedValue&) const = default;
};

// Where a run is, and what it knows there: each name that is visible with its value, outer ones first. A name
// whose value is not there yet (an entity that was not fetched) or not any more is left out. At the end of a
// function, what it gives is there as `return`.
struct Moment {
  Position position;
  std::string instruction;  // by format_instruction()
  std::vector<NamedValue> values;
  std::uint64_t fuel_used = 0;
  std::size_t heap_used = 0;  // bytes
};

}  // namespace flow
