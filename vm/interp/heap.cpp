#include "vm/interp/heap.hpp"

#include <functional>

namespace flow {

std::string_view Heap::copy(std::string_view text) {
  char* memory = allocate(text.size());
  if (memory == nullptr) return {};
  if (!text.empty()) std::memcpy(memory, text.data(), text.size());
  return {memory, text.size()};
}

// Notes how much of the present chunk is used, as another one takes its place.
void Heap::end_chunk() {
  if (chunks_.empty())
    first_used_ = static_cast<std::size_t>(next_ - first_);
  else
    chunks_.back().used = static_cast<std::size_t>(next_ - chunks_.back().memory.get());
}

void Heap::grow(std::size_t needed) {
  const std::size_t size = std::max(needed, next_chunk_);
  end_chunk();
  chunks_.push_back({.memory = take_memory(size), .used = 0});
  next_ = chunks_.back().memory.get();
  left_ = size;
  next_chunk_ = std::min(next_chunk_ * 2, kMaxChunkBytes);
}

char* Heap::extend_slowly(const char* begin, std::size_t size, std::size_t more) {
  for (std::size_t i = 1; i < kTails; ++i) {
    if (begin + size != tails_[i].end || more > tails_[i].room) continue;
    std::rotate(tails_.begin(), tails_.begin() + i, tails_.begin() + i + 1);
    return extend_bytes(begin, size, more);
  }
  if (more > limit_ || size > limit_ - more) return nullptr;
  const std::size_t whole = size + more;
  std::size_t capacity = whole <= kSmallValue ? whole : rounded(2 * whole);
  const std::size_t left = ceiling_ - used_;
  if (capacity > left && ceiling_ == limit_ && rounded(whole) <= left) {
    // The limit has no place for so much room to grow: half of what there is.
    capacity = whole + ((left - rounded(whole)) / 2 & ~std::size_t{7});
  }
  char* memory = allocate(capacity);
  if (memory == nullptr) return nullptr;
  if (size > 0) std::memcpy(memory, begin, size);
  if (capacity > whole) {
    std::rotate(tails_.begin(), tails_.end() - 1, tails_.end());
    tails_[0] = {.end = memory + whole, .room = capacity - whole};
  }
  return memory;
}

std::array<Heap::Tail, Heap::kTails> Heap::no_tails() {
  std::array<Tail, kTails> tails;
  tails.fill({.end = first_ + kFirstBytes, .room = 0});
  return tails;
}

void Heap::drop_tails() {
  tails_ = no_tails();
}

bool Heap::owns(const void* byte) const {
  const auto* at = static_cast<const char*>(byte);
  const auto is_in = [at](const char* begin, const char* end) {
    return !std::less<>()(at, begin) && std::less<>()(at, end);
  };
  const char* end = next_;
  for (std::size_t i = chunks_.size(); i-- > 0;) {
    const char* begin = chunks_[i].memory.get();
    if (is_in(begin, end)) return true;
    end = i > 0 ? chunks_[i - 1].memory.get() + chunks_[i - 1].used : first_ + first_used_;
  }
  return is_in(first_, end);
}

void Heap::clear() {
  chunks_.clear();
  threshold_ = ceiling_ = first_threshold_;
  used_ = 0;
  next_ = first_;
  left_ = kFirstBytes;
  next_chunk_ = kSmallestChunk;
  drop_tails();
}

std::vector<std::span<char>> Heap::parts() {
  end_chunk();
  std::vector<std::span<char>> parts;
  parts.reserve(chunks_.size() + 1);
  if (first_used_ > 0) parts.push_back({first_, first_used_});
  for (const Chunk& chunk : chunks_) parts.push_back({chunk.memory.get(), chunk.used});
  return parts;
}

void Heap::replace(Memory memory, std::size_t size, std::size_t live) {
  chunks_.clear();
  first_used_ = 0;
  next_ = memory.get() + live;
  left_ = size - live;
  chunks_.push_back({.memory = std::move(memory), .used = live});
  next_chunk_ = std::clamp(size, kSmallestChunk, kMaxChunkBytes);
  used_ = live;
  threshold_ = ceiling_ = threshold_after(live);
  drop_tails();
}

void Heap::restore_counters(std::size_t used, std::size_t threshold) {
  used_ = std::min(used, limit_);
  threshold_ = std::min(threshold, limit_);
  restore_threshold();
}

}  // namespace flow
