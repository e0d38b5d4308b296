// The Transport on cpprestsdk 2.10. docs/transport.md lists its guards, and what it cannot guard against.
#pragma once

#include <memory>

#include "base/result.hpp"
#include "stdlib/http/transport.hpp"
#include "stdlib/http/transport_config.hpp"

namespace flow {

// Call it early in main, before other threads exist: the first call fixes the library's two threads and sets
// SSL_CERT_FILE for the whole process (other OpenSSL users must be given their authorities explicitly). Fails
// when a certificate file cannot be read or a proxy is malformed. The destructor drains.
//
// Before the process ends: drain(), then _exit() when it returned false. The library may crash in static
// destructors while exchanges are under way.
Result<std::unique_ptr<Transport>> make_cpprest_transport(TransportConfig config);

}  // namespace flow
