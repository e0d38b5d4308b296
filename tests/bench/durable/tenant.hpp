// The tenant of workload D, in a process of its own: hands out tokens, alerts, isolations and mails, each at
// once and always the same, and counts them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "tests/bench/durable/service.hpp"

namespace flow::bench {

class Tenant {
 public:
  struct Counts {
    std::atomic<std::uint64_t> tokens, reads, isolations, mails, others;
  };
  static Result<std::unique_ptr<Tenant>> start();
  ~Tenant();
  Tenant(const Tenant&) = delete;
  Tenant& operator=(const Tenant&) = delete;

  std::uint16_t port() const { return port_; }
  const Counts& counts() const { return *counts_; }

 private:
  Tenant() = default;
  std::uint16_t port_ = 0;
  pid_t pid_ = 0;
  Counts* counts_ = nullptr;  // in memory that both processes see
};

}  // namespace flow::bench
