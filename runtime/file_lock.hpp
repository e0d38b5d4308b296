// One writer per store: an advisory lock on a file beside it. The kernel drops it when the holder dies,
// however it dies. The file itself stays behind and holds the last holder's process ID, for the message
// others get.
#pragma once

#include <string>

#include "base/result.hpp"

namespace flow {

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
