// What is live, over HTTP: looked at, and changed. Decides who may, and turns what came of it into an HTTP
// answer; it knows neither the network nor the runtime.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "apps/server/api.hpp"
#include "runtime/deployment.hpp"

namespace flow {

struct DeploymentsOptions {
  SecretProvider api_token;  // empty: the API is off
  std::vector<std::string> tenants;
  std::function<void(std::vector<DeployRequest>, DeployDone)> change;  // Runtime::change_deployment
  // The settings that this service's configuration has for a module made from `file`, or what of the module
  // the configuration cannot serve.
  std::function<Result<std::string>(const std::string& file, const std::string& module)> settings_for;
};

class Deployments {
 public:
  // `store` is only read, on the thread that calls handle(); it must outlive this.
  Deployments(DeploymentsOptions options, Store& store) : options_(std::move(options)), store_(store) {}

  // Answers once, perhaps later and from another thread. False, and no answer, when the path is not one of
  // these. What is asked for all tenants is done for all of them or for none.
  //   GET  /api/v1/deployments[?tenant=T&flow=F]                       each change, oldest first
  //   POST /api/v1/deployments?file=F&by=WHO[&tenant=T][&shadow=true]  the body is an encoded module
  //   POST /api/v1/deployments/FLOW/back?by=WHO[&tenant=T]             also withdraw, end-shadow
  bool handle(const HttpQuestion& question, const api::Reply& reply) const;

 private:
  void list(const HttpQuestion& question, const api::Reply& reply) const;
  void change(const HttpQuestion& question, DeployRequest request, const api::Reply& reply) const;

  DeploymentsOptions options_;
  Store& store_;
};

// `{"tenant": …, "flow": …, "kind": "live", "module": …, "file": …, "time": …, "by": …}`
std::string json_deployment(const DeploymentRow& row);

// The path by which a service is asked for it.
std::string deployment_path(const DeployRequest& request);
// What is sent with it: the module, and behind it the conditions.
std::string deployment_body(const DeployRequest& request);

}  // namespace flow
