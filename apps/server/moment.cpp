#include "apps/server/moment.hpp"

#include <string>

#include "base/text.hpp"

namespace flow {

std::optional<std::int64_t> parse_moment(std::string_view text, std::int64_t now_us) {
  constexpr std::size_t kDate = 10;
  if (text.size() == kDate && text[4] == '-') return parse_time_us(std::string(text) + "T00:00:00Z");
  if (const auto before_us = parse_duration_us(text); before_us && *before_us >= 0) {
    std::int64_t moment_us = 0;
    return __builtin_sub_overflow(now_us, *before_us, &moment_us) ? 0 : moment_us;
  }
  return parse_time_us(text);
}

}  // namespace flow
