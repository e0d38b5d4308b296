#include "runtime/deadlines.hpp"

#include "runtime/limiter.hpp"

namespace flow {

void Deadlines::set(const std::string& run, std::int64_t at_us) {
  forget(run);
  times_.emplace(run, at_us);
  by_time_.emplace(at_us, run);
}

void Deadlines::forget(const std::string& run) {
  const auto found = times_.find(run);
  if (found == times_.end()) return;
  by_time_.erase({found->second, run});
  times_.erase(found);
}

std::vector<std::string> Deadlines::take_due(std::int64_t now_us) {
  std::vector<std::string> due;
  while (!by_time_.empty() && by_time_.begin()->first <= now_us) {
    due.push_back(by_time_.begin()->second);
    forget(due.back());
  }
  return due;
}

std::int64_t Deadlines::of(const std::string& run) const {
  const auto found = times_.find(run);
  return found == times_.end() ? kNever : found->second;
}

std::int64_t Deadlines::next_us() const {
  return by_time_.empty() ? kNever : by_time_.begin()->first;
}

}  // namespace flow
