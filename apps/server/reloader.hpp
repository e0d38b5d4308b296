// Reading flow.toml anew while the service runs. The new configuration is checked as a whole on a thread of
// its own; then it takes the place of the old one between two steps of the loop. One after the other, however
// many ask.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "apps/server/api.hpp"
#include "apps/server/config_changes.hpp"
#include "runtime/reconfiguration.hpp"

namespace flow {

struct ReloadReply {
  enum class How : std::uint8_t { Done, Refused, Stopping };
  How how = How::Stopping;
  ConfigChanges changes;  // Done
  std::string problem;    // Refused: the old one stays in force
};
// Called once, from any thread; must be quick.
using ReloadDone = std::function<void(const ReloadReply&)>;

// What has changed and what comes of it, in one line: `protect.act.freeze; needs a restart: http.listen`.
std::string changes_text(const ConfigChanges& changes);
std::string changes_json(const ConfigChanges& changes);

struct ReloaderOptions {
  std::function<Attempt<Config>()> read;
  // Of what would be in force: whether the service could go by it.
  std::function<Status(const Config&)> check;
  // Makes what may fail, and gives what takes the configuration over; for Reconfiguration::apply.
  std::function<Result<std::function<void()>>(const Config&, const std::vector<std::string>& keys)> prepare;
  std::function<void(Reconfiguration, ReconfigureDone)> reconfigure;  // Runtime::reconfigure
  // The configuration is in force, and so are these tenants, which were not before: what is served for them.
  std::function<void(const Config&, const std::vector<std::string>& tenants, const std::string& by)> welcome;
  std::function<void(const std::string& by, const ReloadReply&)> tell;
};

class Reloader {
 public:
  // What `options` call must outlive this, and the loop must not turn any more when this is destroyed.
  Reloader(Config in_force, std::string link_key, ReloaderOptions options);
  ~Reloader();
  Reloader(const Reloader&) = delete;
  Reloader& operator=(const Reloader&) = delete;

  // From any thread. `via` is where it was asked: `api`, `signal`.
  void reload(std::string by, std::string via, ReloadDone done);

  //   POST /api/v1/reload?by=WHO
  // 200 with {"changed": […], "atDeploy": […], "needRestart": […]}; 409 when it is refused. False, and no
  // answer, when the path is another.
  bool handle(const SecretProvider& api_token, const HttpQuestion& question, const api::Reply& reply);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace flow
