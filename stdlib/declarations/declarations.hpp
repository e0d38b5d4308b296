// The connectors that come with Flow, as source texts: apps hand them to the compiler like any other
// declarations.
#pragma once

#include <string_view>
#include <vector>

namespace flow {

struct Declaration {
  std::string_view name;  // `stdlib/defender/defender.flow`
  std::string_view text;
};
std::vector<Declaration> declarations();

}  // namespace flow
