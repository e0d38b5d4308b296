#include "runtime/safe_html.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "base/text.hpp"

namespace flow {
namespace {

constexpr std::size_t kDeepest = 64;

constexpr std::array<std::string_view, 39> kKept = {
    "a",    "abbr",   "b",   "blockquote", "br",    "caption", "code", "dd",  "del",  "div",
    "dl",   "dt",     "em",  "h1",         "h2",    "h3",      "h4",   "h5",  "h6",   "hr",
    "i",    "ins",    "kbd", "li",         "mark",  "ol",      "p",    "pre", "samp", "small",
    "span", "strong", "sub", "sup",        "table", "tbody",   "td",   "th",  "thead"};
constexpr std::array<std::string_view, 4> kKeptToo = {"tr", "tt", "u", "ul"};
constexpr std::array<std::string_view, 2> kEmpty = {"br", "hr"};
// What they enclose is no text for people.
constexpr std::array<std::string_view, 12> kSilent = {"script",   "style", "template", "iframe",
                                                      "object",   "svg",   "math",     "select",
                                                      "textarea", "title", "noscript", "head"};

template <std::size_t Size>
bool is_one_of(const std::array<std::string_view, Size>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_kept(std::string_view name) {
  return is_one_of(kKept, name) || is_one_of(kKeptToo, name);
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

struct Tag {
  std::string name;  // in lower case; empty for a comment and the like
  bool is_end = false;
  std::string href;
  std::size_t end = 0;  // behind it
};

// An attribute's value, without its quotes.
std::string_view value_at(std::string_view html, std::size_t& at) {
  const std::size_t size = html.size();
  if (at < size && (html[at] == '"' || html[at] == '\'')) {
    const std::size_t from = at + 1;
    const std::size_t to = std::min(html.find(html[at], from), size);
    at = std::min(to + 1, size);
    return html.substr(from, to - from);
  }
  const std::size_t from = at;
  while (at < size && !is_html_blank(html[at]) && html[at] != '>') ++at;
  return html.substr(from, at - from);
}

void read_attributes(std::string_view html, std::size_t at, Tag& tag) {
  const std::size_t size = html.size();
  while (at < size && html[at] != '>') {
    if (is_html_blank(html[at]) || html[at] == '/') {
      ++at;
      continue;
    }
    const std::size_t from = at++;
    while (at < size && !is_html_blank(html[at]) && html[at] != '=' && html[at] != '>' && html[at] != '/')
      ++at;
    const std::string name = lower_ascii(html.substr(from, at - from));
    while (at < size && is_html_blank(html[at])) ++at;
    if (at >= size || html[at] != '=') continue;
    ++at;
    while (at < size && is_html_blank(html[at])) ++at;
    const std::string_view value = value_at(html, at);
    if (name == "href" && tag.href.empty()) tag.href = value;
  }
  tag.end = std::min(at + 1, size);
}

// The tag whose `<` stands at `at`; nothing when that is just a character.
std::optional<Tag> tag_at(std::string_view html, std::size_t at) {
  Tag tag;
  std::size_t next = at + 1;
  if (html.substr(next).starts_with("!--")) {
    const std::size_t end = html.find("-->", next + 3);
    tag.end = end == std::string_view::npos ? html.size() : end + 3;
    return tag;
  }
  if (next < html.size() && (html[next] == '!' || html[next] == '?')) {
    const std::size_t end = html.find('>', next);
    tag.end = end == std::string_view::npos ? html.size() : end + 1;
    return tag;
  }
  if (next < html.size() && html[next] == '/') tag.is_end = true, ++next;
  if (next >= html.size() || !is_letter(html[next])) return std::nullopt;
  const std::size_t from = next;
  while (next < html.size() && !is_html_blank(html[next]) && html[next] != '>' && html[next] != '/') ++next;
  tag.name = lower_ascii(html.substr(from, next - from));
  read_attributes(html, next, tag);
  return tag;
}

// Where the element ends that was opened last and of which nothing is shown.
std::size_t behind_silent(std::string_view html, std::size_t at, const std::string& name) {
  for (std::size_t next = html.find('<', at); next != std::string_view::npos;
       next = html.find('<', next + 1)) {
    if (next + 1 >= html.size() || html[next + 1] != '/') continue;
    if (!equals_ignoring_case(html.substr(next + 2, name.size()), name)) continue;
    const auto tag = tag_at(html, next);
    if (tag && tag->is_end && tag->name == name) return tag->end;
  }
  return html.size();
}

// Escaped, but for references to characters that are there already.
void append_text(std::string& out, std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '&') {
      out += html_escaped(text.substr(i, 1));
      continue;
    }
    std::size_t end = i + 1;
    while (end < text.size() && end - i < 12 &&
           (is_letter(text[end]) || (text[end] >= '0' && text[end] <= '9') ||
            (text[end] == '#' && end == i + 1)))
      ++end;
    const bool is_reference = end > i + 1 && end < text.size() && text[end] == ';';
    out += is_reference ? "&" : "&amp;";
  }
}

// With a reference in it, what it goes to is not what is seen here.
bool is_safe_address(std::string_view href) {
  const std::string lower = lower_ascii(href);
  const bool is_known =
      lower.starts_with("https://") || lower.starts_with("http://") || lower.starts_with("mailto:");
  return is_known &&
         std::all_of(href.begin(), href.end(), [](unsigned char c) { return c > ' ' && c != 0x7f; });
}

class Writer {
 public:
  void text(std::string_view text) { append_text(out_, text); }
  void open(const Tag& tag) {
    if (is_one_of(kEmpty, tag.name)) {
      out_ += "<" + tag.name + ">";
      return;
    }
    if (open_.size() >= kDeepest) return;
    open_.push_back(tag.name);
    out_ += "<" + tag.name;
    if (tag.name == "a" && is_safe_address(tag.href)) {
      out_ += " href=\"";
      append_text(out_, tag.href);
      out_ += "\" rel=\"noopener noreferrer nofollow\"";
    }
    out_ += ">";
  }
  void close(const std::string& name) {
    const auto found = std::find(open_.rbegin(), open_.rend(), name);
    if (found == open_.rend()) return;
    for (bool is_it = false; !is_it;) {
      is_it = open_.back() == name;
      out_ += "</" + open_.back() + ">";
      open_.pop_back();
    }
  }
  std::string finish() {
    for (; !open_.empty(); open_.pop_back()) out_ += "</" + open_.back() + ">";
    return std::move(out_);
  }

 private:
  std::string out_;
  std::vector<std::string> open_;
};

}  // namespace

std::string safe_html(std::string_view html) {
  Writer out;
  for (std::size_t at = 0; at < html.size();) {
    const std::size_t next = std::min(html.find('<', at), html.size());
    out.text(html.substr(at, next - at));
    if (next == html.size()) break;
    const auto tag = tag_at(html, next);
    if (!tag) {
      out.text("<");
      at = next + 1;
      continue;
    }
    at = tag->end;
    if (is_kept(tag->name)) {
      if (tag->is_end)
        out.close(tag->name);
      else
        out.open(*tag);
    } else if (!tag->is_end && is_one_of(kSilent, tag->name)) {
      at = behind_silent(html, at, tag->name);
    }
  }
  return out.finish();
}

}  // namespace flow
