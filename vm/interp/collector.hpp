// Compaction of a run's heap: what the roots lead to slides together, in order, where it is or into one piece
// of memory, and the rest is given back. Values keep what they share.
#pragma once

#include <span>

#include "vm/interp/heap.hpp"

namespace flow {

struct Collected {
  std::size_t live_bytes;
  std::uint64_t fuel;  // what the work is worth; depends on the live values alone
};

// Moves what `roots` lead to and corrects them. They are outside the heap, no slot is in two of them, and no
// other pointer into the heap may be used afterwards. Growth buffers are forgotten, but for a large one that
// is still the last in the heap.
Collected collect(Heap& heap, std::span<const std::span<Slot>> roots);

}  // namespace flow
