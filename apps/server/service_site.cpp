#include "apps/server/service_site.hpp"

#include <chrono>
#include <utility>

#include "apps/server/connector_check.hpp"
#include "apps/server/reloader.hpp"
#include "apps/server/setup.hpp"
#include "runtime/metrics.hpp"

namespace flow {
namespace {

std::vector<std::string> names_of(const std::vector<TenantConfig>& tenants) {
  std::vector<std::string> names;
  for (const TenantConfig& tenant : tenants) names.push_back(tenant.name);
  return names;
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

// The settings that the configuration has for a module, or what of it the configuration cannot serve.
Result<std::string> settings_for(const Config& config, const std::string& file, const std::string& bytes) {
  FLOW_TRY(const LoadedModule module, describe_module(file, bytes));
  FLOW_TRY_STATUS(check_hooks_of(config, module));
  FLOW_TRY_STATUS(check_connectors(config, {&module.module}));
  return settings_json(config, module);
}

}  // namespace

ServiceSite::ServiceSite(Config config, const ServiceParts& parts)
    : config_(std::move(config)),
      parts_(parts),
      tenants_(names_of(config_.tenants)),
      inbound_(config_.inbound, tenants_, parts_.clock,
               [&runtime = parts.runtime](StartRequest request, StartDone done) {
                 runtime.start(std::move(request), std::move(done));
               }),
      people_({.link_key = parts_.link_key,
               .api_token = config_.inbound.api_token,
               .answer = [&runtime = parts.runtime](
                             AnswerRequest request,
                             AnswerDone done) { runtime.answer(std::move(request), std::move(done)); },
               .send = [&runtime = parts.runtime](
                           MessageRequest request,
                           MessageDone done) { runtime.send(std::move(request), std::move(done)); }},
              parts_.store, parts_.clock),
      control_(config_.inbound.api_token,
               [&runtime = parts.runtime](ControlRequest request, ControlDone done) {
                 runtime.control(std::move(request), std::move(done));
               }),
      pages_(config_.inbound.api_token, parts_.store, parts_.clock),
      site_({.api_token = config_.inbound.api_token,
             .form_key = "runs\n" + parts_.link_key,
             .answer = [&runtime = parts.runtime](
                           AnswerRequest request,
                           AnswerDone done) { runtime.answer(std::move(request), std::move(done)); }},
            parts_.store, parts_.clock),
      deployments_(
          {.api_token = config_.inbound.api_token,
           .tenants = tenants_,
           .change =
               [&runtime = parts.runtime](std::vector<DeployRequest> requests, DeployDone done) {
                 runtime.change_deployment(std::move(requests), std::move(done));
               },
           .settings_for = [this](const std::string& file,
                                  const std::string& bytes) { return settings_for(config_, file, bytes); }},
          parts_.store),
      monitoring_(monitoring_options(config_.inbound, parts.runtime, parts.store)) {}

void ServiceSite::handle(const HttpQuestion& question, std::function<void(HttpAnswer)> reply) {
  const bool is_reload =
      parts_.reloader != nullptr && parts_.reloader->handle(config_.inbound.api_token, question, reply);
  if (is_reload || monitoring_.handle(question, reply) || people_.handle(question, reply) ||
      control_.handle(question, reply) || pages_.handle(question, reply) || site_.handle(question, reply) ||
      deployments_.handle(question, reply))
    return;
  inbound_.handle(question, std::move(reply));
}

void CurrentSite::handle(const HttpQuestion& question, std::function<void(HttpAnswer)> reply) {
  std::unique_lock lock(mutex_);
  const std::shared_ptr<ServiceSite> site = site_;
  lock.unlock();
  site->handle(question, [site, reply = std::move(reply)](HttpAnswer answer) { reply(std::move(answer)); });
}

}  // namespace flow
