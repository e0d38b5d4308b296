// What the pretend tenant knows of who may have tokens beside the app's secret: certificates, issuers of
// federation, the machine's identity, and people who sign in by a device code. /sim/identity sets it up.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace flow::sim {

struct KnownCertificate {
  std::string pem;
  std::string sha1, sha256;  // base64url of the digest of its DER: what assertions name it by
  std::int64_t begins_us = 0, ends_us = 0;
};
// The Error says what is wrong with the text.
Result<KnownCertificate> known_certificate(const std::string& pem);

// Whose assertions are accepted in the app's stead, to the letter.
struct FederatedCredential {
  std::string issuer, subject, audience;
  KnownCertificate key;
};

// One of Google's, which acts for users of the domain, with the scopes that its administrator has allowed.
struct ServiceAccount {
  std::string email, key_id;  // the key's id may be empty: any
  KnownCertificate key;
  std::vector<std::string> scopes, subjects;
};

struct DeviceSignIn {
  std::string user_code;
  std::int64_t ends_us = 0, asked_us = 0;
  enum class State : std::uint8_t { Pending, Approved, Declined } state = State::Pending;
};

struct IdentityProofs {
  std::vector<KnownCertificate> certificates;  // uploaded to the app
  std::vector<FederatedCredential> federation;
  std::vector<ServiceAccount> service_accounts;
  std::set<std::string> used_ids;  // `jti` of assertions
  std::deque<std::string> used_order;
  bool has_managed_identity = false;
  std::set<std::string> managed_clients;        // user-assigned identities
  std::map<std::string, DeviceSignIn> devices;  // by device code
  std::set<std::string> refresh_tokens;
  bool answers_devices_at_once = false;
};

// A JWT in its parts, decoded; empty texts where it is none.
struct JwtParts {
  std::string header, claims, signature;
  std::string_view signed_text;
};
JwtParts jwt_parts(std::string_view jwt);

// RS256 or PS256 by the certificate's public key.
bool is_signed(const KnownCertificate& by, const JwtParts& jwt, bool is_pss);

}  // namespace flow::sim
