// As whom tenants are reached: the app of `[app]`, which many tenants can share, or one of a tenant's own; by
// a secret, a certificate, the assertion of another issuer, the identity of the machine, or a person who
// signed in. And `cloud`, which says where sign-in, Graph and Defender are.
#pragma once

#include <optional>
#include <string>

#include "apps/server/config_section.hpp"
#include "base/result.hpp"
#include "stdlib/executor/executor.hpp"
#include "stdlib/identity/certificate_assertion.hpp"
#include "stdlib/identity/cloud.hpp"

namespace flow {

// How an identity proves itself, for messages.
enum class CredentialKind : std::uint8_t { None, Secret, Certificate, Federation, ManagedIdentity, Person };
std::string_view credential_kind_name(CredentialKind kind);

struct AppIdentity {
  std::string client_id;
  std::string authority;  // empty: that of the cloud
  const Cloud* cloud = nullptr;
  CredentialKind kind = CredentialKind::None;
  TokenRequest proof;               // secret, assertion, assertion_from, door, refresh_token, renewed
  CertificateProvider certificate;  // of Certificate, to tell when it ends
  std::string login_file;           // of Person: what `flow login` writes
};

// Of `[app]` or of a tenant's table. Two credentials in one table are an error, none is not.
Result<AppIdentity> read_identity(Section& section);

// The tenant's own, and what it lacks from `[app]`.
AppIdentity with_shared(AppIdentity own, const std::optional<AppIdentity>& shared);

// Puts it where calls take it from. Addresses and scopes that the tenant's tables name stay.
void apply_identity(const AppIdentity& identity, TenantAccess& access);

}  // namespace flow
