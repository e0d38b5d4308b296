// The real clock, chance and network, wired to the executor: the one place where the runtime meets the world.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "apps/server/config.hpp"
#include "apps/server/vault_refresh.hpp"
#include "base/clock.hpp"
#include "runtime/executor.hpp"
#include "runtime/runtime.hpp"

namespace flow {

class SystemClock final : public Clock {
 public:
  std::int64_t now_us() const override;
};

class SystemRandom final : public Random {
 public:
  SystemRandom();
  std::uint64_t next() override { return engine_(); }

 private:
  std::mt19937_64 engine_;
};

// Owns transport, tokens, mail and executor. Must be made before other threads exist, and drained before the
// process ends (see make_cpprest_transport).
class World {
 public:
  // With the secrets of key vaults that the configuration names; one that cannot be had is an Error.
  static Result<std::unique_ptr<World>> make(const Config& config);
  // The same without them: for who looks at them one by one.
  static Result<std::unique_ptr<World>> make_without_secrets(const Config& config);
  ~World();

  const Clock& clock() const { return clock_; }
  Random& random() { return random_; }
  Executor& executor();
  Transport& transport() { return *transport_; }
  TokenSource& tokens() { return *tokens_; }
  SmtpSender& mail() { return *mail_; }
  // Another configuration, of which the keys that are named differ: tenants, credentials, routes, egress.
  // Makes what may fail; what it gives takes it over, for calls from then on, and is to be called on the
  // loop's thread. Tokens are dropped where credentials changed. Transports stay as they are.
  Result<std::function<void()>> reconfigured(const Config& config, const std::vector<std::string>& keys);
  // For RuntimeOptions::chosen_route.
  std::size_t chosen_route(const std::string& tenant, const Operation& operation) const;

 private:
  World();
  Status open_ways(const Config& config);
  Result<std::shared_ptr<std::unique_ptr<VaultRefresh>>> vaults_of(const Config& config);
  Result<std::unique_ptr<Transport>> guarded_way(const Config& config) const;
  void take_over(const std::vector<TenantConfig>& tenants, const std::vector<std::string>& keys);
  class Adapter;
  SystemClock clock_;
  SystemRandom random_;
  std::unique_ptr<Transport> transport_, third_, guarded_;
  struct Retired {
    std::int64_t since_us = 0;
    std::unique_ptr<Transport> transport;
  };
  std::vector<Retired> retired_;  // on which calls may be out
  std::unique_ptr<TokenSource> tokens_;
  std::unique_ptr<VaultRefresh> vaults_;
  std::vector<std::unique_ptr<VaultRefresh>> old_vaults_;  // that fetch no more
  std::unique_ptr<SmtpSender> mail_;
  std::unique_ptr<OperationExecutor> operations_;
  std::unique_ptr<Adapter> adapter_;
  std::map<std::string, TenantAccess> tenants_;
};

}  // namespace flow
