#include "stdlib/http/egress.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/text.hpp"

namespace flow {
namespace {

// 4 or 16 bytes; nothing when the text is no address. An IPv4 address within IPv6 is what it stands for.
std::string bytes_of(std::string_view address) {
  const std::string text(address.substr(0, address.find('%')));
  std::string bytes(16, '\0');
  if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return bytes.substr(0, 4);
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return {};
  static const std::string kMapped("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
  static const std::string kTranslated("\0\x64\xff\x9b\0\0\0\0\0\0\0\0", 12);
  if (bytes.starts_with(kMapped) || bytes.starts_with(kTranslated)) return bytes.substr(12);
  return bytes;
}

bool is_within(const std::string& address, std::string_view network, unsigned bits) {
  if (address.size() != network.size()) return false;
  for (unsigned bit = 0; bit < bits; ++bit) {
    const auto mask = static_cast<unsigned char>(0x80u >> (bit % 8));
    if (((static_cast<unsigned char>(address[bit / 8]) ^ static_cast<unsigned char>(network[bit / 8])) &
         mask) != 0)
      return false;
  }
  return true;
}

// What no other machine of the internet has, or what a cloud answers to the machine itself (RFC 6890; Azure's
// wire server has a public address).
constexpr const char* kNotPublic[] = {
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
    "168.63.129.16/32",
    // Of IPv6 only 2000::/3 is public, and of that not tunnels, which hold an IPv4 address, nor the
    // documentation's.
    "2001::/32",
    "2002::/16",
    "2001:db8::/32",
};

bool is_public(const std::string& address) {
  if (address.size() == 16 && (static_cast<unsigned char>(address[0]) & 0xe0u) != 0x20) return false;
  return std::ranges::none_of(kNotPublic, [&](std::string_view network) {
    const std::size_t slash = network.find('/');
    unsigned bits = 0;
    std::from_chars(network.data() + slash + 1, network.data() + network.size(), bits);
    return is_within(address, bytes_of(network.substr(0, slash)), bits);
  });
}

// `/a/../b` and its disguises: what a server makes of them is another path than the one that is compared.
bool has_dots(std::string_view path) {
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find_first_of("/;", begin), path.size());
    std::string segment = lower_ascii(path.substr(begin, end - begin));
    for (std::size_t at = segment.find("%2e"); at != std::string::npos; at = segment.find("%2e"))
      segment.replace(at, 3, ".");
    if (segment == "." || segment == "..") return true;
    if (segment.find("%2f") != std::string::npos && segment.find("..") != std::string::npos) return true;
    if (segment.find("%5c") != std::string::npos && segment.find("..") != std::string::npos) return true;
    begin = end + 1;
  }
  return false;
}

bool is_below(std::string_view target, std::string_view prefix) {
  if (!target.starts_with(prefix)) return false;
  if (prefix.ends_with('/') || target.size() == prefix.size()) return true;
  return target[prefix.size()] == '/' || target[prefix.size()] == '?';
}

}  // namespace

Result<Egress::Rule> Egress::rule_of(const std::string& text) {
  const auto wrong = [&](const std::string& why) {
    return error("`" + text + "` is nothing that requests can go to: " + why);
  };
  Rule rule;
  if (text == "*") return Rule{.is_https = true, .host = {}, .is_below = true, .port = 443, .path = "/"};
  const bool has_scheme = text.find("://") != std::string::npos;
  std::string url = has_scheme ? text : "https://" + text;
  const std::size_t host = url.find("://") + 3;
  if (url.compare(host, 2, "*.") == 0) {
    rule.is_below = true;
    url.erase(host, 2);
  }
  if (url.find('*') != std::string::npos)
    return wrong("`*` stands at the beginning of a host only, as `*.example.com`");
  const Result<Url> parsed = parse_url(url);
  if (!parsed) return wrong(parsed.error().message);
  if (parsed->target.find('?') != std::string::npos) return wrong("an entry ends with a path");
  if (has_dots(parsed->target)) return wrong("its path has `.` or `..` in it");
  if (rule.is_below && is_ip_address(parsed->host)) return wrong("no name is below an address");
  rule.is_https = parsed->is_https;
  rule.host = parsed->host;
  rule.port = parsed->port;
  rule.path = parsed->target;
  return rule;
}

