#include "compiler/parse/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.hpp"
#include "compiler/parse/braces.hpp"
#include "compiler/parse/habits.hpp"
#include "compiler/parse/parse.hpp"
#include "grammar/words.hpp"

namespace flow {
namespace {

// Reserved words that shape a flow: where one stands, the thing before it is missing.
constexpr std::string_view kShapingWords[] = {"do",  "when", "on", "flow", "then", "else",
                                              "and", "or",   "in", "if",   "let",  "log"};

constexpr std::string_view kPoliciesBegin[] = {"once", "limit", "protect", "within", "priority", "dry", "at"};

// Signs of other languages, and what to write here.
struct ForeignSign {
  std::string_view sign;
  std::string_view write;
  std::string_view message;
};
constexpr ForeignSign kForeignSigns[] = {
    {"&&", "and", "`&&` is no operator here; write `and`"},
    {"||", "or", "`||` is no operator here; write `or`"},
    {"!", "not ", "`!` is no operator here; write `not`"},
};

class Reporter {
 public:
  Reporter(const Tree& tree, Diagnostics& diagnostics)
      : tree_(tree), text_(tree.source->text()), diagnostics_(diagnostics) {}

  void failure(const SyntaxFailure& failure) {
    const Span span = marked(failure);
    switch (failure.kind) {
      case SyntaxFailure::Kind::TooDeep:
        report(Code::NestedTooDeeply, span, "brackets or blocks are nested too deeply here")
            .note(
                fmt::format("the limit is {} levels; name a part with `let` and use the name", kMaxNesting));
        return;
      case SyntaxFailure::Kind::Expected: return expected(failure, span);
    }
  }

  // Words with letters beyond ASCII, each told at its first place.
  void foreign_words() {
    if (std::ranges::none_of(text_, g::is_beyond_ascii)) return;
    std::set<std::string_view> told;
    for (const Node& node : tree_.nodes) {
      if (node.kind != NodeKind::Ident) continue;
      const std::string_view word = slice({node.begin, node.end});
      if (is_told(node.begin)) continue;
      if (std::ranges::any_of(word, g::is_beyond_ascii) && told.insert(word).second)
        foreign_word({node.begin, node.end});
    }
  }

 private:
  std::string_view slice(Span span) const {
    return std::string_view(text_).substr(span.begin, span.end - span.begin);
  }
  Diagnostic& report(Code code, Span span, std::string message) {
    return diagnostics_.report(code, tree_.file, span, std::move(message));
  }

  void expected(const SyntaxFailure& failure, Span span) {
    if (curly_quote_before(failure.offset) || foreign_sign(failure.offset) ||
        compound_assignment(failure.offset) || misplaced(failure, span) || habit(failure))
      return;
    if (failure.is_argument) return argument_with_equals_sign(span);
    Diagnostic& d = report(Code::SyntaxError, span, failure.message);
    const std::string_view found = slice(span);
    const bool is_shaping = std::ranges::find(kShapingWords, found) != std::end(kShapingWords);
    if (failure.wants_name && g::is_keyword(found) && !is_shaping)
      d.expecting(fmt::format("`{}` is a reserved word", found));
    if (failure.is_assignment) d.fix(span, "==", "write `==`");
    if (failure.is_assignment && failure.is_in_lambda)
      d.note("a lambda gives a value and assigns nothing; a loop can: `for item in list { … }`");
    if (failure.wants_separator && span.begin == token_at(failure.offset) && begins_value(span))
      d.fix({end_before(span.begin), end_before(span.begin)}, ",", "write a `,` before this");
    if (failure.opener != 0xffffffff && failure.mark != SyntaxFailure::Mark::Opener &&
        tree_.source->position(failure.opener).line != tree_.source->position(span.begin).line)
      d.label(opener(failure.opener), "opened here");
    if (failure.opener == 0xffffffff || text_[failure.opener] != '{') return;
    if (const auto brace = unclosed_brace(tree_, failure.opener, span.end); brace && *brace != failure.opener)
      d.label({*brace, *brace + 1}, "perhaps this one is not closed: the next `}` stands further left");
  }

