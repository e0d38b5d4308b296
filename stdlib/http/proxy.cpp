#include "stdlib/http/proxy.hpp"

#include <cstdlib>

#include "base/text.hpp"

namespace flow {
namespace {

std::string environment(const char* first, const char* second) {
  for (const char* name : {first, second})
    if (const char* value = name == nullptr ? nullptr : std::getenv(name); value != nullptr && *value != '\0')
      return value;
  return {};
}

bool exempts(std::string_view rule, const Url& url) {
  if (rule == "*") return true;
  if (const std::size_t colon = rule.rfind(':'); colon != std::string_view::npos && rule.find(':') == colon) {
    if (rule.substr(colon + 1) != std::to_string(url.port)) return false;
    rule = rule.substr(0, colon);
  }
  if (rule.starts_with("*.")) rule.remove_prefix(1);
  const bool is_below = rule.starts_with('.');
  if (is_below) rule.remove_prefix(1);
  if (rule.empty()) return false;
  if (equals_ignoring_case(rule, url.host)) return true;
  if (is_ip_address(url.host) || url.host.size() <= rule.size()) return false;
  const std::string_view host = url.host;
  return host[host.size() - rule.size() - 1] == '.' &&
         equals_ignoring_case(host.substr(host.size() - rule.size()), rule);
}

std::string percent_decoded(std::string_view text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_escape =
        text[i] == '%' &&
        text.substr(i + 1, 2).find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos &&
        i + 2 < text.size();
    out += is_escape ? static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2])) : text[i];
    if (is_escape) i += 2;
  }
  return out;
}

Result<Proxy> parse_proxy(std::string_view text) {
  Proxy proxy;
  if (const std::size_t scheme = text.find("://"); scheme != std::string_view::npos) {
    if (!equals_ignoring_case(text.substr(0, scheme), "http"))
      return error("only http:// proxies are supported");
    text.remove_prefix(scheme + 3);
  }
  if (const std::size_t at = text.rfind('@'); at != std::string_view::npos) {
    const std::string_view login = text.substr(0, at);
    const std::size_t colon = login.find(':');
    proxy.user = percent_decoded(login.substr(0, colon));
    if (colon != std::string_view::npos) proxy.password = percent_decoded(login.substr(colon + 1));
    text.remove_prefix(at + 1);
  }
  FLOW_TRY(const Url url, parse_url("http://" + std::string(text)));
  proxy.host = url.host;
  proxy.port = url.port;
  return proxy;
}

}  // namespace

Result<std::optional<Proxy>> ProxyRules::proxy_for(const Url& url) const {
  const std::string& wanted = url.is_https ? https : http;
  if (wanted.empty()) return std::nullopt;
  // Of this link: only this machine reaches it, as the metadata service of a cloud, and a proxy would be
  // another machine.
  if (url.host.starts_with("169.254.") && is_ip_address(url.host)) return std::nullopt;
  std::string_view rest = no_proxy;
  while (!rest.empty()) {
    const std::size_t comma = rest.find(',');
    if (exempts(trimmed(rest.substr(0, comma)), url)) return std::nullopt;
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
  }
  const Result<Proxy> proxy = parse_proxy(wanted);
  if (!proxy) return error("the configured proxy is malformed: " + proxy.error().message);
  return *proxy;
}

ProxyRules proxies_from_environment() {
  const std::string all = environment("all_proxy", "ALL_PROXY");
  ProxyRules rules{.http = environment("http_proxy", nullptr),
                   .https = environment("https_proxy", "HTTPS_PROXY"),
                   .no_proxy = environment("no_proxy", "NO_PROXY")};
  if (rules.http.empty()) rules.http = all;
  if (rules.https.empty()) rules.https = all;
  return rules;
}

}  // namespace flow
