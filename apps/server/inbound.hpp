// Requests from outside that start runs: POST /hooks/NAME for flows on webhook, POST /api/v1/flows/NAME/runs
// for flows on manual. Decides who may, reads what they say, and turns what came of it into an HTTP answer;
// it knows neither the network nor the runtime.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "apps/server/config.hpp"
#include "apps/server/http_message.hpp"
#include "base/clock.hpp"
#include "runtime/start_request.hpp"

namespace flow {

class Inbound {
 public:
  using Start = std::function<void(StartRequest, StartDone)>;
  using Reply = std::function<void(HttpAnswer)>;

  // `start` is Runtime::start. All are used by handle(), from whatever thread calls it.
  Inbound(const InboundConfig& config, std::vector<std::string> tenants, const Clock& clock, Start start);

  // Answers once, perhaps later and from another thread.
  void handle(const HttpQuestion& question, Reply reply) const;

 private:
  void take_hook(const HttpQuestion& question, const std::string& name, Reply reply) const;
  void take_manual(const HttpQuestion& question, const std::string& flow, Reply reply) const;

  const InboundConfig& config_;
  std::vector<std::string> tenants_;
  const Clock& clock_;
  Start start_;
};

HttpAnswer http_answer(const StartAnswer& answer);

}  // namespace flow
