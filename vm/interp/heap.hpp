// The memory of one run: handed out by moving a pointer, given back all at once. Each allocation counts with
// its size rounded up to 8 bytes, so that the limit is met at the same allocation on every machine.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "vm/interp/slot.hpp"

namespace flow {

class Heap {
 public:
  explicit Heap(std::size_t limit) : limit_(std::min(limit, kMostBytes)) {}
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;

  // Aligned to 8 bytes; nullptr when the limit would be passed.
  char* allocate(std::size_t size) {
    if (size > limit_ || rounded(size) > limit_ - used_) return nullptr;
    const std::size_t needed = rounded(size);
    if (needed > left_) grow(needed);
    char* memory = next_;
    next_ += needed;
    left_ -= needed;
    used_ += needed;
    return memory;
  }
  Slot* allocate_slots(std::size_t count) {
    return count > limit_ / sizeof(Slot) ? nullptr : reinterpret_cast<Slot*>(allocate(count * sizeof(Slot)));
  }
  // A copy; its data() is nullptr at the limit.
  std::string_view copy(std::string_view text);

  std::size_t used() const { return used_; }
  void clear();

 private:
  static constexpr std::size_t kFirstBytes = 1024;  // enough for most events, without malloc
  static constexpr std::size_t kMaxChunkBytes = 1u << 20;
  static constexpr std::size_t kMostBytes = 0xffff'fff8;  // the size of a text fits 32 bits

  static constexpr std::size_t rounded(std::size_t size) { return (size + 7) & ~std::size_t{7}; }
  void grow(std::size_t needed);

  std::size_t limit_;
  std::size_t used_ = 0;
  char* next_ = first_;
  std::size_t left_ = kFirstBytes;
  std::size_t next_chunk_ = 4096;
  std::vector<std::unique_ptr<char[]>> chunks_;
  alignas(8) char first_[kFirstBytes];
};

}  // namespace flow
