// Time and chance come in here and nowhere else, so that a test can run everything in simulated time from a
// seed.
#pragma once

#include <cstdint>
#include <limits>

namespace flow {

inline constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

class Clock {
 public:
  virtual ~Clock() = default;
  // Microseconds since 1970-01-01T00:00:00Z. May jump when the machine's clock is set.
  virtual std::int64_t now_us() const = 0;
};

class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t next() = 0;  // uniform over all 64-bit values
};

}  // namespace flow