Result<Egress::Network> Egress::network_of(const std::string& text) {
  const std::size_t slash = text.find('/');
  Network network{.bytes = bytes_of(text.substr(0, slash)), .bits = 0};
  if (network.bytes.empty()) return error("`" + text + "` is no network, as `10.1.0.0/16`, and no address");
  const auto most = static_cast<unsigned>(network.bytes.size() * 8);
  network.bits = most;
  if (slash == std::string::npos) return network;
  const auto [end, failed] =
      std::from_chars(text.data() + slash + 1, text.data() + text.size(), network.bits);
  if (failed != std::errc() || end != text.data() + text.size() || network.bits > most)
    return error("`" + text + "`: a network of such addresses has 0 to " + std::to_string(most) + " bits");
  return network;
}

Result<Egress> Egress::make(const std::vector<std::string>& allow, const std::vector<std::string>& inside) {
  Egress made;
  for (const std::string& text : allow) {
    FLOW_TRY(Rule rule, rule_of(text));
    // An address that is written out is meant.
    if (is_ip_address(rule.host)) {
      FLOW_TRY(Network network, network_of(rule.host));
      made.inside_.push_back(std::move(network));
    }
    made.rules_.push_back(std::move(rule));
  }
  for (const std::string& text : inside) {
    FLOW_TRY(Network network, network_of(text));
    made.inside_.push_back(std::move(network));
  }
  return made;
}

std::optional<std::string> Egress::refusal(std::string_view text) const {
  const Result<Url> url = parse_url(text);
  if (!url) return url.error().message;
  const std::string where = (url->is_https ? "https://" : "http://") + url->host_header();
  if (rules_.empty()) return "no address may be reached: `[egress]` of the configuration allows none";
  if (has_dots(url->target.substr(0, url->target.find('?')))) return "the path has `.` or `..` in it";
  const bool is_allowed = std::ranges::any_of(rules_, [&](const Rule& rule) {
    if (rule.is_https != url->is_https || rule.port != url->port || !is_below(url->target, rule.path))
      return false;
    if (!rule.is_below) return rule.host == url->host;
    return rule.host.empty() || url->host.ends_with("." + rule.host);
  });
  if (!is_allowed) return where + " is not on the egress list: `allow` in `[egress]` of the configuration";
  if (is_ip_address(url->host) && !may_connect(url->host))
    return where + " is no public address, and the egress list does not name it";
  return std::nullopt;
}

bool Egress::may_connect(std::string_view address) const {
  const std::string bytes = bytes_of(address);
  if (bytes.empty()) return false;
  return is_public(bytes) || std::ranges::any_of(inside_, [&](const Network& network) {
           return is_within(bytes, network.bytes, network.bits);
         });
}

ResolveHost Egress::guarded(ResolveHost resolve, const ProxyRules& proxies) const {
  std::vector<std::string> own;
  for (const char* const probe : {"http://proxy.invalid/", "https://proxy.invalid/"})
    if (const auto proxy = proxies.proxy_for(*parse_url(probe)); proxy && *proxy)
      own.push_back((*proxy)->host);
  if (!resolve) resolve = resolve_by_system;
  return [egress = *this, resolve = std::move(resolve), own = std::move(own)](const std::string& host) {
    std::vector<std::string> addresses = resolve(host);
    if (std::ranges::find(own, host) == own.end())
      std::erase_if(addresses, [&](const std::string& address) { return !egress.may_connect(address); });
    return addresses;
  };
}

}  // namespace flow
