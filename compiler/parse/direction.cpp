#include "compiler/parse/direction.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "compiler/parse/parse.hpp"

namespace flow {
namespace {

enum class Place : std::uint8_t { Comment, Text, RawText, Unread, Code };

Place place_of(const Tree& tree, std::uint32_t at) {
  for (const Comment& comment : tree.comments)
    if (comment.span.begin <= at && at < comment.span.end) return Place::Comment;
  Place place = Place::Code;
  for (const Node& node : tree.nodes) {
    if (node.begin > at || at >= node.end) continue;
    if (node.kind == NodeKind::Bad) return Place::Unread;
    if (node.kind == NodeKind::RawText) return Place::RawText;
    if (node.kind == NodeKind::TextPiece) place = Place::Text;
  }
  return place;
}

}  // namespace

void report_direction_changes(const Tree& tree, Diagnostics& diagnostics) {
  const std::string& text = tree.source->text();
  std::size_t told = 0;
  for (std::size_t at = direction_change_at(text); at != std::string::npos && told < kMaxSyntaxErrors;
       at = direction_change_at(text, at + 3), ++told) {
    const auto begin = static_cast<std::uint32_t>(at);
    const Span sign{begin, begin + 3};
    const unsigned code = 0x2000u | (static_cast<unsigned char>(text[at + 1]) & 0x3fu) << 6 |
                          (static_cast<unsigned char>(text[at + 2]) & 0x3fu);
    Diagnostic& d = diagnostics.report(
        Code::HiddenDirection, tree.file, sign,
        fmt::format("an invisible character (U+{:04X}) changes the direction of writing here", code));
    switch (place_of(tree, begin)) {
      case Place::Comment:
      case Place::Code: d.fix(sign, "", "remove it"); break;
      case Place::Text:
        d.fix(sign, fmt::format("\\u{{{:04X}}}", code), fmt::format("write `\\u{{{:04X}}}`", code));
        break;
      case Place::RawText:
        d.note("a `raw` text has no escapes: write it without `raw`, and the character as an escape");
        break;
      case Place::Unread: break;
    }
  }
}

}  // namespace flow
