#include "apps/server/api.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "apps/server/credentials.hpp"
#include "apps/server/query.hpp"
#include "base/text.hpp"

namespace flow::api {

HttpAnswer answer(int status, std::string json) {
  HttpAnswer answer;
  answer.status = status;
  answer.headers = {{"Cache-Control", "no-store"}};
  answer.body = std::move(json);
  return answer;
}

HttpAnswer refusal(int status, std::string_view code, std::string_view message) {
  return answer(status, fmt::format(R"({{"error":{{"code":{},"message":{}}}}})", json_quoted(code),
                                    json_quoted(message)));
}

HttpAnswer only(std::string_view methods) {
  HttpAnswer answer = refusal(405, "MethodNotAllowed", fmt::format("send {}", methods));
  answer.headers.emplace_back("Allow", methods);
  return answer;
}

HttpAnswer stopping() {
  HttpAnswer answer = refusal(503, "Stopping", "the service is stopping; send it again");
  answer.headers.emplace_back("Retry-After", "5");
  return answer;
}

HttpAnswer store_failed() {
  return refusal(503, "Unavailable", "the store cannot be read");
}

bool is_known(const HttpQuestion& question, std::initializer_list<std::string_view> known,
              const Reply& reply) {
  const Status checked = check_parameters(question.target, known);
  if (!checked) reply(refusal(400, "BadRequest", checked.error().message));
  return checked.has_value();
}

bool reads(const HttpQuestion& question) {
  return question.method == "GET" || question.method == "HEAD";
}

bool is_allowed(const SecretProvider& token, const HttpQuestion& question, const Reply& reply) {
  const Result<std::string> expected = token();
  if (expected && is_same_secret(bearer_token(question.header("Authorization")), *expected)) return true;
  HttpAnswer answer = refusal(401, "Unauthorized", "the request does not show that it may do this");
  answer.headers.emplace_back("WWW-Authenticate", "Bearer");
  reply(std::move(answer));
  return false;
}

}  // namespace flow::api
