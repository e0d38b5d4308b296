// What stands behind the `?` of a request's target.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace flow {

// The value of `name`, decoded; empty when it is not there.
std::string parameter(std::string_view target, std::string_view name);
std::vector<std::string> parameter_names(std::string_view target);

}  // namespace flow
