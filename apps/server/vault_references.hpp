// Which secrets of key vaults the configuration names, and as whom each is fetched: by the credential of
// `[keyvault]`, or else of the tenant whose table names it. A credential never opens the vault that it is in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "stdlib/identity/vault_secrets.hpp"

namespace flow {

class Section;

struct VaultOptions {
  std::string scope;  // of vaults that are not Azure's own hosts
  std::string api_version = "7.4";
  std::int64_t refresh_us = 300'000'000;
  std::optional<TokenRequest> as;  // a credential for all vaults
};

class VaultReferences {
 public:
  // `place` names the setting. The provider gives what was fetched last.
  Result<SecretProvider> add(const std::string& written, std::string place);

  // What was added so far: what follows belongs to who is read next.
  std::size_t size() const { return secrets.size(); }
  // Those from `begin` on are a tenant's. Those before `own_end` are part of the tenant's credential, which
  // cannot be what opens the vault.
  Status belong_to(const std::string& tenant, std::size_t begin, std::size_t own_end, const TokenRequest& as);
  // Those before `end` are of no tenant; without a credential for all, that of the only tenant is taken.
  Status belong_to_nobody(std::size_t end, const TokenRequest* only_tenant);

  VaultOptions options;
  VaultSecrets secrets;
};

// The table `[keyvault]`. Its own secrets come from elsewhere.
Result<VaultOptions> read_keyvault(Section& root);

}  // namespace flow
