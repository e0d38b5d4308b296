// How requests to a connector say who sends them, as its declaration says it: `auth key { header: "X-Api-Key"
// }`. What is secret about it, keys, passwords and addresses, comes from the configuration and is never here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flow {

struct Auth {
  enum class Kind : std::uint8_t {
    None,
    Entra,   // a token of the tenant's app in Entra, for `scope`
    Key,     // a key in `header`, behind `prefix`, or as the parameter `query` of the address
    Basic,   // user and password (RFC 7617)
    Bearer,  // a token that was made once, as Slack's of a bot
    OAuth2,  // a token that `token` gives for client credentials or a refresh token (RFC 6749)
    Url,     // the address itself is the secret, as that of an incoming hook
  };
  Kind kind = Kind::None;
  std::string scope;  // of Entra and OAuth2; empty where the latter has none
  std::string token;  // of OAuth2: `https://…`, or a path behind the connector's address
  std::string header, prefix, query;

  bool needs_token() const { return kind == Kind::Entra || kind == Kind::OAuth2; }
};

std::string_view auth_name(Auth::Kind kind);  // as declarations write it: `oauth2`
std::optional<Auth::Kind> auth_named(std::string_view word);

// What is wrong with it: a member that is missing or has a value that no request can carry. Empty when
// nothing is.
std::string auth_problem(const Auth& auth);

}  // namespace flow
