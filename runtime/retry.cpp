#include "runtime/retry.hpp"

#include <algorithm>

namespace flow {

AfterFault after_fault(const Fault& fault, Effect effect, std::uint32_t failures, const RetryPolicy& policy) {
  if (effect != Effect::Read && fault.maybe_executed) return AfterFault::Settle;
  return may_retry(fault.kind) && failures < policy.tries ? AfterFault::Retry : AfterFault::Return;
}

std::int64_t retry_delay_us(const Fault& fault, std::uint32_t failures, const RetryPolicy& policy,
                            Random& random) {
  const std::uint32_t doublings = std::min<std::uint32_t>(failures > 0 ? failures - 1 : 0, 30);
  const std::int64_t delay = std::min(policy.first_delay_us << doublings, policy.longest_delay_us);
  const auto half = static_cast<std::uint64_t>(delay / 2);
  const auto jittered = delay - static_cast<std::int64_t>(half ? random.next() % half : 0);
  std::int64_t wish = std::min(fault.retry_after_us, policy.longest_wish_us);
  if (fault.kind == FaultKind::Throttled && wish <= 0) wish = policy.throttled_without_wish_us;
  return std::max(jittered, wish);
}

}  // namespace flow
