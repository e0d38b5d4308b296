// Where answers and requests from other threads wait for the loop. Shared with the callbacks, so that one
// that comes after the runtime is gone still finds it, and is dropped.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "runtime/executor.hpp"

namespace flow {

struct Answer {
  std::uint64_t ticket = 0;
  std::variant<Outcome, Settlement> what;
};

// Something that is asked of the loop from outside, to be carried out on its thread. With false the loop
// takes no requests any more, and it must touch nothing of it. The Status is the store's.
using InboxRequest = std::function<Status(bool is_open)>;

class Inbox {
 public:
  // At once with false, on the caller's thread, when nobody takes requests any more.
  void ask(InboxRequest request) {
    {
      const std::lock_guard lock(mutex_);
      if (!is_closed_) requests_.push_back(std::exchange(request, nullptr));
    }
    if (request) return static_cast<void>(request(false));
    changed_.notify_one();
  }
  // The oldest ones.
  std::vector<InboxRequest> take_requests(std::size_t most) {
    const std::lock_guard lock(mutex_);
    std::vector<InboxRequest> taken;
    for (; taken.size() < most && !requests_.empty(); requests_.pop_front())
      taken.push_back(std::move(requests_.front()));
    return taken;
  }
  // No more requests: those that wait are told so, as all that come later.
  void close() {
    std::deque<InboxRequest> left;
    {
      const std::lock_guard lock(mutex_);
      is_closed_ = true;
      left.swap(requests_);
    }
    for (const InboxRequest& request : left) static_cast<void>(request(false));
  }
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
    changed_.wait_for(lock, longest, [&] {
      return !answers_.empty() || !requests_.empty() || (is_stopping_ && !is_draining);
    });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Answer> answers_;        // no more than calls are in flight
  std::deque<InboxRequest> requests_;  // no more than the asker has clients
  bool is_stopping_ = false;
  bool is_closed_ = false;
};

}  // namespace flow
