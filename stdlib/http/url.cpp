#include "stdlib/http/url.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.hpp"

namespace flow {
namespace {

constexpr std::size_t kLongestUrl = 16u << 10;
constexpr std::size_t kLongestHeaders = 64u << 10;

constexpr std::array<std::string_view, 6> kMethods{"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"};
// These say where a message ends or whom it is for; two opinions about that are how requests get smuggled.
constexpr std::array<std::string_view, 7> kOwnHeaders{
    "host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"};

bool is_url_char(char c) {
  static constexpr std::string_view kPunctuation = "-._~:/?[]@!$&'()*+,;=%";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kPunctuation.find(c) != std::string_view::npos;
}

bool is_token_char(char c) {
  static constexpr std::string_view kPunctuation = "!#$%&'*+-.^_`|~";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kPunctuation.find(c) != std::string_view::npos;
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

bool is_host_name(std::string_view host) {
  return !host.empty() && host.size() <= 253 && std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

// `authority` is `host`, `host:port` or `[v6]:port`.
Result<Url> with_authority(Url url, std::string_view authority) {
  std::string_view port;
  if (authority.starts_with('[')) {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) return error("the address in the URL is not closed by `]`");
    url.host = lower_ascii(authority.substr(1, close - 1));
    port = authority.substr(close + 1);
    if (!is_ip_address(url.host)) return error("the URL's host is not an address");
  } else {
    const std::size_t colon = authority.find(':');
    url.host = lower_ascii(authority.substr(0, colon));
    if (colon != std::string_view::npos) port = authority.substr(colon);
    if (!is_host_name(url.host)) return error("the URL's host is not a name");
  }
  if (port.empty()) {
    url.port = url.is_https ? 443 : 80;
    return url;
  }
  const auto [end, failed] = std::from_chars(port.data() + 1, port.data() + port.size(), url.port);
  if (port[0] != ':' || failed != std::errc() || end != port.data() + port.size() || url.port == 0)
    return error("the URL's port is not a number from 1 to 65535");
  return url;
}

TransportError refused(std::string message) {
  return {.kind = TransportError::Kind::Refused, .message = std::move(message), .maybe_executed = false};
}

std::optional<TransportError> header_refusal(const HttpHeaders& headers) {
  std::size_t total = 0;
  for (const auto& header : headers) {
    const std::string& name = header.first;
    const std::string& value = header.second;
    total += name.size() + value.size();
    if (name.empty() || !std::ranges::all_of(name, is_token_char))
      return refused("a header's name is malformed");
    if (std::ranges::any_of(kOwnHeaders,
                            [&](std::string_view own) { return equals_ignoring_case(own, name); }))
      return refused("header `" + name + "` is written by the transport only");
    if (std::ranges::any_of(value, is_control))
      return refused("header `" + name + "` holds a control character");
  }
  if (total > kLongestHeaders) return refused("the headers are longer than 64 KiB");
  return std::nullopt;
}

}  // namespace

std::string bracketed(std::string_view host) {
  return host.find(':') == std::string_view::npos ? std::string(host) : "[" + std::string(host) + "]";
}

std::string Url::host_header() const {
  return has_default_port() ? bracketed(host) : bracketed(host) + ":" + std::to_string(port);
}

bool is_ip_address(std::string_view host) {
  const std::string text(host);
  std::array<unsigned char, 16> address{};
  return inet_pton(AF_INET, text.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, text.c_str(), address.data()) == 1;
}

Result<Url> parse_url(std::string_view text) {
  Url url;
  if (text.size() > kLongestUrl) return error("the URL is longer than 16 KiB");
  if (!std::ranges::all_of(text, is_url_char))
    return error("the URL holds a character that must be percent-encoded");
  const std::size_t scheme_end = text.find("://");
  const std::string scheme =
      lower_ascii(text.substr(0, scheme_end == std::string_view::npos ? 0 : scheme_end));
  if (scheme != "http" && scheme != "https") return error("the URL does not begin with https:// or http://");
  url.is_https = scheme == "https";
  text.remove_prefix(scheme_end + 3);
  const std::size_t path = text.find_first_of("/?");
  const std::string_view authority = text.substr(0, path);
  if (authority.find('@') != std::string_view::npos)
    return error("the URL names a user; credentials go in headers");
  url.target = path == std::string_view::npos ? "/" : std::string(text.substr(path));
  if (url.target[0] == '?') url.target.insert(0, "/");
  return with_authority(std::move(url), authority);
}

std::optional<TransportError> refusal(const HttpRequest& request) {
  if (std::ranges::find(kMethods, request.method) == kMethods.end())
    return refused("the method is none of GET HEAD POST PATCH PUT DELETE");
  const Result<Url> url = parse_url(request.url);
  if (!url) return refused(url.error().message);
  if (request.deadline_us <= 0) return refused("the deadline is over before the exchange began");
  return header_refusal(request.headers);
}

}  // namespace flow
