// flow run NAME: asks a service that is running to start one of its flows on manual.
#include <fmt/format.h>

#include "apps/cli/exit_code.hpp"
#include "apps/cli/terminal.hpp"
#include "apps/server/api.hpp"
#include "apps/server/params.hpp"
#include "apps/server/runtime_commands.hpp"
#include "apps/server/service_client.hpp"
#include "apps/server/setup.hpp"
#include "base/text.hpp"
#include "runtime/json_text.hpp"

namespace flow {
namespace {

Attempt<std::string> body_of(const RunOptions& options) {
  FLOW_TRY(const auto written, written_arguments(options.args));
  std::string members;
  for (const auto& [name, value] : written)
    members += fmt::format("{}{}:{}", members.empty() ? "" : ",", json_quoted(name), json_quoted(value));
  std::string body = fmt::format(R"({{"written":{{{}}})", members);
  if (!options.tenant.empty()) body += ",\"tenant\":" + json_quoted(options.tenant);
  return body + "}";
}

Attempt<int> tell(const HttpResponse& response) {
  const std::string run = json_string(json_member(response.body, "run").value_or("")).value_or("");
  if (response.status < 200 || response.status >= 300)
    return tl::unexpected<Failure>(service_refusal(response));
  if (!run.empty())
    say(stdout, fmt::format("started run {}\n", run));
  else
    say(stdout, json_member(response.body, "run") == "null" ? "the condition is false: nothing was done\n"
                                                            : printable(response.body) + "\n");
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
  FLOW_TRY(std::string body, body_of(options));
  FLOW_TRY(const HttpResponse response,
           ask_service(config, "POST", fmt::format("{}{}/runs", api::kFlows, percent_encoded(options.file)),
                       std::move(body)));
  return tell(response);
}

}  // namespace

int run_at_service(const RunOptions& options) {
  const Attempt<int> asked = ask(options);
  if (!asked) complain(asked.error().message);
  leave(asked ? *asked : asked.error().code);
}

}  // namespace flow
