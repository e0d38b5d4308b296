#include "apps/sim/kql/lexer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.hpp"

namespace flow::kql {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
}
bool is_name_part(char c) {
  return is_name_start(c) || is_digit(c);
}

constexpr std::string_view kMarks[] = {"<=", ">=", "==", "!=", "<>", "=~", "!~", "..", "=>", "|",
                                       ";",  ",",  "(",  ")",  "[",  "]",  "{",  "}",  ".",  "+",
                                       "-",  "*",  "/",  "%",  "=",  "<",  ">",  ":",  "?"};
// `datetime(` and so on: what is between the parentheses is read as it stands.
constexpr std::string_view kRawTypes[] = {"datetime", "date", "timespan", "time", "dynamic", "guid"};

// JSON as queries write it: single quotes are quotes too.
std::string with_double_quotes(std::string_view text) {
  std::string json;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char quote = text[i];
    if (quote != '\'' && quote != '"') {
      json += quote;
      continue;
    }
    json += '"';
    for (++i; i < text.size() && text[i] != quote; ++i) {
      if (text[i] == '\\' && i + 1 < text.size()) {
        if (text[i + 1] != '\'') json += '\\';
        json += text[++i];
      } else {
        if (text[i] == '"') json += '\\';
        json += text[i];
      }
    }
    json += '"';
  }
  return json;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\n')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\n')) text.remove_suffix(1);
  return text;
}

class Lexer {
 public:
  explicit Lexer(std::string_view query) : query_(query) {}

  Result<std::vector<Token>> read() {
    while (true) {
      skip_blanks();
      Token token;
      token.at = at_;
      if (at_ < query_.size()) FLOW_TRY_STATUS(read_token(token));
      token.end = at_;
      tokens_.push_back(std::move(token));
      if (tokens_.back().kind == Token::Kind::End) return std::move(tokens_);
    }
  }

 private:
  char peek(std::size_t ahead = 0) const { return at_ + ahead < query_.size() ? query_[at_ + ahead] : '\0'; }

  tl::unexpected<Error> wrong(std::size_t at, const std::string& message) const {
    return error(fmt::format("Query could not be parsed at {} on line {}: {}",
                             quoted_line(query_.substr(at).substr(0, 40), 20), place_of(query_, at),
                             message));
  }

