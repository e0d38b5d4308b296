#include "base/ip_address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace flow {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned kMappedBits = 96;

Cidr network(std::string_view text) {
  return *parse_cidr(text);
}

template <std::size_t Count>
bool is_in(const IpAddress& address, const std::array<Cidr, Count>& networks) {
  return std::ranges::any_of(networks, [&](const Cidr& each) { return each.contains(address); });
}

}  // namespace

bool IpAddress::is_v4() const {
  return std::equal(kMapped.begin(), kMapped.end(), bytes.begin());
}

std::optional<IpAddress> parse_ip(std::string_view text) {
  constexpr std::size_t kLongest = 45;
  char copy[kLongest + 1] = {};
  if (text.size() > kLongest || text.find('\0') != std::string_view::npos) return std::nullopt;
  std::ranges::copy(text, copy);
  IpAddress address;
  std::uint8_t four[4];
  if (inet_pton(AF_INET, copy, four) == 1) {
    std::ranges::copy(kMapped, address.bytes.begin());
    std::copy_n(four, 4, address.bytes.begin() + kMapped.size());
    return address;
  }
  if (inet_pton(AF_INET6, copy, address.bytes.data()) != 1) return std::nullopt;
  address.was_v6 = true;
  return address;
}

std::string format_ip(const IpAddress& address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address.is_v4())
    inet_ntop(AF_INET, address.bytes.data() + kMapped.size(), text, sizeof text);
  else
    inet_ntop(AF_INET6, address.bytes.data(), text, sizeof text);
  return text;
}

IpAddress first_of_network(IpAddress address, unsigned bits) {
  if (address.is_v4()) bits += kMappedBits;
  for (unsigned bit = bits; bit < 128; ++bit)
    address.bytes[bit / 8] = static_cast<std::uint8_t>(address.bytes[bit / 8] & ~(0x80u >> bit % 8));
  return address;
}

bool Cidr::contains(const IpAddress& other) const {
  const unsigned whole = prefix / 8, rest = prefix % 8;
  if (std::memcmp(address.bytes.data(), other.bytes.data(), whole) != 0) return false;
  if (rest == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xff << (8 - rest));
  return ((address.bytes[whole] ^ other.bytes[whole]) & mask) == 0;
}

std::optional<Cidr> parse_cidr(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto address = parse_ip(text.substr(0, slash));
  const std::string_view bits = text.substr(slash + 1);
  unsigned prefix = 0;
  const auto [end, problem] = std::from_chars(bits.data(), bits.data() + bits.size(), prefix);
  if (!address || problem != std::errc() || end != bits.data() + bits.size() || bits.size() > 3)
    return std::nullopt;
  if (bits.size() > 1 && bits[0] == '0') return std::nullopt;
  if (prefix > (address->was_v6 ? 128u : 32u)) return std::nullopt;
  return Cidr{.address = *address, .prefix = address->was_v6 ? prefix : prefix + kMappedBits};
}

bool is_loopback(const IpAddress& address) {
  static const std::array kNetworks = {network("127.0.0.0/8"), network("::1/128")};
  return is_in(address, kNetworks);
}

bool is_link_local(const IpAddress& address) {
  static const std::array kNetworks = {network("169.254.0.0/16"), network("fe80::/10")};
  return is_in(address, kNetworks);
}

bool is_private(const IpAddress& address) {
  static const std::array kNetworks = {network("10.0.0.0/8"), network("172.16.0.0/12"),
                                       network("192.168.0.0/16"), network("fc00::/7")};
  return is_in(address, kNetworks);
}

bool is_public(const IpAddress& address) {
  static const std::array kSpecialV4 = {
      network("0.0.0.0/8"),      network("10.0.0.0/8"),     network("100.64.0.0/10"),
      network("127.0.0.0/8"),    network("169.254.0.0/16"), network("172.16.0.0/12"),
      network("192.0.0.0/24"),   network("192.0.2.0/24"),   network("192.88.99.0/24"),
      network("192.168.0.0/16"), network("198.18.0.0/15"),  network("198.51.100.0/24"),
      network("203.0.113.0/24"), network("224.0.0.0/4"),    network("240.0.0.0/4"),
  };
  static const std::array kGlobalV6 = {network("2000::/3"), network("64:ff9b::/96")};
  static const std::array kSpecialV6 = {network("2001::/23"), network("2001:db8::/32"), network("2002::/16"),
                                        network("3fff::/20")};
  if (address.is_v4()) return !is_in(address, kSpecialV4);
  return is_in(address, kGlobalV6) && !is_in(address, kSpecialV6);
}

}  // namespace flow
