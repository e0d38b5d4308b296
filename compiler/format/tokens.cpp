// Signs, words and comments between nodes.
#include <algorithm>

#include "base/text.hpp"
#include "compiler/format/printer.hpp"

namespace flow {
namespace {

bool is_word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

constexpr std::string_view kTwoSigns[] = {"=>", "->", "?.", "??", "..", "==", "!=", "<=", ">="};

}  // namespace

int Printer::lines_between(std::uint32_t begin, std::uint32_t end) const {
  return static_cast<int>(std::count(text_.begin() + begin, text_.begin() + end, '\n'));
}

Printer::Token Printer::next() const {
  Token token{.begin = at_, .end = at_};
  const auto size = static_cast<std::uint32_t>(text_.size());
  while (token.begin < size && is_blank(text_[token.begin])) {
    token.lines_before += text_[token.begin] == '\n';
    ++token.begin;
  }
  token.blanks_before = token.begin - at_;
  token.end = token.begin;
  if (token.begin == size) return token;
  const auto comment = std::ranges::lower_bound(tree_.comments, token.begin, {},
                                                [](const Comment& c) { return c.span.begin; });
  if (comment != tree_.comments.end() && comment->span.begin == token.begin) {
    token.end = comment->span.end;
    token.is_comment = true;
    token.is_line_comment = text_[token.begin + 1] == '/';
    return token;
  }
  const std::string_view rest = std::string_view(text_).substr(token.begin);
  if (is_word_char(rest[0])) {
    while (token.end < size && is_word_char(text_[token.end])) ++token.end;
    return token;
  }
  token.end +=
      1 + std::ranges::any_of(kTwoSigns, [&](std::string_view sign) { return rest.starts_with(sign); });
  return token;
}

bool Printer::is_next(char sign) const {
  Printer ahead(tree_);
  ahead.at_ = at_;
  Token token = ahead.next();
  while (token.is_comment) {
    ahead.at_ = token.end;
    token = ahead.next();
  }
  return token.begin < text_.size() && text_[token.begin] == sign;
}

void Printer::until(std::uint32_t end) {
  for (Token ahead = next(); ahead.begin < end && ahead.end > ahead.begin; ahead = next()) {
    ahead.end = std::min(ahead.end, end);  // `>` and `=` of `List<Int>=[]`
    at_ = ahead.end;
    token(ahead);
  }
  at_ = std::max(at_, end);
}

void Printer::sign(char c) {
  for (Token ahead = next(); ahead.end > ahead.begin; ahead = next()) {
    at_ = ahead.end;
    token(ahead);
    if (!ahead.is_comment && text_[ahead.begin] == c) return;
  }
}

void Printer::token(const Token& token) {
  if (token.is_comment) return comment(token);
  word(std::string_view(text_).substr(token.begin, token.end - token.begin));
}

void Printer::comment(const Token& token) {
  std::string_view said = std::string_view(text_).substr(token.begin, token.end - token.begin);
  while (!said.empty() && is_blank(said.back())) said.remove_suffix(1);
  if (token.lines_before > 0 || has_line_comment_) {
    layout_.hard(token.lines_before > 1);
  } else if (!last_.empty()) {
    // Comments beside each other are often in line: their distance is the author's.
    layout_.text(
        std::string_view(text_).substr(token.begin - std::max(token.blanks_before, 0u), token.blanks_before));
    if (token.blanks_before == 0) layout_.text(" ");
  }
  layout_.text(said);
  last_ = said;
  glue_ = false;
  has_line_comment_ = token.is_line_comment;
  if (!token.is_line_comment && next().lines_before > 0) has_line_comment_ = true;
}

// Whether no blank belongs before `text`.
bool Printer::is_tight(std::string_view text) const {
  if (glue_ || last_.empty()) return true;
  if (text == "," || text == ";" || text == ")" || text == "]" || text == "." || text == "?." ||
      text == ".." || text == ":" || text == "?")
    return true;
  return last_ == "(" || last_ == "[" || last_ == "." || last_ == "?." || last_ == "..";
}

void Printer::word(std::string_view text) {
  if (has_line_comment_) {
    layout_.hard();
    has_line_comment_ = false;
  } else if (!is_tight(text)) {
    layout_.text(" ");
  }
  layout_.text(text);
  last_ = text;
  glue_ = false;
}

void Printer::verbatim(NodeId id) {
  word(tree_.text(id));
  at_ = tree_.span(id).end;
}

}  // namespace flow
