#include "compiler/parse/recover.hpp"

#include <algorithm>

#include "grammar/words.hpp"

namespace flow {
namespace {

constexpr std::string_view kStatementWords[] = {"let",     "var",   "if",       "log",    "stop", "fail",
                                                "for",     "match", "parallel", "repeat", "wait", "await",
                                                "attempt", "try",   "steps",    "return", "yield"};
constexpr std::string_view kDeclarationWords[] = {"flow",   "on",   "connector", "param", "secret",
                                                  "record", "enum", "fn",        "use",   "test"};
constexpr std::string_view kPolicyWords[] = {"once", "limit", "protect", "within", "priority"};
constexpr std::string_view kTestWords[] = {"given", "expect", "after", "run"};
constexpr std::string_view kMemberWords[] = {"base",   "auth", "quota", "enum",   "ordered",
                                             "record", "read", "act",   "notify", "trigger"};

std::string_view word_at(std::string_view text, std::size_t at) {
  if (at >= text.size() || !grammar::is_word_start(text[at])) return {};
  std::size_t end = at;
  while (end < text.size() && grammar::is_word_char(text[end])) ++end;
  return text.substr(at, end - at);
}

template <std::size_t N>
bool is_one_of(std::string_view word, const std::string_view (&words)[N]) {
  return std::ranges::find(words, word) != std::end(words);
}

bool begins_like_call(std::string_view text, std::size_t at) {
  const std::string_view word = word_at(text, at);
  if (word.empty() || grammar::is_keyword(word)) return false;
  std::size_t after = at + word.size();
  while (after < text.size() && (text[after] == '.' || grammar::is_word_char(text[after]))) ++after;
  return after < text.size() && text[after] == '(';
}

// `cut: isolate(…)`
bool begins_like_step(std::string_view text, std::size_t at) {
  const std::string_view word = word_at(text, at);
  return !word.empty() && at + word.size() < text.size() && text[at + word.size()] == ':';
}

// `total = …` and `count[…] = …`, not `total == …` and not `total => …`.
bool begins_like_assignment(std::string_view text, std::size_t at) {
  const std::string_view word = word_at(text, at);
  if (word.empty() || grammar::is_keyword(word)) return false;
  std::size_t after = at + word.size();
  for (int open = 0; after < text.size() && text[after] != '\n'; ++after) {
    open += text[after] == '[';
    if (open == 0) break;
    open -= text[after] == ']';
  }
  while (after < text.size() && text[after] == ' ') ++after;
  if (after + 1 < text.size() && text[after + 1] == '=' &&
      std::string_view("+-*/%").find(text[after]) != std::string_view::npos)
    return true;  // a mistake of its own
  return after + 1 < text.size() && text[after] == '=' && text[after + 1] != '=' && text[after + 1] != '>';
}

class Skipper {
 public:
  Skipper(std::string_view text, std::uint32_t first, std::uint32_t offset, Resume resume)
      : text_(text), at_(first), resume_(resume) {
    while (at_ < offset) step();  // braces that are open at the mistake
    at_ = std::min(std::max(at_, offset), static_cast<std::uint32_t>(text.size()));
    was_line_start_ = false;
  }

  std::uint32_t run() {
    bool is_line_start = begins_line();
    for (; at_ < text_.size(); is_line_start = step()) {
      if (may_resume(is_line_start)) return at_;
      if (resume_ == Resume::Statement && braces_ <= 0 && text_[at_] == ';') return at_ + 1;
    }
    return static_cast<std::uint32_t>(text_.size());
  }

 private:
  bool begins_line() const {
    std::size_t i = at_;
    while (i > 0 && (text_[i - 1] == ' ' || text_[i - 1] == '\t')) --i;
    return i == 0 || text_[i - 1] == '\n';
  }

