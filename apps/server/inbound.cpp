#include "apps/server/inbound.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "apps/server/api.hpp"
#include "apps/server/credentials.hpp"
#include "base/text.hpp"
#include "runtime/digest.hpp"
#include "runtime/json_text.hpp"

namespace flow {
namespace {

constexpr std::string_view kHooks = "/hooks/", kRunsOfIt = "/runs";

HttpAnswer refusal(int status, std::string_view code, std::string_view message) {
  HttpAnswer answer;
  answer.status = status;
  answer.body =
      fmt::format(R"({{"error":{{"code":{},"message":{}}}}})", json_quoted(code), json_quoted(message));
  return answer;
}

HttpAnswer unauthorized() {
  HttpAnswer answer = refusal(401, "Unauthorized", "the request does not show that it may do this");
  answer.headers.emplace_back("WWW-Authenticate", "Bearer");
  return answer;
}

HttpAnswer only_post() {
  HttpAnswer answer = refusal(405, "MethodNotAllowed", "send a POST");
  answer.headers.emplace_back("Allow", "POST");
  return answer;
}

HttpAnswer unknown_path() {
  return refusal(404, "NotFound", "there is nothing here");
}

// A secret that cannot be read lets nobody in.
bool is_token(const SecretProvider& expected, const HttpQuestion& question) {
  const Result<std::string> token = expected();
  return token && is_same_secret(bearer_token(question.header("Authorization")), *token);
}

bool is_allowed(const HookConfig& hook, const HttpQuestion& question) {
  if (hook.token) return is_token(hook.token, question);
  const Result<std::string> secret = hook.secret();
  return secret && is_signed_by(*secret, question.body, question.header(hook.signature_header));
}

// By name in lower case; of several with one name all, as HTTP joins them. What proves who sent the request
// is for nobody else to see.
std::string headers_json(const HookConfig& hook, const HttpQuestion& question) {
  std::map<std::string, std::string> headers;
  for (const auto& [name, value] : question.headers) {
    constexpr std::array<std::string_view, 3> kSecret = {"authorization", "proxy-authorization", "cookie"};
    const std::string lower = lower_ascii(name);
    if (std::ranges::find(kSecret, lower) != kSecret.end()) continue;
    if (hook.secret && equals_ignoring_case(lower, hook.signature_header)) continue;
    std::string& all = headers[lower];
    all += (all.empty() ? "" : ", ") + value;
  }
  std::string json;
  for (const auto& [name, value] : headers)
    json += fmt::format("{}{}:{}", json.empty() ? "" : ",", json_quoted(name), json_quoted(value));
  return "{" + json + "}";
}

// The members of what was posted to the API.
struct ManualBody {
  std::string arguments = "{}";
  std::map<std::string, std::string> written;
  std::string tenant, key;
};

std::optional<ManualBody> read_manual(const std::string& text, std::string& problem) {
  ManualBody body;
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) return body;
  const auto members = json_members(text);
  if (!members) return problem = "the body is no well-formed JSON object", std::nullopt;
  for (const auto& [name, json] : *members) {
    if (name == "arguments") {
      body.arguments = json;
    } else if (name == "written") {
      const auto written = json_members(json);
      for (const auto& [argument, value] : written.value_or(JsonMembers()))
        body.written[argument] = json_string(value).value_or(value);
    } else if (name == "tenant") {
      body.tenant = json_string(json).value_or(json);
    } else if (name == "key") {
      body.key = json_string(json).value_or(json);
    } else {
      problem = fmt::format("unknown member `{}`; known are arguments, written, tenant and key", name);
      return std::nullopt;
    }
  }
  return body;
}

}  // namespace

