// A world without network: a Transport that answers from a script, a Clock that is set by hand, a mail sender
// that keeps what it is given.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/calendar.hpp"
#include "base/clock.hpp"
#include "stdlib/http/transport.hpp"
#include "stdlib/mail/smtp.hpp"

namespace flow {

class FakeClock final : public Clock {
 public:
  std::int64_t now_us() const override { return now; }
  std::int64_t now = 1'791'882'900 * kSecondUs;  // 2026-10-13T09:15:00Z
};

// Requests to a token endpoint are answered with `tokens`, others with `answers`; when a script is used up
// its last entry stands. With `holds` nothing is answered until release().
class FakeTransport final : public Transport {
 public:
  void send(HttpRequest request, std::function<void(HttpResult)> done) override {
    const bool is_token = request.url.ends_with("/oauth2/v2.0/token");
    (is_token ? token_requests : requests).push_back(request);
    HttpResult result = next(is_token ? tokens : answers);
    if (holds)
      held.emplace_back(std::move(done), std::move(result));
    else
      done(std::move(result));
  }
  void release() {
    auto all = std::move(held);
    held.clear();
    for (auto& [done, result] : all) done(std::move(result));
  }

  std::deque<HttpResult> tokens, answers;
  std::vector<HttpRequest> token_requests, requests;
  bool holds = false;
  std::vector<std::pair<std::function<void(HttpResult)>, HttpResult>> held;

 private:
  static HttpResult next(std::deque<HttpResult>& script) {
    if (script.empty())
      return TransportError{.kind = TransportError::Kind::Connect, .message = "nothing is scripted"};
    HttpResult result = script.front();
    if (script.size() > 1) script.pop_front();
    return result;
  }
};

class FakeMail final : public SmtpSender {
 public:
  void send(SmtpJob job, std::function<void(MailResult)> done) override {
    jobs.push_back(std::move(job));
    done(result);
  }
  std::vector<SmtpJob> jobs;
  MailResult result = MailSent{"<id@x>"};
};

inline HttpResponse response(int status, std::string body, HttpHeaders headers = {}) {
  return {.status = status, .headers = std::move(headers), .body = std::move(body)};
}
inline HttpResponse token_answer(const std::string& token, int lifetime_s = 3600) {
  return response(200, "{\"token_type\":\"Bearer\",\"expires_in\":" + std::to_string(lifetime_s) +
                           ",\"access_token\":\"" + token + "\"}");
}

}  // namespace flow
