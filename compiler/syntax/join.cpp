#include "compiler/syntax/join.hpp"

#include <utility>

#include "base/result.hpp"

namespace flow {
namespace {

void append(Tree& to, Tree tree, std::uint32_t text_begin) {
  const auto first_node = static_cast<NodeId>(to.nodes.size());
  const auto first_child = static_cast<std::uint32_t>(to.children.size());
  for (Node node : tree.nodes) {
    node.begin += text_begin;
    node.end += text_begin;
    node.first_child += first_child;
    to.nodes.push_back(node);
  }
  for (const NodeId child : tree.children) to.children.push_back(child + first_node);
  for (Comment comment : tree.comments) {
    comment.span.begin += text_begin;
    comment.span.end += text_begin;
    to.comments.push_back(comment);
  }
  to.parts.push_back({std::move(tree.source), text_begin, tree.root + first_node});
}

}  // namespace

Tree join(std::vector<Tree> trees) {
  FLOW_CHECK(!trees.empty(), "a tree is joined of one at least");
  Tree joined;
  joined.file = static_cast<std::uint32_t>(trees.size());  // no part's number: see to_parts()
  std::string text;
  const std::string name = trees.front().source->name();
  for (Tree& tree : trees) {
    const auto begin = static_cast<std::uint32_t>(text.size());
    text += tree.source->text();
    text += '\n';  // so that the end of one file is no place in the next
    append(joined, std::move(tree), begin);
  }
  joined.source = std::make_shared<const SourceFile>(name, std::move(text));
  joined.root = joined.parts.front().root;
  return joined;
}

void to_parts(const Tree& tree, Diagnostics& diagnostics) {
  if (tree.parts.empty()) return;
  const auto move = [&](std::uint32_t& file, Span& span) {
    if (file != tree.file) return;
    file = tree.part_at(span.begin);
    const std::uint32_t begin = tree.parts[file].begin;
    span = {span.begin - begin, span.end - begin};
  };
  diagnostics.relocate([&](Diagnostic& diagnostic) {
    for (Label& label : diagnostic.labels) move(label.file, label.span);
    for (FixIt& fix : diagnostic.fixes) {
      std::uint32_t file = diagnostic.file;  // fixes are made where the mistake is
      move(file, fix.span);
    }
    move(diagnostic.file, diagnostic.span);
  });
}

}  // namespace flow
