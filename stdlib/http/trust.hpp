// The authorities that a Transport trusts, as OpenSSL keeps them.
#pragma once

#include <memory>

#include "base/result.hpp"
#include "stdlib/http/transport_config.hpp"

struct x509_store_st;

namespace flow {

struct FreeTrustStore {
  void operator()(x509_store_st* store) const;
};
using TrustStore = std::unique_ptr<x509_store_st, FreeTrustStore>;

// Loaded once and shared: a library that reads the system's bundle again for each connection spends 45 ms on
// it. Fails when a configured file cannot be read.
Result<TrustStore> load_trust(const TransportConfig& config);

}  // namespace flow
