// Words: identifiers and reserved words, from grammar/keywords.def. Looked up here instead of by an
// alternative of fifty rules, which would be tried at each identifier.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace flow::grammar {

struct Keyword {
  std::string_view word;
  std::string_view meaning;
};
inline constexpr Keyword kKeywords[] = {
#define FLOW_KEYWORD(word, meaning) {#word, meaning},
#include "grammar/keywords.def"
#undef FLOW_KEYWORD
};

constexpr bool is_word_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
constexpr bool is_beyond_ascii(char c) {
  return static_cast<unsigned char>(c) >= 0x80;
}
constexpr bool is_word_char(char c) {
  return is_word_start(c) || (c >= '0' && c <= '9');
}

namespace detail {
consteval auto sorted_keywords() {
  std::array<std::string_view, std::size(kKeywords)> words{};
  for (std::size_t i = 0; i < words.size(); ++i) words[i] = kKeywords[i].word;
  std::sort(words.begin(), words.end());
  return words;
}
consteval std::size_t longest_keyword() {
  std::size_t longest = 0;
  for (const Keyword& keyword : kKeywords) longest = std::max(longest, keyword.word.size());
  return longest;
}
inline constexpr auto kSorted = sorted_keywords();
inline constexpr std::size_t kLongest = longest_keyword();
}  // namespace detail

constexpr bool is_keyword(std::string_view word) {
  if (word.size() < 2 || word.size() > detail::kLongest) return false;
  return std::binary_search(detail::kSorted.begin(), detail::kSorted.end(), word);
}

}  // namespace flow::grammar
