// What a Transport is told once, when it is made.
#pragma once

#include <cstdint>
#include <string>

#include "stdlib/http/proxy.hpp"
#include "stdlib/http/resolver.hpp"

namespace flow {

struct TransportConfig {
  std::string ca_bundle;           // PEM file with the trusted authorities; empty is the system's bundle
  std::string extra_ca;            // PEM file with authorities trusted beside them; empty is none
  std::string client_certificate;  // PEM files for servers that ask who we are; empty is none
  std::string client_key;
  ProxyRules proxies;                         // proxies_from_environment() where the process shall obey it
  ResolveHost resolve;                        // empty is the system's resolver
  std::int64_t name_cache_us = 60'000'000;    // how long an address is believed
  std::int64_t idle_timeout_us = 30'000'000;  // how long an unused connection is kept
  std::size_t max_idle_per_origin = 16;
};

}  // namespace flow
