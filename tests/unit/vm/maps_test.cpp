#include "vm/interp/maps.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace flow::test {
namespace {

Slot key(std::string_view text) {
  return Slot::text(text);
}
Slot set(Heap& heap, Slot map, Slot k, std::int64_t value) {
  const MapChange change = map_set(heap, map, k, Slot::integer(value));
  EXPECT_TRUE(change.is_done);
  return change.map;
}
// The number under `k`, or -1.
std::int64_t at(Slot map, Slot k) {
  const Slot* found = map_find(map, k);
  return found == nullptr ? -1 : found->number;
}
// `a=1 b=2`, in the order of iteration.
std::string told(Slot map) {
  std::string text;
  for (std::uint32_t i = 0; i < map.size; ++i)
    text += (i > 0 ? " " : "") + std::string(map_entry(map, i).key.view()) + "=" +
            std::to_string(map_entry(map, i).value.number);
  return text;
}

TEST(Maps, EmptyMapHasNothing) {
  EXPECT_EQ(empty_map().size, 0u);
  EXPECT_EQ(map_find(empty_map(), key("a")), nullptr);
  Heap heap(1 << 20);
  Slot map;
  ASSERT_TRUE(make_map(heap, 0, map));
  EXPECT_EQ(heap.used(), 0u);
  ASSERT_TRUE(make_map(heap, 10, map));
  EXPECT_EQ(map.size, 0u);
  EXPECT_EQ(map_find(map, key("a")), nullptr);
}

TEST(Maps, KeepTheOrderOfInsertion) {
  Heap heap(1 << 20);
  Slot map = empty_map();
  for (const char* k : {"z", "a", "m", "a", "k", "z"}) map = set(heap, map, key(k), at(map, key(k)) + 2);
  EXPECT_EQ(told(map), "z=3 a=3 m=1 k=1");
}

TEST(Maps, ManyKeysAreFound) {
  for (const std::uint64_t seed : {0ull, 1ull, 0x123456789abcdefull}) {
    set_map_seed(seed);
    Heap heap(64 << 20);
    Slot map = empty_map();
    std::deque<std::string> names;
    for (int i = 0; i < 20'000; ++i) {
      names.push_back("device-" + std::to_string(i * 7919));
      map = set(heap, map, key(names.back()), i);
    }
    ASSERT_EQ(map.size, names.size());
    for (int i = 0; i < 20'000; ++i) ASSERT_EQ(at(map, key(names[i])), i);
    EXPECT_EQ(at(map, key("device-1")), -1);
  }
}

TEST(Maps, NumbersTruthsAndEnumValuesAreKeys) {
  Heap heap(1 << 20);
  Slot numbers = empty_map();
  for (std::int64_t i = -500; i < 500; ++i)
    numbers = set(heap, numbers, Slot::integer(i * i * i, Form::Time), i);
  for (std::int64_t i = -500; i < 500; ++i) ASSERT_EQ(map_find(numbers, Slot::integer(i * i * i))->number, i);

  Slot truths = set(heap, set(heap, empty_map(), Slot::boolean(true), 1), Slot::boolean(false), 2);
  EXPECT_EQ(at(truths, Slot::boolean(true)), 1);
  EXPECT_EQ(at(truths, Slot::boolean(false)), 2);

  const Slot unknown = Slot::with_bytes(Slot::Tag::UnknownEnum, "Later");
  const Slot other = Slot::with_bytes(Slot::Tag::UnknownEnum, "Never");
  const Slot values = set(heap, set(heap, empty_map(), Slot::enumeration(60, 0), 1), unknown, 2);
  EXPECT_EQ(at(values, Slot::enumeration(60, 0)), 1);
  EXPECT_EQ(at(values, Slot::enumeration(60, 1)), -1);
  EXPECT_EQ(at(values, unknown), 2);
  EXPECT_EQ(at(values, other), -1);
}

TEST(Maps, OlderValuesSeeNothingOfNewKeys) {
  Heap heap(1 << 20);
  for (const int first : {2, 20}) {  // without and with an index
    std::deque<std::string> names;
    Slot old;
    ASSERT_TRUE(make_map(heap, 40, old));
    for (int i = 0; i < first; ++i) old = set(heap, old, key(names.emplace_back("k" + std::to_string(i))), i);
    const std::size_t used = heap.used();
    const Slot fresh = set(heap, old, key("new"), 7);
    EXPECT_EQ(fresh.table, old.table);
    EXPECT_EQ(heap.used(), used);
    EXPECT_EQ(at(fresh, key("new")), 7);
    EXPECT_EQ(at(old, key("new")), -1);
    // The older value goes its own way, even with the same key.
    const Slot branch = set(heap, old, key("new"), 8);
    EXPECT_NE(branch.table, old.table);
    EXPECT_EQ(at(branch, key("new")), 8);
    EXPECT_EQ(at(fresh, key("new")), 7);
    // And does not write into what newer ones see.
    const Slot changed = set(heap, old, key("k0"), 9);
    EXPECT_EQ(at(changed, key("k0")), 9);
    EXPECT_EQ(at(fresh, key("k0")), 0);
    EXPECT_EQ(at(changed, key("new")), -1);
  }
}

TEST(Maps, SharedTableIsCopiedBeforeAnEntryChanges) {
  Heap heap(1 << 20);
  for (const int count : {3, 30}) {
    std::deque<std::string> names;
    Slot map = empty_map();
    for (int i = 0; i < count; ++i) map = set(heap, map, key(names.emplace_back("k" + std::to_string(i))), i);
    const Slot own = set(heap, map, key("k1"), 10);
    EXPECT_EQ(own.table, map.table);
    map_share(own);
    const MapChange change = map_set(heap, own, key("k1"), Slot::integer(11));
    EXPECT_NE(change.map.table, own.table);
    EXPECT_EQ(change.copied, own.size);
    EXPECT_EQ(at(change.map, key("k1")), 11);
    EXPECT_EQ(at(own, key("k1")), 10);
    // The copy is nobody else's.
    const MapChange again = map_set(heap, change.map, key("k1"), Slot::integer(12));
    EXPECT_EQ(again.map.table, change.map.table);
    EXPECT_EQ(again.copied, 0u);
  }
  map_share(empty_map());
}

TEST(Maps, NothingChangesWhenTheHeapIsUsedUp) {
  Heap heap(400);
  Slot map = empty_map();
  for (const char* k : {"a", "b", "c", "d"}) map = set(heap, map, key(k), 1);
  const std::size_t used = heap.used();
  const MapChange change = map_set(heap, map, key("e"), Slot::integer(1));
  EXPECT_FALSE(change.is_done);
  EXPECT_EQ(heap.used(), used);
  EXPECT_EQ(told(map), "a=1 b=1 c=1 d=1");
  Slot untouched = map;
  EXPECT_FALSE(make_map(heap, 1000, untouched));
  EXPECT_FALSE(make_map(heap, ~std::size_t{0}, untouched));
  EXPECT_EQ(untouched.table, map.table);
}

TEST(Maps, IndexIsRebuiltFromTheEntries) {
  for (const int count : {5, 100}) {
    Heap heap(1 << 20);
    std::deque<std::string> names;
    Slot map = empty_map();
    for (int i = 0; i < count; ++i) map = set(heap, map, key(names.emplace_back("k" + std::to_string(i))), i);
    auto* table = const_cast<MapTable*>(map.table);
    set_map_seed(99);
    ASSERT_TRUE(rebuild_index(*table));
    for (int i = 0; i < count; ++i) EXPECT_EQ(at(map, key(names[i])), i);
    table->entries()[count - 1].key = table->entries()[1].key;
    EXPECT_FALSE(rebuild_index(*table));
  }
}

// Values branch off each other at random; each must stay equal to its std model.
TEST(Maps, RandomHistoriesAgreeWithAPlainModel) {
  struct Model {
    Slot map = empty_map();
    std::vector<std::pair<int, int>> entries;
  };
  std::vector<std::string> names;
  for (int i = 0; i < 60; ++i) names.push_back("name" + std::to_string(i));
  for (unsigned seed = 0; seed < 50; ++seed) {
    std::mt19937 random(seed);
    Heap heap(64 << 20);
    std::vector<Model> values(1);
    for (int step = 0; step < 300; ++step) {
      const std::size_t from = random() % values.size();
      const int k = static_cast<int>(random() % names.size()), v = static_cast<int>(random() % 1000);
      const bool stays = random() % 4 == 0 && values.size() < 12;
      if (stays) map_share(values[from].map);
      Model next = values[from];
      // A value that was overtaken by a change in place is gone, as a register that is written.
      next.map = set(heap, next.map, key(names[k]), v);
      const auto entry = std::ranges::find(next.entries, k, &std::pair<int, int>::first);
      if (entry == next.entries.end())
        next.entries.push_back({k, v});
      else
        entry->second = v;
      if (stays)
        values.push_back(next);
      else
        values[from] = next;
      for (const Model& value : values) {
        ASSERT_EQ(value.map.size, value.entries.size());
        for (std::uint32_t i = 0; i < value.map.size; ++i) {
          ASSERT_EQ(map_entry(value.map, i).key.view(), names[value.entries[i].first]);
          ASSERT_EQ(map_entry(value.map, i).value.number, value.entries[i].second) << "seed " << seed;
        }
        const int asked = static_cast<int>(random() % names.size());
        const auto wanted = std::ranges::find(value.entries, asked, &std::pair<int, int>::first);
        ASSERT_EQ(at(value.map, key(names[asked])), wanted == value.entries.end() ? -1 : wanted->second);
      }
    }
  }
}

}  // namespace
}  // namespace flow::test
