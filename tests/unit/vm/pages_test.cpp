#include "vm/interp/pages.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <thread>
#include <vector>

namespace flow::test {
namespace {

constexpr std::size_t kPage = 4096;

// Bytes of the region that are in memory.
std::size_t resident(const Region& region, std::size_t size) {
  std::vector<unsigned char> pages(size / kPage);
  EXPECT_EQ(mincore(region.begin(), size, pages.data()), 0);
  return kPage * static_cast<std::size_t>(
                     std::ranges::count_if(pages, [](unsigned char page) { return (page & 1) != 0; }));
}

// In a thread, which has kept no region of before.
template <class Test>
void in_new_thread(Test test) {
  std::thread(test).join();
}

TEST(Region, TakesOnlyWhatIsTouchedAndGivesItBack) {
  in_new_thread([] {
    Region region(std::size_t{1} << 32);
    region.make_usable(64u << 20);
    EXPECT_GE(region.usable(), 64u << 20);
    EXPECT_EQ(resident(region, 64u << 20), 0u);
    std::memset(region.begin(), 'x', 8u << 20);
    EXPECT_GE(resident(region, 64u << 20), 8u << 20);
    region.release_behind(1u << 20);
    EXPECT_EQ(resident(region, 64u << 20), 1u << 20);
    EXPECT_EQ(region.begin()[0], 'x');
    region.begin()[8u << 20] = 'y';  // still usable
    EXPECT_THROW(region.make_usable(std::size_t{1} << 33), std::bad_alloc);
    EXPECT_THROW(Region(std::size_t{1} << 60), std::bad_alloc);
  });
}

TEST(Region, NextOneOfTheThreadHasItsMemoryUpToABound) {
  in_new_thread([] {
    constexpr std::size_t kSize = 64u << 20;
    const char* before = nullptr;
    {
      Region region(kSize);
      region.make_usable(kSize);
      std::memset(region.begin(), 'x', kSize);
      before = region.begin();
    }
    Region region(kSize);
    EXPECT_EQ(region.begin(), before);
    EXPECT_EQ(resident(region, kSize), Region::kKeptBytes);
    Region other(kSize);
    EXPECT_NE(other.begin(), before);
    EXPECT_EQ(other.usable(), 0u);
    region = Region();
    other = Region();  // only the last is kept
    Region third(kSize), fourth(kSize);
    EXPECT_EQ(third.usable() + fourth.usable(), 0u);
  });
}

}  // namespace
}  // namespace flow::test
