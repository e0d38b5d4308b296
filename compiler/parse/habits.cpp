#include "compiler/parse/habits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace flow {
namespace {

// Words that begin something in other languages; grammar/rules/statements.hpp lists them where they begin a
// statement.
struct ForeignWord {
  std::string_view word, advice;
};
constexpr std::array kForeignWords = {
    ForeignWord{"while", "a loop with a bound: `repeat every 30s within 1h { … } until condition`"},
    ForeignWord{"foreach", "a loop: `for item in list { … }`"},
    ForeignWord{"switch", "a choice by value: `match severity { High => { … }  _ => { … } }`"},
    ForeignWord{"unless", "a choice: `if not (condition) { … }`"},
    ForeignWord{"elif", "another choice: `else if condition { … }`"},
    ForeignWord{"elseif", "another choice: `else if condition { … }`"},
    ForeignWord{"elsif", "another choice: `else if condition { … }`"},
    ForeignWord{"const", "a value: `let name = value`"},
    ForeignWord{"function", "a function at the top of a file: `fn name(host: String) -> Bool { … }`"},
    ForeignWord{"func", "a function at the top of a file: `fn name(host: String) -> Bool { … }`"},
    ForeignWord{"def", "a function at the top of a file: `fn name(host: String) -> Bool { … }`"},
    ForeignWord{"import", "a module at the top of a file: `use notify`"},
    ForeignWord{"include", "a module at the top of a file: `use notify`"},
    ForeignWord{"require", "a module at the top of a file: `use notify`"},
    ForeignWord{"print", "a line of the run's history: `log \"…\"`"},
    ForeignWord{"echo", "a line of the run's history: `log \"…\"`"},
    ForeignWord{"throw", "the end of a run: `fail \"…\"`"},
    ForeignWord{"raise", "the end of a run: `fail \"…\"`"},
};

struct Replacement {
  std::string_view word, write;
};
constexpr std::array kReplacements = {
    Replacement{"const", "let"},      Replacement{"foreach", "for"},   Replacement{"elif", "else if"},
    Replacement{"elseif", "else if"}, Replacement{"elsif", "else if"}, Replacement{"function", "fn"},
    Replacement{"func", "fn"},        Replacement{"def", "fn"},        Replacement{"import", "use"},
    Replacement{"include", "use"},    Replacement{"require", "use"},   Replacement{"print", "log"},
    Replacement{"echo", "log"},       Replacement{"throw", "fail"},    Replacement{"raise", "fail"}};

constexpr std::array kUnits = {
    Replacement{"second", "s"}, Replacement{"sec", "s"}, Replacement{"minute", "m"}, Replacement{"min", "m"},
    Replacement{"hour", "h"},   Replacement{"day", "d"}, Replacement{"week", "w"}};

class Finder {
 public:
  explicit Finder(const MistakePlace& place)
      : text_(place.text),
        expected_(place.expected),
        at_(place.found.begin),
        found_(place.text.substr(place.found.begin, place.found.end - place.found.begin)),
        span_(place.found),
        before_(place.end_before) {}

  std::optional<Habit> find() const {
    if (at_ >= text_.size()) return std::nullopt;
    for (const auto rule : {&Finder::comment, &Finder::foreign_word, &Finder::comparison, &Finder::choice,
                            &Finder::condition, &Finder::range, &Finder::then_block, &Finder::caught,
                            &Finder::loop, &Finder::tuple, &Finder::length_of_time, &Finder::lone_else})
      if (auto habit = (this->*rule)()) return habit;
    return std::nullopt;
  }

 private:
  bool is(const char* message) const { return expected_ == message; }
  bool behind(std::string_view sign) const { return text_.substr(0, at_).ends_with(sign); }
  std::string_view rest() const { return text_.substr(at_); }

  // The word that ends where the mistake's gap begins.
  Span word_before() const {
    std::uint32_t begin = before_;
    while (begin > 0 && g::is_word_char(text_[begin - 1])) --begin;
    return {begin, before_};
  }
  std::string_view slice(Span span) const { return text_.substr(span.begin, span.end - span.begin); }

  Habit replace(Span span, std::string message, std::string write) const {
    std::string advice = fmt::format("write `{}`", write);
    return {span, std::move(message), {}, FixIt{span, std::move(write), std::move(advice)}};
  }

  std::optional<Habit> comment() const {
    const bool is_dashes =
        rest().starts_with("-- ") || (rest().starts_with("--") && is(g::message<g::no_foreign_word>));
    if (found_ != "#" && !is_dashes) return std::nullopt;
    const Span sign{at_, at_ + (is_dashes ? 2 : 1)};
    return replace(sign, "comments begin with `//`", "//");
  }

  std::optional<Habit> foreign_word() const {
    if (!is(g::message<g::no_foreign_word>) && !is(g::message<g::declaration_wanted>)) return std::nullopt;
    const auto word = std::ranges::find(kForeignWords, found_, &ForeignWord::word);
    if (word == kForeignWords.end()) return std::nullopt;
    Habit habit{
        span_, fmt::format("`{}` is no word of Flow", found_), fmt::format("write {}", word->advice), {}};
    const auto here = std::ranges::find(kReplacements, found_, &Replacement::word);
    if (here != kReplacements.end())
      habit.fix = FixIt{span_, std::string(here->write), fmt::format("write `{}`", here->write)};
    return habit;
  }

