// Where requests that flows write themselves may go.
#include "stdlib/http/egress.hpp"

#include <gtest/gtest.h>

namespace flow {
namespace {

using Texts = std::vector<std::string>;

Egress egress(const Texts& allow, const Texts& inside = {}) {
  auto made = Egress::make(allow, inside);
  EXPECT_TRUE(made) << (made ? "" : made.error().message);
  return made ? *made : Egress();
}

bool may(const Texts& allow, const std::string& url, const Texts& inside = {}) {
  return !egress(allow, inside).refusal(url);
}

TEST(Egress, NothingIsAllowedUnlessItIsSaid) {
  EXPECT_EQ(Egress().refusal("https://example.com/"),
            "no address may be reached: `[egress]` of the configuration allows none");
}

TEST(Egress, AnEntryIsSchemeHostPortAndPath) {
  const Texts allow{"https://api.example.com/v1/files"};
  for (const char* const url :
       {"https://api.example.com/v1/files", "https://API.example.com/v1/files/abc?x=1",
        "https://api.example.com:443/v1/files?x=/../"})
    EXPECT_TRUE(may(allow, url)) << url;
  for (const char* const url :
       {"http://api.example.com/v1/files", "https://api.example.com:8443/v1/files",
        "https://api.example.com/v1/filesystem", "https://api.example.com/v2", "https://example.com/v1/files",
        "https://api.example.com.evil.org/v1/files", "https://api.example.com/v1/files/../../admin",
        "https://api.example.com/v1/files/%2e%2E/admin", "https://api.example.com/v1/files/..%2f..%2fadmin",
        "https://api.example.com/v1/files/..%5cadmin", "https://api.example.com@evil.org/v1/files",
        "https://evil.org/https://api.example.com/v1/files"})
    EXPECT_FALSE(may(allow, url)) << url;
}

TEST(Egress, AHostAloneIsHttps) {
  EXPECT_TRUE(may({"api.example.com"}, "https://api.example.com/any?x=1"));
  EXPECT_FALSE(may({"api.example.com"}, "http://api.example.com/any"));
  EXPECT_TRUE(may({"api.example.com:8443/v1/"}, "https://api.example.com:8443/v1/x"));
}

TEST(Egress, AStarStandsForNamesBelow) {
  EXPECT_TRUE(may({"*.contoso.com"}, "https://a.b.contoso.com/"));
  EXPECT_FALSE(may({"*.contoso.com"}, "https://contoso.com/"));
  EXPECT_FALSE(may({"*.contoso.com"}, "https://evilcontoso.com/"));
  EXPECT_TRUE(may({"*"}, "https://anything.example/"));
  EXPECT_FALSE(may({"*"}, "http://anything.example/"));
}

TEST(Egress, AddressesThatAreNotPublicAreRefused) {
  const Egress any = egress({"*"});
  for (const char* const address :
       {"127.0.0.1",     "10.1.2.3",    "172.31.255.255",   "192.168.0.1",     "169.254.169.254",
        "100.64.0.1",    "0.0.0.0",     "224.0.0.1",        "255.255.255.255", "168.63.129.16",
        "::1",           "::",          "fe80::1",          "fe80::1%eth0",    "fc00::1",
        "fd00:ec2::254", "ff02::1",     "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1",
        "2002:7f00:1::", "2001:db8::1", "nonsense"})
    EXPECT_FALSE(any.may_connect(address)) << address;
  for (const char* const address :
       {"8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8"})
    EXPECT_TRUE(any.may_connect(address)) << address;
  EXPECT_FALSE(may({"*"}, "https://127.0.0.1/"));
  EXPECT_FALSE(may({"*"}, "https://[::1]/"));
}

TEST(Egress, WhatIsInsideIsReachedWhenItIsNamed) {
  EXPECT_TRUE(may({"http://10.0.0.5:8080/"}, "http://10.0.0.5:8080/x"));
  EXPECT_FALSE(may({"http://10.0.0.5:8080/"}, "http://10.0.0.6:8080/x"));
  const Egress both = egress({"cmdb.corp.example"}, {"10.1.0.0/16", "fd00::/8"});
  EXPECT_TRUE(both.may_connect("10.1.200.3"));
  EXPECT_TRUE(both.may_connect("fd12::1"));
  EXPECT_FALSE(both.may_connect("10.2.0.1"));
}

// A name that meant a public machine when it was judged may mean another one when it is connected to.
TEST(Egress, ANameIsJudgedByTheAddressesItHasThen) {
  int asked = 0;
  const ResolveHost resolve = [&](const std::string&) -> std::vector<std::string> {
    if (asked++ == 0) return {"93.184.216.34"};
    return {"127.0.0.1", "93.184.216.34", "::1"};
  };
  const ResolveHost guarded = egress({"*"}).guarded(resolve, {});
  EXPECT_EQ(guarded("rebinding.example"), Texts{"93.184.216.34"});
  EXPECT_EQ(guarded("rebinding.example"), Texts{"93.184.216.34"});
  const ResolveHost inside = egress({"*"}).guarded([](const std::string&) { return Texts{"10.0.0.1"}; },
                                                   {.https = "http://proxy.corp:3128"});
  EXPECT_TRUE(inside("2130706433").empty());
  EXPECT_EQ(inside("proxy.corp"), Texts{"10.0.0.1"});  // the deployment's own
}

TEST(Egress, WrongEntriesAreNamed) {
  const auto problem = [](const Texts& allow, const Texts& inside = {}) {
    const auto made = Egress::make(allow, inside);
    return made ? std::string() : made.error().message;
  };
  EXPECT_EQ(problem({"api.*.com"}),
            "`api.*.com` is nothing that requests can go to: `*` stands at the beginning of a host only, as "
            "`*.example.com`");
  EXPECT_EQ(problem({"ftp://example.com"}),
            "`ftp://example.com` is nothing that requests can go to: the URL does not begin with https:// or "
            "http://");
  EXPECT_EQ(problem({"https://user:password@example.com/"}),
            "`https://user:password@example.com/` is nothing that requests can go to: the URL names a user; "
            "credentials go "
            "in headers");
  EXPECT_EQ(problem({"*.10.0.0.1"}),
            "`*.10.0.0.1` is nothing that requests can go to: no name is below an address");
  EXPECT_EQ(problem({"example.com/a/../b"}),
            "`example.com/a/../b` is nothing that requests can go to: its path has `.` or `..` in it");
  EXPECT_EQ(problem({}, {"10.0.0.0/33"}), "`10.0.0.0/33`: a network of such addresses has 0 to 32 bits");
  EXPECT_EQ(problem({}, {"corp"}), "`corp` is no network, as `10.1.0.0/16`, and no address");
}

}  // namespace
}  // namespace flow
