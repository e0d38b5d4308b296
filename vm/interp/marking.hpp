// What of a heap is live: everything the roots lead to, in granules of 8 bytes. Values may share parts (two
// lists of different length over the same items, a text within a text); each granule counts once. A map's
// table is live as a whole. Pointers to anything outside the heap (the module's constants) are left alone.
// Takes time linear in the live data, plus a little for each value that looks at a large part which is live
// already; uses no recursion.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "vm/interp/heap.hpp"

namespace flow {

inline constexpr std::size_t kGranule = 8;

class Marking {
 public:
  explicit Marking(Heap& heap);

  // Marks what the roots lead to. Each slot of the heap is looked at once.
  void add_roots(std::span<const Slot> roots);
  // After the last root: numbers the live granules in the order of their parts and addresses.
  void number();

  std::size_t live_bytes() const { return live_granules_ * kGranule; }
  // The work in units of fuel; depends on the values alone, not on how they lie in the heap.
  std::uint64_t fuel() const { return (live_bytes() + scanned_) / 64; }

  // The granules of all parts are counted through; each part begins at a multiple of 64.
  static constexpr std::size_t kOutside = ~std::size_t{0};
  std::size_t granule_of(const void* pointer) {
    const std::size_t offset = address(pointer) - address(last_->begin);
    if (offset < last_->size) return last_->first_granule + offset / kGranule;
    return granule_elsewhere(pointer);
  }
  static std::size_t offset_in_granule(const void* pointer) { return address(pointer) % kGranule; }
  // How many live granules come before this one.
  std::size_t ordinal(std::size_t granule) const {
    const std::size_t word = granule / 64;
    return before_[word] + std::popcount(live_[word] & ((std::uint64_t{1} << granule % 64) - 1));
  }
  // Whether no live granule comes after that of this byte, which is live.
  bool is_last_live(const void* byte) {
    const std::size_t granule = granule_of(byte);
    return granule != kOutside && is_live(granule) && ordinal(granule) + 1 == live_granules_;
  }

  // Calls run(memory, granules, first ordinal, are_slots) for each maximal run of live granules of one kind,
  // in order.
  template <class Run>
  void each_run(Run run) const {
    for (const Part& part : parts_) {
      for (std::size_t at = part.first_granule, end = at + part.granules();;) {
        at = next_live(at, end);
        if (at >= end) break;
        const bool are_slots = (slots_[at / 64] >> at % 64 & 1) != 0;
        const std::size_t stop = end_of_run(at, end, are_slots);
        run(part.begin + (at - part.first_granule) * kGranule, stop - at, ordinal(at), are_slots);
        at = stop;
      }
    }
  }

  // The same for snapshots, with the tables of maps as pieces of their own: piece(kind, memory, granules).
  enum class Kind : std::uint8_t { Bytes, Slots, Table };
  template <class Piece>
  void each_piece(Piece piece) {
    std::ranges::sort(tables_);
    auto table = tables_.begin();
    for (const Part& part : parts_) {
      const auto memory_of = [&part](std::size_t granule) {
        return part.begin + (granule - part.first_granule) * kGranule;
      };
      for (std::size_t at = part.first_granule, end = at + part.granules();;) {
        at = next_live(at, end);
        if (at >= end) break;
        Kind kind = Kind::Table;
        std::size_t stop = at;
        if (table != tables_.end() && *table == at) {
          stop += table_granules(memory_of(at));
          ++table;
        } else {
          const bool are_slots = (slots_[at / 64] >> at % 64 & 1) != 0;
          kind = are_slots ? Kind::Slots : Kind::Bytes;
          stop = end_of_run(at, end, are_slots);
          if (table != tables_.end()) stop = std::min(stop, *table);
        }
        piece(kind, memory_of(at), stop - at);
        at = stop;
      }
    }
  }

 private:
  struct Part {
    char* begin;
    std::size_t size;
    std::size_t first_granule;
    std::size_t granules() const { return (size + kGranule - 1) / kGranule; }
  };
  struct Range {
    const Slot* begin;
    const Slot* end;
  };

  static std::uintptr_t address(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }
  std::size_t granule_elsewhere(const void* pointer);
  std::size_t next_live(std::size_t at, std::size_t end) const;
  std::size_t end_of_run(std::size_t at, std::size_t end, bool are_slots) const;
  const Slot* slot_at(std::size_t granule) const;
  bool is_live(std::size_t granule) const { return (live_[granule / 64] >> granule % 64 & 1) != 0; }

  static std::size_t table_granules(const void* table);
  void look_at(const Slot& slot);
  void look_at_table(const MapTable* table);
  void claim_bytes(const void* bytes, std::size_t size);
  void claim_slots(const Slot* slots, std::size_t count);
  template <class Fresh>
  void claim(std::size_t first, std::size_t end, Fresh fresh);
  void drain();

  std::vector<Part> parts_;                  // in the order of the heap
  std::vector<Part> by_place_;               // by address
  const Part* last_;                         // in which a pointer was found last
  std::vector<std::uint64_t> live_, slots_;  // a bit for each granule
  std::vector<std::uint64_t> full_;          // a bit for each word of live_ that has all bits set
  std::vector<std::uint32_t> before_;        // for each word of live_
  std::vector<std::size_t> tables_;          // the first granule of each
  std::vector<Range> pending_;
  std::size_t live_granules_ = 0;
  std::uint64_t scanned_ = 0;
};

}  // namespace flow
