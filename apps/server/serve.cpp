// flow serve: runs flows until it is told to stop.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "apps/cli/exit_code.hpp"
#include "apps/cli/terminal.hpp"
#include "apps/server/connector_check.hpp"
#include "apps/server/deployments.hpp"
#include "apps/server/http_server.hpp"
#include "apps/server/inbound.hpp"
#include "apps/server/json_log.hpp"
#include "apps/server/link_key.hpp"
#include "apps/server/monitoring.hpp"
#include "apps/server/narrator.hpp"
#include "apps/server/people.hpp"
#include "apps/server/run_control.hpp"
#include "apps/server/run_search.hpp"
#include "apps/server/run_site.hpp"
#include "apps/server/runtime_commands.hpp"
#include "apps/server/setup.hpp"
#include "base/text.hpp"
#include "runtime/metrics.hpp"
#include "runtime/sqlite_store.hpp"

namespace flow {
namespace {

// What a service says of itself, in the form that the configuration wants.
class Log {
 public:
  Log(const Config& config, bool quiet, const Clock& clock) {
    if (config.log_format == LogFormat::Json)
      json_ = std::make_unique<JsonLog>(clock, quiet, stdout);
    else
      narrator_ = std::make_unique<Narrator>(wants_colours(STDOUT_FILENO), quiet);
  }
  RuntimeObserver& observer() {
    return json_ ? static_cast<RuntimeObserver&>(*json_) : static_cast<RuntimeObserver&>(*narrator_);
  }
  void serving(const std::string& flow, const std::string& file) {
    if (json_)
      json_->note(LogEvent::Serving, {.flow = flow, .message = file});
    else
      say(stdout, fmt::format("serving {} from {}\n", flow, file));
  }
  void listening(const std::string& url) {
    if (json_)
      json_->note(LogEvent::Listening, {.flow = {}, .message = url});
    else
      say(stdout, fmt::format("listening at {}\n", url));
  }

 private:
  std::unique_ptr<JsonLog> json_;
  std::unique_ptr<Narrator> narrator_;
};

// Nothing when the configuration names no address.
Result<std::unique_ptr<HttpServer>> listen(const InboundConfig& config, HttpServer::LaterHandler handler,
                                           Log& log) {
  if (config.address.empty()) return std::unique_ptr<HttpServer>();
  HttpServerOptions options;
  options.address = config.address;
  options.port = config.port;
  options.body_limit = config.body_bytes;
  FLOW_TRY(auto server, HttpServer::start(options, std::move(handler)));
  const bool is_v6 = config.address.find(':') != std::string::npos;
  log.listening(
      fmt::format("http://{}:{}", is_v6 ? "[" + config.address + "]" : config.address, server->port()));
  return server;
}

// What the store itself tells, as Prometheus reads it.
Result<std::string> store_metrics(SqliteStore& store) {
  FLOW_TRY(const SqliteStore::Figures figures, store.figures());
  Metrics metrics;
  metrics.set(Metric::RunsSleeping, {}, static_cast<double>(figures.asleep));
  metrics.set(Metric::RunsParked, {}, static_cast<double>(figures.parked));
  metrics.set(Metric::QuestionsOpen, {}, static_cast<double>(figures.open_questions));
  metrics.set(Metric::StoreBytes, {}, static_cast<double>(figures.bytes));
  return metrics.text();
}

MonitoringOptions monitoring_options(const InboundConfig& config, Runtime& runtime, SqliteStore& store) {
  MonitoringOptions options;
  options.token = config.metrics_token;
  options.is_open = config.are_metrics_open;
  options.turns = [&] { return runtime.turns(); };
  options.is_ready = [&] { return runtime.is_ready(); };
  options.metrics = [&](std::function<void(std::string)> done) { runtime.metrics(std::move(done)); };
  options.store_metrics = [&] { return store_metrics(store); };
  options.now_us = [] {
    using namespace std::chrono;
    return duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count();
  };
  return options;
}

// Of a start without files.
Status say_what_is_live(Store& store, const Config& config, Log& log) {
  FLOW_TRY(const std::vector<DeploymentRow> live, live_deployments(store));
  for (const DeploymentRow& each : live)
    log.serving(each.flow, fmt::format("{} for {}, deployed at {}", each.file, each.tenant,
                                       format_time_us(each.time_us)));
  if (!live.empty() || config.inbound.api_token) return {};  // `flow deploy` reaches it
  return error(fmt::format(
      "nothing is deployed in `{}`: name files to serve, or deploy some by `flow deploy`", config.store));
}

Attempt<int> serve(const ServeOptions& options) {
  FLOW_TRY(Config config, choose_config({options.config, options.sim, options.sim_port, options.sim_smtp_port,
                                         options.mail}));
  if (!options.store.empty()) config.store = options.store;
  if (options.poll_every_us > 0) config.poll_every_us = options.poll_every_us;
  if (options.look_back_us > 0) config.look_back_us = options.look_back_us;
  FLOW_TRY(const std::vector<LoadedModule> modules, load_modules(options.files));
  if (!modules.empty()) FLOW_TRY_STATUS(check_hooks(config, modules));
  FLOW_TRY_STATUS(check_connectors_of(config, modules));
  FLOW_TRY(const std::unique_ptr<World> world, World::make(config));
  FLOW_TRY(const std::unique_ptr<SqliteStore> store,
           SqliteStore::open(config.store, {.max_bytes = 0, .vfs = {}, .checkpoints_in_background = true}));
  const std::unique_ptr<Engine> engine = vm_engine(config.limits);
  Log log(config, options.quiet, world->clock());
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
                  &log.observer());
  if (modules.empty()) {
    FLOW_TRY(const std::vector<Module> live, live_modules(*store));
    FLOW_TRY_STATUS(check_connectors(config, listed(live)));
  }
  FLOW_TRY_STATUS(deploy_service(runtime, config, modules));
  for (const LoadedModule& module : modules)
    for (const std::string& flow : module.flows) log.serving(flow, module.file);
  if (modules.empty()) FLOW_TRY_STATUS(say_what_is_live(*store, config, log));
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
  const RunSite site(
      {.api_token = config.inbound.api_token,
       .form_key = "runs\n" + link_key,
       .answer = [&](AnswerRequest request,
                     AnswerDone done) { runtime.answer(std::move(request), std::move(done)); }},
      *looking, world->clock());
  const Deployments deployments(
      {.api_token = config.inbound.api_token,
       .tenants = tenants,
       .change = [&](std::vector<DeployRequest> requests,
                     DeployDone done) { runtime.change_deployment(std::move(requests), std::move(done)); },
       .settings_for = [&](const std::string& file, const std::string& bytes) -> Result<std::string> {
         FLOW_TRY(const LoadedModule module, describe_module(file, bytes));
         FLOW_TRY_STATUS(check_hooks_of(config, module));
         FLOW_TRY_STATUS(check_connectors(config, {&module.module}));
         return settings_json(config, module);
       }},
      *looking);
  Monitoring monitoring(monitoring_options(config.inbound, runtime, *looking));
  const auto handle = [&](const HttpQuestion& question, HttpServer::Reply reply) {
    if (monitoring.handle(question, reply) || people.handle(question, reply) ||
        control.handle(question, reply) || runs.handle(question, reply) || site.handle(question, reply) ||
        deployments.handle(question, reply))
      return;
    inbound.handle(question, std::move(reply));
  };
  FLOW_TRY(const std::unique_ptr<HttpServer> server, listen(config.inbound, handle, log));
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