  // The line and the sign that opens something; it may begin with a word, as `act isolate(…) {`.
  Span opener(std::uint32_t at) const {
    std::uint32_t end = at + 1;
    if (text_[at] == '/' || text_.compare(at, 3, "\"\"\"") == 0) end = at + (text_[at] == '/' ? 2 : 3);
    while (g::is_word_char(text_[at]) && end < text_.size() && g::is_word_char(text_[end])) ++end;
    return {at, end};
  }

  bool begins_value(Span span) const {
    const std::string_view found = slice(span);
    if (found.empty() ||
        tree_.source->position(span.begin).line != tree_.source->position(end_before(span.begin)).line)
      return false;
    if (g::is_word_start(found[0]))
      return !g::is_keyword(found) || found == "true" || found == "false" || found == "null" ||
             found == "not";
    return found[0] == '"' || found[0] == '[' || found[0] == '{' || (found[0] >= '0' && found[0] <= '9');
  }

  bool foreign_sign(std::uint32_t offset) {
    const std::uint32_t at = token_at(offset);
    if (at >= text_.size()) return false;
    if (text_[at] == '\'') return quotes(at, 1, "texts stand between double quotes"), true;
    const std::string_view rest = std::string_view(text_).substr(at);
    for (const ForeignSign& foreign : kForeignSigns) {
      if (!rest.starts_with(foreign.sign) || (foreign.sign == "!" && rest.starts_with("!="))) continue;
      const Span span{at, at + static_cast<std::uint32_t>(foreign.sign.size())};
      report(Code::SyntaxError, span, std::string(foreign.message))
          .fix(span, std::string(foreign.write), fmt::format("write `{}`", foreign.write));
      return true;
    }
    const auto byte = static_cast<unsigned char>(text_[at]);
    if (byte < 0x20 || byte == 0x7f) {
      report(Code::SyntaxError, {at, at + 1},
             fmt::format("a control character (U+{:04X}) stands here", byte));
      return true;
    }
    return false;
  }

  // `n += 1`, `n++`
  bool compound_assignment(std::uint32_t offset) {
    const std::uint32_t at = token_at(offset);
    if (at == 0 || at >= text_.size() || (text_[at] != '=' && text_[at] != '+')) return false;
    const char sign = text_[at - 1];
    const bool is_step = text_[at] == '+' && sign == '+';
    if (!is_step && (text_[at] != '=' || std::string_view("+-*/%").find(sign) == std::string_view::npos))
      return false;
    report(Code::SyntaxError, {at - 1, at + 1},
           fmt::format("`{}` is no operator here", slice({at - 1, at + 1})))
        .note(fmt::format("write the variable twice: `n = n {} 1`", sign));
    return true;
  }

  // “quoted”, a no-break space, or a letter with an accent.
  void foreign_word(Span span) {
    const std::string_view word = slice(span);
    for (std::size_t i = 0; i < word.size(); ++i) {
      if (!g::is_beyond_ascii(word[i])) continue;
      const auto [code, length] = code_point(word.substr(i));
      const Span sign{span.begin + static_cast<std::uint32_t>(i),
                      span.begin + static_cast<std::uint32_t>(i + length)};
      if (changes_direction(code)) return;  // told wherever it stands
      if (code == 0xa0 || (code >= 0x2000 && code <= 0x200f) || code == 0x202f || code == 0x2060 ||
          code == 0x3000 || code == 0xfeff) {
        report(Code::SyntaxError, sign, fmt::format("an invisible character (U+{:04X}) stands here", code))
            .fix(sign, " ", "write an ordinary blank");
        return;
      }
      if (is_curly_quote(code)) {
        quotes(sign.begin, length, "texts stand between straight quotes");
        return;
      }
      i += length - 1;
    }
    report(Code::SyntaxError, span,
           fmt::format("`{}` is no name: names are made of a-z, A-Z, 0-9 and `_`", word));
  }

  static bool is_curly_quote(std::uint32_t code) {
    return (code >= 0x2018 && code <= 0x201f) || code == 0xab || code == 0xbb;
  }

  bool is_told(std::uint32_t at) const {
    return std::ranges::any_of(quoted_, [&](Span text) { return text.begin <= at && at < text.end; });
  }

  std::size_t line_end(std::size_t at) const { return std::min(text_.find('\n', at), text_.size()); }

