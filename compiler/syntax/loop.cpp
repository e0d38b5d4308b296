#include "compiler/syntax/loop.hpp"

namespace flow {

LoopParts loop_parts(const Tree& tree, NodeId loop) {
  const auto kids = tree.kids(loop);
  std::size_t clauses = kids.size() - 1;
  for (;; --clauses) {
    const NodeKind kind = tree.kind(kids[clauses - 1]);
    if (kind != NodeKind::AtOnce && kind != NodeKind::OnErrorCollect && kind != NodeKind::OnErrorStop &&
        kind != NodeKind::LoopLimit)
      break;
  }
  LoopParts parts{.item = kids[0],
                  .position = clauses == 3 ? kids[1] : kNoNode,
                  .list = kids[clauses - 1],
                  .clauses = kids.subspan(clauses, kids.size() - 1 - clauses),
                  .body = kids.back()};
  for (const NodeId clause : parts.clauses) {
    switch (tree.kind(clause)) {
      case NodeKind::AtOnce: parts.at_once = tree.kid(clause, 0); break;
      case NodeKind::OnErrorCollect: parts.collects = true; break;
      case NodeKind::LoopLimit:
        parts.limit = tree.kid(clause, 0);
        parts.truncates = tree.kids(clause).size() == 2;
        break;
      default: break;
    }
  }
  return parts;
}

}  // namespace flow
