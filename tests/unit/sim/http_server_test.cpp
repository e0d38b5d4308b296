#include "apps/server/http_server.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/unit/sim/raw_client.hpp"

namespace flow {
namespace {

using sim::RawClient;

HttpAnswer echo(const HttpQuestion& question) {
  HttpAnswer answer;
  answer.body = question.method + " " + question.target + " " + std::to_string(question.body.size());
  if (question.target == "/slow") answer.delay_ms = 300;
  if (question.target == "/reset") answer.wire = Wire::Reset;
  if (question.target == "/garbage") answer.wire = Wire::Garbage;
  if (question.target == "/cut") answer.wire = Wire::Cut;
  if (question.target == "/endless") answer.wire = Wire::Endless;
  if (question.target == "/none") answer.status = 204;
  return answer;
}

struct HttpServerTest : testing::Test {
  HttpServerTest() {
    HttpServerOptions options;
    options.header_ms = 400;
    options.body_ms = 400;
    options.write_ms = 400;
    options.body_limit = 100'000;
    options.connection_limit = 20;
    server = std::move(*HttpServer::start(options, echo));
  }
  std::string ask(std::string_view bytes) {
    RawClient client(server->port());
    client.send(bytes);
    return client.read_all();
  }
  void expect_alive() {
    EXPECT_NE(ask("GET /alive HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").find("GET /alive 0"),
              std::string::npos);
  }
  std::unique_ptr<HttpServer> server;
};

TEST_F(HttpServerTest, AnswersAndKeepsTheConnection) {
  RawClient client(server->port());
  for (int i = 0; i < 3; ++i) {
    client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
    const std::string answer = client.read_until("POST /a 3");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
    EXPECT_TRUE(answer.ends_with("POST /a 3")) << answer;
  }
}

TEST_F(HttpServerTest, PipelinedRequestsAreAnsweredInOrder) {
  const std::string answer =
      ask("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\nGET /3 HTTP/1.1\r\nHost: "
          "x\r\nConnection: close\r\n\r\n");
  EXPECT_LT(answer.find("GET /1"), answer.find("GET /2"));
  EXPECT_LT(answer.find("GET /2"), answer.find("GET /3"));
  EXPECT_NE(answer.find("GET /3"), std::string::npos);
}

TEST_F(HttpServerTest, HeadAndNoContentHaveNoBody) {
  const std::string head = ask("HEAD /h HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(head.ends_with("\r\n\r\n")) << head;
  EXPECT_NE(head.find("Content-Length: 9\r\n"), std::string::npos) << head;
  const std::string none = ask("GET /none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(none.ends_with("\r\n\r\n")) << none;
  EXPECT_EQ(none.find("Content-Length"), std::string::npos);
}

TEST_F(HttpServerTest, ExpectIsAnsweredBeforeTheBody) {
  RawClient client(server->port());
  client.send("POST /e HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("ab");
  EXPECT_TRUE(client.read_until("POST /e 2").ends_with("POST /e 2"));
  RawClient big(server->port());
  big.send("POST /e HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 200000\r\n\r\n");
  EXPECT_TRUE(big.read_until("\r\n\r\n").starts_with("HTTP/1.1 413"));
}

TEST_F(HttpServerTest, ChunkedBodiesAreRead) {
  EXPECT_NE(ask("POST /c HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: "
                "chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
                .find("POST /c 5"),
            std::string::npos);
}

TEST_F(HttpServerTest, MalformedRequestsAreRefused) {
  const std::string post = "POST /x HTTP/1.1\r\nHost: x\r\n";
  const std::string cases[] = {
      "garbage\r\n\r\n",
      "GET / HTTP/9.9\r\n\r\n",
      "G\x01T / HTTP/1.1\r\n\r\n",
      "GET /\x7f HTTP/1.1\r\nHost: x\r\n\r\n",
      "GET / HTTP/1.1\r\nHost x\r\n\r\n",
      "GET / HTTP/1.1\r\nA\tb: x\r\n\r\n",
      post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      post + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
      post + "Content-Length: -1\r\n\r\n",
      post + "Content-Length: abc\r\n\r\n",
      post + "Transfer-Encoding: chunked\r\n\r\n-2\r\nabc\r\n0\r\n\r\n",
      post + "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
      post + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc\r\n0\r\n\r\n",
  };
  for (const std::string& bytes : cases) {
    const std::string answer = ask(bytes);
    EXPECT_TRUE(answer.empty() || answer.starts_with("HTTP/1.1 400") || answer.starts_with("HTTP/1.1 413"))
        << bytes << " -> " << answer;
    EXPECT_EQ(answer.find("200 OK"), std::string::npos) << bytes;
    expect_alive();
  }
}

TEST_F(HttpServerTest, LargeHeadersAndBodiesAreRefused) {
  EXPECT_TRUE(ask("GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(40'000, 'a') + "\r\n\r\n")
                  .starts_with("HTTP/1.1 431"));
  EXPECT_TRUE(
      ask("GET /" + std::string(40'000, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n").starts_with("HTTP/1.1 4"));
  EXPECT_TRUE(
      ask("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000000\r\n\r\n").starts_with("HTTP/1.1 413"));
  EXPECT_TRUE(ask("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n30000\r\n" +
                  std::string(0x30000, 'b') + "\r\n0\r\n\r\n")
                  .starts_with("HTTP/1.1 413"));
  expect_alive();
}

TEST_F(HttpServerTest, SlowClientsAreLeft) {
  for (const char* beginning :
       {"", "GET / HT", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nab"}) {
    RawClient client(server->port());
    client.send(beginning);
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(client.read_all(), "") << beginning;
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(3)) << beginning;
  }
  RawClient drip(server->port());
  const std::string header = "GET / HTTP/1.1\r\nX: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
  std::size_t sent = 0;
  while (sent < header.size() && drip.send(header.substr(sent, 1))) {
    ++sent;
    std::this_thread::sleep_for(std::chrono::milliseconds(25));
  }
  EXPECT_LT(sent, header.size()) << "a drip does not extend the time";
  expect_alive();
}

TEST_F(HttpServerTest, ConnectionsAreLimitedAndComeBack) {
  std::vector<std::unique_ptr<RawClient>> idle;
  for (int i = 0; i < 40; ++i) idle.push_back(std::make_unique<RawClient>(server->port()));
  expect_alive();  // once the first twenty have been left
}

TEST_F(HttpServerTest, DelayDoesNotHoldOthersUp) {
  RawClient slow(server->port());
  slow.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto start = std::chrono::steady_clock::now();
  expect_alive();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(250));
  EXPECT_TRUE(slow.read_until("GET /slow 0").ends_with("GET /slow 0"));
}

TEST_F(HttpServerTest, FaultsOfTheWire) {
  RawClient reset(server->port());
  reset.send("GET /reset HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(reset.read_all(), "");
  EXPECT_TRUE(reset.was_reset());
  EXPECT_FALSE(ask("GET /garbage HTTP/1.1\r\nHost: x\r\n\r\n").starts_with("HTTP"));
  const std::string cut = ask("GET /cut HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_NE(cut.find("Content-Length: 12"), std::string::npos) << cut;
  EXPECT_TRUE(cut.ends_with("\r\n\r\nGET /")) << cut;
  RawClient endless(server->port());
  endless.send("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_GE(endless.read_all(500'000).size(), 500'000u);
  expect_alive();
}

TEST_F(HttpServerTest, ClientsThatLeaveDoNoHarm) {
  for (int i = 0; i < 50; ++i) {
    RawClient client(server->port());
    client.send(i % 2 == 0 ? "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n" : "POST / HTTP/1.1\r\nContent-Le");
  }
  expect_alive();
}

TEST_F(HttpServerTest, StopsWithClientsConnected) {
  RawClient idle(server->port()), slow(server->port());
  slow.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
  expect_alive();
  server->stop();
  EXPECT_TRUE(slow.read_all().ends_with("GET /slow 0")) << "an answer under way is finished";
  EXPECT_EQ(idle.read_all(), "");
  EXPECT_FALSE(server->call([] {}));
  server->stop();
}

TEST_F(HttpServerTest, TakenPortIsAnError) {
  HttpServerOptions options;
  options.port = server->port();
  const auto second = HttpServer::start(options, echo);
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message.find(std::to_string(server->port())), std::string::npos);
  options.address = "nowhere";
  EXPECT_FALSE(HttpServer::start(options, echo));
}

// Keeps its replies until the test gives them.
struct LaterTest : testing::Test {
  LaterTest() {
    HttpServerOptions options;
    options.answer_ms = 300;
    options.stop_ms = 200;
    server =
        std::move(*HttpServer::start(options, [this](const HttpQuestion& question, HttpServer::Reply reply) {
          if (question.target == "/now") return reply({.status = 200, .headers = {}, .body = "now"});
          const std::lock_guard lock(mutex);
          replies.push_back(std::move(reply));
        }));
  }
  HttpServer::Reply reply(std::size_t index) {
    for (;; std::this_thread::sleep_for(std::chrono::milliseconds(1))) {
      const std::lock_guard lock(mutex);
      if (index < replies.size()) return replies[index];
    }
  }
  static HttpAnswer saying(const std::string& body) { return {.status = 200, .headers = {}, .body = body}; }

  std::mutex mutex;
  std::vector<HttpServer::Reply> replies;
  std::unique_ptr<HttpServer> server;
};

TEST_F(LaterTest, AnAnswerMayComeFromAnotherThreadWhileOthersGoOn) {
  RawClient waiting(server->port());
  waiting.send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto later = reply(0);
  RawClient other(server->port());
  other.send("GET /now HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(other.read_until("\r\n\r\nnow").ends_with("now"));
  std::thread([&] { later(saying("at last")); }).join();
  later(saying("twice"));
  EXPECT_TRUE(waiting.read_until("at last").ends_with("at last"));
  waiting.send("GET /now HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(waiting.read_until("\r\n\r\nnow").find("twice"), std::string::npos);
}

TEST_F(LaterTest, AnAnswerThatDoesNotComeIs503AndALateOneIsDropped) {
  RawClient client(server->port());
  client.send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(client.read_until("no answer in time\"}}").starts_with("HTTP/1.1 503 "));
  client.send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto second = reply(1);
  reply(0)(saying("to the first"));
  second(saying("to the second"));
  EXPECT_TRUE(client.read_until("to the").ends_with("to the"));
  EXPECT_EQ(client.read_until("second"), " second");
}

TEST_F(LaterTest, AClientThatLeavesAndAServerThatStopsHarmNoReply) {
  { RawClient(server->port()).send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n"); }
  reply(0)(saying("nobody"));
  RawClient client(server->port());
  client.send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto late = reply(1);
  server->stop();
  late(saying("too late"));
  EXPECT_EQ(client.read_all().find("too late"), std::string::npos);
  server.reset();
  late(saying("much too late"));
}

}  // namespace
}  // namespace flow
