// The key of links is made once and then kept, or is the configuration's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/server/link_key.hpp"
#include "runtime/sqlite_store.hpp"

namespace flow {
namespace {

TEST(LinkKey, IsMadeOnceAndKept) {
  const auto store = SqliteStore::open(":memory:"), other = SqliteStore::open(":memory:");
  ASSERT_TRUE(store && other);
  const auto key = choose_link_key({}, **store);
  ASSERT_TRUE(key);
  EXPECT_EQ(key->size(), 64u);
  EXPECT_EQ(*choose_link_key({}, **store), *key);
  EXPECT_NE(*choose_link_key({}, **other), *key);
}

TEST(LinkKey, IsTheConfigurationsWhenItHasOne) {
  const auto store = SqliteStore::open(":memory:");
  ASSERT_TRUE(store);
  const auto gives = [](const char* text) {
    return [text]() -> Result<std::string> { return std::string(text); };
  };
  EXPECT_EQ(*choose_link_key(gives("0123456789abcdef"), **store), "0123456789abcdef");
  EXPECT_THAT(choose_link_key(gives("short"), **store).error().message, testing::HasSubstr("16 characters"));
  EXPECT_FALSE(choose_link_key([]() -> Result<std::string> { return error("not set"); }, **store));
  EXPECT_EQ(*(*store)->meta("link_key"), std::nullopt) << "what is configured is not stored";
}

}  // namespace
}  // namespace flow
