// The memory of one run: handed out by moving a pointer, given back by the collector (collector.hpp) or all
// at once. What counts is logical, each allocation with its size rounded up to 8 bytes, so that threshold and
// limit are met at the same allocation on every machine, in every build, whatever malloc does.
//
// An allocation that would pass the threshold gives nullptr. Its instruction has changed nothing yet, so it
// is executed again after a collection, with the threshold lifted; when it then fails, the live data and the
// request pass the limit, and the run is out of memory:
//
//   if (!execute(i) && is_out_of_heap) { collect(heap, roots); heap.lift_threshold(); execute(i); … }
//   heap.restore_threshold();
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "vm/interp/pages.hpp"
#include "vm/interp/slot.hpp"

namespace flow {

class Heap {
 public:
  static constexpr std::size_t kNoThreshold = ~std::size_t{0};

  // In bytes. The threshold is met first at `first_threshold`; collections move it. At 0 each allocation
  // meets it.
  explicit Heap(std::size_t limit, std::size_t first_threshold = kNoThreshold)
      : limit_(std::min(limit, kMostBytes)), first_threshold_(std::min(first_threshold, limit_)) {}
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;

  // Aligned to 8 bytes, not initialised but for what rounding adds, which is 0 so that a snapshot says
  // nothing of what was there before; nullptr when the threshold would be passed.
  char* allocate(std::size_t size) {
    if (size > ceiling_ || rounded(size) > ceiling_ - used_) return nullptr;
    const std::size_t needed = rounded(size);
    if (needed > left_) grow(needed);
    char* memory = next_;
    next_ += needed;
    left_ -= needed;
    used_ += needed;
    if (needed != size) std::memset(next_ - 8, 0, 8);
    return memory;
  }
  Slot* allocate_slots(std::size_t count) {
    return count > limit_ / sizeof(Slot) ? nullptr : reinterpret_cast<Slot*>(allocate(count * sizeof(Slot)));
  }
  // A copy; its data() is nullptr when the threshold would be passed.
  std::string_view copy(std::string_view text);

  // The value [begin, begin + size) with `more` bytes behind it, for the caller to write: in place where the
  // value ends at the end of what a growth buffer holds (others who share it keep their size and see
  // nothing), otherwise a copy, with room to grow when it is not small. nullptr when the threshold would be
  // passed. A buffer counts as a whole when it is made. A large one that is the last in the heap gets more
  // room where it stands, and only that counts.
  char* extend(const char* begin, std::size_t size, std::size_t more) {
    char* value = extend_bytes(begin, size, more);
    // What follows in the granule is 0, as allocate() has it.
    if (value != nullptr && value + size + more == tails_[0].end)
      std::memset(tails_[0].end, 0, std::min<std::size_t>(tails_[0].room, 8));
    return value;
  }
  Slot* extend_slots(const Slot* items, std::size_t count, std::size_t more) {
    if (more > limit_ / sizeof(Slot)) return nullptr;
    return reinterpret_cast<Slot*>(
        extend_bytes(reinterpret_cast<const char*>(items), count * sizeof(Slot), more * sizeof(Slot)));
  }
  // Forgets the growth buffers: nothing grows in place that was there before. A run does so when it is
  // suspended, as one that is frozen and restored has none.
  void drop_tails();

  // Until restore_threshold() only the limit counts.
  void lift_threshold() { ceiling_ = limit_; }
  // What was allocated meanwhile may have passed the threshold. It moves away then, or each small allocation
  // would collect, make the next growth copy, and so pass it again.
  void restore_threshold() {
    if (used_ > threshold_ && first_threshold_ != 0) threshold_ = std::min(limit_, used_ + used_ / 2);
    ceiling_ = std::max(threshold_, used_);
  }

  // Bytes allocated so far; after a collection, what was live plus what came since.
  std::size_t used() const { return used_; }
  std::size_t threshold() const { return threshold_; }
  std::size_t limit() const { return limit_; }
  // Whether the byte lies in this heap, and not in the module's constants.
  bool owns(const void* byte) const;
  // Forgets everything, for the next run.
  void clear();

