#include "apps/sim/upstream.hpp"

#include <algorithm>
#include <array>

#include "apps/sim/json.hpp"
#include "base/text.hpp"
#include "stdlib/http/curl_transport.hpp"

namespace flow::sim {
namespace {

constexpr std::array kPassedOn = {"Authorization", "Content-Type", "Accept",
                                  "Prefer",        "If-Match",     "ConsistencyLevel"};

HttpAnswer answer_of(const HttpResult& result) {
  HttpAnswer answer;
  if (const auto* failed = std::get_if<TransportError>(&result)) {
    answer.status = 502;
    answer.body =
        Json::object({{"error", Json::object({{"code", "BadGateway"}, {"message", failed->message}})}})
            .to_text();
    return answer;
  }
  const auto& response = std::get<HttpResponse>(result);
  answer.status = response.status;
  answer.content_type = std::string(response.header("Content-Type"));
  for (const char* name : {"Retry-After", "WWW-Authenticate", "request-id"})
    if (const std::string_view value = response.header(name); !value.empty())
      answer.headers.emplace_back(name, value);
  answer.body = response.body;
  return answer;
}

}  // namespace

Result<std::unique_ptr<Upstream>> Upstream::make(const std::string& base) {
  const bool is_address = base.starts_with("https://") || base.starts_with("http://127.0.0.1");
  if (!is_address || base.find_first_of("?# \"") != std::string::npos || base.ends_with("/"))
    return error("`" + base +
                 "` is no address to pass requests on to, as https://api.security.microsoft.com");
  TransportConfig config;
  config.proxies = proxies_from_environment();
  FLOW_TRY(auto transport, make_curl_transport(std::move(config)));
  return std::make_unique<Upstream>(base, std::move(transport));
}

void Upstream::ask(const HttpQuestion& question, std::function<void(HttpAnswer)> done) {
  HttpRequest request;
  request.method = question.method;
  request.url = base_ + question.target;
  for (const char* name : kPassedOn)
    if (const std::string_view value = question.header(name); !value.empty())
      request.headers.emplace_back(name, value);
  request.body = question.body;
  request.deadline_us = 100'000'000;
  request.max_response_bytes = 64u << 20;
  transport_->send(std::move(request),
                   [done = std::move(done)](const HttpResult& result) { done(answer_of(result)); });
}

}  // namespace flow::sim
