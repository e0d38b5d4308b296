// How each service says that something went wrong: who pretends to be Jira must fail as Jira does, also when
// the failure was asked for.
#pragma once

#include <string_view>

#include "apps/sim/state.hpp"

namespace flow::sim {

// {"error": {"code", "message"}}, as Azure's services have it.
HttpAnswer azure_error(int status, std::string_view code, std::string_view message);
// … as Google's: the code is the status, the reason a word.
HttpAnswer google_error(int status, std::string_view reason, std::string_view message);
// {"error", "error_description"}, as RFC 6749 wants it.
HttpAnswer oauth_error(int status, std::string_view name, std::string_view description);
// Entra's, with its number and traces (model_identity.cpp).
HttpAnswer aadsts(State& state, int status, std::string_view name, int number, const std::string& text);

// A failure of the service that the operation belongs to; of a path without an operation (null) that of the
// API by whose root it begins. An empty `code` is the service's usual one for the status.
HttpAnswer service_error(State& state, const SimOperation* operation, std::string_view path, int status,
                         std::string_view code, std::string_view message);

}  // namespace flow::sim