  // A text between signs of which Flow knows nothing: the mark is at the first, the fix at both.
  void quotes(std::uint32_t at, std::size_t length, const char* message) {
    const Span sign{at, at + static_cast<std::uint32_t>(length)};
    quoted_.push_back(sign);
    Diagnostic& d = report(Code::SyntaxError, sign, message);
    const bool is_curly = g::is_beyond_ascii(text_[at]);
    for (std::size_t i = sign.end, end = line_end(at); i < end; ++i) {
      std::size_t closing = 0;
      if (is_curly && g::is_beyond_ascii(text_[i])) {
        const auto [code, bytes] = code_point(std::string_view(text_).substr(i));
        if (is_curly_quote(code))
          closing = bytes;
        else
          i += bytes - 1;
      } else if (text_[i] == (is_curly ? '"' : '\'')) {
        closing = 1;
      }
      if (closing == 0) continue;
      const std::string inner = text_.substr(sign.end, i - sign.end);
      if (inner.find('"') != std::string::npos) break;
      const Span all{at, static_cast<std::uint32_t>(i + closing)};
      quoted_.back() = all;
      d.fix(all, fmt::format("\"{}\"", inner),
            inner.size() <= kLongestShown ? fmt::format("write `\"{}\"`", inner)
                                          : std::string("write `\"` at both ends"));
      return;
    }
    d.fix(sign, "\"", "write `\"`");
  }

  // “soc@contoso.com”: what is noticed is the `@`, since letters and quotes beyond ASCII are read as a word.
  bool curly_quote_before(std::uint32_t offset) {
    const std::size_t end = std::min<std::size_t>(offset, text_.size());
    bool is_in_block = false;
    for (std::size_t i = text_.find(kBlockQuote); i < end;
         i = text_.find(kBlockQuote, i + kBlockQuote.size()))
      is_in_block = !is_in_block;
    if (is_in_block) return false;
    std::size_t at = end == 0 ? 0 : text_.rfind('\n', end - 1) + 1;
    if (at == std::string::npos || at > end) at = 0;
    for (bool is_in_text = false; at < end; ++at) {
      if (text_[at] == '"') is_in_text = !is_in_text;
      if (text_[at] == '\\') ++at;
      if (is_in_text || at >= end) continue;
      if (text_.compare(at, 2, "//") == 0) return false;
      if (!g::is_beyond_ascii(text_[at])) continue;
      const auto [code, length] = code_point(std::string_view(text_).substr(at));
      if (is_curly_quote(code)) {
        if (!is_told(static_cast<std::uint32_t>(at)))
          quotes(static_cast<std::uint32_t>(at), length, "texts stand between straight quotes");
        return true;
      }
      at += length - 1;
    }
    return false;
  }

  // `mail(subject = "x")`
  void argument_with_equals_sign(Span sign) {
    Diagnostic& d = report(Code::SyntaxError, sign, "arguments are named with `:`, not with `=`");
    const std::uint32_t name_end = end_before(sign.begin), value = token_at(sign.end);
    std::uint32_t name = name_end;
    while (name > 0 && g::is_word_char(text_[name - 1])) --name;
    d.fix({name_end, value}, ": ", fmt::format("write `{}: …`", slice({name, name_end})))
        .note("to compare write `==`");
  }

  bool habit(const SyntaxFailure& failure) {
    const std::uint32_t at = token_at(failure.offset);
    const auto found = habit_at({.text = text_,
                                 .expected = failure.message,
                                 .found = token(at),
                                 .end_before = end_before(failure.offset)});
    if (!found) return false;
    Diagnostic& d = report(Code::SyntaxError, found->span, found->message);
    if (!found->note.empty()) d.note(found->note);
    if (found->fix) d.fix(found->fix->span, found->fix->replacement, found->fix->message);
    return true;
  }

  // What belongs before `do`.
  bool misplaced(const SyntaxFailure& failure, Span span) {
    const std::string_view found = slice(span);
    const std::string_view message = failure.message;
    if (message == g::message<g::statement_wanted> && found == "when") {
      report(Code::SyntaxError, span, "a condition stands before `do`")
          .note("write `when … do { … }`; to decide within the flow write `if … { … }`");
      return true;
    }
    const bool is_tenants = found == "in" && slice(token(token_at(span.end))) == "tenants";
    if ((message == g::message<g::statement_wanted> && is_tenants) ||
        (message == g::message<g::declaration_wanted> &&
         (is_tenants || std::ranges::find(kPoliciesBegin, found) != std::end(kPoliciesBegin)))) {
      report(Code::SyntaxError, span, g::message<g::no_policy>);
      return true;
    }
    return false;
  }

