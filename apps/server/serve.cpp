// flow serve: runs flows until it is told to stop.
#include <fmt/format.h>
#include <unistd.h>

#include "apps/cli/exit_code.hpp"
#include "apps/cli/terminal.hpp"
#include "apps/server/narrator.hpp"
#include "apps/server/runtime_commands.hpp"
#include "apps/server/setup.hpp"
#include "runtime/sqlite_store.hpp"

namespace flow {
namespace {

Attempt<int> serve(const ServeOptions& options) {
  FLOW_TRY(Config config, choose_config({options.config, options.sim, options.sim_port, options.sim_smtp_port,
                                         options.mail}));
  if (!options.store.empty()) config.store = options.store;
  if (options.poll_every_us > 0) config.poll_every_us = options.poll_every_us;
  if (options.look_back_us > 0) config.look_back_us = options.look_back_us;
  FLOW_TRY(const std::vector<LoadedModule> modules, load_modules(options.files));
  FLOW_TRY(const std::unique_ptr<World> world, World::make(config));
  FLOW_TRY(const std::unique_ptr<SqliteStore> store, SqliteStore::open(config.store));
  const std::unique_ptr<Engine> engine = vm_engine(config.limits);
  Narrator narrator(wants_colours(STDOUT_FILENO), options.quiet);
  RuntimeOptions runtime_options;
  runtime_options.poll_interval_us = config.poll_every_us;
  runtime_options.look_back_us = config.look_back_us;
  runtime_options.crash_at_append = options.crash_at_append;
  runtime_options.chosen_route = [&](const std::string& tenant, const Operation& operation) {
    return world->chosen_route(tenant, operation);
  };
  Runtime runtime(*store, world->clock(), world->random(), world->executor(), *engine, runtime_options,
                  &narrator);
  FLOW_TRY_STATUS(deploy_all(runtime, config, modules));
  for (const LoadedModule& module : modules)
    for (const std::string& flow : module.flows)
      say(stdout, fmt::format("serving {} from {}\n", flow, module.file));
  const SignalWatch watch(runtime);
  FLOW_TRY_STATUS(runtime.run());
  return static_cast<int>(kSuccess);
}

}  // namespace

int run_serve(const ServeOptions& options) {
  const Attempt<int> served = serve(options);
  if (!served) complain(served.error().message);
  leave(served ? *served : served.error().code);
}

}  // namespace flow
