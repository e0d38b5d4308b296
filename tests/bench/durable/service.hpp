// The services that are measured: each a process or several, with a folder of its own on the disk, and what
// they use of the machine.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace flow::bench {

// A process that is killed when this is gone, and when the benchmark dies. Its output goes to a file.
class Process {
 public:
  struct Start {
    std::vector<std::string> command;      // the first word is a path, or a name on the PATH
    std::vector<std::string> environment;  // added to ours, as `NAME=value`
    std::string folder;                    // to start in
    std::string log;                       // path of the file for what it writes
  };
  static Result<Process> start(const Start& start);
  Process() = default;
  Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, 0)), log_(std::move(other.log_)) {}
  Process& operator=(Process&& other) noexcept;
  ~Process() { stop(); }

  pid_t pid() const { return pid_; }
  // SIGTERM, and SIGKILL when that does not end it within five seconds.
  void stop();
  // Waits until the process has written this; an Error with the end of its log when it ends or is too slow.
  Status wait_for(const std::string& text, double seconds) const;
  std::string said() const;

 private:
  pid_t pid_ = 0;
  std::string log_;
};

// What processes have used, they and all that they started.
struct Usage {
  double processor_s = 0;        // since they began
  double resident_mb = 0;        // now, what they share with others counted in part
  double highest_mb = 0;         // the sum of the highest resident sizes of each
  std::uint64_t disk_bytes = 0;  // blocks that are taken in `folder`
};
Usage usage(const std::vector<pid_t>& roots, const std::string& folder);

std::uint16_t free_port();  // on 127.0.0.1; nobody holds it

}  // namespace flow::bench
