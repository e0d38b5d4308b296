#include "vm/interp/heap.hpp"

#include <algorithm>
#include <cstring>

namespace flow {

std::string_view Heap::copy(std::string_view text) {
  char* memory = allocate(text.size());
  if (memory == nullptr) return {};
  if (!text.empty()) std::memcpy(memory, text.data(), text.size());
  return {memory, text.size()};
}

void Heap::grow(std::size_t needed) {
  const std::size_t size = std::max(needed, next_chunk_);
  chunks_.push_back(std::make_unique_for_overwrite<char[]>(size));
  next_ = chunks_.back().get();
  left_ = size;
  next_chunk_ = std::min(next_chunk_ * 2, kMaxChunkBytes);
}

void Heap::clear() {
  chunks_.clear();
  used_ = 0;
  next_ = first_;
  left_ = kFirstBytes;
  next_chunk_ = 4096;
}

}  // namespace flow
