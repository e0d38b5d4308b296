#include "runtime/breaker.hpp"

#include <algorithm>

#include "base/clock.hpp"

namespace flow {

std::int64_t Breaker::open_at(const std::string& host) const {
  const auto found = hosts_.find(host);
  if (found == hosts_.end() || found->second.rests == 0) return 0;
  return found->second.probe ? kNever : found->second.until_us;
}

void Breaker::note_sent(const std::string& host, std::uint64_t ticket, std::int64_t now_us) {
  const auto found = hosts_.find(host);
  if (found == hosts_.end() || found->second.rests == 0 || now_us < found->second.until_us) return;
  found->second.probe = ticket;
}

std::int64_t Breaker::rest(Host& host, std::int64_t now_us) const {
  const std::uint32_t doublings = std::min<std::uint32_t>(host.rests++, 20);
  const bool is_longest = settings_.first_rest_us > settings_.longest_rest_us >> doublings;
  const std::int64_t rest_us = is_longest ? settings_.longest_rest_us : settings_.first_rest_us << doublings;
  host.until_us = now_us + rest_us;
  return rest_us;
}

Breaker::Change Breaker::note_back(const std::string& name, std::uint64_t ticket, Sign sign,
                                   std::int64_t now_us) {
  const auto found = hosts_.find(name);
  if (sign == Sign::Nothing) {
    if (found != hosts_.end() && found->second.probe == ticket) found->second.probe.reset();
    return {};
  }
  if (sign == Sign::Answered) {
    if (found == hosts_.end()) return {};
    const bool has_rested = found->second.rests > 0;
    hosts_.erase(found);
    return {.rests_us = std::nullopt, .is_back = has_rested};
  }
  if (settings_.failures == 0) return {};
  Host& host = hosts_[name];
  if (host.rests == 0) {
    if (++host.failures < settings_.failures) return {};
    return {.rests_us = rest(host, now_us)};
  }
  // Calls that were out when the rest began say nothing new.
  if (host.probe != ticket) return {};
  host.probe.reset();
  rest(host, now_us);
  return {};
}

void Breaker::set_back(std::int64_t by_us) {
  for (auto& [name, host] : hosts_) host.until_us -= by_us;
}

}  // namespace flow
