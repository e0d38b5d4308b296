#include "vm/interp/conform.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "tests/unit/vm/assembler.hpp"
#include "vm/interp/maps.hpp"

namespace flow::test {
namespace {

class Conform : public ::testing::Test {
 protected:
  Conform() { memory_ = heap_.allocate(0); }

  bool fits(const Slot& value, TypeId type) {
    const std::size_t granules = static_cast<std::size_t>(heap_.allocate(0) - memory_) / 8 + 1;
    return Conformity(types(), memory_, granules).has_type(value, type);
  }
  Slot items(std::initializer_list<Slot> slots, Slot::Tag tag = Slot::Tag::List) {
    Slot* memory = heap_.allocate_slots(slots.size());
    std::ranges::copy(slots, memory);
    return Slot::with_items(tag, memory, slots.size());
  }
  TypeTable& types() { return world_.module.types; }

  World world_ = make_world();
  Heap heap_{1u << 20};
  const char* memory_;
};

TEST_F(Conform, ScalarsHaveTheirTagAndForm) {
  EXPECT_TRUE(fits(Slot::integer(1), kIntType));
  EXPECT_FALSE(fits(Slot::integer(1), kTimeType));
  EXPECT_TRUE(fits(Slot::integer(1, Form::Time), kTimeType));
  EXPECT_FALSE(fits(Slot::integer(1), kBoolType));
  EXPECT_TRUE(fits(Slot::text("a"), kMachineIdType));
  EXPECT_FALSE(fits(Slot::text("a"), kHtmlType));
  EXPECT_FALSE(fits(Slot::text("a", Form::Secret), kStringType));
  EXPECT_FALSE(fits(Slot::with_bytes(Slot::Tag::Json, "1"), kStringType));
  EXPECT_TRUE(fits(Slot::floating(1), kFloatType));
  EXPECT_FALSE(fits(Slot::floating(std::numeric_limits<double>::infinity()), kFloatType));
  EXPECT_FALSE(fits(Slot::floating(std::numeric_limits<double>::quiet_NaN()), kFloatType));
  EXPECT_TRUE(fits(Slot::null(), kNullType));
  EXPECT_TRUE(fits(Slot::null(), world_.maybe_int));
  EXPECT_FALSE(fits(Slot::null(), kIntType));
}

TEST_F(Conform, EnumValuesAreOfTheirEnum) {
  EXPECT_TRUE(fits(Slot::enumeration(world_.severity, 3), world_.severity));
  EXPECT_FALSE(fits(Slot::enumeration(world_.severity, 4), world_.severity));
  EXPECT_FALSE(fits(Slot::enumeration(world_.status, 0), world_.severity));
  EXPECT_TRUE(fits(Slot::with_bytes(Slot::Tag::UnknownEnum, "Dire"), world_.severity));
}

TEST_F(Conform, ListsAndRecordsAreLookedInto) {
  const Slot numbers = items({Slot::integer(1), Slot::integer(2), Slot::text("x")});
  EXPECT_FALSE(fits(numbers, world_.ints));
  EXPECT_TRUE(fits(Slot::with_items(Slot::Tag::List, numbers.items, 2), world_.ints));
  const Slot node = items({Slot::integer(1), Slot::null()}, Slot::Tag::Record);
  EXPECT_TRUE(fits(node, world_.node));
  EXPECT_TRUE(fits(items({Slot::integer(1), node}, Slot::Tag::Record), world_.node));
  EXPECT_FALSE(fits(items({Slot::integer(1), Slot::integer(2)}, Slot::Tag::Record), world_.node));
  EXPECT_FALSE(fits(items({Slot::integer(1)}, Slot::Tag::Record), world_.node));
  EXPECT_FALSE(fits(items({Slot::integer(1), Slot::null()}), world_.node));
}

// The same memory may be asked for as several types: each is an answer of its own.
TEST_F(Conform, WhatWasSeenAsOneTypeIsLookedAtAsAnother) {
  const Slot empty = items({});
  const Slot mixed = items({empty, items({Slot::integer(1)})});
  const TypeId ints = types().list(world_.ints), texts = types().list(world_.strings);
  const std::size_t granules = 64;
  Conformity conformity(types(), memory_, granules);
  EXPECT_TRUE(conformity.has_type(mixed, ints));
  EXPECT_TRUE(conformity.has_type(mixed, ints));
  EXPECT_FALSE(conformity.has_type(mixed, texts));
  EXPECT_TRUE(conformity.has_type(Slot::with_items(Slot::Tag::List, mixed.items, 1), texts));
}

TEST_F(Conform, ValuesThatHoldThemselvesEnd) {
  Slot* fields = heap_.allocate_slots(2);
  fields[0] = Slot::integer(1);
  fields[1] = Slot::with_items(Slot::Tag::Record, fields, 2);
  EXPECT_TRUE(fits(fields[1], world_.node));
}

TEST_F(Conform, TableHasOneType) {
  const TypeId numbers = types().map(kStringType, world_.maybe_int);
  const TypeId texts = types().map(kStringType, world_.maybe_string);
  const Slot map = map_set(heap_, empty_map(), Slot::text("a"), Slot::null()).map;
  Conformity conformity(types(), memory_, 1000);
  EXPECT_TRUE(conformity.has_type(map, numbers));
  EXPECT_TRUE(conformity.has_type(Slot::map(map.table, 0), numbers));
  // As one of the two it could be written to, and then would not be the other.
  EXPECT_FALSE(conformity.has_type(map, texts));
  EXPECT_TRUE(conformity.has_type(empty_map(), texts));
  EXPECT_FALSE(conformity.has_type(Slot::map(nullptr, 1), texts));
  EXPECT_FALSE(conformity.has_type(Slot::map(map.table, 2), numbers));

  const Slot other_key = map_set(heap_, empty_map(), Slot::integer(1), Slot::null()).map;
  EXPECT_FALSE(conformity.has_type(other_key, numbers));
  EXPECT_TRUE(
      Conformity(types(), memory_, 1000).has_type(other_key, types().map(kIntType, world_.maybe_int)));
}

}  // namespace
}  // namespace flow::test
