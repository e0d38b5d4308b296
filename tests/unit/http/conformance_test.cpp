#include "tests/unit/http/conformance.hpp"

#include <algorithm>
#include <cstdlib>
#include <future>
#include <thread>

#include "tests/unit/http/scripted_server.hpp"
#include "tests/unit/http/tls_server.hpp"

namespace flow {

using namespace std::chrono_literals;
using Kind = TransportError::Kind;

void TransportConformance::SetUp() {
  const std::string full = testing::UnitTest::GetInstance()->current_test_info()->name();
  const std::string test = full.substr(0, full.find('/'));
  for (const auto& exemption : GetParam().exemptions)
    if (exemption.test == test) GTEST_SKIP() << GetParam().name << ": " << exemption.reason;
}

namespace {

struct Waiting {
  std::promise<HttpResult> promise;
  std::atomic<int> calls = 0;
};

std::pair<std::shared_ptr<Waiting>, std::future<HttpResult>> begin(Transport& transport,
                                                                   HttpRequest request) {
  auto waiting = std::make_shared<Waiting>();
  auto future = waiting->promise.get_future();
  transport.send(std::move(request), [waiting](HttpResult result) {
    if (++waiting->calls == 1)
      waiting->promise.set_value(std::move(result));
    else
      ADD_FAILURE() << "completed twice";
  });
  return {waiting, std::move(future)};
}

HttpResult wait_for(std::future<HttpResult>& future, std::int64_t deadline_us) {
  if (future.wait_for(std::chrono::microseconds(deadline_us) + 1s) == std::future_status::ready)
    return future.get();
  ADD_FAILURE() << "not completed within its deadline";
  return TransportError{.kind = Kind::Refused};
}

}  // namespace

HttpResult exchange(Transport& transport, HttpRequest request) {
  const std::int64_t deadline_us = request.deadline_us;
  auto [waiting, future] = begin(transport, std::move(request));
  return wait_for(future, deadline_us);
}

HttpRequest get(const std::string& url, std::int64_t deadline_ms) {
  return {.method = "GET", .url = url, .deadline_us = deadline_ms * 1000};
}
HttpRequest post(const std::string& url, const std::string& body, std::int64_t deadline_ms) {
  return {.method = "POST",
          .url = url,
          .headers = {{"Content-Type", "application/json"}},
          .body = body,
          .deadline_us = deadline_ms * 1000};
}

int status_of(const HttpResult& result) {
  if (const auto* error = std::get_if<TransportError>(&result)) {
    testing::Test::RecordProperty("last_error", error->message);
    return -1;
  }
  return std::get<HttpResponse>(result).status;
}
std::string body_of(const HttpResult& result) {
  const auto* response = std::get_if<HttpResponse>(&result);
  return response == nullptr ? "error: " + std::get<TransportError>(result).message : response->body;
}
TransportError error_of(const HttpResult& result) {
  const auto* error = std::get_if<TransportError>(&result);
  return error == nullptr ? TransportError{.kind = Kind::Refused, .message = ""} : *error;
}

namespace {

// Serves every request on every connection with `bytes`.
ScriptedServer::Script always(const std::string& bytes) {
  return [bytes](Peer& peer, int) {
    while (!peer.read_request().empty())
      if (!peer.write(bytes)) return;
  };
}

// Sends `bytes` to the first request and closes when `closes`; everything later is served well.
ScriptedServer::Script first_then_well(const std::string& bytes, bool closes = true) {
  return [bytes, closes](Peer& peer, int number) {
    bool is_first = number == 0;
    while (!peer.read_request().empty()) {
      peer.write(is_first ? bytes : answer(200, "well"));
      if (is_first && closes) return peer.close();
      is_first = false;
    }
  };
}

// One bad answer to a GET must be an error of this kind, and the next request right.
void expect_error_then_well(Transport& transport, const std::string& bytes, std::initializer_list<Kind> kinds,
                            bool closes = true) {
  ScriptedServer server(first_then_well(bytes, closes));
  const TransportError error = error_of(exchange(transport, get(server.url(), 700)));
  EXPECT_NE(std::ranges::find(kinds, error.kind), kinds.end())
      << static_cast<int>(error.kind) << " " << error.message;
  EXPECT_FALSE(error.message.empty());
  EXPECT_EQ(body_of(exchange(transport, get(server.url()))), "well");
}

TEST_P(TransportConformance, AnswersCarryStatusHeadersAndBody) {
  ScriptedServer server(always(answer(200, "{\"a\":1}", "X-One: 1\r\nRetry-After: 8\r\n")));
  const auto transport = make();
  const HttpResult result = exchange(*transport, get(server.url("/a%20b/c?$filter=x%20eq%20%27y%27&z=%2F")));
  ASSERT_EQ(status_of(result), 200);
  EXPECT_EQ(body_of(result), "{\"a\":1}");
  EXPECT_EQ(std::get<HttpResponse>(result).header("x-one"), "1");
}

TEST_P(TransportConformance, RequestsArriveAsGiven) {
  std::string seen;
  ScriptedServer server([&](Peer& peer, int) {
    seen = peer.read_request();
    peer.write(answer(200, "ok"));
  });
  const auto transport = make();
  HttpRequest request = post(server.url("/a%20b/c?$filter=x%20eq%20%27y%27&z=%2F"), "{\"k\":\"\xc3\xa9\"}");
  request.headers.emplace_back("Authorization", "Bearer abc");
  ASSERT_EQ(status_of(exchange(*transport, request)), 200);
  EXPECT_TRUE(seen.starts_with("POST /a%20b/c?$filter=x%20eq%20%27y%27&z=%2F HTTP/1.1\r\n")) << seen;
  EXPECT_EQ(header_of(seen, "Host"), "127.0.0.1:" + std::to_string(server.port()));
  EXPECT_EQ(header_of(seen, "Content-Type"), "application/json");
  EXPECT_EQ(header_of(seen, "Authorization"), "Bearer abc");
  EXPECT_TRUE(seen.ends_with("\r\n\r\n{\"k\":\"\xc3\xa9\"}")) << seen;
}

TEST_P(TransportConformance, EveryMethodWorks) {
  ScriptedServer server([&](Peer& peer, int) {
    for (std::string request = peer.read_request(); !request.empty(); request = peer.read_request()) {
      server.note(request);
      peer.write(request.starts_with("HEAD") ? "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
                                             : "HTTP/1.1 204 None\r\n\r\n");
    }
  });
  const auto transport = make();
  for (const char* method : {"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"}) {
    HttpRequest request = get(server.url());
    request.method = method;
    EXPECT_EQ(status_of(exchange(*transport, request)) / 100, 2) << method;
    EXPECT_TRUE(server.requests().back().starts_with(method)) << server.requests().back();
  }
}

TEST_P(TransportConformance, TooManyRequestsIsAnAnswer) {
  ScriptedServer server(always(answer(429, "{}", "Retry-After: 8\r\n")));
  const auto transport = make();
  const HttpResult result = exchange(*transport, get(server.url()));
  ASSERT_EQ(status_of(result), 429);
  EXPECT_EQ(std::get<HttpResponse>(result).header("Retry-After"), "8");
}

TEST_P(TransportConformance, RedirectsAreAnswersAndNobodyElseSeesCredentials) {
  ScriptedServer other([&](Peer& peer, int) { other.note(peer.read_request()); });
  const auto transport = make();
  for (const int status : {301, 302, 303, 307, 308}) {
    ScriptedServer server(always(answer(status, "", "Location: " + other.url("/stolen") + "\r\n")));
    HttpRequest request = post(server.url());
    request.headers.emplace_back("Authorization", "Bearer secret");
    EXPECT_EQ(status_of(exchange(*transport, request)), status);
    EXPECT_EQ(status_of(exchange(*transport, get(server.url()))), status);
  }
  EXPECT_EQ(other.connections(), 0);
}

TEST_P(TransportConformance, InterimAnswersAreNeverTheAnswerOfAnother) {
  for (const char* interim :
       {"HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"}) {
    ScriptedServer server([&](Peer& peer, int number) {
      while (!peer.read_request().empty()) {
        if (number == 0) peer.write(interim);
        peer.write(answer(200, number == 0 ? "late" : "well"));
      }
    });
    const auto transport = make();
    const HttpResult first = exchange(*transport, get(server.url()));
    EXPECT_TRUE(error_of(first).kind == Kind::Malformed || body_of(first) == "late") << body_of(first);
    const HttpResult second = exchange(*transport, get(server.url()));
    EXPECT_EQ(body_of(second), body_of(first) == "late" ? "late" : "well");
  }
}

TEST_P(TransportConformance, BytesAfterAnAnswerDoNotReachTheNext) {
  for (const bool is_late : {false, true}) {
    ScriptedServer server([&](Peer& peer, int number) {
      while (!peer.read_request().empty()) {
        if (number != 0) {
          peer.write(answer(200, "well"));
          continue;
        }
        const std::string extra = answer(200, "forged");
        peer.write(is_late ? answer(200, "first") : answer(200, "first") + extra);
        if (is_late) std::this_thread::sleep_for(50ms);
        if (is_late) peer.write(extra);
      }
    });
    const auto transport = make();
    EXPECT_EQ(body_of(exchange(*transport, get(server.url()))), "first");
    std::this_thread::sleep_for(100ms);
    EXPECT_NE(body_of(exchange(*transport, get(server.url()))), "forged") << is_late;
  }
}

TEST_P(TransportConformance, ReadsReuseConnections) {
  ScriptedServer server(always(answer(200, "ok")));
  const auto transport = make();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(status_of(exchange(*transport, get(server.url()))), 200);
  EXPECT_LT(server.connections(), 5)
      << "an implementation may need a moment to get a connection back, but not each time";
}

TEST_P(TransportConformance, ActsHaveConnectionsOfTheirOwn) {
  ScriptedServer server(always(answer(200, "ok")));
  const auto transport = make();
  EXPECT_EQ(status_of(exchange(*transport, get(server.url()))), 200);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(status_of(exchange(*transport, post(server.url()))), 200);
  EXPECT_EQ(server.connections(), 4);
}

TEST_P(TransportConformance, AConnectionClosedWhileIdleHarmsNobody) {
  ScriptedServer server([&](Peer& peer, int) {
    server.note(peer.read_request());
    peer.write(answer(200, "ok"));
    std::this_thread::sleep_for(30ms);
  });
  const auto transport = make();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(body_of(exchange(*transport, get(server.url()))), "ok");
    std::this_thread::sleep_for(60ms);
    EXPECT_EQ(body_of(exchange(*transport, post(server.url()))), "ok");
  }
  EXPECT_EQ(server.executions(), 6);
}

// Opens `count` connections that the transport may keep.
void warm_up(Transport& transport, const std::string& url, int count) {
  std::vector<std::future<HttpResult>> pending;
  for (int i = 0; i < count; ++i) pending.push_back(begin(transport, get(url)).second);
  for (auto& each : pending) EXPECT_EQ(status_of(wait_for(each, 2'000'000)), 200);
}

TEST_P(TransportConformance, AnActIsExecutedOnceHoweverItsAnswerIsLost) {
  for (const bool resets : {false, true}) {
    for (const int warm : {0, 1, 5}) {
      ScriptedServer server([&](Peer& peer, int) {
        for (std::string request = peer.read_request(); !request.empty(); request = peer.read_request()) {
          if (request.starts_with("GET")) {
            std::this_thread::sleep_for(20ms);
            peer.write(answer(200, "ok"));
            continue;
          }
          server.note(request);
          return resets ? peer.reset() : peer.close();
        }
      });
      const auto transport = make();
      warm_up(*transport, server.url(), warm);
      const TransportError error = error_of(exchange(*transport, post(server.url())));
      EXPECT_EQ(error.kind, Kind::Closed) << error.message;
      EXPECT_TRUE(error.maybe_executed);
      EXPECT_EQ(server.executions(), 1) << "warm " << warm << (resets ? " reset" : " closed");
    }
  }
}

TEST_P(TransportConformance, RefusedConnectionsAreCertainlyNotExecuted) {
  const auto transport = make();
  const TransportError error =
      error_of(exchange(*transport, post("http://127.0.0.1:" + std::to_string(closed_port()) + "/")));
  EXPECT_EQ(error.kind, Kind::Connect) << error.message;
  EXPECT_FALSE(error.maybe_executed);
}

TEST_P(TransportConformance, TheNextAddressIsTriedWhenOneRefuses) {
  ScriptedServer server(always(answer(200, "ok")));
  const auto transport = make({.resolve = [](const std::string&) {
    return std::vector<std::string>{"127.0.0.9", "127.0.0.1"};
  }});
  EXPECT_EQ(body_of(exchange(*transport, post("http://two.example:" + std::to_string(server.port()) + "/"))),
            "ok");
}

TEST_P(TransportConformance, NamesThatDoNotResolveAreCertainlyNotExecuted) {
  const auto transport = make({.resolve = [](const std::string&) { return std::vector<std::string>{}; }});
  const TransportError error = error_of(exchange(*transport, post("http://nowhere.example/")));
  EXPECT_EQ(error.kind, Kind::Resolve);
  EXPECT_FALSE(error.maybe_executed);
}

TEST_P(TransportConformance, ASlowNameDelaysNobodyElse) {
  ScriptedServer server(always(answer(200, "ok")));
  const auto transport = make({.resolve = [](const std::string& host) {
    if (host == "slow.example") std::this_thread::sleep_for(1500ms);
    return std::vector<std::string>{"127.0.0.1"};
  }});
  const std::string port = ":" + std::to_string(server.port()) + "/";
  auto slow = begin(*transport, post("http://slow.example" + port, "{}", 300));
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_EQ(body_of(exchange(*transport, get("http://quick.example" + port))), "ok");
  EXPECT_EQ(body_of(exchange(*transport, get(server.url()))), "ok");
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 500ms);
  const TransportError error = error_of(wait_for(slow.second, 300'000));
  EXPECT_EQ(error.kind, Kind::Timeout);
  EXPECT_FALSE(error.maybe_executed);
}

TEST_P(TransportConformance, AConnectThatHangsEndsInTime) {
  const auto transport = make();
  const DeafServer deaf;
  const TransportError error = error_of(
      exchange(*transport, post("http://127.0.0.1:" + std::to_string(deaf.port()) + "/", "{}", 300)));
  EXPECT_EQ(error.kind, Kind::Timeout) << error.message;
  EXPECT_FALSE(error.maybe_executed);
}

TEST_P(TransportConformance, SilenceEndsInTime) {
  ScriptedServer server([](Peer& peer, int) {
    peer.read_request();
    peer.wait_for_close(3s);
  });
  const auto transport = make();
  const TransportError error = error_of(exchange(*transport, post(server.url(), "{}", 300)));
  EXPECT_EQ(error.kind, Kind::Timeout);
  EXPECT_TRUE(error.maybe_executed);
}

TEST_P(TransportConformance, DrippingServersDoNotOutliveTheDeadline) {
  const auto transport = make();
  for (const char* head : {"HTTP/1.1 200 OK\r\nX-A: ", "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    ScriptedServer server([&](Peer& peer, int) {
      peer.read_request();
      peer.write(head);
      peer.drip(std::string_view(head).ends_with("chunked\r\n\r\n") ? "1\r\na\r\n" : "a", 10ms, 3s);
    });
    EXPECT_EQ(error_of(exchange(*transport, get(server.url(), 300))).kind, Kind::Timeout);
  }
}

TEST_P(TransportConformance, EndlessBodiesAreTooLarge) {
  const auto transport = make();
  for (const char* head : {"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9000000000\r\n\r\n",
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    ScriptedServer server([&](Peer& peer, int number) {
      peer.read_request();
      if (number > 0) return void(peer.write(answer(200, "well")));
      peer.write(head);
      const std::string block(65536, 'x');
      peer.flood(std::string_view(head).ends_with("chunked\r\n\r\n") ? "10000\r\n" + block + "\r\n" : block,
                 512u << 20);
    });
    HttpRequest request = get(server.url(), 5000);
    request.max_response_bytes = 1u << 20;
    const TransportError error = error_of(exchange(*transport, request));
    EXPECT_EQ(error.kind, Kind::TooLarge) << head << error.message;
    EXPECT_EQ(body_of(exchange(*transport, get(server.url()))), "well");
  }
}

TEST_P(TransportConformance, EndlessHeaderIsEndedEarly) {
  ScriptedServer server([&](Peer& peer, int) {
    peer.read_request();
    peer.write("HTTP/1.1 200 OK\r\n");
    peer.flood("X-Flood: " + std::string(60000, 'x') + "\r\n", 256u << 20);
  });
  const auto transport = make();
  const auto kind = error_of(exchange(*transport, get(server.url(), 3000))).kind;
  EXPECT_TRUE(kind == Kind::TooLarge || kind == Kind::Malformed);
}

std::string chunked(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body;
}

TEST_P(TransportConformance, NegativeChunkSizeIsMalformed) {
  const auto transport = make();
  expect_error_then_well(*transport, chunked("-2\r\nab\r\n0\r\n\r\n"), {Kind::Malformed});
}

TEST_P(TransportConformance, HugeChunkIsTooLarge) {
  const auto transport = make();
  expect_error_then_well(*transport, chunked("7fffffff\r\nab"), {Kind::TooLarge, Kind::Malformed}, false);
}

TEST_P(TransportConformance, ChunksAreJoined) {
  ScriptedServer server(always(chunked("2\r\nab\r\n3;ext=1\r\ncde\r\n0\r\n\r\n")));
  const auto transport = make();
  EXPECT_EQ(body_of(exchange(*transport, get(server.url()))), "abcde");
  EXPECT_EQ(body_of(exchange(*transport, get(server.url()))), "abcde");
}

TEST_P(TransportConformance, BadChunkSizesAreErrors) {
  const auto transport = make();
  expect_error_then_well(*transport, chunked("zz\r\nab\r\n0\r\n\r\n"), {Kind::Malformed, Kind::Closed});
  expect_error_then_well(*transport, chunked("fffffffff\r\nab"),
                         {Kind::Malformed, Kind::Closed, Kind::TooLarge});
  expect_error_then_well(*transport, chunked("5\r\nab"), {Kind::Malformed, Kind::Closed});
}

TEST_P(TransportConformance, BadLengthsAreErrors) {
  const auto transport = make();
  expect_error_then_well(*transport, "HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\nab",
                         {Kind::Malformed, Kind::Closed});
  expect_error_then_well(*transport, "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nab",
                         {Kind::Malformed, Kind::Closed});
  expect_error_then_well(*transport, "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nab",
                         {Kind::Malformed, Kind::Closed});
  expect_error_then_well(*transport, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
                         {Kind::Malformed, Kind::Closed});
}

TEST_P(TransportConformance, OldServersAreRead) {
  const auto transport = make();
  ScriptedServer until_close([](Peer& peer, int) {
    peer.read_request();
    peer.write("HTTP/1.0 200 OK\r\n\r\nold");
    peer.close();
  });
  EXPECT_EQ(body_of(exchange(*transport, get(until_close.url()))), "old");
  ScriptedServer no_reason(always("HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok"));
  const HttpResult result = exchange(*transport, get(no_reason.url()));
  EXPECT_TRUE(body_of(result) == "ok" || error_of(result).kind == Kind::Malformed ||
              error_of(result).kind == Kind::Closed)
      << body_of(result);
}

TEST_P(TransportConformance, WhatIsNotHttpIsAnError) {
  const auto transport = make();
  expect_error_then_well(*transport, "SSH-2.0-OpenSSH_9.2\r\n\r\n", {Kind::Malformed, Kind::Closed});
  expect_error_then_well(*transport, std::string(2000, '\0') + "\r\n\r\n",
                         {Kind::Malformed, Kind::Closed, Kind::Timeout});
  expect_error_then_well(*transport, "HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
                         {Kind::Malformed, Kind::Closed, Kind::Timeout});
}

TEST_P(TransportConformance, CompressionNobodyAskedForIsMalformed) {
  const std::string gzip(
      "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x4b\x04\x00\x43\xbe\xb7\xe8\x01\x00\x00\x00", 21);
  const auto transport = make();
  expect_error_then_well(*transport, answer(200, gzip, "Content-Encoding: gzip\r\n"), {Kind::Malformed});
  expect_error_then_well(*transport, answer(200, gzip, "Content-Encoding: deflate\r\n"), {Kind::Malformed});
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n";
  std::string pieces;
  for (std::size_t i = 0; i < gzip.size(); i += 7) pieces += "7\r\n" + gzip.substr(i, 7) + "\r\n";
  expect_error_then_well(*transport, head + pieces + "0\r\n\r\n", {Kind::Malformed});
}

TEST_P(TransportConformance, BodiesPassAsBytes) {
  const auto transport = make();
  for (const std::string& body :
       {std::string("\xff\xfe{\0}\0", 6), std::string("\xc3\x28"), std::string(200'000, '[')}) {
    ScriptedServer server(always(answer(200, body, "Content-Type: application/json; charset=utf-16\r\n")));
    EXPECT_EQ(body_of(exchange(*transport, get(server.url()))), body);
  }
}

TEST_P(TransportConformance, InjectionsAreRefused) {
  ScriptedServer server(always(answer(200, "ok")));
  const auto transport = make();
  const auto refused = [&](HttpRequest request) {
    const TransportError error = error_of(exchange(*transport, std::move(request)));
    EXPECT_EQ(error.kind, Kind::Refused);
    EXPECT_FALSE(error.message.empty());
    EXPECT_FALSE(error.maybe_executed);
  };
  for (const auto& header : HttpHeaders{{"X-A", "b\r\nX-Evil: 1"},
                                        {"X-A\r\nX-Evil", "1"},
                                        {"X-A", std::string("a\0b", 3)},
                                        {"X-A", "a\nb"},
                                        {"", "x"},
                                        {"X A", "x"},
                                        {"Host", "evil.example"},
                                        {"content-length", "3"},
                                        {"Transfer-Encoding", "chunked"}}) {
    HttpRequest request = post(server.url());
    request.headers.push_back(header);
    refused(request);
  }
  HttpRequest method = get(server.url());
  method.method = "GET / HTTP/1.1\r\nX: y";
  refused(method);
  for (const std::string& url :
       {server.url("/a b"), server.url("/a\r\nX: y"), server.url("/#f"), std::string("ftp://a/"),
        std::string("http://user:pass@127.0.0.1/"), std::string("http:///x"), std::string("")})
    refused(get(url));
  EXPECT_EQ(server.connections(), 0);
}

TEST_P(TransportConformance, ManyExchangesGoAtOnce) {
  ScriptedServer server(always(answer(200, "ok")));
  const auto transport = make();
  std::vector<std::future<HttpResult>> pending;
  for (int i = 0; i < 200; ++i)
    pending.push_back(
        begin(*transport, i % 2 ? post(server.url(), "{}", 5000) : get(server.url(), 5000)).second);
  for (auto& each : pending) EXPECT_EQ(body_of(wait_for(each, 5'000'000)), "ok");
}

TEST_P(TransportConformance, DrainEndsWhatIsUnderWay) {
  ScriptedServer server([](Peer& peer, int) {
    peer.read_request();
    peer.wait_for_close(3s);
  });
  const auto transport = make();
  std::vector<std::future<HttpResult>> pending;
  for (int i = 0; i < 8; ++i) pending.push_back(begin(*transport, post(server.url(), "{}", 5000)).second);
  std::this_thread::sleep_for(100ms);
  EXPECT_TRUE(transport->drain(100'000));
  for (auto& each : pending) {
    const TransportError error = error_of(wait_for(each, 0));
    EXPECT_EQ(error.kind, Kind::Cancelled);
    EXPECT_TRUE(error.maybe_executed);
  }
  EXPECT_EQ(error_of(exchange(*transport, get(server.url()))).kind, Kind::Cancelled);
}

TEST_P(TransportConformance, DestroyingItEndsWhatIsUnderWay) {
  ScriptedServer server([](Peer& peer, int) {
    peer.read_request();
    peer.wait_for_close(3s);
  });
  for (int i = 0; i < 10; ++i) {
    auto transport = make();
    auto pending = begin(*transport, get(server.url(), 5000));
    if (i % 2) std::this_thread::sleep_for(5ms);
    transport.reset();
    EXPECT_EQ(error_of(wait_for(pending.second, 0)).kind, Kind::Cancelled);
  }
}

// Leaves the process as a server does, with exchanges under way.
[[noreturn]] void exit_with_exchanges_under_way(Transport& transport, const std::string& url) {
  for (int i = 0; i < 8; ++i) transport.send(i % 2 ? post(url) : get(url), [](HttpResult) {});
  std::this_thread::sleep_for(5ms);
  if (!transport.drain(0)) std::_Exit(0);
  std::exit(0);
}

TEST_P(TransportConformance, ExitingWithExchangesUnderWayIsOrderly) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  setenv("LSAN_OPTIONS", "exitcode=0",
         1);  // of the process that dies: what the library leaves is no disorder
  ScriptedServer server([](Peer& peer, int) { peer.wait_for_close(1s); });
  for (int i = 0; i < 20; ++i) {
    const auto transport = make();
    EXPECT_EXIT(exit_with_exchanges_under_way(*transport, server.url()), testing::ExitedWithCode(0), "");
  }
  unsetenv("LSAN_OPTIONS");
}

INSTANTIATE_TEST_SUITE_P(All, TransportConformance, testing::ValuesIn(transports_under_test()),
                         [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace flow
