// A tenant under a clock that stands still until told otherwise, and short ways to ask it things.
#pragma once

#include <string>

#include "apps/sim/json.hpp"
#include "apps/sim/model.hpp"
#include "apps/sim/seeded_random.hpp"
#include "base/text.hpp"

namespace flow::sim {

class FakeClock final : public Clock {
 public:
  std::int64_t now_us() const override { return now; }
  std::int64_t now = 1'795'000'000'000'000;  // 2026-11-18
};

struct Answered {
  int status = 0;
  Json json;
  HttpAnswer whole;
  std::string code() const { return std::string(json["error"]["code"].text()); }
  std::string message() const { return std::string(json["error"]["message"].text()); }
  Json::List value() const { return json["value"].items(); }
};

struct TestTenant {
  explicit TestTenant(TenantOptions options = {}) : tenant(std::move(options), clock, random) {}

  Answered ask(const std::string& method, const std::string& target, const std::string& body = {},
               const std::string& token = {}, const std::string& type = "application/json") {
    HttpQuestion question{method, target, {{"Content-Type", type}}, body};
    if (!token.empty()) question.headers.emplace_back("Authorization", "Bearer " + token);
    Answered answered;
    answered.whole = tenant.handle(question);
    answered.status = answered.whole.status;
    if (auto json = parse_json(answered.whole.body)) answered.json = std::move(*json);
    return answered;
  }
  Answered sim(const std::string& method, const std::string& page, const std::string& body = {}) {
    return ask(method, "/sim/" + page, body);
  }
  Answered ask_token(const std::string& form) {
    return ask("POST", "/7d0c9b2e-3a51-4f6b-8e27-90b4d1c6a5f3/oauth2/v2.0/token", form, {},
               "application/x-www-form-urlencoded");
  }
  std::string token(const std::string& resource = "https://api.securitycenter.microsoft.com") {
    return std::string(
        ask_token("grant_type=client_credentials&client_id=0b6e4d92-71c3-4f58-a1d7-3e90c5b2f846&"
                  "client_secret=sim-secret&scope=" +
                  percent_encoded(resource + "/.default"))
            .json["access_token"]
            .text());
  }
  // Asks Defender with a token got for the occasion.
  Answered defender(const std::string& method, const std::string& target, const std::string& body = {}) {
    if (defender_token.empty()) defender_token = token();
    return ask(method, target, body, defender_token);
  }
  Answered graph(const std::string& method, const std::string& target, const std::string& body = {}) {
    if (graph_token.empty()) graph_token = token("https://graph.microsoft.com");
    return ask(method, target, body, graph_token);
  }
  Answered filter(const std::string& set, const std::string& filter) {
    return defender("GET", "/api/" + set + "?$filter=" + percent_encoded(filter));
  }
  // The id of a device with this platform that reports.
  std::string machine(const std::string& platform = "Windows11") {
    for (const Json& machine : sim("GET", "machines").value())
      if (machine["osPlatform"].text() == platform && machine["healthStatus"].text() == "Active")
        return std::string(machine["id"].text());
    return {};
  }
  void pass_seconds(double seconds) { clock.now += static_cast<std::int64_t>(seconds * 1e6); }

  FakeClock clock;
  SeededRandom random{7};
  std::string defender_token, graph_token;
  Tenant tenant;
};

}  // namespace flow::sim
