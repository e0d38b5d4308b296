#include "apps/server/query.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.hpp"

namespace flow {
namespace {

// Calls with each name=value behind the `?`, until it gives false.
template <class Take>
void each_parameter(std::string_view target, const Take& take) {
  std::size_t at = target.find('?');
  while (at != std::string_view::npos) {
    const std::size_t end = std::min(target.find('&', at + 1), target.size());
    const std::string_view pair = target.substr(at + 1, end - at - 1);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (!pair.empty() && !take(pair.substr(0, equals), pair.substr(std::min(equals + 1, pair.size()))))
      return;
    at = end == target.size() ? std::string_view::npos : end;
  }
}

}  // namespace

std::string parameter(std::string_view target, std::string_view name) {
  std::string found;
  each_parameter(target, [&](std::string_view one, std::string_view value) {
    if (one != name || value.empty()) return true;
    found = percent_decoded(value).value_or("");
    return false;
  });
  return found;
}

Status check_parameters(std::string_view target, std::initializer_list<std::string_view> known) {
  Status status;
  std::set<std::string_view> seen;
  each_parameter(target, [&](std::string_view name, std::string_view value) {
    if (std::ranges::find(known, name) == known.end())
      status = error(
          fmt::format("there is no parameter `{}`; known are {}", printable(name), fmt::join(known, ", ")));
    else if (!seen.insert(name).second)
      status = error(fmt::format("the parameter `{}` is there twice", name));
    else if (!percent_decoded(value))
      status = error(fmt::format("the value of the parameter `{}` cannot be decoded", name));
    return status.has_value();
  });
  return status;
}

}  // namespace flow
