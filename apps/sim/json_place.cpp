#include "apps/sim/json_place.hpp"

#include <algorithm>

namespace flow::sim {
namespace {

constexpr int kDeepest = 64;

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  std::size_t at() const { return at_; }

  bool is_document() {
    if (!skip_value(0)) return false;
    skip_space();
    return at_ == text_.size();
  }

  // Offset of the value that the rest of the path, from `step` on, leads to.
  std::size_t find(const std::vector<std::string>& path, std::size_t step) {
    skip_space();
    const std::size_t here = at_;
    if (step == path.size() || at_ == text_.size()) return here;
    const bool is_object = text_[at_] == '{';
    if (!is_object && text_[at_] != '[') return here;
    const char close = is_object ? '}' : ']';
    ++at_;
    for (std::size_t index = 0; !next_is(close) && at_ < text_.size(); ++index) {
      std::string name = "[" + std::to_string(index) + "]";
      if (is_object) {
        skip_space();
        const std::size_t start = at_ + 1;
        if (!skip_text() || at_ < start + 1) return here;
        name = std::string(text_.substr(start, at_ - start - 1));
        if (!take(':')) return here;
      }
      if (name == path[step]) return find(path, step + 1);
      if (!skip_value(0) || !take(',')) return here;
    }
    return here;
  }

 private:
  void skip_space() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos)
      ++at_;
  }
  bool next_is(char c) {
    skip_space();
    return at_ < text_.size() && text_[at_] == c;
  }
  bool take(char c) {
    if (!next_is(c)) return false;
    ++at_;
    return true;
  }
  bool skip_text() {
    if (!take('"')) return false;
    for (; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (static_cast<unsigned char>(text_[at_]) < 0x20) return false;
      if (text_[at_] == '\\') ++at_;
    }
    if (at_ >= text_.size()) {
      at_ = text_.size();
      return false;
    }
    ++at_;
    return true;
  }
  bool skip_word() {
    const std::size_t start = at_;
    while (at_ < text_.size() &&
           std::string_view(" \t\r\n,]}:\"[{").find(text_[at_]) == std::string_view::npos)
      ++at_;
    const std::string_view word = text_.substr(start, at_ - start);
    const bool is_number = !word.empty() && (word[0] == '-' || (word[0] >= '0' && word[0] <= '9')) &&
                           word.find_first_not_of("+-.eE0123456789") == std::string_view::npos;
    if (is_number || word == "true" || word == "false" || word == "null") return true;
    at_ = start;
    return false;
  }
  bool skip_members(int depth, char close, bool has_names) {
    ++at_;
    if (take(close)) return true;
    do {
      if (has_names && (!next_is('"') || !skip_text() || !take(':'))) return false;
      if (!skip_value(depth + 1)) return false;
    } while (take(','));
    return take(close);
  }
  bool skip_value(int depth) {
    skip_space();
    if (depth > kDeepest || at_ == text_.size()) return false;
    if (text_[at_] == '{') return skip_members(depth, '}', true);
    if (text_[at_] == '[') return skip_members(depth, ']', false);
    return text_[at_] == '"' ? skip_text() : skip_word();
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

TextPlace place_at(std::string_view text, std::size_t offset) {
  TextPlace place;
  for (const char c : text.substr(0, offset)) {
    if (c == '\n') {
      ++place.line;
      place.column = 1;
    } else if ((static_cast<unsigned char>(c) & 0xc0u) != 0x80u) {
      ++place.column;
    }
  }
  return place;
}

}  // namespace

TextPlace place_of(std::string_view text, const std::vector<std::string>& path) {
  return place_at(text, Scanner(text).find(path, 0));
}

std::optional<TextPlace> first_mistake(std::string_view text) {
  Scanner scanner(text);
  if (scanner.is_document()) return std::nullopt;
  return place_at(text, scanner.at());
}

}  // namespace flow::sim
