// How a text is written so that it stays mere text where an API reads more into it. Declarations of
// connectors say it: `text.written(slack)`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flow {

enum class Escape : std::uint8_t {
  Card,        // of an adaptive card, which reads Markdown: its characters get a backslash
  Slack,       // `&`, `<` and `>` become entities, so that nobody is called and no link is made
  ServiceNow,  // a value within a query: `^` would begin another condition, and is left out
  Jql,         // between double quotes of a query of Jira
};

std::optional<Escape> escape_named(std::string_view word);  // as declarations write it: `servicenow`
std::vector<std::string> escape_names();
std::string written(std::string_view text, Escape escape);

}  // namespace flow
