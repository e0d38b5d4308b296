// flow serve: runs flows until it is told to stop.
#include <fmt/format.h>
#include <unistd.h>

#include "apps/cli/exit_code.hpp"
#include "apps/cli/terminal.hpp"
#include "apps/server/deployments.hpp"
#include "apps/server/http_server.hpp"
#include "apps/server/inbound.hpp"
#include "apps/server/link_key.hpp"
#include "apps/server/narrator.hpp"
#include "apps/server/people.hpp"
#include "apps/server/run_control.hpp"
#include "apps/server/run_search.hpp"
#include "apps/server/runtime_commands.hpp"
#include "apps/server/setup.hpp"
#include "base/text.hpp"
#include "runtime/sqlite_store.hpp"

namespace flow {
namespace {

// Nothing when the configuration names no address.
Result<std::unique_ptr<HttpServer>> listen(const InboundConfig& config, const Inbound& inbound,
                                           const People& people, const RunControl& control,
                                           const RunPages& runs, const Deployments& deployments) {
  if (config.address.empty()) return std::unique_ptr<HttpServer>();
  HttpServerOptions options;
  options.address = config.address;
  options.port = config.port;
  options.body_limit = config.body_bytes;
  FLOW_TRY(auto server,
           HttpServer::start(options, [&](const HttpQuestion& question, HttpServer::Reply reply) {
             if (people.handle(question, reply) || control.handle(question, reply) ||
                 runs.handle(question, reply) || deployments.handle(question, reply))
               return;
             inbound.handle(question, std::move(reply));
           }));
  say(stdout,
      fmt::format("listening at http://{}:{}\n",
                  config.address.find(':') == std::string::npos ? config.address : "[" + config.address + "]",
                  server->port()));
  return server;
}

// Of a start without files.
Status say_what_is_live(Store& store, const Config& config) {
  FLOW_TRY(const std::vector<DeploymentRow> rows, store.deployments("", ""));
  bool is_any = false;
  for (const auto& [key, versions] : versions_by_flow(rows)) {
    const DeploymentRow* const current = versions.current();
    if (current == nullptr) continue;
    is_any = true;
    say(stdout, printable(fmt::format("serving {} for {} from {}, deployed at {}", current->flow,
                                      current->tenant, current->file, format_time_us(current->time_us))) +
                    "\n");
  }
  if (is_any) return {};
  if (!config.inbound.api_token)
    return error(fmt::format(
        "nothing is deployed in `{}`: name files to serve, or deploy some by `flow deploy`", config.store));
  say(stdout, "nothing is live yet: `flow deploy` changes that\n");
  return {};
}

Attempt<int> serve(const ServeOptions& options) {
  FLOW_TRY(Config config, choose_config({options.config, options.sim, options.sim_port, options.sim_smtp_port,
                                         options.mail}));
  if (!options.store.empty()) config.store = options.store;
  if (options.poll_every_us > 0) config.poll_every_us = options.poll_every_us;
  if (options.look_back_us > 0) config.look_back_us = options.look_back_us;
  FLOW_TRY(const std::vector<LoadedModule> modules, load_modules(options.files));
  if (!modules.empty()) FLOW_TRY_STATUS(check_hooks(config, modules));
  FLOW_TRY(const std::unique_ptr<World> world, World::make(config));
  FLOW_TRY(const std::unique_ptr<SqliteStore> store, SqliteStore::open(config.store));
  const std::unique_ptr<Engine> engine = vm_engine(config.limits);
  Narrator narrator(wants_colours(STDOUT_FILENO), options.quiet);
  RuntimeOptions runtime_options;
  runtime_options.poll_interval_us = config.poll_every_us;
  runtime_options.look_back_us = config.look_back_us;
  runtime_options.reuse_reads_us = config.reuse_reads_us;
  runtime_options.settle_after_us = config.settle_after_us;
  runtime_options.keep_us = config.keep_us;
  runtime_options.keep_audit_us = config.keep_audit_us;
  runtime_options.crash_at_append = options.crash_at_append;
  FLOW_TRY(const std::string link_key, choose_link_key(config.inbound.link_key, *store));
  runtime_options.links = {.url = config.inbound.url, .key = link_key};
  runtime_options.protections = config.protections;
  runtime_options.chosen_route = [&](const std::string& tenant, const Operation& operation) {
    return world->chosen_route(tenant, operation);
  };
  Runtime runtime(*store, world->clock(), world->random(), world->executor(), *engine, runtime_options,
                  &narrator);
  FLOW_TRY_STATUS(deploy_service(runtime, config, modules));
  for (const LoadedModule& module : modules)
    for (const std::string& flow : module.flows)
      say(stdout, fmt::format("serving {} from {}\n", flow, module.file));
  if (modules.empty()) FLOW_TRY_STATUS(say_what_is_live(*store, config));
  std::vector<std::string> tenants;
  for (const TenantConfig& tenant : config.tenants) tenants.push_back(tenant.name);
  const Inbound inbound(config.inbound, tenants, world->clock(), [&](StartRequest request, StartDone done) {
    runtime.start(std::move(request), std::move(done));
  });
  FLOW_TRY(const std::unique_ptr<SqliteStore> looking, SqliteStore::open_read_only(config.store));
  const People people(
      {.link_key = link_key,
       .api_token = config.inbound.api_token,
       .answer = [&](AnswerRequest request,
                     AnswerDone done) { runtime.answer(std::move(request), std::move(done)); },
       .send = [&](MessageRequest request,
                   MessageDone done) { runtime.send(std::move(request), std::move(done)); }},
      *looking, world->clock());
  const RunControl control(config.inbound.api_token, [&](ControlRequest request, ControlDone done) {
    runtime.control(std::move(request), std::move(done));
  });
  const RunPages runs(config.inbound.api_token, *looking, world->clock());
  const Deployments deployments(
      {.api_token = config.inbound.api_token,
       .tenants = tenants,
       .change = [&](DeployRequest request,
                     DeployDone done) { runtime.change_deployment(std::move(request), std::move(done)); },
       .settings_for = [&](const std::string& file, const std::string& bytes) -> Result<std::string> {
         FLOW_TRY(const LoadedModule module, describe_module(file, bytes));
         FLOW_TRY_STATUS(check_hooks_of(config, module));
         return settings_json(config, module);
       }},
      *looking);
  FLOW_TRY(const std::unique_ptr<HttpServer> server,
           listen(config.inbound, inbound, people, control, runs, deployments));
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
