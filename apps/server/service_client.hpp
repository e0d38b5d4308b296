// Asking the service that a configuration describes, by its API.
#pragma once

#include <string>

#include "apps/cli/exit_code.hpp"
#include "apps/server/config.hpp"
#include "stdlib/http/transport.hpp"

namespace flow {

// Where the service of this configuration listens, as seen from its own machine: `http://127.0.0.1:8480`.
std::string service_url(const InboundConfig& inbound);

// `path` is behind that, percent-encoded. Fails when nobody is reached, or when the configuration has no
// `[api]`; every answer of the service is a success here.
Attempt<HttpResponse> ask_service(const Config& config, const std::string& method, const std::string& path,
                                  std::string body);

// What the service says against a request, for a person.
Failure service_refusal(const HttpResponse& response);

}  // namespace flow