  static std::pair<std::uint32_t, std::size_t> code_point(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text[0]);
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    std::uint32_t code = lead & (0xffu >> (length + 1));
    for (std::size_t i = 1; i < length && i < text.size(); ++i)
      code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3fu);
    return {code, length};
  }

  // ---- Places

  Span marked(const SyntaxFailure& failure) const {
    switch (failure.mark) {
      case SyntaxFailure::Mark::Token: return token(token_at(failure.offset));
      case SyntaxFailure::Mark::Opener:
        return opener(failure.opener != 0xffffffff ? failure.opener : failure.offset);
      case SyntaxFailure::Mark::Number: {
        std::uint32_t begin = failure.offset;
        while (begin > 0 && (g::is_word_char(text_[begin - 1]) || text_[begin - 1] == '.')) --begin;
        return {begin, token(failure.offset).end};
      }
      case SyntaxFailure::Mark::Gap: break;
    }
    // What is missing at the end of a line is missing there, not on the next.
    const std::uint32_t end = end_before(failure.offset);
    const bool passed_line =
        failure.offset >= text_.size() || std::ranges::count(slice({end, failure.offset}), '\n') > 0;
    if (!passed_line || end == 0) return token(failure.offset);
    std::uint32_t begin = end - 1;
    while (begin > 0 && (text_[begin] & '\xc0') == '\x80') --begin;
    return {begin, end};
  }

  // Where the last word or sign before `offset` ends: blanks and comments between do not count.
  std::uint32_t end_before(std::uint32_t offset) const {
    for (;;) {
      while (offset > 0 && is_blank(text_[offset - 1])) --offset;
      const auto comment =
          std::ranges::lower_bound(tree_.comments, offset, {}, [](const Comment& c) { return c.span.end; });
      if (offset == 0 || comment == tree_.comments.end() || comment->span.end != offset) return offset;
      offset = comment->span.begin;
    }
  }

  // Where the next word or sign from `offset` on begins.
  std::uint32_t token_at(std::uint32_t offset) const {
    for (;;) {
      while (offset < text_.size() && is_blank(text_[offset])) ++offset;
      const auto comment =
          std::ranges::lower_bound(tree_.comments, offset, {}, [](const Comment& c) { return c.span.begin; });
      if (comment == tree_.comments.end() || comment->span.begin != offset) return offset;
      offset = comment->span.end;
    }
  }

  Span token(std::uint32_t begin) const {
    std::uint32_t end = begin;
    if (end >= text_.size()) return {begin, begin};
    if (g::is_word_char(text_[end])) {
      while (end < text_.size() && g::is_word_char(text_[end])) ++end;
    } else {
      const std::string_view rest = std::string_view(text_).substr(begin);
      for (const std::string_view sign : {"==", "!=", "<=", ">=", "=>", "->", "?.", "??"})
        if (rest.starts_with(sign)) return {begin, begin + 2};
      do ++end;
      while (end < text_.size() && (text_[end] & '\xc0') == '\x80');
    }
    return {begin, end};
  }

  static constexpr std::string_view kBlockQuote = "\"\"\"";
  static constexpr std::size_t kLongestShown = 40;

  const Tree& tree_;
  const std::string& text_;
  Diagnostics& diagnostics_;
  std::vector<Span> quoted_;  // texts whose quotes were told
};

}  // namespace

void report_failures(const std::vector<SyntaxFailure>& failures, const Tree& tree, Diagnostics& diagnostics) {
  Reporter reporter(tree, diagnostics);
  const SyntaxFailure* last = nullptr;
  for (const SyntaxFailure& failure : failures) {
    if (last == nullptr || last->offset != failure.offset)
      reporter.failure(failure);  // the same place is the same mistake
    last = &failure;
  }
  reporter.foreign_words();
  if (failures.size() >= kMaxSyntaxErrors) {
    const auto end = static_cast<std::uint32_t>(tree.source->text().size());
    const std::uint32_t at = std::min(failures.back().offset, end);
    diagnostics
        .report(Code::TooManyErrors, tree.file, {at, at},
                fmt::format("reading stopped here, after {} mistakes", kMaxSyntaxErrors))
        .note("mend those above first");
  }
}

}  // namespace flow
