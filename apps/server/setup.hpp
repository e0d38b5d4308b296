// What run, serve and demo share: the configuration from a file or the pretend tenant, modules from files,
// and the loop with signals around it.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "apps/cli/exit_code.hpp"
#include "apps/server/world.hpp"
#include "base/result.hpp"

namespace flow {

struct ConfigChoice {
  std::string file;  // flow.toml, or empty
  bool sim = false;
  std::uint16_t sim_port = 0;
  std::uint16_t sim_smtp_port = 0;
  std::string mail = "graph";
  bool is_quiet = false;  // mistakes in the file are in the error only, and not printed
};
Attempt<Config> choose_config(const ConfigChoice& choice);

struct LoadedModule {
  std::string file;
  std::string bytes;
  Module module;
  std::vector<std::string> flows;
  std::vector<std::string> settings;    // names
  std::set<std::string> text_settings;  // those whose values are texts in JSON
  std::vector<std::string> hooks;       // at which its flows wait
  std::vector<std::string> manual;      // flows that people start
  std::string conditions;               // stored_conditions.hpp; load_modules() leaves it empty
};
Attempt<std::vector<LoadedModule>> load_modules(const std::vector<std::string>& files);
// The same of a module that comes encoded.
Result<LoadedModule> describe_module(const std::string& file, std::string bytes);

// Every flow of every module for every tenant of the configuration; then the runs of the store are taken up.
Status deploy_all(Runtime& runtime, const Config& config, const std::vector<LoadedModule>& modules);
// The same for a service: what the store says is live stays so, unless there are modules, which then are all
// that is live.
Status deploy_service(Runtime& runtime, const Config& config, const std::vector<LoadedModule>& modules);

// By which a file is known where it was deployed: without folder and ending.
std::string deployed_name(const std::string& file);
// What the configuration says of one file's settings, as a JSON object.
std::string settings_json(const Config& config, const LoadedModule& module);
// What makes each of the modules live for the tenant.
std::vector<DeployRequest> deploy_requests(const Config& config, const std::vector<LoadedModule>& modules,
                                           const std::string& tenant, const std::string& by);

// Whether the tenants have what the connectors of these flows need (connector_check.hpp).
Status check_connectors_of(const Config& config, const std::vector<LoadedModule>& modules);

// Each hook that a flow waits at must be configured, and each that is configured must have a flow.
Status check_hooks(const Config& config, const std::vector<LoadedModule>& modules);
// The first half of that, for what comes to a service that runs.
Status check_hooks_of(const Config& config, const LoadedModule& module);

// Keeps SIGINT and SIGTERM from threads made later, and SIGHUP as well for who takes it; call it first. Then
// one thread waits for them: the first stops the runtime, which drains, the second ends the process at once
// (nothing is lost, the journal is whole). `on_hangup` is called for each SIGHUP, and must be quick.
void block_signals(bool takes_hangup);
class SignalWatch {
 public:
  explicit SignalWatch(Runtime& runtime, std::function<void()> on_hangup = {});
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Ends the process without static destructors, which cpprestsdk does not survive while exchanges are under
// way.
[[noreturn]] void leave(int code);

}  // namespace flow
