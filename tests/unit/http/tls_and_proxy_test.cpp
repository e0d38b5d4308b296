#include <future>
#include <thread>

#include "stdlib/http/proxy.hpp"
#include "tests/unit/http/conformance.hpp"
#include "tests/unit/http/scripted_server.hpp"
#include "tests/unit/http/tls_server.hpp"

namespace flow {
namespace {

using Kind = TransportError::Kind;
class TransportTls : public TransportConformance {};
class TransportProxy : public TransportConformance {};

struct Pki {
  Identity authority = make_authority("flow test authority");
  std::string authority_file = written(authority.certificate);
};
const Pki& pki() {
  static const Pki made;
  return made;
}

// Trusts the test's authority; every name is on loopback.
TransportConfig trusting() {
  return {.ca_bundle = pki().authority_file,
          .resolve = [](const std::string&) { return std::vector<std::string>{"127.0.0.1"}; }};
}

std::string https(const std::string& host, const TlsServer& server) {
  return "https://" + host + ":" + std::to_string(server.port()) + "/";
}

void expect_tls_refusal(const HttpResult& result, const TlsServer& server) {
  const TransportError error = error_of(result);
  EXPECT_EQ(error.kind, Kind::Tls) << error.message;
  EXPECT_FALSE(error.maybe_executed);
  EXPECT_EQ(error.message.find("BEGIN"), std::string::npos);
  EXPECT_GE(server.handshakes(), 0);
}

TEST_P(TransportTls, ARightCertificateIsAcceptedAndTheNameIsSent) {
  const TlsServer server(make_certificate("DNS:api.flow.example", pki().authority));
  const auto transport = make(trusting());
  EXPECT_EQ(body_of(exchange(*transport, get(https("api.flow.example", server)))), "ok");
  EXPECT_EQ(server.last_name(), "api.flow.example");
  EXPECT_EQ(body_of(exchange(*transport, post(https("api.flow.example", server)))), "ok");
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(body_of(exchange(*transport, get(https("api.flow.example", server)))), "ok");
  EXPECT_LE(server.handshakes(), 4) << "reads share a connection, but for one that TLS made look unquiet";
}

TEST_P(TransportTls, AddressesInCertificatesCount) {
  const TlsServer server(make_certificate("IP:127.0.0.1", pki().authority));
  const auto transport = make(trusting());
  EXPECT_EQ(body_of(exchange(*transport, get(https("127.0.0.1", server)))), "ok");
}

TEST_P(TransportTls, WrongNamesAreRefused) {
  const TlsServer server(make_certificate("DNS:other.flow.example", pki().authority));
  const auto transport = make(trusting());
  expect_tls_refusal(exchange(*transport, post(https("api.flow.example", server))), server);
}

TEST_P(TransportTls, ExpiredSelfSignedAndUnknownAreRefused) {
  const TlsServer expired(make_certificate("DNS:api.flow.example", pki().authority, true));
  const TlsServer self_signed(make_authority("api.flow.example"));
  const TlsServer unknown(make_certificate("DNS:api.flow.example", make_authority("another authority")));
  const auto transport = make(trusting());
  for (const TlsServer* server : {&expired, &self_signed, &unknown})
    expect_tls_refusal(exchange(*transport, post(https("api.flow.example", *server))), *server);
}

TEST_P(TransportTls, OldProtocolsAreRefused) {
  const TlsServer server(make_certificate("DNS:api.flow.example", pki().authority),
                         {.only_old_versions = true});
  const auto transport = make(trusting());
  expect_tls_refusal(exchange(*transport, get(https("api.flow.example", server))), server);
}

TEST_P(TransportTls, ClientCertificatesAreShownWhenConfigured) {
  const TlsServer server(make_certificate("DNS:api.flow.example", pki().authority),
                         {.client_authority = pki().authority.certificate});
  const auto without = make(trusting());
  EXPECT_EQ(status_of(exchange(*without, get(https("api.flow.example", server)))), -1);
  const Identity mine = make_certificate("DNS:client.flow.example", pki().authority);
  TransportConfig config = trusting();
  config.client_certificate = written(mine.certificate);
  config.client_key = written(mine.key);
  const auto with = make(config);
  EXPECT_EQ(body_of(exchange(*with, get(https("api.flow.example", server)))), "ok");
}

TEST_P(TransportTls, PlainHttpOnATlsPortIsRefused) {
  ScriptedServer server(
      [](Peer& peer, int) { peer.write("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"); });
  const auto transport = make(trusting());
  const TransportError error =
      error_of(exchange(*transport, post("https://api.flow.example:" + std::to_string(server.port()) + "/")));
  EXPECT_EQ(error.kind, Kind::Tls) << error.message;
  EXPECT_FALSE(error.maybe_executed);
}

// A proxy that notes what it is asked and either answers for the server or opens a tunnel to it.
class FakeProxy {
 public:
  std::string url(const std::string& login = {}) const {
    return "http://" + login + "127.0.0.1:" + std::to_string(server_.port());
  }
  std::vector<std::string> requests() const { return server_.requests(); }
  int connections() const { return server_.connections(); }

