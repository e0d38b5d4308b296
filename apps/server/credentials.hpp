// Whether a request comes from whom it says: compared without telling by the time how much of it was right.
#pragma once

#include <string>
#include <string_view>

namespace flow {

// HMAC-SHA256 (RFC 2104), 64 lower-case hexadecimal digits.
std::string hmac_sha256_hex(std::string_view key, std::string_view message);

bool is_same_secret(std::string_view given, std::string_view expected);
// `signature` is the HMAC of the body in hexadecimal, perhaps behind `sha256=`.
bool is_signed_by(std::string_view key, std::string_view body, std::string_view signature);
// Of an `Authorization` header: the token behind `Bearer`, or nothing.
std::string_view bearer_token(std::string_view authorization);

}  // namespace flow
