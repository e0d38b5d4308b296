// Addresses and networks of the Internet Protocol, as texts say them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace flow {

// 16 bytes; an IPv4 address stands in the last four, mapped as `::ffff:a.b.c.d`, so that it is the same
// address however it was written.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};
  bool was_v6 = false;  // how it was written

  bool is_v4() const;  // also when it was written as a mapped one
};
std::optional<IpAddress> parse_ip(std::string_view text);

// As RFC 5952 writes it; of IPv4 as four numbers.
std::string format_ip(const IpAddress& address);
// Without the bits behind the first `bits` of the 32 or 128.
IpAddress first_of_network(IpAddress address, unsigned bits);

bool is_loopback(const IpAddress& address);    // 127.0.0.0/8, ::1
bool is_link_local(const IpAddress& address);  // 169.254.0.0/16, fe80::/10
bool is_private(const IpAddress& address);     // 10/8, 172.16/12, 192.168/16, fc00::/7
// Whether the Internet routes it: nothing of the registries for special purposes (RFC 6890 and those after
// it).
bool is_public(const IpAddress& address);

struct Cidr {
  IpAddress address;
  unsigned prefix = 0;  // of the 128 bits

  bool contains(const IpAddress& other) const;
};
// `10.0.0.0/8`, `2001:db8::/32`. Bits behind the prefix may be set; they do not count.
std::optional<Cidr> parse_cidr(std::string_view text);

}  // namespace flow
