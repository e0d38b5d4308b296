// Memory for heaps. Small pieces are malloc's. What grows large has a region: address space for all it may
// ever hold, so that it grows where it stands and takes from the system only what it touches.
//
// No large pages are asked for. Where they are free they make the first touch of memory cheap; where the
// system has to look for them, or its host has to fill them, a run takes several times as long as one with
// small pages.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <utility>

namespace flow {

struct FreeBytes {
  void operator()(char* bytes) const { std::free(bytes); }
};
using Memory = std::unique_ptr<char[], FreeBytes>;

// Not initialised, aligned for any value. Throws std::bad_alloc when the system has none.
Memory take_memory(std::size_t size);

// Each thread keeps the last region that was given up for the next one, with at most kKeptBytes of memory.
class Region {
 public:
  static constexpr std::size_t kKeptBytes = 4u << 20;

  Region() = default;  // none
  // Of `size` bytes, usable once they have been made so, with any content. Throws std::bad_alloc.
  explicit Region(std::size_t size);
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;
  Region(Region&& other) noexcept { *this = std::move(other); }
  Region& operator=(Region&& other) noexcept;
  ~Region();

  explicit operator bool() const { return begin_ != nullptr; }
  char* begin() const { return begin_; }
  std::size_t usable() const { return usable_; }

  // Makes at least the first `size` bytes usable, at most the size of the region. Throws std::bad_alloc.
  void make_usable(std::size_t size);
  // Gives the memory behind the first `size` bytes back. It stays usable, with any content.
  void release_behind(std::size_t size);

 private:
  char* begin_ = nullptr;
  std::size_t size_ = 0;
  std::size_t usable_ = 0;
};

}  // namespace flow
