#include "base/escape.hpp"

#include <algorithm>

namespace flow {
namespace {

struct EscapeWord {
  std::string_view text;
  Escape escape;
};
constexpr EscapeWord kEscapeWords[] = {{"card", Escape::Card},
                                       {"slack", Escape::Slack},
                                       {"servicenow", Escape::ServiceNow},
                                       {"jql", Escape::Jql}};

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
  }
  return std::string(text);
}

}  // namespace flow
