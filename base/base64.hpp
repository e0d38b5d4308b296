// Base64 (RFC 4648), as values of the type Bytes are kept and spelled.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace flow {

// With the alphabet of `+` and `/`, and `=` at the end: the one spelling of these bytes.
std::string base64_of(std::string_view bytes);

// The bytes that a text spells, in either alphabet, with or without `=`; nothing when it spells none. Blanks
// and line ends may stand anywhere, as in mails; `=` only at the end, and only to fill up to four.
std::optional<std::string> bytes_of_base64(std::string_view text);

// The bytes that hexadecimal digits spell, in capital or small letters; nothing when they spell none.
std::optional<std::string> bytes_of_hex(std::string_view text);

}  // namespace flow
