// What people do to runs of the service, over HTTP. Decides who may, and turns what came of it into an HTTP
// answer; it knows neither the network nor the runtime.
#pragma once

#include <functional>
#include <string>

#include "apps/server/api.hpp"
#include "runtime/control.hpp"

namespace flow {

class RunControl {
 public:
  using Control = std::function<void(ControlRequest, ControlDone)>;

  // `control` is Runtime::control. With an empty `token` the API is off.
  RunControl(SecretProvider token, Control control)
      : token_(std::move(token)), control_(std::move(control)) {}

  // Answers once, perhaps later and from another thread. False, and no answer, when the path is not one of
  // these, whose bodies are JSON objects, or empty:
  //   POST /api/v1/runs/RUN/resume   {"by": …, "happened": RESULT or "didNotHappen": true}
  //   POST /api/v1/runs/RUN/cancel   {"by": …, "reason": …}
  //   POST /api/v1/runs/RUN/retry    {"by": …}
  bool handle(const HttpQuestion& question, const api::Reply& reply) const;

 private:
  SecretProvider token_;
  Control control_;
};

// The path and the body by which a service is asked for it.
std::string control_path(const ControlRequest& request);
std::string control_body(const ControlRequest& request);

}  // namespace flow
