#include "vm/interp/marking.hpp"

#include <algorithm>
#include <functional>

#include "vm/interp/maps.hpp"

namespace flow {
namespace {

constexpr std::uint64_t kAll = ~std::uint64_t{0};

std::uint64_t bits_from(std::size_t first) {
  return kAll << first % 64;
}
// Those below `end`, of the word that holds end - 1.
std::uint64_t bits_before(std::size_t end) {
  return kAll >> (64 - end % 64) % 64;
}

}  // namespace

Marking::Marking(Heap& heap) {
  std::size_t granules = 0;
  for (const std::span<char> part : heap.parts()) {
    parts_.push_back({.begin = part.data(), .size = part.size(), .first_granule = granules});
    granules += (parts_.back().granules() + 63) / 64 * 64;
  }
  if (parts_.empty()) parts_.push_back({.begin = nullptr, .size = 0, .first_granule = 0});
  by_place_ = parts_;
  std::ranges::sort(by_place_, std::less<>(), [](const Part& part) { return address(part.begin); });
  last_ = &by_place_.back();
  live_.resize(granules / 64);
  slots_.resize(granules / 64);
  full_.resize(granules / 4096 + 1);
}

std::size_t Marking::granule_elsewhere(const void* pointer) {
  const auto begin_of = [](const Part& part) { return address(part.begin); };
  auto after = std::ranges::upper_bound(by_place_, address(pointer), std::less<>(), begin_of);
  if (after == by_place_.begin()) return kOutside;
  const Part& part = *--after;
  const std::size_t offset = address(pointer) - address(part.begin);
  if (offset >= part.size) return kOutside;
  last_ = &part;
  return part.first_granule + offset / kGranule;
}

const Slot* Marking::slot_at(std::size_t granule) const {
  // The last part a pointer was found in: slots are claimed right after.
  return reinterpret_cast<const Slot*>(last_->begin + (granule - last_->first_granule) * kGranule);
}

// Makes the granules [first, end) live and calls fresh(first of word, bits) for those that were not.
template <class Fresh>
void Marking::claim(std::size_t first, std::size_t end, Fresh fresh) {
  const std::size_t last_word = (end - 1) / 64;
  std::uint64_t wanted = bits_from(first);
  for (std::size_t word = first / 64;;) {
    if (word == last_word) wanted &= bits_before(end);
    const std::uint64_t bits = wanted & ~live_[word];
    if (bits != 0) {
      live_[word] |= bits;
      if (live_[word] == kAll) full_[word / 64] |= std::uint64_t{1} << word % 64;
      fresh(word * 64, bits);
    }
    if (++word > last_word) return;
    wanted = kAll;
    // Where all is live already, 64 words are passed at a time.
    std::uint64_t open = ~full_[word / 64] & bits_from(word);
    while (open == 0) {
      word = (word / 64 + 1) * 64;
      if (word > last_word) return;
      open = ~full_[word / 64];
    }
    word = word / 64 * 64 + std::countr_zero(open);
    if (word > last_word) return;
  }
}

void Marking::claim_bytes(const void* bytes, std::size_t size) {
  const std::size_t first = granule_of(bytes);
  if (first == kOutside) return;
  const std::size_t granules = (offset_in_granule(bytes) + size + kGranule - 1) / kGranule;
  claim(first, first + granules, [](std::size_t, std::uint64_t) {});
}

void Marking::claim_slots(const Slot* slots, std::size_t count) {
  const std::size_t first = granule_of(slots);
  if (first == kOutside) return;
  std::size_t begin = first, end = first;  // of the run being gathered
  const auto put_off = [&] {
    if (begin != end) pending_.push_back({slot_at(begin), slot_at(end)});
  };
  claim(first, first + count * (sizeof(Slot) / kGranule), [&](std::size_t word, std::uint64_t bits) {
    slots_[word / 64] |= bits;
    while (bits != 0) {
      const int from = std::countr_zero(bits);
      const int length = std::countr_one(bits >> from);
      if (word + from != end) {
        put_off();
        begin = word + from;
      }
      end = word + from + length;
      if (from + length == 64) break;
      bits &= kAll << (from + length);
    }
  });
  put_off();
}

std::size_t Marking::table_granules(const void* table) {
  return static_cast<const MapTable*>(table)->bytes() / kGranule;
}

void Marking::look_at_table(const MapTable* table) {
  const std::size_t granule = granule_of(table);
  if (granule == kOutside || is_live(granule)) return;
  tables_.push_back(granule);
  claim_slots(&table->entries()->key, 2 * std::size_t{table->used});
  claim_bytes(table, table->bytes());
}

void Marking::look_at(const Slot& slot) {
  switch (slot.tag) {
    case Slot::Tag::Null:
    case Slot::Tag::Bool:
    case Slot::Tag::Int:
    case Slot::Tag::Float:
    case Slot::Tag::Enum: return;
    case Slot::Tag::Text:
    case Slot::Tag::Json:
    case Slot::Tag::UnknownEnum:
      if (slot.size == 0) return;
      scanned_ += slot.size >> 9;
      return claim_bytes(slot.bytes, slot.size);
    case Slot::Tag::List:
    case Slot::Tag::Record:
      if (slot.size == 0) return;
      scanned_ += slot.size >> 5;
      return claim_slots(slot.items, slot.size);
    case Slot::Tag::Map:
      if (slot.table != nullptr) look_at_table(slot.table);
      return;
  }
}

// What is reached first is looked at last, deepest first; a chain of any length takes no memory here.
void Marking::drain() {
  while (!pending_.empty()) {
    Range range = pending_.back();
    pending_.pop_back();
    const std::size_t others = pending_.size();
    while (range.begin != range.end) {
      const Slot& slot = *range.begin++;
      look_at(slot);
      if (pending_.size() == others) continue;
      if (range.begin != range.end) {
        // The rest waits below what was just found.
        pending_.insert(pending_.begin() + static_cast<std::ptrdiff_t>(others), range);
      }
      break;
    }
  }
}

void Marking::add_roots(std::span<const Slot> roots) {
  for (const Slot& root : roots) {
    look_at(root);
    drain();
  }
}

void Marking::number() {
  before_.resize(live_.size());
  live_granules_ = 0;
  for (std::size_t word = 0; word < live_.size(); ++word) {
    before_[word] = static_cast<std::uint32_t>(live_granules_);
    live_granules_ += static_cast<std::size_t>(std::popcount(live_[word]));
  }
}

std::size_t Marking::next_live(std::size_t at, std::size_t end) const {
  if (at >= end) return end;
  std::size_t word = at / 64;
  std::uint64_t bits = live_[word] & bits_from(at);
  while (bits == 0) {
    if (++word * 64 >= end) return end;
    bits = live_[word];
  }
  return word * 64 + std::countr_zero(bits);
}

std::size_t Marking::end_of_run(std::size_t at, std::size_t end, bool are_slots) const {
  const auto of_kind = [&](std::size_t word) {
    return live_[word] & (are_slots ? slots_[word] : ~slots_[word]);
  };
  std::size_t word = at / 64;
  std::uint64_t others = ~of_kind(word) & bits_from(at);
  while (others == 0) {
    if (++word * 64 >= end) return end;
    others = ~of_kind(word);
  }
  return std::min(end, word * 64 + std::countr_zero(others));
}

}  // namespace flow
