#include "compiler/syntax/tree.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace flow {
namespace {

constexpr std::string_view kNodeNames[] = {
#define FLOW_NODE(name, children) #name,
#include "compiler/syntax/nodes.def"
#undef FLOW_NODE
};

void dump_node(const Tree& tree, NodeId id, int depth, std::string& out) {
  out.append(static_cast<std::size_t>(depth) * 2, ' ');
  out += node_name(tree.kind(id));
  if (tree.kids(id).empty()) {
    out += ' ';
    append_json_quoted(out, tree.text(id));
  }
  out += '\n';
  for (const NodeId kid : tree.kids(id)) dump_node(tree, kid, depth + 1, out);
}

bool only_blanks(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

}  // namespace

std::string_view node_name(NodeKind kind) {
  return kNodeNames[static_cast<std::size_t>(kind)];
}

std::uint32_t Tree::part_at(std::uint32_t offset) const {
  const auto after = std::ranges::upper_bound(parts, offset, {}, &TreePart::begin);
  return static_cast<std::uint32_t>(after - parts.begin()) - 1;
}

LineColumn Tree::position(NodeId id) const {
  if (parts.empty()) return source->position(nodes[id].begin);
  const TreePart& part = parts[part_at(nodes[id].begin)];
  return part.source->position(nodes[id].begin - part.begin);
}

NodeId Tree::find(NodeId id, NodeKind wanted) const {
  for (const NodeId kid : kids(id))
    if (kind(kid) == wanted) return kid;
  return kNoNode;
}

std::string Tree::doc_above(NodeId id) const {
  auto after =
      std::ranges::lower_bound(comments, nodes[id].begin, {}, [](const Comment& c) { return c.span.begin; });
  std::string doc;
  std::uint32_t edge = nodes[id].begin;
  while (after != comments.begin()) {
    --after;
    if (!after->is_doc || !only_blanks(source->slice({after->span.end, edge}))) break;
    std::string_view line = source->slice(after->span).substr(3);
    if (line.starts_with(' ')) line.remove_prefix(1);
    while (line.ends_with('\r')) line.remove_suffix(1);
    doc = doc.empty() ? std::string(line) : std::string(line) + "\n" + doc;
    edge = after->span.begin;
  }
  return doc;
}

std::string dump(const Tree& tree) {
  std::string out;
  if (tree.root != kNoNode) dump_node(tree, tree.root, 0, out);
  return out;
}

}  // namespace flow
