#include "vm/interp/place_text.hpp"

#include <fmt/format.h>

#include <vector>

namespace flow {
namespace {

constexpr std::size_t kMostFunctions = 6;  // shown before the flow

}  // namespace

std::string place_text(std::span<const Place> places) {
  if (places.empty()) return {};
  std::vector<std::string> functions;
  for (std::size_t i = 0; i + 1 < places.size();) {
    std::size_t same = i + 1;
    while (same + 1 < places.size() && places[same] == places[i]) ++same;
    functions.push_back(fmt::format("line {} of {}()", places[i].line, places[i].routine));
    if (same - i > 1) functions.back() += fmt::format(" ({} times)", same - i);
    i = same;
  }
  std::string text;
  for (std::size_t i = 0; i < functions.size() && i < kMostFunctions; ++i)
    text += functions[i] + ", called from ";
  if (functions.size() > kMostFunctions) text += "others, called from ";
  return text + fmt::format("line {}", places.back().line);
}

std::string failure_text(const Ended& failed) {
  const std::string where =
      failed.trace.empty() ? fmt::format("line {}", failed.line) : place_text(failed.trace);
  return fmt::format("in {}: {}: {}", where, fault_name(failed.fault.kind), failed.fault.message);
}

}  // namespace flow
