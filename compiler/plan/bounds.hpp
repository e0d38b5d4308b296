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

// The fetches for the conditions of `protect` that are asked before a call, beside what the trigger brings.
CallBounds protection_bounds(const Tree& tree, const Library& library, const CheckedFile& checked,
                             const CheckedFlow& flow, const CheckedCall& call);
// Of each function in the file, in their order; with a flow, when it is the one that calls them. `flows` are
// the bounds of those that they call.
std::vector<CallBounds> function_bounds(const Tree& tree, const Library& library, const CheckedFile& checked,
                                        const CheckedFlow* flow, const std::vector<CallBounds>& flows);
// Of a flow, with the runs of others that it leads to. An operation whose calls are never reached stands with
// 0.
CallBounds flow_bounds(const Tree& tree, const Library& library, const CheckedFile& checked,
                       const CheckedFlow& flow, const std::vector<CallBounds>& functions,
                       const std::vector<CallBounds>& flows);
// The flows in an order in which each stands behind those that it calls.
std::vector<std::uint32_t> called_first(const CheckedFile& checked);

}  // namespace flow
