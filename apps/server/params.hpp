// Values of settings that are given on a command line.
#pragma once

#include <string>
#include <vector>

#include "apps/cli/exit_code.hpp"
#include "apps/server/config.hpp"
#include "apps/server/setup.hpp"

namespace flow {

// Takes `name=value` for the one file that is run, over what the configuration says. A value is written as in
// a shell: a text without quotes, everything else as JSON. The error names a parameter the file does not
// have.
Attempt<void> set_params(const std::vector<std::string>& given, const LoadedModule& module, Config& config);

}  // namespace flow
