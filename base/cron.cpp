#include "base/cron.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <vector>

#include "base/text.hpp"

namespace flow {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                                      "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
constexpr std::array<std::string_view, 7> kWeekdays = {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};
constexpr std::array<unsigned, 12> kMostDays = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

struct Field {
  std::string_view name;
  unsigned lowest = 0, highest = 0;
  std::span<const std::string_view> names;  // the first is that of `lowest`
};
constexpr std::array<Field, 5> kCronFields = {
    Field{"minute", 0, 59, {}}, Field{"hour", 0, 23, {}}, Field{"day of the month", 1, 31, {}},
    Field{"month", 1, 12, kMonths}, Field{"day of the week", 0, 7, kWeekdays}};

struct CronWord {
  std::size_t begin = 0;
  std::string_view text;
};

std::vector<CronWord> words_of(std::string_view text) {
  std::vector<CronWord> words;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = text.find_first_not_of(" \t", at);
    if (begin == std::string_view::npos) break;
    at = std::min(text.find_first_of(" \t", begin), text.size());
    words.push_back({begin, text.substr(begin, at - begin)});
  }
  return words;
}

tl::unexpected<CronMistake> mistake(CronWord where, std::string message) {
  return tl::unexpected(CronMistake{where.begin, where.text.size(), std::move(message)});
}

// The part of `word` before the first `separator`; `word` becomes what is behind it, or empty.
CronWord cut(CronWord& word, char separator) {
  const std::size_t end = std::min(word.text.find(separator), word.text.size());
  const CronWord part{word.begin, word.text.substr(0, end)};
  const std::size_t next = std::min(end + 1, word.text.size());
  word = {word.begin + next, word.text.substr(next)};
  return part;
}

std::string allowed(const Field& field) {
  return fmt::format("a {} is {} to {}{}", field.name, field.lowest, field.highest,
                     field.names.empty()
                         ? std::string()
                         : fmt::format(", or {} to {}", field.names.front(), field.names.back()));
}

tl::expected<unsigned, CronMistake> value_of(CronWord word, const Field& field) {
  for (std::size_t i = 0; i < field.names.size(); ++i)
    if (equals_ignoring_case(word.text, field.names[i])) return field.lowest + static_cast<unsigned>(i);
  unsigned value = 0;
  const bool is_number = !word.text.empty() && word.text.size() <= 4 &&
                         std::ranges::all_of(word.text, [](char c) { return c >= '0' && c <= '9'; });
  for (const char c : is_number ? word.text : std::string_view())
    value = 10 * value + static_cast<unsigned>(c - '0');
  if (is_number && value >= field.lowest && value <= field.highest) return value;
  return mistake(word, word.text.empty()
                           ? fmt::format("a {} is missing here", field.name)
                           : fmt::format("`{}` is no {}: {}", word.text, field.name, allowed(field)));
}

tl::expected<std::uint64_t, CronMistake> bits_of_part(CronWord part, const Field& field) {
  const bool has_step = part.text.find('/') != std::string_view::npos;
  CronWord step_word = part;
  CronWord range = cut(step_word, '/');
  unsigned step = 1;
  if (has_step) {
    const Field steps{"step", 1, field.highest, {}};
    const auto given = value_of(step_word, steps);
    if (!given) return tl::unexpected(given.error());
    step = *given;
  }
  unsigned from = field.lowest, to = field.highest;
  if (range.text != "*") {
    const CronWord whole = range;
    const bool is_range = range.text.find('-') != std::string_view::npos;
    const auto first = value_of(cut(range, '-'), field);
    if (!first) return tl::unexpected(first.error());
    from = *first;
    to = has_step ? field.highest : from;  // `5/10`: from 5 on, each tenth
    if (is_range) {
      const auto last = value_of(range, field);
      if (!last) return tl::unexpected(last.error());
      to = *last;
      if (field.names.data() == kWeekdays.data() && to == 0 && from > 0) to = 7;  // SAT-SUN
      if (to < from) return mistake(whole, fmt::format("the range `{}` ends before it begins", whole.text));
    }
  }
  std::uint64_t bits = 0;
  for (unsigned value = from; value <= to; value += step) bits |= std::uint64_t{1} << value;
  return bits;
}

tl::expected<std::uint64_t, CronMistake> bits_of(CronWord word, const Field& field) {
  std::uint64_t bits = 0;
  for (bool is_last = false; !is_last;) {
    is_last = word.text.find(',') == std::string_view::npos;
    const auto part = bits_of_part(cut(word, ','), field);
    if (!part) return tl::unexpected(part.error());
    bits |= *part;
  }
  return bits;
}

bool can_fire(const CronSchedule& schedule) {
  if (!schedule.is_any_weekday || schedule.is_any_day) return true;
  for (unsigned month = 1; month <= 12; ++month)
    for (unsigned day = 1; day <= kMostDays[month - 1]; ++day)
      if ((schedule.months >> month & 1) != 0 && (schedule.days >> day & 1) != 0) return true;
  return false;
}

}  // namespace

bool CronSchedule::fires_on(unsigned month, unsigned day, unsigned weekday) const {
  if ((months >> month & 1) == 0) return false;
  const bool by_day = (days >> day & 1) != 0, by_weekday = (weekdays >> weekday & 1) != 0;
  return is_any_day || is_any_weekday ? by_day && by_weekday : by_day || by_weekday;
}

tl::expected<CronSchedule, CronMistake> parse_cron(std::string_view text) {
  const std::vector<CronWord> words = words_of(text);
  if (words.size() != kCronFields.size()) {
    const std::string message = fmt::format(
        "a schedule has five fields (minute, hour, day of the month, month, day of the week), and this has "
        "{}",
        words.size());
    if (words.size() < kCronFields.size()) return mistake({0, text}, message);
    const CronWord& first = words[kCronFields.size()];
    return mistake({first.begin, text.substr(first.begin)}, message);
  }
  std::array<std::uint64_t, 5> bits{};
  for (std::size_t i = 0; i < kCronFields.size(); ++i) {
    const auto field = bits_of(words[i], kCronFields[i]);
    if (!field) return tl::unexpected(field.error());
    bits[i] = *field;
  }
  CronSchedule schedule{.minutes = bits[0],
                        .hours = static_cast<std::uint32_t>(bits[1]),
                        .days = static_cast<std::uint32_t>(bits[2]),
                        .months = static_cast<std::uint32_t>(bits[3]),
                        .weekdays = static_cast<std::uint32_t>((bits[4] | bits[4] >> 7) & 0x7f),
                        .is_any_day = words[2].text.starts_with('*'),
                        .is_any_weekday = words[4].text.starts_with('*')};
  if (!can_fire(schedule))
    return mistake(words[2], fmt::format("no month that `{}` names has a day `{}`, so it would never fire",
                                         words[3].text, words[2].text));
  return schedule;
}

}  // namespace flow
