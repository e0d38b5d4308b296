// Where requests of flows to addresses of their own may go: what the deployment lists, and never into the
// deployment's own network by accident. A name is judged by the addresses it has when a connection is opened,
// so that nobody can let it mean another machine after it was judged.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "stdlib/http/proxy.hpp"
#include "stdlib/http/resolver.hpp"
#include "stdlib/http/url.hpp"

namespace flow {

class Egress {
 public:
  // `allow` is what may be reached: `https://api.example.com/v1/` (this scheme, host, port and what is below
  // the path), `api.example.com` (https, the whole host), `*.example.com` (every name below), `*` (every
  // public https host). `inside` are networks (`10.1.0.0/16`) and addresses that may be reached though they
  // are not public. An error names the entry that is wrong.
  static Result<Egress> make(const std::vector<std::string>& allow, const std::vector<std::string>& inside);

  // Why a request to this address must not be sent; nothing when it may.
  std::optional<std::string> refusal(std::string_view url) const;
  // Whether a connection to this numeric address may be opened.
  bool may_connect(std::string_view address) const;
  // Resolves as `resolve` does and leaves out what may not be connected to. Proxies are the deployment's own.
  ResolveHost guarded(ResolveHost resolve, const ProxyRules& proxies) const;

  bool allows_nothing() const { return rules_.empty(); }

 private:
  struct Rule {
    bool is_https = true;
    std::string host;       // behind `*.`, or empty for every host
    bool is_below = false;  // names below `host`, not itself
    std::uint16_t port = 443;
    std::string path;  // `/` for all
  };
  struct Network {
    std::string bytes;  // 4 or 16
    unsigned bits = 0;
  };
  static Result<Rule> rule_of(const std::string& text);
  static Result<Network> network_of(const std::string& text);

  std::vector<Rule> rules_;
  std::vector<Network> inside_;
};

}  // namespace flow
