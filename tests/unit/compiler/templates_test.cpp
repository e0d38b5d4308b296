// Pages and queries: whatever the values and wherever the compiler lets a hole stand, a value stays a value.
// Texts are made of nasty parts by chance, run, and read again by tokenizers that share nothing with the
// compiler's.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "tests/unit/compiler/golden.hpp"
#include "tests/unit/thoroughness.hpp"
#include "vm/interp/machine.hpp"

namespace flow::test {
namespace {

const Library& library() {
  static const Declarations declared = load_declarations({{"test.flow", R"(connector test {
    base "https://test"
    ordered enum Level { Low, High }
    record Thing { id: AlertId, created: Time, text: String, other: String, list: List<String>, number: Int, real: Float, level: Level }
    read get_thing(thing: AlertId) -> Thing { GET "/things/{thing}" }
    read list_things(filter: String? = null, top: Int = 10, skip: Int = 0) -> List<Thing> { GET "/things" }
    read hunt(query: Kql) { POST "/hunt" body { q: query } }
    notify tell(page: Html) { POST "/tell" body { p: page } }
    trigger thing.new {
        binding thingId: AlertId from id
        entity thing: Thing by get_thing(thingId)
        poll list_things top 10 every 30s overlap 1m
        key id
        cursor created
    }
})"}});
  EXPECT_FALSE(declared.diagnostics.has_errors()) << rendered(declared.diagnostics, declared.files);
  return declared.library;
}

std::string unquoted_json(std::string_view json) {
  std::string out;
  for (std::size_t i = 1; i + 1 < json.size(); ++i) {
    if (json[i] != '\\') {
      out += json[i];
      continue;
    }
    const char c = json[++i];
    if (c != 'u') {
      out += c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c == 'b' ? '\b' : c == 'f' ? '\f' : c;
      continue;
    }
    out += static_cast<char>(std::stoi(std::string(json.substr(i + 1, 4)), nullptr, 16));  // below U+0080
    i += 4;
  }
  return out;
}

std::string event(const std::string& value, const std::string& other) {
  return R"({"id":"a","created":"2026-11-20T08:00:00Z","number":-5,"real":1.5,"level":"High","text":)" +
         json_quoted(value) + ",\"other\":" + json_quoted(other) + ",\"list\":[" + json_quoted(value) + "," +
         json_quoted(other) + "]}";
}

class Template {
 public:
  // `text` is the literal, as `html"…"`; `call` the operation that takes it.
  Template(const std::string& call, const std::string& text)
      : compilation_(compile({"t.flow", "on thing.new do " + call + "(" + text + ")"}, library())) {
    if (!compilation_.module) return;
    Result<Program> program = Program::load(*compilation_.module);
    EXPECT_TRUE(program.has_value());
    if (program) program_.emplace(std::move(*program));
  }

  bool compiles() const { return program_.has_value(); }
  std::string told() const { return rendered(compilation_.diagnostics, compilation_.files); }

  std::string with(const std::string& value, const std::string& other) const {
    Machine machine(*program_, 0, Limits{});
    const Step step = machine.start(event(value, other));
    const auto* const call = std::get_if<Call>(&step);
    if (call == nullptr) return "no call";
    const std::size_t colon = call->arguments.find(':');
    return unquoted_json(
        std::string_view(call->arguments).substr(colon + 1, call->arguments.size() - colon - 2));
  }

 private:
  Compilation compilation_;
  std::optional<Program> program_;
};

using Random = std::mt19937;
template <std::size_t N>
std::string any_of(const char* const (&parts)[N], Random& random) {
  return parts[random() % N];
}

std::string nasty_value(Random& random) {
  static const char* const kParts[] = {"\"",
                                       "'",
                                       "\\",
                                       "\n",
                                       "\r",
                                       "{",
                                       "}",
                                       "<",
                                       ">",
                                       "&",
                                       "//",
                                       "--",
                                       "-->",
                                       "<!--",
                                       "</script>",
                                       "<script>",
                                       "@\"",
                                       "```",
                                       "|",
                                       ";",
                                       "a",
                                       "\xc3\xa4",
                                       "\xf0\x9f\x98\x80",
                                       "\xe2\x80\xae",
                                       "&quot;",
                                       "&#34;",
                                       "javascript:",
                                       "JaVa\tScRiPt:",
                                       "data:",
                                       "https://x/",
                                       "mailto:",
                                       " ",
                                       "=",
                                       "/",
                                       ":",
                                       "alert(1)",
                                       "\\\"",
                                       "\\'",
                                       "''",
                                       "*/",
                                       "\x01"};
  std::string out;
  for (std::size_t i = 0; i < 1 + random() % 6; ++i) out += any_of(kParts, random);
  return out;
}

// ---- Queries

// The tokens of a query, one character each: s string, w word or number, anything else itself. Comments are
// `#`.
std::string query_shape(const std::string& q, std::vector<std::string>& strings) {
  std::string shape;
  for (std::size_t i = 0; i < q.size();) {
    const char c = q[i];
    if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      ++i;
    } else if (c == '/' && i + 1 < q.size() && q[i + 1] == '/') {
      while (i < q.size() && q[i] != '\n') ++i;
      shape += '#';
    } else if (q.compare(i, 3, "```") == 0 || q.compare(i, 3, "~~~") == 0) {
      const std::size_t end = q.find(q.substr(i, 3), i + 3);
      i = end == std::string::npos ? q.size() : end + 3;
      shape += 's';
    } else if (c == '"' || c == '\'' ||
               (c == '@' && i + 1 < q.size() && (q[i + 1] == '"' || q[i + 1] == '\''))) {
      const bool is_verbatim = c == '@';
      const char quote = q[is_verbatim ? ++i : i];
      std::string value;
      for (++i;; ++i) {
        if (i >= q.size() || q[i] == '\n') return shape + "!";  // not closed
        if (is_verbatim && q[i] == quote && i + 1 < q.size() && q[i + 1] == quote) {
          value += q[i++];
        } else if (q[i] == quote) {
          break;
        } else if (!is_verbatim && q[i] == '\\') {
          if (++i >= q.size()) return shape + "!";
          if (q[i] == 'u') {
            value += static_cast<char>(std::stoi(q.substr(i + 1, 4), nullptr, 16));
            i += 4;
          } else {
            value += q[i] == 'n' ? '\n' : q[i] == 't' ? '\t' : q[i] == 'r' ? '\r' : q[i];
          }
        } else {
          value += q[i];
        }
      }
      ++i;
      strings.push_back(value);
      shape += 's';
    } else if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || (c & 0x80) != 0) {
      while (i < q.size() &&
             (std::isalnum(static_cast<unsigned char>(q[i])) != 0 || q[i] == '_' || (q[i] & 0x80) != 0))
        ++i;
      shape += 'w';
    } else {
      shape += c;
      ++i;
    }
  }
  return shape;
}

TEST(Queries, ValuesStayValues) {
  const Template query("hunt", R"q(kql"""T | where a == {text} and b in ({list}) and c == {number}
// note
| where h != {other} and d > {created} and e == {level} and f == {real} and g == 'it\\'s' and i == {number > 3}
| where j > ago({3h})""")q");
  ASSERT_TRUE(query.compiles()) << query.told();
  std::vector<std::string> plain;
  const std::string shape = query_shape(query.with("x", "y"), plain);
  Random random(1);
  for (int i = 0; i < 5'000; ++i) {
    const std::string value = nasty_value(random), other = nasty_value(random);
    std::vector<std::string> strings;
    const std::string made = query.with(value, other);
    ASSERT_EQ(query_shape(made, strings), shape) << made;
    EXPECT_EQ(strings[0], value) << made;
    EXPECT_EQ(strings[1], value) << made;
    EXPECT_EQ(strings[2], other) << made;
    EXPECT_EQ(strings[3], other) << made;
  }
}

TEST(Queries, NoTemplateThatCompilesLetsAValueOut) {
  static const char* const kParts[] = {
      "T | where a == ", "'",   "\\\"", "@'", "@", "//",   "\\n", "h",        " ", "|",  "{text}", "{other}",
      "{list}",          "```", "~~~",  "(",  ")", "\\\\", "x y", "{number}", "/", "''", "1",      "\\\\'"};
  Random random(2);
  int compiled = 0;
  for (std::size_t i = 0; i < 6'000; i += kEach) {
    std::string text = "kql\"";
    for (std::size_t k = 0; k < 2 + random() % 7; ++k) text += any_of(kParts, random);
    text += "{text} \"";
    const Template query("hunt", text);
    if (!query.compiles()) continue;
    ++compiled;
    std::vector<std::string> ignored;
    const std::string shape = query_shape(query.with("x", "y"), ignored);
    for (int k = 0; k < 12; ++k) {
      const std::string made = query.with(nasty_value(random), nasty_value(random));
      ASSERT_EQ(query_shape(made, ignored), shape) << text << '\n' << made;
    }
  }
  EXPECT_GT(compiled, 300 / kEach);
}

// ---- Pages

// What a browser makes of a page, without its texts: tags with the names of their attributes, `t` for text,
// `c` for comments. Addresses are collected as they would be followed.
class Page {
 public:
  explicit Page(std::string text) : text_(std::move(text)) { run(); }
  std::string shape;
  std::vector<std::string> addresses;

 private:
  char at(std::size_t i) const { return i < text_.size() ? text_[i] : '\0'; }
  bool is_letter(char c) const { return std::isalpha(static_cast<unsigned char>(c)) != 0; }
  bool is_blank(char c) const { return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f'; }
  bool has(std::string_view what, std::size_t i) const { return text_.compare(i, what.size(), what) == 0; }
  void add(const std::string& token) {
    if (token != "t" || !shape.ends_with("t ")) shape += token + " ";
  }

  static std::string decoded(const std::string& value) {
    std::string out;
    const std::pair<const char*, char> kEntities[] = {{"&amp;", '&'},  {"&lt;", '<'},   {"&gt;", '>'},
                                                      {"&quot;", '"'}, {"&#39;", '\''}, {"&#34;", '"'}};
    for (std::size_t i = 0; i < value.size();) {
      const auto* const found = std::ranges::find_if(kEntities, [&](const auto& e) {
        return value.compare(i, std::string_view(e.first).size(), e.first) == 0;
      });
      if (found == std::end(kEntities)) {
        out += value[i++];
      } else {
        out += found->second;
        i += std::string_view(found->first).size();
      }
    }
    return out;
  }

  void run() {
    while (i_ < text_.size()) {
      if (has("<!--", i_)) {
        std::size_t end = has(">", i_ + 4) ? i_ + 4 : has("->", i_ + 4) ? i_ + 5 : std::string::npos;
        if (end == std::string::npos) {
          const std::size_t a = text_.find("-->", i_ + 4), b = text_.find("--!>", i_ + 4);
          end = std::min(a == std::string::npos ? a : a + 2, b == std::string::npos ? b : b + 3);
        }
        i_ = end == std::string::npos ? text_.size() : end + 1;
        add("c");
      } else if (at(i_) == '<' &&
                 (at(i_ + 1) == '!' || at(i_ + 1) == '?' || (at(i_ + 1) == '/' && !is_letter(at(i_ + 2))))) {
        const std::size_t end = text_.find('>', i_ + 2);
        i_ = end == std::string::npos ? text_.size() : end + 1;
        add("c");
      } else if (at(i_) == '<' && (is_letter(at(i_ + 1)) || at(i_ + 1) == '/')) {
        tag();
      } else {
        ++i_;
        add("t");
      }
    }
  }

  void tag() {
    std::string token(1, text_[i_++]);
    const bool is_end = at(i_) == '/';
    while (i_ < text_.size() && !is_blank(at(i_)) && at(i_) != '>' && (at(i_) != '/' || token == "<"))
      token += static_cast<char>(std::tolower(text_[i_++]));
    while (i_ < text_.size() && at(i_) != '>') {
      if (is_blank(at(i_)) || at(i_) == '/') {
        ++i_;
        continue;
      }
      std::string name(1, static_cast<char>(std::tolower(text_[i_++])));
      while (i_ < text_.size() && !is_blank(at(i_)) && at(i_) != '>' && at(i_) != '/' && at(i_) != '=')
        name += static_cast<char>(std::tolower(text_[i_++]));
      std::size_t after = i_;
      while (is_blank(at(after))) ++after;
      std::string value;
      if (at(after) == '=') {
        i_ = after + 1;
        while (is_blank(at(i_))) ++i_;
        if (at(i_) == '"' || at(i_) == '\'') {
          const char quote = text_[i_++];
          while (i_ < text_.size() && text_[i_] != quote) value += text_[i_++];
          if (i_ == text_.size()) token += " !";
          ++i_;
        } else {
          while (i_ < text_.size() && !is_blank(at(i_)) && at(i_) != '>') value += text_[i_++];
        }
      }
      token += " " + name;
      if (name == "href" || name == "src") addresses.push_back(decoded(value));
    }
    ++i_;
    add(token);
    if (is_end) return;
    const std::string name = token.substr(1, token.find(' ') - 1);
    if (name != "script" && name != "style" && name != "title" && name != "textarea") return;
    std::size_t end = i_;
    for (;; ++end) {
      end = text_.find("</", end);
      if (end == std::string::npos) break;
      std::string word;
      for (std::size_t k = end + 2; k < end + 2 + name.size() && k < text_.size(); ++k)
        word += static_cast<char>(std::tolower(text_[k]));
      const char next = at(end + 2 + name.size());
      if (word == name && (is_blank(next) || next == '/' || next == '>')) break;
    }
    const std::string inside = text_.substr(i_, (end == std::string::npos ? text_.size() : end) - i_);
    if (name == "script" || name == "style") add("[" + inside + "]");  // a value in it would be seen
    i_ = end == std::string::npos ? text_.size() : end;
  }

  std::string text_;
  std::size_t i_ = 0;
};

bool is_harmless(const std::string& address) {
  std::string clean;  // as browsers read it
  for (const char c : address)
    if (static_cast<unsigned char>(c) > ' ' && c != '\x7f') clean += static_cast<char>(std::tolower(c));
  const std::size_t colon = clean.find_first_of(":/?#");
  if (colon == std::string::npos || clean[colon] != ':') return true;
  const std::string scheme = clean.substr(0, colon);
  return scheme == "http" || scheme == "https" || scheme == "mailto" || scheme == "tel";
}

TEST(Pages, ValuesStayValues) {
  const Template page(
      "tell",
      R"q(html"""<h1 title="{text}">{text}</h1><!-- note --><a href="{text}" title='{other}'>{other}</a>
<a href="https://x/?q={text}#{other}">x</a> <a href="/a/{text}">y</a><img alt='{text}' src="{other}/logo">
<textarea>{text}</textarea>{number} < 5""")q");
  ASSERT_TRUE(page.compiles()) << page.told();
  const std::string shape = Page(page.with("x", "y")).shape;
  Random random(3);
  for (int i = 0; i < 5'000; ++i) {
    const std::string made = page.with(nasty_value(random), nasty_value(random));
    const Page read(made);
    ASSERT_EQ(read.shape, shape) << made;
    for (const std::string& address : read.addresses)
      EXPECT_TRUE(is_harmless(address)) << address << '\n' << made;
  }
}

TEST(Pages, NoTemplateThatCompilesLetsAValueOut) {
  static const char* const kParts[] = {"<p>",        "</p>",        "<a href='", "<a href=\\\"",
                                       "<img src='", "<b title='",  "'",         "\\\"",
                                       ">",          "<",           "{text}",    "{other}",
                                       "{text}",     "<!--",        "-->",       "--!>",
                                       "<script>",   "</script>",   "<style>",   "</style>",
                                       "<textarea>", "</textarea>", " href=",    " onclick='",
                                       " style='",   "https:",      "java",      "/",
                                       "?",          "=",           " ",         "x",
                                       "<!-->",      "</a ",        "<svg>",     "&",
                                       ":",          "script:"};
  Random random(4);
  int compiled = 0;
  for (std::size_t i = 0; i < 20'000; i += kEach) {
    std::string text = "html\"";
    for (std::size_t k = 0; k < 2 + random() % 9; ++k) text += any_of(kParts, random);
    text += "\"";
    const Template page("tell", text);
    if (!page.compiles() || text.find("{text}") == std::string::npos) continue;
    ++compiled;
    const std::string shape = Page(page.with("x", "y")).shape;
    for (int k = 0; k < 12; ++k) {
      const std::string made = page.with(nasty_value(random), nasty_value(random));
      const Page read(made);
      ASSERT_EQ(read.shape, shape) << text << '\n' << made;
      for (const std::string& address : read.addresses)
        ASSERT_TRUE(is_harmless(address) || text.find(address) != std::string::npos) << text << '\n' << made;
    }
  }
  EXPECT_GT(compiled, 300 / kEach);
}

TEST(Pages, AddressesOfOtherSchemesAreTakenOut) {
  const Template page("tell", R"(html"<a href='{text}'>x</a>")");
  ASSERT_TRUE(page.compiles()) << page.told();
  for (const char* const bad :
       {"javascript:alert(1)", "JAVASCRIPT:x", " javascript:x", "java\nscript:x", "\x01javascript:x",
        "data:text/html,x", "vbscript:x", "file:///etc", "//evil.example/x", "/\\evil.example"})
    EXPECT_EQ(page.with(bad, ""), "<a href='#'>x</a>") << bad;
  for (const char* const good :
       {"https://x/?a=1", "http://x", "mailto:a@b", "tel:+49", "/x:y", "x/y", "?a=javascript:", "#a:b", ""})
    EXPECT_EQ(page.with(good, ""), "<a href='" + html_escaped(good) + "'>x</a>") << good;
}

}  // namespace
}  // namespace flow::test
