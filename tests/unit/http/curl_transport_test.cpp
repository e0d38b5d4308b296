// What the list of conformance does not ask of every Transport: bounds on connections, and an environment
// that is not listened to.
#include "stdlib/http/curl_transport.hpp"

#include <atomic>
#include <cstdlib>
#include <future>
#include <thread>

#include "tests/unit/http/conformance.hpp"
#include "tests/unit/http/scripted_server.hpp"

namespace flow {
namespace {

using namespace std::chrono_literals;
using Kind = TransportError::Kind;

std::unique_ptr<Transport> make() {
  auto transport = make_curl_transport({});
  return transport ? std::move(*transport) : nullptr;
}

// Sends `count` requests and gives their results in order.
std::vector<HttpResult> all_of(Transport& transport, const HttpRequest& request, int count) {
  std::vector<std::promise<HttpResult>> promises(static_cast<std::size_t>(count));
  for (auto& promise : promises)
    transport.send(request, [&promise](HttpResult result) { promise.set_value(std::move(result)); });
  std::vector<HttpResult> results;
  for (auto& promise : promises) results.push_back(promise.get_future().get());
  return results;
}

TEST(CurlTransport, ConnectionsToOneHostAreBounded) {
  std::atomic<int> open = 0, most = 0;
  ScriptedServer server([&](Peer& peer, int) {
    const int now = ++open;
    for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
    }
    while (!peer.read_request().empty()) {
      std::this_thread::sleep_for(20ms);
      peer.write(answer(200, "ok"));
    }
    --open;
  });
  const auto transport = make();
  for (const HttpResult& result : all_of(*transport, get(server.url(), 10'000), 200))
    EXPECT_EQ(body_of(result), "ok");
  EXPECT_LE(most, 64);
  EXPECT_EQ(most, server.connections()) << "they are kept";
}

TEST(CurlTransport, ActsTakeAKeptConnectionOnlyWhenItWasUsedAMomentAgo) {
  ScriptedServer server([&](Peer& peer, int) {
    while (!peer.read_request().empty()) peer.write(answer(200, "ok"));
  });
  const auto transport = make();
  EXPECT_EQ(status_of(exchange(*transport, get(server.url()))), 200);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(status_of(exchange(*transport, post(server.url()))), 200);
  EXPECT_EQ(server.connections(), 1);
  std::this_thread::sleep_for(2'100ms);
  EXPECT_EQ(status_of(exchange(*transport, post(server.url()))), 200);
  EXPECT_EQ(server.connections(), 2) << "a server may be giving the kept one up";
}

TEST(CurlTransport, WhoWaitsForAConnectionEndsInTimeAndIsNotExecuted) {
  ScriptedServer server([](Peer& peer, int number) {
    peer.read_request();
    if (number < 64) return peer.wait_for_close(3s);
    peer.write(answer(200, "well"));
  });
  const auto transport = make();
  auto hanging =
      std::async(std::launch::async, [&] { return all_of(*transport, post(server.url(), "{}", 1500), 64); });
  for (int i = 0; i < 200 && server.connections() < 64; ++i) std::this_thread::sleep_for(5ms);
  for (const HttpResult& result : all_of(*transport, post(server.url(), "{}", 300), 16)) {
    EXPECT_EQ(error_of(result).kind, Kind::Timeout) << error_of(result).message;
    EXPECT_FALSE(error_of(result).maybe_executed);
  }
  for (const HttpResult& result : hanging.get()) {
    EXPECT_EQ(error_of(result).kind, Kind::Timeout) << error_of(result).message;
    EXPECT_TRUE(error_of(result).maybe_executed);
  }
  EXPECT_EQ(server.connections(), 64);
  EXPECT_EQ(body_of(exchange(*transport, get(server.url()))), "well");
}

TEST(CurlTransport, TheEnvironmentChoosesNoProxy) {
  ScriptedServer proxy([](Peer& peer, int) {
    peer.read_request();
    peer.write(answer(200, "by proxy"));
  });
  ScriptedServer server([](Peer& peer, int) {
    peer.read_request();
    peer.write(answer(200, "direct"));
  });
  for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) ::setenv(name, proxy.url().c_str(), 1);
  const auto direct = make();
  EXPECT_EQ(body_of(exchange(*direct, get(server.url()))), "direct");
  for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) ::unsetenv(name);
  ::setenv("no_proxy", "*", 1);
  auto configured = make_curl_transport({.proxies = {.http = proxy.url()}});
  EXPECT_EQ(body_of(exchange(**configured, get(server.url()))), "by proxy");
  ::unsetenv("no_proxy");
}

TEST(CurlTransport, CookiesAreNotKept) {
  std::string second;
  ScriptedServer server([&](Peer& peer, int) {
    peer.read_request();
    peer.write(answer(200, "ok", "Set-Cookie: a=b; Path=/\r\n"));
    second = peer.read_request();
    peer.write(answer(200, "ok"));
  });
  const auto transport = make();
  for (int i = 0; i < 2; ++i) EXPECT_EQ(body_of(exchange(*transport, get(server.url()))), "ok");
  EXPECT_TRUE(second.starts_with("GET /")) << "the connection was kept";
  EXPECT_EQ(header_of(second, "Cookie"), "");
}

TEST(CurlTransport, WrongFilesAndProxiesAreToldAtOnce) {
  EXPECT_FALSE(make_curl_transport({.ca_bundle = "/nonexistent.pem"}).has_value());
  EXPECT_FALSE(make_curl_transport({.proxies = {.https = "socks5://p:1"}}).has_value());
}

}  // namespace
}  // namespace flow
