// `flow doctor` and `flow login`.
#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <future>
#include <thread>

#include "apps/cli/exit_code.hpp"
#include "apps/cli/terminal.hpp"
#include "apps/server/connector_check.hpp"
#include "apps/server/doctor.hpp"
#include "apps/server/login_file.hpp"
#include "apps/server/runtime_commands.hpp"
#include "apps/server/setup.hpp"
#include "runtime/sqlite_store.hpp"
#include "stdlib/http/answer.hpp"
#include "stdlib/identity/device_code.hpp"

namespace flow {
namespace {

// Of one tenant, when one is named.
Status keep_tenant(Config& config, const std::string& name) {
  if (name.empty()) return {};
  std::erase_if(config.tenants, [&](const TenantConfig& tenant) { return tenant.name != name; });
  if (config.tenants.empty()) return error(fmt::format("the configuration has no tenant `{}`", name));
  return {};
}

Attempt<int> examine_all(const DoctorOptions& options) {
  FLOW_TRY(Config config,
           choose_config({options.config, options.sim, options.sim_port, options.sim_smtp_port, "graph"}));
  FLOW_TRY_STATUS(keep_tenant(config, options.tenant));
  std::vector<Module> modules;
  FLOW_TRY(std::vector<LoadedModule> loaded, load_modules(options.files));
  for (LoadedModule& each : loaded) modules.push_back(std::move(each.module));
  if (options.files.empty()) {
    if (!std::filesystem::exists(config.store))
      return failure("name the files of the flows: nothing is deployed, as there is no store", kUsage);
    FLOW_TRY(const std::unique_ptr<SqliteStore> store, SqliteStore::open_read_only(config.store));
    FLOW_TRY(modules, live_modules(*store));
    if (modules.empty()) return failure("name the files of the flows: nothing is deployed", kUsage);
  }
  FLOW_TRY(const std::unique_ptr<World> world, World::make_without_secrets(config));
  const Checkup checkup =
      examine(config, modules, {world->transport(), world->tokens(), world->clock(), world->mail()});
  if (options.is_script) {
    for (const TenantConfig& tenant : config.tenants) say(stdout, grant_script(checkup, tenant));
  } else {
    say(stdout, options.json ? checkup_json(checkup) : checkup_text(checkup, config));
  }
  return static_cast<int>(checkup.problems() == 0 ? kSuccess : kFlowWrong);
}

HttpResult send_now(Transport& transport, HttpRequest request) {
  auto promise = std::make_shared<std::promise<HttpResult>>();
  auto future = promise->get_future();
  transport.send(std::move(request), [promise](HttpResult result) { promise->set_value(std::move(result)); });
  return future.get();
}

// Until the person has entered the code, or declined, or was too late.
Attempt<DeviceTokens> wait_for_person(World& world, const DeviceLogin& login, const DevicePrompt& prompt) {
  std::int64_t interval_us = prompt.interval_us;
  while (world.clock().now_us() < prompt.ends_us) {
    std::this_thread::sleep_for(std::chrono::microseconds(interval_us));
    const HttpResult result = send_now(world.transport(), device_token_request(login, prompt));
    const auto* response = std::get_if<HttpResponse>(&result);
    if (response == nullptr) continue;  // the network may come back while the code is good
    DeviceAnswer answer = read_device_tokens(login, *response, world.clock().now_us());
    if (auto* tokens = std::get_if<DeviceTokens>(&answer)) return std::move(*tokens);
    if (const auto* fault = std::get_if<Fault>(&answer)) return failure(fault->message, kWorldWrong);
    if (std::get<DevicePending>(answer).slows_down) interval_us += 5'000'000;
  }
  return failure("the code was not entered in time", kWorldWrong);
}

Attempt<int> sign_in(const LoginOptions& options) {
  FLOW_TRY(Config config, choose_config({options.config, false, 0, 0, "graph"}));
  FLOW_TRY_STATUS(keep_tenant(config, options.tenant));
  if (config.tenants.size() > 1)
    return failure("the configuration has several tenants; choose one with --tenant", kUsage);
  const TenantConfig& tenant = config.tenants.front();
  if (tenant.identity.kind != CredentialKind::Person)
    return failure(fmt::format("nobody signs in for tenant `{}`: it needs `[tenants.{}.login]` with `file`",
                               tenant.name, tenant.name),
                   kWorldWrong);
  const auto graph = tenant.access.scopes.find("graph");
  const std::string resource =
      graph == tenant.access.scopes.end() ? "https://graph.microsoft.com/.default" : graph->second;
  const DeviceLogin login{.authority = tenant.access.authority,
                          .tenant = tenant.access.tenant_id,
                          .client_id = tenant.access.client_id,
                          .scope = resource + " offline_access openid"};
  FLOW_TRY(const std::unique_ptr<World> world, World::make_without_secrets(config));
  const HttpResult result = send_now(world->transport(), device_code_request(login));
  if (const auto* failed = std::get_if<TransportError>(&result))
    return failure(fmt::format("{}: {}", login.authority, failed->message), kWorldWrong);
  const auto prompt = read_device_prompt(login, std::get<HttpResponse>(result), world->clock().now_us());
  if (!prompt) return failure(prompt.error().message, kWorldWrong);
  say(stdout, fmt::format("open  {}\nenter {}\n", prompt->address, prompt->user_code));
  FLOW_TRY(const DeviceTokens tokens, wait_for_person(*world, login, *prompt));
  FLOW_TRY_STATUS(save_login(tenant.identity.login_file, tokens.refresh_token));
  say(stdout, fmt::format("signed in for tenant {}; kept in {}\n", tenant.name, tenant.identity.login_file));
  return static_cast<int>(kSuccess);
}

int ended(const Attempt<int>& attempt) {
  if (attempt) return *attempt;
  complain(attempt.error().message);
  return attempt.error().code;
}

}  // namespace

int run_doctor(const DoctorOptions& options) {
  leave(ended(examine_all(options)));
}

int run_login(const LoginOptions& options) {
  leave(ended(sign_in(options)));
}

}  // namespace flow
