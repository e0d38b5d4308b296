// The key that the links of mails are signed with.
#pragma once

#include <string>

#include "base/result.hpp"
#include "runtime/store.hpp"
#include "stdlib/identity/token_source.hpp"

namespace flow {

inline constexpr std::size_t kShortestLinkKey = 16;

// What the configuration names; without it the one that the store keeps, which is made the first time, so
// that links stay good over restarts. An Error when the configured one cannot be read or is too short.
Result<std::string> choose_link_key(const SecretProvider& configured, Store& store);

}  // namespace flow
