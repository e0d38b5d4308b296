#include "runtime/file_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace flow {
namespace {

std::string holder(int descriptor) {
  char digits[24] = {};
  const auto length = pread(descriptor, digits, sizeof digits - 1, 0);
  return length > 0 ? fmt::format("by process {}", digits) : std::string("by another process");
}

}  // namespace

Result<std::string> only_name_of(const std::string& path) {
  std::error_code problem;
  const std::filesystem::path real = std::filesystem::canonical(path, problem);
  if (problem) return path;
  const std::uintmax_t names = std::filesystem::hard_link_count(real, problem);
  if (!problem && names > 1)
    return error(fmt::format(
        "store {}: the file has {} names (hard links), so that two processes could write it at once; copy it "
        "instead",
        path, names));
  return real.string();
}

Result<FileLock> FileLock::acquire(const std::string& path) {
  FileLock lock;
  lock.descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock.descriptor_ < 0)
    return error(fmt::format(
        "store lock {}: could not be opened ({}): is the folder there, and may this user write in it?", path,
        std::strerror(errno)));
  if (flock(lock.descriptor_, LOCK_EX | LOCK_NB) != 0)
    return error(fmt::format("store lock {}: the store is in use {}; a store has one writer", path,
                             holder(lock.descriptor_)));
  const std::string self = std::to_string(getpid());
  // Best effort: without it only the message above says less.
  if (ftruncate(lock.descriptor_, 0) == 0 && pwrite(lock.descriptor_, self.data(), self.size(), 0) < 0)
    return lock;
  return lock;
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace flow
