// Access tokens for the APIs a flow calls: from Entra ID, from what another service has for OAuth 2 (RFC
// 6749), or from the door of a managed identity. Tokens are kept in memory only, asked for once however many
// wait, and renewed before they end. Neither secrets nor tokens appear in a Fault.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/fault.hpp"
#include "stdlib/http/transport.hpp"
#include "stdlib/identity/token_request.hpp"

namespace flow {

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

  // Somebody else is to be known, or proves it otherwise, from now on: what was given for this tenant of
  // Entra is dropped or, with a connector, for that connector's own service. Who waits for an exchange that
  // is under way gets what it gives; who asks later does not.
  void forget(const std::string& tenant, const std::string& connector = {});

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace flow
