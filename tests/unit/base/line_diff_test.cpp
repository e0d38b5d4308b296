// Each difference says, applied by hand, what the second text is.
#include <gtest/gtest.h>

#include <random>
#include <sstream>

#include "base/line_diff.hpp"

namespace flow {
namespace {

// The second text, from the first and what unified_diff() gave; every context line is compared.
std::string patched(const std::string& before, const std::string& diff) {
  std::istringstream from(before), changes(diff);
  std::string out, line, old;
  std::size_t at = 1;
  const auto copy = [&] {
    std::getline(from, old);
    ++at;
    return old + "\n";
  };
  if (diff.empty()) return before;
  std::getline(changes, line);
  std::getline(changes, line);
  while (std::getline(changes, line)) {
    if (line.starts_with("@@")) {
      std::size_t begin = std::stoul(line.substr(4));
      const std::size_t count = std::stoul(line.substr(line.find(',') + 1));
      if (count == 0) ++begin;
      while (at < begin) out += copy();
    } else if (line.starts_with("\\")) {
      out.pop_back();
    } else if (line[0] == '+') {
      out += line.substr(1) + "\n";
    } else {
      const std::string same = copy();
      EXPECT_EQ(same, line.substr(1) + "\n");
      if (line[0] == ' ') out += same;
    }
  }
  while (from.peek() != EOF) out += copy();
  return out;
}

TEST(LineDiff, SaysWhatDiffers) {
  EXPECT_EQ(unified_diff("a\n", "a\n", "x"), "");
  EXPECT_EQ(unified_diff("a\nb\nc\n", "a\nB\nc\n", "x"), "--- x\n+++ x\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n");
  EXPECT_EQ(unified_diff("", "a\n", "x"), "--- x\n+++ x\n@@ -0,0 +1,1 @@\n+a\n");
  EXPECT_EQ(unified_diff("a", "a\n", "x"),
            "--- x\n+++ x\n@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+a\n");
  EXPECT_EQ(unified_diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\n5\n6\n7\n8\nX\n", "x"),
            "--- x\n+++ x\n@@ -6,4 +6,4 @@\n 6\n 7\n 8\n-9\n+X\n");
}

TEST(LineDiff, OfAnyTextsGivesTheSecond) {
  std::mt19937 random(7);
  for (int round = 0; round < 3'000; ++round) {
    std::string before, after;
    const auto line = [&] { return std::string(1, static_cast<char>('a' + random() % 4)) + "\n"; };
    for (std::size_t i = random() % 40; i > 0; --i) {
      before += line();
      if (random() % 5 != 0) after += random() % 6 == 0 ? line() : before.substr(before.size() - 2);
      if (random() % 9 == 0) after += line();
    }
    EXPECT_EQ(patched(before, unified_diff(before, after, "x")), after) << before << "to\n" << after;
  }
}

TEST(LineDiff, OfTextsWithNothingInCommonIsQuick) {
  std::string before, after;
  for (int i = 0; i < 50'000; ++i) {
    before += std::to_string(i) + "\n";
    after += "x" + std::to_string(i) + "\n";
  }
  EXPECT_EQ(patched(before, unified_diff(before, after, "x")), after);
}

}  // namespace
}  // namespace flow
