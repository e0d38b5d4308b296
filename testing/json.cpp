#include "testing/json.hpp"

#include <charconv>

#include "base/text.hpp"

namespace flow::testing {
namespace {

// Behind the value that begins at `at`.
std::size_t end_of(std::string_view json, std::size_t at) {
  int depth = 0;
  for (; at < json.size(); ++at) {
    const char c = json[at];
    if (c == '"') {
      for (++at; at < json.size() && json[at] != '"'; ++at)
        if (json[at] == '\\') ++at;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (depth == 0) return at;
      --depth;
    } else if (c == ',' && depth == 0) {
      return at;
    }
  }
  return json.size();
}

std::size_t behind_blanks(std::string_view json, std::size_t at) {
  while (at < json.size() && (json[at] == ' ' || json[at] == '\n' || json[at] == '\t' || json[at] == '\r'))
    ++at;
  return at;
}

void append_utf8(std::string& out, std::uint32_t c) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (c < 0x80) return put(c);
  if (c < 0x800) return put(0xc0 | c >> 6), put(0x80 | (c & 0x3f));
  if (c < 0x10000) return put(0xe0 | c >> 12), put(0x80 | (c >> 6 & 0x3f)), put(0x80 | (c & 0x3f));
  put(0xf0 | c >> 18), put(0x80 | (c >> 12 & 0x3f)), put(0x80 | (c >> 6 & 0x3f)), put(0x80 | (c & 0x3f));
}

std::uint32_t hex4(std::string_view json, std::size_t at) {
  std::uint32_t value = 0;
  if (at + 4 <= json.size()) std::from_chars(json.data() + at, json.data() + at + 4, value, 16);
  return value;
}

}  // namespace

std::vector<std::pair<std::string, std::string_view>> members(std::string_view json) {
  std::vector<std::pair<std::string, std::string_view>> found;
  std::size_t at = behind_blanks(json, 0);
  if (at >= json.size() || json[at] != '{') return found;
  for (++at; (at = behind_blanks(json, at)) < json.size() && json[at] == '"';) {
    std::size_t key_end = at + 1;
    for (; key_end < json.size() && json[key_end] != '"'; ++key_end)
      if (json[key_end] == '\\') ++key_end;
    std::string name = text_of(json.substr(at, key_end + 1 - at)).value_or("");
    const std::size_t begin = behind_blanks(json, json.find(':', key_end) + 1);
    const std::size_t end = end_of(json, begin);
    found.emplace_back(std::move(name), json.substr(begin, end - begin));
    at = end + 1;
  }
  return found;
}

std::vector<std::string_view> elements(std::string_view json) {
  std::vector<std::string_view> found;
  std::size_t at = behind_blanks(json, 0);
  if (at >= json.size() || json[at] != '[') return found;
  for (++at; (at = behind_blanks(json, at)) < json.size() && json[at] != ']';) {
    const std::size_t end = end_of(json, at);
    found.push_back(json.substr(at, end - at));
    at = end + 1;
  }
  return found;
}

std::optional<std::string> text_of(std::string_view json) {
  if (json.size() < 2 || json.front() != '"' || json.back() != '"') return std::nullopt;
  std::string out;
  for (std::size_t i = 1; i + 1 < json.size(); ++i) {
    if (json[i] != '\\') {
      out += json[i];
      continue;
    }
    switch (json[++i]) {
      case 'n': out += '\n'; break;
      case 't': out += '\t'; break;
      case 'r': out += '\r'; break;
      case 'b': out += '\b'; break;
      case 'f': out += '\f'; break;
      case 'u': {
        std::uint32_t c = hex4(json, i + 1);
        i += 4;
        if (c >= 0xd800 && c < 0xdc00 && json.substr(i + 1, 2) == "\\u") {
          c = 0x10000 + ((c - 0xd800) << 10) + (hex4(json, i + 3) - 0xdc00);
          i += 6;
        }
        append_utf8(out, c);
        break;
      }
      default: out += json[i];
    }
  }
  return out;
}

std::optional<std::int64_t> duration_of(std::string_view json) {
  if (const auto text = text_of(json)) {
    if (const auto us = parse_duration_us(*text)) return us;
    // ISO 8601, `PT1H30M`, `P7D`, `PT0.5S`
    std::string_view rest = *text;
    if (!rest.starts_with('P')) return std::nullopt;
    rest.remove_prefix(1);
    bool is_time = false;
    double total = 0;
    while (!rest.empty()) {
      if (rest.front() == 'T') {
        is_time = true;
        rest.remove_prefix(1);
        continue;
      }
      double number = 0;
      const auto [end, failed] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
      if (failed != std::errc() || end == rest.data() + rest.size()) return std::nullopt;
      const char unit = *end;
      total += number * (unit == 'D'   ? 86400e6
                         : unit == 'H' ? 3600e6
                         : unit == 'M' ? (is_time ? 60e6 : 0)
                         : unit == 'S' ? 1e6
                         : unit == 'W' ? 604800e6
                                       : 0);
      rest.remove_prefix(static_cast<std::size_t>(end + 1 - rest.data()));
    }
    return static_cast<std::int64_t>(total);
  }
  std::int64_t number = 0;
  const auto [end, failed] = std::from_chars(json.data(), json.data() + json.size(), number);
  if (failed != std::errc() || end != json.data() + json.size()) return std::nullopt;
  return number;
}

}  // namespace flow::testing