  // `===`, `!==`, `<>`
  std::optional<Habit> comparison() const {
    if (!is(g::message<g::compare_operand>) || at_ < 2) return std::nullopt;
    if (found_ == "=" && (behind("==") || behind("!=")))
      return replace({at_ - 2, at_ + 1}, fmt::format("`{}` is no operator here", text_.substr(at_ - 2, 3)),
                     std::string(text_.substr(at_ - 2, 2)));
    if (found_ == ">" && behind("<")) return replace({at_ - 1, at_ + 1}, "`<>` is no operator here", "!=");
    return std::nullopt;
  }

  std::optional<Habit> choice() const {
    if (found_ != "?") return std::nullopt;
    return Habit{span_, "there is no `? :` here", "write `if condition then a else b`", {}};
  }

  std::optional<Habit> condition() const {
    if (!is(g::message<g::do_word>) || (found_ != "where" && found_ != "if")) return std::nullopt;
    return replace(span_, "the condition of a flow begins with `when`", "when");
  }

  // `for i in 0..5`
  std::optional<Habit> range() const {
    if (!is(g::message<g::block_wanted>) || !rest().starts_with("..")) return std::nullopt;
    const Span first = word_before();
    Span last{at_ + 2, at_ + 2};
    while (last.begin < text_.size() && (text_[last.begin] == ' ' || text_[last.begin] == '<')) ++last.begin;
    last.end = last.begin;
    while (last.end < text_.size() && g::is_word_char(text_[last.end])) ++last.end;
    if (first.begin == first.end || last.begin == last.end)
      return Habit{{at_, at_ + 2}, "a range is written `range(from, to)` here", {}, {}};
    Habit habit = replace({first.begin, last.end}, "a range is written `range(from, to)` here",
                          fmt::format("range({}, {})", slice(first), slice(last)));
    habit.span = {at_, at_ + 2};
    habit.note = "`range(0, 3)` counts 0, 1, 2";
    return habit;
  }

  // `if c then {`
  std::optional<Habit> then_block() const {
    if (!is(g::message<g::block_wanted>) || found_ != "then") return std::nullopt;
    const std::size_t next = text_.find_first_not_of(' ', span_.end);
    if (next == std::string_view::npos || text_[next] != '{')
      return Habit{span_,
                   "behind the condition of a statement stands a block",
                   "write `if condition { … }`; with `then` and `else` it is a value",
                   {}};
    const Span all{span_.begin, static_cast<std::uint32_t>(next)};
    return Habit{span_, "a block follows without `then`", {}, FixIt{all, "", "leave it out"}};
  }

  // `catch (e) {`
  std::optional<Habit> caught() const {
    if (!is(g::message<g::catch_block>) || found_ != "(") return std::nullopt;
    return Habit{
        span_, "a `catch` has no parentheses", "write `catch e { … }` or `catch e: NotFound { … }`", {}};
  }

  // `for (x in list) {`
  std::optional<Habit> loop() const {
    if (!is(g::message<g::loop_name>) || found_ != "(") return std::nullopt;
    return Habit{span_, "a loop has no parentheses", "write `for item in list { … }`", {}};
  }

  // `severity in (High, Medium)`
  std::optional<Habit> tuple() const {
    if (!is(g::message<g::close_paren>) || found_ != ",") return std::nullopt;
    const std::size_t line = at_ == 0 ? std::string_view::npos : text_.rfind('\n', at_ - 1);
    const std::size_t opener = text_.rfind('(', at_), closer = text_.find_first_of("()\n", at_);
    if (opener == std::string_view::npos || (line != std::string_view::npos && opener < line) ||
        closer == std::string_view::npos || text_[closer] != ')')
      return Habit{span_, "a list stands between brackets", "write `[a, b]`", {}};
    const std::size_t next = text_.find_first_not_of(' ', closer + 1);
    if (next != std::string_view::npos && text_.substr(next, 2) == "=>") return std::nullopt;  // a lambda
    const Span all{static_cast<std::uint32_t>(opener), static_cast<std::uint32_t>(closer) + 1};
    return replace(all, "a list stands between brackets",
                   fmt::format("[{}]", text_.substr(opener + 1, closer - opener - 1)));
  }

  // `30 minutes`, `1h 30m`
  std::optional<Habit> length_of_time() const {
    const Span number = word_before();
    const std::string_view written = slice(number);
    if (written.empty() || written[0] < '0' || written[0] > '9') return std::nullopt;
    if (at_ > before_ && slice({before_, at_}).find('\n') != std::string_view::npos) return std::nullopt;
    const bool is_number = std::ranges::all_of(written, [](char c) { return c >= '0' && c <= '9'; });
    std::string unit = lower_ascii(found_);
    if (unit.size() > 3 && unit.ends_with('s')) unit.pop_back();
    const auto named = std::ranges::find(kUnits, unit, &Replacement::word);
    const Span both{number.begin, span_.end};
    if (is_number && named != kUnits.end())
      return replace(both, "a length of time is one word", fmt::format("{}{}", written, named->write));
    if (!is_number && found_[0] >= '0' && found_[0] <= '9' && parse_duration_us(written) &&
        parse_duration_us(found_))
      return replace(both, "a length of time is one word", fmt::format("{}{}", written, found_));
    return std::nullopt;
  }

  std::optional<Habit> lone_else() const {
    if (!is(g::message<g::statement_wanted>) || found_ != "else") return std::nullopt;
    return Habit{
        span_,
        "this `else` belongs to nothing",
        "it stands right behind the `}` of an `if`, or behind `within`: `let ok = approve(…) within 1h "
        "else false`",
        {}};
  }

  std::string_view text_, expected_;
  std::uint32_t at_;
  std::string_view found_;
  Span span_;
  std::uint32_t before_;
};

}  // namespace

std::optional<Habit> habit_at(const MistakePlace& place) {
  return Finder(place).find();
}

}  // namespace flow
