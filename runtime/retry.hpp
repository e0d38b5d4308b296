// What happens to a call that came back with a fault. Pure: the same fault and count give the same decision.
#pragma once

#include <cstdint>

#include "base/clock.hpp"
#include "base/fault.hpp"
#include "base/operation.hpp"

namespace flow {

struct RetryPolicy {
  std::uint32_t tries = 5;                       // in all, the first included
  std::int64_t first_delay_us = 1'000'000;       // doubles with each try
  std::int64_t longest_delay_us = 60'000'000;    // before jitter; a server's wish may be longer
  std::int64_t longest_wish_us = 3'600'000'000;  // a Retry-After above this is cut to it
  std::int64_t throttled_without_wish_us = 60'000'000;
};

enum class AfterFault : std::uint8_t {
  Return,  // the flow gets the fault
  Retry,   // make the call again after retry_delay_us()
  Settle,  // first find out whether it happened
};
// `failures` counts the faults of this call so far, this one included.
AfterFault after_fault(const Fault& fault, Effect effect, std::uint32_t failures, const RetryPolicy& policy);

// Exponential, jittered between half and all of it, never less than what the server asked for.
std::int64_t retry_delay_us(const Fault& fault, std::uint32_t failures, const RetryPolicy& policy,
                            Random& random);

}  // namespace flow
