#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <limits>
#include <vector>

#include "base/calendar.hpp"

namespace flow {
namespace {

char lower_char(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Length of the well-formed UTF-8 sequence at `text[at]`, or 0.
std::size_t sequence_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  if (first < 0x80) return 1;
  std::size_t length = 0;
  unsigned low = 0x80, high = 0xbf;  // bounds of the second byte
  if (first >= 0xc2 && first <= 0xdf)
    length = 2;
  else if (first >= 0xe0 && first <= 0xef) {
    length = 3;
    if (first == 0xe0) low = 0xa0;
    if (first == 0xed) high = 0x9f;
  } else if (first >= 0xf0 && first <= 0xf4) {
    length = 4;
    if (first == 0xf0) low = 0x90;
    if (first == 0xf4) high = 0x8f;
  }
  if (length == 0 || at + length > text.size()) return 0;
  if (byte(at + 1) < low || byte(at + 1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i)
    if (byte(at + i) < 0x80 || byte(at + i) > 0xbf) return 0;
  return length;
}

// Whether the well-formed character `c` is a control (C0, DEL, C1), a line separator, or changes the
// direction of writing.
bool is_hiding(std::string_view c) {
  const auto last = static_cast<unsigned char>(c.back());
  if (c.size() == 1) return last < 0x20 || last == 0x7f;
  if (c.size() == 2) return (c[0] == '\xc2' && last <= 0x9f) || c == "\xd8\x9c";
  if (c.starts_with("\xe2\x80")) return last == 0x8e || last == 0x8f || (last >= 0xa8 && last <= 0xae);
  return c.starts_with("\xe2\x81") && last >= 0xa6 && last <= 0xa9;
}

constexpr std::size_t kLongestName = 64;  // edit distance is quadratic; longer names are no typos

// Edits to turn `a` into `b`, a swap of neighbours counting as one (optimal string alignment); `limit` when
// there are as many or more. Neither is longer than kLongestName.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
  using Row = std::array<std::size_t, kLongestName + 1>;
  Row rows[3];
  Row *before = &rows[0], *previous = &rows[1], *current = &rows[2];
  for (std::size_t j = 0; j <= b.size(); ++j) (*previous)[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t least = (*current)[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = a[i - 1] == b[j - 1];
      std::size_t edits = std::min((*previous)[j], (*current)[j - 1]) + 1;
      edits = std::min(edits, (*previous)[j - 1] + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        edits = std::min(edits, (*before)[j - 2] + 1);
      (*current)[j] = edits;
      least = std::min(least, edits);
    }
    // A swap looks back by two rows, and costs one more than what stands there.
    if (least > limit) return limit;
    Row* const free = before;
    before = previous;
    previous = current;
    current = free;
  }
  return std::min((*previous)[b.size()], limit);
}

// Which characters a name has, by their lower five bits: each that the other lacks is an edit of its own.
std::uint32_t characters_of(std::string_view name) {
  std::uint32_t set = 0;
  for (const char c : name) set |= 1u << (static_cast<unsigned char>(c) & 31);
  return set;
}

bool may_be_within(std::string_view a, std::string_view b, std::size_t edits) {
  const std::size_t difference = a.size() > b.size() ? a.size() - b.size() : b.size() - a.size();
  if (difference >= edits) return false;
  const std::uint32_t in_a = characters_of(a), in_b = characters_of(b);
  return static_cast<std::size_t>(std::max(std::popcount(in_a & ~in_b), std::popcount(in_b & ~in_a))) < edits;
}

}  // namespace

std::size_t direction_change_at(std::string_view text, std::size_t from) {
  for (std::size_t at = text.find('\xe2', from); at != std::string_view::npos;
       at = text.find('\xe2', at + 1)) {
    if (at + 2 >= text.size()) break;
    const auto second = static_cast<unsigned char>(text[at + 1]),
               third = static_cast<unsigned char>(text[at + 2]);
    if (changes_direction(0x2000u | (second & 0x3fu) << 6 | (third & 0x3fu))) return at;
  }
  return std::string_view::npos;
}

std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = std::max<std::size_t>(sequence_length(text, at), 1);
    const std::string_view c = text.substr(at, length);
    const bool is_bad = sequence_length(text, at) == 0 || is_hiding(c);
    out += is_bad ? std::string_view(" ") : c;
    at += length;
  }
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower_char(x) == lower_char(y); });
}

std::string lower_ascii(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), lower_char);
  return lower;
}

