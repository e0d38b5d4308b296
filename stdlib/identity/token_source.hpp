// Access tokens for the APIs a flow calls: from Entra ID, or from what another service has for OAuth 2
// (RFC 6749), by client credentials or a refresh token. Tokens are kept in memory only, asked for once
// however many wait, and renewed before they end. Neither secrets nor tokens appear in a Fault.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/fault.hpp"
#include "base/result.hpp"
#include "stdlib/http/transport.hpp"

namespace flow {

// Fetches a secret at the moment it is needed. Must not block on the network; may be called from any thread.
using SecretProvider = std::function<Result<std::string>()>;

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
  bool is_client_in_header = false;  // RFC 6749, 2.3.1: ID and secret in `Authorization`, not in the body
};
using TokenResult = tl::expected<std::string, Fault>;

class TokenSource {
 public:
  // Both must outlive this object and every exchange it began.
  TokenSource(Transport& transport, const Clock& clock);
  ~TokenSource();
  TokenSource(const TokenSource&) = delete;
  TokenSource& operator=(const TokenSource&) = delete;

  // Calls `done` once, from any thread, perhaps before get() returns. A token that ends soon is given out
  // while a new one is fetched behind; a refusal is remembered for a few seconds, because asking again at
  // once makes it worse.
  void get(const TokenRequest& request, std::function<void(TokenResult)> done);

  // An API refused `token`: the next get() fetches a new one, unless that has happened already.
  void invalidate(const TokenRequest& request, const std::string& token);

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

// The value as application/x-www-form-urlencoded: a blank becomes `+`.
std::string form_encoded(std::string_view text);

// What a failed answer of the token endpoint means for the operator. `what` is the scope, or else who gives
// the token. `now_us` dates Retry-After.
Fault token_fault(const HttpResponse& response, const std::string& what, std::int64_t now_us);

}  // namespace flow
