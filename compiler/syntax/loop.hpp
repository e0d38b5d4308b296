// The parts of a For or ForExpr, whose clauses stand between its list and its block in any order.
#pragma once

#include "compiler/syntax/tree.hpp"

namespace flow {

struct LoopParts {
  NodeId item = kNoNode;
  NodeId position = kNoNode;  // none when it is not named
  NodeId list = kNoNode;
  std::span<const NodeId> clauses;  // AtOnce, OnErrorCollect, OnErrorStop, LoopLimit
  NodeId at_once = kNoNode;         // the count; kNoNode: in order
  NodeId limit = kNoNode;           // the count
  bool truncates = false;           // what is over the limit is left out
  bool collects = false;            // `on error collect`
  NodeId body = kNoNode;
};
LoopParts loop_parts(const Tree& tree, NodeId loop);

}  // namespace flow
