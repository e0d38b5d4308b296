// A text as words and the places where it may be broken: first everything is said, then it is written into
// lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flow {

class Layout {
 public:
  void text(std::string_view text);
  // A place for a line end. In a group that fits on its line: a blank for `line`, nothing for `soft`.
  void line() { add(Kind::Line); }
  // In a broken group a line end only where what follows, up to the next such place, has no room.
  void fill() { add(Kind::Fill); }
  void soft() { add(Kind::Soft); }
  // A line end in any case, perhaps with an empty line; groups around it are broken.
  void hard(bool blank_line = false) { add(blank_line ? Kind::Blank : Kind::Hard); }
  // Only where the group around it is broken.
  void if_broken(std::string_view text) { add(Kind::IfBroken, 0, text); }
  void if_flat(std::string_view text) { add(Kind::IfFlat, 0, text); }
  // Breaks at all of its own places, or at none. With `is_broken` it is broken though it would fit.
  void begin_group(bool is_broken = false) { add(Kind::Begin, is_broken ? 1 : 0); }
  void end_group() { add(Kind::End); }
  void indent(int columns) { add(Kind::Indent, columns); }  // of the lines that begin behind it
  void dedent(int columns) { add(Kind::Indent, -columns); }

  std::string write(std::size_t width) const;

 private:
  enum class Kind : std::uint8_t {
    Text,
    Line,
    Fill,
    Soft,
    Hard,
    Blank,
    IfBroken,
    IfFlat,
    Begin,
    End,
    Indent
  };
  struct Piece {
    Kind kind;
    int number = 0;
    std::string_view text;
  };
  void add(Kind kind, int number = 0, std::string_view text = {}) { pieces_.push_back({kind, number, text}); }

  std::vector<Piece> pieces_;  // texts lie in the source, or are constants
};

}  // namespace flow