  // For collector and snapshots. The parts in use, in the order they were filled.
  std::vector<std::span<char>> parts();
  // How large a piece of memory suits so many live bytes and some of those that will come.
  std::size_t size_for(std::size_t live) const {
    return std::max(live, std::min(threshold_after(live), live + kMaxChunkBytes));
  }
  // Takes over `memory`, of `size` bytes with the first `live` in use, in place of all that was here, and
  // sets the threshold: twice what is live, at least the first one, at most the limit.
  void replace(Memory memory, std::size_t size, std::size_t live);
  // Where the live bytes can slide together, in the order of the parts: no byte moves up within its part.
  // nullptr where they are few; then they go to a piece of memory, for replace().
  char* slide_target(std::size_t live);
  // The end of what is in a large buffer that is the last in the heap; nullptr when there is none.
  const char* end_of_last_buffer() const;
  // After sliding `live` bytes to the target, as replace(). `is_growing`: the last of them, but for `unused`
  // bytes, are the end of that last buffer, which goes on growing.
  void keep_slid(std::size_t live, bool is_growing, std::size_t unused);
  // As a run that was frozen had them. `used` counts the garbage of then, too.
  void restore_counters(std::size_t used, std::size_t threshold);

 private:
  static constexpr std::size_t kFirstBytes = 1024;  // enough for most events, without malloc
  static constexpr std::size_t kSmallestChunk = 4096;
  static constexpr std::size_t kMaxChunkBytes = 512u << 10;
  static constexpr std::size_t kLarge = 1u << 20;  // from here on a heap has a region, and a buffer is large
  static constexpr std::size_t kFirstUsable = 4u << 20;
  static constexpr std::size_t kMostBytes = 0xffff'fff8;  // the size of a text fits 32 bits
  static constexpr std::size_t kSmallValue = 128;         // up to here a value that grows is just copied
  static constexpr std::size_t kTails = 4;

  // The end of what a growth buffer holds, and the bytes behind it that are free. Without a buffer there are
  // none, at an address where a value may end but where nothing fits.
  struct Tail {
    char* end;
    std::size_t room;
    bool is_large;  // then it is in the region
  };
  struct Chunk {
    Memory memory;
    std::size_t used;  // of all but the last one, which ends at next_
  };

  static constexpr std::size_t rounded(std::size_t size) { return (size + 7) & ~std::size_t{7}; }
  std::size_t threshold_after(std::size_t live) const {
    return first_threshold_ == 0 ? live : std::min(limit_, std::max(first_threshold_, 2 * live));
  }
  void grow(std::size_t needed);
  void grow_region(std::size_t needed);
  void end_chunk();
  void begin_region();
  void release_behind(std::size_t bytes);
  std::size_t used_of_region() const { return static_cast<std::size_t>(next_ - region_.begin()); }
  bool is_last_buffer(const Tail& tail) const { return tail.is_large && tail.end + tail.room == next_; }
  char* extend_bytes(const char* begin, std::size_t size, std::size_t more) {
    Tail& tail = tails_[0];
    if (begin + size != tail.end || more > tail.room) return extend_slowly(begin, size, more);
    tail.end += more;
    tail.room -= more;
    return const_cast<char*>(begin);
  }
  char* extend_slowly(const char* begin, std::size_t size, std::size_t more);

  std::size_t limit_;
  std::size_t first_threshold_;
  std::size_t threshold_ = first_threshold_;
  std::size_t ceiling_ = first_threshold_;
  std::size_t used_ = 0;
  char* next_ = first_;
  std::size_t left_ = kFirstBytes;
  std::array<Tail, kTails> tails_ = no_tails();  // the most recent first
  std::size_t next_chunk_ = kSmallestChunk;
  std::size_t first_used_ = 0;  // of first_, when there are chunks
  std::vector<Chunk> chunks_;
  // Holds what is allocated once the heap is large, the byte that is the nth to count at n. Below
  // region_from_ is a gap for what is in chunks, so that all can slide to its begin.
  Region region_;
  std::size_t region_from_ = 0;
  std::size_t touched_ = 0;  // bytes of the region that may have been written
  alignas(8) char first_[kFirstBytes];

  std::array<Tail, kTails> no_tails();
};

}  // namespace flow
