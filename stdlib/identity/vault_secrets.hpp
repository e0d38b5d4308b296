// Secrets of key vaults that a configuration names. They are fetched before they are needed, at start and
// then every few minutes, so that whoever needs one never waits for the network; in between each is kept in
// memory.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/fault.hpp"
#include "base/result.hpp"
#include "stdlib/http/transport.hpp"
#include "stdlib/identity/key_vault.hpp"
#include "stdlib/identity/token_source.hpp"

namespace flow {

class VaultSecret {
 public:
  // `place` is what names it, as `tenants.contoso.connectors.jira.password`.
  VaultSecret(VaultAddress address, std::string place)
      : address_(std::move(address)), place_(std::move(place)) {}

  TokenRequest as;     // who asks the vault: set before it is fetched; its scope is the address's
  std::string tenant;  // whose it is; empty: everybody's

  const VaultAddress& address() const { return address_; }
  const std::string& place() const { return place_; }

  // What was fetched last, or why there is nothing. Asks nobody; any thread may call it.
  Result<std::string> value() const;
  std::int64_t ends_us() const;  // as of VaultAnswer
  // The last fetch, when it failed.
  std::string problem() const;

  void keep(VaultAnswer answer);
  // A value that was fetched before stays, unless the vault says that it is no longer one.
  void miss(const Fault& fault);

 private:
  const VaultAddress address_;
  const std::string place_;
  mutable std::mutex mutex_;
  VaultAnswer answer_;
  std::string problem_ = "it was not fetched yet";
};
using VaultSecrets = std::vector<std::shared_ptr<VaultSecret>>;

struct VaultParties {
  Transport& transport;
  TokenSource& tokens;
  const Clock& clock;
  std::string api_version;
};

// Asks for all of them at once and waits for the network: what may pass is tried three times. An Error has
// one line for each that cannot be had; the others are there.
Status fetch_secrets(const VaultSecrets& secrets, const VaultParties& parties);

}  // namespace flow
