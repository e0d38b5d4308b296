// One writer per store: an advisory lock on a file beside it. The kernel drops it when the holder dies,
// however it dies. The file itself stays behind and holds the last holder's process ID, for the message
// others get.
#pragma once

#include <string>

#include "base/result.hpp"

namespace flow {

// Where a file truly lies, whatever links lead to it, so that all who lock it lock the same name; itself when
// it is not there yet. An Error when it has several names (hard links), and who has the other would not know
// of the lock.
Result<std::string> only_name_of(const std::string& path);

class FileLock {
 public:
  static Result<FileLock> acquire(const std::string& path);
  FileLock() = default;
  FileLock(FileLock&& other) noexcept : descriptor_(other.descriptor_) { other.descriptor_ = -1; }
  FileLock& operator=(FileLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~FileLock();

 private:
  int descriptor_ = -1;
};

}  // namespace flow
