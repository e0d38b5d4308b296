// What stands behind the `?` of a request's target.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace flow {

// The value of `name`, decoded; empty when it is not there.
std::string parameter(std::string_view target, std::string_view name);
// What is wrong with them: a name that is not one of `known` or comes twice, or a value that cannot be
// decoded. Who passed over it would change for all tenants what was meant for one.
Status check_parameters(std::string_view target, std::initializer_list<std::string_view> known);

}  // namespace flow
