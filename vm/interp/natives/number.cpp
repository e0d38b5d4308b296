// Numbers: from texts, to texts, rounded and compared.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "vm/interp/natives/functions.hpp"

namespace flow::natives {
namespace {

constexpr std::int64_t kMostDecimals = 15;

std::string_view without_blanks(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin);
}

// `+5` is a number, `+-5` is none.
bool take_plus(std::string_view& text) {
  if (!text.starts_with('+')) return true;
  text.remove_prefix(1);
  return !text.starts_with('-');
}

// The first number that is too large, 2 to the power of 63, has a double of its own; the last that fits has
// not.
std::int64_t whole(NativeContext& context, double number) {
  constexpr double kTooLarge = 9223372036854775808.0;
  if (number >= -kTooLarge && number < kTooLarge) return static_cast<std::int64_t>(number);
  overflow(context);
  return 0;
}

bool are_decimals(NativeContext& context, std::int64_t decimals) {
  if (decimals >= 0 && decimals <= kMostDecimals) return true;
  invalid(context, fmt::format("a number has 0 to {} decimals, not {}", kMostDecimals, decimals));
  return false;
}

}  // namespace

std::optional<std::int64_t> textToInt(NativeContext&, std::string_view text) {
  text = without_blanks(text);
  std::int64_t number = 0;
  if (!take_plus(text)) return std::nullopt;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  return problem == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

std::optional<double> textToFloat(NativeContext&, std::string_view text) {
  text = without_blanks(text);
  double number = 0;
  if (!take_plus(text)) return std::nullopt;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_number = problem == std::errc() && end == text.data() + text.size() && std::isfinite(number);
  return is_number ? std::optional(number) : std::nullopt;
}

std::int64_t absInt(NativeContext& context, std::int64_t number) {
  if (number == std::numeric_limits<std::int64_t>::min()) return overflow(context), 0;
  return number < 0 ? -number : number;
}
double absFloat(NativeContext&, double number) {
  return std::fabs(number);
}

std::int64_t round(NativeContext& context, double number) {
  return whole(context, std::round(number));
}
std::int64_t floor(NativeContext& context, double number) {
  return whole(context, std::floor(number));
}
std::int64_t ceil(NativeContext& context, double number) {
  return whole(context, std::ceil(number));
}
std::int64_t truncate(NativeContext& context, double number) {
  return whole(context, std::trunc(number));
}

// By way of its decimal spelling, so that 2.675 is what it looks like and not what its bits come to.
double roundTo(NativeContext& context, double number, std::int64_t decimals) {
  if (!are_decimals(context, decimals)) return 0;
  const double scale = std::pow(10.0, static_cast<double>(decimals));
  const double scaled = number * scale;
  if (std::fabs(scaled) >= 9007199254740992.0) return number;  // 2 to the power of 53: no room for decimals
  const double rounded = std::round(std::nextafter(scaled, scaled + std::copysign(1.0, scaled)));
  return rounded / scale;
}

std::int64_t clampInt(NativeContext& context, std::int64_t number, std::int64_t least, std::int64_t most) {
  if (least > most) return invalid(context, "the least of `clamp` is greater than the most"), 0;
  return std::clamp(number, least, most);
}
double clampFloat(NativeContext& context, double number, double least, double most) {
  if (least > most) return invalid(context, "the least of `clamp` is greater than the most"), 0;
  return std::clamp(number, least, most);
}

std::int64_t minInt(NativeContext&, std::int64_t a, std::int64_t b) {
  return std::min(a, b);
}
std::int64_t maxInt(NativeContext&, std::int64_t a, std::int64_t b) {
  return std::max(a, b);
}
double minFloat(NativeContext&, double a, double b) {
  return std::min(a, b);
}
double maxFloat(NativeContext&, double a, double b) {
  return std::max(a, b);
}

Text formatFloat(NativeContext& context, double number, std::int64_t decimals) {
  if (!are_decimals(context, decimals)) return std::nullopt;
  const double rounded = roundTo(context, number, decimals);
  return keep(context, fmt::format("{:.{}f}", rounded == 0 ? 0.0 : rounded, decimals));
}

}  // namespace flow::natives
