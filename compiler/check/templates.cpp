#include "compiler/check/templates.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace flow {
namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 0x20) : c;
}

template <std::size_t N>
bool is_one_of(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::ranges::find(words, word) != words.end();
}

// Elements whose content browsers do not read as text with entities.
constexpr std::array<std::string_view, 2> kRawElements{"script", "style"};
// Elements within which readers differ about what a tag is. Where one has begun, nothing is certain any more.
constexpr std::array<std::string_view, 9> kEndlessElements{
    "xmp", "iframe", "noembed", "noscript", "noframes", "plaintext", "template", "svg", "math"};
// Elements whose content is text, in which no tag begins.
constexpr std::array<std::string_view, 2> kTextElements{"title", "textarea"};
constexpr std::array<std::string_view, 4> kAddresses{"href", "src", "cite", "background"};
// Elements whose addresses are only followed or shown; of others they would be carried out.
constexpr std::array<std::string_view, 14> kAddressElements{"a",      "area",  "img",        "audio", "video",
                                                            "source", "track", "blockquote", "q",     "del",
                                                            "ins",    "td",    "table",      "body"};
constexpr std::array<std::string_view, 33> kMereText{
    "alt",      "title",       "class",   "id",     "name",    "value",       "width",
    "height",   "colspan",     "rowspan", "align",  "valign",  "bgcolor",     "color",
    "lang",     "dir",         "role",    "label",  "border",  "placeholder", "cellpadding",
    "datetime", "cellspacing", "size",    "face",   "summary", "scope",       "headers",
    "for",      "abbr",        "hspace",  "vspace", "start"};

}  // namespace

bool HtmlScanner::is_address() const {
  return is_one_of(attribute_, kAddresses);
}

bool HtmlScanner::is_mere_text() const {
  return is_one_of(attribute_, kMereText) || attribute_.starts_with("data-") ||
         attribute_.starts_with("aria-");
}

void HtmlScanner::read(std::string_view part) {
  for (const char c : part) step(c);
}

void HtmlScanner::finish_tag() {
  const bool is_text_element = is_one_of(tag_, kTextElements);
  is_endless_ = is_one_of(tag_, kEndlessElements);
  is_closed_ = false;
  if (is_endless_ || is_one_of(tag_, kRawElements) || is_text_element) {
    raw_ = tag_;
    recent_.clear();
    state_ = State::RawText;
  } else {
    state_ = State::Text;
  }
}

void HtmlScanner::step(char c) {
  const auto remember = [&](std::size_t most) {
    recent_ += lower(c);
    if (recent_.size() > most) recent_.erase(0, recent_.size() - most);
  };
  switch (state_) {
    case State::Text:
      if (c == '<') state_ = State::TagOpen;
      return;
    case State::TagOpen:
      if (is_letter(c)) {
        tag_ = lower(c);
        state_ = State::TagName;
      } else if (c == '/') {
        state_ = State::EndTagOpen;
      } else if (c == '!') {
        recent_.clear();
        state_ = State::Markup;
      } else if (c == '?') {
        state_ = State::BogusComment;
      } else if (c != '<') {
        state_ = State::Text;
      }
      return;
    case State::EndTagOpen:
      state_ = is_letter(c) ? State::EndTag : c == '>' ? State::Text : State::BogusComment;
      return;
    // Attributes of end tags mean nothing, but quotes in them hide a `>`: they are read as those of other
    // tags.
    case State::EndTag: tag_.clear(); [[fallthrough]];
    case State::TagName:
      if (is_html_blank(c) || c == '/')
        state_ = State::BeforeAttribute;
      else if (c == '>')
        finish_tag();
      else if (state_ == State::TagName)
        tag_ += lower(c);
      return;
    case State::BeforeAttribute:
    case State::AfterAttributeName:
      if (is_html_blank(c) || c == '/') return;
      if (c == '>') return finish_tag();
      if (c == '=' && state_ == State::AfterAttributeName) {
        state_ = State::BeforeValue;
        return;
      }
      attribute_ = lower(c);
      state_ = State::AttributeName;
      return;
    case State::AttributeName:
      if (is_html_blank(c) || c == '/')
        state_ = State::AfterAttributeName;
      else if (c == '>')
        finish_tag();
      else if (c == '=')
        state_ = State::BeforeValue;
      else
        attribute_ += lower(c);
      return;
    case State::BeforeValue:
      value_.clear();
      if (is_html_blank(c)) return;
      if (c == '>') return finish_tag();
      state_ = c == '"' ? State::DoubleQuoted : c == '\'' ? State::SingleQuoted : State::Unquoted;
      return;
    case State::DoubleQuoted:
    case State::SingleQuoted:
      if (c == (state_ == State::DoubleQuoted ? '"' : '\''))
        state_ = State::BeforeAttribute;
      else
        value_ += c;
      return;
    case State::Unquoted:
      if (is_html_blank(c)) state_ = State::BeforeAttribute;
      if (c == '>') finish_tag();
      return;
    case State::Markup:  // behind `<!`
      recent_ += c;
      if (recent_ == "--") {
        recent_ = "<!--";  // `<!-->` and `<!--->` are whole comments
        state_ = State::Comment;
      } else if (c == '>') {
        state_ = State::Text;
      } else if (recent_ != "-") {
        state_ = State::BogusComment;
      }
      return;
    case State::Comment:
      remember(6);
      if (recent_.ends_with("-->") || recent_.ends_with("--!>")) state_ = State::Text;
      return;
    case State::BogusComment:
      if (c == '>') state_ = State::Text;
      return;
    case State::RawText:
      remember(raw_.size() + 3);
      // A comment in a script may hide its end.
      is_endless_ = is_endless_ || (raw_ == "script" && recent_.ends_with("<!--"));
      if (is_endless_) {
        is_closed_ = is_closed_ || recent_ == "</" + raw_ + ">";
        return;
      }
      if (const std::string end = "</" + raw_; recent_.size() == end.size() + 1 && recent_.starts_with(end) &&
                                               (is_html_blank(c) || c == '/' || c == '>')) {
        raw_.clear();
        tag_.clear();
        state_ = c == '>' ? State::Text : State::BeforeAttribute;
      }
      return;
  }
}

