// The forms of literals that types demand.
#pragma once

#include <string>
#include <string_view>

#include "base/type.hpp"

namespace flow {

// What is wrong with `value` as a literal of `type` (Email, MachineId, Ip …), in a few words; empty when
// nothing is.
std::string literal_mistake(TypeId type, std::string_view value);
// What is wrong with a regular expression in RE2 syntax; empty when nothing is.
std::string regex_mistake(std::string_view pattern);

}  // namespace flow
