#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>

#include "apps/sim/recording.hpp"
#include "apps/sim/tenant.hpp"
#include "tests/unit/sim/raw_client.hpp"
#include "tests/unit/sim/tenant_fixture.hpp"

namespace flow::sim {
namespace {

std::string fresh_path(const char* name) {
  const std::string path = ::testing::TempDir() + name + std::to_string(::getpid());
  std::remove(path.c_str());
  return path;
}

std::string exchange(std::uint16_t port, const std::string& request) {
  RawClient client(port);
  EXPECT_TRUE(client.send(request));
  return client.read_all();
}

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST(Recording, HoldsNoSecrets) {
  EXPECT_EQ(without_secrets(
                R"({"value":"https://a/b?se=1&sig=abc%2F&x=1","client_secret" : "a\"b","password":null})"),
            R"({"value":"https://a/b?se=1&sig=removed&x=1","client_secret" : "removed","password":null})");
  EXPECT_EQ(without_secrets("sig="), "sig=removed");
  EXPECT_EQ(without_secrets(R"("password":"never ends)"), R"("password":"removed)");
  const std::string path = fresh_path("recording");
  auto recorder = Recorder::create(path);
  ASSERT_TRUE(recorder);
  HttpAnswer answer;
  answer.body = "{\"value\":[]}";
  ASSERT_TRUE(
      recorder->add({"GET", "/api/alerts?$top=1", {{"Authorization", "Bearer t0ken"}}, ""}, answer, 0));
  ASSERT_TRUE(recorder->add({"POST", "/tenant/oauth2/v2.0/token", {}, "client_secret=x"}, answer, 0));
  const std::string text = content_of(path);
  EXPECT_EQ(text.find("t0ken"), std::string::npos);
  EXPECT_EQ(text.find("oauth2"), std::string::npos);
  EXPECT_FALSE(Recorder::create(path)) << "is there already";
  std::remove(path.c_str());
}

TEST(Recording, KeepsTheOrderOfAnswers) {
  auto replay = Replay::read(
      "{\"method\":\"GET\",\"target\":\"/api/"
      "alerts?$filter=a%20ge%202026-01-01T00:00:00Z\",\"status\":200,\"body\":\"one\"}\n"
      "{\"method\":\"GET\",\"target\":\"/api/"
      "alerts?$filter=a%20ge%202026-01-01T00:00:00Z\",\"status\":429,\"retry_after\":\"3\"}\n"
      "{\"method\":\"GET\",\"target\":\"/x\",\"status\":200,\"content_type\":\"application/"
      "zip\",\"body_base64\":\"AAEC\"}\n");
  ASSERT_TRUE(replay) << replay.error().message;
  const auto ask = [&](const std::string& target) { return replay->answer({"GET", target, {}, ""}); };
  EXPECT_EQ(ask("/api/alerts?%24filter=a%20ge%202027-05-05T01:02:03.5Z").body, "one");
  EXPECT_EQ(ask("/api/alerts?$filter=a%20ge%202027-05-06T00:00:00Z").status, 429);
  EXPECT_EQ(ask("/api/alerts?$filter=a%20ge%202027-05-06T00:00:00Z").header("Retry-After"), "3");
  EXPECT_EQ(ask("/api/alerts").body, "one") << "by path alone";
  EXPECT_EQ(ask("/x").body, std::string("\0\1\2", 3));
  EXPECT_EQ(ask("/y").status, 404);
  EXPECT_EQ(replay->answer({"POST", "/x", {}, ""}).status, 404);
}

TEST(Recording, BrokenLinesAreNamed) {
  const auto problem = [](const char* lines) {
    const auto replay = Replay::read(lines);
    return replay ? std::string() : replay.error().message;
  };
  EXPECT_EQ(problem(""), "there is no exchange in it");
  EXPECT_EQ(problem("\n{").substr(0, 8), "line 2: ");
  EXPECT_EQ(problem("[]"), "line 1: an exchange needs `method`, and `target` that begins with `/`");
  EXPECT_EQ(problem(R"({"method":"GET","target":"/","status":99})"),
            "line 1: `status` must be a number from 200 to 599");
  EXPECT_EQ(problem(R"({"method":"GET","target":"/","status":200,"body_base64":"*"})"),
            "line 1: `body_base64` is no base64");
}

// One tenant stands for the real API, a second one passes requests on to it, a third answers from what was
// recorded.
TEST(Recording, OfAnUpstreamCanBePlayed) {
  const std::string path = fresh_path("upstream");
  auto real = Sim::start({.seed = 5});
  ASSERT_TRUE(real);
  auto proxy = Sim::start({.record_file = path, .upstream = (*real)->url()});
  ASSERT_TRUE(proxy) << proxy.error().message;
  const std::string form =
      "grant_type=client_credentials&client_id=0b6e4d92-71c3-4f58-a1d7-3e90c5b2f846&client_secret=sim-secret&"
      "scope="
      "https%3A%2F%2Fapi.securitycenter.microsoft.com%2F.default";
  const std::string sign_in = "/7d0c9b2e-3a51-4f6b-8e27-90b4d1c6a5f3/oauth2/v2.0/token";
  const std::string head = "POST " + sign_in +
                           " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: "
                           "application/x-www-form-urlencoded\r\nContent-Length: " +
                           std::to_string(form.size()) + "\r\n\r\n" + form;
  const std::string answer = exchange((*real)->port(), head);
  const auto json = parse_json(answer.substr(answer.find("\r\n\r\n") + 4));
  ASSERT_TRUE(json) << answer;
  const std::string get =
      "GET /api/machines?$top=2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer " +
      std::string((*json)["access_token"].text()) + "\r\n\r\n";
  const auto body = [](const std::string& whole) { return whole.substr(whole.find("\r\n\r\n")); };
  const std::string through = exchange((*proxy)->port(), get);
  EXPECT_EQ(body(through), body(exchange((*real)->port(), get)));
  EXPECT_NE(exchange((*proxy)->port(), head).find("400"), std::string::npos)
      << "sign in at the real authority";
  (*proxy)->stop();
  auto played = Sim::start({.replay_file = path});
  ASSERT_TRUE(played) << played.error().message;
  EXPECT_EQ(body(exchange((*played)->port(),
                          "GET /api/machines?$top=2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")),
            body(through));
  EXPECT_EQ(content_of(path).find((*json)["access_token"].text()), std::string::npos);
  std::remove(path.c_str());
}

TEST(Recording, WrongOptionsAreRefused) {
  const auto problem = [](SimOptions options) {
    const auto sim = Sim::start(std::move(options));
    return sim ? std::string() : sim.error().message;
  };
  EXPECT_EQ(problem({.replay_file = "/nowhere"}), "/nowhere: cannot be opened");
  EXPECT_NE(problem({.upstream = "https://api.example"}).find("--record"), std::string::npos);
  EXPECT_NE(problem({.record_file = "a", .replay_file = "b"}).find("not both"), std::string::npos);
  EXPECT_NE(problem({.record_file = fresh_path("wrong"), .upstream = "ftp://x"}).find("no address"),
            std::string::npos);
  EXPECT_NE(problem({.speed = 0}).find("speed"), std::string::npos);
  EXPECT_EQ(problem({.scenario_file = "/nowhere.json"}), "/nowhere.json: cannot be opened");
}

}  // namespace
}  // namespace flow::sim
