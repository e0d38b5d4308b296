// An absolute URL in the parts a Transport needs, and the check that every request passes before anything is
// sent.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "stdlib/http/transport.hpp"

namespace flow {

struct Url {
  bool is_https = false;
  std::string host;  // lower case; IPv6 addresses without brackets
  std::uint16_t port = 0;
  std::string target;  // path and query, beginning with `/`

  bool has_default_port() const { return port == (is_https ? 443 : 80); }
  std::string host_header() const;  // `name`, `name:8080`, `[::1]:8080`
};

// Accepts http and https URLs without user, password or fragment, whose every character may stand in a URL.
Result<Url> parse_url(std::string_view text);

// An address literal, as opposed to a name that must be resolved.
bool is_ip_address(std::string_view host);
// `host` as it stands in a URL: IPv6 addresses get their brackets back.
std::string bracketed(std::string_view host);

// Why this request must not be sent: method or URL malformed, a header that only a Transport may write, or a
// character that would end a header line. Nothing when it may.
std::optional<TransportError> refusal(const HttpRequest& request);

}  // namespace flow
