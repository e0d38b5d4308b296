#include "stdlib/executor/credential.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "stdlib/executor/request.hpp"
#include "stdlib/http/url.hpp"
#include "stdlib/identity/azure_signature.hpp"

namespace flow {
namespace {

const ConnectorCredential& credential_of(const std::string& connector, const TenantAccess& access) {
  static const ConnectorCredential kNone;
  const auto found = access.credentials.find(connector);
  return found == access.credentials.end() ? kNone : found->second;
}

struct Given {
  const char* name;
  Auth::Kind wanted_by;
  bool is_there;
};
std::vector<Given> settings_of(const ConnectorCredential& of, Auth::Kind wanted) {
  return {{"user", Auth::Kind::Basic, !of.user.empty()},
          {"password", Auth::Kind::Basic, of.password != nullptr},
          {"key", wanted == Auth::Kind::Hmac ? wanted : Auth::Kind::Key, of.key != nullptr},
          {"token", Auth::Kind::Bearer, of.token != nullptr},
          {"url", Auth::Kind::Url, of.url != nullptr || !of.urls.empty()},
          {"client_id", Auth::Kind::OAuth2, !of.client_id.empty()},
          {"client_secret", Auth::Kind::OAuth2, of.client_secret != nullptr},
          {"refresh_token", Auth::Kind::OAuth2, of.refresh_token != nullptr},
          {"token_url", Auth::Kind::OAuth2, !of.token_url.empty()},
          {"service_account", Auth::Kind::OAuth2, of.service_account != nullptr},
          {"subject", Auth::Kind::OAuth2, !of.subject.empty()}};
}

// A secret as it was made: printable, on one line, so that it can end no header.
Result<std::string> secret_value(const SecretProvider& provider, const std::string& connector,
                                 const char* name, Redaction& redaction) {
  if (!provider)
    return error(fmt::format("the configuration has no `{}` for connector `{}`", name, connector));
  FLOW_TRY(std::string value, provider());
  redaction.add(value);
  if (std::ranges::any_of(value, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
    return error(fmt::format("the `{}` of connector `{}` holds a control character", name, connector));
  return value;
}

void set_header(HttpRequest& request, const std::string& name, std::string value) {
  std::erase_if(request.headers,
                [&](const auto& header) { return equals_ignoring_case(header.first, name); });
  request.headers.emplace_back(name, std::move(value));
}

void add_query(std::string& url, const std::string& parameter) {
  url += (url.find('?') == std::string::npos ? "?" : "&") + parameter;
}

Status add_key(HttpRequest& request, const Connector& connector, const ConnectorCredential& credential,
               Redaction& redaction) {
  FLOW_TRY(const std::string key, secret_value(credential.key, connector.name, "key", redaction));
  const Auth& auth = connector.auth;
  if (!auth.header.empty())
    set_header(request, auth.header, auth.prefix + key);
  else
    add_query(request.url, percent_encoded(auth.query) + "=" + percent_encoded(key));
  return {};
}

Status add_user(HttpRequest& request, const Connector& connector, const ConnectorCredential& credential,
                Redaction& redaction) {
  FLOW_TRY(const std::string password,
           secret_value(credential.password, connector.name, "password", redaction));
  if (credential.user.empty() || credential.user.find(':') != std::string::npos)
    return error(fmt::format("the `user` of connector `{}` is empty or has a colon in it", connector.name));
  const std::string encoded = base64_of(credential.user + ":" + password);
  redaction.add(encoded);
  set_header(request, "Authorization", "Basic " + encoded);
  return {};
}

// The path of the route says which address: `/` the one, `/NAME` the one of that name. So far it is all that
// the request has for an address, beside its query.
Status set_address(HttpRequest& request, const Connector& connector, const ConnectorCredential& credential,
                   Redaction& redaction) {
  const std::size_t path_end = std::min(request.url.find('?'), request.url.size());
  const std::string name = request.url.substr(1, path_end - 1);
  const std::string query = request.url.substr(path_end);
  const SecretProvider* provider = name.empty() ? &credential.url : nullptr;
  for (const auto& [known, address] : credential.urls)
    if (percent_encoded(known) == name) provider = &address;
  if (provider == nullptr)
    return error(fmt::format("the configuration has no address `{}` in the `urls` of connector `{}`", name,
                             connector.name));
  FLOW_TRY(request.url, secret_value(*provider, connector.name, "url", redaction));
  const auto url = parse_url(request.url);
  if (!url) return error(fmt::format("the secret `url` of connector `{}` is no address", connector.name));
  redaction.add(url->target);
  if (!query.empty()) add_query(request.url, query.substr(1));
  return {};
}

// Azure's HMAC-SHA256: the request's line, host and date and the hash of its body are signed.
Status sign(HttpRequest& request, const CallText& call, const ConnectorCredential& credential,
            Redaction& redaction) {
  FLOW_TRY(const std::string key, secret_value(credential.key, call.connector.name, "key", redaction));
  const auto url = parse_url(request.url);
  if (!url) return error("the address of connector `" + call.connector.name + "` is none");
  FLOW_TRY(const SignedRequest made, azure_signature({.method = request.method,
                                                      .target = url->target,
                                                      .host = url->host_header(),
                                                      .body = request.body,
                                                      .now_us = call.now_us},
                                                     key));
  set_header(request, "x-ms-date", made.date);
  set_header(request, "x-ms-content-sha256", made.content_hash);
  set_header(request, "Authorization", made.authorization);
  return {};
}

// Whether what goes there can be read on its way by nobody else.
bool is_private(const std::string& address) {
  const auto url = parse_url(address);
  return url && (url->is_https || url->host == "localhost" || url->host == "::1" ||
                 (url->host.starts_with("127.") && is_ip_address(url->host)));
}

}  // namespace

Auth auth_of(const Connector& connector, const TenantAccess& access) {
  const ConnectorCredential& credential = credential_of(connector.name, access);
  if (connector.auth.kind != Auth::Kind::Basic || credential.token_url.empty()) return connector.auth;
  Auth auth;
  auth.kind = Auth::Kind::OAuth2;
  auth.token = credential.token_url;
  return auth;
}

std::vector<std::string> missing_settings(const Connector& connector, const TenantAccess& access) {
  const ConnectorCredential& credential = credential_of(connector.name, access);
  const Auth::Kind kind = auth_of(connector, access).kind;
  std::vector<std::string> missing;
  if (kind != Auth::Kind::Url && base_of(connector, access).empty()) missing.push_back("base");
  for (const Given& setting : settings_of(credential, kind)) {
    const std::string_view name = setting.name;
    const bool is_client = name == "client_id" || name == "client_secret";
    const bool is_optional = name == "token_url" || name == "refresh_token" || name == "service_account" ||
                             name == "subject" || kind == Auth::Kind::Hmac ||
                             (is_client && credential.service_account) ||
                             (name == "client_secret" && credential.refresh_token);
    if (setting.wanted_by == kind && !setting.is_there && !is_optional) missing.emplace_back(name);
  }
  return missing;
}

std::vector<std::string> unused_settings(const Connector& connector, const TenantAccess& access) {
  std::vector<std::string> unused;
  const Auth::Kind kind = auth_of(connector, access).kind;
  for (const Given& setting : settings_of(credential_of(connector.name, access), kind))
    if (setting.is_there && setting.wanted_by != kind) unused.emplace_back(setting.name);
  return unused;
}

TokenRequest entra_token(const TenantAccess& access, const std::string& scope) {
  return {.authority = access.authority,
          .tenant = access.tenant_id,
          .client_id = access.client_id,
          .scope = scope,
          .secret = access.client_secret,
          .refresh_token = access.refresh_token,
          .assertion = access.assertion,
          .assertion_from = access.assertion_from,
          .door = access.door,
          .renewed = access.renewed};
}

bool needs_token(const CallText& call) {
  const Auth::Kind kind = auth_of(call.connector, call.access).kind;
  if (kind == Auth::Kind::Hmac) return !credential_of(call.connector.name, call.access).key;
  return kind == Auth::Kind::Entra || kind == Auth::Kind::OAuth2;
}

Result<TokenRequest> token_request(const CallText& call) {
  const Connector& connector = call.connector;
  const Auth auth = auth_of(connector, call.access);
  const auto configured = call.access.scopes.find(connector.name);
  const std::string& scope = configured == call.access.scopes.end() ? auth.scope : configured->second;
  if (auth.kind == Auth::Kind::Entra || auth.kind == Auth::Kind::Hmac) return entra_token(call.access, scope);
  const ConnectorCredential& credential = credential_of(connector.name, call.access);
  const std::vector<std::string> missing = missing_settings(connector, call.access);
  if (!missing.empty())
    return error(
        fmt::format("the configuration has no `{}` for connector `{}`", missing.front(), connector.name));
  std::string endpoint = credential.token_url.empty() ? auth.token : credential.token_url;
  if (endpoint.starts_with('/')) endpoint = base_of(connector, call.access) + endpoint;
  if (!is_private(endpoint))
    return error(
        fmt::format("credentials go to `https://` addresses only, and tokens of connector `{}` "
                    "come from another",
                    connector.name));
  return TokenRequest{.authority = call.access.tenant_id,
                      .tenant = connector.name,
                      .client_id = credential.client_id,
                      .scope = scope,
                      .secret = credential.client_secret,
                      .endpoint = std::move(endpoint),
                      .refresh_token = credential.refresh_token,
                      .service_account = credential.service_account,
                      .subject = credential.subject,
                      .is_client_in_header = credential.is_client_in_header};
}

Status add_credential(HttpRequest& request, const CallText& call, const std::string& token,
                      Redaction& redaction) {
  const Connector& connector = call.connector;
  const ConnectorCredential& credential = credential_of(connector.name, call.access);
  switch (auth_of(connector, call.access).kind) {
    case Auth::Kind::None: return {};
    case Auth::Kind::Entra:
    case Auth::Kind::OAuth2: set_header(request, "Authorization", "Bearer " + token); break;
    case Auth::Kind::Key: FLOW_TRY_STATUS(add_key(request, connector, credential, redaction)); break;
    case Auth::Kind::Basic: FLOW_TRY_STATUS(add_user(request, connector, credential, redaction)); break;
    case Auth::Kind::Bearer: {
      FLOW_TRY(const std::string value, secret_value(credential.token, connector.name, "token", redaction));
      set_header(request, "Authorization", "Bearer " + value);
      break;
    }
    case Auth::Kind::Hmac:
      if (credential.key)
        FLOW_TRY_STATUS(sign(request, call, credential, redaction));
      else
        set_header(request, "Authorization", "Bearer " + token);
      break;
    case Auth::Kind::Url: FLOW_TRY_STATUS(set_address(request, connector, credential, redaction)); break;
  }
  if (!is_private(request.url))
    return error(fmt::format("credentials go to `https://` addresses only, and connector `{}` has another",
                             connector.name));
  return {};
}

}  // namespace flow
