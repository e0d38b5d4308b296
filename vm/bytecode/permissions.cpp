#include "vm/bytecode/permissions.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <set>

namespace flow {
namespace {

using Demands = std::vector<std::vector<std::string>>;

bool meets(const std::vector<std::string>& demand, const std::set<std::string>& given) {
  return std::ranges::any_of(demand, [&](const std::string& name) { return given.contains(name); });
}

// How far from the front of the demands a permission stands: less is less privileged.
std::size_t privilege(const Demands& demands, const std::string& name) {
  std::size_t sum = 0;
  for (const auto& demand : demands)
    if (const auto at = std::ranges::find(demand, name); at != demand.end())
      sum += static_cast<std::size_t>(at - demand.begin());
  return sum;
}

// Exact: every set of up to this many names is weighed.
constexpr std::size_t kMostNames = 14;

std::set<std::string> smallest(const Demands& demands, const std::vector<std::string>& names) {
  std::vector<std::size_t> privileges;
  for (const std::string& name : names) privileges.push_back(privilege(demands, name));
  std::vector<std::uint32_t> masks;
  for (const auto& demand : demands) {
    std::uint32_t mask = 0;
    for (std::size_t i = 0; i < names.size(); ++i)
      if (std::ranges::find(demand, names[i]) != demand.end()) mask |= 1u << i;
    masks.push_back(mask);
  }
  std::uint32_t best = (1u << names.size()) - 1;
  const auto weight = [&](std::uint32_t set) {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < names.size(); ++i)
      if ((set >> i & 1) != 0) sum += privileges[i];
    return std::pair(static_cast<std::size_t>(std::popcount(set)), sum);
  };
  for (std::uint32_t set = 0; set < 1u << names.size(); ++set) {
    const bool suffices = std::ranges::all_of(masks, [&](std::uint32_t mask) { return (mask & set) != 0; });
    if (suffices && weight(set) < weight(best)) best = set;
  }
  std::set<std::string> chosen;
  for (std::size_t i = 0; i < names.size(); ++i)
    if ((best >> i & 1) != 0) chosen.insert(names[i]);
  return chosen;
}

// Where there are too many to weigh all: again and again the one that meets most of what is left.
std::set<std::string> greedy(Demands demands, const std::vector<std::string>& names) {
  std::set<std::string> chosen;
  while (!demands.empty()) {
    std::string best;
    std::size_t most = 0;
    for (const std::string& name : names) {
      const auto met = static_cast<std::size_t>(std::ranges::count_if(
          demands, [&](const auto& demand) { return std::ranges::find(demand, name) != demand.end(); }));
      if (met > most || (met == most && met > 0 && privilege(demands, name) < privilege(demands, best)))
        best = name, most = met;
    }
    chosen.insert(best);
    std::erase_if(demands,
                  [&](const auto& demand) { return std::ranges::find(demand, best) != demand.end(); });
  }
  return chosen;
}

}  // namespace

std::vector<std::string> least_permissions(Demands demands) {
  std::erase_if(demands, [](const auto& demand) { return demand.empty(); });
  std::ranges::sort(demands);
  demands.erase(std::unique(demands.begin(), demands.end()), demands.end());
  std::set<std::string> given;  // where there is no choice
  for (const auto& demand : demands)
    if (demand.size() == 1) given.insert(demand[0]);
  std::erase_if(demands, [&](const auto& demand) { return meets(demand, given); });
  std::set<std::string> open;
  for (const auto& demand : demands) open.insert(demand.begin(), demand.end());
  const std::vector<std::string> names(open.begin(), open.end());
  given.merge(names.size() <= kMostNames ? smallest(demands, names) : greedy(demands, names));
  return {given.begin(), given.end()};
}

}  // namespace flow
