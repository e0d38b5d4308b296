// The token endpoint, and what a call may do with the token it got there.
#include <fmt/format.h>

#include <algorithm>

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
    {"https://api.security.microsoft.com/.default", "https://api.security.microsoft.com", Audience::Other},
    {"https://outlook.office365.com/.default", "https://outlook.office365.com", Audience::Other},
};

bool is_graph_role(std::string_view role) {
  return role.starts_with("Mail.") || role.starts_with("SecurityAlert.") ||
         role.starts_with("SecurityIncident.") || role.starts_with("ThreatHunting.");
}

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

struct Form {
  std::string grant_type, client_id, client_secret, scope, assertion_type, assertion;
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

// The assertion's signature is not looked at; that it is a JWT of this client is.
bool is_own_assertion(const State& state, const Form& form) {
  const std::size_t first = form.assertion.find('.'), second = form.assertion.rfind('.');
  if (form.assertion_type != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" || first == second)
    return false;
  const auto claims = base64_decoded(form.assertion.substr(first + 1, second - first - 1));
  if (!claims) return false;
  const auto json = parse_json(*claims);
  return json && (*json)["iss"].text() == state.options.client_id &&
         (*json)["sub"].text() == state.options.client_id;
}

std::optional<HttpAnswer> refused_client(State& state, const Form& form) {
  if (form.client_id != state.options.client_id)
    return aadsts(state, 400, "unauthorized_client", 700016,
                  "Application with identifier '" + form.client_id + "' was not found in the directory.");
  if (!form.assertion.empty()) {
    if (is_own_assertion(state, form)) return std::nullopt;
    return aadsts(state, 401, "invalid_client", 700027, "The client assertion was not accepted.");
  }
  if (form.client_secret.empty())
    return aadsts(
        state, 401, "invalid_client", 7000218,
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.");
  if (form.client_secret != state.options.client_secret)
    return aadsts(state, 401, "invalid_client", 7000215, "Invalid client secret provided.");
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

void remember(State& state, const std::string& text, AccessToken token) {
  state.tokens[text] = std::move(token);
  state.token_order.push_back(text);
  if (state.token_order.size() <= kMostTokens) return;
  state.tokens.erase(state.token_order.front());
  state.token_order.pop_front();
}

HttpAnswer unauthorized(State& state, const SimOperation& operation, const std::string& message) {
  HttpAnswer answer = operation.audience == Audience::Graph
                          ? graph_error(state, 401, "InvalidAuthenticationToken", message)
                          : defender_error(state, 401, "Unauthorized", message);
  answer.headers.emplace_back("WWW-Authenticate", "Bearer error=\"invalid_token\"");
  return answer;
}

std::string joined(const std::vector<std::string>& texts, std::string_view separator) {
  return fmt::format("{}", fmt::join(texts, separator));
}

}  // namespace

HttpAnswer issue_token(State& state, const HttpQuestion& question, const std::string& tenant) {
  if (auto refusal = refused_tenant(state, tenant)) return *refusal;
  const bool is_form =
      lower_ascii(question.header("Content-Type")).starts_with("application/x-www-form-urlencoded");
  const auto form = is_form ? read_form(question) : std::nullopt;
  if (!form) return aadsts(state, 400, "invalid_request", 900144, "The request body must be form-encoded.");
  if (form->grant_type != "client_credentials")
    return aadsts(state, 400, "unsupported_grant_type", 70003,
                  "The grant type '" + form->grant_type + "' is not supported.");
  if (auto refusal = refused_client(state, *form)) return *refusal;
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
  AccessToken token;
  token.audience = scope->audience;
  token.expires_us = state.now_us() + state.options.token_seconds * 1'000'000;
  for (const std::string& role : state.roles)
    if (scope->audience != Audience::Other && is_graph_role(role) == (scope->audience == Audience::Graph))
      token.roles.push_back(role);
  const std::string text = make_jwt(state, token, scope->resource);
  remember(state, text, std::move(token));
  HttpAnswer answer =
      json_answer(200, Json::object({{"token_type", "Bearer"},
                                     {"expires_in", state.client_seconds(state.options.token_seconds)},
                                     {"ext_expires_in", state.client_seconds(state.options.token_seconds)},
                                     {"access_token", text}}));
  answer.headers.emplace_back("Cache-Control", "no-store");
  return answer;
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
    refusal = operation.audience == Audience::Graph
                  ? unauthorized(state, operation, "Access token validation failure. Invalid audience.")
                  : defender_error(state, 403, "Forbidden", "The token was issued for another resource.");
    return nullptr;
  }
  const std::vector<std::string> required = split_roles(operation.roles);
  const bool is_granted = std::ranges::any_of(required, [&](const std::string& role) {
    return std::ranges::find(token.roles, role) != token.roles.end();
  });
  if (is_granted) return &token;
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
