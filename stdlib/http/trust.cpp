#include "stdlib/http/trust.hpp"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

namespace flow {

void FreeTrustStore::operator()(x509_store_st* store) const {
  X509_STORE_free(store);
}

Result<TrustStore> load_trust(const TransportConfig& config) {
  TrustStore store(X509_STORE_new());
  const std::string bundle =
      config.ca_bundle.empty() ? "/etc/ssl/certs/ca-certificates.crt" : config.ca_bundle;
  if (X509_STORE_load_file(store.get(), bundle.c_str()) != 1) {
    ERR_clear_error();
    if (!config.ca_bundle.empty()) return error("cannot read the certificates in " + bundle);
    X509_STORE_set_default_paths(store.get());
  }
  if (!config.extra_ca.empty() && X509_STORE_load_file(store.get(), config.extra_ca.c_str()) != 1) {
    ERR_clear_error();
    return error("cannot read the certificates in " + config.extra_ca);
  }
  return store;
}

}  // namespace flow
