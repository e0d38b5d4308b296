// What the configuration gives to a connector, so that its requests say who sends them. Which of it is needed
// the connector declares (base/auth.hpp).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/operation.hpp"
#include "base/result.hpp"
#include "stdlib/http/transport.hpp"
#include "stdlib/identity/token_source.hpp"

namespace flow {

struct CallText;
struct TenantAccess;
class Redaction;

struct ConnectorCredential {
  std::string user;
  SecretProvider password;
  SecretProvider key;
  SecretProvider token;                        // of `auth bearer`
  SecretProvider url;                          // of `auth url`: for the path `/`
  std::map<std::string, SecretProvider> urls;  // … for the path `/NAME`
  std::string client_id;                       // of `auth oauth2`, and the three below
  SecretProvider client_secret;
  SecretProvider refresh_token;      // in place of client credentials
  std::string token_url;             // in place of the declared one
  SecretProvider service_account;    // in place of all of them: Google's key file, which signs assertions
  std::string subject;               // … for this user
  bool is_client_in_header = false;  // its ID and secret go in `Authorization`, not in the body
};

// What is sent: as declared, but OAuth 2 takes the place of `auth basic` where the configuration has
// `token_url`.
Auth auth_of(const Connector& connector, const TenantAccess& access);

// Which settings the connector needs and does not have, by the names they have in the configuration, as
// `base` and `password`.
std::vector<std::string> missing_settings(const Connector& connector, const TenantAccess& access);
// Which there are that the connector has no use for, as `key` where it wants user and password.
std::vector<std::string> unused_settings(const Connector& connector, const TenantAccess& access);

// Whether the call needs a token: of `auth entra` and `auth oauth2`, and of `auth hmac` without a key.
bool needs_token(const CallText& call);
// That token.
Result<TokenRequest> token_request(const CallText& call);
TokenRequest entra_token(const TenantAccess& access, const std::string& scope);

// Puts the credential into the request; `token` is what the token_request() gave, if there is one. What is
// secret about it is known to `redaction`. Refuses to send it in the clear to another machine.
Status add_credential(HttpRequest& request, const CallText& call, const std::string& token,
                      Redaction& redaction);

}  // namespace flow
