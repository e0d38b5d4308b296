#include "vm/interp/json_scan.hpp"

#include <cstring>
#include <string>

#include "vm/interp/json_scalar.hpp"

namespace flow {
namespace {

// Goes over a text from token to token. Past its end there is '\0'.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  char peek() {
    while (at_ != end_ && is_json_blank(*at_)) ++at_;
    return at_ == end_ ? '\0' : *at_;
  }
  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  // A value with all that is in it, or what stands where one was expected.
  std::string_view value() {
    const char first = peek();
    const char* const begin = at_;
    if (first == '"')
      skip_text();
    else if (first == '{' || first == '[')
      skip_nested();
    else
      while (at_ != end_ && !ends_scalar(*at_)) ++at_;
    return {begin, static_cast<std::size_t>(at_ - begin)};
  }

 private:
  static bool ends_scalar(char c) { return c == ',' || c == '}' || c == ']' || c == ':' || is_json_blank(c); }

  // From a quote to behind the one that ends the text: one with an even number of backslashes before it.
  void skip_text() {
    const char* const begin = ++at_;
    for (;;) {
      const void* found = at_ == end_ ? nullptr : std::memchr(at_, '"', static_cast<std::size_t>(end_ - at_));
      if (found == nullptr) {
        at_ = end_;
        return;
      }
      const char* const quote = static_cast<const char*>(found);
      at_ = quote + 1;
      const char* before = quote;
      while (before != begin && before[-1] == '\\') --before;
      if ((quote - before) % 2 == 0) return;
    }
  }
  void skip_nested() {
    std::size_t depth = 0;
    while (at_ != end_) {
      switch (*at_) {
        case '"': skip_text(); continue;
        case '{':
        case '[': ++depth; break;
        case '}':
        case ']': --depth; break;
        default: break;
      }
      ++at_;
      if (depth == 0) return;
    }
  }

  const char* at_;
  const char* const end_;
};

void append_utf8(std::string& out, unsigned code) {
  const auto add = [&](unsigned byte) { out += static_cast<char>(byte); };
  if (code < 0x80) return add(code);
  if (code < 0x800) return add(0xc0 | code >> 6), add(0x80 | (code & 0x3f));
  if (code < 0x10000) {
    add(0xe0 | code >> 12);
  } else {
    add(0xf0 | code >> 18);
    add(0x80 | (code >> 12 & 0x3f));
  }
  add(0x80 | (code >> 6 & 0x3f));
  add(0x80 | (code & 0x3f));
}

// Four hexadecimal digits; nothing else is there.
std::optional<unsigned> hex4(std::string_view text) {
  unsigned code = 0;
  if (text.size() < 4) return std::nullopt;
  const auto read = std::from_chars(text.data(), text.data() + 4, code, 16);
  return read.ec == std::errc() && read.ptr == text.data() + 4 ? std::optional(code) : std::nullopt;
}

// What a text without its quotes says; nothing when it is malformed.
std::optional<std::string> unescaped(std::string_view raw) {
  std::string text;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '\\') {
      text += raw[i];
      continue;
    }
    if (++i == raw.size()) return std::nullopt;
    constexpr std::string_view kEscapes = "\"\\/bfnrt", kMeanings = "\"\\/\b\f\n\r\t";
    if (const std::size_t known = kEscapes.find(raw[i]); known != std::string_view::npos) {
      text += kMeanings[known];
      continue;
    }
    std::optional<unsigned> code = raw[i] == 'u' ? hex4(raw.substr(i + 1)) : std::nullopt;
    if (!code) return std::nullopt;
    i += 4;
    if (*code >= 0xd800 && *code < 0xdc00) {  // the first half of a pair
      const auto low = raw.substr(i + 1).starts_with("\\u") ? hex4(raw.substr(i + 3)) : std::nullopt;
      if (!low || *low < 0xdc00 || *low > 0xdfff) return std::nullopt;
      code = 0x10000 + ((*code - 0xd800) << 10) + (*low - 0xdc00);
      i += 6;
    }
    append_utf8(text, *code);
  }
  return text;
}

bool is_key(std::string_view token, std::string_view name) {
  if (token.size() < 2 || token.front() != '"' || token.back() != '"') return false;
  const std::string_view raw = token.substr(1, token.size() - 2);
  if (raw.find('\\') == std::string_view::npos) return raw == name;
  return unescaped(raw) == name;
}

}  // namespace

std::optional<std::string_view> scan_member(std::string_view json, std::string_view name) {
  Scanner scanner(json);
  std::optional<std::string_view> found;
  if (!scanner.take('{')) return found;
  while (scanner.peek() == '"') {
    const std::string_view key = scanner.value();
    if (!scanner.take(':')) break;
    const std::string_view value = scanner.value();
    if (is_key(key, name)) found = value;
    if (!scanner.take(',')) break;
  }
  return found;
}

std::optional<std::string_view> scan_item(std::string_view json, std::int64_t index) {
  Scanner scanner(json);
  if (index < 0 || !scanner.take('[') || scanner.peek() == ']') return std::nullopt;
  for (;; --index) {
    const std::string_view value = scanner.value();
    if (index == 0) return value.empty() ? std::nullopt : std::optional(value);
    if (!scanner.take(',')) return std::nullopt;
  }
}

}  // namespace flow
