// What every flow can call without declaring it: the connectors and functions of stdlib/.
#pragma once

#include <string_view>

#include "compiler/resolve/library.hpp"

namespace flow {

// Read on first use from bytes within the program, and kept to its end.
const Library& standard_library();

// What flow-library made of the declarations when this was built; see compiler/resolve/library_bytes.hpp.
std::string_view standard_library_bytes();

}  // namespace flow
