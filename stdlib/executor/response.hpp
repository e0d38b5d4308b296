// Reads the answer to an operation: a result, or the Fault that the declaration and the status make of it.
#pragma once

#include <cstdint>
#include <string>

#include "base/operation.hpp"
#include "stdlib/http/transport.hpp"
#include "vm/bytecode/call.hpp"

namespace flow {

// `now_us` dates Retry-After. 401 is an Unauthorized fault like any other; the executor knows about tokens.
Outcome outcome_of(const HttpResponse& response, const Operation& operation, const Route& route,
                   std::int64_t now_us);

// A list of which not all pages can be had: `is_too_large`, because it has too many.
Fault incomplete(const HttpResponse& response, const Operation& operation, const std::string& why,
                 bool is_too_large);

}  // namespace flow
