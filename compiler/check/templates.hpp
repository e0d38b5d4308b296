// Where the holes of a page or a query stand, by what is written around them: only where the value that comes
// in cannot become anything but a value is a hole allowed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace flow {

// Reads the fixed parts of an `html` text in their order. Follows what browsers do: text, tags, quoted and
// bare attributes, comments, and elements whose content is no text.
class HtmlScanner {
 public:
  void read(std::string_view part);

  enum class Place : std::uint8_t {
    Text,          // between tags: escaped it stays text
    Attribute,     // of a quoted attribute that holds mere text
    AddressStart,  // begins a quoted address, as of `href`: the scheme must be looked at
    Address,       // within a quoted address whose scheme is fixed
    Unsafe,        // see why()
  };
  Place place() const;
  // Why no hole can stand here, for people; and what to do instead.
  std::string why() const;
  // A hole has been read here. What follows an AddressStart must not make a scheme of it.
  void take_hole();
  // Whether the hole before was an AddressStart and `part`, which follows it, may complete a scheme.
  static bool may_complete_scheme(std::string_view part);
  // What is still open at the end, as "the tag `<a`"; empty when nothing is.
  std::string open_end() const;

 private:
  enum class State : std::uint8_t {
    Text,
    TagOpen,
    EndTagOpen,
    TagName,
    EndTag,
    BeforeAttribute,
    AttributeName,
    AfterAttributeName,
    BeforeValue,
    DoubleQuoted,
    SingleQuoted,
    Unquoted,
    Markup,
    Comment,
    BogusComment,
    RawText,
  };
  void step(char c);
  void finish_tag();
  bool is_address() const;
  bool is_mere_text() const;

  State state_ = State::Text;
  std::string tag_;          // of the tag that is read, lower case
  std::string attribute_;    // likewise
  std::string value_;        // of the attribute so far, of the fixed parts; a hole counts as one character
  std::string recent_;       // the last characters of a comment, or of an element without text
  std::string raw_;          // the element whose content is no text
  bool is_endless_ = false;  // no hole can stand in the rest of the text
  bool is_closed_ = false;   // … although the element has its end
};

// Reads the fixed parts of a `kql` text: code, string literals, comments.
class KqlScanner {
 public:
  void read(std::string_view part);
  // Why no hole can stand here; empty when one can.
  std::string why() const;
  bool is_in_string() const {
    return state_ == State::String || state_ == State::Verbatim || state_ == State::Block;
  }
  void take_hole() { last_ = ' '; }

 private:
  enum class State : std::uint8_t { Code, String, Verbatim, Block, Comment };
  State state_ = State::Code;
  char quote_ = 0;
  bool is_escaped_ = false;
  char last_ = 0;    // the character before, in code
  char before_ = 0;  // and the one before that
};

}  // namespace flow
