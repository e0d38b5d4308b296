// Fetches the secrets of key vaults again every so often, so that a renewed one takes effect without a
// restart. What fails is said once on standard error, and once more when it is well again.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "stdlib/identity/vault_secrets.hpp"

namespace flow {

class VaultRefresh {
 public:
  // The parties must outlive this object.
  VaultRefresh(VaultSecrets secrets, VaultParties parties, std::int64_t every_us);
  ~VaultRefresh();
  VaultRefresh(const VaultRefresh&) = delete;
  VaultRefresh& operator=(const VaultRefresh&) = delete;

  // Begins no further fetch; one that is under way ends with its exchanges.
  void stop();

 private:
  void run();

  const VaultSecrets secrets_;
  const VaultParties parties_;
  const std::int64_t every_us_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_over_ = false;
  std::thread thread_;
};

}  // namespace flow
