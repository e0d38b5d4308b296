// What stands between brackets, and what stands one below the other.
#include <algorithm>
#include <array>

#include "compiler/format/printer.hpp"

namespace flow {
namespace {

constexpr std::string_view kBlanks = "                                                  ";

bool is_word_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

}  // namespace

// An item with a name, whose value begins at `column` from where the item does.
void Printer::named_item(NodeId item, std::size_t column) {
  const NodeId name = tree_.kid(item, 0);
  const std::size_t wide = tree_.text(name).size() + 1;
  until(tree_.span(name).begin);
  node(name);
  sign(':');
  if (wide < column && !has_line_comment_ && !next().is_comment) {
    layout_.if_broken(kBlanks.substr(0, std::min(column - wide, kBlanks.size())));
  }
  until(tree_.kids(item).size() > 1 ? tree_.span(tree_.kid(item, 1)).begin : tree_.span(item).end);
  for (const NodeId kid : tree_.kids(item).subspan(1)) {
    until(tree_.span(kid).begin);
    node(kid);
  }
  until(tree_.span(item).end);
}

void Printer::bracketed(std::span<const NodeId> items, char close, bool is_padded) {
  while (next().is_comment) {
    const Token ahead = next();
    at_ = ahead.end;
    comment(ahead);
  }
  const Token open_at = next();
  word(std::string_view(text_).substr(open_at.begin, 1));
  at_ = open_at.begin + 1;
  if (items.empty()) {
    glue_ = !next().is_comment;
    sign(close);
    return;
  }
  // Values stand in a column where the author has set them so.
  std::size_t column = 0;
  bool is_aligned = false;
  for (const NodeId item : items) {
    const NodeKind kind = tree_.kind(item);
    if (kind != NodeKind::NamedArgument && kind != NodeKind::Entry) continue;
    const std::uint32_t end = tree_.span(tree_.kid(item, 0)).end;
    column = std::max(column, tree_.text(tree_.kid(item, 0)).size() + 1);
    is_aligned = is_aligned || text_.compare(end, 3, ":  ") == 0;
  }
  // Short words stand beside each other as long as there is room.
  const bool is_filled = std::ranges::all_of(items,
                                             [&](NodeId item) {
                                               const NodeKind kind = tree_.kind(item);
                                               return kind == NodeKind::EnumValue ||
                                                      kind == NodeKind::Ident || kind == NodeKind::Int ||
                                                      kind == NodeKind::Text;
                                             }) &&
                         close != ')';
  layout_.begin_group(lines_ahead() > 0);
  layout_.indent(kIndent);
  const auto place = [&] {
    if (has_line_comment_) {
      layout_.hard();
      has_line_comment_ = false;
    } else if (is_padded) {
      layout_.line();
    } else {
      layout_.soft();
    }
    last_ = {};
  };
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::uint32_t begin = tree_.span(items[i]).begin;
    // Comments before the item stand on lines of their own, or behind what stands before.
    while (next().begin < begin) {
      const Token ahead = next();
      at_ = ahead.end;
      if (ahead.is_comment) comment(ahead);
    }
    if (i == 0) {
      place();
    } else {
      if (has_line_comment_) {
        layout_.hard();
        has_line_comment_ = false;
      } else if (is_filled) {
        layout_.fill();
      } else {
        layout_.line();
      }
      last_ = {};
    }
    if (is_aligned &&
        (tree_.kind(items[i]) == NodeKind::NamedArgument || tree_.kind(items[i]) == NodeKind::Entry))
      named_item(items[i], column);
    else
      node(items[i]);
    if (i + 1 < items.size()) {
      if (has_line_comment_) {  // within the item, at its end
        layout_.hard();
        has_line_comment_ = false;
      }
      layout_.text(",");
      last_ = ",";
    }
  }
  layout_.if_broken(",");
  last_ = ",";
  for (Token ahead = next(); ahead.is_comment || text_[ahead.begin] == ','; ahead = next()) {
    at_ = ahead.end;
    if (ahead.is_comment) comment(ahead);
  }
  layout_.dedent(kIndent);
  place();
  layout_.end_group();
  glue_ = true;
  sign(close);
}

// Whether behind a line end it would be read as part of the statement before it: `retry` and others of these
// words are not reserved, and go on with a call where they may.
bool Printer::may_continue(NodeId statement) const {
  constexpr std::array<std::string_view, 7> kMayContinue = {"as",    "retry",  "backoff", "timeout",
                                                            "lease", "within", "finally"};
  const std::uint32_t begin = tree_.span(statement).begin;
  std::uint32_t end = begin;
  while (end < text_.size() && is_word_start(text_[end])) ++end;
  const std::string_view word = std::string_view(text_).substr(begin, end - begin);
  return std::ranges::find(kMayContinue, word) != kMayContinue.end();
}

