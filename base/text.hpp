// Small, pure text functions that every layer needs. ASCII unless it says otherwise.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace flow {

// What stands between words and between lines.
constexpr bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}
// … and in HTML, which has one more.
constexpr bool is_html_blank(char c) {
  return is_blank(c) || c == '\f';
}
// `text` without the blanks around it.
std::string_view trimmed(std::string_view text);

bool equals_ignoring_case(std::string_view a, std::string_view b);
std::string lower_ascii(std::string_view text);

// `text` as a JSON string literal with its quotes. Invalid UTF-8 becomes U+FFFD, so the result is always
// valid JSON.
std::string json_quoted(std::string_view text);
void append_json_quoted(std::string& out, std::string_view text);

// Whether `text` is well-formed UTF-8; when not, the offset of the first bad byte.
std::optional<std::size_t> invalid_utf8_at(std::string_view text);

// The most of `text` that has at most `bytes` and ends between two characters.
std::string_view beginning_of(std::string_view text, std::size_t bytes);
// The first line between backticks, with `…` behind it where more follows or it is longer than so many bytes.
std::string quoted_line(std::string_view text, std::size_t longest);

// The known name a person most likely meant by `typed`: equal but for case, or within a third of its length
// in edits (Damerau-Levenshtein). Nothing when none is near.
std::optional<std::string> nearest_name(std::string_view typed, std::span<const std::string> known);

// Percent-encodes all but RFC 3986 unreserved characters.
std::string percent_encoded(std::string_view text);
// The bytes that `%41` and the like stand for; nothing when one of them is malformed.
std::optional<std::string> percent_decoded(std::string_view text);

// `text` with & < > " ' replaced by entities: safe as HTML text and inside a quoted attribute.
std::string html_escaped(std::string_view text);

// Whether the character makes what follows it run from right to left, or ends that: what is shown is then not
// what is written.
constexpr bool changes_direction(std::uint32_t code_point) {
  return (code_point >= 0x202a && code_point <= 0x202e) || (code_point >= 0x2066 && code_point <= 0x2069);
}
// The first such character of UTF-8 from `from` on, all of which have three bytes; npos without one.
std::size_t direction_change_at(std::string_view text, std::size_t from = 0);

// `text` as one line that is safe to show: control characters, what changes the direction of writing (as
// U+202E) and invalid UTF-8 become blanks. Nothing in it can move a terminal's cursor or make a line say
// something else.
std::string printable(std::string_view text);

// Microseconds since 1970 as `2026-11-20T08:14:22.104331Z`; trailing zeros of the fraction are left out.
std::string format_time_us(std::int64_t time_us);
// ISO 8601 UTC or with offset, up to 9 fractional digits (what is below a microsecond is cut off); nothing
// when malformed.
std::optional<std::int64_t> parse_time_us(std::string_view text);
// The same as people write it, between blanks perhaps: what ISO 8601 allows to leave out is filled in, the
// zone, which is then UTC, seconds, the time of day.
std::optional<std::int64_t> parse_written_time_us(std::string_view text);
// `1h30m`, `5m`, `24h`, `7d`, `250ms`: largest units first; 0 is `0s`.
std::string format_duration_us(std::int64_t duration_us);
// One number and unit, or several: `90s`, `1h30m`. Units: ms s m h d w. Nothing when malformed or out of
// range.
std::optional<std::int64_t> parse_duration_us(std::string_view text);

}  // namespace flow
