#include "stdlib/identity/device_code.hpp"

#include <algorithm>

#include "base/calendar.hpp"
#include "base/text.hpp"
#include "stdlib/http/answer.hpp"
#include "stdlib/http/url.hpp"
#include "stdlib/identity/token_exchange.hpp"
#include "stdlib/json/json.hpp"

namespace flow {
namespace {

constexpr std::int64_t kUnstatedInterval = 5, kLongestInterval = 60;  // seconds
constexpr std::int64_t kUnstatedCodeLifetime = 900, kLongestCodeLifetime = 3600;
constexpr std::size_t kLongestCode = 16u << 10;

HttpRequest post(const DeviceLogin& login, const char* door, std::string body) {
  std::string authority = login.authority;
  while (authority.ends_with('/')) authority.pop_back();
  return {.method = "POST",
          .url = authority + "/" + percent_encoded(login.tenant) + "/oauth2/v2.0/" + door,
          .headers = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}},
          .body = std::move(body),
          .deadline_us = 30 * kSecondUs,
          .max_response_bytes = kLongestTokenAnswer};
}

std::int64_t seconds_of(const JsonValue* value, std::int64_t unstated, std::int64_t most) {
  if (value == nullptr || value->kind != JsonValue::Kind::Number) return unstated;
  std::int64_t seconds = 0;
  for (const char c : value->text) {
    if (c < '0' || c > '9') return unstated;
    seconds = std::min(seconds * 10 + (c - '0'), most);
  }
  return seconds <= 0 ? unstated : seconds;
}

bool is_code(const std::string& text) {
  return !text.empty() && text.size() <= kLongestCode &&
         std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

Fault unusable(const char* what) {
  return {.kind = FaultKind::InvalidResponse,
          .message = std::string("the sign-in service's answer holds no usable ") + what};
}

}  // namespace

HttpRequest device_code_request(const DeviceLogin& login) {
  return post(login, "devicecode",
              "client_id=" + form_encoded(login.client_id) + "&scope=" + form_encoded(login.scope));
}

tl::expected<DevicePrompt, Fault> read_device_prompt(const DeviceLogin& login, const HttpResponse& response,
                                                     std::int64_t now_us) {
  if (response.status != 200) return tl::unexpected(token_fault(response, login.scope, now_us));
  const auto body = parse_json(response.body);
  if (!body) return tl::unexpected(unusable("JSON"));
  DevicePrompt prompt{.device_code = text_if_any(body->member("device_code")),
                      .user_code = text_if_any(body->member("user_code")),
                      .address = text_if_any(body->member("verification_uri"))};
  if (!is_code(prompt.device_code) || !is_code(prompt.user_code) || prompt.user_code.size() > 64)
    return tl::unexpected(unusable("code"));
  const auto url = parse_url(prompt.address);
  if (!url || !url->is_https) return tl::unexpected(unusable("address to enter the code at"));
  prompt.interval_us = seconds_of(body->member("interval"), kUnstatedInterval, kLongestInterval) * kSecondUs;
  prompt.ends_us =
      now_us +
      seconds_of(body->member("expires_in"), kUnstatedCodeLifetime, kLongestCodeLifetime) * kSecondUs;
  return prompt;
}

HttpRequest device_token_request(const DeviceLogin& login, const DevicePrompt& prompt) {
  return post(login, "token",
              "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&client_id=" +
                  form_encoded(login.client_id) + "&device_code=" + form_encoded(prompt.device_code));
}

DeviceAnswer read_device_tokens(const DeviceLogin& login, const HttpResponse& response, std::int64_t now_us) {
  const auto body = parse_json(response.body);
  if (response.status != 200) {
    const std::string error = body ? text_if_any(body->member("error")) : std::string();
    if (error == "authorization_pending" || error == "slow_down")
      return DevicePending{.slows_down = error == "slow_down"};
    Fault fault = token_fault(response, login.scope, now_us);
    if (error == "authorization_declined") fault.message = "the person declined to sign in";
    if (error == "expired_token") fault.message = "the code was not entered in time";
    return fault;
  }
  DeviceTokens tokens;
  if (body) {
    tokens.refresh_token = text_if_any(body->member("refresh_token"));
    tokens.access_token = text_if_any(body->member("access_token"));
  }
  if (!is_code(tokens.refresh_token)) {
    Fault fault = unusable("refresh token");
    fault.message += ": the app must be allowed `offline_access`";
    return fault;
  }
  return tokens;
}

}  // namespace flow
