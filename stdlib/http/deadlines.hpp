// Actions at moments: one thread that wakes for the nearest one. It does not depend on any network library,
// so a caller gets its answer in time even when the library below is stuck.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>

namespace flow {

class Deadlines {
 public:
  using Moment = std::chrono::steady_clock::time_point;
  struct Id {
    Moment when;
    std::uint64_t number = 0;
    auto operator<=>(const Id&) const = default;
  };

  Deadlines();
  ~Deadlines();  // forgets what is still waiting; may be called by an action
  Deadlines(const Deadlines&) = delete;
  Deadlines& operator=(const Deadlines&) = delete;

  // Runs `action` on this object's thread once `when` has come. Actions must be short.
  Id at(Moment when, std::function<void()> action);
  void forget(const Id& id);

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;  // outlives this object when an action destroys it
  std::thread thread_;
};

}  // namespace flow
