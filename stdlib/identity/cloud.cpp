#include "stdlib/identity/cloud.hpp"

#include <algorithm>

namespace flow {
namespace {

constexpr Cloud kClouds[] = {
#define FLOW_CLOUD(name, authority, graph, defender) {#name, authority, graph, defender},
#include "stdlib/identity/clouds.def"
#undef FLOW_CLOUD
};

}  // namespace

const Cloud* find_cloud(std::string_view name) {
  const auto found = std::ranges::find(kClouds, name, &Cloud::name);
  return found == std::end(kClouds) ? nullptr : &*found;
}

std::vector<std::string> cloud_names() {
  std::vector<std::string> names;
  for (const Cloud& cloud : kClouds) names.emplace_back(cloud.name);
  return names;
}

}  // namespace flow
