// Texts as other texts and back: Base64, hexadecimal digits, percent signs, cells of CSV files, pages.
#include <algorithm>
#include <array>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "vm/interp/natives/functions.hpp"

namespace flow::natives {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

void add_utf8(std::string& out, std::uint32_t point) {
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xc0 | point >> 6);
    out += static_cast<char>(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    out += static_cast<char>(0xe0 | point >> 12);
    out += static_cast<char>(0x80 | (point >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (point & 0x3f));
  } else {
    out += static_cast<char>(0xf0 | point >> 18);
    out += static_cast<char>(0x80 | (point >> 12 & 0x3f));
    out += static_cast<char>(0x80 | (point >> 6 & 0x3f));
    out += static_cast<char>(0x80 | (point & 0x3f));
  }
}

// From little-endian UTF-16, with or without its mark; nothing when it is malformed.
std::optional<std::string> utf8_of_utf16(std::string_view bytes) {
  if (bytes.size() % 2 != 0) return std::nullopt;
  std::string out;
  const auto unit = [&](std::size_t at) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at]) |
                                      static_cast<unsigned char>(bytes[at + 1]) << 8);
  };
  for (std::size_t at = bytes.starts_with("\xff\xfe") ? 2 : 0; at < bytes.size(); at += 2) {
    std::uint32_t point = unit(at);
    if (point >= 0xdc00 && point <= 0xdfff) return std::nullopt;
    if (point >= 0xd800 && point <= 0xdbff) {
      if (at + 4 > bytes.size()) return std::nullopt;
      const std::uint32_t low = unit(at + 2);
      if (low < 0xdc00 || low > 0xdfff) return std::nullopt;
      point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
      at += 2;
    }
    add_utf8(out, point);
  }
  return out;
}

// `&lt;`, `&#60;`, `&#x3c;` at the beginning of `text`: its length, or 0, and the code point.
std::size_t entity(std::string_view text, std::uint32_t& point) {
  struct Named {
    std::string_view name;
    std::uint32_t point;
  };
  constexpr Named kNamed[] = {{"&amp;", '&'},  {"&lt;", '<'},    {"&gt;", '>'},
                              {"&quot;", '"'}, {"&apos;", '\''}, {"&nbsp;", 0xa0}};
  for (const Named& named : kNamed)
    if (text.starts_with(named.name)) return point = named.point, named.name.size();
  if (!text.starts_with("&#")) return 0;
  const bool is_hex = text.size() > 2 && (text[2] == 'x' || text[2] == 'X');
  std::size_t at = is_hex ? 3 : 2;
  const std::size_t first = at;
  for (point = 0; at < text.size() && at < first + 7; ++at) {
    const int digit = hex_digit(text[at]);
    if (digit < 0 || (!is_hex && digit > 9)) break;
    point = point * (is_hex ? 16 : 10) + static_cast<std::uint32_t>(digit);
  }
  const bool is_character = point > 0 && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
  return at > first && at < text.size() && text[at] == ';' && is_character ? at + 1 : 0;
}

bool is_tag(std::string_view text, std::string_view name) {
  return text.size() > name.size() && equals_ignoring_case(text.substr(0, name.size()), name) &&
         (text[name.size()] == '>' || text[name.size()] == '/' || text[name.size()] == ' ');
}

// Where `part`, in small letters, begins in `text` behind `from` in any case; the end when nowhere.
std::size_t find_tag(std::string_view text, std::string_view part, std::size_t from) {
  for (std::size_t at = text.find(part[0], from); at != std::string_view::npos;
       at = text.find(part[0], at + 1))
    if (equals_ignoring_case(text.substr(at, part.size()), part)) return at;
  return text.size();
}

}  // namespace

Text base64(NativeContext& context, std::string_view text) {
  return keep(context, base64_of(text));
}

Text fromBase64(NativeContext& context, std::string_view text) {
  return kept_text(context, bytes_of_base64(text));
}
Text fromBase64Utf16(NativeContext& context, std::string_view text) {
  const auto bytes = bytes_of_base64(text);
  return bytes ? kept_text(context, utf8_of_utf16(*bytes)) : std::nullopt;
}

Text hex(NativeContext& context, std::string_view text) {
  char* const made = new_text(context, 2 * text.size());
  if (made == nullptr) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); ++i) {
    made[2 * i] = kHex[static_cast<unsigned char>(text[i]) >> 4];
    made[2 * i + 1] = kHex[static_cast<unsigned char>(text[i]) & 15];
  }
  return std::string_view(made, 2 * text.size());
}

Text fromHex(NativeContext& context, std::string_view text) {
  return kept_text(context, bytes_of_hex(text));
}

Text urlEncode(NativeContext& context, std::string_view text) {
  return keep(context, percent_encoded(text));
}

Text urlDecode(NativeContext& context, std::string_view text) {
  return kept_text(context, percent_decoded(text));
}

// Quoted as RFC 4180 says. What a spreadsheet would take for a formula gets an apostrophe, which it takes for
// text.
Text csvCell(NativeContext& context, std::string_view text) {
  const bool is_formula =
      !text.empty() && std::string_view("=+-@\t\r").find(text[0]) != std::string_view::npos;
  const bool needs_quotes = text.find_first_of(",;\"\r\n\t") != std::string_view::npos ||
                            text.starts_with(' ') || text.ends_with(' ');
  if (!is_formula && !needs_quotes) return text;
  std::string cell;
  if (needs_quotes) cell += '"';
  if (is_formula) cell += '\'';
  for (const char c : text) {
    if (c == '"') cell += '"';
    cell += c;
  }
  if (needs_quotes) cell += '"';
  return keep(context, cell);
}

// Tags, comments and what scripts and styles hold are left out; `<br>`, and the end of a paragraph, row or
// heading end a line.
Text plainText(NativeContext& context, std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view rest = text.substr(at);
    if (rest[0] == '<') {
      const bool is_comment = rest.starts_with("<!--");
      std::string_view until = is_comment ? "-->" : ">";
      if (is_tag(rest, "<script")) until = "</script>";
      if (is_tag(rest, "<style")) until = "</style>";
      for (const std::string_view name : {"<br", "</p", "</div", "</tr", "</li", "</h1", "</h2", "</h3"})
        if (is_tag(rest, name)) out += '\n';
      at = std::min(find_tag(text, until, at) + until.size(), text.size());
      continue;
    }
    std::uint32_t point = 0;
    const std::size_t size = rest[0] == '&' ? entity(rest, point) : 0;
    if (size > 0) {
      add_utf8(out, point);
      at += size;
    } else {
      out += rest[0];
      ++at;
    }
  }
  return keep(context, out);
}

}  // namespace flow::natives
