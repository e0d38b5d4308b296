// The forms of literals that functions demand; those of types are in base/text_forms.hpp.
#pragma once

#include <string>
#include <string_view>

namespace flow {

// What is wrong with a regular expression in RE2 syntax; empty when nothing is.
std::string regex_mistake(std::string_view pattern);

}  // namespace flow
