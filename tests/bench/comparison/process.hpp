// Programs run to their end, with what they wrote.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"

namespace flow::bench {

struct Ran {
  int exit_code = -1;  // -1: a signal ended it
  std::string out, err;
  double wall_ms = 0;  // from its start to its end
};

// The first word is a path or a name on the PATH. After `kProcessorSeconds` of processor time the system ends
// it. An Error means that it could not be started.
inline constexpr unsigned kLongestSeconds = 600;
Result<Ran> run(const std::vector<std::string>& command);

// Whether a program of this name is on the PATH.
bool is_installed(const std::string& program);

}  // namespace flow::bench
