#include "base/ip_address.hpp"

#include <gtest/gtest.h>

#include <string>

namespace flow {
namespace {

bool lies_in(std::string_view address, std::string_view network) {
  return parse_cidr(network).value().contains(parse_ip(address).value());
}

TEST(IpAddresses, AreReadInBothForms) {
  EXPECT_TRUE(parse_ip("10.0.0.1")->is_v4());
  EXPECT_TRUE(parse_ip("::ffff:10.0.0.1")->is_v4());
  EXPECT_EQ(parse_ip("::ffff:10.0.0.1")->bytes, parse_ip("10.0.0.1")->bytes);
  EXPECT_FALSE(parse_ip("2001:db8::1")->is_v4());
  for (const char* bad :
       {"", "10.0.0", "10.0.0.256", "10.0.0.1 ", "1.2.3.4/8", ":::", "fe80::1%eth0", "g::1"})
    EXPECT_FALSE(parse_ip(bad)) << bad;
  EXPECT_FALSE(parse_ip(std::string(1000, '1')));
  EXPECT_FALSE(parse_ip(std::string_view("10.0.0.1\0", 9)));
}

TEST(IpAddresses, HaveTheirPurposes) {
  const auto ip = [](std::string_view text) { return parse_ip(text).value(); };
  EXPECT_TRUE(is_private(ip("172.31.255.255")));
  EXPECT_FALSE(is_private(ip("172.32.0.0")));
  EXPECT_TRUE(is_private(ip("fd00::1")));
  EXPECT_TRUE(is_private(ip("::ffff:192.168.1.1")));
  EXPECT_TRUE(is_loopback(ip("127.8.8.8")));
  EXPECT_TRUE(is_loopback(ip("::1")));
  EXPECT_TRUE(is_link_local(ip("169.254.1.1")));
  EXPECT_TRUE(is_link_local(ip("fe80::1")));
  for (const char* open : {"8.8.8.8", "2606:4700::1111", "100.128.0.1"})
    EXPECT_TRUE(is_public(ip(open))) << open;
  for (const char* closed :
       {"0.0.0.0", "10.1.1.1", "100.64.0.1", "127.0.0.1", "169.254.0.1", "192.0.2.1", "224.0.0.1",
        "255.255.255.255", "::", "::1", "fe80::1", "fc00::1", "2001:db8::1", "ff02::1"})
    EXPECT_FALSE(is_public(ip(closed))) << closed;
}

TEST(Networks, HoldTheirAddresses) {
  EXPECT_TRUE(lies_in("10.1.2.3", "10.0.0.0/8"));
  EXPECT_FALSE(lies_in("11.1.2.3", "10.0.0.0/8"));
  EXPECT_TRUE(lies_in("192.168.1.130", "192.168.1.129/25")) << "bits behind the prefix do not count";
  EXPECT_FALSE(lies_in("192.168.1.127", "192.168.1.128/25"));
  EXPECT_TRUE(lies_in("1.2.3.4", "0.0.0.0/0"));
  EXPECT_FALSE(lies_in("2001:db8::1", "0.0.0.0/0"));
  EXPECT_TRUE(lies_in("2001:db8:ffff::", "2001:db8::/32"));
  EXPECT_TRUE(lies_in("::ffff:10.0.0.1", "10.0.0.1/32"));
  EXPECT_TRUE(lies_in("10.0.0.1", "::/0"));
  for (const char* bad : {"", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/-1",
                          "10.0.0.0/8 ", "::/129", "10.0.0.0/8/8", "x/8"})
    EXPECT_FALSE(parse_cidr(bad)) << bad;
}

}  // namespace
}  // namespace flow
