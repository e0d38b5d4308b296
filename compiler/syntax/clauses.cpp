#include "compiler/syntax/clauses.hpp"

namespace flow {

RepeatParts repeat_parts(const Tree& tree, NodeId repeat) {
  RepeatParts parts;
  for (const NodeId kid : tree.kids(repeat)) {
    switch (tree.kind(kid)) {
      case NodeKind::Every: parts.every = tree.kid(kid, 0); break;
      case NodeKind::Within: parts.within = tree.kid(kid, 0); break;
      case NodeKind::Times: parts.times = tree.kid(kid, 0); break;
      case NodeKind::Until: parts.until = tree.kid(kid, 0); break;
      case NodeKind::Block: (parts.body == kNoNode ? parts.body : parts.otherwise) = kid; break;
      default: break;
    }
  }
  return parts;
}

CallParts call_parts(const Tree& tree, NodeId node) {
  CallParts parts;
  NodeId at = node;
  if (tree.kind(node) == NodeKind::ModifiedCall) {
    at = tree.kid(node, 0);
    for (const NodeId kid : tree.kids(node).subspan(1)) {
      switch (tree.kind(kid)) {
        case NodeKind::Retry: parts.retry = tree.kid(kid, 0); break;
        case NodeKind::Backoff: parts.backoff = kid; break;
        case NodeKind::Timeout: parts.timeout = tree.kid(kid, 0); break;
        case NodeKind::Lease: parts.lease = tree.kid(kid, 0); break;
        case NodeKind::Within: parts.within = tree.kid(kid, 0); break;
        case NodeKind::Else: parts.otherwise = tree.kid(kid, 0); break;
        default: break;
      }
    }
  }
  if (tree.kind(at) == NodeKind::Await) {
    parts.is_awaited = true;
    at = tree.kid(at, 0);
  }
  if (tree.kind(at) == NodeKind::CallFlow || tree.kind(at) == NodeKind::StartFlow) {
    parts.kind = tree.kind(at);
    at = tree.kid(at, 0);
  }
  parts.call = at;
  return parts;
}

TryParts try_parts(const Tree& tree, NodeId node) {
  TryParts parts;
  for (const NodeId kid : tree.kids(node)) {
    switch (tree.kind(kid)) {
      case NodeKind::Block: parts.body = kid; break;
      case NodeKind::Catch: parts.catches.push_back(kid); break;
      case NodeKind::Finally: parts.finally = tree.kid(kid, 0); break;
      default: break;
    }
  }
  return parts;
}

bool is_kept_call(NodeKind kind) {
  return kind == NodeKind::Attempt || kind == NodeKind::Await || kind == NodeKind::ModifiedCall ||
         kind == NodeKind::CallFlow || kind == NodeKind::StartFlow;
}

}  // namespace flow
