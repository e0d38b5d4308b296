#include "runtime/sqlite_checkpointer.hpp"

#include <utility>

namespace flow::sqlite {

Checkpointer::Checkpointer(Connection connection)
    : connection_(std::move(connection)), thread_([this] { work(); }) {}

void Checkpointer::want() {
  {
    const std::lock_guard lock(mutex_);
    is_wanted_ = true;
  }
  changed_.notify_one();
}

void Checkpointer::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

// One that fails is tried again with the next: nothing is lost by it, the log only grows.
void Checkpointer::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return is_wanted_ || is_stopping_; });
    if (is_stopping_) return;
    is_wanted_ = false;
    lock.unlock();
    connection_.checkpoint();
    lock.lock();
  }
}

}  // namespace flow::sqlite
