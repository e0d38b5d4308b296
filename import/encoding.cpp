// Bytes of any encoding that documents come in, to UTF-8.
#include <fmt/format.h>

#include <cstdint>

#include "base/text.hpp"
#include "import/read.hpp"

namespace flow::importer {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

void append_utf8(std::string& out, std::uint32_t c) {
  const auto byte = [&](std::uint32_t value) { out += static_cast<char>(value); };
  if (c < 0x80) {
    byte(c);
  } else if (c < 0x800) {
    byte(0xc0 | (c >> 6)), byte(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    byte(0xe0 | (c >> 12)), byte(0x80 | ((c >> 6) & 0x3f)), byte(0x80 | (c & 0x3f));
  } else {
    byte(0xf0 | (c >> 18)), byte(0x80 | ((c >> 12) & 0x3f)), byte(0x80 | ((c >> 6) & 0x3f)),
        byte(0x80 | (c & 0x3f));
  }
}

std::string from_utf16(std::string_view bytes, bool is_big_endian) {
  std::string out;
  const auto unit = [&](std::size_t i) {
    const auto first = static_cast<unsigned char>(bytes[i]),
               second = static_cast<unsigned char>(bytes[i + 1]);
    return static_cast<std::uint32_t>(is_big_endian ? first << 8 | second : second << 8 | first);
  };
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) {
    std::uint32_t c = unit(i);
    if (c >= 0xd800 && c < 0xdc00 && i + 3 < bytes.size() && unit(i + 2) >= 0xdc00 && unit(i + 2) < 0xe000) {
      c = 0x10000 + ((c - 0xd800) << 10) + (unit(i + 2) - 0xdc00);
      i += 2;
    } else if (c >= 0xd800 && c < 0xe000) {
      c = 0xfffd;
    }
    append_utf8(out, c);
  }
  return out;
}

}  // namespace

std::string as_utf8(std::string_view bytes, Findings& findings) {
  if (bytes.starts_with("\xff\xfe")) return from_utf16(bytes.substr(2), false);
  if (bytes.starts_with("\xfe\xff")) return from_utf16(bytes.substr(2), true);
  if (bytes.starts_with("\xef\xbb\xbf")) bytes.remove_prefix(3);
  std::string out;
  bool is_told = false;
  for (std::string_view rest = bytes; !rest.empty();) {
    const auto bad = invalid_utf8_at(rest);
    out += rest.substr(0, bad.value_or(rest.size()));
    if (!bad) break;
    if (!is_told)
      findings.add("",
                   fmt::format("it is no UTF-8 from byte {} on: what cannot be read became U+FFFD",
                               bytes.size() - rest.size() + *bad),
                   false);
    is_told = true;
    out += kReplacement;
    rest.remove_prefix(*bad + 1);
  }
  return out;
}

}  // namespace flow::importer
