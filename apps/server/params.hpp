// Values of settings and of arguments that are given on a command line.
#pragma once

#include <map>
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

// `name=value` of each; their types are the flow's to know.
Attempt<std::map<std::string, std::string>> written_arguments(const std::vector<std::string>& given);

}  // namespace flow
