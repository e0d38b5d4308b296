// What the routes of the API have in common: how they answer, refuse, and know who may.
#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>

#include "apps/server/http_message.hpp"
#include "stdlib/identity/token_source.hpp"

namespace flow::api {

// Where it is: the runs, one of them (behind it stands its ID), …
inline constexpr std::string_view kRuns = "/api/v1/runs", kOneRun = "/api/v1/runs/",
                                  kQuestions = "/api/v1/questions", kDeployments = "/api/v1/deployments",
                                  kFlows = "/api/v1/flows/", kReload = "/api/v1/reload";

using Reply = std::function<void(HttpAnswer)>;

HttpAnswer answer(int status, std::string json);
// {"error": {"code": …, "message": …}}
HttpAnswer refusal(int status, std::string_view code, std::string_view message);
HttpAnswer only(std::string_view methods);
HttpAnswer stopping();
HttpAnswer store_failed();

// Answers a query with a parameter that is not one of `known`, or cannot be read (check_parameters); true: it
// has none.
bool is_known(const HttpQuestion& question, std::initializer_list<std::string_view> known,
              const Reply& reply);
bool reads(const HttpQuestion& question);  // GET, HEAD
// Whether it has the token; else it has been answered. A token that cannot be read lets nobody in.
bool is_allowed(const SecretProvider& token, const HttpQuestion& question, const Reply& reply);

}  // namespace flow::api
