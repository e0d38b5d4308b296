// The name a module is stored under: what it is, not when it was deployed. And the links of the audit trail.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace flow {

// SHA-256 as 64 lower-case hexadecimal digits.
std::string sha256_hex(std::string_view bytes);
// Of one text behind the other; 32 bytes. For many short texts: sets nothing up for each.
std::string sha256(std::string_view first, std::string_view second);
std::string hex(std::string_view bytes);                    // lower case
std::optional<std::string> unhex(std::string_view digits);  // nothing when it is no even number of them

}  // namespace flow
