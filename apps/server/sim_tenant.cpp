// The tenant that `flow sim` pretends, as a configuration would say it.
#include <fmt/format.h>

#include <algorithm>

#include "apps/server/config.hpp"

namespace flow {
namespace {

constexpr const char* kSender = "soc-bot@contoso.com";

SecretProvider known(std::string value) {
  return [value = std::move(value)]() -> Result<std::string> { return value; };
}

// As whom the pretend tenant's doubles of other services are called: most take any credential of the right
// form.
void add_doubles(TenantAccess& access, const std::string& url) {
  for (const char* connector : {"slack", "servicenow", "jira", "sentinel", "loganalytics"})
    access.bases[connector] = url;
  access.credentials["slack"].token = known("xoxb-sim");
  for (const char* connector : {"servicenow", "jira"}) {
    access.credentials[connector].user = "flow";
    access.credentials[connector].password = known("sim-secret");
  }
  for (const auto& [connector, path] :
       {std::pair("teams", "/teams/"), std::pair("slack_webhook", "/slack/")}) {
    access.credentials[connector].url = known(url + path + "soc");
    for (const char* channel : {"soc", "oncall", "security"})
      access.credentials[connector].urls[channel] = known(url + path + channel);
  }
  for (const char* connector : {"sentinel", "loganalytics"}) {
    access.settings[fmt::format("{}.subscription", connector)] = "5f1d7c84-2b60-4e9a-8c3d-90a1b2c3d4e5";
    access.settings[fmt::format("{}.resource_group", connector)] = "soc";
    access.settings[fmt::format("{}.workspace", connector)] = "soc";
  }
}

// The doubles of mail services check their credentials: these are the right ones.
void add_mail(TenantAccess& access, const std::string& url, std::string via) {
  std::ranges::replace(via, '-', '_');  // as the declaration names the route
  access.routes = {{"mail", std::move(via)}};
  for (const char* connector : {"graph", "smtp", "gmail", "acs"}) {
    access.settings[fmt::format("{}.sender", connector)] = kSender;
    access.settings[fmt::format("{}.domain", connector)] = "contoso.com";
  }
  access.bases["gmail"] = access.bases["acs"] = url;
  ConnectorCredential& gmail = access.credentials["gmail"];
  gmail.client_id = "sim-client.apps.googleusercontent.com";
  gmail.client_secret = known("sim-secret");
  gmail.refresh_token = known("1//sim-refresh");
  gmail.token_url = url + "/token";
  access.credentials["acs"].key =
      known("c2ltLWFjY2Vzcy1rZXktb2YtdGhlLXByZXRlbmQtdGVuYW50LXdoaWNoLWlzLW5vLXNlY3JldC1hdC1hbGwh");
}

}  // namespace

TenantConfig sim_tenant(std::uint16_t port, std::uint16_t smtp_port, const std::string& mail_via) {
  const std::string url = fmt::format("http://127.0.0.1:{}", port);
  TenantConfig tenant;
  tenant.name = "sim";
  TenantAccess& access = tenant.access;
  access.tenant_id = "7d0c9b2e-3a51-4f6b-8e27-90b4d1c6a5f3";
  access.client_id = "0b6e4d92-71c3-4f58-a1d7-3e90c5b2f846";
  access.client_secret = known("sim-secret");
  access.authority = url;
  access.bases = {{"defender", url}, {"graph", url}};
  access.smtp = SmtpServer{.host = "127.0.0.1", .port = smtp_port, .security = SmtpServer::Security::None};
  add_mail(access, url, mail_via);
  add_doubles(access, url);
  access.secret = [](const std::string& name) -> Result<std::string> { return "sim-" + name; };
  tenant.knows_every_secret = true;
  tenant.identity.kind = CredentialKind::Secret;
  return tenant;
}

}  // namespace flow
