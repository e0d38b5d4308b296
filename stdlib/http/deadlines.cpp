#include "stdlib/http/deadlines.hpp"

#include <condition_variable>
#include <map>
#include <mutex>
#include <utility>

namespace flow {

struct Deadlines::Shared {
  std::mutex mutex;
  std::condition_variable changed;
  std::map<Id, std::function<void()>> waiting;
  std::uint64_t next_number = 0;
  bool is_ending = false;

  void run();
};

Deadlines::Deadlines()
    : shared_(std::make_shared<Shared>()), thread_([shared = shared_] { shared->run(); }) {}

Deadlines::~Deadlines() {
  std::map<Id, std::function<void()>> dropped;
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->is_ending = true;
    dropped.swap(shared_->waiting);
  }
  shared_->changed.notify_all();
  if (thread_.get_id() == std::this_thread::get_id())
    thread_.detach();
  else
    thread_.join();
}

Deadlines::Id Deadlines::at(Moment when, std::function<void()> action) {
  const std::lock_guard lock(shared_->mutex);
  const Id id{when, shared_->next_number++};
  shared_->waiting.emplace(id, std::move(action));
  if (shared_->waiting.begin()->first == id) shared_->changed.notify_all();
  return id;
}

void Deadlines::forget(const Id& id) {
  std::function<void()> dropped;  // destroyed after the lock is given back: it may own anything
  const std::lock_guard lock(shared_->mutex);
  if (const auto found = shared_->waiting.find(id); found != shared_->waiting.end()) {
    dropped = std::move(found->second);
    shared_->waiting.erase(found);
  }
}

void Deadlines::Shared::run() {
  std::unique_lock lock(mutex);
  while (!is_ending) {
    if (waiting.empty()) {
      changed.wait(lock);
      continue;
    }
    const Moment next = waiting.begin()->first.when;
    if (std::chrono::steady_clock::now() < next) {
      changed.wait_until(lock, next);
      continue;
    }
    std::function<void()> action = std::move(waiting.begin()->second);
    waiting.erase(waiting.begin());
    lock.unlock();
    action();
    action = nullptr;
    lock.lock();
  }
}

}  // namespace flow
