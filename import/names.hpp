// Names as the language has them, made from those that documents have: ASCII, in its own case, never a
// reserved word, and the same for the same document each time.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace flow::importer {

std::string snake_case(std::string_view name);   // of operations and connectors: `list_issues`
std::string camel_case(std::string_view name);   // of parameters and fields: `displayName`
std::string pascal_case(std::string_view name);  // of types: `IssueType`

// Whether it can stand in a text of the language as a name, reserved or not.
bool is_word(std::string_view name);

// The names of one scope.
class Names {
 public:
  // Behind a dot reserved words may stand as well: names of fields and operations.
  enum class Reserved : std::uint8_t { Avoided, Allowed };
  explicit Names(Reserved reserved = Reserved::Avoided) : allows_reserved_(reserved == Reserved::Allowed) {}

  // `wanted`, or where that is taken, reserved or empty, the next one that is free: `title2`, `match_`.
  std::string take(std::string_view wanted, std::string_view when_empty);
  bool is_taken(std::string_view name) const { return taken_.contains(name); }

 private:
  std::set<std::string, std::less<>> taken_;
  std::map<std::string, std::uint64_t, std::less<>> last_number_;  // of names that were taken more than once
  bool allows_reserved_;
};

// A text literal of the language, with its quotes; what would be a hole is escaped.
std::string quoted(std::string_view text);
// The same without quotes, for within a literal.
std::string escaped(std::string_view text);
// The key of an entry: bare where it can be.
std::string entry_key(std::string_view name);

}  // namespace flow::importer
