// The Transport on libcurl. docs/transport.md says where it differs from the one on cpprestsdk.
#pragma once

#include <memory>

#include "base/result.hpp"
#include "stdlib/http/transport.hpp"
#include "stdlib/http/transport_config.hpp"

namespace flow {

// One thread drives all exchanges and calls `done`, which must be short and must not destroy the transport.
// Fails when a certificate file cannot be read or a proxy is malformed. The destructor drains.
Result<std::unique_ptr<Transport>> make_curl_transport(TransportConfig config);

}  // namespace flow
