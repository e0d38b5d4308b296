// Addresses, networks, URLs, domains and mail addresses, and what they are made of.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/ip_address.hpp"
#include "base/text.hpp"
#include "vm/interp/natives/functions.hpp"

namespace flow::natives {
namespace {

std::string shown(std::string_view text) {
  return printable(text.substr(0, 80));
}

template <class Test>
bool address_is(NativeContext& context, std::string_view text, Test test) {
  const auto address = parse_ip(text);
  if (!address) return invalid(context, fmt::format("`{}` is no IP address", shown(text))), false;
  return test(*address);
}

// `scheme://user@host:port/path?query#fragment`; parts that are not there are empty.
struct Url {
  std::string_view scheme, host, port, path, query;
};

std::optional<Url> url_parts(NativeContext& context, std::string_view text) {
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos || colon == 0) {
    invalid(context, fmt::format("`{}` is no absolute URL", shown(text)));
    return std::nullopt;
  }
  Url url{.scheme = text.substr(0, colon), .host = {}, .port = {}, .path = {}, .query = {}};
  text.remove_prefix(colon + 3);
  text = text.substr(0, text.find('#'));
  const std::size_t end = std::min(text.find_first_of("/?"), text.size());
  std::string_view authority = text.substr(0, end);
  text.remove_prefix(end);
  const std::size_t question = std::min(text.find('?'), text.size());
  url.path = text.substr(0, question);
  if (question < text.size()) url.query = text.substr(question + 1);
  // What stands before the last @ names a user, also where it looks like a host.
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos)
    authority.remove_prefix(at + 1);
  const std::size_t bracket = authority.starts_with('[') ? authority.find(']') : std::string_view::npos;
  if (bracket != std::string_view::npos) {
    url.host = authority.substr(1, bracket - 1);
    authority.remove_prefix(bracket + 1);
  } else {
    url.host = authority.substr(0, authority.find(':'));
    authority.remove_prefix(url.host.size());
  }
  if (authority.starts_with(':')) url.port = authority.substr(1);
  return url;
}

bool ends_with_domain(std::string_view domain, std::string_view parent) {
  if (domain.size() < parent.size()) return false;
  const std::size_t begin = domain.size() - parent.size();
  return equals_ignoring_case(domain.substr(begin), parent) && (begin == 0 || domain[begin - 1] == '.');
}

}  // namespace

bool isPrivate(NativeContext& context, std::string_view address) {
  return address_is(context, address, is_private);
}
bool isPublic(NativeContext& context, std::string_view address) {
  return address_is(context, address, is_public);
}
bool isLoopback(NativeContext& context, std::string_view address) {
  return address_is(context, address, is_loopback);
}
bool isLinkLocal(NativeContext& context, std::string_view address) {
  return address_is(context, address, is_link_local);
}
bool isV6(NativeContext& context, std::string_view address) {
  return address_is(context, address, [](const IpAddress& each) { return !each.is_v4(); });
}

Text ipNetwork(NativeContext& context, std::string_view text, std::int64_t bits) {
  const auto address = parse_ip(text);
  if (!address) return invalid(context, fmt::format("`{}` is no IP address", shown(text)));
  const std::int64_t most = address->is_v4() ? 32 : 128;
  if (bits < 0 || bits > most)
    return invalid(context,
                   fmt::format("a network of `{}` has 0 to {} bits, not {}", shown(text), most, bits));
  return keep(context,
              fmt::format("{}/{}", format_ip(first_of_network(*address, static_cast<unsigned>(bits))), bits));
}

bool inNetwork(NativeContext& context, std::string_view network, std::string_view address) {
  const auto cidr = parse_cidr(network);
  if (!cidr) return invalid(context, fmt::format("`{}` is no network", shown(network))), false;
  return address_is(context, address, [&](const IpAddress& each) { return cidr->contains(each); });
}

Text urlScheme(NativeContext& context, std::string_view url) {
  const auto parts = url_parts(context, url);
  return parts ? keep(context, lower_ascii(parts->scheme)) : std::nullopt;
}
Text urlHost(NativeContext& context, std::string_view url) {
  const auto parts = url_parts(context, url);
  return parts ? keep(context, lower_ascii(parts->host)) : std::nullopt;
}
std::optional<std::int64_t> urlPort(NativeContext& context, std::string_view url) {
  const auto parts = url_parts(context, url);
  if (!parts || parts->port.empty()) return std::nullopt;
  std::uint16_t port = 0;
  const char* const end = parts->port.data() + parts->port.size();
  const auto read = std::from_chars(parts->port.data(), end, port);
  return read.ec == std::errc() && read.ptr == end ? std::optional<std::int64_t>(port) : std::nullopt;
}
Text urlPath(NativeContext& context, std::string_view url) {
  const auto parts = url_parts(context, url);
  if (!parts) return std::nullopt;
  return parts->path.empty() ? std::string_view("/") : parts->path;
}

Text urlQuery(NativeContext& context, std::string_view url, std::string_view name) {
  const auto parts = url_parts(context, url);
  if (!parts) return std::nullopt;
  std::string_view rest = parts->query;
  const auto decoded = [](std::string_view part) {
    std::string text(part);
    std::ranges::replace(text, '+', ' ');
    auto bytes = percent_decoded(text);
    return bytes && !invalid_utf8_at(*bytes) ? std::move(*bytes) : std::string(part);
  };
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (decoded(pair.substr(0, equals)) == name)
      return keep(context, decoded(pair.substr(std::min(equals + 1, pair.size()))));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return std::nullopt;
}

bool isSubdomainOf(NativeContext&, std::string_view domain, std::string_view parent) {
  if (domain.ends_with('.')) domain.remove_suffix(1);
  if (parent.ends_with('.')) parent.remove_suffix(1);
  if (parent.starts_with('.')) parent.remove_prefix(1);
  return !parent.empty() && ends_with_domain(domain, parent);
}

Text parentDomain(NativeContext&, std::string_view domain) {
  const std::size_t dot = domain.find('.');
  if (dot == std::string_view::npos || dot + 1 == domain.size()) return std::nullopt;
  return domain.substr(dot + 1);
}

Text emailUser(NativeContext&, std::string_view address) {
  const std::size_t at = address.rfind('@');
  return at == std::string_view::npos ? address : address.substr(0, at);
}
Text emailDomain(NativeContext& context, std::string_view address) {
  const std::size_t at = address.rfind('@');
  if (at == std::string_view::npos)
    return invalid(context, fmt::format("`{}` is no mail address", shown(address)));
  return keep(context, lower_ascii(address.substr(at + 1)));
}

}  // namespace flow::natives
