// One exchange with Azure Key Vault: where a secret is, the request for it, and what the answer means. No
// state, no network.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/fault.hpp"
#include "base/result.hpp"
#include "stdlib/http/transport.hpp"

namespace flow {

struct VaultAddress {
  std::string url;    // `https://VAULT.vault.azure.net/secrets/NAME`, perhaps with `/VERSION`
  std::string scope;  // of the token that the vault takes
};

// `written` as above. The scope goes by the cloud that the host belongs to; an address elsewhere needs
// `scope`, which otherwise takes its place when it is not empty. Plain http leads to this machine only.
Result<VaultAddress> vault_address(std::string_view written, const std::string& scope);

HttpRequest vault_request(const VaultAddress& address, const std::string& api_version,
                          const std::string& token);

inline constexpr const char* kSecretDisabled = "SecretDisabled";  // Fault::code

struct VaultAnswer {
  std::string value;
  std::int64_t ends_us = 0;  // when the vault says that it ends; 0: it does not
};
// A secret that is disabled is a fault whatever the status says. No fault quotes the answer of a success.
tl::expected<VaultAnswer, Fault> read_vault_answer(const VaultAddress& address, const HttpResponse& response,
                                                   std::int64_t now_us);

}  // namespace flow
