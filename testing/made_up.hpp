// Values that nobody gave, by their type: the same each time, and as harmless as the type allows.
#pragma once

#include <cstdint>
#include <string>

#include "base/type.hpp"

namespace flow::testing {

// JSON of what a record read from outside could be: what may be null is, lists are empty, an enum has a value
// that says that all is well. `name` is what it stands for, as `title`; `now_us` is the time it shows.
std::string made_up(const TypeTable& types, TypeId type, const std::string& name, std::int64_t now_us);

}  // namespace flow::testing