  void skip_blanks() {
    while (at_ < query_.size()) {
      const char c = query_[at_];
      if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
        ++at_;
      } else if (c == '/' && peek(1) == '/') {
        at_ = std::min(query_.find('\n', at_), query_.size());
      } else {
        return;
      }
    }
  }

  Status read_token(Token& token) {
    const char c = peek();
    const bool is_hidden = (c == 'h' || c == 'H') && (peek(1) == '"' || peek(1) == '\'' || peek(1) == '@');
    if (is_hidden) ++at_;  // h"…" is a text that logs do not show
    if (query_.substr(at_).starts_with("```")) return read_block(token);
    if (peek() == '@' && (peek(1) == '"' || peek(1) == '\'')) return read_verbatim(token);
    if (peek() == '"' || peek() == '\'') return read_text(token);
    if (is_digit(c)) return read_number(token);
    if (is_name_start(c)) return read_name(token);
    // !in, !has and the like are one word.
    if (c == '!' && is_name_start(peek(1))) {
      ++at_;
      FLOW_TRY_STATUS(read_name(token));
      token.text.insert(0, 1, '!');
      return {};
    }
    for (const std::string_view mark : kMarks) {
      if (!query_.substr(at_).starts_with(mark)) continue;
      at_ += mark.size();
      token.kind = Token::Kind::Mark;
      token.text = mark;
      return {};
    }
    return wrong(at_, "this character has no meaning here");
  }

  Status read_block(Token& token) {
    const std::size_t start = at_ + 3, end = query_.find("```", start);
    if (end == std::string_view::npos) return wrong(at_, "the text has no end");
    set_text(token, std::string(query_.substr(start, end - start)));
    at_ = end + 3;
    return {};
  }

  Status read_verbatim(Token& token) {
    const std::size_t start = at_;
    const char quote = query_[++at_];
    std::string text;
    for (++at_; at_ < query_.size(); ++at_) {
      if (query_[at_] != quote) {
        text += query_[at_];
      } else if (peek(1) == quote) {
        text += query_[at_++];
      } else {
        ++at_;
        set_text(token, std::move(text));
        return {};
      }
    }
    return wrong(start, "the text has no end");
  }

  Status read_text(Token& token) {
    const std::size_t start = at_;
    const char quote = query_[at_++];
    std::string text;
    while (at_ < query_.size() && query_[at_] != quote && query_[at_] != '\n') {
      if (query_[at_] == '\\')
        FLOW_TRY_STATUS(read_escape(text));
      else
        text += query_[at_++];
    }
    if (peek() != quote) return wrong(start, "the text has no end");
    ++at_;
    set_text(token, std::move(text));
    return {};
  }

  Status read_escape(std::string& text) {
    const std::size_t start = at_++;
    const char c = peek();
    ++at_;
    switch (c) {
      case 'n': text += '\n'; return {};
      case 't': text += '\t'; return {};
      case 'r': text += '\r'; return {};
      case '0': text += '\0'; return {};
      case '\\':
      case '"':
      case '\'': text += c; return {};
      case 'u': {
        const std::string_view digits = query_.substr(std::min(at_, query_.size())).substr(0, 4);
        unsigned code = 0;
        const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
        if (digits.size() != 4 || read.ptr != digits.data() + 4 || (code >= 0xd800 && code < 0xe000))
          return wrong(start, "\\u wants the four hexadecimal digits of a character");
        at_ += 4;
        append_utf8(text, code);
        return {};
      }
      default: return wrong(start, "this escape is not known; write \\\\ for a backslash, or @\"…\"");
    }
  }

  static void append_utf8(std::string& text, unsigned code) {
    if (code < 0x80) {
      text += static_cast<char>(code);
    } else if (code < 0x800) {
      text += static_cast<char>(0xc0 | code >> 6);
      text += static_cast<char>(0x80 | (code & 0x3f));
    } else {
      text += static_cast<char>(0xe0 | code >> 12);
      text += static_cast<char>(0x80 | (code >> 6 & 0x3f));
      text += static_cast<char>(0x80 | (code & 0x3f));
    }
  }

  static void set_text(Token& token, std::string text) {
    token.kind = Token::Kind::Literal;
    token.type = Type::Text;
    token.value = Value::text(std::move(text));
  }

  // `12`, `0x1f`, `1.5`, `1e-3`, and with a unit a span: `7d`, `1.5h`.
  Status read_number(Token& token) {
    const std::size_t start = at_;
    token.kind = Token::Kind::Literal;
    if (peek() == '0' && (peek(1) == 'x' || peek(1) == 'X')) {
      at_ += 2;
      while (is_name_part(peek())) ++at_;
      const std::string_view digits = query_.substr(start + 2, at_ - start - 2);
      std::int64_t number = 0;
      const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
      if (digits.empty() || read.ec != std::errc() || read.ptr != digits.data() + digits.size())
        return wrong(start, "this is no number");
      token.type = Type::Long;
      token.value = number;
      return {};
    }
    while (is_digit(peek())) ++at_;
    bool is_real = peek() == '.' && is_digit(peek(1));
    if (is_real)
      for (++at_; is_digit(peek());) ++at_;
    const bool has_sign = peek(1) == '-' || peek(1) == '+';
    if ((peek() == 'e' || peek() == 'E') && is_digit(peek(has_sign ? 2 : 1))) {
      is_real = true;
      for (at_ += has_sign ? 2 : 1; is_digit(peek());) ++at_;
    }
    const std::size_t unit = at_;
    while (is_name_part(peek())) ++at_;
    const std::string_view text = query_.substr(start, at_ - start);
    if (at_ > unit) {
      const auto span = parse_timespan(text);
      if (!span) return wrong(start, "this is neither a number nor a span as 7d or 30m");
      token.type = Type::TimeSpan;
      token.value = *span;
      return {};
    }
    token.type = is_real ? Type::Real : Type::Long;
    std::int64_t number = 0;
    double real = 0;
    const char* const end = text.data() + text.size();
    const auto read =
        is_real ? std::from_chars(text.data(), end, real) : std::from_chars(text.data(), end, number);
    if (read.ec != std::errc()) return wrong(start, "the number is too large");
    token.value = is_real ? Value(real) : Value(number);
    return {};
  }

  Status read_name(Token& token) {
    const std::size_t start = at_;
    while (is_name_part(peek())) ++at_;
    token.kind = Token::Kind::Name;
    token.text = query_.substr(start, at_ - start);
    // `in~` is one word; so is the name of several tables.
    if (peek() == '~' && (token.text == "in" || token.text == "has_any" || token.text == "has_all"))
      token.text += query_[at_++];
    const bool is_raw =
        std::ranges::find(kRawTypes, std::string_view(token.text)) != std::end(kRawTypes) && peek() == '(';
    return is_raw ? read_raw(token, start) : Status{};
  }

  Status read_raw(Token& token, std::size_t start) {
    const std::string type = token.text;
    std::size_t depth = 0;
    const std::size_t open = at_;
    char quote = '\0';
    for (; at_ < query_.size(); ++at_) {
      const char c = query_[at_];
      if (quote != '\0') {
        if (c == '\\') ++at_;
        if (c == quote) quote = '\0';
      } else if (c == '"' || c == '\'') {
        quote = c;
      } else if (c == '(') {
        ++depth;
      } else if (c == ')' && --depth == 0) {
        break;
      }
    }
    if (at_ >= query_.size()) return wrong(start, "the parenthesis is not closed");
    const std::string_view inside = trimmed(query_.substr(open + 1, at_ - open - 1));
    ++at_;
    token.kind = Token::Kind::Literal;
    token.text.clear();
    token.type = *type_named(type);
    if (inside == "null") return {};
    return read_typed(token, start, inside);
  }

  Status read_typed(Token& token, std::size_t start, std::string_view inside) {
    const bool is_quoted = inside.size() > 1 && (inside[0] == '"' || inside[0] == '\'');
    const std::string_view bare = is_quoted ? inside.substr(1, inside.size() - 2) : inside;
    if (token.type == Type::DateTime) {
      const auto time = parse_datetime(bare);
      if (!time) return wrong(start, "this is no time; write datetime(2026-11-20T08:00:00Z)");
      token.value = *time;
    } else if (token.type == Type::TimeSpan) {
      const auto span = parse_timespan(bare);
      if (!span) return wrong(start, "this is no span; write timespan(1.02:03:04) or 2h");
      token.value = *span;
    } else if (token.type == Type::Text) {
      token.value = Value::text(std::string(bare));
    } else {
      auto json = sim::parse_json(with_double_quotes(inside));
      if (!json) return wrong(start, json.error().message);
      token.value = Value::dynamic(std::move(*json));
    }
    return {};
  }

  std::string_view query_;
  std::size_t at_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace

std::string place_of(std::string_view query, std::size_t at) {
  std::size_t line = 1, start = 0;
  for (std::size_t i = 0; i < std::min(at, query.size()); ++i)
    if (query[i] == '\n') ++line, start = i + 1;
  return fmt::format("[{},{}]", line, at - start + 1);
}

Result<std::vector<Token>> read_tokens(std::string_view query) {
  if (query.size() > kLongestQuery)
    return error(fmt::format("The query is longer than {} bytes.", kLongestQuery));
  if (const auto bad = invalid_utf8_at(query))
    return error(
        fmt::format("Query could not be parsed on line {}: this is no UTF-8", place_of(query, *bad)));
  return Lexer(query).read();
}

}  // namespace flow::kql
