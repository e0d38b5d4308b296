// Which proxy, if any, an exchange goes through.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "stdlib/http/url.hpp"

namespace flow {

struct Proxy {
  std::string host;
  std::uint16_t port = 0;
  std::string user;  // empty when the proxy asks for no credentials
  std::string password;
};

// Proxy URLs (`http://user:password@proxy:3128`) as environments give them; empty is none.
struct ProxyRules {
  std::string http;      // for http URLs
  std::string https;     // for https URLs, by CONNECT
  std::string no_proxy;  // comma-separated: `*`, `name` and `.name` (with all names below), addresses, each
                         // with an optional port

  // Nothing when `url` is reached directly.
  Result<std::optional<Proxy>> proxy_for(const Url& url) const;
};

// http_proxy, https_proxy or HTTPS_PROXY, all_proxy or ALL_PROXY, no_proxy or NO_PROXY. HTTP_PROXY is not
// read: a web server that starts programs lets its visitors set that one.
ProxyRules proxies_from_environment();

}  // namespace flow