  bool may_resume(bool is_line_start) const {
    const std::string_view word = word_at(text_, at_);
    const bool is_word_begin = !word.empty() && (at_ == 0 || !grammar::is_word_char(text_[at_ - 1]));
    switch (resume_) {
      case Resume::Statement:
        if (braces_ <= 0 && text_[at_] == '}') return true;
        return is_line_start && braces_ <= 0 &&
               (is_one_of(word, kStatementWords) || is_one_of(word, kDeclarationWords) || is_undo() ||
                begins_like_call(text_, at_) || begins_like_assignment(text_, at_));
      case Resume::Trigger:
        if (is_word_begin && word == "when") return true;
        [[fallthrough]];
      case Resume::Condition:
        return is_word_begin && (word == "do" || (is_line_start && (is_one_of(word, kPolicyWords) ||
                                                                    begins_declaration(word))));
      case Resume::Arm:
        if (braces_ <= 0 && text_[at_] == '}') return true;
        return is_line_start && braces_ <= 0 && line_has_arrow();
      case Resume::Step:
        if (braces_ <= 0 && text_[at_] == '}') return true;
        return is_line_start && braces_ <= 0 && begins_like_step(text_, at_);
      case Resume::Test:
        if (braces_ <= 0 && text_[at_] == '}') return true;
        return is_line_start && braces_ <= 0 && is_one_of(word, kTestWords);
      case Resume::Member:
        if (braces_ <= 0 && text_[at_] == '}') return true;
        return is_line_start && is_one_of(word, kMemberWords) && braces_ <= 0;
      case Resume::Declaration: return is_line_start && begins_declaration(word);
      case Resume::None: return true;
    }
    return true;
  }

  bool begins_declaration(std::string_view word) const {
    if (word == "ordered") return second_word() == "enum";
    if (word == "native") return second_word() == "fn";
    return is_one_of(word, kDeclarationWords) && (word != "on" || (second_word() != "error" && !is_undo()));
  }

  bool is_undo() const { return text_.substr(at_).starts_with("on ") && second_word() == "undo"; }

  // Of two words with blanks between.
  std::string_view second_word() const {
    const std::size_t blank = at_ + word_at(text_, at_).size();
    return word_at(text_, std::min(text_.find_first_not_of(' ', blank), text_.size()));
  }

  // Texts are not passed over: this is a guess, and a wrong one only costs a message.
  bool line_has_arrow() const {
    const std::size_t arrow = text_.find("=>", at_);
    return arrow < text_.find('\n', at_);
  }

  // Moves on by one sign; texts and comments count as one. Returns whether a line (but for blanks) begins
  // there.
  bool step() {
    const char c = text_[at_];
    if (c == '"') {
      std::size_t end = at_ + 1;
      while (end < text_.size() && text_[end] != '"' && text_[end] != '\n') end += text_[end] == '\\' ? 2 : 1;
      at_ = static_cast<std::uint32_t>(
          std::min(end < text_.size() && text_[end] == '"' ? end + 1 : end, text_.size()));
      return false;
    }
    if (c == '/' && at_ + 1 < text_.size() && text_[at_ + 1] == '/') {
      at_ = static_cast<std::uint32_t>(std::min(text_.find('\n', at_), text_.size()));
      return false;
    }
    if (c == '{') ++braces_;
    if (c == '}') --braces_;
    ++at_;
    if (c == '\n' || was_line_start_) {
      was_line_start_ = at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r');
      return true;
    }
    return false;
  }

  std::string_view text_;
  std::uint32_t at_;
  Resume resume_;
  int braces_ = 0;
  bool was_line_start_ = false;
};

}  // namespace

std::uint32_t resume_offset(std::string_view text, std::uint32_t first, std::uint32_t offset, Resume resume) {
  // What is missing at the end of a line is noticed on the next: that line may be the place to go on.
  return Skipper(text, first, offset, resume).run();
}

Span declared_name(std::string_view text, std::uint32_t first, std::uint32_t end) {
  static constexpr std::string_view kDeclaring[] = {"let",    "var",  "param", "secret",
                                                    "record", "enum", "fn",    "use"};
  std::string_view word = word_at(text, first);
  if (word == "ordered" || word == "native") {
    first =
        static_cast<std::uint32_t>(std::min(text.find_first_not_of(" \t", first + word.size()), text.size()));
    word = word_at(text, first);
  }
  if (!is_one_of(word, kDeclaring)) return {};
  auto at = first + static_cast<std::uint32_t>(word.size());
  while (at < end && (text[at] == ' ' || text[at] == '\t')) ++at;
  const std::string_view name = word_at(text, at);
  if (name.empty() || at + name.size() > end) return {};
  return {at, at + static_cast<std::uint32_t>(name.size())};
}

}  // namespace flow
