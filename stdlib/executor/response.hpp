// Reads the answer to an operation: a result, or the Fault that the declaration and the status make of it.
#pragma once

#include <cstdint>

#include "base/operation.hpp"
#include "stdlib/http/transport.hpp"
#include "vm/bytecode/call.hpp"

namespace flow {

// `now_us` dates Retry-After. 401 is an Unauthorized fault like any other; the executor knows about tokens.
Outcome outcome_of(const HttpResponse& response, const Operation& operation, const Route& route,
                   std::int64_t now_us);

}  // namespace flow
