// Requests to Azure's Communication Services, signed with an access key (HMAC-SHA256). Pure: no clock, no
// network.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace flow {

struct RequestToSign {
  std::string_view method;
  std::string_view target;  // path and query
  std::string_view host;    // as in the header Host
  std::string_view body;
  std::int64_t now_us = 0;
};
struct SignedRequest {
  std::string date;           // x-ms-date
  std::string content_hash;   // x-ms-content-sha256
  std::string authorization;  // Authorization
};
// Fails when the key, which is written in Base64, is none.
Result<SignedRequest> azure_signature(const RequestToSign& request, std::string_view key);

}  // namespace flow
