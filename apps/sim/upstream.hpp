// Requests passed on to a real API, so that its answers can be recorded. The client's own headers go along,
// its token among them; what comes back is handed on as it is.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "apps/server/http_message.hpp"
#include "base/result.hpp"
#include "stdlib/http/transport.hpp"

namespace flow::sim {

class Upstream {
 public:
  // `base` as `https://api.security.microsoft.com`. Fails when it is no address, or the way out cannot be
  // made.
  static Result<std::unique_ptr<Upstream>> make(const std::string& base);
  explicit Upstream(std::string base, std::unique_ptr<Transport> transport)
      : base_(std::move(base)), transport_(std::move(transport)) {}

  // Calls `done` once, from any thread; an API that cannot be reached is a 502.
  void ask(const HttpQuestion& question, std::function<void(HttpAnswer)> done);

 private:
  std::string base_;
  std::unique_ptr<Transport> transport_;
};

}  // namespace flow::sim
