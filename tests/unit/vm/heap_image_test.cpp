#include "vm/interp/heap_image.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>
#include <vector>

#include "tests/unit/vm/random_values.hpp"
#include "vm/interp/collector.hpp"

namespace flow::test {
namespace {

constexpr std::size_t kLimit = 64u << 20;

std::vector<Slot> slots_of(const std::vector<std::string>& constants) {
  std::vector<Slot> slots{Slot::integer(1)};
  for (const std::string& constant : constants) slots.push_back(Slot::text(constant));
  return slots;
}

std::string written(Heap& heap, std::span<const Slot> roots, std::span<const Slot> constants) {
  Marking marking(heap);
  marking.add_roots(roots);
  marking.number();
  std::string bytes;
  ByteWriter out(bytes);
  ImageWriter writer(out, marking, constants);
  writer.write_image();
  for (const Slot& root : roots) writer.write_slot(root);
  return bytes;
}

// The roots, or nothing when the bytes are no image with so many of them.
std::optional<std::vector<Slot>> read(std::string_view bytes, std::size_t count, Heap& heap,
                                      std::span<const Slot> constants, std::size_t most = kLimit) {
  ByteReader in(bytes);
  ImageReader reader(in, constants);
  if (!reader.read_image(heap, most)) return {};
  std::vector<Slot> roots;
  for (std::size_t i = 0; i < count; ++i) {
    const std::optional<Slot> slot = reader.read_slot();
    if (!slot) return {};
    roots.push_back(*slot);
  }
  if (in.left() != 0) return {};
  return roots;
}

TEST(HeapImage, NumbersAreReadAsWritten) {
  std::string bytes;
  ByteWriter out(bytes);
  const std::vector<std::int64_t> numbers{0, 1, -1, 63, -64, 64, 1 << 20, INT64_MAX, INT64_MIN};
  for (const std::int64_t number : numbers) {
    out.signed_number(number);
    out.number(static_cast<std::uint64_t>(number));
    out.fixed64(static_cast<std::uint64_t>(number));
  }
  out.text("end");
  ByteReader in(bytes);
  for (const std::int64_t number : numbers) {
    EXPECT_EQ(in.signed_number(), number);
    EXPECT_EQ(in.number(), static_cast<std::uint64_t>(number));
    EXPECT_EQ(in.fixed64(), static_cast<std::uint64_t>(number));
  }
  EXPECT_EQ(in.text(), "end");
  EXPECT_TRUE(in.is_good());
  EXPECT_EQ(in.byte(), 0);
  EXPECT_FALSE(in.is_good());
  ByteReader endless("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f");
  endless.number();
  EXPECT_FALSE(endless.is_good());
}

TEST(HeapImage, ValuesComeBackWithWhatTheyShare) {
  for (unsigned seed = 0; seed < 100; ++seed) {
    Graph graph(seed, 2000);
    graph.add(200);
    const std::vector<Slot> constants = slots_of(graph.constants);
    const std::string bytes = written(graph.heap, graph.values, constants);

    Heap heap(kLimit);
    auto roots = read(bytes, graph.values.size(), heap, constants);
    ASSERT_TRUE(roots) << "seed " << seed;
    for (std::size_t i = 0; i < roots->size(); ++i) ASSERT_EQ(told((*roots)[i]), told(graph.values[i]));
    // The same bytes again: nothing depends on where things lie.
    ASSERT_TRUE(written(heap, *roots, constants) == bytes) << "seed " << seed;
    // And as much of it is live.
    const std::array<std::span<Slot>, 1> before{std::span(graph.values)}, after{std::span(*roots)};
    const Collected first = collect(graph.heap, before), second = collect(heap, after);
    ASSERT_EQ(first.live_bytes, second.live_bytes);
    ASSERT_EQ(first.fuel, second.fuel);
    ASSERT_TRUE(written(heap, *roots, constants) == bytes) << "seed " << seed;
  }
}

TEST(HeapImage, ShortValuesTakeFewBytes) {
  Heap heap(kLimit);
  const std::vector<Slot> roots{text(heap, "da637472900382838869_1364969609"), Slot::integer(3),
                                Slot::boolean(true), Slot::null()};
  EXPECT_EQ(written(heap, roots, {}).size(), 32 + 2u + 3 + 2 + 1 + 1);
}

TEST(HeapImage, NothingOfDeadTextsIsStored) {
  Heap heap(kLimit);
  for (int i = 0; i < 100; ++i) heap.copy("the secret of before that is gone");
  heap.clear();
  const std::vector<Slot> roots{text(heap, "a"), text(heap, std::string(25, 'b'))};
  const std::string bytes = written(heap, roots, {});
  EXPECT_NE(bytes.find(std::string("a\0\0\0\0\0\0\0bbbbbbbbbbbbbbbbbbbbbbbbb\0\0\0\0\0\0\0", 40)),
            std::string::npos);
}

TEST(HeapImage, LimitIsKept) {
  Heap heap(kLimit);
  const std::vector<Slot> roots{text(heap, std::string(1000, 'x'))};
  const std::string bytes = written(heap, roots, {});
  Heap other(kLimit);
  EXPECT_FALSE(read(bytes, 1, other, {}, 999));
  EXPECT_TRUE(read(bytes, 1, other, {}, 1000));
}

// Whatever the bytes, what is read can be followed.
TEST(HeapImage, DamagedBytesAreRefusedOrSound) {
  std::size_t refused = 0, read_well = 0;
  for (unsigned seed = 0; seed < 40; ++seed) {
    Graph graph(seed, 500);
    graph.add(60);
    const std::vector<Slot> constants = slots_of(graph.constants);
    const std::string bytes = written(graph.heap, graph.values, constants);
    std::mt19937 random(seed);
    for (int i = 0; i < 300; ++i) {
      std::string damaged = bytes;
      for (std::size_t changes = 1 + random() % 3; changes > 0; --changes)
        damaged[random() % damaged.size()] ^= static_cast<char>(1 + random() % 255);
      if (random() % 8 == 0) damaged.resize(random() % damaged.size());
      Heap heap(1u << 20);
      auto roots = read(damaged, graph.values.size(), heap, constants, 1u << 20);
      ++(roots ? read_well : refused);
      if (!roots) continue;
      const std::array<std::span<Slot>, 1> spans{std::span(*roots)};
      collect(heap, spans);
      collect(heap, spans);
    }
  }
  EXPECT_GT(refused, 1000u);
  EXPECT_GT(read_well, 100u);
}

}  // namespace
}  // namespace flow::test
