// What the API's answers and queries have in common.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apps/server/http_message.hpp"
#include "stdlib/identity/token_source.hpp"

namespace flow {

HttpAnswer json_answer(int status, std::string body);
// {"error": {"code": …, "message": …}}
HttpAnswer refusal(int status, std::string_view code, std::string_view message);
HttpAnswer only(std::string_view methods);  // 405
HttpAnswer store_failed();                  // 503
HttpAnswer not_allowed();                   // 401

// A token that cannot be read lets nobody in.
bool has_api_token(const SecretProvider& api_token, const HttpQuestion& question);

// The value of `name` in what stands behind the `?`; empty when it is not there.
std::string parameter(std::string_view target, std::string_view name);
std::vector<std::string> parameter_names(std::string_view target);

}  // namespace flow
