// JSON scalars in their usual spelling, read without a parser: a text without escapes is its own value, a
// short integer is its digits. A token is a scalar as it stands in the text, quotes included, without the
// blanks around it. These functions say nothing of what is unusual (escapes, more than 18 digits) or wrong:
// the parser decides about that.
#pragma once

#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace flow {

inline bool is_json_blank(char c) {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}
inline std::string_view without_blanks_after(std::string_view text) {
  while (!text.empty() && is_json_blank(text.back())) text.remove_suffix(1);
  return text;
}

// What `token`, a text of whose end the parser is sure, says between its quotes.
inline std::optional<std::string_view> plain_text(std::string_view token) {
  if (token.size() < 2 || token.front() != '"' || token.back() != '"') return std::nullopt;
  token = token.substr(1, token.size() - 2);
  if (!token.empty() && std::memchr(token.data(), '\\', token.size()) != nullptr) return std::nullopt;
  return token;
}

inline std::optional<std::int64_t> plain_int(std::string_view token) {
  constexpr std::size_t kMostDigits = 18;  // as many always fit
  const bool is_negative = !token.empty() && token.front() == '-';
  if (is_negative) token.remove_prefix(1);
  if (token.empty() || token.size() > kMostDigits) return std::nullopt;
  if (token.front() == '0' && token.size() > 1) return std::nullopt;
  std::int64_t number = 0;
  for (const char c : token) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  return is_negative ? -number : number;
}

// Digits, a point and digits; without an exponent.
inline std::optional<double> plain_float(std::string_view token) {
  if (const auto integer = plain_int(token)) return static_cast<double>(*integer);
  const std::size_t point = token.find('.');
  if (point == std::string_view::npos || !plain_int(token.substr(0, point))) return std::nullopt;
  const std::string_view fraction = token.substr(point + 1);
  if (fraction.empty() || fraction.find_first_not_of("0123456789") != std::string_view::npos)
    return std::nullopt;
  double real = 0;
  const auto read = std::from_chars(token.data(), token.data() + token.size(), real);
  if (read.ec != std::errc() || read.ptr != token.data() + token.size()) return std::nullopt;
  return real;
}

// Whether the key that begins at `key`, behind its quote, is `name`. An escaped key has to be unescaped first
// when this says so. The key must be closed by a quote.
enum class KeyMatch : std::uint8_t { Different, Equal, Escaped };
inline KeyMatch match_key(const char* key, std::string_view name) {
  for (std::size_t i = 0;; ++i) {
    if (key[i] == '"') return i == name.size() ? KeyMatch::Equal : KeyMatch::Different;
    if (key[i] == '\\') return KeyMatch::Escaped;
    if (i == name.size() || key[i] != name[i]) return KeyMatch::Different;
  }
}

}  // namespace flow
