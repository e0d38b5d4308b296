// A disk that fails as told, beneath SQLite: a file system of its own (VFS) that hands everything to the real
// one until the test says otherwise. In force for files that are opened while the object lives.
#pragma once

#include <cstdint>

namespace flow::test {

class FaultyDisk {
 public:
  FaultyDisk();
  ~FaultyDisk();
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;

  enum class Fault : std::uint8_t { None, Full, Write, Sync, Read };
  void fail(Fault fault);           // from now on
  void make_read_only(bool is_so);  // files that are opened from now on cannot be written
};

}  // namespace flow::test
