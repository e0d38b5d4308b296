#include "vm/interp/maps.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>
#include <algorithm>
#include <bit>
#include <cstring>

namespace flow {
namespace {

constexpr std::uint32_t kMaxWithoutIndex = 8;
constexpr std::uint32_t kSmallestCapacity = 4;
constexpr std::uint32_t kMaxCapacity = 1u << 27;  // 32 bytes each are all that a heap can hold

std::uint64_t map_seed = 0x9e3779b97f4a7c15;

// The place of an entry and the hash of its key: most keys that are not the one looked for are told apart
// without looking at them, and a table grows without hashing anything again.
struct IndexCell {
  std::uint32_t hash;
  std::uint32_t place;  // of the entry, from 1; 0 is a free cell
};

IndexCell* index_of(MapTable* table) {
  return reinterpret_cast<IndexCell*>(table->entries() + table->capacity);
}
const IndexCell* index_of(const MapTable* table) {
  return reinterpret_cast<const IndexCell*>(table->entries() + table->capacity);
}

// At most five cells of eight are taken.
std::uint32_t index_size_for(std::uint32_t capacity) {
  if (capacity <= kMaxWithoutIndex) return 0;
  return std::bit_ceil(capacity + capacity / 5 * 3 + 1);
}

// XXH3's last step.
std::uint64_t mixed(std::uint64_t number) {
  number ^= number >> 37;
  number *= 0x165667919e3779f9;
  return number ^ (number >> 32);
}

std::uint32_t hash_of(const Slot& key) {
  if (key.tag == Slot::Tag::Text || key.tag == Slot::Tag::UnknownEnum)
    return static_cast<std::uint32_t>(XXH3_64bits_withSeed(key.bytes, key.size, map_seed));
  return static_cast<std::uint32_t>(
      mixed((static_cast<std::uint64_t>(key.number) ^ map_seed) * 0x9fb21c651e98df25));
}

bool is_same_key(const Slot& a, const Slot& b) {
  if (a.tag != b.tag) return false;
  if (a.tag == Slot::Tag::Text || a.tag == Slot::Tag::UnknownEnum) return a.view() == b.view();
  return a.number == b.number;
}

constexpr std::uint32_t kNone = 0xffffffff;

// The position of `key`, whether the value looking for it sees that far or not. `hash` is set when there is
// an index, and `cell` to the place in it where a new key goes.
std::uint32_t position_of(const MapTable* table, const Slot& key, std::uint32_t& hash, std::uint32_t& cell) {
  if (table->index_size == 0) {
    for (std::uint32_t i = 0; i < table->used; ++i)
      if (is_same_key(table->entries()[i].key, key)) return i;
    return kNone;
  }
  hash = hash_of(key);
  const IndexCell* index = index_of(table);
  const std::uint32_t mask = table->index_size - 1;
  for (cell = hash & mask; index[cell].place != 0; cell = (cell + 1) & mask) {
    if (index[cell].hash != hash) continue;
    const std::uint32_t position = index[cell].place - 1;
    if (is_same_key(table->entries()[position].key, key)) return position;
  }
  return kNone;
}

void put_into_index(IndexCell* index, std::uint32_t mask, IndexCell entry) {
  std::uint32_t cell = entry.hash & mask;
  while (index[cell].place != 0) cell = (cell + 1) & mask;
  index[cell] = entry;
}

MapTable* make_table(Heap& heap, std::size_t capacity) {
  if (capacity > kMaxCapacity) return nullptr;
  const auto entries = static_cast<std::uint32_t>(capacity);
  char* memory = heap.allocate(MapTable::bytes_for(entries));
  if (memory == nullptr) return nullptr;
  auto* table = reinterpret_cast<MapTable*>(memory);
  *table = {.capacity = entries, .used = 0, .index_size = index_size_for(entries), .is_shared = 0};
  std::memset(index_of(table), 0, table->index_size * sizeof(IndexCell));
  return table;
}

// The first `count` entries of `from` as those of `to`, which is empty and has room for them.
void copy_entries(MapTable* to, const MapTable* from, std::uint32_t count) {
  std::memcpy(to->entries(), from->entries(), count * sizeof(MapEntry));
  to->used = count;
  if (to->index_size == 0) return;
  IndexCell* index = index_of(to);
  const std::uint32_t mask = to->index_size - 1;
  if (from->index_size == 0) {
    for (std::uint32_t i = 0; i < count; ++i)
      put_into_index(index, mask, {.hash = hash_of(to->entries()[i].key), .place = i + 1});
    return;
  }
  const IndexCell* old = index_of(from);
  for (std::uint32_t i = 0; i < from->index_size; ++i)
    if (old[i].place != 0 && old[i].place <= count) put_into_index(index, mask, old[i]);
}

MapChange with_new_key(MapTable* table, std::uint32_t hash, std::uint32_t cell, const Slot& key,
                       const Slot& value, std::uint32_t copied) {
  if (table->index_size != 0) index_of(table)[cell] = {.hash = hash, .place = table->used + 1};
  table->entries()[table->used++] = {.key = key, .value = value};
  return {.map = Slot::map(table, table->used), .copied = copied, .is_done = true};
}

}  // namespace

void set_map_seed(std::uint64_t seed) {
  map_seed = seed;
}

std::size_t MapTable::bytes_for(std::uint32_t capacity) {
  return sizeof(MapTable) + std::size_t{capacity} * sizeof(MapEntry) +
         std::size_t{index_size_for(capacity)} * sizeof(IndexCell);
}

bool make_map(Heap& heap, std::size_t capacity, Slot& map) {
  if (capacity == 0) {
    map = empty_map();
    return true;
  }
  const MapTable* table = make_table(heap, capacity);
  if (table == nullptr) return false;
  map = Slot::map(table, 0);
  return true;
}

const Slot* map_find(Slot map, Slot key) {
  if (map.size == 0) return nullptr;
  std::uint32_t hash = 0, cell = 0;
  const std::uint32_t position = position_of(map.table, key, hash, cell);
  return position < map.size ? &map.table->entries()[position].value : nullptr;
}

MapChange map_set(Heap& heap, Slot map, Slot key, Slot value) {
  // The memory is the run's own; only values outside see it as constant.
  auto* table = const_cast<MapTable*>(map.table);
  std::uint32_t hash = 0, cell = 0;
  const std::uint32_t position = table == nullptr ? kNone : position_of(table, key, hash, cell);
  const bool is_there = position < map.size;
  const bool sees_all = table != nullptr && map.size == table->used;
  if (is_there && sees_all && table->is_shared == 0) {
    table->entries()[position].value = value;
    return {.map = map, .copied = 0, .is_done = true};
  }
  if (!is_there && sees_all && table->used < table->capacity)
    return with_new_key(table, hash, cell, key, value, 0);

  const std::size_t capacity =
      std::max<std::size_t>(std::size_t{map.size} * (is_there ? 1 : 2), kSmallestCapacity);
  MapTable* copy = make_table(heap, capacity);
  if (copy == nullptr) return {.map = map, .copied = 0, .is_done = false};
  if (map.size > 0) copy_entries(copy, table, map.size);
  if (is_there) {
    copy->entries()[position].value = value;
    return {.map = Slot::map(copy, map.size), .copied = map.size, .is_done = true};
  }
  position_of(copy, key, hash, cell);
  return with_new_key(copy, hash, cell, key, value, map.size);
}

void map_share(Slot map) {
  if (map.table != nullptr) const_cast<MapTable*>(map.table)->is_shared = 1;
}

bool rebuild_index(MapTable& table) {
  const std::uint32_t used = table.used;
  table.index_size = index_size_for(table.capacity);
  std::memset(index_of(&table), 0, table.index_size * sizeof(IndexCell));
  for (table.used = 0; table.used < used; ++table.used) {
    std::uint32_t hash = 0, cell = 0;
    if (position_of(&table, table.entries()[table.used].key, hash, cell) != kNone) return false;
    if (table.index_size != 0) index_of(&table)[cell] = {.hash = hash, .place = table.used + 1};
  }
  return true;
}

}  // namespace flow
