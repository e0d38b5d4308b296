#include "base/time_pattern.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "base/calendar.hpp"

namespace flow {
namespace {

constexpr std::string_view kMonths[] = {"January",   "February", "March",    "April",
                                        "May",       "June",     "July",     "August",
                                        "September", "October",  "November", "December"};
constexpr std::string_view kWeekdays[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                          "Friday", "Saturday", "Sunday"};

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Calls `token(letter, count)` for each run of one letter, which says whether it has a meaning, and
// `literal(text)` for what stands for itself. Gives what is wrong.
template <class Token, class Literal>
std::string walk(std::string_view pattern, std::string_view plain_letters, Token token, Literal literal) {
  for (std::size_t at = 0; at < pattern.size();) {
    const char c = pattern[at];
    if (c == '\'') {
      const std::size_t end = pattern.find('\'', at + 1);
      if (end == std::string_view::npos) return "a quote is not closed";
      literal(pattern.substr(at + 1, end - at - 1));
      at = end + 1;
    } else if (c == '\\') {
      if (at + 1 == pattern.size()) return "nothing follows the backslash";
      literal(pattern.substr(at + 1, 1));
      at += 2;
    } else if (!is_letter(c) || plain_letters.find(c) != std::string_view::npos) {
      literal(pattern.substr(at, 1));
      ++at;
    } else {
      std::size_t count = 1;
      while (at + count < pattern.size() && pattern[at + count] == c) ++count;
      if (!token(c, count))
        return fmt::format("`{}` has no meaning there", pattern.substr(at, std::min<std::size_t>(count, 20)));
      at += count;
    }
  }
  return {};
}

void add_number(std::string& out, std::int64_t number, std::size_t digits) {
  out += fmt::format("{:0{}}", number, digits);
}

void add_fraction(std::string& out, std::int64_t micros, std::size_t digits) {
  const std::string all = fmt::format("{:06}", micros);
  out += all.substr(0, digits);
}

void add_offset(std::string& out, std::int64_t seconds, std::size_t letters) {
  const std::int64_t minutes = (seconds < 0 ? -seconds : seconds) / 60;
  out += seconds < 0 ? '-' : '+';
  add_number(out, minutes / 60, letters == 1 ? 1 : 2);
  if (letters >= 3) {
    out += ':';
    add_number(out, minutes % 60, 2);
  }
}

class TimePrinter {
 public:
  TimePrinter(std::int64_t time_us, const TimeZone& zone)
      : offset_(zone.offset_at(time_us).seconds), local_(local_time(zone.to_local_us(time_us))) {}

  // Whether the run of letters has a meaning; what it means is added to `out`.
  bool add(char letter, std::size_t count, std::string& out) const {
    const std::int64_t seconds = local_.time_of_day_us / kSecondUs, hour = seconds / 3600;
    const std::int64_t small_hour = hour % 12 == 0 ? 12 : hour % 12;
    const auto number = [&](std::int64_t value) {
      if (count <= 2) add_number(out, value, count);
      return count <= 2;
    };
    switch (letter) {
      case 'y':
        if (count == 4) add_number(out, local_.date.year, 4);
        if (count == 2) add_number(out, (local_.date.year % 100 + 100) % 100, 2);
        return count == 4 || count == 2;
      case 'M': return number_or_name(local_.date.month, kMonths[local_.date.month - 1], count, out);
      case 'd':
        return number_or_name(local_.date.day, kWeekdays[weekday_of(days_of(local_.date))], count, out);
      case 'H': return number(hour);
      case 'h': return number(small_hour);
      case 'm': return number(seconds / 60 % 60);
      case 's': return number(seconds % 60);
      case 'f':
        if (count <= 6) add_fraction(out, local_.time_of_day_us % kSecondUs, count);
        return count <= 6;
      case 't':
        if (count == 2) out += hour < 12 ? "AM" : "PM";
        return count == 2;
      case 'z':
        if (count <= 3) add_offset(out, offset_, count);
        return count <= 3;
      case 'K':
        if (count != 1) return false;
        if (offset_ == 0)
          out += 'Z';
        else
          add_offset(out, offset_, 3);
        return true;
      default: return false;
    }
  }

 private:
  static bool number_or_name(unsigned value, std::string_view name, std::size_t count, std::string& out) {
    if (count <= 2)
      add_number(out, value, count);
    else if (count <= 4)
      out += count == 3 ? name.substr(0, 3) : name;
    return count <= 4;
  }

  std::int64_t offset_;
  LocalTime local_;
};

}  // namespace

std::string time_pattern_mistake(std::string_view pattern) {
  const TimePrinter printer(0, TimeZone());
  std::string ignored;
  return walk(
      pattern, "TZ", [&](char letter, std::size_t count) { return printer.add(letter, count, ignored); },
      [](std::string_view) {});
}

std::optional<std::string> formatted_time(std::string_view pattern, std::int64_t time_us,
                                          const TimeZone& zone) {
  const TimePrinter printer(time_us, zone);
  std::string out;
  const std::string wrong = walk(
      pattern, "TZ", [&](char letter, std::size_t count) { return printer.add(letter, count, out); },
      [&](std::string_view text) { out += text; });
  return wrong.empty() ? std::optional(std::move(out)) : std::nullopt;
}

namespace {

constexpr std::string_view kDurationLetters = "dhms";  // largest first
constexpr std::int64_t kDurationUnits[] = {kDayUs, kHourUs, kMinuteUs, kSecondUs};

bool is_duration_token(char letter, std::size_t count) {
  return letter == 'f' ? count <= 6 : count <= 2 && kDurationLetters.find(letter) != std::string_view::npos;
}

}  // namespace

std::string duration_pattern_mistake(std::string_view pattern) {
  return walk(pattern, "", is_duration_token, [](std::string_view) {});
}

std::optional<std::string> formatted_duration(std::string_view pattern, std::int64_t duration_us) {
  bool is_named[4] = {};
  const std::string wrong = walk(
      pattern, "",
      [&](char letter, std::size_t count) {
        const std::size_t unit = kDurationLetters.find(letter);
        if (unit != std::string_view::npos) is_named[unit] = true;
        return is_duration_token(letter, count);
      },
      [](std::string_view) {});
  if (!wrong.empty()) return std::nullopt;
  // Taken apart below zero, where the least number has room.
  std::int64_t rest = duration_us < 0 ? duration_us : -duration_us;
  std::int64_t values[4] = {};
  for (std::size_t unit = 0; unit < 4; ++unit) {
    if (!is_named[unit]) continue;
    values[unit] = -(rest / kDurationUnits[unit]);
    rest %= kDurationUnits[unit];
  }
  const std::int64_t fraction = -(rest % kSecondUs);
  std::string out = duration_us < 0 ? "-" : "";
  walk(
      pattern, "",
      [&](char letter, std::size_t count) {
        if (letter == 'f')
          add_fraction(out, fraction, count);
        else
          add_number(out, values[kDurationLetters.find(letter)], count);
        return true;
      },
      [&](std::string_view text) { out += text; });
  return out;
}

}  // namespace flow
