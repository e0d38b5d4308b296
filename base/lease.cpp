#include "base/lease.hpp"

#include <algorithm>

namespace flow {

std::vector<std::size_t> kept_parameters(const Operation& leased, const Operation& inverse) {
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < inverse.parameters.size(); ++i) {
    const Parameter& parameter = inverse.parameters[i];
    const bool is_wanted = parameter.default_json.empty() || parameter.name == inverse.targets;
    const bool is_given = std::ranges::any_of(leased.parameters, [&](const Parameter& given) {
      return given.name == parameter.name && given.type == parameter.type;
    });
    if (is_wanted && is_given) kept.push_back(i);
  }
  return kept;
}

bool can_undo(const Operation& leased, const Operation& inverse) {
  const std::vector<std::size_t> kept = kept_parameters(leased, inverse);
  for (std::size_t i = 0; i < inverse.parameters.size(); ++i)
    if (inverse.parameters[i].default_json.empty() && std::ranges::find(kept, i) == kept.end()) return false;
  return true;
}

}  // namespace flow
