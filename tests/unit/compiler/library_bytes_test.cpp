// The library that programs hold is the one that the declarations give, and damaged bytes are refused.
#include <gtest/gtest.h>

#include "apps/library/standard_library.hpp"
#include "compiler/resolve/library_bytes.hpp"
#include "tests/unit/compiler/golden.hpp"

namespace flow::test {
namespace {

TEST(LibraryBytes, ProgramsHoldWhatTheDeclarationsGive) {
  // Of texts that were read just now.
  EXPECT_EQ(write_library(test::standard_library()), standard_library_bytes());
}

TEST(LibraryBytes, AreReadAsTheyWereWritten) {
  const Library& read = flow::standard_library();
  EXPECT_EQ(write_library(read), standard_library_bytes());
  EXPECT_EQ(read.function_names, test::standard_library().function_names);
  EXPECT_EQ(read.operation_names, test::standard_library().operation_names);
  EXPECT_EQ(read.type_names, test::standard_library().type_names);
  EXPECT_EQ(read.types.record(read.error_type).name, "Error");
}

TEST(LibraryBytes, EachLengthBeforeTheEndIsRefused) {
  const std::string_view bytes = standard_library_bytes();
  for (std::size_t size = 0; size < bytes.size(); size += 1 + bytes.size() / 500)
    EXPECT_FALSE(read_library(bytes.substr(0, size)).has_value()) << size;
  EXPECT_FALSE(read_library(std::string(bytes) + '\0').has_value());
}

}  // namespace
}  // namespace flow::test
