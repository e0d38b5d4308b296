// How often each operation can be called in one run, at most. A bound is a number, or any number with the
// loop that makes it so. Fetches are not counted: they are planned, at most one for each entity.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "compiler/check/checked.hpp"

namespace flow {

struct CallBound {
  std::uint32_t times = 0;  // kAnyNumber: nothing says how often
  NodeId loop = kNoNode;    // of any number: the loop, method or function that makes it so
};
using CallBounds = std::map<std::uint32_t, CallBound>;  // by operation, an index into Library::operations

// By index, of what stands before in the call order; empty for the others.
struct Bounds {
  std::vector<CallBounds> functions, flows;
};

// The fetches for the conditions of `protect` that are asked before a call, beside what the trigger brings,
// and what notes that it is refused.
CallBounds protection_bounds(const Tree& tree, const Library& library, const CheckedFile& checked,
                             const CheckedFlow& flow, const CheckedCall& call);
// Of the function of this index; with a flow, when it is the one that calls it.
CallBounds function_bounds(const Tree& tree, const Library& library, const CheckedFile& checked,
                           std::uint32_t index, bool is_circular, const CheckedFlow* flow,
                           const Bounds& known);
// Puts those of the functions that a flow with protections invokes, which ask as well; gives what stood
// there.
using ReplacedBounds = std::map<std::uint32_t, CallBounds>;  // by function
ReplacedBounds protect_bounds(const Tree& tree, const Library& library, const CheckedFile& checked,
                              const CheckedFlow& flow, Bounds& bounds);
// Of a flow, with the runs of others that it leads to. An operation whose calls are never reached stands with
// 0.
CallBounds flow_bounds(const Tree& tree, const Library& library, const CheckedFile& checked,
                       const CheckedFlow& flow, const Bounds& known);

}  // namespace flow
