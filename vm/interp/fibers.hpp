// Strands of one run that take turns. A run is one fiber until it comes to Each, Parallel or Race: these
// begin branches, fibers that execute a function of their own, and go on when the branches have ended.
// Nothing a branch began outlives the instruction that began it, and branches share no registers: they have
// what they were given. Fibers take turns only where they wait, in the order in which they became ready.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/fault.hpp"
#include "vm/interp/machine.hpp"
#include "vm/interp/stack.hpp"

namespace flow {

inline constexpr std::uint32_t kNobody = 0xffffffff;
inline constexpr std::size_t kMostFibers = 1024;         // of one run at a time
inline constexpr std::size_t kMostAtOnce = 256;          // branches of one Each
inline constexpr std::size_t kBranchStackBytes = 65536;  // the most one branch may use

enum class Waiting : std::uint8_t { NotStarted, Ready, ForCall, ForLog, ForBranches, Ended };

// A fiber that is not the one that runs.
struct Fiber {
  Stack stack;
  const Instruction* at = nullptr;
  Waiting waiting = Waiting::Ready;
  std::uint32_t number = 0;  // of the call or the log line that is waited for
  Fault handled;
  std::vector<Place> handled_trace;
  std::uint32_t branches = kNobody;  // what it is one of
  std::uint32_t position = 0;        // among them
};

// What one Each, Parallel or Race began.
struct Branches {
  Op kind;
  std::uint32_t parent;    // the fiber that waits
  std::uint32_t function;  // of all branches of Each, of the first one otherwise
  std::uint32_t count;
  std::uint32_t next = 0;     // the first that has not begun
  std::uint32_t running = 0;  // begun and not ended
  Slot items;                 // of Each
  Slot results;               // of Each; its items are written as branches end
  std::vector<Slot> captured;
};

}  // namespace flow