HttpAnswer http_answer(const StartAnswer& answer) {
  using How = StartAnswer::How;
  HttpAnswer out;
  out.status = 202;
  switch (answer.how) {
    case How::Started: out.body = fmt::format(R"({{"run":{}}})", json_quoted(answer.run)); break;
    case How::Known: out.body = fmt::format(R"({{"run":{},"isKnown":true}})", json_quoted(answer.run)); break;
    case How::Skipped:
      out.status = 200;
      out.body = R"({"run":null})";
      break;
    case How::Responded:
      out.status = answer.status;
      out.body = answer.body;
      if (!is_json(out.body)) out.content_type = "text/plain; charset=utf-8";
      break;
    case How::NotFound: return refusal(404, "NotFound", answer.problem);
    case How::Refused: return refusal(400, "BadRequest", answer.problem);
    case How::Busy:
      out = refusal(503, "Busy", answer.problem);
      out.headers.emplace_back("Retry-After", "5");
      break;
    case How::Stopping:
      out = refusal(503, "Stopping", "the service is stopping; send it again");
      out.headers.emplace_back("Retry-After", "5");
      break;
  }
  return out;
}

Inbound::Inbound(const InboundConfig& config, std::vector<std::string> tenants, const Clock& clock,
                 Start start)
    : config_(config), tenants_(std::move(tenants)), clock_(clock), start_(std::move(start)) {}

void Inbound::handle(const HttpQuestion& question, Reply reply) const {
  const std::string_view target = question.target;
  const auto path = percent_decoded(target.substr(0, target.find('?')));
  if (!path) return reply(refusal(400, "BadRequest", "the path cannot be read"));
  if (path->starts_with(kHooks)) return take_hook(question, path->substr(kHooks.size()), std::move(reply));
  if (path->starts_with(api::kFlows) && path->ends_with(kRunsOfIt) &&
      path->size() > api::kFlows.size() + kRunsOfIt.size())
    return take_manual(question,
                       path->substr(api::kFlows.size(), path->size() - api::kFlows.size() - kRunsOfIt.size()),
                       std::move(reply));
  reply(unknown_path());
}

void Inbound::take_hook(const HttpQuestion& question, const std::string& name, Reply reply) const {
  const auto found = config_.hooks.find(name);
  if (found == config_.hooks.end()) return reply(unknown_path());
  const HookConfig& hook = found->second;
  if (question.method != "POST") return reply(only_post());
  if (!is_allowed(hook, question)) return reply(unauthorized());
  if (!is_json(question.body)) return reply(refusal(400, "BadRequest", "the body is no well-formed JSON"));
  StartRequest request{
      .by = StartRequest::By::Webhook,
      .tenant = hook.tenant,
      .name = name,
      .event = fmt::format(R"({{"payload":{},"headers":{}}})", question.body, headers_json(hook, question)),
      .respond_within_us = config_.respond_within_us};
  if (hook.delivery_header.empty()) {
    // The time first: keys that come one after the other are neighbours in the store, too.
    request.key = fmt::format("{} {}", format_time_us(clock_.now_us()), sha256_hex(question.body));
  } else {
    request.key = question.header(hook.delivery_header);
    if (request.key.empty())
      return reply(
          refusal(400, "BadRequest",
                  fmt::format("the header {} is missing: it tells deliveries apart", hook.delivery_header)));
  }
  start_(std::move(request),
         [reply = std::move(reply)](const StartAnswer& answer) { reply(http_answer(answer)); });
}

void Inbound::take_manual(const HttpQuestion& question, const std::string& flow, Reply reply) const {
  if (!config_.api_token) return reply(unknown_path());
  if (question.method != "POST") return reply(only_post());
  if (!is_token(config_.api_token, question)) return reply(unauthorized());
  std::string problem;
  auto body = read_manual(question.body, problem);
  if (!body) return reply(refusal(400, "BadRequest", problem));
  if (body->tenant.empty() && tenants_.size() == 1) body->tenant = tenants_.front();
  if (body->tenant.empty())
    return reply(refusal(400, "BadRequest",
                         fmt::format("say for which `tenant`: there are {}", fmt::join(tenants_, ", "))));
  StartRequest request{.by = StartRequest::By::Manual,
                       .tenant = std::move(body->tenant),
                       .name = flow,
                       .event = std::move(body->arguments),
                       .written = std::move(body->written),
                       .key = std::move(body->key),
                       .respond_within_us = config_.respond_within_us};
  start_(std::move(request),
         [reply = std::move(reply)](const StartAnswer& answer) { reply(http_answer(answer)); });
}

}  // namespace flow
