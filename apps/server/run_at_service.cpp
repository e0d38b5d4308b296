// flow run NAME: asks a service that is running to start one of its flows on manual.
#include <fmt/format.h>

#include <future>
#include <memory>

#include "apps/cli/exit_code.hpp"
#include "apps/cli/terminal.hpp"
#include "apps/server/params.hpp"
#include "apps/server/runtime_commands.hpp"
#include "apps/server/setup.hpp"
#include "base/text.hpp"
#include "runtime/json_text.hpp"
#include "stdlib/http/cpprest_transport.hpp"

namespace flow {
namespace {

// Where the service of this configuration listens, as seen from its own machine.
std::string url_of(const InboundConfig& inbound, const std::string& flow) {
  std::string host = inbound.address == "0.0.0.0" ? "127.0.0.1"
                     : inbound.address == "::"    ? "::1"
                                                  : inbound.address;
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  return fmt::format("http://{}:{}/api/v1/flows/{}/runs", host, inbound.port, percent_encoded(flow));
}

Attempt<std::string> body_of(const RunOptions& options) {
  FLOW_TRY(const auto written, written_arguments(options.args));
  std::string members;
  for (const auto& [name, value] : written)
    members += fmt::format("{}{}:{}", members.empty() ? "" : ",", json_quoted(name), json_quoted(value));
  std::string body = fmt::format(R"({{"written":{{{}}})", members);
  if (!options.tenant.empty()) body += ",\"tenant\":" + json_quoted(options.tenant);
  return body + "}";
}

Attempt<int> tell(const HttpResponse& response, const std::string& url) {
  const std::string run = json_string(json_member(response.body, "run").value_or("")).value_or("");
  const bool is_taken = response.status >= 200 && response.status < 300;
  if (is_taken && !run.empty()) {
    say(stdout, fmt::format("started run {}\n", run));
  } else if (is_taken) {
    say(stdout, json_member(response.body, "run") == "null" ? "the condition is false: nothing was done\n"
                                                            : printable(response.body) + "\n");
  } else {
    const std::string problem = json_member(response.body, "error").value_or("{}");
    const auto message = json_string(json_member(problem, "message").value_or(""));
    return failure(message ? *message : fmt::format("{} answered {}", url, response.status),
                   response.status == 400 || response.status == 404 ? kUsage : kWorldWrong);
  }
  return static_cast<int>(kSuccess);
}

Attempt<int> ask(const RunOptions& options) {
  const auto known = fmt::format(
      "`{}` is no `.flow` or `.flowc` file; to start a flow of this name at a service,", options.file);
  if (!options.event.empty() || !options.params.empty() || !options.flow.empty() || options.sim)
    return failure(fmt::format("{} give --config, --tenant and --arg only", known), kUsage);
  if (options.config.empty())
    return failure(fmt::format("{} name its configuration with --config", known), kUsage);
  FLOW_TRY(const Config config, choose_config({.file = options.config}));
  if (!config.inbound.api_token)
    return error(
        fmt::format("{} `{}` needs `[http]` with `listen` and `[api]` with a token", known, options.config));
  FLOW_TRY(const std::string token, config.inbound.api_token());
  HttpRequest request{.method = "POST", .url = url_of(config.inbound, options.file)};
  request.headers = {{"Authorization", "Bearer " + token}, {"Content-Type", "application/json"}};
  FLOW_TRY(request.body, body_of(options));
  FLOW_TRY(const std::unique_ptr<Transport> transport, make_cpprest_transport({}));
  std::promise<HttpResult> answered;
  const std::string url = request.url;
  transport->send(std::move(request), [&](HttpResult result) { answered.set_value(std::move(result)); });
  const HttpResult result = answered.get_future().get();
  if (const auto* failed = std::get_if<TransportError>(&result))
    return error(fmt::format("cannot reach the service at {}: {}", url, failed->message));
  return tell(std::get<HttpResponse>(result), url);
}

}  // namespace

int run_at_service(const RunOptions& options) {
  const Attempt<int> asked = ask(options);
  if (!asked) complain(asked.error().message);
  leave(asked ? *asked : asked.error().code);
}

}  // namespace flow
