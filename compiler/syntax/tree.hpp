// The syntax tree of one source: what was written, before anything is known about names or types. Nodes lie
// in an arena in the order their ends were read, so children come before parents; a NodeId is an index into
// it. Built once by parse(), then never written: what a pass learns goes in its own table, indexed by NodeId.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/source.hpp"
#include "base/span.hpp"

namespace flow {

enum class NodeKind : std::uint8_t {
#define FLOW_NODE(name, children) name,
#include "compiler/syntax/nodes.def"
#undef FLOW_NODE
};
std::string_view node_name(NodeKind kind);

using NodeId = std::uint32_t;
inline constexpr NodeId kNoNode = 0xffffffff;

struct Node {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::uint32_t first_child = 0;  // index into Tree::children
  std::uint32_t child_count : 24 = 0;
  NodeKind kind : 8 = NodeKind::Bad;
};
static_assert(sizeof(Node) == 16);

struct Comment {
  Span span;
  bool is_doc = false;  // `///`
};

// One of the files that a joined tree is made of (join.hpp).
struct TreePart {
  std::shared_ptr<const SourceFile> source;
  std::uint32_t begin = 0;  // of its text in the joined text
  NodeId root = kNoNode;
};

struct Tree {
  std::shared_ptr<const SourceFile> source;
  std::uint32_t file = 0;  // its number in diagnostics
  std::vector<Node> nodes;
  std::vector<NodeId> children;
  std::vector<Comment> comments;  // in order
  NodeId root = kNoNode;
  std::vector<TreePart> parts;  // in the order of their texts; empty when the tree is of one file

  const Node& operator[](NodeId id) const { return nodes[id]; }
  NodeKind kind(NodeId id) const { return nodes[id].kind; }
  Span span(NodeId id) const { return {nodes[id].begin, nodes[id].end}; }
  std::string_view text(NodeId id) const { return source->slice(span(id)); }
  std::span<const NodeId> kids(NodeId id) const {
    return {children.data() + nodes[id].first_child, nodes[id].child_count};
  }
  NodeId kid(NodeId id, std::size_t i) const { return children[nodes[id].first_child + i]; }
  // Where the node begins in its own file.
  LineColumn position(NodeId id) const;
  std::uint32_t line(NodeId id) const { return position(id).line; }
  // The part in which `offset` lies, of a joined tree.
  std::uint32_t part_at(std::uint32_t offset) const;
  // First child of that kind, or kNoNode.
  NodeId find(NodeId id, NodeKind kind) const;
  // The `///` lines right above `id`, without their slashes, joined by newlines.
  std::string doc_above(NodeId id) const;
};

// One node a line, indented, with its text where it has no children: what `flow check --tree` prints.
std::string dump(const Tree& tree);

}  // namespace flow
