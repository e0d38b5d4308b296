// All that a service answers over HTTP, by one configuration. With another one there is another site: who was
// asked by the old one still answers.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "apps/server/config.hpp"
#include "apps/server/deployments.hpp"
#include "apps/server/inbound.hpp"
#include "apps/server/monitoring.hpp"
#include "apps/server/people.hpp"
#include "apps/server/run_control.hpp"
#include "apps/server/run_search.hpp"
#include "apps/server/run_site.hpp"
#include "runtime/runtime.hpp"
#include "runtime/sqlite_store.hpp"

namespace flow {

class Reloader;

// What a site works with; all of it outlives it.
struct ServiceParts {
  Runtime& runtime;
  SqliteStore& store;  // only read, on the server's thread
  const Clock& clock;
  std::string link_key;  // of links in mails
  Reloader* reloader = nullptr;
};

class ServiceSite {
 public:
  ServiceSite(Config config, const ServiceParts& parts);

  // Answers once, perhaps later and from another thread. Always called from the same thread.
  void handle(const HttpQuestion& question, std::function<void(HttpAnswer)> reply);

 private:
  const Config config_;
  const ServiceParts parts_;
  const std::vector<std::string> tenants_;
  Inbound inbound_;
  People people_;
  RunControl control_;
  RunPages pages_;
  RunSite site_;
  Deployments deployments_;
  Monitoring monitoring_;
};

// The one that answers now.
class CurrentSite {
 public:
  void put(std::shared_ptr<ServiceSite> site) {
    const std::lock_guard lock(mutex_);
    site_ = std::move(site);
  }
  // The site stays until it has answered.
  void handle(const HttpQuestion& question, std::function<void(HttpAnswer)> reply);

 private:
  std::mutex mutex_;
  std::shared_ptr<ServiceSite> site_;
};

}  // namespace flow
