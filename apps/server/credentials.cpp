#include "apps/server/credentials.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "base/result.hpp"
#include "base/text.hpp"

namespace flow {
namespace {

using Digest = std::array<unsigned char, 32>;

Digest hmac_sha256(std::string_view key, std::string_view message) {
  Digest digest{};
  unsigned size = 0;
  const void* const done =
      HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(message.data()), message.size(), digest.data(), &size);
  FLOW_CHECK(done != nullptr && size == digest.size(), "SHA-256 is there and takes any text");
  return digest;
}

}  // namespace

std::string hmac_sha256_hex(std::string_view key, std::string_view message) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const unsigned char byte : hmac_sha256(key, message)) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

// How long it takes depends on the length of what was given, and on nothing of the secret. An empty secret is
// none.
bool is_same_secret(std::string_view given, std::string_view expected) {
  if (expected.empty()) return false;
  std::string as_long = std::string(given.size(), '\0');
  for (std::size_t i = 0; i < as_long.size(); ++i) as_long[i] = expected[i % expected.size()];
  const bool is_same = CRYPTO_memcmp(given.data(), as_long.data(), given.size()) == 0;
  return is_same && given.size() == expected.size();
}

bool is_signed_by(std::string_view key, std::string_view body, std::string_view signature) {
  constexpr std::string_view kPrefix = "sha256=";
  if (equals_ignoring_case(signature.substr(0, kPrefix.size()), kPrefix))
    signature.remove_prefix(kPrefix.size());
  return !key.empty() && is_same_secret(lower_ascii(signature), hmac_sha256_hex(key, body));
}

std::string_view bearer_token(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (!equals_ignoring_case(authorization.substr(0, kScheme.size()), kScheme)) return {};
  authorization.remove_prefix(kScheme.size());
  while (authorization.starts_with(' ')) authorization.remove_prefix(1);
  return authorization;
}

}  // namespace flow
