#include "base/escape.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace flow {
namespace {

struct EscapeWord {
  std::string_view text;
  Escape escape;
};
constexpr EscapeWord kEscapeWords[] = {{"card", Escape::Card},
                                       {"slack", Escape::Slack},
                                       {"servicenow", Escape::ServiceNow},
                                       {"jql", Escape::Jql},
                                       {"uuid", Escape::Uuid}};

std::string with_backslashes(std::string_view text, std::string_view before) {
  std::string out;
  for (const char c : text) {
    if (before.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string with_entities(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else
      out += c;
  }
  return out;
}

// A line of the query, and one value of it.
std::string without_operators(std::string_view text) {
  std::string out;
  for (const char c : text)
    if (c != '^' && static_cast<unsigned char>(c) >= 0x20) out += c;
  return out;
}

// FNV-1a in two lanes, each mixed at the end: it need not resist anybody, only tell keys of calls apart.
std::uint64_t mixed(std::string_view text, std::uint64_t seed) {
  std::uint64_t hash = 14695981039346656037u ^ seed;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 1099511628211u;
  }
  hash ^= hash >> 33;
  hash *= 0xff51afd7ed558ccdu;
  hash ^= hash >> 33;
  hash *= 0xc4ceb9fe1a85ec53u;
  return hash ^ (hash >> 33);
}

std::string uuid_of(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<std::uint64_t, 2> half{mixed(text, 0), mixed(text, 0x9e3779b97f4a7c15u)};
  half[0] = (half[0] & 0xffffffffffff0fffu) | 0x8000u;              // version 8: made in a way of our own
  half[1] = (half[1] & 0x3fffffffffffffffu) | 0x8000000000000000u;  // the variant of RFC 9562
  std::string out;
  for (std::size_t i = 0; i < 32; ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) out += '-';
    out += kDigits[(half[i / 16] >> (60 - 4 * (i % 16))) & 15u];
  }
  return out;
}

}  // namespace

std::optional<Escape> escape_named(std::string_view word) {
  const auto found = std::ranges::find(kEscapeWords, word, &EscapeWord::text);
  return found == std::end(kEscapeWords) ? std::nullopt : std::optional(found->escape);
}

std::vector<std::string> escape_names() {
  std::vector<std::string> names;
  for (const EscapeWord& word : kEscapeWords) names.emplace_back(word.text);
  return names;
}

std::string written(std::string_view text, Escape escape) {
  switch (escape) {
    case Escape::Card: return with_backslashes(text, "\\`*_[]()#~");
    case Escape::Slack: return with_entities(text);
    case Escape::ServiceNow: return without_operators(text);
    case Escape::Jql: return with_backslashes(text, "\\\"");
    case Escape::Uuid: return uuid_of(text);
  }
  return std::string(text);
}

}  // namespace flow
