#include "apps/server/doctor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <set>

#include "apps/server/connector_check.hpp"
#include "apps/server/needed_operations.hpp"
#include "apps/server/secret_check.hpp"
#include "base/base64.hpp"
#include "base/text.hpp"
#include "stdlib/executor/credential.hpp"
#include "stdlib/executor/request.hpp"
#include "stdlib/http/answer.hpp"
#include "stdlib/json/json.hpp"
#include "vm/bytecode/permissions.hpp"

namespace flow {
namespace {

using Level = Finding::Level;

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kPatience = 10 * kSecond;    // for one host
constexpr std::int64_t kSmallSkew = 60 * kSecond;   // noticed
constexpr std::int64_t kLargeSkew = 300 * kSecond;  // tokens and signatures are refused
constexpr std::int64_t kEndsSoon = 30 * 86'400 * kSecond;

std::string days(std::int64_t us) {
  return fmt::format("{} days", us / (86'400 * kSecond));
}

// Exchange can grant mail to an app by itself: its tokens do not say so.
bool may_be_granted_elsewhere(std::string_view permission) {
  return permission.starts_with("Mail.");
}

class Doctor {
 public:
  Doctor(const Config& config, const std::vector<Module>& modules, const DoctorParties& parties)
      : config_(config), modules_(modules), parties_(parties) {}

  void examine(const TenantConfig& tenant) {
    tenant_ = &tenant;
    vaults();
    certificate();
    std::vector<FlowNeeds> needs;
    for (const Module& module : modules_) {
      auto of = needs_of(module, tenant.access);
      if (!of) {
        tell(Level::Problem, "route", module.source_name, of.error().message);
        continue;
      }
      needs.insert(needs.end(), of->begin(), of->end());
    }
    permissions(needs);
    connectors();
    secrets();
    hosts();
    mail(needs);
    smtp();
  }

  Checkup take() { return std::move(checkup_); }

 private:
  void tell(Level level, std::string about, std::string what, std::string text) {
    checkup_.findings.push_back(
        {level, tenant_->name, std::move(about), std::move(what), excerpt(text, 600)});
  }

  // Secrets of key vaults, which were all asked for; those of no tenant are told with the first.
  void vaults() {
    const bool is_first = tenant_ == &config_.tenants.front();
    for (const std::shared_ptr<VaultSecret>& secret : config_.vaults.secrets) {
      if (secret->tenant != tenant_->name && !(secret->tenant.empty() && is_first)) continue;
      const std::int64_t left = secret->ends_us() - parties_.clock.now_us();
      if (const std::string problem = secret->problem(); !problem.empty())
        tell(Level::Problem, "key vault", secret->place(), problem);
      else if (secret->ends_us() != 0 && left <= 0)
        tell(Level::Warning, "key vault", secret->place(),
             fmt::format("`{}` ended at {}", secret->address().url, format_time_us(secret->ends_us())));
      else if (secret->ends_us() != 0 && left < kEndsSoon)
        tell(Level::Warning, "key vault", secret->place(),
             fmt::format("`{}` ends in {}", secret->address().url, days(left)));
      else
        tell(Level::Good, "key vault", secret->place(),
             fmt::format("`{}` can be read", secret->address().url));
    }
  }

  // What flows call secrets, by name, whether it is there.
  void secrets() {
    if (tenant_ == &config_.tenants.front())
      for (const std::string& line : unreadable_secrets(config_.inbound))
        tell(Level::Problem, "secret", "service", line);
    for (const Module& module : modules_)
      for (const MissingSecret& each : missing_secrets(config_, *tenant_, module))
        tell(Level::Problem, "secret", each.name, each.text());
    for (const auto& [name, provider] : tenant_->secrets)
      if (const auto value = provider(); !value) tell(Level::Problem, "secret", name, value.error().message);
  }

  void certificate() {
    if (!tenant_->identity.certificate) return;
    const auto read = tenant_->identity.certificate();
    if (!read) return tell(Level::Problem, "credential", "certificate", read.error().message);
    const std::int64_t left = read->ends_us() - parties_.clock.now_us();
    const std::string name = fmt::format("certificate `{}` ({})", read->subject(), read->thumbprint());
    if (left <= 0)
      tell(Level::Problem, "credential", "certificate",
           fmt::format("{} ended at {}", name, format_time_us(read->ends_us())));
    else if (left < kEndsSoon)
      tell(Level::Warning, "credential", "certificate", fmt::format("{} ends in {}", name, days(left)));
    else
      tell(Level::Good, "credential", "certificate", fmt::format("{} is good for {}", name, days(left)));
  }

  TokenResult token(const TokenRequest& request) {
    auto promise = std::make_shared<std::promise<TokenResult>>();
    auto future = promise->get_future();
    parties_.tokens.get(request, [promise](TokenResult result) { promise->set_value(std::move(result)); });
    return future.get();
  }

  const Connector* connector(const std::string& name) const {
    for (const Module& module : modules_) {
      const auto found = std::ranges::find(module.connectors, name, &Connector::name);
      if (found != module.connectors.end()) return &*found;
    }
    return nullptr;
  }

  // Each API's token once; then flow by flow.
  void permissions(const std::vector<FlowNeeds>& needs) {
    std::map<std::string, std::set<std::string>> wanted;  // by connector: whatever a flow could use
    for (const FlowNeeds& flow : needs)
      for (const auto& [name, demands] : flow.permissions)
        for (const auto& demand : demands) wanted[name].insert(demand.begin(), demand.end());
    for (const FlowNeeds& flow : needs)
      for (const auto& [name, demands] : flow.permissions) wanted[name];
    for (const auto& [name, useful] : wanted) api(name, useful, needs);
    if (wanted.empty()) tell(Level::Note, "permissions", "", "no flow needs a token of Entra");
  }

  void api(const std::string& name, const std::set<std::string>& useful,
           const std::vector<FlowNeeds>& needs) {
    const Connector* const of = connector(name);
    if (of == nullptr) return;
    const auto configured = tenant_->access.scopes.find(name);
    const TokenRequest request = entra_token(
        tenant_->access, configured == tenant_->access.scopes.end() ? of->auth.scope : configured->second);
    const TokenResult got = token(request);
    if (!got)
      return tell(Level::Problem, "credential", name,
                  fmt::format("{}{}", got.error().message,
                              got.error().code.empty() ? "" : " [" + got.error().code + "]"));
    tell(Level::Good, "credential", name,
         fmt::format("a token for {} was given, by {}", request.scope,
                     credential_kind_name(tenant_->identity.kind)));
    const TokenClaims claims = claims_of(*got);
    if (!claims.is_readable)
      return tell(Level::Note, "permissions", name,
                  "the token cannot be read: whether it suffices shows when it is used");
    compare(name, claims.permissions, useful, needs);
  }

  void compare(const std::string& name, const std::vector<std::string>& granted,
               const std::set<std::string>& useful, const std::vector<FlowNeeds>& needs) {
    const auto has = [&](const std::string& permission) {
      return std::ranges::find(granted, permission) != granted.end();
    };
    bool is_missing = false;
    for (const FlowNeeds& flow : needs) {
      const auto demands = flow.permissions.find(name);
      if (demands == flow.permissions.end()) continue;
      std::vector<std::vector<std::string>> unmet;
      for (const auto& demand : demands->second)
        if (std::ranges::none_of(demand, has)) unmet.push_back(demand);
      const std::vector<std::string> least = least_permissions(std::move(unmet));
      if (least.empty()) {
        tell(Level::Good, "permissions", flow.flow, fmt::format("has all it needs of {}", name));
        continue;
      }
      is_missing = true;
      for (const std::string& permission : least) lack(name, permission, flow.flow);
    }
    std::vector<std::string> idle;
    for (const std::string& permission : granted)
      if (!useful.contains(permission)) idle.push_back(permission);
    if (!idle.empty())
      tell(Level::Note, "permissions", name,
           fmt::format("granted, and no flow needs it: {}", fmt::join(idle, ", ")));
    if (is_missing && tenant_->identity.kind == CredentialKind::ManagedIdentity)
      tell(Level::Note, "permissions", name,
           "tokens of managed identities are kept by Azure for up to a day: what was granted lately may be "
           "missing");
  }

  void lack(const std::string& name, const std::string& permission, const std::string& flow) {
    const bool may_be_elsewhere = may_be_granted_elsewhere(permission);
    tell(may_be_elsewhere ? Level::Warning : Level::Problem, "permissions", flow,
         fmt::format("lacks {} of {}{}", permission, name,
                     may_be_elsewhere ? ", unless Exchange grants it (RBAC for Applications)" : ""));
    auto& missing = checkup_.missing;
    const auto found = std::ranges::find_if(missing, [&](const MissingPermission& each) {
      return each.tenant == tenant_->name && each.connector == name && each.permission == permission;
    });
    if (found == missing.end())
      missing.push_back({tenant_->name, name, permission, {flow}});
    else if (found->flows.back() != flow)
      found->flows.push_back(flow);
  }

  // Credentials of third parties are looked at, not tried: a request could change something.
  void connectors() {
    for (const Module& module : modules_) {
      const auto missing = missing_settings_of(*tenant_, module);
      if (!missing) continue;  // told with the routes
      for (const MissingSettings& each : *missing)
        tell(Level::Problem, "connector", each.connector, each.text());
      for (const Connector& each : module.connectors) secrets_of(each);
    }
  }

  void secrets_of(const Connector& of) {
    if (of.auth.kind == Auth::Kind::None || of.auth.kind == Auth::Kind::Entra) return;
    if (!told_.insert(tenant_->name + "\n" + of.name).second) return;
    const auto found = tenant_->access.credentials.find(of.name);
    if (found == tenant_->access.credentials.end()) return;
    bool is_whole = true;
    const auto check = [&](const char* what, const SecretProvider& provider) {
      if (!provider) return;
      const auto value = provider();
      if (value) return;
      is_whole = false;
      tell(Level::Problem, "connector", of.name, fmt::format("`{}`: {}", what, value.error().message));
    };
    const ConnectorCredential& with = found->second;
    check("password", with.password);
    check("key", with.key);
    check("token", with.token);
    check("url", with.url);
    check("client_secret", with.client_secret);
    check("refresh_token", with.refresh_token);
    for (const auto& [name, url] : with.urls) check("urls", url);
    if (is_whole && missing_settings(of, tenant_->access).empty())
      tell(Level::Good, "connector", of.name,
           fmt::format("its credential is there (`auth {}`); it was not tried",
                       auth_name(auth_of(of, tenant_->access).kind)));
  }

  // Any answer shows that a host is reached; its date is that of its clock.
  void hosts() {
    std::map<std::string, std::string> bases;  // by address, whose it is
    if (!tenant_->access.door) bases.emplace(tenant_->access.authority, "sign-in");
    for (const Module& module : modules_)
      for (const FlowCode& flow : module.flows) {
        const auto operations = needed_operations(module, flow, tenant_->access);
        if (!operations) continue;  // told with what the flows need
        for (const Operation* operation : *operations) note_host(module, *operation, bases);
      }
    for (const auto& [base, name] : bases) host(base, name);
  }

  void note_host(const Module& module, const Operation& operation,
                 std::map<std::string, std::string>& bases) {
    if (operation.routes.empty()) return;
    const auto route = chosen_route(operation, tenant_->access);
    if (!route || (*route)->protocol != Protocol::Http) return;
    const Connector& of = module.connectors.at((*route)->connector);
    const std::string base = base_of(of, tenant_->access);
    if (!base.empty() && of.auth.kind != Auth::Kind::Url) bases.emplace(base, of.name);
  }

  void host(const std::string& base, const std::string& name) {
    auto promise = std::make_shared<std::promise<HttpResult>>();
    auto future = promise->get_future();
    const std::int64_t asked_us = parties_.clock.now_us();
    parties_.transport.send(
        {.method = "GET", .url = base + "/", .headers = {{"Accept", "*/*"}}, .deadline_us = kPatience},
        [promise](HttpResult result) { promise->set_value(std::move(result)); });
    const HttpResult result = future.get();
    if (const auto* failed = std::get_if<TransportError>(&result)) {
      // An answer that is too long is one.
      if (failed->kind != TransportError::Kind::TooLarge)
        tell(Level::Problem, "host", name, fmt::format("{} cannot be reached: {}", base, failed->message));
      return;
    }
    tell(Level::Good, "host", name, fmt::format("{} answers", base));
    const auto date = parse_http_date_us(std::get<HttpResponse>(result).header("Date"));
    if (!date) return;
    const std::int64_t skew = std::abs(*date - asked_us);
    if (skew < kSmallSkew) return;
    tell(skew < kLargeSkew ? Level::Warning : Level::Problem, "clock", name,
         fmt::format("this machine's clock is {} s {} that of {}{}", skew / kSecond,
                     *date < asked_us ? "before" : "behind", base,
                     skew < kLargeSkew ? "" : "; assertions and tokens are refused"));
  }

  // Connects and signs in, and sends nothing. A server that no mail goes by is no problem yet.
  void smtp() {
    const TenantAccess& access = tenant_->access;
    if (!access.smtp) return;
    const auto via = access.routes.find("mail");
    const Level bad = via != access.routes.end() && via->second == "smtp" ? Level::Problem : Level::Warning;
    const std::string host = fmt::format("{}:{}", access.smtp->host, access.smtp->port);
    SmtpJob job{.server = *access.smtp, .credential = {}, .message = {}, .is_trial = true};
    job.deadline_us = kPatience;
    if (job.server.login == SmtpServer::Login::Bearer) {
      const TokenResult got = token(entra_token(access, access.smtp_scope));
      if (!got) return tell(bad, "mail", host, got.error().message);
      job.credential = *got;
    } else if (job.server.login == SmtpServer::Login::Password) {
      const auto password = access.smtp_password ? access.smtp_password() : error("there is no password");
      if (!password) return tell(bad, "mail", host, password.error().message);
      job.credential = *password;
    }
    auto promise = std::make_shared<std::promise<MailResult>>();
    auto future = promise->get_future();
    parties_.mail.send(std::move(job),
                       [promise](MailResult result) { promise->set_value(std::move(result)); });
    const MailResult result = future.get();
    if (!result) return tell(bad, "mail", host, "the mail server refuses: " + result.error().message);
    tell(Level::Good, "mail", host,
         fmt::format("answers{}{}; nothing was sent",
                     access.smtp->security == SmtpServer::Security::None ? " without TLS" : " by TLS",
                     access.smtp->login == SmtpServer::Login::None ? "" : ", and takes the login"));
  }

  void mail(const std::vector<FlowNeeds>&) {
    bool sends = false;
    for (const Module& module : modules_)
      sends = sends || std::ranges::any_of(module.operations,
                                           [](const Operation& each) { return each.connector == "mail"; });
    if (!sends) return;
    const TenantAccess& access = tenant_->access;
    const auto via = access.routes.find("mail");
    const std::string route = via == access.routes.end() ? "graph" : via->second;
    const auto sender = access.settings.find(route + ".sender");
    if (sender == access.settings.end())
      return tell(
          Level::Problem, "mail", route,
          fmt::format("flows send mail, and there is no `[tenants.{}.mail]` with `sender`", tenant_->name));
    tell(Level::Good, "mail", route,
         fmt::format("goes by {} as {}{}", route, sender->second,
                     route == "smtp" && access.smtp ? " through " + access.smtp->host : ""));
  }

  const Config& config_;
  const std::vector<Module>& modules_;
  const DoctorParties parties_;
  const TenantConfig* tenant_ = nullptr;
  Checkup checkup_;
  std::set<std::string> told_;
};

}  // namespace

std::size_t Checkup::problems() const {
  return static_cast<std::size_t>(std::ranges::count(findings, Level::Problem, &Finding::level));
}

TokenClaims claims_of(const std::string& token) {
  const std::size_t first = token.find('.'), second = token.rfind('.');
  if (first == std::string::npos || first == second) return {};
  const auto payload = bytes_of_base64(std::string_view(token).substr(first + 1, second - first - 1));
  const auto claims = payload ? parse_json(*payload) : error("no Base64");
  if (!claims || claims->kind != JsonValue::Kind::Object) return {};
  TokenClaims read{.is_readable = true, .permissions = {}};
  if (const JsonValue* roles = claims->member("roles");
      roles != nullptr && roles->kind == JsonValue::Kind::List)
    for (const JsonValue& role : roles->items)
      if (role.is_text()) read.permissions.push_back(role.text);
  if (const JsonValue* scp = claims->member("scp"); scp != nullptr && scp->is_text()) {
    std::string_view rest = scp->text;
    while (!rest.empty()) {
      const std::size_t blank = std::min(rest.find(' '), rest.size());
      if (blank > 0) read.permissions.emplace_back(rest.substr(0, blank));
      rest.remove_prefix(std::min(blank + 1, rest.size()));
    }
  }
  return read;
}

Checkup examine(const Config& config, const std::vector<Module>& modules, const DoctorParties& parties) {
  // What cannot be had is told where it is wanted.
  static_cast<void>(fetch_secrets(config.vaults.secrets, {parties.transport, parties.tokens, parties.clock,
                                                          config.vaults.options.api_version}));
  Doctor doctor(config, modules, parties);
  for (const TenantConfig& tenant : config.tenants) doctor.examine(tenant);
  return doctor.take();
}

}  // namespace flow
