#include "vm/interp/heap.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

namespace flow::test {
namespace {

TEST(Heap, CountsEachAllocationRoundedToEightBytes) {
  Heap heap(1 << 20);
  EXPECT_NE(heap.allocate(0), nullptr);
  EXPECT_EQ(heap.used(), 0u);
  EXPECT_NE(heap.allocate(1), nullptr);
  EXPECT_NE(heap.allocate(8), nullptr);
  EXPECT_NE(heap.allocate_slots(3), nullptr);
  EXPECT_EQ(heap.used(), 8u + 8u + 48u);
  heap.clear();
  EXPECT_EQ(heap.used(), 0u);
}

TEST(Heap, LimitIsExact) {
  for (const std::size_t before : {0u, 8u, 1016u, 1024u, 5000u}) {
    Heap heap(10'000);
    ASSERT_NE(heap.allocate(before), nullptr);
    const std::size_t left = heap.limit() - heap.used();
    EXPECT_EQ(heap.allocate(left + 1), nullptr);
    EXPECT_NE(heap.allocate(left), nullptr);
    EXPECT_EQ(heap.allocate(1), nullptr);
  }
  Heap heap(64);
  EXPECT_EQ(heap.allocate(~std::size_t{0}), nullptr);
  EXPECT_EQ(heap.allocate_slots(~std::size_t{0} / 8), nullptr);
}

TEST(Heap, ThresholdIsMetBeforeTheLimitAndCanBeLifted) {
  Heap heap(1000, 100);
  ASSERT_NE(heap.allocate(96), nullptr);
  EXPECT_EQ(heap.allocate(8), nullptr);
  EXPECT_EQ(heap.used(), 96u);  // a refused allocation leaves nothing behind
  heap.lift_threshold();
  EXPECT_NE(heap.allocate(200), nullptr);
  EXPECT_EQ(heap.allocate(800), nullptr);
  heap.restore_threshold();
  EXPECT_EQ(heap.threshold(), 296u + 148u) << "what passed it moved it away";
  EXPECT_EQ(heap.allocate(149), nullptr);
  heap.clear();
  EXPECT_NE(heap.allocate(96), nullptr);
  EXPECT_EQ(heap.allocate(8), nullptr);
}

TEST(Heap, ThresholdFollowsWhatIsLive) {
  Heap heap(1000, 100);
  EXPECT_EQ(heap.size_for(0), 100u);
  heap.replace(take_memory(heap.size_for(80)), heap.size_for(80), 80);
  EXPECT_EQ(heap.used(), 80u);
  EXPECT_EQ(heap.threshold(), 160u);
  heap.replace(take_memory(heap.size_for(800)), heap.size_for(800), 800);
  EXPECT_EQ(heap.threshold(), 1000u);
  EXPECT_EQ(heap.allocate(201), nullptr);
  EXPECT_NE(heap.allocate(200), nullptr);
}

TEST(Heap, KnowsItsOwnBytes) {
  const std::string outside(100, 'x');
  Heap heap(1 << 24);
  for (const std::size_t size : {10u, 2000u, 100'000u, 5'000'000u, 8u}) {
    const char* memory = heap.allocate(size);
    EXPECT_TRUE(heap.owns(memory));
    EXPECT_TRUE(heap.owns(memory + size - 1));
    EXPECT_FALSE(heap.owns(memory + (size + 7) / 8 * 8));  // not handed out
  }
  EXPECT_FALSE(heap.owns(outside.data()));
  EXPECT_FALSE(heap.owns(nullptr));
}

std::string_view append(Heap& heap, std::string_view text, std::string_view more) {
  char* begin = heap.extend(text.data(), text.size(), more.size());
  EXPECT_NE(begin, nullptr);
  std::memcpy(begin + text.size(), more.data(), more.size());
  return {begin, text.size() + more.size()};
}

TEST(Heap, ValueAtTheEndOfItsBufferGrowsInPlace) {
  Heap heap(1 << 20);
  const std::string begin(200, 'a');
  const std::string_view first = append(heap, begin, "b");
  const std::size_t used = heap.used();
  EXPECT_EQ(used, 408u);  // twice 201, rounded, counted as a whole
  const std::string_view second = append(heap, first, "c");
  EXPECT_EQ(second.data(), first.data());
  EXPECT_EQ(heap.used(), used);
  EXPECT_EQ(first, begin + "b");
  EXPECT_EQ(second, begin + "bc");
  // Another value that grows from the same beginning gets bytes of its own.
  const std::string_view other = append(heap, first, "d");
  EXPECT_NE(other.data(), first.data());
  EXPECT_EQ(second, begin + "bc");
  EXPECT_EQ(other, begin + "bd");
}

TEST(Heap, SmallValuesAreCopiedWithoutRoom) {
  Heap heap(1 << 20);
  const std::string_view first = append(heap, "abc", "d");
  EXPECT_EQ(heap.used(), 8u);
  const std::string_view second = append(heap, first, "e");
  EXPECT_NE(second.data(), first.data());
  EXPECT_EQ(heap.used(), 16u);
  EXPECT_EQ(second, "abcde");
  EXPECT_EQ(append(heap, {}, ""), "");
}

TEST(Heap, FourBuffersGrowSideBySide) {
  Heap heap(1 << 20);
  std::vector<std::string_view> texts(4);
  std::vector<std::string> wanted(4);
  for (int i = 0; i < 4; ++i) {
    wanted[i] = std::string(300, static_cast<char>('a' + i));
    texts[i] = append(heap, wanted[i], "!");
  }
  const std::size_t used = heap.used();
  for (int round = 0; round < 100; ++round)
    for (int i = 0; i < 4; ++i) texts[i] = append(heap, texts[i], "+");
  EXPECT_EQ(heap.used(), used);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(texts[i], wanted[i] + "!" + std::string(100, '+'));
  heap.drop_tails();
  texts[0] = append(heap, texts[0], "-");
  EXPECT_GT(heap.used(), used);
}

TEST(Heap, ListGrowsWithoutQuadraticCopying) {
  Heap heap(64 << 20);
  const Slot* items = nullptr;
  constexpr std::size_t kCount = 100'000;
  for (std::size_t i = 0; i < kCount; ++i) {
    Slot* grown = heap.extend_slots(items, i, 1);
    ASSERT_NE(grown, nullptr);
    grown[i] = Slot::integer(static_cast<std::int64_t>(i));
    items = grown;
  }
  for (std::size_t i = 0; i < kCount; ++i) ASSERT_EQ(items[i].number, static_cast<std::int64_t>(i));
  EXPECT_LT(heap.used(), 6 * kCount * sizeof(Slot));
}

const Slot* append_items(Heap& heap, const Slot* items, std::size_t size, std::size_t to) {
  for (; size < to; ++size) {
    Slot* grown = heap.extend_slots(items, size, 1);
    if (grown == nullptr) return nullptr;
    grown[size] = Slot::integer(static_cast<std::int64_t>(size));
    items = grown;
  }
  return items;
}

TEST(Heap, LastLargeBufferGetsItsRoomWhereItStands) {
  Heap heap(256u << 20);
  const Slot* items = append_items(heap, nullptr, 0, 100'000);
  const std::size_t used = heap.used();
  const Slot* grown = append_items(heap, items, 100'000, 1'000'000);
  EXPECT_EQ(grown, items);
  // Twice the size at its last growth, and the small buffers of before.
  EXPECT_LT(heap.used() - used, 2u * 16'000'000);
  for (std::size_t i = 0; i < 1'000'000; ++i) ASSERT_EQ(grown[i].number, static_cast<std::int64_t>(i));
  EXPECT_TRUE(heap.owns(grown + 999'999));
  EXPECT_FALSE(heap.owns(grown + 10'000'000));
  // Behind something else there is no place.
  ASSERT_NE(heap.allocate(8), nullptr);
  EXPECT_NE(append_items(heap, grown, 1'000'000, 4'000'000), grown);
}

TEST(Heap, OtherValueOfALargeBufferGrowsElsewhere) {
  Heap heap(256u << 20);
  const Slot* items = append_items(heap, nullptr, 0, 100'000);
  const Slot* longer = append_items(heap, items, 100'000, 100'001);
  EXPECT_EQ(longer, items);
  EXPECT_NE(append_items(heap, items, 99'999, 100'000), items);
}

TEST(Heap, LargeBufferMeetsTheLimitWithLessRoom) {
  Heap heap(4u << 20, 4u << 20);
  const Slot* items = append_items(heap, nullptr, 0, 70'000);
  ASSERT_NE(items, nullptr);
  EXPECT_EQ(append_items(heap, items, 70'000, 300'000), nullptr);
  EXPECT_LE(heap.used(), heap.limit());
  EXPECT_EQ(items[69'999].number, 69'999);
  heap.clear();
  EXPECT_EQ(heap.used(), 0u);
  EXPECT_NE(append_items(heap, nullptr, 0, 70'000), nullptr);
}

TEST(Heap, GrowthMeetsTheThresholdAndAtTheLimitDoesWithoutRoom) {
  Heap heap(1000, 500);
  const std::string text(300, 'a');
  EXPECT_EQ(heap.extend(text.data(), text.size(), 1), nullptr);
  EXPECT_EQ(heap.used(), 0u);
  heap.lift_threshold();
  EXPECT_NE(heap.extend(text.data(), text.size(), 1), nullptr);
  EXPECT_EQ(heap.used(), 608u);
  EXPECT_NE(heap.extend(text.data(), text.size(), 1), nullptr);
  EXPECT_EQ(heap.used(), 608u + 304u + 40u);  // room to grow for half of what is left
  EXPECT_EQ(heap.extend(text.data(), text.size(), 1), nullptr);
  EXPECT_EQ(heap.extend(text.data(), text.size(), ~std::size_t{0} - 10), nullptr);
}

}  // namespace
}  // namespace flow::test
