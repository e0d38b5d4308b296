// The name a module is stored under: what it is, not when it was deployed.
#pragma once

#include <string>
#include <string_view>

namespace flow {

// SHA-256 as 64 lower-case hexadecimal digits.
std::string sha256_hex(std::string_view bytes);

}  // namespace flow
