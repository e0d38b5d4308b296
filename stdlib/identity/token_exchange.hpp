// One exchange with who gives tokens: the request, and what its answer means. No state, no network.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/fault.hpp"
#include "base/result.hpp"
#include "stdlib/http/transport.hpp"
#include "stdlib/identity/token_request.hpp"

namespace flow {

inline constexpr std::size_t kLongestTokenAnswer = 256u << 10;  // bytes

// What is sent to prove who asks.
struct Proof {
  std::string secret;
  std::string refresh_token;
  std::string assertion;
  std::string header;     // of a door, or the client's ID and secret in one
  std::string challenge;  // what the file held that a door named

  // Takes it out of what the endpoint said, which may quote the request.
  std::string cleaned(std::string text) const;
};
// Without the assertion where that is the token of another identity.
Result<Proof> proof_of(const TokenRequest& request, std::int64_t now_us);

// What the file holds that the door names in its 401, `Basic realm=PATH`. An Error when it names none within
// its folder, or one that this process may not read.
Result<std::string> answer_to_challenge(const TokenDoor& door, const HttpResponse& response);

HttpRequest token_request_of(const TokenRequest& request, const Proof& proof);

struct Token {
  std::string text;
  std::string refresh_token;  // what takes the place of the one that was sent; mostly empty
  std::int64_t renew_at_us = 0;
  std::int64_t ends_us = 0;
};
tl::expected<Token, Fault> read_token(const TokenRequest& request, const HttpResponse& response,
                                      std::int64_t now_us);

// Where a token is asked for, and what messages call it: its scope, or else who gives it.
std::string token_endpoint(const TokenRequest& request);
std::string what_of(const TokenRequest& request);

// The value as application/x-www-form-urlencoded: a blank becomes `+`.
std::string form_encoded(std::string_view text);

// What a failed answer of the token endpoint means for the operator. `what` is the scope, or else who gives
// the token. `now_us` dates Retry-After.
Fault token_fault(const HttpResponse& response, const std::string& what, std::int64_t now_us);

}  // namespace flow
