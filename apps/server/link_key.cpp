#include "apps/server/link_key.hpp"

#include <fmt/format.h>
#include <openssl/rand.h>

#include <array>

namespace flow {

Result<std::string> choose_link_key(const SecretProvider& configured, Store& store) {
  if (configured) {
    FLOW_TRY(std::string key, configured());
    if (key.size() < kShortestLinkKey)
      return error(fmt::format("the key of links must have {} characters or more", kShortestLinkKey));
    return key;
  }
  FLOW_TRY(const auto kept, store.meta("link_key"));
  if (kept) return *kept;
  std::array<unsigned char, 32> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
    return error("this machine gives no random bytes to make the key of links from");
  std::string key;
  for (const unsigned char byte : bytes) key += fmt::format("{:02x}", byte);
  Batch batch;
  batch.meta.push_back({"link_key", key});
  FLOW_TRY_STATUS(store.commit(batch));
  return key;
}

}  // namespace flow
