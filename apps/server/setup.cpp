#include "apps/server/setup.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "apps/cli/source.hpp"
#include "apps/cli/terminal.hpp"
#include "apps/server/connector_check.hpp"
#include "base/mail_digest.hpp"
#include "base/text.hpp"
#include "vm/bytecode/encode.hpp"
#include "vm/interp/arguments.hpp"

namespace flow {

Attempt<Config> choose_config(const ConfigChoice& choice) {
  if (choice.sim && !choice.file.empty()) return failure("give --config or --sim, not both", kUsage);
  if (choice.sim) {
    Config config;
    config.tenants.push_back(sim_tenant(choice.sim_port, choice.sim_smtp_port, choice.mail));
    config.poll_every_us = 1'000'000;
    config.settle_after_us = 50'000;  // the pretend tenant is quick
    return config;
  }
  if (choice.file.empty())
    return failure("name a configuration with --config flow.toml, or use the pretend tenant with --sim",
                   kUsage);
  FLOW_TRY(Config config, choice.is_quiet ? load_config_quietly(choice.file) : load_config(choice.file));
  config.transport.proxies = proxies_from_environment();
  return config;
}

namespace {

LoadedModule described(const std::string& file, Module with, std::string bytes) {
  LoadedModule loaded;
  loaded.module = std::move(with);
  const Module& module = loaded.module;
  loaded.file = file;
  loaded.bytes = std::move(bytes);
  for (const FlowCode& flow : module.flows) {
    loaded.flows.push_back(flow.name);
    const Trigger& trigger = module.triggers[flow.trigger];
    if (trigger.kind == Trigger::Kind::Webhook) loaded.hooks.push_back(trigger.endpoint);
    if (trigger.kind == Trigger::Kind::Manual) loaded.manual.push_back(flow.name);
  }
  for (const Setting& setting : module.settings) {
    loaded.settings.push_back(setting.name);
    if (is_text_in_json(module.types, setting.type)) loaded.text_settings.insert(setting.name);
  }
  return loaded;
}

}  // namespace

Result<LoadedModule> describe_module(const std::string& file, std::string bytes) {
  FLOW_TRY(Module module, decode(bytes));
  return described(file, std::move(module), std::move(bytes));
}

Attempt<std::vector<LoadedModule>> load_modules(const std::vector<std::string>& files) {
  std::vector<LoadedModule> modules;
  std::map<std::string, std::string> declared_in;
  for (const std::string& file : files) {
    FLOW_TRY(Module loaded, load_module(file));
    std::string bytes = encode(loaded);
    modules.push_back(described(file, std::move(loaded), std::move(bytes)));
    const Module& module = modules.back().module;
    for (const FlowCode& declared : module.flows) {
      if (is_made_by_compiler(module.triggers[declared.trigger])) continue;  // of each module its own
      const std::string& flow = declared.name;
      const auto [at, is_new] = declared_in.emplace(flow, file);
      if (!is_new)
        return failure(
            fmt::format("flow `{}` is in `{}` and in `{}`; names must differ", flow, at->second, file),
            kFlowWrong);
    }
  }
  return modules;
}

std::string deployed_name(const std::string& file) {
  return std::filesystem::path(file).stem().string();
}

// What the configuration says of one file's settings, as a JSON object.
std::string settings_json(const Config& config, const LoadedModule& module) {
  Config::Params values;
  for (const std::string& name : module.settings)
    if (const auto found = config.params.find(name); found != config.params.end()) values.insert(*found);
  const auto own = config.params_of_file.find(deployed_name(module.file));
  if (own != config.params_of_file.end())
    for (const auto& [name, json] : own->second) values.insert_or_assign(name, json);
  std::string object;
  for (const auto& [name, json] : values)
    object += fmt::format("{}{}:{}", object.empty() ? "" : ",", json_quoted(name), json);
  return "{" + object + "}";
}

namespace {

// The machine would say so, too, but not where the value is written.
Status check_required(const Config& config, const LoadedModule& module) {
  const std::string file = deployed_name(module.file);
  const auto own = config.params_of_file.find(file);
  for (const Setting& setting : module.module.settings) {
    if (!setting.is_required || config.params.contains(setting.name)) continue;
    if (own != config.params_of_file.end() && own->second.contains(setting.name)) continue;
    return error(fmt::format(
        "`{0}`: the parameter `{1}` has no value; write `{1} = …` in `[params]` or `[params.{2}]` of "
        "the configuration",
        module.file, setting.name, file));
  }
  return {};
}

// A parameter that no file has was probably misspelt.
Status check_params(const Config& config, const std::vector<LoadedModule>& modules) {
  std::vector<std::string> settings, files;
  for (const LoadedModule& module : modules) {
    settings.insert(settings.end(), module.settings.begin(), module.settings.end());
    files.push_back(deployed_name(module.file));
  }
  const auto check = [](const std::string& name, const std::vector<std::string>& known,
                        std::string_view what) -> Status {
    if (std::ranges::find(known, name) != known.end()) return {};
    const auto near = nearest_name(name, known);
    return error(
        fmt::format("{} `{}`{}", what, name, near ? fmt::format("; did you mean `{}`?", *near) : ""));
  };
  for (const auto& [name, json] : config.params)
    FLOW_TRY_STATUS(check(name, settings, "`[params]`: no file has a parameter"));
  for (const auto& [file, params] : config.params_of_file)
    FLOW_TRY_STATUS(check(file, files, fmt::format("`[params.{}]`: there is no file", file)));
  for (const LoadedModule& module : modules) FLOW_TRY_STATUS(check_required(config, module));
  return {};
}

}  // namespace

Status deploy_all(Runtime& runtime, const Config& config, const std::vector<LoadedModule>& modules) {
  FLOW_TRY_STATUS(check_params(config, modules));
  for (const TenantConfig& tenant : config.tenants)
    for (const LoadedModule& module : modules) {
      auto deployed = runtime.deploy(tenant.name, module.bytes, settings_json(config, module));
      if (!deployed) return error(fmt::format("`{}`: {}", module.file, deployed.error().message));
    }
  return runtime.recover();
}

std::vector<DeployRequest> deploy_requests(const Config& config, const std::vector<LoadedModule>& modules,
                                           const std::string& tenant, const std::string& by) {
  std::vector<DeployRequest> requests;
  for (const LoadedModule& module : modules)
    requests.push_back({.what = DeployRequest::What::Live,
                        .tenant = tenant,
                        .module = module.bytes,
                        .conditions = module.conditions,
                        .settings = settings_json(config, module),
                        .file = deployed_name(module.file),
                        .flow = {},
                        .by = by});
  return requests;
}

Status deploy_service(Runtime& runtime, const Config& config, const std::vector<LoadedModule>& modules) {
  if (!modules.empty()) FLOW_TRY_STATUS(check_params(config, modules));
  DeploySet set{.tenants = {}, .files = {}, .is_all = !modules.empty(), .by = "flow serve"};
  for (const TenantConfig& tenant : config.tenants) {
    set.tenants.push_back(tenant.name);
    for (DeployRequest& request : deploy_requests(config, modules, tenant.name, set.by))
      set.files.push_back(std::move(request));
  }
  FLOW_TRY_STATUS(runtime.deploy(set));
  return runtime.recover();
}

Status check_connectors_of(const Config& config, const std::vector<LoadedModule>& modules) {
  ModuleList list;
  for (const LoadedModule& loaded : modules) list.push_back(&loaded.module);
  return check_connectors(config, list);
}

Status check_hooks_of(const Config& config, const LoadedModule& module) {
  for (const std::string& hook : module.hooks)
    if (!config.inbound.hooks.contains(hook))
      return error(
          fmt::format("`{}`: a flow waits at the hook `{}`, which the configuration does not have: it needs "
                      "`[webhooks.{}]`",
                      module.file, hook, hook));
  return {};
}

Status check_hooks(const Config& config, const std::vector<LoadedModule>& modules) {
  std::vector<std::string> hooks;
  for (const LoadedModule& module : modules) {
    FLOW_TRY_STATUS(check_hooks_of(config, module));
    hooks.insert(hooks.end(), module.hooks.begin(), module.hooks.end());
  }
  for (const auto& [name, hook] : config.inbound.hooks) {
    if (std::ranges::find(hooks, name) != hooks.end()) continue;
    const auto near = nearest_name(name, hooks);
    return error(fmt::format("`[webhooks.{}]`: no flow waits at this hook{}", name,
                             near ? fmt::format("; did you mean `{}`?", *near) : ""));
  }
  return {};
}

namespace {
sigset_t watched_signals(bool takes_hangup) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  if (takes_hangup) sigaddset(&set, SIGHUP);
  sigaddset(&set, SIGUSR2);  // wakes the watch when it is no longer needed
  return set;
}

// From now on SIGINT and SIGTERM end the process at once, in whatever thread they arrive.
void end_at_next_signal() {
  std::signal(SIGINT, [](int) { _exit(130); });
  std::signal(SIGTERM, [](int) { _exit(130); });
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}
}  // namespace

