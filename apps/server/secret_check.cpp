#include "apps/server/secret_check.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "base/text.hpp"
#include "runtime/json_text.hpp"

namespace flow {
namespace {

// By which name the runtime is asked for it.
std::string name_of(const Config& config, const Module& module, const Setting& setting) {
  const Config::Params* own = nullptr;
  const auto of_file = config.params_of_file.find(std::filesystem::path(module.source_name).stem().string());
  if (of_file != config.params_of_file.end()) own = &of_file->second;
  for (const Config::Params* const params : {own, &config.params}) {
    if (params == nullptr) continue;
    const auto found = params->find(setting.name);
    if (found == params->end()) continue;
    return json_string(json_member(found->second, "$secret").value_or(found->second)).value_or(setting.name);
  }
  return setting.name;
}

}  // namespace

std::string MissingSecret::text() const {
  return fmt::format(
      "tenant `{}`: `{}` has a secret `{}`, and `[tenants.{}.secrets]` has none of that name: write "
      "`{}_env = \"VARIABLE\"`, `{}_file = \"PATH\"` or `{}_keyvault = \"https://…\"` there",
      tenant, used_by, name, tenant, name, name, name);
}

std::vector<std::string> unreadable_secrets(const InboundConfig& config) {
  std::vector<std::string> lines;
  const auto read = [&](const SecretProvider& provider, const std::string& place) {
    if (!provider) return;
    if (const auto value = provider(); !value)
      lines.push_back(fmt::format("{}: {}", place, value.error().message));
  };
  read(config.api_token, "`[api]`");
  read(config.metrics_token, "`[metrics]`");
  read(config.link_key, "the key of links");
  for (const auto& [name, hook] : config.hooks)
    for (const SecretProvider* const provider : {&hook.secret, &hook.token})
      read(*provider, fmt::format("`[webhooks.{}]`", name));
  return lines;
}

std::vector<MissingSecret> missing_secrets(const Config& config, const TenantConfig& tenant,
                                           const Module& module) {
  std::vector<MissingSecret> missing;
  if (tenant.knows_every_secret) return missing;
  for (const Setting& setting : module.settings) {
    if (!setting.is_secret) continue;
    const std::string name = name_of(config, module, setting);
    if (!tenant.secrets.contains(name)) missing.push_back({tenant.name, name, module.source_name});
  }
  return missing;
}

}  // namespace flow
