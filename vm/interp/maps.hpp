// Maps: hash tables in the run's heap that keep the order of insertion. A value is a table and the number of
// its entries that the value sees, so that values which grew out of each other share one table:
//
//   - a new key is added in place when the value sees all entries and there is room; older values keep their
//     number and see nothing of it;
//   - an existing key gets its new value in place unless the table is marked as shared (map_share: another
//     value that lives on sees this entry) or holds entries the value does not see; otherwise in a copy.
//
// Keys are Text, Int of any form, Bool or Enum, all of one type. Iteration goes by position, never by hash,
// so nothing that a run does depends on the seed of the hashes; it keeps those who choose the keys (the
// writers of alerts and mails) from choosing ones that collide.
#pragma once

#include <cstddef>
#include <cstdint>

#include "vm/interp/heap.hpp"

namespace flow {

struct MapEntry {
  Slot key;
  Slot value;
};

// One allocation: this header, `capacity` entries, then the index (open addressing, a power of two, none for
// the few entries that are faster looked through).
struct MapTable {
  std::uint32_t capacity;
  std::uint32_t used;  // entries filled
  std::uint32_t index_size;
  std::uint32_t is_shared;

  MapEntry* entries() { return reinterpret_cast<MapEntry*>(this + 1); }
  const MapEntry* entries() const { return reinterpret_cast<const MapEntry*>(this + 1); }

  static std::size_t bytes_for(std::uint32_t capacity);
  std::size_t bytes() const { return bytes_for(capacity); }
};
static_assert(sizeof(MapTable) == 16);

// For the process, once, before the first map is made; whoever has chance draws it.
void set_map_seed(std::uint64_t seed);

inline Slot empty_map() {
  return Slot::map(nullptr, 0);
}
// An empty map with room for so many entries. False when the heap is out of memory; `map` is then as it was.
bool make_map(Heap& heap, std::size_t capacity, Slot& map);

// The value under `key`, or nullptr.
const Slot* map_find(Slot map, Slot key);
// In order of insertion; `position` is below map.size.
inline const MapEntry& map_entry(Slot map, std::uint32_t position) {
  return map.table->entries()[position];
}

// What became of `map` with `key` set to `value`. Nothing is changed when the heap is out of memory.
struct MapChange {
  Slot map;
  std::uint32_t copied;  // entries that had to be copied, which costs time in proportion
  bool is_done;          // false: the heap is out of memory
};
MapChange map_set(Heap& heap, Slot map, Slot key, Slot value);

// From now on values that see an entry keep it: map_set copies rather than writes over one. For a map that is
// about to be reachable from two places: assigned to another register, put into a list, record or map, or
// read out of one.
void map_share(Slot map);

// Fills the index from the entries, for a table that was read from a snapshot: `capacity` and `used` are set,
// the entries filled. False when two keys are equal.
bool rebuild_index(MapTable& table);

}  // namespace flow
