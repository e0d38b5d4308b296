// JSON from outside, read strictly: well-formed UTF-8, bounded depth, integers within 64 bits. The one place
// that knows the parser (simdjson).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace flow {

// A parsed text as a plain tree. Members keep their order; of equal names the first one counts.
struct JsonValue {
  enum class Kind : std::uint8_t { Null, Bool, Number, Text, List, Object };
  Kind kind = Kind::Null;
  bool truth = false;
  std::string text;                // Text: decoded. Number: as JSON writes it
  std::vector<JsonValue> items;    // List: its elements. Object: the members' values
  std::vector<std::string> names;  // Object: the members' names

  bool is_null() const { return kind == Kind::Null; }
  bool is_text() const { return kind == Kind::Text; }
  // The value of a member, or nothing when this is no object or has no such member.
  const JsonValue* member(std::string_view name) const;
  const JsonValue* member_ignoring_case(std::string_view name) const;

  static JsonValue of_text(std::string text);
  static JsonValue of_bool(bool truth);
  static JsonValue of_number(std::string text);
};

// The text of a member that may be missing or of another kind: then nothing.
std::string text_if_any(const JsonValue* value);

inline constexpr std::size_t kLongestJson = 64u << 20;

Result<JsonValue> parse_json(std::string_view text);
void append_json(std::string& out, const JsonValue& value);
std::string to_json(const JsonValue& value);

// The text of `member` (empty: of the whole), without needless white space, numbers as they stand there.
// `null` when the member is missing. One bad event must not hide those beside it: what no Unicode text can
// hold becomes U+FFFD, and a list comes as it stands when a number in it is beyond 64 bits.
Result<std::string> json_part(std::string_view text, std::string_view member);

}  // namespace flow
