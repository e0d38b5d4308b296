// The words of a query. Literals are read here to their ends, also `datetime(…)` and `dynamic(…)`, whose
// insides are no words.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "apps/sim/kql/value.hpp"
#include "base/result.hpp"

namespace flow::kql {

inline constexpr std::size_t kLongestQuery = 100'000;  // bytes

struct Token {
  enum class Kind : std::uint8_t { End, Name, Literal, Mark };
  Kind kind = Kind::End;
  std::string text;  // of a name or a mark
  Value value;       // of a literal
  Type type = Type::Text;
  std::size_t at = 0, end = 0;  // bytes of the query

  bool is(std::string_view mark) const { return kind == Kind::Mark && text == mark; }
  bool is_name(std::string_view name) const { return kind == Kind::Name && text == name; }
};

// `[3,14]`: line and character of the byte at `at`, from 1.
std::string place_of(std::string_view query, std::size_t at);

// Ends with one token of kind End. The Error is the answer's message.
Result<std::vector<Token>> read_tokens(std::string_view query);

}  // namespace flow::kql