// Whether a line end between the two would make one statement of them.
bool Printer::needs_semicolon(NodeId before, NodeId after) const {
  switch (tree_.kind(before)) {
    case NodeKind::Return:
    case NodeKind::Stop:
      if (tree_.kids(before).empty()) return true;
      break;
    case NodeKind::Wait:
    case NodeKind::Repeat:
    case NodeKind::RunFlow: return true;
    default: break;
  }
  return !is_word_start(text_[tree_.span(after).begin]) || may_continue(after);
}

bool Printer::is_semicolon_ahead(std::uint32_t end) {
  const std::uint32_t from = at_;
  bool is_there = false;
  for (Token ahead = next(); ahead.begin < end && ahead.end > ahead.begin && !is_there; ahead = next()) {
    at_ = ahead.end;
    is_there = !ahead.is_comment && text_[ahead.begin] == ';';
  }
  at_ = from;
  return is_there;
}

// Each item on its own line, with at most one empty line between. Ends behind what stands before `end`.
void Printer::sequence(std::span<const NodeId> items, std::uint32_t end) {
  bool is_first = true;
  for (std::size_t i = 0; i <= items.size(); ++i) {
    const std::uint32_t begin = i < items.size() ? tree_.span(items[i]).begin : end;
    int lines = 0;
    bool has_begun = false;  // with words before its node
    const auto begin_line = [&] {
      layout_.hard(!is_first && lines > 1);
      has_line_comment_ = false;
      last_ = {};
      is_first = false;
    };
    if (i > 0 && i < items.size() && may_continue(items[i]) && !is_semicolon_ahead(begin)) {
      glue_ = true;
      word(";");
    }
    for (Token ahead = next(); ahead.begin < begin && ahead.end > ahead.begin; ahead = next()) {
      at_ = ahead.end;
      lines += ahead.lines_before;
      if (ahead.is_comment) {
        if (is_first && ahead.lines_before > 0) {
          layout_.hard();
          last_ = {};
          has_line_comment_ = false;
          Token first = ahead;
          first.lines_before = 0;
          first.blanks_before = 0;
          comment(first);
        } else {
          comment(ahead);
        }
        is_first = false;
        lines = 0;
      } else if (text_[ahead.begin] == ';') {
        const bool is_arm = i > 0 && (tree_.kind(items[i - 1]) == NodeKind::MatchArm ||
                                      tree_.kind(items[i - 1]) == NodeKind::Step);
        if (is_arm || (i > 0 && i < items.size() && needs_semicolon(items[i - 1], items[i]))) {
          glue_ = true;
          word(";");
        }
      } else {
        const bool is_separator = text_[ahead.begin] == ',' || i == items.size();
        if (!is_separator && !has_begun) {
          begin_line();
          has_begun = true;
        }
        token(ahead);
      }
    }
    if (i == items.size()) break;
    lines += next().lines_before;
    if (!has_begun) begin_line();
    node(items[i]);
  }
}

// `{ items }`: on one line where the author wrote it so, it fits and it is one item (or several, when
// `is_separated`).
void Printer::braces(NodeId id, std::span<const NodeId> items, bool is_separated) {
  const std::uint32_t close = tree_.span(id).end - 1;
  sign('{');
  const bool has_comment = std::ranges::any_of(tree_.comments, [&](const Comment& comment) {
    return comment.span.begin >= at_ && comment.span.end <= close;
  });
  if (items.empty() && !has_comment) {
    glue_ = true;
    while (next().begin < close) at_ = next().end;  // semicolons
    at_ = close;
    sign('}');
    return;
  }
  const bool is_one_line = !has_comment && lines_ahead() == 0 && (items.size() == 1 || is_separated);
  layout_.begin_group(!is_one_line);
  layout_.indent(kIndent);
  if (is_one_line) {
    while (!items.empty() && next().begin < tree_.span(items[0]).begin && text_[next().begin] == ';')
      at_ = next().end;
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i > 0)
        for (Token ahead = next(); ahead.begin < tree_.span(items[i]).begin; ahead = next()) {
          at_ = ahead.end;
          token(ahead);
        }
      layout_.line();
      last_ = {};
      node(items[i]);
    }
    for (Token ahead = next(); ahead.begin < close; ahead = next()) {
      at_ = ahead.end;
      if (text_[ahead.begin] != ';') token(ahead);
    }
    layout_.dedent(kIndent);
    layout_.line();
  } else {
    sequence(items, close);
    layout_.dedent(kIndent);
    layout_.hard();
  }
  has_line_comment_ = false;
  layout_.end_group();
  last_ = {};
  glue_ = true;
  at_ = close;
  sign('}');
}

}  // namespace flow
