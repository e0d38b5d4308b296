// Takes what is committed from SQLite's log into the file, in a thread and by a connection of its own, so
// that no commit has to do it. The log is only read up to what a commit has synced, so what it takes is
// durable.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "runtime/sqlite.hpp"

namespace flow::sqlite {

class Checkpointer {
 public:
  // Uses the connection for nothing else, in its thread only, until stop().
  explicit Checkpointer(Connection connection);
  ~Checkpointer() { stop(); }
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

  void want();  // soon; any number of times, from any thread
  void stop();  // waits for the end of one that is under way

 private:
  void work();

  Connection connection_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_wanted_ = false, is_stopping_ = false;
  std::thread thread_;
};

}  // namespace flow::sqlite
