#include "apps/sim/ticks.hpp"

#include "base/text.hpp"

namespace flow::sim {

std::string format_ticks(std::int64_t time_us) {
  std::string text = format_time_us(time_us);
  text.pop_back();  // Z
  if (text.find('.') == std::string::npos) text += '.';
  const std::size_t digits = text.size() - text.find('.') - 1;
  text.append(6 - digits, '0');
  text += static_cast<char>('0' + (time_us / 7) % 10);
  return text + "Z";
}

std::optional<std::int64_t> parse_ticks(std::string_view text) {
  const auto micros = parse_time_us(text);
  if (!micros) return std::nullopt;
  const std::size_t seventh = text.find('.') == std::string_view::npos ? text.size() : text.find('.') + 7;
  const bool has_seventh = seventh < text.size() && text[seventh] >= '0' && text[seventh] <= '9';
  return *micros * 10 + (has_seventh ? text[seventh] - '0' : 0);
}

}  // namespace flow::sim
