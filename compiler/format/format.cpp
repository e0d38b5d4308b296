#include "compiler/format/format.hpp"

#include <algorithm>

#include "base/diagnostic.hpp"
#include "base/text.hpp"
#include "compiler/format/printer.hpp"
#include "compiler/parse/parse.hpp"

namespace flow {
namespace {

// The node's text without blanks, comments and the separators that an empty block may have.
std::string words(const Tree& tree, NodeId node) {
  const Span span = tree.span(node);
  if (tree.kind(node) == NodeKind::TextPiece || tree.kind(node) == NodeKind::Key)
    return std::string(tree.text(node));
  std::string out;
  auto comment =
      std::ranges::lower_bound(tree.comments, span.begin, {}, [](const Comment& c) { return c.span.begin; });
  for (std::uint32_t at = span.begin; at < span.end; ++at) {
    if (comment != tree.comments.end() && comment->span.begin == at) {
      at = (comment++)->span.end - 1;
      continue;
    }
    if (const char c = tree.source->text()[at]; !is_blank(c) && c != ';') out += c;
  }
  return out;
}

void outline(const Tree& tree, NodeId node, std::string& out) {
  out += node_name(tree.kind(node));
  const bool has_words = tree.kids(node).empty() && tree.kind(node) != NodeKind::File;
  if (has_words) out += " " + words(tree, node);
  out += '(';
  for (const NodeId kid : tree.kids(node)) outline(tree, kid, out);
  out += ")\n";
}

}  // namespace

std::string outline(const Tree& tree) {
  std::string out;
  outline(tree, tree.root, out);
  for (const Comment& comment : tree.comments) {
    std::string_view text = tree.source->slice(comment.span);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    out += std::string(text) + "\n";
  }
  return out;
}

Result<std::string> format(const Tree& tree) {
  std::string text = Printer(tree).print();
  Diagnostics diagnostics;
  const Tree again = parse(std::make_shared<const SourceFile>(tree.source->name(), text), 0, diagnostics);
  if (diagnostics.has_errors() || outline(again) != outline(tree))
    return error("this file could not be laid out without changing what it says; it stays as it is");
  return text;
}

}  // namespace flow