namespace {

// How far from `at` on nothing has to be escaped, and nothing is more than one byte.
std::size_t end_of_plain(std::string_view text, std::size_t at) {
  const auto is_plain = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
  };
  while (at < text.size() && is_plain(text[at])) ++at;
  return at;
}

}  // namespace

void append_json_quoted(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (std::size_t i = 0; i < text.size();) {
    if (const std::size_t end = end_of_plain(text, i); end > i) {
      out.append(text, i, end - i);
      i = end;
      continue;
    }
    const char c = text[i];
    const std::size_t length = sequence_length(text, i);
    if (length == 0) {
      out += "\xef\xbf\xbd";
      ++i;
      continue;
    }
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
          out += "\\u00";
          out += kHex[static_cast<unsigned char>(c) >> 4];
          out += kHex[static_cast<unsigned char>(c) & 15];
        } else {
          out.append(text, i, length);
        }
    }
    i += length;
  }
  out += '"';
}

std::string json_quoted(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  append_json_quoted(out, text);
  return out;
}

std::optional<std::size_t> invalid_utf8_at(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = sequence_length(text, i);
    if (length == 0) return i;
    i += length;
  }
  return std::nullopt;
}

std::string_view beginning_of(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xc0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

std::string quoted_line(std::string_view text, std::size_t longest) {
  const std::string_view line = text.substr(0, text.find('\n')), shown = beginning_of(line, longest);
  return "`" + std::string(shown) + (shown.size() < text.size() ? "…`" : "`");
}

std::optional<std::string> nearest_name(std::string_view typed, std::span<const std::string> known) {
  if (typed.empty() || typed.size() > kLongestName) return std::nullopt;
  for (const std::string& name : known)
    if (equals_ignoring_case(typed, name)) return name;
  const std::string typed_lower = lower_ascii(typed);
  const std::string* best = nullptr;
  std::size_t best_distance = std::max<std::size_t>(1, typed.size() / 3) + 1;
  for (const std::string& name : known) {
    if (name.size() > kLongestName || !may_be_within(typed, name, best_distance)) continue;
    const std::size_t distance = edit_distance(typed_lower, lower_ascii(name), best_distance);
    if (distance < best_distance && distance < name.size()) {
      best = &name;
      best_distance = distance;
    }
  }
  if (best == nullptr) return std::nullopt;
  return *best;
}

std::string percent_encoded(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool is_unreserved = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' ||
                               c == '.' || c == '_' || c == '~';
    if (is_unreserved) {
      out += c;
    } else {
      out += '%';
      out += kHex[static_cast<unsigned char>(c) >> 4];
      out += kHex[static_cast<unsigned char>(c) & 15];
    }
  }
  return out;
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string bytes;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      bytes += text[at];
      continue;
    }
    unsigned value = 0;
    const char* const digits = text.data() + at + 1;
    if (at + 2 >= text.size() || std::from_chars(digits, digits + 2, value, 16).ptr != digits + 2)
      return std::nullopt;
    bytes += static_cast<char>(value);
    at += 2;
  }
  return bytes;
}

std::string html_escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string format_time_us(std::int64_t time_us) {
  const auto [date, of_day_us] = local_time(time_us);
  char buffer[48];
  const int length = std::snprintf(
      buffer, sizeof buffer, "%04d-%02u-%02uT%02d:%02d:%02d.%06d", static_cast<int>(date.year), date.month,
      date.day, static_cast<int>(of_day_us / kHourUs), static_cast<int>(of_day_us % kHourUs / kMinuteUs),
      static_cast<int>(of_day_us % kMinuteUs / kSecondUs), static_cast<int>(of_day_us % kSecondUs));
  std::string text(buffer, static_cast<std::size_t>(length));
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text + "Z";
}

