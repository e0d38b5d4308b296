// What watches a service asks it by HTTP: /health, /ready, /metrics. Decides who may, and knows neither the
// network nor the runtime.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "apps/server/api.hpp"
#include "base/result.hpp"

namespace flow {

struct MonitoringOptions {
  SecretProvider token;                  // for /metrics; empty: see is_open
  bool is_open = false;                  // /metrics for whoever can reach it. Without either there is none
  std::function<std::uint64_t()> turns;  // of the loop, so far: Runtime::turns
  std::function<bool()> is_ready;        // Runtime::is_ready
  // Runtime::metrics: their text, later and from another thread; empty when the service stops.
  std::function<void(std::function<void(std::string)>)> metrics;
  std::function<Result<std::string>()> store_metrics;  // what the store says, in the same format
  std::function<std::int64_t()> now_us;                // a clock that nobody sets
};

class Monitoring {
 public:
  // The loop turns at least once a second; when it has not for so long, it hangs.
  static constexpr std::int64_t kHangsAfterUs = 30'000'000;

  explicit Monitoring(MonitoringOptions options) : options_(std::move(options)) {}

  // Answers once, perhaps later and from another thread. False, and no answer, when the path is not one of
  // these. Always called from the same thread.
  //   GET /health    200 while the loop turns, else 503
  //   GET /ready     200 once stored runs are taken up and each poll was tried, until it stops; else 503
  //   GET /metrics   for Prometheus
  bool handle(const HttpQuestion& question, const api::Reply& reply);

 private:
  bool is_alive();
  void metrics(const HttpQuestion& question, const api::Reply& reply) const;

  MonitoringOptions options_;
  std::uint64_t turns_ = 0;
  std::int64_t turned_us_ = 0;  // when it was first seen that there were so many
  bool was_asked_ = false;
};

}  // namespace flow
