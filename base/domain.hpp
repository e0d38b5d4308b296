// Names of the DNS, as texts spell them.
#pragma once

#include <string_view>

namespace flow {

// Two labels or more, of ASCII letters, digits and hyphens (what is written in other letters stands in the
// DNS as `xn--…`), the last of which is no number. Lengths from RFC 1035.
bool is_host_name(std::string_view text);
// Whether people take the last label for the kind of a file, and no registry runs it as a domain: `exe`.
bool is_file_extension(std::string_view label);

}  // namespace flow