std::optional<std::int64_t> parse_time_us(std::string_view text) {
  using namespace std::chrono;
  const auto number = [&](std::size_t at, std::size_t digits) -> int {
    if (at + digits > text.size()) return -1;
    int value = 0;
    for (std::size_t i = at; i < at + digits; ++i) {
      if (!is_digit(text[i])) return -1;
      value = value * 10 + (text[i] - '0');
    }
    return value;
  };
  if (text.size() < 20 || text.size() > 40 || text[4] != '-' || text[7] != '-' ||
      (text[10] != 'T' && text[10] != 't' && text[10] != ' ') || text[13] != ':' || text[16] != ':')
    return std::nullopt;
  const int y = number(0, 4), mo = number(5, 2), d = number(8, 2), h = number(11, 2), mi = number(14, 2),
            s = number(17, 2);
  if (y < 0 || mo < 0 || d < 0 || h < 0 || mi < 0 || s < 0) return std::nullopt;
  const year_month_day date{year{y}, month{static_cast<unsigned>(mo)}, day{static_cast<unsigned>(d)}};
  if (!date.ok() || h > 23 || mi > 59 || s > 60) return std::nullopt;
  std::size_t at = 19;
  std::int64_t micros = 0;
  if (text[at] == '.') {
    ++at;
    int digits = 0;
    for (; at < text.size() && is_digit(text[at]); ++at, ++digits)
      if (digits < 6) micros = micros * 10 + (text[at] - '0');
    if (digits == 0 || digits > 9) return std::nullopt;
    for (; digits < 6; ++digits) micros *= 10;
  }
  std::int64_t offset_minutes = 0;
  if (at >= text.size()) return std::nullopt;
  if (text[at] == 'Z' || text[at] == 'z') {
    if (at + 1 != text.size()) return std::nullopt;
  } else if (text[at] == '+' || text[at] == '-') {
    if (at + 6 != text.size() || text[at + 3] != ':') return std::nullopt;
    const int oh = number(at + 1, 2), om = number(at + 4, 2);
    if (oh < 0 || oh > 23 || om < 0 || om > 59) return std::nullopt;
    offset_minutes = (oh * 60 + om) * (text[at] == '-' ? -1 : 1);
  } else {
    return std::nullopt;
  }
  const auto time = sys_days{date} + hours{h} + minutes{mi} + seconds{s} - minutes{offset_minutes};
  return duration_cast<microseconds>(time.time_since_epoch()).count() + micros;
}

namespace {
struct DurationUnit {
  std::string_view name;
  std::int64_t micros;
};
constexpr std::int64_t kSecond = 1'000'000;
constexpr DurationUnit kUnits[] = {{"d", 86400 * kSecond}, {"h", 3600 * kSecond}, {"m", 60 * kSecond},
                                   {"s", kSecond},         {"ms", 1000},          {"us", 1}};
}  // namespace

std::string format_duration_us(std::int64_t duration_us) {
  if (duration_us == 0) return "0s";
  std::string text = duration_us < 0 ? "-" : "";
  // Negated towards the minimum, which has no positive twin.
  std::int64_t rest = duration_us < 0 ? duration_us : -duration_us;
  for (const DurationUnit& unit : kUnits) {
    const std::int64_t count = rest / unit.micros;
    if (count != 0) text += std::to_string(-count) + std::string(unit.name);
    rest -= count * unit.micros;
  }
  return text;
}

std::optional<std::int64_t> parse_written_time_us(std::string_view text) {
  const auto blanks = text.find_first_not_of(' ');
  if (blanks == std::string_view::npos) return std::nullopt;
  text = text.substr(blanks, text.find_last_not_of(' ') + 1 - blanks);
  constexpr std::size_t kDate = 10, kToMinute = 16, kLongest = 40;
  if (text.size() < kDate || text.size() > kLongest) return std::nullopt;
  std::string full(text);
  if (full.size() == kDate) full += "T00:00:00";
  const std::size_t zone = std::min(full.find_first_of("Zz+-", kDate), full.size());
  std::string offset = full.substr(zone);
  full.resize(zone);
  if (full.size() == kToMinute) full += ":00";
  if (offset.empty()) offset += "Z";
  if (offset.size() == 3) offset += ":00";  // +02
  if (offset.size() == 5) offset.insert(3, 1, ':');
  return parse_time_us(full + offset);
}

std::optional<std::int64_t> parse_duration_us(std::string_view text) {
  if (text.empty()) return std::nullopt;
  std::int64_t total = 0;
  while (!text.empty()) {
    std::int64_t count = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (failed != std::errc() || count < 0 || end == text.data()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    std::size_t letters = 0;
    while (letters < text.size() && !is_digit(text[letters])) ++letters;
    const std::string_view unit_name = text.substr(0, letters);
    std::int64_t micros = unit_name == "w" ? 7 * 86400 * kSecond : 0;
    for (const DurationUnit& unit : kUnits)
      if (unit.name == unit_name) micros = unit.micros;
    if (micros == 0) return std::nullopt;
    if (count > std::numeric_limits<std::int64_t>::max() / micros) return std::nullopt;
    if (total > std::numeric_limits<std::int64_t>::max() - count * micros) return std::nullopt;
    total += count * micros;
    text.remove_prefix(letters);
  }
  return total;
}

}  // namespace flow
