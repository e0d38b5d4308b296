// A person signs in on another device (RFC 8628): the service gives a code, the person enters it in a
// browser, and whoever asked polls until that is done. Requests and what their answers mean; waiting and
// showing are the caller's.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "base/fault.hpp"
#include "base/result.hpp"
#include "stdlib/http/transport.hpp"

namespace flow {

struct DeviceLogin {
  std::string authority;
  std::string tenant;
  std::string client_id;
  std::string scope;  // permissions, separated by blanks; with `offline_access`, or there is nothing to keep
};

// What to show, and how to go on.
struct DevicePrompt {
  std::string device_code;
  std::string user_code;
  std::string address;  // where the person enters it: `https://`
  std::int64_t interval_us = 0;
  std::int64_t ends_us = 0;
};
HttpRequest device_code_request(const DeviceLogin& login);
tl::expected<DevicePrompt, Fault> read_device_prompt(const DeviceLogin& login, const HttpResponse& response,
                                                     std::int64_t now_us);

struct DevicePending {
  bool slows_down = false;  // wait longer from now on
};
struct DeviceTokens {
  std::string refresh_token;
  std::string access_token;
};
using DeviceAnswer = std::variant<DevicePending, DeviceTokens, Fault>;
HttpRequest device_token_request(const DeviceLogin& login, const DevicePrompt& prompt);
DeviceAnswer read_device_tokens(const DeviceLogin& login, const HttpResponse& response, std::int64_t now_us);

}  // namespace flow