HtmlScanner::Place HtmlScanner::place() const {
  switch (state_) {
    case State::Text: return Place::Text;
    case State::RawText: return is_one_of(raw_, kTextElements) ? Place::Text : Place::Unsafe;
    case State::DoubleQuoted:
    case State::SingleQuoted: {
      if (is_mere_text()) return Place::Attribute;
      if (!is_address() || !is_one_of(tag_, kAddressElements)) return Place::Unsafe;
      if (value_.empty()) return Place::AddressStart;
      const std::string begin = lower_ascii(value_);
      const bool has_scheme = begin.starts_with("http:") || begin.starts_with("https:") ||
                              begin.starts_with("mailto:") || begin.starts_with("tel:");
      const std::size_t end = value_.find_first_of(":/?#");
      const bool is_relative = end != std::string::npos && value_[end] != ':';
      return has_scheme || is_relative ? Place::Address : Place::Unsafe;
    }
    default: return Place::Unsafe;
  }
}

std::string HtmlScanner::why() const {
  switch (state_) {
    case State::TagOpen:
    case State::EndTagOpen:
    case State::TagName:
    case State::EndTag: return "a value cannot be the name of a tag";
    case State::BeforeAttribute:
    case State::AttributeName:
    case State::AfterAttributeName: return "a value cannot be an attribute; give it to one: `name=\"{…}\"`";
    case State::BeforeValue:
    case State::Unquoted: return "a value that is an attribute's needs quotes around it: `name=\\\"{…}\\\"`";
    case State::Markup:
    case State::Comment:
    case State::BogusComment: return "a value in a comment of the page could end the comment";
    case State::RawText:
      return is_endless_ && raw_ != "script"
                 ? "within and behind `<" + raw_ + ">` it is not certain how a page is read"
                 : "what is in `<" + raw_ + ">` is carried out, not shown";
    default: break;
  }
  if (!is_address())
    return "a value in the attribute `" + attribute_ +
           "` could be carried out; only attributes that hold mere text take one";
  if (!is_one_of(tag_, kAddressElements))
    return "what `" + attribute_ + "` of `<" + tag_ +
           ">` names would be carried out, so its address is written out";
  return "the address must begin with its scheme, as `https:`, or with `/`, before a value";
}

void HtmlScanner::take_hole() {
  if (state_ == State::DoubleQuoted || state_ == State::SingleQuoted) value_ += '\x01';
  if (state_ == State::TagOpen) state_ = State::Text;
  recent_.clear();
}

bool HtmlScanner::may_complete_scheme(std::string_view part) {
  return part.empty() ||
         (part[0] != '/' && part[0] != '?' && part[0] != '#' && part[0] != '"' && part[0] != '\'');
}

std::string HtmlScanner::open_end() const {
  switch (state_) {
    case State::Text: return {};
    case State::RawText: return is_closed_ ? std::string() : "the element `<" + raw_ + ">`";
    case State::Markup:
    case State::Comment:
    case State::BogusComment: return "a comment";
    case State::TagOpen:
    case State::EndTagOpen:
    case State::EndTag: return "a tag";
    default: return tag_.empty() ? "a tag" : "the tag `<" + tag_ + "`";
  }
}

// ---- Queries

void KqlScanner::read(std::string_view part) {
  for (std::size_t i = 0; i < part.size(); ++i) {
    const char c = part[i];
    switch (state_) {
      case State::Code:
        if (c == '"' || c == '\'') {
          quote_ = c;
          state_ = last_ == '@' ? State::Verbatim : State::String;
        } else if (part.substr(i).starts_with("```") || part.substr(i).starts_with("~~~")) {
          quote_ = c;
          i += 2;
          state_ = State::Block;
        } else if (c == '/' && part.substr(i).starts_with("//")) {
          state_ = State::Comment;
        }
        break;
      case State::String:
        if (is_escaped_)
          is_escaped_ = false;
        else if (c == '\\')
          is_escaped_ = true;
        else if (c == quote_ || c == '\n')  // a literal ends with its line
          state_ = State::Code;
        break;
      case State::Verbatim:
        // Two quotes are one of the text; reading them as an end and a beginning comes to the same.
        if (c == quote_)
          state_ = part.substr(i + 1).starts_with(quote_) ? (++i, State::Verbatim) : State::Code;
        break;
      case State::Block:
        if (part.substr(i).starts_with(std::string(3, quote_))) {
          i += 2;
          state_ = State::Code;
        }
        break;
      case State::Comment:
        if (c == '\n') state_ = State::Code;
        break;
    }
    before_ = last_;
    last_ = part[i];
  }
}

std::string KqlScanner::why() const {
  if (is_in_string()) return "the value makes its own quotes";
  if (state_ == State::Comment) return "a value in a comment of the query means nothing";
  const bool is_word = is_letter(last_) || (last_ >= '0' && last_ <= '9') || last_ == '_' || last_ == '$';
  if (last_ == '@' || last_ == '\\')
    return std::string("`") + last_ + "` before a value would change how its quotes are read";
  if (last_ == '/') return "a `/` before a value could make a comment of it";
  if (is_word) return "a value stands for itself; write a blank before it";
  return {};
}

}  // namespace flow
