// The parts of statements whose clauses may be left out or stand in any order.
#pragma once

#include <vector>

#include "compiler/syntax/tree.hpp"

namespace flow {

struct RepeatParts {
  NodeId every = kNoNode, within = kNoNode, times = kNoNode;  // durations, a count
  NodeId body = kNoNode;
  NodeId until = kNoNode;      // the condition
  NodeId otherwise = kNoNode;  // a Block
};
RepeatParts repeat_parts(const Tree& tree, NodeId repeat);

struct CallParts {
  NodeId call = kNoNode;                                        // the Call itself
  NodeId retry = kNoNode;                                       // the count
  NodeId backoff = kNoNode;                                     // the Backoff
  NodeId timeout = kNoNode, lease = kNoNode, within = kNoNode;  // durations
  NodeId otherwise = kNoNode;                                   // the value behind `else`
  bool is_awaited = false;
  NodeKind kind = NodeKind::Call;  // or CallFlow, StartFlow
};
// Of a ModifiedCall, Await, CallFlow, StartFlow or Call.
CallParts call_parts(const Tree& tree, NodeId node);

struct TryParts {
  NodeId body = kNoNode;
  std::vector<NodeId> catches;
  NodeId finally = kNoNode;  // its Block
};
TryParts try_parts(const Tree& tree, NodeId node);

// Values that stand only right behind `=`, `return`, `yield`, or as a statement.
bool is_kept_call(NodeKind kind);  // Attempt, Await, ModifiedCall, CallFlow, StartFlow

}  // namespace flow
