// What the doctor found, for people and for programs, and the commands that put it right.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "apps/server/doctor.hpp"
#include "base/text.hpp"

namespace flow {
namespace {

std::string_view level_name(Finding::Level level) {
  switch (level) {
    case Finding::Level::Good: return "good";
    case Finding::Level::Note: return "note";
    case Finding::Level::Warning: return "warning";
    case Finding::Level::Problem: return "problem";
  }
  return {};
}

// By which the API's own app is found in a tenant; empty for one that is not known.
std::string_view api_name(std::string_view connector) {
  if (connector == "graph") return "Microsoft Graph";
  if (connector == "defender") return "WindowsDefenderATP";
  return {};
}

// In single quotes of a shell.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

std::string grants_of(const std::string& connector,
                      const std::vector<const MissingPermission*>& permissions) {
  std::string out;
  if (api_name(connector).empty()) {
    for (const MissingPermission* each : permissions)
      out += fmt::format("# {} of connector {}: ask who runs that API\n", each->permission, connector);
    return out;
  }
  out += fmt::format(
      "\n# {}\n"
      "api=$(az ad sp list --filter \"displayName eq '{}'\" --query '[0].id' -o tsv)\n",
      connector, api_name(connector));
  for (const MissingPermission* each : permissions)
    out += fmt::format(
        "# needed by {}\n"
        "role=$(az ad sp show --id \"$api\" --query \"appRoles[?value=='{}'].id | [0]\" -o tsv)\n"
        "az rest --method POST --url \"$graph/servicePrincipals/$app/appRoleAssignments\" \\\n"
        "  --body "
        "\"{{\\\"principalId\\\":\\\"$app\\\",\\\"resourceId\\\":\\\"$api\\\",\\\"appRoleId\\\":\\\"$"
        "role\\\"}}\"\n",
        fmt::join(each->flows, ", "), each->permission);
  return out;
}

}  // namespace

std::string grant_script(const Checkup& checkup, const TenantConfig& tenant) {
  std::map<std::string, std::vector<const MissingPermission*>> by_connector;
  for (const MissingPermission& each : checkup.missing)
    if (each.tenant == tenant.name) by_connector[each.connector].push_back(&each);
  if (by_connector.empty()) return {};
  const Cloud* const cloud = tenant.identity.cloud;
  std::string out = fmt::format(
      "# Grants tenant {} what its flows need. Who runs it may assign app roles (Privileged Role "
      "Administrator).\n"
      "set -eu\n"
      "az login --tenant {} --allow-no-subscriptions\n"
      "graph={}/v1.0\n",
      tenant.name, quoted(tenant.access.tenant_id),
      cloud == nullptr ? "https://graph.microsoft.com" : cloud->graph);
  if (tenant.access.client_id.empty())
    out += "app=OBJECT-ID-OF-THE-MANAGED-IDENTITY  # az identity show --query principalId -o tsv\n";
  else
    out += fmt::format("app=$(az ad sp show --id {} --query id -o tsv)\n", quoted(tenant.access.client_id));
  for (const auto& [connector, permissions] : by_connector) out += grants_of(connector, permissions);
  return out;
}

std::string checkup_text(const Checkup& checkup, const Config& config) {
  std::string out;
  for (const TenantConfig& tenant : config.tenants) {
    out += fmt::format("{}tenant {}\n", out.empty() ? "" : "\n", tenant.name);
    for (const Finding& each : checkup.findings)
      if (each.tenant == tenant.name)
        out += fmt::format("  {:<8} {:<12} {:<18} {}\n", level_name(each.level), each.about, each.what,
                           each.text);
    const std::string script = grant_script(checkup, tenant);
    if (script.empty()) continue;
    out += "\n  to grant what is missing:\n\n";
    std::string_view rest = script;
    while (!rest.empty()) {
      const std::size_t end = rest.find('\n');
      out += end == 0 ? "\n" : "    " + std::string(rest.substr(0, end)) + "\n";
      rest.remove_prefix(end + 1);
    }
  }
  const std::size_t problems = checkup.problems();
  out +=
      problems == 0 ? "\nno problems\n" : fmt::format("\n{} problem{}\n", problems, problems == 1 ? "" : "s");
  return out;
}

std::string checkup_json(const Checkup& checkup) {
  std::string findings, missing;
  for (const Finding& each : checkup.findings)
    findings += fmt::format(R"({}{{"level":{},"tenant":{},"about":{},"what":{},"text":{}}})",
                            findings.empty() ? "" : ",", json_quoted(level_name(each.level)),
                            json_quoted(each.tenant), json_quoted(each.about), json_quoted(each.what),
                            json_quoted(each.text));
  for (const MissingPermission& each : checkup.missing) {
    std::string flows;
    for (const std::string& flow : each.flows) flows += (flows.empty() ? "" : ",") + json_quoted(flow);
    missing += fmt::format(R"({}{{"tenant":{},"connector":{},"permission":{},"flows":[{}]}})",
                           missing.empty() ? "" : ",", json_quoted(each.tenant), json_quoted(each.connector),
                           json_quoted(each.permission), flows);
  }
  return fmt::format(R"({{"problems":{},"findings":[{}],"missing":[{}]}})", checkup.problems(), findings,
                     missing) +
         "\n";
}

}  // namespace flow
