#include "compiler/resolve/not_yet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

namespace flow {
namespace {

struct Row {
  NodeKind kind;
  int words = 1;  // with so many words it begins; they are marked
};

constexpr Row kInDeclarations[] = {
    {NodeKind::Default},
};

bool is_word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

class Reporter {
 public:
  Reporter(const Tree& tree, std::span<const Row> rows, Diagnostics& diagnostics)
      : tree_(tree), rows_(rows), diagnostics_(diagnostics) {}

  void run() {
    if (tree_.root != kNoNode) walk(tree_.root);
  }

 private:
  void walk(NodeId node) {
    const auto row = std::ranges::find(rows_, tree_.kind(node), &Row::kind);
    if (row != rows_.end()) return report(node, row->words);
    for (const NodeId kid : tree_.kids(node)) walk(kid);
  }

  void report(NodeId node, int words) {
    const Span span = marked(node, words);
    diagnostics_
        .report(Code::NotYetSupported, tree_.file, span,
                fmt::format("`{}` is part of the language, but this version of Flow does not compile it yet",
                            tree_.source->slice(span)))
        .note("docs/language.md says what this version compiles");
  }

  Span marked(NodeId node, int words) const {
    const std::string& text = tree_.source->text();
    const std::uint32_t begin = tree_.span(node).begin;
    std::uint32_t end = begin;
    for (; words > 0; --words) {
      while (end < tree_.span(node).end && !is_word_char(text[end])) ++end;
      while (end < tree_.span(node).end && is_word_char(text[end])) ++end;
    }
    return {begin, end};
  }

  const Tree& tree_;
  std::span<const Row> rows_;
  Diagnostics& diagnostics_;
};

}  // namespace

void report_not_yet_declared(const Tree& tree, Diagnostics& diagnostics) {
  Reporter(tree, kInDeclarations, diagnostics).run();
}

}  // namespace flow
