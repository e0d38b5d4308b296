// flow reload: asks the service of a configuration to read it anew.
#include <fmt/format.h>

#include "apps/cli/terminal.hpp"
#include "apps/server/api.hpp"
#include "apps/server/runtime_commands.hpp"
#include "apps/server/service_client.hpp"
#include "apps/server/setup.hpp"
#include "base/text.hpp"
#include "runtime/json_text.hpp"

namespace flow {
namespace {

void tell(const std::string& body, std::string_view member, std::string_view words) {
  const auto keys = json_elements(json_member(body, member).value_or("[]"));
  for (const std::string& key : keys.value_or(std::vector<std::string>()))
    say(stdout, printable(fmt::format("{}: {}", json_string(key).value_or(key), words)) + "\n");
}

Attempt<int> reload(const ReloadOptions& options) {
  FLOW_TRY(const Config config, load_config(options.config));
  const std::string path = std::string(api::kReload) + "?by=" + percent_encoded(options.by);
  FLOW_TRY(const HttpResponse response, ask_service(config, "POST", path, {}));
  if (response.status != 200) return tl::unexpected<Failure>(service_refusal(response));
  if (options.json) {
    say(stdout, response.body + "\n");
    return static_cast<int>(kSuccess);
  }
  tell(response.body, "changed", "in force");
  tell(response.body, "atDeploy", "for what is deployed from now on");
  tell(response.body, "needRestart", "needs a restart; what was there before stays in force");
  if (response.body.find(":[\"") == std::string::npos) say(stdout, "nothing has changed\n");
  return static_cast<int>(kSuccess);
}

}  // namespace

int run_reload(const ReloadOptions& options) {
  const Attempt<int> result = reload(options);
  if (!result) complain(result.error().message);
  leave(result ? *result : result.error().code);
}

}  // namespace flow
