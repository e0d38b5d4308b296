// Microsoft's national clouds: where one signs in, and where Graph and Defender are (clouds.def).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace flow {

struct Cloud {
  std::string_view name;
  std::string_view authority, graph, defender;  // addresses; empty: the service is not there
  bool is_global() const { return name == "global"; }
};

const Cloud* find_cloud(std::string_view name);
std::vector<std::string> cloud_names();

}  // namespace flow
