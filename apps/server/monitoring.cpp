#include "apps/server/monitoring.hpp"

#include <string_view>

namespace flow {
namespace {

HttpAnswer plain(int status, std::string text) {
  HttpAnswer answer;
  answer.status = status;
  answer.content_type = "text/plain; charset=utf-8";
  answer.headers = {{"Cache-Control", "no-store"}};
  answer.body = std::move(text);
  return answer;
}

}  // namespace

bool Monitoring::handle(const HttpQuestion& question, const api::Reply& reply) {
  const std::string_view target = question.target;
  const std::string_view path = target.substr(0, target.find('?'));
  const bool has_metrics = options_.token || options_.is_open;
  if (path != "/health" && path != "/ready" && (path != "/metrics" || !has_metrics)) return false;
  if (!api::reads(question)) {
    reply(api::only("GET"));
  } else if (path == "/health") {
    reply(is_alive() ? plain(200, "alive\n") : plain(503, "the loop does not turn\n"));
  } else if (path == "/ready") {
    reply(options_.is_ready() ? plain(200, "ready\n") : plain(503, "not ready\n"));
  } else {
    metrics(question, reply);
  }
  return true;
}

bool Monitoring::is_alive() {
  const std::uint64_t turns = options_.turns();
  const std::int64_t now_us = options_.now_us();
  if (!was_asked_ || turns != turns_) {
    was_asked_ = true;
    turns_ = turns;
    turned_us_ = now_us;
  }
  return now_us - turned_us_ < kHangsAfterUs;
}

void Monitoring::metrics(const HttpQuestion& question, const api::Reply& reply) const {
  if (!options_.is_open && !api::is_allowed(options_.token, question, reply)) return;
  const Result<std::string> store = options_.store_metrics();
  options_.metrics([reply, of_store = store.value_or("")](const std::string& text) {
    if (text.empty()) return reply(api::stopping());
    HttpAnswer answer = plain(200, text + of_store);
    answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
    reply(std::move(answer));
  });
}

}  // namespace flow
