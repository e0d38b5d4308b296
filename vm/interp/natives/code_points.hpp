// Places in well-formed UTF-8, counted in code points.
#pragma once

#include <cstdint>
#include <string_view>

namespace flow::natives {

inline bool begins_code_point(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
}

inline std::int64_t code_points(std::string_view text) {
  std::int64_t count = 0;
  for (const char c : text) count += begins_code_point(c) ? 1 : 0;
  return count;
}

// Where code point number `count` begins; the end when there are not as many.
inline std::size_t offset_of(std::string_view text, std::int64_t count) {
  std::size_t at = 0;
  for (; at < text.size(); ++at)
    if (begins_code_point(text[at]) && --count < 0) return at;
  return at;
}

}  // namespace flow::natives
