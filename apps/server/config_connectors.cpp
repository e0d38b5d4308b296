#include "apps/server/config_connectors.hpp"

namespace flow {
namespace {

// What may be said by two tables is said by one of them.
Status put_once(std::map<std::string, std::string>& into, const std::string& connector,
                const std::string& value, const std::string& key, const std::string& place) {
  if (value.empty() || into.emplace(connector, value).second) return {};
  return error(fmt::format("`{}` has `{}`, which another table of the tenant says as well", place, key));
}

Status read_connector(Section& section, const std::string& name, TenantAccess& access) {
  ConnectorCredential credential;
  FLOW_TRY(const std::string base, section.text("base", {}));
  FLOW_TRY(const std::string scope, section.text("scope", {}));
  FLOW_TRY(const std::string via, section.text("via", {}));
  FLOW_TRY_STATUS(put_once(access.bases, name, base, "base", section.path()));
  FLOW_TRY_STATUS(put_once(access.scopes, name, scope, "scope", section.path()));
  if (!via.empty()) FLOW_TRY_STATUS(choose_route(access, name, via, section.path()));
  FLOW_TRY(credential.user, section.text("user", {}));
  FLOW_TRY(credential.password, section.secret("password"));
  FLOW_TRY(credential.key, section.secret("key"));
  FLOW_TRY(credential.token, section.secret("token"));
  FLOW_TRY(credential.url, section.secret("url"));
  FLOW_TRY(credential.client_id, section.text("client_id", {}));
  FLOW_TRY(credential.client_secret, section.secret("client_secret"));
  FLOW_TRY(credential.refresh_token, section.secret("refresh_token"));
  FLOW_TRY(credential.token_url, section.text("token_url", {}));
  FLOW_TRY(const std::string client_in, section.one_of("client_in", "body", {"body", "header"}));
  credential.is_client_in_header = client_in == "header";
  Status status;
  if (auto urls = section.table("urls", status)) {
    FLOW_TRY(credential.urls, urls->all_secrets());
  }
  if (auto settings = section.table("settings", status)) {
    FLOW_TRY(const auto values, settings->all_texts());
    for (const auto& [key, value] : values) access.settings[name + "." + key] = value;
  }
  FLOW_TRY_STATUS(status);
  FLOW_TRY_STATUS(section.only_known());
  access.credentials[name] = std::move(credential);
  return {};
}

// `mail = "smtp"`, `"mail.mail" = "smtp"`, or without the quotes, which is a table to TOML.
Status read_routes(Section& routes, TenantAccess& access) {
  for (Section& connector : routes.all_tables()) {
    FLOW_TRY(const auto operations, connector.all_texts());
    for (const auto& [operation, route] : operations)
      FLOW_TRY_STATUS(choose_route(access, connector.path() + "." + operation, route, routes.path()));
  }
  FLOW_TRY(const auto values, routes.texts_beside_tables());
  for (const auto& [what, route] : values) FLOW_TRY_STATUS(choose_route(access, what, route, routes.path()));
  return {};
}

}  // namespace

Status choose_route(TenantAccess& access, const std::string& what, const std::string& route,
                    const std::string& place) {
  const auto [at, is_new] = access.routes.emplace(what, route);
  if (is_new || at->second == route) return {};
  return error(fmt::format("`{}` chooses `{}` for `{}`, and another table of the tenant `{}`", place, route,
                           what, at->second));
}

Status read_connectors(Section& tenant, TenantAccess& access) {
  Status status;
  const std::string above = tenant.path() + ".connectors.";
  for (Section& section : tenant.tables("connectors", status))
    FLOW_TRY_STATUS(read_connector(section, section.path().substr(above.size()), access));
  if (auto routes = tenant.table("routes", status)) FLOW_TRY_STATUS(read_routes(*routes, access));
  return status;
}

}  // namespace flow
