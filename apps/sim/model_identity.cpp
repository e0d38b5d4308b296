// The token endpoint, and what a call may do with the token it got there.
#include <fmt/format.h>

#include <algorithm>

#include "apps/sim/error_shapes.hpp"
#include "apps/sim/seeded_random.hpp"
#include "apps/sim/state.hpp"
#include "apps/sim/ticks.hpp"
#include "base/text.hpp"

namespace flow::sim {
namespace {

struct Scope {
  std::string_view scope, resource;
  Audience audience;
};
constexpr Scope kScopes[] = {
    {"https://api.securitycenter.microsoft.com/.default", "https://api.securitycenter.microsoft.com",
     Audience::Defender},
    {"https://securitycenter.onmicrosoft.com/windowsatpservice/.default",
     "https://api.securitycenter.microsoft.com", Audience::Defender},
    {"https://graph.microsoft.com/.default", "https://graph.microsoft.com", Audience::Graph},
    {"https://api.security.microsoft.com/.default", "https://api.security.microsoft.com", Audience::Xdr},
    {"https://management.azure.com/.default", "https://management.azure.com", Audience::Arm},
    {"https://management.core.windows.net/.default", "https://management.azure.com", Audience::Arm},
    {"https://api.loganalytics.io/.default", "https://api.loganalytics.io", Audience::LogAnalytics},
    {"https://vault.azure.net/.default", "https://vault.azure.net", Audience::Vault},
    {"https://outlook.office365.com/.default", "https://outlook.office365.com", Audience::Outlook},
    {"https://communication.azure.com/.default", "https://communication.azure.com", Audience::Communication},
};

struct Form {
  std::string grant_type, client_id, client_secret, scope, assertion_type, assertion, device_code,
      refresh_token;
};

// Credentials stand in the form, or in an Authorization header, form-encoded and then base64.
std::optional<Form> read_form(const HttpQuestion& question) {
  const auto pairs = parse_form(question.body);
  if (!pairs) return std::nullopt;
  Form form;
  for (const auto& [name, value] : *pairs) {
    if (name == "grant_type") form.grant_type = value;
    if (name == "client_id") form.client_id = value;
    if (name == "client_secret") form.client_secret = value;
    if (name == "scope") form.scope = value;
    if (name == "client_assertion_type") form.assertion_type = value;
    if (name == "client_assertion") form.assertion = value;
    if (name == "device_code") form.device_code = value;
    if (name == "refresh_token") form.refresh_token = value;
  }
  const std::string_view header = question.header("Authorization");
  if (!header.starts_with("Basic ")) return form;
  const std::string decoded = base64_decoded(header.substr(6)).value_or("");
  const std::size_t colon = decoded.find(':');
  if (colon == std::string::npos) return form;
  form.client_id = percent_decoded(decoded.substr(0, colon), true).value_or("");
  form.client_secret = percent_decoded(decoded.substr(colon + 1), true).value_or("");
  return form;
}

// The certificate that the assertion names, in its newer or its older form; none when the app has it not.
const KnownCertificate* named_certificate(const State& state, const Json& header) {
  const std::string_view sha256 = header["x5t#S256"].text(), sha1 = header["x5t"].text();
  for (const KnownCertificate& each : state.identity.certificates)
    if ((!sha256.empty() && each.sha256 == sha256) || (!sha1.empty() && each.sha1 == sha1)) return &each;
  return nullptr;
}

// Good for five minutes more than it says, as clocks differ.
bool is_in_time(const State& state, const Json& claims) {
  constexpr std::int64_t kSkew = 300;
  const std::int64_t now = state.now_us() / 1'000'000;
  return claims["exp"].is_int() && claims["exp"].integer() + kSkew > now &&
         claims["nbf"].integer() - kSkew <= now;
}

std::optional<HttpAnswer> refused_federation(State& state, const JwtParts& jwt, const Json& claims,
                                             bool is_pss) {
  const auto& known = state.identity.federation;
  const auto refuse = [&](int number, const std::string& text) {
    return aadsts(state, 401, "invalid_client", number, text);
  };
  const auto issuer = [&](const FederatedCredential& each) { return each.issuer == claims["iss"].text(); };
  const auto subject = [&](const FederatedCredential& each) {
    return issuer(each) && each.subject == claims["sub"].text();
  };
  if (std::ranges::none_of(known, issuer))
    return refuse(700211, "No matching federated identity record found for presented assertion issuer.");
  if (std::ranges::none_of(known, subject))
    return refuse(700213, "No matching federated identity record found for presented assertion subject.");
  const auto found = std::ranges::find_if(known, [&](const FederatedCredential& each) {
    return subject(each) && each.audience == claims["aud"].text();
  });
  if (found == known.end())
    return refuse(700212, "No matching federated identity record found for presented assertion audience.");
  if (!is_signed(found->key, jwt, is_pss))
    return refuse(700027, "Client assertion failed signature validation.");
  if (!is_in_time(state, claims))
    return refuse(700024, "Client assertion is not within its valid time range.");
  return std::nullopt;
}

std::optional<HttpAnswer> refused_assertion(State& state, const Form& form, const std::string& tenant) {
  constexpr std::size_t kMostIds = 10'000;
  const auto refuse = [&](int number, const std::string& text) {
    return aadsts(state, 401, "invalid_client", number, text);
  };
  const JwtParts jwt = jwt_parts(form.assertion);
  const auto header = parse_json(jwt.header), claims = parse_json(jwt.claims);
  const bool is_jwt = form.assertion_type == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" &&
                      header && claims && claims->is_object();
  if (!is_jwt) return refuse(50027, "The client assertion is no JWT.");
  const std::string_view algorithm = (*header)["alg"].text();
  if (algorithm != "PS256" && algorithm != "RS256")
    return refuse(700027, "The client assertion's algorithm is not supported.");
  const bool is_pss = algorithm == "PS256";
  if ((*claims)["iss"].text() != state.options.client_id)
    return refused_federation(state, jwt, *claims, is_pss);
  if ((*claims)["sub"].text() != state.options.client_id)
    return refuse(700021, "Client assertion application identifier doesn't match 'client_id' parameter.");
  const KnownCertificate* const certificate = named_certificate(state, *header);
  if (certificate == nullptr)
    return refuse(700027,
                  "The certificate with identifier used to sign the client assertion is not registered on "
                  "application.");
  if (!is_signed(*certificate, jwt, is_pss))
    return refuse(700027, "Client assertion failed signature validation.");
  if (!(*claims)["aud"].text().ends_with("/" + tenant + "/oauth2/v2.0/token"))
    return refuse(700023, "Client assertion audience claim does not match Realm issuer.");
  const bool is_good_now = certificate->begins_us <= state.now_us() && state.now_us() < certificate->ends_us;
  if (!is_in_time(state, *claims) || !is_good_now)
    return refuse(700024, "Client assertion is not within its valid time range.");
  const std::string id((*claims)["jti"].text());
  if (id.empty() || !state.identity.used_ids.insert(id).second)
    return refuse(50013, "Assertion failed: its identifier is missing, or was used before.");
  state.identity.used_order.push_back(id);
  if (state.identity.used_order.size() > kMostIds) {
    state.identity.used_ids.erase(state.identity.used_order.front());
    state.identity.used_order.pop_front();
  }
  return std::nullopt;
}

std::optional<HttpAnswer> refused_client(State& state, const Form& form, const std::string& tenant) {
  if (form.client_id != state.options.client_id)
    return aadsts(state, 400, "unauthorized_client", 700016,
                  "Application with identifier '" + form.client_id + "' was not found in the directory.");
  if (!form.assertion.empty()) return refused_assertion(state, form, tenant);
  if (form.client_secret.empty())
    return aadsts(
        state, 401, "invalid_client", 7000218,
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.");
  if (form.client_secret != state.options.client_secret)
    return aadsts(state, 401, "invalid_client", 7000215, "Invalid client secret provided.");
  return std::nullopt;
}

// A device code, or a refresh token: who holds it is a person who signed in.
std::optional<HttpAnswer> refused_person(State& state, const Form& form) {
  const auto pending = [&](std::string_view name, int number, const std::string& text) {
    return aadsts(state, 400, name, number, text);
  };
  if (form.client_id != state.options.client_id)
    return pending("unauthorized_client", 700016, "Application was not found in the directory.");
  if (form.grant_type == "refresh_token") {
    if (state.identity.refresh_tokens.contains(form.refresh_token)) return std::nullopt;
    return pending("invalid_grant", 700082, "The refresh token has expired or was revoked.");
  }
  const auto found = state.identity.devices.find(form.device_code);
  if (found == state.identity.devices.end()) return pending("invalid_grant", 70018, "Invalid device code.");
  if (found->second.ends_us <= state.now_us())
    return pending("expired_token", 70019, "The code has expired.");
  switch (found->second.state) {
    case DeviceSignIn::State::Pending:
      return pending("authorization_pending", 70016,
                     "OAuth 2.0 device flow error: authorization is pending.");
    case DeviceSignIn::State::Declined:
      return pending("authorization_declined", 70017, "The person declined.");
    case DeviceSignIn::State::Approved: break;
  }
  state.identity.devices.erase(found);
  return std::nullopt;
}

std::optional<HttpAnswer> refused_tenant(State& state, const std::string& tenant) {
  if (equals_ignoring_case(tenant, "common") || equals_ignoring_case(tenant, "organizations"))
    return aadsts(state, 400, "invalid_request", 9001023,
                  "The grant type is not supported over this endpoint.");
  const bool is_ours =
      equals_ignoring_case(tenant, state.options.tenant_id) || tenant.ends_with("example.com");
  if (!is_ours) return aadsts(state, 400, "invalid_request", 90002, "Tenant '" + tenant + "' not found.");
  return std::nullopt;
}

std::string make_jwt(State& state, const AccessToken& token, std::string_view resource) {
  const std::int64_t now = state.now_us() / 1'000'000;
  Json claims = Json::object({{"aud", resource},
                              {"iss", "https://sts.windows.net/" + state.options.tenant_id + "/"},
                              {"iat", now},
                              {"nbf", now},
                              {"exp", token.expires_us / 1'000'000},
                              {"appid", state.options.client_id},
                              {"appidacr", "1"},
                              {"idtyp", "app"},
                              {"tid", state.options.tenant_id},
                              {"ver", "1.0"}});
  if (!token.roles.empty()) claims.set("roles", Json::texts(token.roles));
  return base64url_encoded(R"({"typ":"JWT","alg":"none"})") + "." + base64url_encoded(claims.to_text()) +
         "." + base64url_encoded(hex_digits(*state.random, 32));
}

std::string made_token(State& state, const Scope& scope) {
  AccessToken token;
  token.audience = scope.audience;
  token.expires_us = state.now_us() + state.options.token_seconds * 1'000'000;
  const std::vector<std::string> known = roles_of(scope.audience);
  for (const std::string& role : state.roles)
    if (std::ranges::find(known, role) != known.end()) token.roles.push_back(role);
  const std::string text = make_jwt(state, token, scope.resource);
  remember_token(state, text, std::move(token));
  return text;
}

HttpAnswer unauthorized(State& state, const SimOperation& operation, const std::string& message) {
  HttpAnswer answer = service_error(state, &operation, {}, 401, {}, message);
  answer.headers.emplace_back("WWW-Authenticate", "Bearer error=\"invalid_token\"");
  return answer;
}

std::string joined(const std::vector<std::string>& texts, std::string_view separator) {
  return fmt::format("{}", fmt::join(texts, separator));
}

}  // namespace

HttpAnswer aadsts(State& state, int status, std::string_view name, int number, const std::string& text) {
  const std::string trace = guid(*state.random), correlation = guid(*state.random);
  std::string time = format_time_us(state.now_us()).substr(0, 19) + "Z";
  time[10] = ' ';
  return json_answer(
      status,
      Json::object(
          {{"error", name},
           {"error_description", fmt::format("AADSTS{}: {} Trace ID: {} Correlation ID: {} Timestamp: {}",
                                             number, text, trace, correlation, time)},
           {"error_codes", Json(Json::List{number})},
           {"timestamp", time},
           {"trace_id", trace},
           {"correlation_id", correlation},
           {"error_uri", fmt::format("https://login.microsoftonline.com/error?code={}", number)}}));
}

void remember_token(State& state, const std::string& text, AccessToken token) {
  state.tokens[text] = std::move(token);
  state.token_order.push_back(text);
  if (state.token_order.size() <= kMostTokens) return;
  state.tokens.erase(state.token_order.front());
  state.token_order.pop_front();
}

HttpAnswer issue_token(State& state, const HttpQuestion& question, const std::string& tenant) {
  if (auto refusal = refused_tenant(state, tenant)) return *refusal;
  const bool is_form =
      lower_ascii(question.header("Content-Type")).starts_with("application/x-www-form-urlencoded");
  auto form = is_form ? read_form(question) : std::nullopt;
  if (!form) return aadsts(state, 400, "invalid_request", 900144, "The request body must be form-encoded.");
  const bool is_person = form->grant_type == "refresh_token" ||
                         form->grant_type == "urn:ietf:params:oauth:grant-type:device_code";
  if (!is_person && form->grant_type != "client_credentials")
    return aadsts(state, 400, "unsupported_grant_type", 70003,
                  "The grant type '" + form->grant_type + "' is not supported.");
  if (auto refusal = is_person ? refused_person(state, *form) : refused_client(state, *form, tenant))
    return *refusal;
  // A device code was given for a scope already, of which the first resource counts.
  if (form->scope.empty() && is_person) form->scope = kScopes[2].scope;
  const auto* scope = std::ranges::find(kScopes, std::string_view(form->scope), &Scope::scope);
  if (scope == std::end(kScopes)) {
    const bool is_one_default =
        form->scope.ends_with("/.default") && form->scope.find(' ') == std::string::npos;
    if (is_one_default)
      return aadsts(state, 400, "invalid_resource", 500011,
                    "The resource principal of '" + form->scope + "' was not found in the tenant.");
    return aadsts(state, 400, "invalid_scope", 70011,
                  "The provided value for scope '" + form->scope + "' is not valid.");
  }
  Json answer = Json::object({{"token_type", "Bearer"},
                              {"expires_in", state.client_seconds(state.options.token_seconds)},
                              {"ext_expires_in", state.client_seconds(state.options.token_seconds)},
                              {"access_token", made_token(state, *scope)}});
  if (is_person) {
    const std::string refresh = "0." + hex_digits(*state.random, 60);
    state.identity.refresh_tokens.insert(refresh);
    answer.set("refresh_token", refresh);
  }
  HttpAnswer whole = json_answer(200, answer);
  whole.headers.emplace_back("Cache-Control", "no-store");
  return whole;
}

HttpAnswer managed_token(State& state, const std::string& resource, bool is_service) {
  std::string_view plain = resource;
  while (plain.ends_with('/')) plain.remove_suffix(1);
  const auto* scope = std::ranges::find(kScopes, plain, &Scope::resource);
  if (scope == std::end(kScopes))
    return json_answer(400,
                       Json::object({{"error", "invalid_resource"},
                                     {"error_description", "AADSTS500011: The resource was not found."}}));
  const std::int64_t ends = state.now_us() / 1'000'000 + state.options.token_seconds;
  Json answer = Json::object({{"access_token", made_token(state, *scope)},
                              {"expires_on", std::to_string(ends)},
                              {"resource", resource},
                              {"token_type", "Bearer"}});
  if (!is_service) answer.set("expires_in", std::to_string(state.options.token_seconds));
  return json_answer(200, answer);
}

const AccessToken* authorize(State& state, const HttpQuestion& question, const SimOperation& operation,
                             HttpAnswer& refusal) {
  const std::string_view header = question.header("Authorization");
  const auto found =
      header.starts_with("Bearer ") ? state.tokens.find(std::string(header.substr(7))) : state.tokens.end();
  if (found == state.tokens.end()) {
    refusal = unauthorized(state, operation,
                           header.empty() ? "Authorization header is missing." : "Access token is invalid.");
    return nullptr;
  }
  const AccessToken& token = found->second;
  if (token.expires_us <= state.now_us()) {
    refusal = unauthorized(state, operation, "Access token has expired or is not yet valid.");
    return nullptr;
  }
  if (token.audience != operation.audience) {
    refusal =
        operation.audience == Audience::Graph
            ? unauthorized(state, operation, "Access token validation failure. Invalid audience.")
            : service_error(state, &operation, {}, 403, {}, "The token was issued for another resource.");
    return nullptr;
  }
  const std::vector<std::string> required = split_roles(operation.roles);
  const bool is_granted = std::ranges::any_of(required, [&](const std::string& role) {
    return std::ranges::find(token.roles, role) != token.roles.end();
  });
  if (is_granted || required.empty()) return &token;
  refusal =
      operation.audience == Audience::Graph
          ? graph_error(state, 403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
          : defender_error(
                state, 403, "Forbidden",
                fmt::format("Missing application roles. API required roles: {}, application roles: {}.",
                            joined(required, ","), joined(token.roles, ",")));
  return nullptr;
}

}  // namespace flow::sim
