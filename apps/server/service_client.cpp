#include "apps/server/service_client.hpp"

#include <fmt/format.h>

#include <future>
#include <memory>

#include "apps/server/world.hpp"
#include "runtime/json_text.hpp"
#include "stdlib/http/cpprest_transport.hpp"

namespace flow {

std::string service_url(const InboundConfig& inbound) {
  std::string host = inbound.address == "0.0.0.0" ? "127.0.0.1"
                     : inbound.address == "::"    ? "::1"
                                                  : inbound.address;
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  return fmt::format("http://{}:{}", host, inbound.port);
}

namespace {

// Only when it is in a key vault: the service's other secrets are none of ours.
Status fetch_api_token(const Config& config) {
  VaultSecrets wanted;
  for (const std::shared_ptr<VaultSecret>& secret : config.vaults.secrets)
    if (secret->place() == "api.token") wanted.push_back(secret);
  if (wanted.empty()) return {};
  FLOW_TRY(const std::unique_ptr<World> world, World::make_without_secrets(config));
  return fetch_secrets(
      wanted, {world->transport(), world->tokens(), world->clock(), config.vaults.options.api_version});
}

}  // namespace

Attempt<HttpResponse> ask_service(const Config& config, const std::string& method, const std::string& path,
                                  std::string body) {
  if (!config.inbound.api_token)
    return error("the configuration needs `[http]` with `listen` and `[api]` with a token");
  FLOW_TRY_STATUS(fetch_api_token(config));
  FLOW_TRY(const std::string token, config.inbound.api_token());
  HttpRequest request{.method = method, .url = service_url(config.inbound) + path};
  request.headers = {{"Authorization", "Bearer " + token}};
  if (!body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  request.body = std::move(body);
  FLOW_TRY(const std::unique_ptr<Transport> transport, make_cpprest_transport({}));
  std::promise<HttpResult> answered;
  const std::string url = request.url;
  transport->send(std::move(request), [&](HttpResult result) { answered.set_value(std::move(result)); });
  HttpResult result = answered.get_future().get();
  if (const auto* failed = std::get_if<TransportError>(&result))
    return error(fmt::format("cannot reach the service at {}: {}", url, failed->message));
  return std::move(std::get<HttpResponse>(result));
}

Failure service_refusal(const HttpResponse& response) {
  const std::string problem = json_member(response.body, "error").value_or("{}");
  const auto message = json_string(json_member(problem, "message").value_or(""));
  const bool is_ours = response.status >= 400 && response.status < 500 && response.status != 401;
  return {message ? *message : fmt::format("the service answered {}", response.status),
          is_ours ? kUsage : kWorldWrong};
}

}  // namespace flow
