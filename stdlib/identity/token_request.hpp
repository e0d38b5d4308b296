// Whose token is wanted, and how that is proven. One request describes one identity: an app with a secret, a
// certificate or the assertion of another issuer; a person, by a refresh token; or the identity of the
// machine itself, which asks nobody but a door of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/fault.hpp"
#include "base/result.hpp"

namespace flow {

// Fetches a secret at the moment it is needed. Must not block on the network; may be called from any thread.
using SecretProvider = std::function<Result<std::string>()>;

// A JWT that says who asks (RFC 7523). As a SecretProvider otherwise.
struct AssertionFor {
  std::string client_id;
  std::string audience;  // the token endpoint
  std::int64_t now_us = 0;
};
using AssertionProvider = std::function<Result<std::string>(const AssertionFor&)>;

// A door that gives tokens to who may knock: that of a managed identity, or of a runner of builds.
struct TokenDoor {
  std::string url;            // with its query; the resource is appended to it
  std::string resource_name;  // of the parameter that names what the token is for, as `resource`
  std::string header;         // as `X-IDENTITY-HEADER`; empty: none
  SecretProvider header_value;
  std::string header_prefix;            // as `Bearer `
  std::string member = "access_token";  // of the answer: where the token stands
  // The door answers 401 first and names a file in this folder: who can read it may knock again. Empty: not
  // so.
  std::string challenge_folder;
};

struct TokenRequest {
  std::string authority = "https://login.microsoftonline.com";
  std::string tenant;  // GUID or verified domain
  std::string client_id;
  std::string scope;  // one resource plus `/.default`
  SecretProvider secret;
  std::int64_t deadline_us = 30'000'000;
  // Of another service than Entra: where it gives tokens. `authority` and `tenant` then only say whose they
  // are, and `scope` may be empty.
  std::string endpoint;
  SecretProvider refresh_token;      // stands in for client credentials; `secret` may be empty then
  SecretProvider service_account;    // Google's key file as JSON: signs an assertion in place of a secret
  std::string subject;               // … for this user of the domain
  bool is_client_in_header = false;  // RFC 6749, 2.3.1: ID and secret in `Authorization`, not in the body
  AssertionProvider assertion;       // in place of the secret
  std::shared_ptr<const TokenRequest> assertion_from;  // … the token of that identity is the assertion
  std::shared_ptr<const TokenDoor> door;               // in place of all that
  // Called with a refresh token that takes the place of the one before. May be called from any thread.
  std::function<void(const std::string&)> renewed;
};
using TokenResult = tl::expected<std::string, Fault>;

}  // namespace flow
