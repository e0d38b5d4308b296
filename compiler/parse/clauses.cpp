#include "compiler/parse/clauses.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace flow {
namespace {

// Where clauses stand.
bool has_clauses(NodeKind kind) {
  return kind == NodeKind::ModifiedCall || kind == NodeKind::Flow || kind == NodeKind::For ||
         kind == NodeKind::ForExpr || kind == NodeKind::Repeat;
}

// A flow may have several `limit` and `protect`.
bool stands_once(NodeKind kind) {
  switch (kind) {
    case NodeKind::OncePer:
    case NodeKind::Within:
    case NodeKind::AtOnce:
    case NodeKind::Priority:
    case NodeKind::Tenants:
    case NodeKind::DryRun:
    case NodeKind::OnErrorCollect:
    case NodeKind::OnErrorStop:
    case NodeKind::LoopLimit:
    case NodeKind::Every:
    case NodeKind::Times:
    case NodeKind::Retry:
    case NodeKind::Backoff:
    case NodeKind::Timeout:
    case NodeKind::Lease: return true;
    default: return false;
  }
}

bool are_alike(NodeKind a, NodeKind b) {
  const auto is_on_error = [](NodeKind kind) {
    return kind == NodeKind::OnErrorCollect || kind == NodeKind::OnErrorStop;
  };
  return a == b || (is_on_error(a) && is_on_error(b));
}

}  // namespace

void report_repeated_clauses(const Tree& tree, Diagnostics& diagnostics) {
  for (NodeId node = 0; node < tree.nodes.size(); ++node) {
    if (!has_clauses(tree.kind(node))) continue;
    const auto kids = tree.kids(node);
    for (std::size_t i = 1; i < kids.size(); ++i) {
      if (!stands_once(tree.kind(kids[i]))) continue;
      const auto first = std::ranges::find_if(
          kids.first(i), [&](NodeId kid) { return are_alike(tree.kind(kid), tree.kind(kids[i])); });
      if (first == kids.begin() + static_cast<std::ptrdiff_t>(i)) continue;
      diagnostics
          .report(Code::SyntaxError, tree.file, tree.span(kids[i]),
                  "this may be said once, and was said before")
          .label(tree.span(*first), "first said here");
    }
  }
}

}  // namespace flow