void block_signals(bool takes_hangup) {
  const sigset_t set = watched_signals(takes_hangup);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

struct SignalWatch::Impl {
  std::atomic<bool> is_over{false};
  std::thread thread;
};

SignalWatch::SignalWatch(Runtime& runtime, std::function<void()> on_hangup)
    : impl_(std::make_unique<Impl>()) {
  impl_->thread = std::thread([this, &runtime, on_hangup = std::move(on_hangup)] {
    const sigset_t set = watched_signals(on_hangup != nullptr);
    for (int stops = 0;;) {
      int signal = 0;
      if (sigwait(&set, &signal) != 0) continue;
      if (impl_->is_over) return;
      if (signal == SIGUSR2) continue;
      if (signal == SIGHUP) {
        on_hangup();
        continue;
      }
      if (++stops > 1) _exit(130);
      end_at_next_signal();  // before anything that may block: whoever reads our output may have stopped
                             // reading
      runtime.stop();
      std::fputs("flow: stopping: calls that are out may finish; once more stops at once\n", stderr);
    }
  });
}

SignalWatch::~SignalWatch() {
  impl_->is_over = true;
  pthread_kill(impl_->thread.native_handle(), SIGUSR2);
  impl_->thread.join();
  end_at_next_signal();  // what is left to do may wait for others
}

void leave(int code) {
  std::fflush(stdout);
  std::fflush(stderr);
  _exit(code);
}

}  // namespace flow
