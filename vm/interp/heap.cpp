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
  if (region_) return;
  if (chunks_.empty())
    first_used_ = static_cast<std::size_t>(next_ - first_);
  else
    chunks_.back().used = static_cast<std::size_t>(next_ - chunks_.back().memory.get());
}

void Heap::grow(std::size_t needed) {
  if (region_ || needed >= kLarge || used_ >= kLarge - needed) return grow_region(needed);
  const std::size_t size = std::max(needed, next_chunk_);
  Memory memory = take_memory(size);
  end_chunk();
  chunks_.push_back({.memory = std::move(memory), .used = 0});
  next_ = chunks_.back().memory.get();
  left_ = size;
  next_chunk_ = std::min(next_chunk_ * 2, kMaxChunkBytes);
}

// What the chunks hold must find its place below all that comes. A run that was restored may hold more than
// has counted.
void Heap::begin_region() {
  end_chunk();
  std::size_t held = first_used_;
  for (const Chunk& chunk : chunks_) held += chunk.used;
  const std::size_t from = std::max(used_, held);
  region_ = Region(limit_ + (from - used_));
  region_from_ = from;
  touched_ = Region::kKeptBytes;
  next_ = region_.begin() + from;
  left_ = region_.usable() - std::min(region_.usable(), from);
}

void Heap::grow_region(std::size_t needed) {
  if (!region_) begin_region();
  const std::size_t wanted = used_of_region() + needed;
  region_.make_usable(std::max(wanted, std::min(limit_, std::max(2 * region_.usable(), kFirstUsable))));
  left_ = region_.usable() - used_of_region();
}

char* Heap::extend_slowly(const char* begin, std::size_t size, std::size_t more) {
  for (std::size_t i = 1; i < kTails; ++i) {
    if (begin + size != tails_[i].end || more > tails_[i].room) continue;
    std::rotate(tails_.begin(), tails_.begin() + i, tails_.begin() + i + 1);
    return extend_bytes(begin, size, more);
  }
  if (more > limit_ || size > limit_ - more) return nullptr;
  const auto last = std::ranges::find_if(
      tails_, [&](const Tail& tail) { return begin + size == tail.end && is_last_buffer(tail); });
  const std::size_t there = last == tails_.end() ? 0 : size + last->room;
  const std::size_t whole = size + more, least = rounded(whole - there);
  const bool is_small = whole <= kSmallValue;
  std::size_t wanted = is_small ? least : rounded(2 * whole - there);
  const std::size_t left = ceiling_ - used_;
  if (wanted > left && ceiling_ == limit_ && least <= left) {
    // The limit has no place for so much room to grow: half of what there is.
    wanted = least + ((left - least) / 2 & ~std::size_t{7});
  }
  if (last != tails_.end()) {
    if (allocate(wanted) == nullptr) return nullptr;
    std::rotate(tails_.begin(), last, last + 1);
    tails_[0].end += more;
    tails_[0].room += wanted - more;
    return const_cast<char*>(begin);
  }
  char* memory = allocate(is_small ? whole : wanted);
  if (memory == nullptr) return nullptr;
  if (size > 0) std::memcpy(memory, begin, size);
  if (!is_small) {
    std::rotate(tails_.begin(), tails_.end() - 1, tails_.end());
    tails_[0] = {.end = memory + whole, .room = wanted - whole, .is_large = wanted >= kLarge};
  }
  return memory;
}

std::array<Heap::Tail, Heap::kTails> Heap::no_tails() {
  std::array<Tail, kTails> tails;
  tails.fill({.end = first_ + kFirstBytes, .room = 0, .is_large = false});
  return tails;
}

void Heap::drop_tails() {
  tails_ = no_tails();
  if (!region_) return;
  // A run that waits keeps no memory for what it may need later.
  release_behind(used_of_region());
}

// The memory of the region, but for a little that is not worth a call of the system.
void Heap::release_behind(std::size_t bytes) {
  touched_ = std::max(touched_, used_of_region());
  if (touched_ <= bytes + kMaxChunkBytes) return;
  region_.release_behind(bytes);
  touched_ = bytes;
}

const char* Heap::end_of_last_buffer() const {
  const auto last = std::ranges::find_if(tails_, [this](const Tail& tail) { return is_last_buffer(tail); });
  return last == tails_.end() ? nullptr : last->end;
}

bool Heap::owns(const void* byte) const {
  const auto* at = static_cast<const char*>(byte);
  const auto is_in = [at](const char* begin, const char* end) {
    return !std::less<>()(at, begin) && std::less<>()(at, end);
  };
  if (region_ && is_in(region_.begin() + region_from_, next_)) return true;
  for (std::size_t i = 0; i < chunks_.size(); ++i) {
    const char* begin = chunks_[i].memory.get();
    if (is_in(begin, !region_ && i + 1 == chunks_.size() ? next_ : begin + chunks_[i].used)) return true;
  }
  return is_in(first_, !region_ && chunks_.empty() ? next_ : first_ + first_used_);
}

void Heap::clear() {
  chunks_.clear();
  region_ = Region();
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
  if (region_) parts.push_back({region_.begin() + region_from_, next_});
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

char* Heap::slide_target(std::size_t live) {
  if (!region_ && live < kLarge) return nullptr;
  if (!region_) begin_region();
  region_.make_usable(live);
  return region_.begin();
}

void Heap::keep_slid(std::size_t live, bool is_growing, std::size_t unused) {
  release_behind(threshold_after(live));
  chunks_.clear();
  first_used_ = region_from_ = 0;
  next_ = region_.begin() + live;
  left_ = region_.usable() - live;
  used_ = live;
  threshold_ = ceiling_ = threshold_after(live);
  tails_ = no_tails();
  if (is_growing) tails_[0] = {.end = next_ - unused, .room = unused, .is_large = true};
}

void Heap::restore_counters(std::size_t used, std::size_t threshold) {
  used_ = std::min(used, limit_);
  threshold_ = std::min(threshold, limit_);
  restore_threshold();
}

}  // namespace flow
