// A place in a source text, in bytes. Lines and columns are worked out only when something is printed.
#pragma once

#include <cstdint>

namespace flow {

struct Span {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;  // one past the last byte

  bool operator==(const Span&) const = default;
};

}  // namespace flow
