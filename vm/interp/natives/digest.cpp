// Digests, by libcrypto's functions for one algorithm each. Its newer ones look for a configuration file
// first, which could make two machines disagree; these know nothing but their arguments.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/md5.h>
#include <openssl/sha.h>

#include "base/result.hpp"
#include "vm/interp/natives/functions.hpp"

namespace flow::natives {
namespace {

template <std::size_t Size, class State, int (*Begin)(State*), int (*Add)(State*, const void*, std::size_t),
          int (*End)(unsigned char*, State*)>
Text digest(NativeContext& context, std::string_view text) {
  unsigned char bytes[Size];
  State state;
  const bool is_done =
      Begin(&state) == 1 && Add(&state, text.data(), text.size()) == 1 && End(bytes, &state) == 1;
  FLOW_CHECK(is_done, "a digest of bytes in memory cannot fail");
  char* const made = new_text(context, 2 * Size);
  if (made == nullptr) return std::nullopt;
  for (std::size_t i = 0; i < Size; ++i) {
    made[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
    made[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
  }
  return std::string_view(made, 2 * Size);
}

}  // namespace

Text sha256(NativeContext& context, std::string_view text) {
  return digest<SHA256_DIGEST_LENGTH, SHA256_CTX, SHA256_Init, SHA256_Update, SHA256_Final>(context, text);
}
Text sha1(NativeContext& context, std::string_view text) {
  return digest<SHA_DIGEST_LENGTH, SHA_CTX, SHA1_Init, SHA1_Update, SHA1_Final>(context, text);
}
Text md5(NativeContext& context, std::string_view text) {
  return digest<MD5_DIGEST_LENGTH, MD5_CTX, MD5_Init, MD5_Update, MD5_Final>(context, text);
}

}  // namespace flow::natives
