// Where answers from other threads wait for the loop. Shared with the callbacks, so that one that comes after
// the runtime is gone still finds it, and is dropped.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <utility>
#include <variant>
#include <vector>

#include "runtime/executor.hpp"

namespace flow {

struct Answer {
  std::uint64_t ticket = 0;
  std::variant<Outcome, Settlement> what;
};

class Inbox {
 public:
  void post(Answer answer) {
    {
      const std::lock_guard lock(mutex_);
      answers_.push_back(std::move(answer));
    }
    changed_.notify_one();
  }
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      is_stopping_ = true;
    }
    changed_.notify_one();
  }
  std::vector<Answer> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(answers_, {});
  }
  bool is_stopping() const {
    const std::lock_guard lock(mutex_);
    return is_stopping_;
  }
  // Until an answer is there, stop() was called (unless `is_draining`), or the time is over.
  void wait(std::chrono::microseconds longest, bool is_draining) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, longest, [&] { return !answers_.empty() || (is_stopping_ && !is_draining); });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Answer> answers_;  // no more than calls are in flight
  bool is_stopping_ = false;
};

}  // namespace flow
