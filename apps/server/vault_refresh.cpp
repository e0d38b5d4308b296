#include "apps/server/vault_refresh.hpp"

#include <chrono>
#include <string>
#include <utility>

#include "apps/cli/terminal.hpp"

namespace flow {

VaultRefresh::VaultRefresh(VaultSecrets secrets, VaultParties parties, std::int64_t every_us)
    : secrets_(std::move(secrets)), parties_(std::move(parties)), every_us_(every_us) {
  thread_ = std::thread([this] { run(); });
}

VaultRefresh::~VaultRefresh() {
  stop();
  thread_.join();
}

void VaultRefresh::stop() {
  const std::lock_guard lock(mutex_);
  is_over_ = true;
  changed_.notify_all();
}

void VaultRefresh::run() {
  std::string told;
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, std::chrono::microseconds(every_us_), [this] { return is_over_; })) {
    lock.unlock();
    const Status fetched = fetch_secrets(secrets_, parties_);
    const std::string problem = fetched ? std::string() : fetched.error().message;
    lock.lock();
    if (is_over_ || problem == told) continue;
    complain(problem.empty() ? "secrets of key vaults can be read again" : problem);
    told = problem;
  }
}

}  // namespace flow
