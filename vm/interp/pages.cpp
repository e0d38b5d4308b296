#include "vm/interp/pages.hpp"

#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace flow {
namespace {

constexpr std::size_t kLargePage = 2u << 20;

char* take(std::size_t size) {
#ifdef __linux__
  if (size >= kLargePage) {
    const std::size_t whole = (size + kLargePage - 1) / kLargePage * kLargePage;
    void* memory = std::aligned_alloc(kLargePage, whole);
    // A wish: where it is not granted, pages are as small as ever.
    if (memory != nullptr) static_cast<void>(madvise(memory, whole, MADV_HUGEPAGE));
    return static_cast<char*>(memory);
  }
#endif
  return static_cast<char*>(std::malloc(size == 0 ? 1 : size));
}

}  // namespace

Memory take_memory(std::size_t size) {
  char* memory = take(size);
  if (memory == nullptr) throw std::bad_alloc();
  return Memory(memory);
}

}  // namespace flow
