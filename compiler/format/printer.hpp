// From a tree to a layout. What stands between a node's children (signs, words, comments) is read from the
// text once more, so nothing can be lost: a node's printer only says where blanks and line ends go.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "compiler/format/layout.hpp"
#include "compiler/syntax/tree.hpp"

namespace flow {

inline constexpr int kIndent = 4;  // columns

class Printer {
 public:
  explicit Printer(const Tree& tree) : tree_(tree), text_(tree.source->text()) {}
  std::string print();

 private:
  struct Token {
    std::uint32_t begin = 0, end = 0;
    int lines_before = 0;  // line ends between it and what stands before
    std::uint32_t blanks_before = 0;
    bool is_comment = false;
    bool is_line_comment = false;
  };

  // ---- printer.cpp: nodes
  void node(NodeId id);
  void children(NodeId id);  // one behind the other, with what stands between
  void flow(NodeId id);
  void condition(NodeId id);
  void lone_statements(NodeId block);
  void block(NodeId id);
  void operands(NodeId id);
  void chain(std::span<const NodeId> nodes, std::size_t step, int indent);
  void joined(NodeId id, std::size_t first);  // children from `first` on may each begin a line
  void member(NodeId id);                     // `object.name`

  // ---- lists.cpp: what stands between brackets, and what stands one below the other
  // `items` in brackets, the first of which comes next and the last of which is `close`.
  void bracketed(std::span<const NodeId> items, char close, bool is_padded);
  void named_item(NodeId item, std::size_t column);
  // Up to `end`, with what stands between and behind them.
  void sequence(std::span<const NodeId> items, std::uint32_t end);
  void braces(NodeId id, std::span<const NodeId> items, bool is_separated);
  bool needs_semicolon(NodeId before, NodeId after) const;
  bool may_continue(NodeId statement) const;
  bool is_semicolon_ahead(std::uint32_t end);

  // ---- tokens.cpp: signs, words and comments between nodes
  Token next() const;             // from `at_` on
  bool is_next(char sign) const;  // passes over comments
  void until(std::uint32_t end);  // says everything up to there
  void sign(char c);              // says everything up to and including `c`
  void token(const Token& token);
  void comment(const Token& token);
  void word(std::string_view text);  // with a blank before it where one belongs
  bool is_tight(std::string_view text) const;
  void verbatim(NodeId id);
  int lines_between(std::uint32_t begin, std::uint32_t end) const;
  int lines_ahead() const { return next().lines_before; }

  const Tree& tree_;
  const std::string& text_;
  Layout layout_;
  std::uint32_t at_ = 0;           // everything before is said
  std::string_view last_;          // what was said last, empty where a line or a group of blanks begins
  bool glue_ = false;              // no blank before the next word
  bool has_line_comment_ = false;  // the line must end before anything else is said
};

}  // namespace flow
