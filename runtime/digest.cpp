#include "runtime/digest.hpp"

#include <openssl/evp.h>

#include "base/result.hpp"

namespace flow {

std::string sha256_hex(std::string_view bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  const int done = EVP_Digest(bytes.data(), bytes.size(), digest, &length, EVP_sha256(), nullptr);
  FLOW_CHECK(done == 1 && length == 32, "SHA-256 is part of every libcrypto");
  std::string text;
  text.reserve(64);
  for (unsigned int i = 0; i < length; ++i) {
    text += "0123456789abcdef"[digest[i] >> 4];
    text += "0123456789abcdef"[digest[i] & 15];
  }
  return text;
}

}  // namespace flow
