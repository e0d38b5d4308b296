// Names for runs: 26 characters that sort by the time of creation and are safe in URLs, mail headers and
// comments. 48 bits of milliseconds and 80 random bits in Crockford's base 32 (https://github.com/ulid/spec).
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.hpp"

namespace flow {

class RunIds {
 public:
  RunIds(const Clock& clock, Random& random) : clock_(clock), random_(random) {}

  // Greater than every ID given before by this object, even when the clock stands still or goes back.
  std::string next();

 private:
  const Clock& clock_;
  Random& random_;
  std::uint64_t millis_ = 0;
  std::uint64_t high_ = 0;  // 16 random bits
  std::uint64_t low_ = 0;   // 64 random bits
};

// What the IDs of runs that were created at this moment or later are not below. A clock that was set back
// makes IDs of later moments, never of earlier ones.
std::string first_run_id(std::int64_t time_us);

}  // namespace flow
