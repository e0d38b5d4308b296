// flow serve: runs flows until it is told to stop.
#include <fmt/format.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "apps/cli/exit_code.hpp"
#include "apps/cli/terminal.hpp"
#include "apps/server/connector_check.hpp"
#include "apps/server/http_server.hpp"
#include "apps/server/link_key.hpp"
#include "apps/server/reloader.hpp"
#include "apps/server/runtime_commands.hpp"
#include "apps/server/secret_check.hpp"
#include "apps/server/service_log.hpp"
#include "apps/server/service_site.hpp"
#include "apps/server/setup.hpp"
#include "apps/server/stored_conditions.hpp"
#include "base/text.hpp"
#include "runtime/sqlite_store.hpp"

namespace flow {
namespace {

// Nothing when the configuration names no address.
Result<std::unique_ptr<HttpServer>> bind(const InboundConfig& config) {
  if (config.address.empty()) return std::unique_ptr<HttpServer>();
  HttpServerOptions options;
  options.address = config.address;
  options.port = config.port;
  options.body_limit = config.body_bytes;
  return HttpServer::bind(options);
}

std::string address_of(const InboundConfig& config, const HttpServer& server) {
  const bool is_v6 = config.address.find(':') != std::string::npos;
  return fmt::format("http://{}:{}", is_v6 ? "[" + config.address + "]" : config.address, server.port());
}

// Of a start without files.
Status say_what_is_live(Store& store, const Config& config, ServiceLog& log) {
  FLOW_TRY(const std::vector<DeploymentRow> live, live_deployments(store));
  for (const DeploymentRow& each : live)
    log.serving(each.flow, fmt::format("{} for {}, deployed at {}", each.file, each.tenant,
                                       format_time_us(each.time_us)));
  if (!live.empty() || config.inbound.api_token) return {};  // `flow deploy` reaches it
  return error(fmt::format(
      "nothing is deployed in `{}`: name files to serve, or deploy some by `flow deploy`", config.store));
}

// What the file says, and what was said on the command line, which counts more.
Attempt<Config> configuration(const ServeOptions& options, bool is_quiet) {
  const ConfigChoice choice{options.config,        options.sim,  options.sim_port,
                            options.sim_smtp_port, options.mail, is_quiet};
  FLOW_TRY(Config config, choose_config(choice));
  if (!options.store.empty()) config.store = options.store, config.written.erase("store.path");
  if (options.poll_every_us > 0)
    config.poll_every_us = options.poll_every_us, config.written.erase("poll.every");
  if (options.look_back_us > 0)
    config.look_back_us = options.look_back_us, config.written.erase("poll.look_back");
  return config;
}

// Whether what is live could be served by a configuration that is read anew. On a connection of its own: who
// asks is on another thread than those that have one.
Status check_live(const Config& config) {
  FLOW_TRY(const std::unique_ptr<SqliteStore> store, SqliteStore::open_read_only(config.store));
  FLOW_TRY(const std::vector<Module> live, live_modules(*store));
  FLOW_TRY_STATUS(check_connectors(config, listed(live)));
  for (const Module& module : live)
    for (const FlowCode& flow : module.flows) {
      const Trigger& trigger = module.triggers[flow.trigger];
      if (trigger.kind == Trigger::Kind::Webhook && !config.inbound.hooks.contains(trigger.endpoint))
        return error(
            fmt::format("flow `{}`, which is live, waits at the hook `{}`: the configuration needs "
                        "`[webhooks.{}]`",
                        flow.name, trigger.endpoint, trigger.endpoint));
    }
  return {};
}

void tell_reload(ServiceLog& log, const std::string& by, const ReloadReply& reply) {
  if (reply.how == ReloadReply::How::Done) log.reloaded(by, changes_text(reply.changes));
  if (reply.how == ReloadReply::How::Refused) log.reload_refused(by, reply.problem);
}

RuntimeOptions runtime_options(const Config& config, const World& world, const std::string& link_key) {
  RuntimeOptions options;
  options.poll_interval_us = config.poll_every_us;
  options.look_back_us = config.look_back_us;
  options.reuse_reads_us = config.reuse_reads_us;
  options.settle_after_us = config.settle_after_us;
  options.keep_us = config.keep_us;
  options.keep_audit_us = config.keep_audit_us;
  options.links = {.url = config.inbound.url, .key = link_key};
  options.protections = config.protections;
  options.chosen_route = [&world](const std::string& tenant, const Operation& operation) {
    return world.chosen_route(tenant, operation);
  };
  return options;
}

Attempt<int> serve(const ServeOptions& options) {
  FLOW_TRY(const Config config, configuration(options, false));
  FLOW_TRY(std::vector<LoadedModule> modules, load_modules(options.files));
  for (LoadedModule& module : modules) module.conditions = conditions_to_store(module.bytes, {});
  if (!modules.empty()) FLOW_TRY_STATUS(check_hooks(config, modules));
  FLOW_TRY_STATUS(check_connectors_of(config, modules));
  FLOW_TRY(const std::unique_ptr<World> world, World::make(config));
  FLOW_TRY(const std::unique_ptr<SqliteStore> store,
           SqliteStore::open(config.store, {.max_bytes = 0, .vfs = {}, .checkpoints_in_background = true}));
  const std::unique_ptr<Engine> engine = vm_engine(config.limits);
  ServiceLog log(config.log_format, options.quiet, world->clock());
  FLOW_TRY(const std::string link_key, choose_link_key(config.inbound.link_key, *store));
  for (const std::string& line : unreadable_secrets(config.inbound))
    complain(fmt::format("{}; whoever needs it is turned away until it can be read", line));
  // Before anything is deployed: who cannot serve changes nothing.
  FLOW_TRY(std::unique_ptr<HttpServer> bound, bind(config.inbound));
  RuntimeOptions runtime_options = flow::runtime_options(config, *world, link_key);
  runtime_options.crash_at_append = options.crash_at_append;
  Runtime runtime(*store, world->clock(), world->random(), world->executor(), *engine, runtime_options, &log);
  if (modules.empty()) {
    FLOW_TRY(const std::vector<Module> live, live_modules(*store));
    FLOW_TRY_STATUS(check_connectors(config, listed(live)));
  }
  FLOW_TRY_STATUS(deploy_service(runtime, config, modules));
  for (const LoadedModule& module : modules)
    for (const std::string& flow : module.flows) log.serving(flow, module.file);
  if (modules.empty()) FLOW_TRY_STATUS(say_what_is_live(*store, config, log));
  FLOW_TRY(const std::unique_ptr<SqliteStore> looking, SqliteStore::open_read_only(config.store));
  CurrentSite site;
  ServiceParts parts{runtime, *looking, world->clock(), link_key, nullptr};
  Reloader reloader(
      config, link_key,
      {.read = [&options] { return configuration(options, true); },
       .check = check_live,
       .prepare = [&](const Config& next,
                      const std::vector<std::string>& keys) -> Result<std::function<void()>> {
         FLOW_TRY(std::function<void()> world_goes_by_it, world->reconfigured(next, keys));
         auto next_site = std::make_shared<ServiceSite>(next, parts);
         return [&, world_goes_by_it, next_site, limits = next.limits, format = next.log_format] {
           world_goes_by_it();
           engine->limit(limits);
           log.use(format);
           site.put(next_site);
         };
       },
       .reconfigure = [&](Reconfiguration wanted,
                          ReconfigureDone done) { runtime.reconfigure(std::move(wanted), std::move(done)); },
       .welcome =
           [&](const Config& in_force, const std::vector<std::string>& tenants, const std::string& by) {
             std::vector<DeployRequest> requests;
             for (const std::string& tenant : tenants)
               for (DeployRequest& request : deploy_requests(in_force, modules, tenant, by))
                 requests.push_back(std::move(request));
             if (requests.empty()) return;  // it goes by what is live in its store
             runtime.change_deployment(std::move(requests), [&log, by](const DeployReply& reply) {
               if (reply.how == DeployReply::How::Refused) log.tenant_unserved(by, reply.problem);
             });
           },
       .tell = [&](const std::string& by, const ReloadReply& reply) { tell_reload(log, by, reply); }});
  if (!options.config.empty()) parts.reloader = &reloader;
  site.put(std::make_shared<ServiceSite>(config, parts));
  // Stops first of all that its answers need.
  const std::unique_ptr<HttpServer> server = std::move(bound);
  if (server != nullptr) {
    server->answer_by([&](const HttpQuestion& question, HttpServer::Reply reply) {
      site.handle(question, std::move(reply));
    });
    log.listening(address_of(config.inbound, *server));
  }
  const SignalWatch watch(
      runtime, options.config.empty() ? std::function<void()>() : [&] {
        reloader.reload("SIGHUP", "signal", [](const ReloadReply&) {});
      });
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
