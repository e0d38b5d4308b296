#include "compiler/format/layout.hpp"

#include <algorithm>

namespace flow {
namespace {

// In characters: bytes that continue one do not count.
std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return (c & '\xc0') != '\x80'; }));
}

}  // namespace

void Layout::text(std::string_view text) {
  if (!text.empty()) add(Kind::Text, 0, text);
}

std::string Layout::write(std::size_t width) const {
  // A line end in any case breaks each group around it. One pass finds these, and where groups end.
  std::vector<std::uint8_t> must_break(pieces_.size(), 0);
  std::vector<std::size_t> ends(pieces_.size(), 0), open;
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    const Piece& piece = pieces_[i];
    const bool is_end = piece.kind == Kind::Hard || piece.kind == Kind::Blank;
    if (is_end && !open.empty()) must_break[open.back()] = 1;
    if (piece.kind == Kind::Begin) {
      must_break[i] = piece.number != 0;
      open.push_back(i);
    }
    if (piece.kind != Kind::End) continue;
    ends[open.back()] = i;
    const bool is_broken = must_break[open.back()] != 0;
    open.pop_back();
    if (is_broken && !open.empty()) must_break[open.back()] = 1;
  }
  // How wide what follows is up to the next place where the line may end, were everything flat: from behind.
  std::vector<std::size_t> flat(pieces_.size() + 1, 0);  // widths summed up to each piece
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    const Piece& piece = pieces_[i];
    flat[i + 1] = flat[i] + (piece.kind == Kind::Line || piece.kind == Kind::Fill ? 1
                             : piece.kind == Kind::Text || piece.kind == Kind::IfFlat
                                 ? columns(piece.text.substr(0, piece.text.find('\n')))
                                 : 0);
  }
  std::vector<std::size_t> next_break(pieces_.size() + 1, pieces_.size());
  for (std::size_t i = pieces_.size(); i-- > 0;) {
    const Piece& piece = pieces_[i];
    const bool ends_line = piece.kind == Kind::Line || piece.kind == Kind::Fill || piece.kind == Kind::Soft ||
                           piece.kind == Kind::Hard || piece.kind == Kind::Blank ||
                           (piece.kind == Kind::Text && piece.text.find('\n') != std::string_view::npos);
    next_break[i] = ends_line ? i : next_break[i + 1];
  }

  std::string out;
  std::vector<std::uint8_t> broken{1};
  int indent = 0;
  std::size_t column = 0;
  bool begins_line = true;
  const auto end_line = [&](bool blank_line) {
    if (out.empty()) return;
    out += blank_line ? "\n\n" : "\n";
    column = 0;
    begins_line = true;
  };
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    const Piece& piece = pieces_[i];
    switch (piece.kind) {
      case Kind::IfBroken:
      case Kind::IfFlat:
        if ((broken.back() == 0) == (piece.kind == Kind::IfBroken)) break;
        [[fallthrough]];
      case Kind::Text: {
        if (begins_line && piece.text == " ") break;
        if (begins_line) {
          out.append(static_cast<std::size_t>(std::max(indent, 0)), ' ');
          column = static_cast<std::size_t>(std::max(indent, 0));
        }
        begins_line = false;
        out += piece.text;
        const std::size_t last_line = piece.text.rfind('\n');
        column = last_line == std::string_view::npos ? column + columns(piece.text)
                                                     : columns(piece.text.substr(last_line + 1));
        break;
      }
      case Kind::Line:
      case Kind::Soft:
        if (broken.back() != 0) {
          end_line(false);
        } else if (piece.kind == Kind::Line && !begins_line) {
          out += ' ';
          ++column;
        }
        break;
      case Kind::Fill: {
        const std::size_t wide = 1 + flat[next_break[i + 1]] - flat[i + 1];
        if (broken.back() != 0 && column + wide > width) {
          end_line(false);
        } else {
          out += ' ';
          ++column;
        }
        break;
      }
      case Kind::Hard:
        if (!begins_line) end_line(false);
        break;
      case Kind::Blank:
        if (begins_line && !out.empty()) {
          out += out.ends_with("\n\n") ? "" : "\n";
        } else {
          end_line(true);
        }
        break;
      case Kind::Begin: {
        const std::size_t end = ends[i];
        const std::size_t start = begins_line ? static_cast<std::size_t>(std::max(indent, 0)) : column;
        const std::size_t reach = next_break[end];
        const std::size_t wide = flat[reach] - flat[i] +
                                 (reach < pieces_.size() && pieces_[reach].kind == Kind::Text
                                      ? columns(pieces_[reach].text.substr(0, pieces_[reach].text.find('\n')))
                                      : 0);
        broken.push_back(must_break[i] != 0 || start + wide > width);
        break;
      }
      case Kind::End: broken.pop_back(); break;
      case Kind::Indent: indent += piece.number; break;
    }
  }
  while (out.ends_with('\n') || out.ends_with(' ')) out.pop_back();
  if (!out.empty()) out += '\n';
  return out;
}

}  // namespace flow
