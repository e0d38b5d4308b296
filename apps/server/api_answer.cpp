#include "apps/server/api_answer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "apps/server/credentials.hpp"
#include "base/text.hpp"

namespace flow {
namespace {

// Calls with each name=value behind the `?`, until it gives false.
template <class Take>
void each_parameter(std::string_view target, const Take& take) {
  std::size_t at = target.find('?');
  while (at != std::string_view::npos) {
    const std::size_t end = std::min(target.find('&', at + 1), target.size());
    const std::string_view pair = target.substr(at + 1, end - at - 1);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    if (!pair.empty() && !take(pair.substr(0, equals), pair.substr(std::min(equals + 1, pair.size()))))
      return;
    at = end == target.size() ? std::string_view::npos : end;
  }
}

}  // namespace

HttpAnswer refusal(int status, std::string_view code, std::string_view message) {
  HttpAnswer answer;
  answer.status = status;
  answer.headers = {{"Cache-Control", "no-store"}};
  answer.body =
      fmt::format(R"({{"error":{{"code":{},"message":{}}}}})", json_quoted(code), json_quoted(message));
  return answer;
}

HttpAnswer json_answer(int status, std::string body) {
  HttpAnswer answer;
  answer.status = status;
  answer.headers = {{"Cache-Control", "no-store"}};
  answer.body = std::move(body);
  return answer;
}

HttpAnswer only(std::string_view methods) {
  HttpAnswer answer = refusal(405, "MethodNotAllowed", fmt::format("send {}", methods));
  answer.headers.emplace_back("Allow", methods);
  return answer;
}

HttpAnswer store_failed() {
  return refusal(503, "Unavailable", "the store cannot be read");
}

HttpAnswer not_allowed() {
  HttpAnswer answer = refusal(401, "Unauthorized", "the request does not show that it may do this");
  answer.headers.emplace_back("WWW-Authenticate", "Bearer");
  return answer;
}

bool has_api_token(const SecretProvider& api_token, const HttpQuestion& question) {
  const Result<std::string> token = api_token();
  return token && is_same_secret(bearer_token(question.header("Authorization")), *token);
}

std::string parameter(std::string_view target, std::string_view name) {
  std::string found;
  each_parameter(target, [&](std::string_view one, std::string_view value) {
    if (one != name || value.empty()) return true;
    found = percent_decoded(value).value_or("");
    return false;
  });
  return found;
}

std::vector<std::string> parameter_names(std::string_view target) {
  std::vector<std::string> names;
  each_parameter(target, [&](std::string_view name, std::string_view) {
    names.emplace_back(name);
    return true;
  });
  return names;
}

}  // namespace flow
