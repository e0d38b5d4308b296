#include "compiler/syntax/literal.hpp"

#include <charconv>

#include "base/text.hpp"

namespace flow {
namespace {

void append_code_point(std::string& out, std::uint32_t c) {
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

// Reads `u{…}` at `at`; gives the number of bytes read, 0 when malformed.
std::size_t unicode_escape(std::string_view text, std::size_t at, std::string& out) {
  const std::size_t close = text.find('}', at);
  if (at + 1 >= text.size() || text[at + 1] != '{' || close == std::string_view::npos) return 0;
  std::uint32_t code = 0;
  const char* const first = text.data() + at + 2;
  const char* const last = text.data() + close;
  const auto [end, failed] = std::from_chars(first, last, code, 16);
  if (failed != std::errc() || end != last || first == last || last - first > 6) return 0;
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return 0;
  append_code_point(out, code);
  return close - at + 1;
}

// `rest` begins behind the backslash, which is at `at` of the source.
void report_escape(const Tree& tree, std::uint32_t at, std::string_view rest, Diagnostics& diagnostics) {
  const std::size_t close = rest.find('}');
  if (rest.starts_with("u{") && close != std::string_view::npos) {
    diagnostics
        .report(Code::InvalidEscape, tree.file, {at, at + static_cast<std::uint32_t>(close) + 2},
                "`\\" + std::string(rest.substr(0, close + 1)) + "` is no character of Unicode")
        .note("write its number in hexadecimal, as \\u{1F600}");
    return;
  }
  std::uint32_t end = at + 2;
  while (end < tree.source->text().size() && (tree.source->text()[end] & '\xc0') == '\x80') ++end;
  diagnostics.report(Code::InvalidEscape, tree.file, {at, end}, "unknown escape in this text")
      .expecting("one of \\n \\t \\r \\\" \\\\ \\{ \\} \\u{1F600}")
      .fix({at, at}, "\\", "write `\\\\` for a backslash, or raw\"…\" for a text without escapes");
}

// `1_000` is 1000.
std::string without_groups(std::string_view number) {
  std::string digits(number);
  std::erase(digits, '_');
  return digits;
}

// `text` of the source, which begins at `begin`, with its escapes carried out.
std::string decoded(const Tree& tree, std::uint32_t begin, std::string_view text, Diagnostics& diagnostics) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c == '{' || c == '}') && i + 1 < text.size() && text[i + 1] == c) {
      out += c;
      ++i;
    } else if (c != '\\' || i + 1 >= text.size()) {
      out += c;
    } else {
      const char escape = text[++i];
      std::size_t used = 1;
      switch (escape) {
        case 'n': out += '\n'; break;
        case 't': out += '\t'; break;
        case 'r': out += '\r'; break;
        case '"':
        case '\\':
        case '{':
        case '}': out += escape; break;
        case 'u': used = unicode_escape(text, i, out); break;
        default: used = 0;
      }
      if (used == 0) {
        const std::uint32_t at = begin + static_cast<std::uint32_t>(i) - 1;
        report_escape(tree, at, text.substr(i), diagnostics);
        out += escape;
      } else {
        i += used - 1;
      }
    }
  }
  return out;
}

}  // namespace

std::string decode_piece(const Tree& tree, NodeId piece, Diagnostics& diagnostics) {
  return decoded(tree, tree.span(piece).begin, tree.text(piece), diagnostics);
}

bool is_computed_key(const Tree& tree, NodeId key) {
  return tree.text(key).starts_with('[');
}

std::string key_text(const Tree& tree, NodeId key, Diagnostics& diagnostics) {
  const std::string_view text = tree.text(key);
  if (!text.starts_with('"')) return std::string(text);
  return decoded(tree, tree.span(key).begin + 1, text.substr(1, text.size() - 2), diagnostics);
}

std::string plain_text(const Tree& tree, NodeId text, Diagnostics& diagnostics) {
  std::string out;
  for (const NodeId kid : tree.kids(text))
    if (tree.kind(kid) == NodeKind::TextPiece)
      out += tree.kind(text) == NodeKind::RawText ? std::string(tree.text(kid))
                                                  : decode_piece(tree, kid, diagnostics);
  return out;
}

bool has_holes(const Tree& tree, NodeId text) {
  for (const NodeId kid : tree.kids(text))
    if (tree.kind(kid) != NodeKind::TextPiece) return true;
  return false;
}

std::int64_t int_value(const Tree& tree, NodeId literal, Diagnostics& diagnostics) {
  const std::string text = without_groups(tree.text(literal));
  std::int64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size()) {
    diagnostics
        .report(Code::NumberOutOfRange, tree.file, tree.span(literal), "this number does not fit an Int")
        .note("an Int has 64 bits: at most 9223372036854775807");
    return INT64_MAX;
  }
  return value;
}

bool is_least_int(const Tree& tree, NodeId node) {
  return tree.kind(node) == NodeKind::Negate && tree.kind(tree.kid(node, 0)) == NodeKind::Int &&
         without_groups(tree.text(tree.kid(node, 0))) == "9223372036854775808";
}

double float_value(const Tree& tree, NodeId literal, Diagnostics& diagnostics) {
  const std::string text = without_groups(tree.text(literal));
  double value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size())
    diagnostics.report(Code::NumberOutOfRange, tree.file, tree.span(literal),
                       "this number does not fit a Float");
  return value;
}

std::int64_t duration_value_us(const Tree& tree, NodeId literal, Diagnostics& diagnostics) {
  const auto value = parse_duration_us(tree.text(literal));
  if (!value)
    diagnostics.report(Code::NumberOutOfRange, tree.file, tree.span(literal), "this duration is too long");
  return value.value_or(0);
}

}  // namespace flow
