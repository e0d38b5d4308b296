#include "vm/interp/collector.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "tests/unit/vm/random_values.hpp"
#include "vm/interp/maps.hpp"
#include "vm/interp/marking.hpp"

namespace flow::test {
namespace {

constexpr std::size_t kLimit = 256u << 20;

Collected collect_one(Heap& heap, Slot& root) {
  const std::array<std::span<Slot>, 1> roots{std::span<Slot>(&root, 1)};
  return collect(heap, roots);
}

TEST(Collector, KeepsWhatTheRootsLeadToAndNothingElse) {
  Heap heap(kLimit);
  heap.copy("rubbish before");
  Slot root = list(heap, {text(heap, "one"), Slot::integer(2), text(heap, "three hundred")});
  heap.copy(std::string(5000, 'r'));
  const std::string before = told(root);
  const Collected collected = collect_one(heap, root);
  EXPECT_EQ(told(root), before);
  EXPECT_EQ(collected.live_bytes, 3 * 16 + 8 + 16u);
  EXPECT_EQ(heap.used(), collected.live_bytes);
  EXPECT_TRUE(heap.owns(root.items));
  EXPECT_TRUE(heap.owns(root.items[2].bytes));
}

TEST(Collector, NothingLiveLeavesAnEmptyHeap) {
  Heap heap(kLimit);
  EXPECT_EQ(collect(heap, {}).live_bytes, 0u);
  heap.copy(std::string(100'000, 'x'));
  EXPECT_EQ(collect(heap, {}).live_bytes, 0u);
  EXPECT_EQ(heap.used(), 0u);
  EXPECT_EQ(heap.copy("again"), "again");
}

TEST(Collector, ConstantsStayWhereTheyAre) {
  const std::string constant = "from the module";
  Heap heap(kLimit);
  Slot root = list(heap, {Slot::text(constant), text(heap, "own")});
  EXPECT_EQ(collect_one(heap, root).live_bytes, 2 * 16 + 8u);
  EXPECT_EQ(root.items[0].bytes, constant.data());
  EXPECT_EQ(root.items[1].view(), "own");
}

TEST(Collector, EmptyValuesPointNowhere) {
  Heap heap(kLimit);
  Slot root =
      list(heap, {text(heap, ""), list(heap, {}), empty_map(), Slot::text(heap.copy("abc").substr(3))});
  EXPECT_EQ(collect_one(heap, root).live_bytes, 4 * 16u);
  EXPECT_EQ(root.items[0].view(), "");
  EXPECT_EQ(root.items[1].size, 0u);
  EXPECT_EQ(root.items[3].view(), "");
}

TEST(Collector, SharedPartsAreCountedAndMovedOnce) {
  Heap heap(kLimit);
  const std::string_view bytes = heap.copy("the quick brown fox jumps over the lazy dog");
  const Slot items =
      list(heap, {text(heap, "a"), text(heap, "b"), text(heap, "c"), text(heap, "d"), text(heap, "e")});
  const Slot three = Slot::with_items(Slot::Tag::List, items.items, 3);
  const Slot middle = Slot::with_items(Slot::Tag::List, items.items + 1, 3);
  Slot root = list(heap, {three, items, middle, three, Slot::text(bytes), Slot::text(bytes.substr(5, 9))});
  const std::string before = told(root);
  EXPECT_EQ(collect_one(heap, root).live_bytes, 6 * 16 + 5 * 16 + 5 * 8 + 48u);
  EXPECT_EQ(told(root), before);
  EXPECT_EQ(root.items[0].items, root.items[1].items);
  EXPECT_EQ(root.items[2].items, root.items[1].items + 1);
  EXPECT_EQ(root.items[5].bytes, root.items[4].bytes + 5);
}

// A heap of several megabytes slides together where it is.
TEST(Collector, LargeHeapSlidesInPlace) {
  Heap heap(kLimit);
  std::vector<Slot> kept;
  std::string wanted;
  for (int i = 0; i < 60'000; ++i) {
    heap.copy(std::string(static_cast<std::size_t>(i % 97), 'r'));
    const Slot value = list(heap, {text(heap, std::to_string(i)), Slot::integer(i), text(heap, "some text")});
    if (i % 3 == 0) kept.push_back(value);
  }
  Slot root = list(heap, kept);
  const std::string before = told(root);
  const Collected first = collect_one(heap, root);
  EXPECT_EQ(told(root), before);
  EXPECT_GT(first.live_bytes, 1u << 20);
  EXPECT_EQ(heap.used(), first.live_bytes);
  const Slot* items = root.items;
  EXPECT_EQ(collect_one(heap, root).live_bytes, first.live_bytes);
  EXPECT_EQ(root.items, items) << "nothing had to move";
  EXPECT_EQ(told(root), before);
  // What is left of it goes on, however little.
  root.size = 10;
  const std::string little = told(root);
  EXPECT_LT(collect_one(heap, root).live_bytes, 1000u);
  EXPECT_EQ(told(root), little);
}

TEST(Collector, LastLargeBufferGoesOnGrowing) {
  Heap heap(kLimit);
  const Slot* items = nullptr;
  std::size_t size = 0;
  const auto grow_to = [&](std::size_t to) {
    for (; size < to; ++size) {
      Slot* grown = heap.extend_slots(items, size, 1);
      grown[size] = Slot::integer(static_cast<std::int64_t>(size));
      items = grown;
    }
  };
  grow_to(200'000);
  Slot root = Slot::with_items(Slot::Tag::List, items, size);
  EXPECT_EQ(collect_one(heap, root).live_bytes, 200'000u * sizeof(Slot));
  const Slot* after = items = root.items;
  grow_to(1'000'000);
  EXPECT_EQ(items, after);
  for (std::size_t i = 0; i < size; ++i) ASSERT_EQ(items[i].number, static_cast<std::int64_t>(i));

  // Texts need not end with a granule.
  std::string_view grown = heap.copy(std::string(2'000'001, 'a'));
  const auto add = [&](std::string_view more) {
    char* begin = heap.extend(grown.data(), grown.size(), more.size());
    std::memcpy(begin + grown.size(), more.data(), more.size());
    grown = {begin, grown.size() + more.size()};
  };
  add("bc");
  Slot text = Slot::text(grown);
  collect_one(heap, text);
  const char* begin = text.bytes;
  grown = text.view();
  add("d");
  add(std::string(3'000'000, 'e'));
  EXPECT_EQ(grown.data(), begin);
  EXPECT_EQ(grown, std::string(2'000'001, 'a') + "bcd" + std::string(3'000'000, 'e'));
}

TEST(Collector, LargeBufferOfWhichNothingIsLiveIsForgotten) {
  Heap heap(kLimit);
  const std::string large(1'000'000, 'a');
  Slot root = list(heap, {text(heap, "kept")});
  char* gone = heap.extend(large.data(), large.size(), 1);
  gone[large.size()] = 'b';
  collect_one(heap, root);
  EXPECT_EQ(heap.end_of_last_buffer(), nullptr);
  EXPECT_EQ(told(root), told(list(heap, {text(heap, "kept")})));
}

TEST(Collector, PartOfALargeTextKeepsOnlyThatPart) {
  Heap heap(kLimit);
  std::string large;
  for (int i = 0; i < 20'000; ++i) large += std::to_string(i);
  Slot root = Slot::text(heap.copy(large).substr(1001, 14));
  const std::string before(root.view());
  EXPECT_EQ(collect_one(heap, root).live_bytes, 16u);
  EXPECT_EQ(root.view(), before);
}

TEST(Collector, MapsKeepTableRoomAndMarks) {
  Heap heap(kLimit);
  Slot map = empty_map();
  std::vector<Slot> roots;
  for (int i = 0; i < 100; ++i) {
    map = map_set(heap, map, text(heap, "key" + std::to_string(i)), list(heap, {Slot::integer(i)})).map;
    if (i == 80) roots.push_back(map);
  }
  map_share(map);
  roots.push_back(map);
  const std::uint32_t capacity = map.table->capacity;
  const std::string before = told(roots[0]) + told(roots[1]);
  const std::array<std::span<Slot>, 1> spans{std::span<Slot>(roots)};
  const Collected collected = collect(heap, spans);
  EXPECT_EQ(told(roots[0]) + told(roots[1]), before);
  EXPECT_EQ(roots[0].table, roots[1].table);
  EXPECT_EQ(roots[1].table->capacity, capacity);
  EXPECT_EQ(roots[1].table->is_shared, 1u);
  EXPECT_EQ(collected.live_bytes, MapTable::bytes_for(capacity) + 100 * (8 + 16));
}

TEST(Collector, GrowthBuffersEndWithIt) {
  Heap heap(kLimit);
  const std::string start(200, 'a');
  Slot root = Slot::text({heap.extend(start.data(), start.size(), 0), start.size()});
  EXPECT_EQ(collect_one(heap, root).live_bytes, 200u);
  const std::size_t used = heap.used();
  EXPECT_NE(heap.extend(root.bytes, root.size, 8), nullptr);
  EXPECT_GT(heap.used(), used);
}

TEST(Collector, DeepValuesNeedNoStack) {
  Heap heap(kLimit);
  Slot root = Slot::integer(7);
  constexpr int kDepth = 1'000'000;
  for (int i = 0; i < kDepth; ++i) root = list(heap, {root});
  EXPECT_EQ(collect_one(heap, root).live_bytes, kDepth * sizeof(Slot));
  const Slot* at = &root;
  int depth = 0;
  for (; at->tag == Slot::Tag::List; ++depth) at = at->items;
  EXPECT_EQ(depth, kDepth);
  EXPECT_EQ(at->number, 7);
}

// As a text that grew piece by piece, each piece of which is kept.
TEST(Collector, ManyValuesOverOneLargePartTakeNoLongTime) {
  Heap heap(kLimit);
  constexpr std::size_t kCount = 200'000;
  const std::string_view large = heap.copy(std::string(kCount, 'x'));
  Slot* slots = heap.allocate_slots(kCount);
  for (std::size_t i = 0; i < kCount; ++i) slots[i] = Slot::text(large.substr(0, kCount - i));
  Slot* lists = heap.allocate_slots(kCount);
  for (std::size_t i = 0; i < kCount; ++i)
    lists[i] = Slot::with_items(Slot::Tag::List, slots + i, kCount - i);
  Slot root = Slot::with_items(Slot::Tag::List, lists, kCount);
  const Collected collected = collect_one(heap, root);
  EXPECT_EQ(collected.live_bytes, kCount * (2 * sizeof(Slot) + 1));
  // Paid for: the time is not in proportion to the live bytes alone.
  EXPECT_GT(collected.fuel, collected.live_bytes / 64 + kCount);
}

// The bytes that are live, found without the collector: each granule that some value covers.
void cover_bytes(std::set<std::uintptr_t>& granules, Heap& heap, const void* begin, std::size_t size) {
  if (size == 0 || !heap.owns(begin)) return;
  const auto address = reinterpret_cast<std::uintptr_t>(begin);
  for (std::uintptr_t at = address / 8; at <= (address + size - 1) / 8; ++at) granules.insert(at);
}
void cover(std::set<std::uintptr_t>& granules, Heap& heap, const Slot& value) {
  switch (value.tag) {
    case Slot::Tag::Text:
    case Slot::Tag::Json:
    case Slot::Tag::UnknownEnum: return cover_bytes(granules, heap, value.bytes, value.size);
    case Slot::Tag::List:
    case Slot::Tag::Record:
      cover_bytes(granules, heap, value.items, value.size * sizeof(Slot));
      for (std::uint32_t i = 0; i < value.size; ++i) cover(granules, heap, value.items[i]);
      return;
    case Slot::Tag::Map:
      // A table may hold older values of itself, behind what they see.
      if (value.table == nullptr || granules.contains(reinterpret_cast<std::uintptr_t>(value.table) / 8))
        return;
      cover_bytes(granules, heap, value.table, value.table->bytes());
      for (std::uint32_t i = 0; i < value.table->used; ++i) {
        cover(granules, heap, value.table->entries()[i].key);
        cover(granules, heap, value.table->entries()[i].value);
      }
      return;
    default: return;
  }
}

TEST(Collector, RandomValuesAreTheSameAfterwards) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    Graph graph(seed, 2000);
    for (int round = 0; round < 3; ++round) {
      graph.add(150);
      std::vector<Slot> kept;
      for (const Slot& value : graph.values)
        if (graph.below(3) == 0) kept.push_back(value);
      std::string before;
      std::set<std::uintptr_t> granules;
      for (const Slot& value : kept) {
        tell(before, value);
        cover(granules, graph.heap, value);
      }
      const std::size_t half = kept.size() / 2;
      const std::array<std::span<Slot>, 2> roots{std::span(kept).first(half), std::span(kept).subspan(half)};
      const Collected collected = collect(graph.heap, roots);
      std::string after;
      for (const Slot& value : kept) tell(after, value);
      ASSERT_EQ(after, before) << "seed " << seed;
      ASSERT_EQ(collected.live_bytes, 8 * granules.size()) << "seed " << seed;
      ASSERT_EQ(graph.heap.used(), collected.live_bytes);
      // Again, with nothing new: all of it is live.
      const Collected again = collect(graph.heap, roots);
      ASSERT_EQ(again.live_bytes, collected.live_bytes);
      ASSERT_EQ(again.fuel, collected.fuel);
      graph.values = kept;
      if (graph.values.empty()) graph.values.push_back(Slot::null());
    }
  }
}

// A gigabyte of rubbish passes through a heap of four megabytes.
TEST(Collector, LoopThatMakesRubbishStaysWithinItsLimit) {
  Heap heap(4u << 20, 2u << 20);
  Slot root = list(heap, std::vector<Slot>(1000, text(heap, std::string(1000, 'l'))));
  for (int i = 0; i < 1000; ++i) const_cast<Slot*>(root.items)[i] = text(heap, std::string(1000, 'l'));
  const std::string before = told(root);
  std::size_t made = 0, collections = 0;
  for (; made < (1u << 30); made += 1 << 16) {
    if (heap.allocate(1 << 16) != nullptr) continue;
    EXPECT_EQ(collect_one(heap, root).live_bytes, 1000 * (16 + 1000u));
    ++collections;
    ASSERT_NE(heap.allocate(1 << 16), nullptr);
  }
  EXPECT_EQ(told(root), before);
  EXPECT_GT(collections, 500u);
  EXPECT_LT(collections, 1200u);
}

}  // namespace
}  // namespace flow::test
