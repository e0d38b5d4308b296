// The forms that texts of the types kept as text must have: of literals in a source, and of texts that a flow
// takes for more than texts (`x as Email`).
#pragma once

#include <string>
#include <string_view>

#include "base/type.hpp"

namespace flow {

// What is wrong with `value` as a text of `type` (Email, MachineId, Ip …), in a few words; empty when nothing
// is.
std::string text_mistake(TypeId type, std::string_view value);

}  // namespace flow
