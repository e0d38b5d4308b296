#include "base/line_diff.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace flow {
namespace {

constexpr std::size_t kContext = 3;     // lines around a change
constexpr int kMostDifferences = 2000;  // the search takes as many steps squared

using Lines = std::vector<std::string_view>;  // each with its end

Lines lines_of(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const std::size_t length = std::min(text.find('\n'), text.size() - 1) + 1;
    lines.push_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return lines;
}

struct Edit {
  char sign;  // ' ', '-' or '+'
  std::string_view line;
};

// The shortest way from one to the other, as Myers finds it: `ends[k]` is how far one gets with so many
// differences on the diagonal k, where k lines more were removed than added.
std::vector<Edit> edits(const Lines& before, const Lines& after) {
  const int old_count = static_cast<int>(before.size()), new_count = static_cast<int>(after.size());
  const auto old_line = [&](int i) { return before[static_cast<std::size_t>(i)]; };
  const auto new_line = [&](int i) { return after[static_cast<std::size_t>(i)]; };
  const int most = std::min(old_count + new_count, kMostDifferences), middle = most + 1;
  std::vector<int> ends(static_cast<std::size_t>(2 * middle + 1), 0);
  const auto end = [&](int k) -> int& { return ends[static_cast<std::size_t>(middle + k)]; };
  std::vector<std::vector<int>> steps;  // the part of `ends` that each round changed
  const auto goes_down = [&](const auto& at, int k, int round) {
    return k == -round || (k != round && at(k - 1) < at(k + 1));
  };
  int round = 0;
  for (bool is_there = false; !is_there; ++round) {
    if (round > most) {
      std::vector<Edit> all;
      for (const std::string_view line : before) all.push_back({'-', line});
      for (const std::string_view line : after) all.push_back({'+', line});
      return all;
    }
    steps.emplace_back(ends.begin() + (middle - round), ends.begin() + (middle + round + 1));
    for (int k = -round; k <= round && !is_there; k += 2) {
      int x = goes_down(end, k, round) ? end(k + 1) : end(k - 1) + 1;
      while (x < old_count && x - k < new_count && old_line(x) == new_line(x - k)) ++x;
      end(k) = x;
      is_there = x >= old_count && x - k >= new_count;
    }
  }
  std::vector<Edit> back;
  int x = old_count, y = new_count;
  for (--round; x > 0 || y > 0; --round) {
    const std::vector<int>& step = steps[static_cast<std::size_t>(round)];
    const auto at = [&](int k) { return step[static_cast<std::size_t>(k + round)]; };
    const int k = x - y;
    const bool is_added = round > 0 && goes_down(at, k, round);
    const int from_x = round == 0 ? 0 : is_added ? at(k + 1) : at(k - 1);
    const int from_y = round == 0 ? 0 : from_x - (is_added ? k + 1 : k - 1);
    while (x > from_x && y > from_y) back.push_back({' ', old_line(--x)}), --y;
    if (y > from_y) back.push_back({'+', new_line(--y)});
    if (x > from_x) back.push_back({'-', old_line(--x)});
  }
  std::ranges::reverse(back);
  return back;
}

}  // namespace

std::string unified_diff(std::string_view before, std::string_view after, std::string_view name) {
  if (before == after) return {};
  const std::vector<Edit> all = edits(lines_of(before), lines_of(after));
  std::string out = fmt::format("--- {0}\n+++ {0}\n", name);
  std::size_t old_line = 1, new_line = 1;  // of all[at]
  for (std::size_t at = 0; at < all.size();) {
    if (all[at].sign == ' ') {
      const bool is_near =
          std::any_of(all.begin() + static_cast<std::ptrdiff_t>(at),
                      all.begin() + static_cast<std::ptrdiff_t>(std::min(at + kContext + 1, all.size())),
                      [](const Edit& edit) { return edit.sign != ' '; });
      if (!is_near) {
        ++at, ++old_line, ++new_line;
        continue;
      }
    }
    std::string body;
    std::size_t old_count = 0, new_count = 0, same = 0;
    for (; at < all.size() && same <= 2 * kContext; ++at) {
      const Edit& edit = all[at];
      same = edit.sign == ' ' ? same + 1 : 0;
      if (same > kContext) {  // goes on only when the next change is near
        const auto next = std::find_if(all.begin() + static_cast<std::ptrdiff_t>(at), all.end(),
                                       [](const Edit& later) { return later.sign != ' '; });
        if (next == all.end() || static_cast<std::size_t>(next - all.begin()) - at >= kContext + 1) break;
      }
      old_count += edit.sign != '+';
      new_count += edit.sign != '-';
      body += edit.sign;
      body += edit.line;
      if (!edit.line.ends_with('\n')) body += "\n\\ No newline at end of file\n";
    }
    out += fmt::format("@@ -{},{} +{},{} @@\n{}", old_count == 0 ? old_line - 1 : old_line, old_count,
                       new_count == 0 ? new_line - 1 : new_line, new_count, body);
    old_line += old_count;
    new_line += new_count;
  }
  return out;
}

}  // namespace flow
