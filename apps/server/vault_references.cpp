#include "apps/server/vault_references.hpp"

#include <fmt/format.h>

#include <utility>

#include "apps/server/config_identity.hpp"
#include "apps/server/config_section.hpp"

namespace flow {
namespace {

constexpr std::int64_t kShortestRefreshUs = 10'000'000;
constexpr const char* kGive =
    "give `[keyvault]` a credential, as `[keyvault.managed_identity]`, or keep this one elsewhere";

}  // namespace

Result<SecretProvider> VaultReferences::add(const std::string& written, std::string place) {
  FLOW_TRY(VaultAddress address, vault_address(written, options.scope));
  auto secret = std::make_shared<VaultSecret>(std::move(address), std::move(place));
  if (options.as) secret->as = *options.as;
  secrets.push_back(secret);
  return SecretProvider([secret] { return secret->value(); });
}

Status VaultReferences::belong_to(const std::string& tenant, std::size_t begin, std::size_t own_end,
                                  const TokenRequest& as) {
  for (std::size_t i = begin; i < secrets.size(); ++i) {
    secrets[i]->tenant = tenant;
    if (options.as) continue;
    if (i < own_end)
      return error(fmt::format("`{}` is in a key vault, and is itself what this tenant opens vaults with; {}",
                               secrets[i]->place(), kGive));
    secrets[i]->as = as;
  }
  return {};
}

Status VaultReferences::belong_to_nobody(std::size_t end, const TokenRequest* only_tenant) {
  if (options.as) return {};
  for (std::size_t i = 0; i < end; ++i) {
    if (only_tenant == nullptr)
      return error(
          fmt::format("`{}` is in a key vault, and of several tenants none is the one that opens it; {}",
                      secrets[i]->place(), kGive));
    secrets[i]->as = *only_tenant;
  }
  return {};
}

Result<VaultOptions> read_keyvault(Section& root) {
  VaultOptions options;
  Status status;
  auto section = root.table("keyvault", status);
  FLOW_TRY_STATUS(status);
  if (!section) return options;
  FLOW_TRY(options.scope, section->text("scope", {}));
  FLOW_TRY(options.api_version, section->text("api_version", options.api_version));
  FLOW_TRY(options.refresh_us, section->duration_us("refresh", options.refresh_us));
  if (options.refresh_us < kShortestRefreshUs)
    return section->about("refresh", "`keyvault`: `refresh` must be \"10s\" or more");
  FLOW_TRY(const std::string tenant_id, section->text("tenant_id", {}));
  FLOW_TRY(const AppIdentity identity, read_identity(*section));
  FLOW_TRY_STATUS(section->only_known());
  if (identity.kind == CredentialKind::None) {
    if (!tenant_id.empty() || !identity.client_id.empty())
      return section->missing(
          "client_secret_env",
          "a credential, as `client_secret_env = \"VARIABLE\"`, or `[keyvault.managed_identity]`");
    return options;
  }
  if (identity.kind != CredentialKind::ManagedIdentity) {
    if (tenant_id.empty()) return section->missing("tenant_id", "`tenant_id`");
    if (identity.client_id.empty()) return section->missing("client_id", "`client_id`");
  }
  TenantAccess access;
  access.tenant_id = tenant_id;
  apply_identity(identity, access);
  options.as = entra_token(access, {});
  return options;
}

}  // namespace flow
