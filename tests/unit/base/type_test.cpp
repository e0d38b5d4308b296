#include "base/type.hpp"

#include <gtest/gtest.h>

namespace flow {
namespace {

TEST(TypeTable, InternsAndNames) {
  TypeTable types;
  const TypeId list = types.list(types.optional(kMachineIdType));
  EXPECT_EQ(list, types.list(types.optional(kMachineIdType)));
  EXPECT_EQ(types.name(list), "List<MachineId?>");
  EXPECT_EQ(types.optional(types.optional(kIntType)), types.optional(kIntType));
  EXPECT_EQ(builtin_type("Email"), kEmailType);
  EXPECT_EQ(builtin_type("Emial"), std::nullopt);
}

TEST(TypeTable, AcceptsOnlyWhatNeedsNoConversion) {
  TypeTable types;
  const TypeId optional_string = types.optional(kStringType);
  EXPECT_TRUE(types.accepts(optional_string, kStringType));
  EXPECT_TRUE(types.accepts(optional_string, kNullType));
  EXPECT_FALSE(types.accepts(kStringType, optional_string));
  EXPECT_FALSE(types.accepts(kAlertIdType, kMachineIdType));
  EXPECT_FALSE(types.accepts(kFloatType, kIntType)) << "Int to Float changes the representation";
  const TypeId one_or_many = types.union_of({kEmailType, types.list(kEmailType)});
  EXPECT_EQ(types.name(one_or_many), "Email or List<Email>");
  EXPECT_TRUE(types.accepts(one_or_many, types.list(kEmailType)));
  EXPECT_FALSE(types.accepts(one_or_many, kStringType));
}

TEST(EnumType, FindsValuesLeniently) {
  const EnumType severity{.name = "Severity", .values = {"Low", "High"}, .is_ordered = true};
  EXPECT_EQ(severity.value("High"), 1u);
  EXPECT_EQ(severity.value("high"), 1u);
  EXPECT_EQ(severity.value("Highest"), std::nullopt);
}

}  // namespace
}  // namespace flow
