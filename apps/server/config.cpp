#include "apps/server/config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "apps/server/config_connectors.hpp"
#include "apps/server/config_inbound.hpp"
#include "apps/server/config_section.hpp"
#include "base/calendar.hpp"
#include "stdlib/mail/message.hpp"

namespace flow {
namespace {

// Beyond, a flow would decide by what was once.
constexpr std::int64_t kLongestReuseUs = 300'000'000;

Status read_mail(Section& section, TenantAccess& access) {
  FLOW_TRY(std::string via, section.one_of("via", "graph", {"graph", "graph-draft", "smtp", "gmail", "acs"}));
  std::ranges::replace(via, '-', '_');  // as the declaration names the route
  FLOW_TRY(const std::string sender, section.required("sender"));
  FLOW_TRY(const std::vector<std::string> others, section.texts("senders"));
  FLOW_TRY_STATUS(choose_route(access, "mail", via, section.path()));
  for (const std::string& address : others)
    if (!parse_mailbox(address) || address.find(' ') != std::string::npos)
      return error(fmt::format("`{}`: `{}` in `senders` is no mail address", section.path(), address));
  const std::size_t at = sender.rfind('@');
  std::string domain = at == std::string::npos ? sender : sender.substr(at + 1);
  while (domain.ends_with('>') || domain.ends_with(' ')) domain.pop_back();
  for (const char* connector : {"graph", "smtp", "gmail", "acs"}) {
    access.settings[fmt::format("{}.sender", connector)] = sender;
    access.settings[fmt::format("{}.senders", connector)] = fmt::format("{}", fmt::join(others, " "));
    access.settings[fmt::format("{}.domain", connector)] = domain;
  }
  return section.only_known();
}

Status read_smtp(Section& section, TenantAccess& access) {
  SmtpServer server;
  FLOW_TRY(server.host, section.required("host"));
  FLOW_TRY(const std::int64_t port, section.number("port", 587, 1, 65535));
  FLOW_TRY(const std::string security,
           section.one_of("security", "starttls", {"none", "starttls", "implicit"}));
  FLOW_TRY(server.user, section.text("user", {}));
  FLOW_TRY(server.ca_bundle, section.text("ca_bundle", {}));
  FLOW_TRY(access.smtp_password, section.secret("password"));
  FLOW_TRY(access.smtp_scope, section.text("oauth_scope", {}));
  FLOW_TRY(const std::string login, section.one_of("login", "any", {"any", "plain", "login"}));
  FLOW_TRY(server.sends_login_in_clear, section.truth("allow_login_without_tls", false));
  server.mechanism = login == "plain"   ? SmtpServer::Mechanism::Plain
                     : login == "login" ? SmtpServer::Mechanism::Login
                                        : SmtpServer::Mechanism::Any;
  server.port = static_cast<std::uint16_t>(port);
  server.security = security == "none"       ? SmtpServer::Security::None
                    : security == "implicit" ? SmtpServer::Security::Implicit
                                             : SmtpServer::Security::StartTls;
  server.login = !access.smtp_scope.empty() ? SmtpServer::Login::Bearer
                 : access.smtp_password     ? SmtpServer::Login::Password
                                            : SmtpServer::Login::None;
  if (server.login != SmtpServer::Login::None && server.security == SmtpServer::Security::None &&
      !server.sends_login_in_clear)
    return error(
        fmt::format("`{}` signs in, and `security = \"none\"` would send the credential in the clear; use "
                    "`starttls` or `implicit`, or say `allow_login_without_tls = true`",
                    section.path()));
  access.smtp = std::move(server);
  return section.only_known();
}

// Secrets of flows, by the names that these have for them.
RevealSecret secrets_by_name(const TenantConfig& tenant) {
  return [secrets = tenant.secrets, of = tenant.name](const std::string& name) -> Result<std::string> {
    const auto found = secrets.find(name);
    if (found == secrets.end()) return error(fmt::format("`[tenants.{}.secrets]` has no `{}`", of, name));
    auto value = found->second();
    if (!value) return error(fmt::format("secret `{}`: {}", name, value.error().message));
    return value;
  };
}

Result<TenantConfig> read_tenant(Section& section, const std::optional<AppIdentity>& shared,
                                 VaultReferences& vaults) {
  constexpr std::string_view kAbove = "tenants.";
  TenantConfig tenant;
  tenant.name = section.path().substr(kAbove.size());  // a quoted name may have dots in it
  TenantAccess& access = tenant.access;
  FLOW_TRY(access.tenant_id, section.required("tenant_id"));
  const std::size_t first_vault = vaults.size();
  FLOW_TRY(AppIdentity own, read_identity(section));
  const std::size_t after_identity = vaults.size();
  tenant.identity = with_shared(std::move(own), shared);
  if (tenant.identity.client_id.empty() && tenant.identity.kind != CredentialKind::ManagedIdentity)
    return section.missing("client_id", "`client_id`");
  if (tenant.identity.kind == CredentialKind::None)
    return section.missing(
        "client_secret_env",
        fmt::format(
            "`client_secret_env = \"VARIABLE\"` or `client_secret_file = \"PATH\"`; or "
            "`client_certificate`, or one of the tables `[{}.federation]`, `[{}.managed_identity]` and "
            "`[{}.login]`",
            section.path(), section.path(), section.path()));
  Status status;
  if (auto bases = section.table("bases", status)) {
    FLOW_TRY(access.bases, bases->all_texts());
  }
  if (auto scopes = section.table("scopes", status)) {
    FLOW_TRY(access.scopes, scopes->all_texts());
  }
  FLOW_TRY_STATUS(read_connectors(section, access));
  if (auto secrets = section.table("secrets", status)) {
    FLOW_TRY(tenant.secrets, secrets->all_secrets());
  }
  if (auto mail = section.table("mail", status)) FLOW_TRY_STATUS(read_mail(*mail, access));
  if (auto smtp = section.table("smtp", status)) FLOW_TRY_STATUS(read_smtp(*smtp, access));
  FLOW_TRY_STATUS(status);
  apply_identity(tenant.identity, access);
  access.secret = secrets_by_name(tenant);
  FLOW_TRY_STATUS(section.only_known());
  FLOW_TRY_STATUS(vaults.belong_to(tenant.name, first_vault, after_identity, entra_token(access, {})));
  if (const auto via = access.routes.find("mail");
      via != access.routes.end() && via->second == "smtp" && !access.smtp)
    return error(fmt::format("`{}` sends mail by SMTP and needs `[{}.smtp]` with `host`", section.path(),
                             section.path()));
  return tenant;
}

Status read_limits(Section& section, Config& config) {
  constexpr std::int64_t kMost = std::int64_t{1} << 40;
  Limits& limits = config.limits;
  const auto read = [&](const char* key, std::size_t& limit, std::int64_t least) -> Status {
    FLOW_TRY(const std::int64_t value,
             section.number(key, static_cast<std::int64_t>(limit), least, std::int64_t{4} << 30));
    limit = static_cast<std::size_t>(value);
    return {};
  };
  FLOW_TRY(const std::int64_t fuel,
           section.number("fuel", static_cast<std::int64_t>(limits.fuel), 1000, kMost));
  limits.fuel = static_cast<std::uint64_t>(fuel);
  FLOW_TRY_STATUS(read("heap_bytes", limits.heap_bytes, 64 << 10));
  FLOW_TRY_STATUS(read("stack_bytes", limits.stack_bytes, 64 << 10));
  FLOW_TRY_STATUS(read("text_bytes", limits.text_bytes, 4096));
  FLOW_TRY_STATUS(read("list_items", limits.list_items, 100));
  FLOW_TRY(config.reuse_reads_us, section.duration_us("reuse_reads", config.reuse_reads_us, kLongestReuseUs));
  return section.only_known();
}

Status read_transport(Section& section, Config& config) {
  FLOW_TRY(const std::string library, section.one_of("library", "cpprest", {"cpprest", "curl"}));
  config.http_library = library == "curl" ? HttpLibrary::Curl : HttpLibrary::Cpprest;
  FLOW_TRY(config.transport.ca_bundle, section.text("ca_bundle", {}));
  FLOW_TRY(config.transport.extra_ca, section.text("extra_ca", {}));
  FLOW_TRY(config.transport.client_certificate, section.text("client_certificate", {}));
  FLOW_TRY(config.transport.client_key, section.text("client_key", {}));
  return section.only_known();
}

Status read_egress(Section& section, Config& config) {
  FLOW_TRY(const std::vector<std::string> allow, section.text_list("allow"));
  FLOW_TRY(const std::vector<std::string> inside, section.text_list("private"));
  if (const auto checked = Egress::make(allow, {}); !checked)
    return section.about("allow", checked.error().message);
  auto egress = Egress::make(allow, inside);
  if (!egress) return section.about("private", egress.error().message);
  config.egress = std::move(*egress);
  return section.only_known();
}

Result<Config> read_config(Section& root, std::string_view text, VaultReferences& vaults) {
  Config config;
  Status status;
  FLOW_TRY(vaults.options, read_keyvault(root));
  if (vaults.size() > 0)
    return error(
        fmt::format("`{}` cannot be in a key vault: it is what opens them", vaults.secrets.front()->place()));
  if (auto store = root.table("store", status)) {
    FLOW_TRY(config.store, store->text("path", config.store));
    FLOW_TRY(config.keep_us, store->keep_us("keep", config.keep_us));
    FLOW_TRY(config.keep_audit_us, store->keep_us("keep_audit", config.keep_audit_us));
    FLOW_TRY_STATUS(store->only_known());
  }
  if (auto poll = root.table("poll", status)) {
    FLOW_TRY(config.poll_every_us, poll->duration_us("every", 0));
    if (config.poll_every_us > 0 && config.poll_every_us < kSecondUs)
      return poll->about("every",
                         "`every` is a second or more; the APIs allow no more than 100 calls a minute");
    FLOW_TRY(config.look_back_us, poll->duration_us("look_back", 0));
    FLOW_TRY_STATUS(poll->only_known());
  }
  if (auto log = root.table("log", status)) {
    FLOW_TRY(const std::string format, log->one_of("format", "text", {"text", "json"}));
    config.log_format = format == "json" ? LogFormat::Json : LogFormat::Text;
    FLOW_TRY_STATUS(log->only_known());
  }
  if (auto limits = root.table("limits", status)) FLOW_TRY_STATUS(read_limits(*limits, config));
  if (auto transport = root.table("transport", status)) FLOW_TRY_STATUS(read_transport(*transport, config));
  if (auto egress = root.table("egress", status)) FLOW_TRY_STATUS(read_egress(*egress, config));
  if (auto params = root.table("params", status)) {
    FLOW_TRY(config.params, params->all_json());
    for (Section& file : params->all_tables()) {
      FLOW_TRY(config.params_of_file[file.path()], file.all_json());
      if (!file.all_tables().empty())
        return error(fmt::format("`[params.{}]` has a table in it: no parameter is one", file.path()));
    }
  }
  if (auto protect = root.table("protect", status)) {
    for (const std::string& kind : protection_kinds())
      if (auto rules = protect->table(kind, status)) {
        FLOW_TRY(const auto texts, rules->all_texts());
        for (const auto& [name, condition] : texts)
          config.protection_texts.push_back({kind, name, condition, rules->place(name, text)});
      }
    FLOW_TRY_STATUS(status);
    FLOW_TRY_STATUS(protect->only_known());
  }
  FLOW_TRY(config.inbound, read_inbound(root));
  std::optional<AppIdentity> shared;
  if (auto app = root.table("app", status)) {
    const std::size_t before = vaults.size();
    FLOW_TRY(shared, read_identity(*app));
    FLOW_TRY_STATUS(vaults.belong_to({}, before, vaults.size(), {}));
    FLOW_TRY_STATUS(app->only_known());
  }
  const std::size_t of_nobody = vaults.size();
  for (Section& section : root.tables("tenants", status)) {
    FLOW_TRY(TenantConfig tenant, read_tenant(section, shared, vaults));
    config.tenants.push_back(std::move(tenant));
  }
  FLOW_TRY_STATUS(status);
  FLOW_TRY_STATUS(root.only_known());
  if (config.tenants.empty()) return error("the configuration names no tenant: it needs `[tenants.NAME]`");
  const TokenRequest only = entra_token(config.tenants.front().access, {});
  FLOW_TRY_STATUS(vaults.belong_to_nobody(of_nobody, config.tenants.size() == 1 ? &only : nullptr));
  for (auto& [name, hook] : config.inbound.hooks) {
    if (hook.tenant.empty() && config.tenants.size() == 1) hook.tenant = config.tenants.front().name;
    if (std::ranges::find(config.tenants, hook.tenant, &TenantConfig::name) == config.tenants.end())
      return error(hook.tenant.empty()
                       ? fmt::format("`webhooks.{}` needs `tenant`, as there are several", name)
                       : fmt::format("`webhooks.{}`: there is no tenant `{}`", name, hook.tenant));
  }
  return config;
}

}  // namespace

Result<Config> parse_config(const std::string& name, const std::string& text) {
  toml::table table;
  try {
    table = toml::parse(text, name);
  } catch (const toml::parse_error& problem) {
    return error(fmt::format("{}: line {}: {}", name, problem.source().begin.line, problem.description()));
  }
  VaultReferences vaults;
  Section root(name, {}, table, &vaults);
  auto config = read_config(root, text, vaults);
  if (config) config->written = written_keys(table);
  if (!config && !config.error().message.starts_with(name))
    return error(fmt::format("{}: {}", name, config.error().message));
  if (config) config->vaults = std::move(vaults);
  return config;
}

}  // namespace flow
