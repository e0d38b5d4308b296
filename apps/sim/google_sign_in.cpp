// Google's token endpoint: a user's refresh token, or what a service account has signed (RFC 7523). Which
// accounts there are, and for whom they may act, /sim/identity says.
#include <algorithm>

#include "apps/sim/defender_handlers.hpp"
#include "apps/sim/error_shapes.hpp"
#include "apps/sim/mail_doubles.hpp"
#include "apps/sim/seeded_random.hpp"

namespace flow::sim {
namespace {

constexpr std::string_view kClient = "sim-client.apps.googleusercontent.com", kSecret = "sim-secret";
constexpr std::string_view kRefreshToken = "1//sim-refresh", kUser = "soc-bot@contoso.com";
constexpr std::string_view kUsersScope = "https://www.googleapis.com/auth/gmail.modify";
constexpr std::string_view kEndpoint = "https://oauth2.googleapis.com/token";
constexpr std::int64_t kLongestAssertion = 3'600, kSkew = 300;

struct Form {
  std::string grant_type, client_id, client_secret, refresh_token, assertion;
};

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    if (!word.empty()) words.emplace_back(word);
    text.remove_prefix(std::min(text.size(), word.size() + 1));
  }
  return words;
}

HttpAnswer granted(State& state, std::vector<std::string> scopes, std::string user) {
  const std::string text = "ya29.c." + hex_digits(*state.random, 60);
  remember_token(state, text,
                 {.audience = Audience::Google,
                  .roles = std::move(scopes),
                  .expires_us = state.now_us() + state.options.token_seconds * 1'000'000,
                  .user = std::move(user)});
  return json_answer(200, Json::object({{"access_token", text},
                                        {"expires_in", state.client_seconds(state.options.token_seconds)},
                                        {"token_type", "Bearer"}}));
}

HttpAnswer refuse(std::string_view description) {
  return oauth_error(400, "invalid_grant", description);
}

HttpAnswer for_refresh_token(State& state, const Form& form) {
  if (form.client_id != kClient || form.client_secret != kSecret)
    return oauth_error(401, "invalid_client", "The OAuth client was not found.");
  if (form.refresh_token != kRefreshToken) return refuse("Token has been expired or revoked.");
  return granted(state, {std::string(kUsersScope)}, std::string(kUser));
}

bool is_timely(const State& state, const Json& claims) {
  const std::int64_t now = state.now_us() / 1'000'000;
  const std::int64_t begins = claims["iat"].integer(), ends = claims["exp"].integer();
  return claims["iat"].is_int() && claims["exp"].is_int() && begins <= now + kSkew && now < ends &&
         ends > begins && ends - begins <= kLongestAssertion;
}

HttpAnswer for_assertion(State& state, const Call& call, const Form& form) {
  const JwtParts jwt = jwt_parts(form.assertion);
  const auto header = parse_json(jwt.header), claims = parse_json(jwt.claims);
  if (!header || !claims || !claims->is_object()) return refuse("Invalid JWT: it is no JWT.");
  if ((*header)["alg"].text() != "RS256") return refuse("Invalid JWT Signature.");
  const auto& accounts = state.identity.service_accounts;
  const auto account = std::ranges::find(accounts, (*claims)["iss"].text(), &ServiceAccount::email);
  if (account == accounts.end()) return refuse("Invalid grant: account not found");
  const std::string_view key = (*header)["kid"].text();
  if ((!key.empty() && !account->key_id.empty() && key != account->key_id) ||
      !is_signed(account->key, jwt, false))
    return refuse("Invalid JWT Signature.");
  const std::string_view audience = (*claims)["aud"].text();
  if (audience != kEndpoint && audience != own_url(call) + "/token")
    return refuse("Invalid JWT: Failed audience check.");
  if (!is_timely(state, *claims))
    return refuse(
        "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check "
        "your "
        "iat and exp values in the JWT claim.");
  const std::string user((*claims)["sub"].text());
  const std::vector<std::string> scopes = words_of((*claims)["scope"].text());
  if (scopes.empty()) return oauth_error(400, "invalid_scope", "Empty or missing scope not allowed.");
  const auto may = [](const std::vector<std::string>& list, const std::string& text) {
    return std::ranges::find(list, text) != list.end();
  };
  if (!user.empty() && !may(account->subjects, user)) return refuse("Invalid email or User ID");
  if (!std::ranges::all_of(scopes, [&](const std::string& scope) { return may(account->scopes, scope); }))
    return oauth_error(401, "unauthorized_client",
                       "Client is unauthorized to retrieve access tokens using this method, or client not "
                       "authorized for any of the scopes requested.");
  return granted(state, scopes, user);
}

}  // namespace

HttpAnswer google_token(State& state, const Call& call) {
  const auto pairs = parse_form(call.question.body);
  if (!pairs) return oauth_error(400, "invalid_request", "The request body must be form-encoded.");
  Form form;
  for (const auto& [name, value] : *pairs) {
    if (name == "grant_type") form.grant_type = value;
    if (name == "client_id") form.client_id = value;
    if (name == "client_secret") form.client_secret = value;
    if (name == "refresh_token") form.refresh_token = value;
    if (name == "assertion") form.assertion = value;
  }
  if (form.grant_type == "refresh_token") return for_refresh_token(state, form);
  if (form.grant_type == "urn:ietf:params:oauth:grant-type:jwt-bearer")
    return for_assertion(state, call, form);
  return oauth_error(400, "unsupported_grant_type", "Invalid grant_type: " + form.grant_type);
}

}  // namespace flow::sim