 private:
  ScriptedServer server_{[this](Peer& peer, int) {
    for (std::string request = peer.read_request(); !request.empty(); request = peer.read_request()) {
      server_.note(request);
      if (request.starts_with("CONNECT"))
        return void(peer.write("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"));
      peer.write(answer(200, "by proxy"));
    }
  }};
};

TEST_P(TransportProxy, PlainRequestsGoThroughIt) {
  FakeProxy proxy;
  const auto transport = make({.proxies = {.http = proxy.url()}});
  EXPECT_EQ(body_of(exchange(*transport, get("http://api.flow.example/a?b=c"))), "by proxy");
  ASSERT_EQ(proxy.requests().size(), 1u);
  EXPECT_TRUE(proxy.requests()[0].starts_with("GET http://api.flow.example")) << proxy.requests()[0];
  EXPECT_TRUE(header_of(proxy.requests()[0], "Host").starts_with("api.flow.example")) << proxy.requests()[0];
  EXPECT_EQ(header_of(proxy.requests()[0], "Proxy-Authorization"), "");
}

TEST_P(TransportProxy, CredentialsAreShownToIt) {
  FakeProxy proxy;
  const auto transport = make({.proxies = {.http = proxy.url("user:p%40ss@")}});
  EXPECT_EQ(body_of(exchange(*transport, get("http://api.flow.example/"))), "by proxy");
  ASSERT_EQ(proxy.requests().size(), 1u);
  EXPECT_EQ(header_of(proxy.requests()[0], "Proxy-Authorization"), "Basic dXNlcjpwQHNz");
}

TEST_P(TransportProxy, RefusedTunnelsAreCertainlyNotExecuted) {
  FakeProxy proxy;
  TransportConfig config = trusting();
  config.proxies.https = proxy.url();
  const auto transport = make(config);
  const TransportError error = error_of(exchange(*transport, post("https://api.flow.example/")));
  EXPECT_EQ(error.kind, Kind::Connect) << error.message;
  EXPECT_FALSE(error.maybe_executed);
  ASSERT_FALSE(proxy.requests().empty());
  EXPECT_TRUE(proxy.requests()[0].starts_with("CONNECT api.flow.example:443 HTTP/1.1\r\n"))
      << proxy.requests()[0];
}

TEST_P(TransportProxy, ADeadProxyIsCertainlyNotExecuted) {
  TransportConfig config = trusting();
  config.proxies.http = config.proxies.https = "http://127.0.0.1:" + std::to_string(closed_port());
  const auto transport = make(config);
  for (const char* url : {"http://api.flow.example/", "https://api.flow.example/"}) {
    const TransportError error = error_of(exchange(*transport, post(url)));
    EXPECT_EQ(error.kind, Kind::Connect) << error.message;
    EXPECT_FALSE(error.maybe_executed);
  }
}

TEST_P(TransportProxy, ExemptHostsAreReachedDirectly) {
  FakeProxy proxy;
  ScriptedServer server([](Peer& peer, int) {
    peer.read_request();
    peer.write(answer(200, "direct"));
  });
  const auto transport = make({.proxies = {.http = proxy.url(), .no_proxy = "localhost,127.0.0.1"}});
  EXPECT_EQ(body_of(exchange(*transport, get(server.url()))), "direct");
  EXPECT_EQ(proxy.connections(), 0);
}

TEST(Proxy, RulesChooseByNameAndPort) {
  const ProxyRules rules{
      .http = "http://p:3128", .https = "", .no_proxy = " a.example, .b.example,c.example:8080,10.0.0.1"};
  const auto is_direct = [&](const char* url) { return !rules.proxy_for(*parse_url(url))->has_value(); };
  for (const char* url : {"http://a.example/", "http://x.a.example/", "http://y.b.example/",
                          "http://c.example:8080/", "http://10.0.0.1/", "https://z.example/"})
    EXPECT_TRUE(is_direct(url)) << url;
  for (const char* url :
       {"http://aa.example/", "http://c.example/", "http://10.0.0.11/", "http://z.example/"})
    EXPECT_FALSE(is_direct(url)) << url;
  EXPECT_FALSE(ProxyRules{.http = "socks5://p:1"}.proxy_for(*parse_url("http://a.example/")).has_value());
}

TEST(Url, PartsAreTakenApart) {
  const Url url = *parse_url("https://API.example:8443/a/b?c=d");
  EXPECT_TRUE(url.is_https);
  EXPECT_EQ(url.host, "api.example");
  EXPECT_EQ(url.host_header(), "api.example:8443");
  EXPECT_EQ(url.target, "/a/b?c=d");
  EXPECT_EQ(parse_url("http://[::1]:80")->host_header(), "[::1]");
  EXPECT_EQ(parse_url("https://a.example?x")->target, "/?x");
  for (const char* bad : {"", "http://", "http://a:0/", "http://a:70000/", "http://a b/", "http://a/\xc3\xa9",
                          "file:///a", "http://u@a/", "http://[::1/", "http://a\\b/"})
    EXPECT_FALSE(parse_url(bad).has_value()) << bad;
}

std::string name_of(const testing::TestParamInfo<TransportUnderTest>& param) {
  return param.param.name;
}
INSTANTIATE_TEST_SUITE_P(All, TransportTls, testing::ValuesIn(transports_under_test()), name_of);
INSTANTIATE_TEST_SUITE_P(All, TransportProxy, testing::ValuesIn(transports_under_test()), name_of);

}  // namespace
}  // namespace flow
