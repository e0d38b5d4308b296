#include "vm/interp/pages.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <new>
#include <utility>

namespace flow {
namespace {

constexpr std::size_t kStep = 64u << 10;  // a multiple of every system's page

std::size_t whole_steps(std::size_t size) {
  return (size + kStep - 1) / kStep * kStep;
}

// Outlives what is below, and every region that ends late.
thread_local bool is_thread_over = false;

struct Kept {
  char* begin = nullptr;
  std::size_t size = 0;
  std::size_t usable = 0;

  void give_up() {
    if (begin != nullptr) munmap(begin, size);
    begin = nullptr;
  }
  ~Kept() {
    give_up();
    is_thread_over = true;
  }
};
thread_local Kept kept;

}  // namespace

Memory take_memory(std::size_t size) {
  auto* memory = static_cast<char*>(std::malloc(size == 0 ? 1 : size));
  if (memory == nullptr) throw std::bad_alloc();
  return Memory(memory);
}

Region::Region(std::size_t size) : size_(whole_steps(size)) {
  if (kept.begin != nullptr && kept.size == size_) {
    begin_ = std::exchange(kept.begin, nullptr);
    usable_ = kept.usable;
    return;
  }
  // Without a right to it, address space counts against no limit of memory.
  void* begin = mmap(nullptr, size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (begin == MAP_FAILED) throw std::bad_alloc();
  begin_ = static_cast<char*>(begin);
}

Region& Region::operator=(Region&& other) noexcept {
  std::swap(begin_, other.begin_);
  std::swap(size_, other.size_);
  std::swap(usable_, other.usable_);
  return *this;
}

Region::~Region() {
  if (begin_ == nullptr) return;
  if (is_thread_over) {
    munmap(begin_, size_);
    return;
  }
  release_behind(kKeptBytes);
  kept.give_up();
  kept.begin = begin_;
  kept.size = size_;
  kept.usable = usable_;
}

void Region::make_usable(std::size_t size) {
  const std::size_t wanted = whole_steps(size);
  if (wanted <= usable_) return;
  if (wanted > size_ || mprotect(begin_, wanted, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
  usable_ = wanted;
}

void Region::release_behind(std::size_t size) {
  const std::size_t left = whole_steps(size);
  if (left < usable_) static_cast<void>(madvise(begin_ + left, usable_ - left, MADV_DONTNEED));
}

}  // namespace flow
